//! What goes wrong at the carrier: by share, or by script for the next requests.

use serde::{Deserialize, Serialize};

use super::chance::Chance;

/// What happens to one create request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Accepted and answered.
    #[default]
    Accept,
    /// Not taken: 400 with this code.
    Refuse(u32),
    /// Not taken: 429 with code 20429.
    TooMany,
    /// Not taken: 500.
    ErrorBefore,
    /// Not taken: the socket is closed without an answer.
    CloseBefore,
    /// Taken, but answered 500.
    ErrorAfter,
    /// Taken, but the socket is closed without an answer.
    LoseResponse,
    /// Taken, but answered only after `stall_ms`.
    Stall,
    /// Taken and answered 201, with a body that is no JSON.
    Garbage,
    /// Taken and answered; later reported `undelivered` with this code.
    Fail(u32),
}

impl Fate {
    /// Whether the carrier has the text, whatever the answer said.
    pub fn takes(self) -> bool {
        !matches!(self, Self::Refuse(_) | Self::TooMany | Self::ErrorBefore | Self::CloseBefore)
    }
}

/// A code and how often it comes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeShare {
    /// Twilio's code.
    pub code: u32,
    /// 0 to 1.
    pub share: f64,
}

/// Shares of what goes wrong, each from 0 to 1. Create faults exclude each other and are drawn in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Refused with a code.
    pub refuse: Vec<CodeShare>,
    /// Refused with 429.
    pub too_many: f64,
    /// 500, not taken.
    pub error_before: f64,
    /// Socket closed, not taken.
    pub close_before: f64,
    /// 500, taken.
    pub error_after: f64,
    /// Socket closed, taken.
    pub lose_response: f64,
    /// Answered late, taken.
    pub stall: f64,
    /// How late.
    pub stall_ms: u64,
    /// Answered with rubbish, taken.
    pub garbage: f64,
    /// Taken, reported `undelivered` with a code later.
    pub fail: Vec<CodeShare>,
    /// A status callback is posted twice.
    pub repeat_callback: f64,
    /// `delivered` is posted before `sent`.
    pub reorder_callback: f64,
    /// A status callback is never posted.
    pub lose_callback: f64,
    /// `Retry-After` of a 429, in seconds.
    pub retry_after_s: u32,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            refuse: Vec::new(),
            too_many: 0.0,
            error_before: 0.0,
            close_before: 0.0,
            error_after: 0.0,
            lose_response: 0.0,
            stall: 0.0,
            stall_ms: 30_000,
            garbage: 0.0,
            fail: Vec::new(),
            repeat_callback: 0.0,
            reorder_callback: 0.0,
            lose_callback: 0.0,
            retry_after_s: 1,
        }
    }
}

impl Faults {
    /// Draws what happens to one request.
    pub(super) fn draw(&self, chance: &Chance) -> Fate {
        let refused = self.refuse.iter().map(|refuse| (refuse.share, Fate::Refuse(refuse.code)));
        let plain = [
            (self.too_many, Fate::TooMany),
            (self.error_before, Fate::ErrorBefore),
            (self.close_before, Fate::CloseBefore),
            (self.error_after, Fate::ErrorAfter),
            (self.lose_response, Fate::LoseResponse),
            (self.stall, Fate::Stall),
            (self.garbage, Fate::Garbage),
        ];
        let failed = self.fail.iter().map(|fail| (fail.share, Fate::Fail(fail.code)));
        let mut left = chance.uniform();
        for (share, fate) in refused.chain(plain).chain(failed) {
            if left < share {
                return fate;
            }
            left -= share;
        }
        Fate::Accept
    }
}

/// Twilio's magic numbers of its test credentials (docs: "Test Credentials"), which work here with any.
pub(super) fn magic(from: &str, to: &str) -> Option<u32> {
    match (from, to) {
        (_, "+15005550001") => Some(21_211),
        (_, "+15005550002") => Some(21_612),
        (_, "+15005550003") => Some(21_408),
        (_, "+15005550004") => Some(21_610),
        (_, "+15005550009") => Some(21_614),
        ("+15005550001", _) => Some(21_212),
        ("+15005550007", _) => Some(21_606),
        ("+15005550008", _) => Some(21_611),
        _ => None,
    }
}
