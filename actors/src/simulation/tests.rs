//! Seeds: a handful with every `cargo test`, 2,000 in CI, as many as there is time for with `make simulate`.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use super::{
    life::{Verdict, run},
    nodes,
    planted::{Fault, plant},
};

/// Seeds of an ordinary test run.
const HANDFUL: u64 = 12;
/// Seeds within which every planted fault must be convicted.
const CONVICTED_WITHIN: u64 = 150;
/// Each thread simulates by itself.
const THREADS: usize = 2;

/// What scripts/simulate.sh asks for: `seeds=2000` stands among the names of tests, and is none.
fn asked(name: &str) -> Option<u64> {
    std::env::args().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

fn show(verdict: &Verdict) {
    for line in &verdict.lines {
        eprintln!("{line}");
    }
    let Verdict { seed, hash, steps, lives, checks, .. } = verdict;
    eprintln!("seed {seed}: {lives} lives, {steps} steps, {checks} checks, trace {hash:016x}");
    if let Some(broken) = &verdict.broken {
        eprintln!("seed {seed} BREAKS A PROMISE: {broken}");
        eprintln!("see it again: make simulate SEED={seed}");
    }
}

/// How a seed is played.
type Play = fn(u64, bool) -> Verdict;

/// Runs seeds on all threads until there are no more, or one breaks a promise.
fn campaign(play: Play, first: u64, count: u64) -> Option<Verdict> {
    let (next, over, lives) = (AtomicU64::new(first), AtomicBool::new(false), AtomicU64::new(0));
    let (steps, checks) = (AtomicU64::new(0), AtomicU64::new(0));
    let broken = Mutex::new(None);
    let began = tokio::time::Instant::now();
    let tell = |done: u64| {
        let (lives, steps, checks) =
            (lives.load(Ordering::Relaxed), steps.load(Ordering::Relaxed), checks.load(Ordering::Relaxed));
        let rate = done as f64 / began.elapsed().as_secs_f64();
        eprintln!("{done} seeds from {first}: {lives} lives, {steps} steps, {checks} checks; {rate:.1} seeds a second");
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - first >= count {
                        return;
                    }
                    let verdict = play(seed, false);
                    lives.fetch_add(u64::from(verdict.lives), Ordering::Relaxed);
                    steps.fetch_add(verdict.steps, Ordering::Relaxed);
                    checks.fetch_add(verdict.checks, Ordering::Relaxed);
                    if verdict.broken.is_some() && asked("all").is_some() {
                        eprintln!("seed {seed} breaks a promise: {}", verdict.broken.unwrap_or_default());
                    } else if verdict.broken.is_some() {
                        over.store(true, Ordering::Relaxed);
                        broken.lock().expect("no panic").get_or_insert(verdict);
                    }
                    if (seed - first + 1).is_multiple_of(100) {
                        tell(seed - first + 1);
                    }
                }
            });
        }
    });
    tell(next.load(Ordering::Relaxed).saturating_sub(first).min(count));
    broken.into_inner().expect("no panic")
}

#[test]
fn every_seed_keeps_the_promises() {
    keeps_the_promises(run);
}

#[test]
fn every_seed_of_several_nodes_keeps_the_promises() {
    keeps_the_promises(nodes::run);
}

fn keeps_the_promises(play: Play) {
    if let Some(seed) = asked("seed") {
        let verdict = play(seed, true);
        show(&verdict);
        return assert!(verdict.broken.is_none(), "seed {seed}");
    }
    let broken = campaign(play, asked("from").unwrap_or(1), asked("seeds").unwrap_or(HANDFUL));
    if let Some(verdict) = broken {
        show(&verdict);
        panic!("seed {} breaks a promise: {}", verdict.seed, verdict.broken.unwrap_or_default());
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for (play, seed) in (1_000..1_004).flat_map(|seed| [(run as Play, seed), (nodes::run as Play, seed)]) {
        let first = play(seed, true);
        let second = thread::spawn(move || play(seed, true)).join().expect("no panic");
        let place = first.lines.iter().zip(&second.lines).position(|(one, other)| one != other);
        let lines = place.map(|place| (&first.lines[place], &second.lines[place]));
        assert_eq!((first.hash, first.steps), (second.hash, second.steps), "seed {seed} differs first at {lines:?}");
    }
}

#[test]
fn every_planted_fault_is_convicted() {
    are_convicted(run, &Fault::ALL);
}

#[test]
fn every_fault_planted_in_several_nodes_is_convicted() {
    are_convicted(nodes::run, &Fault::OF_NODES);
}

fn are_convicted(play: Play, faults: &[Fault]) {
    let next = AtomicU64::new(0);
    let survivors = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    plant(Some(*fault));
                    let convicted = (1..=CONVICTED_WITHIN).map(|seed| play(seed, false)).find(|it| it.broken.is_some());
                    plant(None);
                    match convicted {
                        Some(verdict) => {
                            eprintln!("{fault:?}: seed {}: {}", verdict.seed, verdict.broken.unwrap_or_default());
                        }
                        None => survivors.lock().expect("no panic").push(*fault),
                    }
                }
            });
        }
    });
    let survivors = survivors.into_inner().expect("no panic");
    assert!(survivors.is_empty(), "not seen within {CONVICTED_WITHIN} seeds: {survivors:?}");
}
