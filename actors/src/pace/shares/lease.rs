//! A node's part of one shared rate: the slices it holds, and when it asks for the next.

use crate::ports::{Outcome, RateAsk};

/// After a refusal that a larger slice might have prevented, the next question comes this soon.
const HURRY: u64 = 100_000;

#[derive(Debug, Clone, Copy)]
struct Slice {
    sequence: u64,
    share: u32,
    until: u64,
}

/// What has left lately: segments, and for how much longer they count.
#[derive(Debug, Clone, Default)]
pub(in crate::pace) struct Used {
    pub(in crate::pace) charges: Vec<(u32, u64)>,
    /// Segments admitted in the last window.
    pub(in crate::pace) admitted: u64,
}

/// The node's side of one level. Times are the limiter's own.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) limit: u32,
    pub(super) window: u64,
    slices: Vec<Slice>,
    /// What may be used whatever happens.
    keep: u32,
    /// Somebody was refused for want of a larger share.
    refused: bool,
    need: u32,
    /// What was wanted last, and of what need.
    wanted: (u32, u32),
    pub(super) in_flight: bool,
    pub(super) ask_at: u64,
    asked: u64,
    /// When the last question that was answered was asked.
    answered: u64,
    touched: u64,
}

impl Lease {
    pub(super) fn new(limit: u32, window: u64, now: u64) -> Self {
        Self {
            limit,
            window,
            slices: Vec::new(),
            keep: 0,
            refused: false,
            need: 0,
            wanted: (0, 0),
            in_flight: false,
            ask_at: now,
            asked: 0,
            answered: 0,
            touched: now,
        }
    }

    /// Segments in a window that may leave now. `floor`: the server has not been heard of for long enough.
    pub(super) fn share(&self, floor: u32, now: u64) -> u32 {
        let live = self.slices.iter().filter(|slice| now < slice.until).map(|slice| slice.share).max();
        live.unwrap_or(0).max(self.keep).max(floor).min(self.limit)
    }

    /// A text asks. Whether the next question has come nearer.
    pub(super) fn touch(&mut self, limit: u32, window: u64, now: u64) -> bool {
        let woken = self.idle(now) || self.asked == 0;
        if woken {
            self.ask_at = self.ask_at.min(now);
        }
        (self.limit, self.window, self.touched) = (limit, window, now);
        woken
    }

    /// A text was refused that a larger share would have let through. Whether the next question has come nearer.
    pub(super) fn refuse(&mut self, need: u32) -> bool {
        self.refused = true;
        self.need = self.need.max(need.min(self.limit));
        let sooner = (self.wanted.0 < self.limit || self.wanted.1 < self.need) && self.asked + HURRY < self.ask_at;
        if sooner {
            self.ask_at = self.asked + HURRY;
        }
        sooner
    }

    /// When somebody who is refused should come again.
    pub(super) fn look_at(&self, now: u64) -> u64 {
        let expected = if self.in_flight { now } else { self.ask_at };
        expected.clamp(now, now + 1_000_000) + 5_000
    }

    /// Whether nobody has asked for so long that nothing more is wanted.
    pub(super) fn idle(&self, now: u64) -> bool {
        self.touched + self.window.max(2_000_000) < now
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_over(&self, now: u64) -> bool {
        self.idle(now) && !self.in_flight && self.keep == 0 && self.slices.iter().all(|slice| slice.until <= now)
    }

    /// The next question. What it proposes to keep is all it may keep from here on, until it has an answer.
    pub(super) fn ask(&mut self, key: String, members: u32, slice_max: u64, used: Used, at: (u64, u64)) -> RateAsk {
        let (sequence, now) = at;
        self.slices.retain(|slice| now < slice.until);
        let floor = self.limit / members.max(1);
        let admitted = u32::try_from(used.admitted * 5 / 4 + 1).unwrap_or(u32::MAX);
        let want = match () {
            () if self.idle(now) => 0,
            () if self.refused => self.limit,
            () if self.asked == 0 => floor.max(1),
            () => admitted,
        };
        let need = if want == 0 { 0 } else { self.need };
        let want = want.max(need).min(self.limit);
        let proposed = want.min(floor);
        self.keep = self.keep.min(proposed);
        (self.wanted, self.refused, self.need, self.in_flight, self.asked) = ((want, need), false, 0, true, now);
        let live_from = self.slices.iter().map(|slice| slice.sequence).min().unwrap_or(sequence);
        let (window, limit, used) = (self.window, self.limit, used.charges);
        RateAsk { key, window, limit, want, need, keep: proposed, slice_max, sequence, live_from, used }
    }

    /// An answer to a question asked at `asked`.
    pub(super) fn answered(&mut self, sequence: u64, outcome: Outcome, asked: u64, now: u64) {
        self.in_flight = false;
        let Outcome::Slice { share, length, keep, again } = outcome else {
            self.ask_at = now + if let Outcome::Unsettled { left } = outcome { left } else { HURRY };
            return;
        };
        (self.keep, self.answered) = (keep, asked);
        if share > 0 {
            // Clocks may differ in speed by two thousandths.
            let length = length - length / 500;
            let from = if planted!(SliceFromArrival) { now } else { asked };
            self.slices.push(Slice { sequence, share, until: from + length });
        }
        self.ask_at = match again {
            0 if self.wanted.0 == 0 => u64::MAX,
            0 if share == 0 => now + HURRY,
            0 => asked + length * 7 / 10,
            again => now + again,
        };
    }

    /// No answer came: the question may have been carried out.
    pub(super) fn lost(&mut self, now: u64) {
        self.in_flight = false;
        self.ask_at = self.ask_at.min(now);
    }

    /// The server answers again. It may have forgotten what was kept by an answer before `known`.
    pub(super) fn resume(&mut self, known: u64, now: u64) {
        if self.answered < known {
            self.keep = 0;
        }
        self.ask_at = self.ask_at.min(now);
    }
}
