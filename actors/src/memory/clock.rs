//! Clocks and randomness: the system's own, and a clock that a test sets.

use std::{
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::time::{ClockId, clock_gettime};
use schema::time::Stamp;
use uuid::Uuid;

use super::lock;
use crate::ports::{Clock, Ids};

/// The system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Stamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Stamp(0).plus(since)
    }

    /// `CLOCK_BOOTTIME`: the standard library's `Instant` stands still while the machine is suspended, and a
    /// deadline that stands still lets an old owner's call go out late.
    fn monotonic(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the Ids port")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Ids port")]
    fn random(&self) -> u64 {
        rand::random()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    time: Mutex<(Stamp, Duration)>,
}

impl ManualClock {
    /// Stands at `now`.
    pub fn at(now: Stamp) -> Self {
        Self { time: Mutex::new((now, Duration::ZERO)) }
    }

    /// Steps the wall clock, forth or back; the monotonic one does not notice.
    pub fn set(&self, now: Stamp) {
        lock(&self.time).0 = now;
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by: Duration) {
        let mut time = lock(&self.time);
        time.0 = time.0.plus(by);
        time.1 += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Stamp {
        lock(&self.time).0
    }

    fn monotonic(&self) -> Duration {
        lock(&self.time).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stepped_wall_clock_leaves_the_monotonic_one_alone() {
        let clock = ManualClock::at(Stamp(1_000_000));
        clock.advance(Duration::from_secs(1));
        clock.set(Stamp(5));
        assert_eq!(clock.now(), Stamp(5));
        assert_eq!(clock.monotonic(), Duration::from_secs(1));
    }

    #[test]
    fn the_system_clocks_run() {
        let before = SystemClock.monotonic();
        assert!(SystemClock.now() > Stamp(1_600_000_000_000_000));
        assert!(SystemClock.monotonic() >= before);
        assert_ne!(SystemIds.uuid(), SystemIds.uuid());
    }
}
