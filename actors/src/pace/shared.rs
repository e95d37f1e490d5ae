//! A level with its meters: one for admissions, one for departures, and the turns of those who share it.

use super::{
    meter::{Meter, Window},
    turns::{Asker, Turns},
};

/// A level per second or per minute, of a number, a campaign or an account.
#[derive(Debug, Default)]
pub(super) struct Level {
    admitted: Meter,
    departed: Meter,
    turns: Turns,
}

/// A lane that waits is told to come back at half of its expected wait, but not more often than this (microseconds):
/// who was ahead may have gone.
const PATIENCE: u64 = 1_000_000;
/// Parts of a window that a node tells of.
const PARTS: usize = 12;

impl Level {
    /// When so many segments may go, turns aside; `now` or before means at once.
    pub(super) fn earliest(&mut self, segments: u32, window: Window, now: u64) -> u64 {
        self.admitted.earliest(segments, window, now)
    }

    /// The same among those who share the level: whoever is refused waits for its turn.
    pub(super) fn earliest_in_turn(&mut self, asker: Asker<'_>, window: Window, grace: u64, now: u64) -> u64 {
        let room = self.admitted.earliest(asker.segments, window, now);
        let ahead = self.turns.ahead_of(asker, now, grace);
        if room <= now && !ahead.blocked {
            return room;
        }
        let expected = room.max(now).saturating_add(window.time_for(ahead.segments));
        let due = expected.min(now.saturating_add(PATIENCE.max(expected.saturating_sub(now) / 2))).max(room);
        let due = due.max(now.saturating_add(1));
        self.turns.wait(asker, due, ahead.segments == 0, now);
        due
    }

    /// This lane cannot go now for a reason of its own.
    pub(super) fn leave(&mut self, asker: Asker<'_>) {
        self.turns.leave(asker.lane);
    }

    pub(super) fn charge(&mut self, asker: Asker<'_>, window: Window, now: u64) {
        self.admitted.charge(asker.segments, window, now);
        self.turns.serve(asker);
    }

    /// When an admitted text may leave.
    pub(super) fn earliest_departure(&mut self, segments: u32, window: Window, now: u64) -> u64 {
        self.departed.earliest(segments, window, now)
    }

    pub(super) fn charge_departure(&mut self, segments: u32, window: Window, now: u64) {
        self.departed.charge(segments, window, now);
    }

    pub(super) fn restore(&mut self, segments: u32, window: Window, at: u64) {
        self.admitted.restore(segments, window, at);
    }

    pub(super) fn restore_departure(&mut self, segments: u32, window: Window, at: u64) {
        self.departed.restore(segments, window, at);
    }

    /// What has left lately, in parts, and segments admitted in the last window.
    pub(super) fn used(&self, window: Window, now: u64) -> (Vec<(u32, u64)>, u64) {
        let admitted = self.admitted.counted(Window { limit: 0, ..window }, usize::MAX, now);
        let admitted = admitted.into_iter().map(|(segments, _)| u64::from(segments)).sum();
        (self.departed.counted(window, PARTS, now), admitted)
    }

    pub(super) fn is_idle(&self, window_length: u64, now: u64) -> bool {
        self.admitted.is_idle(window_length, now)
            && self.departed.is_idle(window_length, now)
            && self.turns.is_idle(now)
    }
}
