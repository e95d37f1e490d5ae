//! When things should happen, whatever the engine does: an open loop. The same seed gives the same arrivals.

use std::time::Duration;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// How often, over time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Rate {
    /// Always the same.
    Constant {
        /// A second.
        per_s: f64,
    },
    /// From one to the other over the whole duration.
    Ramp {
        /// At the beginning.
        from_per_s: f64,
        /// At the end.
        to_per_s: f64,
    },
    /// From one to the other, by the same factor in the same time: a small beginning is seen as finely as the end.
    Climb {
        /// At the beginning; more than 0.
        from_per_s: f64,
        /// At the end.
        to_per_s: f64,
    },
    /// The one, and every so often the other for a while.
    Burst {
        /// Between bursts.
        per_s: f64,
        /// In a burst.
        burst_per_s: f64,
        /// From the beginning of one burst to the next; the first comes after this.
        every_s: f64,
        /// How long a burst is.
        for_s: f64,
    },
}

/// How arrivals follow each other at a given rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// Independent of each other, as people are.
    #[default]
    Poisson,
    /// At equal distances.
    Even,
}

impl Rate {
    /// A second, so long after the beginning of a run of `whole`.
    pub fn at(self, since: Duration, whole: Duration) -> f64 {
        match self {
            Self::Constant { per_s } => per_s,
            Self::Ramp { from_per_s, to_per_s } => {
                let part = since.as_secs_f64() / whole.as_secs_f64().max(1e-9);
                from_per_s + (to_per_s - from_per_s) * part.min(1.0)
            }
            Self::Climb { from_per_s, to_per_s } => {
                let part = since.as_secs_f64() / whole.as_secs_f64().max(1e-9);
                from_per_s * (to_per_s / from_per_s).powf(part.min(1.0))
            }
            Self::Burst { per_s, burst_per_s, every_s, for_s } => {
                let since = since.as_secs_f64();
                if since >= every_s && since % every_s < for_s { burst_per_s } else { per_s }
            }
        }
    }

    /// The same shape, so many times as fast.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        match self {
            Self::Constant { per_s } => Self::Constant { per_s: per_s * factor },
            Self::Ramp { from_per_s, to_per_s } => {
                Self::Ramp { from_per_s: from_per_s * factor, to_per_s: to_per_s * factor }
            }
            Self::Climb { from_per_s, to_per_s } => {
                Self::Climb { from_per_s: from_per_s * factor, to_per_s: to_per_s * factor }
            }
            Self::Burst { per_s, burst_per_s, every_s, for_s } => {
                Self::Burst { per_s: per_s * factor, burst_per_s: burst_per_s * factor, every_s, for_s }
            }
        }
    }

    /// Whether it rises until the engine can no more.
    pub fn is_rising(self) -> bool {
        matches!(self, Self::Ramp { .. } | Self::Climb { .. })
    }

    /// Whether every part of it makes sense.
    pub fn is_sound(self) -> bool {
        let positive = |rate: f64| rate.is_finite() && rate >= 0.0;
        match self {
            Self::Constant { per_s } => positive(per_s),
            Self::Ramp { from_per_s, to_per_s } => positive(from_per_s) && positive(to_per_s),
            Self::Climb { from_per_s, to_per_s } => positive(from_per_s) && positive(to_per_s) && from_per_s > 0.0,
            Self::Burst { per_s, burst_per_s, every_s, for_s } => {
                positive(per_s) && positive(burst_per_s) && every_s > 0.0 && for_s > 0.0
            }
        }
    }
}

/// Arrivals, each as the time since the beginning.
#[derive(Debug)]
pub struct Schedule {
    rate: Rate,
    spacing: Spacing,
    whole: Duration,
    next: Duration,
    dice: StdRng,
}

/// While the rate is below one in this long, it is looked at again after it.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Schedule {
    /// Over a duration.
    pub fn new(rate: Rate, spacing: Spacing, whole: Duration, seed: u64) -> Self {
        Self { rate, spacing, whole, next: Duration::ZERO, dice: StdRng::seed_from_u64(seed) }
    }

    fn gap(&mut self) -> f64 {
        match self.spacing {
            Spacing::Even => 1.0,
            Spacing::Poisson => -(1.0 - self.dice.random::<f64>()).ln(),
        }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    /// Walks through the rate's integral until the gap is used up, so that a changing rate is met.
    fn next(&mut self) -> Option<Duration> {
        let mut left = self.gap();
        while self.next < self.whole {
            let rate = self.rate.at(self.next, self.whole);
            let step = rate * LOOK_AGAIN.as_secs_f64();
            if left <= step {
                self.next += Duration::from_secs_f64(left / rate);
                return (self.next < self.whole).then_some(self.next);
            }
            left -= step;
            self.next += LOOK_AGAIN;
        }
        None
    }
}

