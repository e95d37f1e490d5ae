//! One sliding window: what was charged within it, and whether the next charge comes too early.

use std::collections::VecDeque;

use super::Micros;

/// Charges of one key, oldest first; the excess of a text larger than its window lies in the future.
#[derive(Debug, Default)]
pub(super) struct Track {
    charges: VecDeque<(Micros, u64)>,
    until: Micros,
}

/// What a charge found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    /// What the window that ends with it holds, at most the text's own cost when it went at zero debt.
    pub(super) used: u64,
    /// How much later it would have been allowed; 0: it was.
    pub(super) early_us: u64,
}

impl Track {
    /// Charges `cost` at `at` against `limit` in each window `(t - window, t]`.
    pub(super) fn charge(&mut self, at: Micros, cost: u64, window: u64, limit: u64) -> Charge {
        // A text may be recorded a little out of order; a window only ever looks back.
        while self.charges.front().is_some_and(|(charged, _)| charged + window <= at) {
            self.charges.pop_front();
        }
        let held: u64 = self.charges.iter().filter(|(charged, _)| *charged <= at).map(|(_, cost)| cost).sum();
        let early_us = self.early(at, cost, window, limit);
        self.spread(at, cost, window, limit.max(1));
        Charge { used: if held == 0 { cost.min(limit) } else { held + cost }, early_us }
    }

    /// Whether nothing of it matters any more.
    pub(super) fn is_over(&self, now: Micros) -> bool {
        self.until <= now
    }

    /// How long until enough has left the window. A text larger than the limit needs an empty one, and no debt ahead.
    fn early(&self, at: Micros, cost: u64, window: u64, limit: u64) -> u64 {
        let room = limit.saturating_sub(cost);
        let mut held: u64 = self.charges.iter().map(|(_, cost)| cost).sum();
        let mut allowed_at = at;
        for (charged, cost) in &self.charges {
            if held <= room {
                break;
            }
            held -= cost;
            allowed_at = charged + window;
        }
        allowed_at.saturating_sub(at)
    }

    fn spread(&mut self, at: Micros, cost: u64, window: u64, limit: u64) {
        let (mut at, mut left) = (at, cost);
        while left > 0 {
            let part = left.min(limit);
            let place = self.charges.partition_point(|(charged, _)| *charged <= at);
            self.charges.insert(place, (at, part));
            left -= part;
            at += window;
        }
        self.until = self.until.max(at);
    }
}
