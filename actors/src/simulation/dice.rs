//! Chance from a seed: the only randomness of a simulation.

use std::time::Duration;

/// SplitMix64: small, and the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 to `n` − 1.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// A place in a list of `n`.
    pub(super) fn index(&mut self, n: usize) -> usize {
        usize::try_from(self.below(n as u64)).expect("it is below a usize")
    }

    /// True so many times in a thousand.
    pub(super) fn permille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    /// A time between two.
    pub(super) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = u64::try_from((high.saturating_sub(low)).as_micros()).unwrap_or(u64::MAX);
        low + Duration::from_micros(self.below(span + 1))
    }

    /// So many milliseconds at most; often none, seldom very long.
    pub(super) fn delay(&mut self, most_ms: u64) -> Duration {
        let most = match self.below(10) {
            0..=3 => 0,
            4 => most_ms / 20,
            5..=8 => most_ms / 4,
            _ => most_ms,
        };
        Duration::from_micros(self.below(most * 1_000 + 1))
    }
}