/// Draws places 0, 1, 2… so that the first is the most frequent: the n-th is drawn n^-exponent times as often.
#[derive(Debug, Clone)]
pub struct Zipf(Vec<f64>);

impl Zipf {
    /// Over so many places. Exponent 0: all alike.
    pub fn new(places: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights =
            (1..=places.max(1)).map(|place| f64::from(u32::try_from(place).unwrap_or(u32::MAX)).powf(-exponent));
        let mut sums: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        sums.iter_mut().for_each(|part| *part /= sum);
        Self(sums)
    }

    /// The place of a throw from 0 to 1.
    pub fn place(&self, throw: f64) -> usize {
        self.0.partition_point(|sum| *sum <= throw).min(self.0.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Duration = Duration::from_secs(100);

    fn arrivals(rate: Rate, spacing: Spacing, seed: u64) -> Vec<Duration> {
        Schedule::new(rate, spacing, WHOLE, seed).collect()
    }

    fn between(arrivals: &[Duration], from: u64, to: u64) -> usize {
        arrivals.iter().filter(|at| (from..to).contains(&at.as_secs())).count()
    }

    #[test]
    fn every_shape_offers_what_it_says() {
        let constant = arrivals(Rate::Constant { per_s: 50.0 }, Spacing::Even, 0);
        assert!((4_998..=5_000).contains(&constant.len()), "{}", constant.len());
        let poisson = arrivals(Rate::Constant { per_s: 50.0 }, Spacing::Poisson, 1);
        assert!((4_750..5_250).contains(&poisson.len()), "{}", poisson.len());
        let ramp = arrivals(Rate::Ramp { from_per_s: 0.0, to_per_s: 100.0 }, Spacing::Even, 0);
        assert!((4_950..5_050).contains(&ramp.len()), "{}", ramp.len());
        assert!(between(&ramp, 0, 50) * 2 < between(&ramp, 50, 100));
        let climb = arrivals(Rate::Climb { from_per_s: 1.0, to_per_s: 100.0 }, Spacing::Even, 0);
        let (half, end) = (between(&climb, 49, 51), between(&climb, 98, 100));
        assert!((18..=22).contains(&half) && (185..=200).contains(&end), "{half} {end}");
        let burst = Rate::Burst { per_s: 10.0, burst_per_s: 200.0, every_s: 20.0, for_s: 2.0 };
        let burst = arrivals(burst, Spacing::Even, 0);
        assert!((395..=405).contains(&between(&burst, 20, 22)), "{}", between(&burst, 20, 22));
        assert!((195..=205).contains(&between(&burst, 0, 20)), "{}", between(&burst, 0, 20));
    }

    #[test]
    fn a_seed_gives_the_same_arrivals_and_another_gives_others() {
        let rate = Rate::Constant { per_s: 20.0 };
        assert_eq!(arrivals(rate, Spacing::Poisson, 7), arrivals(rate, Spacing::Poisson, 7));
        assert_ne!(arrivals(rate, Spacing::Poisson, 7), arrivals(rate, Spacing::Poisson, 8));
        assert!(arrivals(rate, Spacing::Poisson, 7).is_sorted());
    }

    #[test]
    fn a_rate_of_nothing_offers_nothing_and_ends() {
        assert!(arrivals(Rate::Constant { per_s: 0.0 }, Spacing::Poisson, 0).is_empty());
    }

    #[test]
    fn zipf_prefers_the_first_and_reaches_the_last() {
        let zipf = Zipf::new(10, 1.0);
        let mut counts = [0; 10];
        (0..10_000).for_each(|throw| counts[zipf.place(f64::from(throw) / 10_000.0)] += 1);
        assert!(counts.is_sorted_by(|a, b| a >= b) && counts[9] > 0, "{counts:?}");
        assert!((3_300..3_500).contains(&counts[0]), "1 / H(10) is 0.341: {counts:?}");
        assert_eq!(Zipf::new(4, 0.0).place(0.5), 2);
    }
}
