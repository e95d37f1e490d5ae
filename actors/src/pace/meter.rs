//! One level of pace: a strict sliding window with smooth spacing, and debt for what is larger than the window.
//!
//! A plain GCRA lets a window exceed its limit when costs are larger than one (10 a second, texts of 3: 12 leave in
//! 0.9 s). So the window is an exact log of charges, and the GCRA beside it only spaces them out. A text that costs more
//! than the whole window is admitted when the window is empty and nothing is owed, and then charged whole.

use std::{collections::VecDeque, time::Duration};

/// Charges nearer than this part of a window are kept as one, dated by the later: at most so many per window.
const PARTS: u64 = 256;

/// A limit and the window it holds for. Times are microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Length, guard included.
    pub(super) length: u64,
    /// Segments in it.
    pub(super) limit: u32,
    /// How far ahead of even spacing charges may run: `0` is strictly one after the other, `length` not at all spaced.
    pub(super) ahead: u64,
}

impl Window {
    /// Even spacing for so many segments.
    pub(super) fn time_for(&self, segments: u64) -> u64 {
        segments.saturating_mul(self.length) / u64::from(self.limit.max(1))
    }
}

#[derive(Debug, Clone, Copy)]
struct Charge {
    at: u64,
    segments: u64,
}

/// What was charged lately.
#[derive(Debug, Default)]
pub(super) struct Meter {
    charges: VecDeque<Charge>,
    /// Sum of the charges.
    used: u64,
    /// When everything charged is paid for at the even rate.
    paid_at: u64,
    /// The same for the last text larger than the window: debt is paid before anything runs ahead of spacing.
    owed_until: u64,
}

impl Meter {
    /// When so many segments may be charged at the earliest; `now` or before means at once. A limit of 0 never lets
    /// anything through: the answer is a minute ahead, in case the limit changes.
    pub(super) fn earliest(&mut self, segments: u32, window: Window, now: u64) -> u64 {
        self.forget(window, now);
        let (segments, limit) = (u64::from(segments), u64::from(window.limit));
        if limit == 0 {
            return now.saturating_add(Duration::from_secs(60).as_micros() as u64);
        }
        if segments > limit {
            let empty = self.charges.back().map_or(0, |last| last.at.saturating_add(window.length));
            return empty.max(self.paid_at);
        }
        let spaced = self.paid_at.saturating_sub(window.ahead).max(self.owed_until);
        self.time_to_free((self.used + segments).saturating_sub(limit), window).max(spaced)
    }

    /// Charges at `at`, which is no earlier than any charge before.
    pub(super) fn charge(&mut self, segments: u32, window: Window, at: u64) {
        let segments = u64::from(segments);
        self.pay(segments, window, self.paid_at.max(at));
        self.note(Charge { at, segments }, window);
    }

    /// Charges what left before this process started, in any order. Spacing begins anew; the window is exact.
    pub(super) fn restore(&mut self, segments: u32, window: Window, at: u64) {
        let segments = u64::from(segments);
        self.pay(segments, window, at);
        self.note(Charge { at, segments }, window);
        let newest = self.charges.back().map_or(at, |last| last.at);
        self.forget(window, newest);
    }

    /// What was charged in a window of this length and for how much longer it counts, in at most so many parts, each dated
    /// by its last. What is owed counts as all of the limit.
    pub(super) fn counted(&self, window: Window, parts: usize, now: u64) -> Vec<(u32, u64)> {
        let left = |at: u64| at.saturating_add(window.length).saturating_sub(now);
        let live: Vec<&Charge> = self.charges.iter().filter(|charge| left(charge.at) > 0).collect();
        let each = live.len().div_ceil(parts.max(1)).max(1);
        let narrow = |segments: u64| u32::try_from(segments).unwrap_or(u32::MAX);
        let sum = |part: &[&Charge]| part.iter().map(|charge| charge.segments).sum();
        let parts = live.chunks(each).filter_map(|part| Some((narrow(sum(part)), left(part.last()?.at))));
        let owed = (self.owed_until > now).then(|| (window.limit, self.owed_until - now));
        parts.chain(owed).collect()
    }

    /// Whether it remembers nothing that could matter at `now`.
    pub(super) fn is_idle(&self, window_length: u64, now: u64) -> bool {
        self.paid_at <= now && self.charges.back().is_none_or(|last| last.at.saturating_add(window_length) <= now)
    }

    fn pay(&mut self, segments: u64, window: Window, from: u64) {
        let paid_at = from.saturating_add(window.time_for(segments));
        self.paid_at = self.paid_at.max(paid_at);
        if segments > u64::from(window.limit) {
            self.owed_until = self.owed_until.max(paid_at);
        }
    }

    fn note(&mut self, charge: Charge, window: Window) {
        self.used += charge.segments;
        let part = (window.length / PARTS).max(1);
        let place = self.charges.partition_point(|other| other.at <= charge.at);
        if let Some(later) = self.charges.get_mut(place)
            && later.at / part == charge.at / part
        {
            later.segments += charge.segments;
        } else if let Some(earlier) = place.checked_sub(1).and_then(|at| self.charges.get_mut(at))
            && earlier.at / part == charge.at / part
        {
            *earlier = Charge { at: charge.at, segments: earlier.segments + charge.segments };
        } else {
            self.charges.insert(place, charge);
        }
    }

    fn forget(&mut self, window: Window, now: u64) {
        while let Some(first) = self.charges.front()
            && first.at.saturating_add(window.length) <= now
        {
            self.used -= first.segments;
            self.charges.pop_front();
        }
    }

    /// When so many segments have left the window; 0: now.
    fn time_to_free(&self, segments: u64, window: Window) -> u64 {
        let mut freed = 0;
        for charge in &self.charges {
            if freed >= segments {
                break;
            }
            freed += charge.segments;
            if freed >= segments {
                return charge.at.saturating_add(window.length);
            }
        }
        0
    }
}
