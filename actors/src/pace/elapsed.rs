//! Time that never goes back nor ahead of itself, out of a wall clock that may do both.

use std::time::Duration;

use schema::time::Stamp;

/// A step back up to this (microseconds) is threads that read the clock in one order and arrive in another: time
/// stands still. A larger one is the clock itself: time goes on from where it was, at the new clock's speed.
const DISORDER: u64 = 1_000_000;

/// The limiter's own time, in microseconds. It never runs ahead of a clock that only steps back, so limits err on the
/// side of sending less, and a clock that returns from a date far ahead does not stop the lanes until that date. With a
/// monotonic clock beside the wall clock it passes as that one does: a step ahead empties no window.
#[derive(Debug, Default)]
pub(super) struct Elapsed {
    latest: u64,
    /// Own time minus wall time.
    offset: i64,
    monotonic: Option<Monotonic>,
}

#[derive(Debug, Clone, Copy)]
struct Monotonic {
    now: Duration,
    /// Own time when it read zero; none: own time has not begun.
    zero: Option<u64>,
}

impl Elapsed {
    /// The monotonic clock shows this now.
    pub(super) fn tick(&mut self, now: Duration) {
        let began = (self.latest > 0).then(|| self.latest.saturating_sub(micros(now)));
        let zero = self.monotonic.map_or(began, |known| known.zero);
        self.monotonic = Some(Monotonic { now, zero });
    }

    /// Own time at `wall`, never less than before.
    pub(super) fn at(&mut self, wall: Stamp) -> u64 {
        if let Some(monotonic) = &mut self.monotonic {
            let now = micros(monotonic.now);
            let zero = *monotonic.zero.get_or_insert(wall.0.saturating_sub(now));
            self.latest = self.latest.max(zero.saturating_add(now));
            self.offset = self.latest.wrapping_sub(wall.0).cast_signed();
            return self.latest;
        }
        let at = self.past(wall);
        if at.saturating_add(DISORDER) < self.latest {
            self.offset = self.latest.wrapping_sub(wall.0).cast_signed();
        }
        self.latest = self.latest.max(self.past(wall));
        self.latest
    }

    /// Own time when it was last asked for.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// Own time of something that happened before.
    pub(super) fn past(&self, wall: Stamp) -> u64 {
        wall.0.saturating_add_signed(self.offset)
    }

    /// When the wall clock will show this own time.
    pub(super) fn wall(&self, at: u64) -> Stamp {
        Stamp(at.saturating_add_signed(self.offset.saturating_neg()))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_that_steps_either_way_moves_own_time_by_what_has_passed() {
        let mut elapsed = Elapsed::default();
        elapsed.tick(Duration::from_secs(7));
        let began = elapsed.at(Stamp(1_000_000_000));
        for (passed_s, wall) in [(8, 1_301_000_000), (9, 702_000_000), (10, 1_003_000_000)] {
            elapsed.tick(Duration::from_secs(passed_s));
            assert_eq!(elapsed.at(Stamp(wall)), began + (passed_s - 7) * 1_000_000);
            assert_eq!(elapsed.wall(elapsed.past(Stamp(wall))), Stamp(wall));
        }
    }
}
