//! Waiting for a condition, never for a time: the only place in tests that sleeps.

use std::time::{Duration, Instant};

/// How long a condition may take before the test has failed: long, for a machine that stands still for a while.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something, and returns it; panics with `what` after [`DEADLINE`].
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_for_within(DEADLINE, what, look)
}

/// As [`wait_for`], with a deadline of its own.
#[track_caller]
pub fn wait_for_within<T>(deadline: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < deadline, "waited {deadline:?} for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// As [`wait_for`], for a condition that is itself awaited.
pub async fn until(what: &str, holds: impl AsyncFnMut() -> bool) {
    until_within(DEADLINE, what, holds).await;
}

/// As [`until`], with a deadline of its own.
pub async fn until_within(deadline: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(deadline, looking).await.unwrap_or_else(|_| panic!("waited {deadline:?} for {what}"));
}

/// Not waiting for anything: the gap between two actions of somebody who makes load, or the moment of a fault.
pub async fn pace(gap: Duration) {
    tokio::time::sleep(gap).await;
}
