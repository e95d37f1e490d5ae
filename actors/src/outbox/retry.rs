//! When a text that certainly was not taken may be tried again. Never asked about an unknown outcome.

use std::time::Duration;

use schema::{message::ErrorClass, time::Stamp};

/// Why the last attempt did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The carrier refused it, in this way.
    Refused(ErrorClass),
    /// No byte left, or the carrier certainly did not take it (connect failure, 429, 5xx before acceptance).
    NotSent,
}

/// Back-off with full jitter: the n-th wait is uniform between `shortest` and `base · 2ⁿ⁻¹`, at most `longest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Upper end of the first wait.
    pub base: Duration,
    /// Upper end of every wait.
    pub longest: Duration,
    /// Lower end of every wait: jitter never means "at once".
    pub shortest: Duration,
    /// Most attempts of a text whose error may pass ([`ErrorClass::Transient`]): such an error came after acceptance,
    /// so each further attempt may annoy somebody.
    pub transient_attempts: u16,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(2),
            longest: Duration::from_secs(300),
            shortest: Duration::from_millis(100),
            transient_attempts: 3,
        }
    }
}

impl RetryPolicy {
    /// When attempt `attempt + 1` may start; none: it is over, because the cause is final, the attempts are used up,
    /// or `valid_until` would have passed.
    ///
    /// `attempt` is the one that did not do, from 1; `random` is uniform; `retry_after` is what the carrier asked for:
    /// the wait comes on top of it, so that everybody who was told the same does not return at once.
    pub fn retry_at(
        &self,
        cause: Cause,
        attempt: u16,
        retry_after: Option<Duration>,
        random: u64,
        now: Stamp,
        valid_until: Stamp,
    ) -> Option<Stamp> {
        let again = match cause {
            Cause::NotSent | Cause::Refused(ErrorClass::Pace) => true,
            Cause::Refused(ErrorClass::Transient) => attempt < self.transient_attempts,
            Cause::Refused(
                ErrorClass::OptOut
                | ErrorClass::Permanent
                | ErrorClass::Landline
                | ErrorClass::Policy
                | ErrorClass::Ambiguous
                | ErrorClass::Rejected
                | ErrorClass::TooLate,
            ) => false,
        };
        let at = now.plus(retry_after.unwrap_or_default()).plus(self.wait(attempt, random));
        (again && at <= valid_until).then_some(at)
    }

    fn wait(&self, attempt: u16, random: u64) -> Duration {
        let doublings = u32::from(attempt.saturating_sub(1)).min(31);
        let most = self.base.saturating_mul(1 << doublings).min(self.longest).max(self.shortest);
        let span = u64::try_from((most - self.shortest).as_micros()).unwrap_or(u64::MAX);
        self.shortest + Duration::from_micros(random % span.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn retry_waits_within_its_bounds_and_never_past_validity(
            attempt in 1_u16..200, random: u64, after in 0_u64..5_000, valid in 0_u64..1_000_000_000,
        ) {
            let policy = RetryPolicy::default();
            let now = Stamp(1_000);
            let after = Duration::from_millis(after);
            let at = policy.retry_at(Cause::NotSent, attempt, Some(after), random, now, Stamp(valid));
            if let Some(at) = at {
                let wait = at.since(now);
                prop_assert!(at <= Stamp(valid));
                prop_assert!(wait >= after + policy.shortest && wait <= after + policy.longest);
                if attempt == 1 {
                    prop_assert!(wait <= after + policy.base);
                }
            } else {
                prop_assert!(Stamp(valid) < now.plus(after + policy.longest));
            }
        }
    }

    #[test]
    fn only_what_certainly_was_not_taken_is_tried_again() {
        let policy = RetryPolicy::default();
        let again = |cause, attempt| policy.retry_at(cause, attempt, None, 7, Stamp(0), Stamp(u64::MAX)).is_some();
        assert!(again(Cause::NotSent, 40) && again(Cause::Refused(ErrorClass::Pace), 40));
        assert!(again(Cause::Refused(ErrorClass::Transient), 2) && !again(Cause::Refused(ErrorClass::Transient), 3));
        for class in [
            ErrorClass::OptOut,
            ErrorClass::Permanent,
            ErrorClass::Landline,
            ErrorClass::Policy,
            ErrorClass::Ambiguous,
            ErrorClass::Rejected,
            ErrorClass::TooLate,
        ] {
            assert!(!again(Cause::Refused(class), 1), "{class:?}");
        }
    }
}
