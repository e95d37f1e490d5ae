//! What a personal part costs: sealing and opening one text with its contact's key. Nanoseconds, median of rounds.
//!
//! `cargo bench -p actors`

use std::{hint::black_box, time::Duration};

use actors::{
    memory::SystemClock,
    ports::{Clock, ContactKey},
    vault::{open_part, seal_part},
};
use schema::{
    event::Personal,
    ids::{ContactId, KeyId},
};
use uuid::Uuid;

const ROUNDS: usize = 15;
const EACH: u32 = 20_000;
/// As long as texts are.
const TEXT: &str = "Hi, the kitchen sink is leaking under the counter and it gets worse, can somebody come today?";

fn main() {
    let contact = ContactId(Uuid::from_u128(1));
    let key = ContactKey { id: KeyId(Uuid::from_u128(2)), secret: [7; 32] };
    let personal = Personal::text(TEXT.to_owned());
    let nonce = [9; 24];
    let sealed = seal_part(&key, contact, &personal, nonce);
    let seal = median(|| drop(black_box(seal_part(&key, contact, black_box(&personal), nonce))));
    let open = median(|| drop(black_box(open_part(&key, black_box(&sealed)))));
    println!("a text of {} bytes: sealed in {seal} ns, opened in {open} ns", TEXT.len());
}

fn median(work: impl Fn()) -> u128 {
    let clock = SystemClock;
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = clock.monotonic();
            (0..EACH).for_each(|_| work());
            clock.monotonic().saturating_sub(start) / EACH
        })
        .collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2].as_nanos()
}
