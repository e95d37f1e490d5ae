//! Bar 5: a million conversations known, a hundred thousand active. Bytes of an active one, what a passivated one costs,
//! how long waking one takes. Bytes are those that the allocator handed out and did not get back: no guess from outside.
#![allow(clippy::disallowed_methods, reason = "a bench has the real time and its own arguments")]

mod support;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use actors::engine::Engine;
use support::{
    Ahead, NEVER, World,
    counting::{Counting, counted},
    figures::{Run, Wanted, ms},
    found, least_store, limits, send, shipped_store, start, tenant, text, viewed,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TENANTS: usize = 16;
const TOGETHER: u64 = 512;
/// Keys that the vault holds, at most.
const KEYS_CACHED: u64 = 65_536;
/// At rest: so many looks in a row at the same bytes, as far as background work lets them be.
const LOOKS: usize = 6;
const LOOK_EVERY: Duration = Duration::from_millis(100);
const STILL: u64 = 65_536;
const REST_WITHIN: Duration = Duration::from_secs(60);

fn main() {
    let mut run = Run::new("conversations");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&mut run));
    run.end();
}

/// The contact's place among all: its tenant, its number there.
fn place(contact: u64) -> (usize, u64) {
    (usize::try_from(contact % TENANTS as u64).unwrap_or(0), contact / TENANTS as u64)
}

/// Bytes that are out when nothing moves any more.
async fn live() -> f64 {
    let (since, mut last, mut still) = (Instant::now(), counted().live, 0);
    while still < LOOKS && since.elapsed() < REST_WITHIN {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = counted().live;
        still = if now.abs_diff(last) < STILL { still + 1 } else { 0 };
        last = now;
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let bytes = last as f64;
    bytes
}

/// An engine on a directory, with a clock that can be sent ahead, and what ends it.
async fn open(directory: &Path) -> (Engine, Arc<Ahead>, deskwire::store::embedded::EmbeddedStore) {
    let (store, clock) = (least_store(directory), Arc::new(Ahead::default()));
    let world = World { clock: clock.clone(), ..World::of(&store) };
    (start(world, limits()).await, clock, store)
}

async fn close(engine: Engine, store: deskwire::store::embedded::EmbeddedStore) {
    engine.drain(Duration::from_secs(30)).await;
    drop(engine);
    store.close();
}

async fn measure(run: &mut Run) {
    let (known, active) = run.full_or_quick((1_000_000_u64, 100_000_u64), (2_000, 500));
    let directory = tempfile::tempdir().expect("a scratch directory");
    // Without anybody: what the engine, its tenants and its store weigh.
    let (engine, _, store) = open(directory.path()).await;
    found(&engine, TENANTS).await;
    let empty = live().await;
    fill(run, &engine, known).await;
    close(engine, store).await;
    // A new process would know nothing but what it reads at start.
    let (engine, clock, store) = open(directory.path()).await;
    for owner in 0..TENANTS {
        engine.tenant(&tenant(owner)).await.expect("it is there");
    }
    // The vault's cache of contacts' keys is of a fixed size, and no conversation's: full before anything is counted.
    repeat(&engine, active, run.full_or_quick(KEYS_CACHED, 500)).await;
    clock.skip(NEVER * 2);
    passivated(live().await).await;
    let passive = live().await;
    let since = Instant::now();
    repeat(&engine, 0, active).await;
    run.say(&format!("{active} active again after {:.1} s", since.elapsed().as_secs_f64()));
    let awake = live().await;
    clock.skip(NEVER * 2);
    let asleep = passivated(awake).await;
    close(engine, store).await;
    waking(run, directory.path(), active).await;
    let of = |bytes: f64, count: u64| bytes / f64::from(u32::try_from(count).unwrap_or(1));
    let note = format!("{:.0} MiB with nobody active, {:.0} MiB with all of them", passive / 1e6, awake / 1e6);
    run.row(
        5,
        "active conversation: bytes",
        "bytes",
        vec![of(awake - passive, active)],
        &Wanted::AtMost(2_048.0),
        &note,
    );
    let what = "passivated conversation: bytes that stay of an active one";
    run.row(5, what, "bytes", vec![of((asleep - passive).max(0.0), active)], &Wanted::AtMost(64.0), "");
    let what = "known conversation that was never active since the start: bytes, its contact's key included";
    run.row(5, what, "bytes", vec![of(passive - empty, known)], &Wanted::Nothing, &format!("{known} of them"));
}

async fn fill(run: &Run, engine: &Engine, known: u64) {
    let since = Instant::now();
    send(engine, known, TOGETHER, |number| {
        let (owner, contact) = place(number);
        (owner, contact, number)
    })
    .await;
    viewed(engine, TENANTS).await;
    run.say(&format!("{known} contacts wrote in {:.1} s", since.elapsed().as_secs_f64()));
}

/// The carrier delivers the texts of some contacts again: their conversations are needed, and nothing is written.
async fn repeat(engine: &Engine, first: u64, count: u64) {
    send(engine, count, TOGETHER, move |number| {
        let number = first + number;
        let (owner, contact) = place(number);
        (owner, contact, number)
    })
    .await;
}

/// Waits until the idle ones have left memory.
async fn passivated(awake: f64) -> f64 {
    let since = Instant::now();
    loop {
        let now = live().await;
        // They leave in steps; at rest below where it was is what they leave behind.
        if now < awake * 0.9 || since.elapsed() > REST_WITHIN {
            return live().await.min(now);
        }
    }
}

/// How long waking takes where the store's caches are as they ship, in a process that has read nothing yet.
async fn waking(run: &mut Run, directory: &Path, active: u64) {
    let store = shipped_store(directory);
    let engine = start(World::of(&store), limits()).await;
    for owner in 0..TENANTS {
        engine.tenant(&tenant(owner)).await.expect("it is there");
    }
    clock_of_waking(run, &engine, active).await;
    close(engine, store).await;
}

/// One after the other: a cold conversation, and the same again when it is warm.
async fn clock_of_waking(run: &mut Run, engine: &Engine, active: u64) {
    let count = run.full_or_quick(2_000, 50).min(active);
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (owner, contact) = place(number * (active / count));
        let number = number * (active / count);
        for times in [&mut cold, &mut warm] {
            let since = Instant::now();
            let woken = engine.submit(&tenant(owner), text(owner, contact, number)).await;
            woken.expect("a repeated text is answered");
            times.push(ms(since.elapsed()));
        }
    }
    cold.sort_by(f64::total_cmp);
    warm.sort_by(f64::total_cmp);
    let at = |times: &[f64], hundredths: usize| times[times.len() * hundredths / 100];
    let note = format!("p99 {:.3} ms; awake already: {:.3} ms", at(&cold, 99), at(&warm, 50));
    run.row(5, "waking one, from the store to its answer: p50", "ms", vec![at(&cold, 50)], &Wanted::AtMost(1.0), &note);
}
