//! Time that never goes back, out of a wall clock that may.

use schema::time::Stamp;

/// A step back up to this (microseconds) is threads that read the clock in one order and arrive in another: time
/// stands still. A larger one is the clock itself: time goes on from where it was, at the new clock's speed.
const DISORDER: u64 = 1_000_000;

/// The limiter's own time, in microseconds. It never runs ahead of a clock that only steps back, so limits err on the
/// side of sending less, and a clock that returns from a date far ahead does not stop the lanes until that date.
#[derive(Debug, Default)]
pub(super) struct Elapsed {
    latest: u64,
    /// Own time minus wall time.
    offset: u64,
}

impl Elapsed {
    /// Own time at `wall`, never less than before.
    pub(super) fn at(&mut self, wall: Stamp) -> u64 {
        let at = wall.0.saturating_add(self.offset);
        if at.saturating_add(DISORDER) < self.latest {
            self.offset = self.latest.saturating_sub(wall.0);
        }
        self.latest = self.latest.max(wall.0.saturating_add(self.offset));
        self.latest
    }

    /// Own time of something that happened before.
    pub(super) fn past(&self, wall: Stamp) -> u64 {
        wall.0.saturating_add(self.offset)
    }

    /// When the wall clock will show this own time.
    pub(super) fn wall(&self, at: u64) -> Stamp {
        Stamp(at.saturating_sub(self.offset))
    }
}
