//! When operators answer: on a schedule, each arrival to one operator of a tenant.

use std::{sync::Arc, time::Instant};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::sync::mpsc;

use super::{
    figures::count,
    mark::mix,
    operator::Answering,
    scenario::Replies,
    schedule::Schedule,
    texts::{Shared, Timing, wait_until},
};

/// Replies that wait for one operator; more are not sent, and counted.
pub const WAITING: usize = 64;
/// Apart from the dice of texts.
const SALT: u64 = 0x5e9_1135;

/// Until the load is over. `operators` are those who may answer, by tenant.
pub async fn run(shared: Arc<Shared>, replies: Replies, operators: Vec<Vec<mpsc::Sender<Answering>>>, timing: Timing) {
    let mut dice = StdRng::seed_from_u64(mix(timing.seed ^ SALT));
    let requests = &shared.figures.replies;
    for at in Schedule::new(replies.rate, replies.spacing, timing.whole, timing.seed ^ SALT) {
        let due: Instant = timing.start + at;
        let late = wait_until(due).await;
        shared.figures.lag.record(1, late);
        count(&requests.offered);
        let of_tenant = &operators[shared.zipf.place(dice.random())];
        let sent = match of_tenant.len() {
            0 => false,
            several => {
                let answering = Answering { due, dice: dice.random_range(0..usize::MAX) };
                of_tenant[dice.random_range(0..several)].try_send(answering).is_ok()
            }
        };
        if !sent {
            count(&requests.shed);
        }
    }
}
