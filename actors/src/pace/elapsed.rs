//! Time that never goes back and never jumps ahead, out of a wall clock that may do both.

use schema::time::Stamp;

/// Microseconds within which two clocks agree. A step back up to this is threads that read the clock in one order and arrive
/// in another: time stands still. A larger one, or one ahead of the steady clock, is the clock itself: time goes on from
/// where it was, at the new clock's speed.
const DISORDER: u64 = 1_000_000;

/// The limiter's own time, in microseconds. It never runs ahead of a clock that only steps back, nor, where there is a steady
/// clock beside it, of what has really passed: limits err on the side of sending less. A clock that returns from a date far
/// ahead does not stop the lanes until that date.
#[derive(Debug, Default)]
pub(super) struct Elapsed {
    latest: u64,
    /// Own time minus wall time.
    offset: i64,
    /// The steady clock at `latest`.
    steady: Option<u64>,
}

impl Elapsed {
    /// Own time at `wall`, never less than before. `steady`: a clock that never steps, if there is one.
    pub(super) fn at(&mut self, wall: Stamp, steady: Option<u64>) -> u64 {
        let at = self.past(wall);
        if at.saturating_add(DISORDER) < self.latest {
            self.offset = signed(self.latest).saturating_sub(signed(wall.0));
        }
        if let (Some(now), Some(before)) = (steady, self.steady) {
            let may_be = self.latest.saturating_add(now.saturating_sub(before));
            if at > may_be.saturating_add(DISORDER) {
                self.offset = signed(may_be).saturating_sub(signed(wall.0));
            }
        }
        self.steady = steady.max(self.steady);
        self.latest = self.latest.max(self.past(wall));
        self.latest
    }

    /// Own time of something that happened before.
    pub(super) fn past(&self, wall: Stamp) -> u64 {
        wall.0.saturating_add_signed(self.offset)
    }

    /// Own time of something that certainly has happened: a log's stamps stay ahead of a clock that stepped back.
    pub(super) fn happened(&self, wall: Stamp) -> u64 {
        let at = self.past(wall);
        if self.latest > 0 { at.min(self.latest) } else { at }
    }

    /// When the wall clock will show this own time.
    pub(super) fn wall(&self, at: u64) -> Stamp {
        Stamp(at.saturating_sub_signed(self.offset))
    }
}

fn signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000_000_000;
    const SECOND: u64 = 1_000_000;
    const STEP: u64 = 300 * SECOND;

    #[test]
    fn a_step_ahead_is_not_time_that_passed_and_a_step_back_takes_none_away() {
        let mut elapsed = Elapsed::default();
        let began = elapsed.at(Stamp(NOON), Some(7));
        let mut at = |wall: u64, steady: u64| elapsed.at(Stamp(wall), Some(7 + steady)) - began;
        assert_eq!(at(NOON + SECOND, SECOND), SECOND);
        assert_eq!(at(NOON + STEP + 2 * SECOND, 2 * SECOND), 2 * SECOND, "five minutes ahead");
        assert_eq!(at(NOON + STEP + 3 * SECOND, 3 * SECOND), 3 * SECOND, "and on");
        assert_eq!(at(NOON - STEP + 4 * SECOND, 4 * SECOND), 3 * SECOND, "ten back: it goes on from where it was");
        assert_eq!(at(NOON - STEP + 5 * SECOND, 5 * SECOND), 4 * SECOND);
        assert_eq!(at(NOON + 6 * SECOND, 6 * SECOND), 5 * SECOND, "right again");
        let due = elapsed.wall(began + 9 * SECOND);
        assert_eq!(due, Stamp(NOON + 10 * SECOND), "what is due later is told in the wall clock's time");
    }

    #[test]
    fn a_long_silence_is_time_that_passed() {
        let mut elapsed = Elapsed::default();
        let began = elapsed.at(Stamp(NOON), Some(0));
        assert_eq!(elapsed.at(Stamp(NOON + STEP), Some(STEP)) - began, STEP);
    }

    #[test]
    fn what_happened_did_not_happen_later_than_now() {
        let mut elapsed = Elapsed::default();
        let now = elapsed.at(Stamp(NOON), None);
        assert_eq!(elapsed.happened(Stamp(NOON + STEP)), now);
        assert_eq!(elapsed.happened(Stamp(NOON - SECOND)), now - SECOND);
    }
}
