//! Pace: may this many segments leave now, on every level that applies?

use schema::{
    ids::{AccountId, ChannelId, ContactId},
    message::Priority,
    settings::LimitSettings,
    time::Stamp,
};

/// One text that wants to leave.
#[derive(Debug, Clone)]
pub struct PaceRequest<'a> {
    /// The carrier account.
    pub account: &'a AccountId,
    /// The line.
    pub channel: &'a ChannelId,
    /// To whom.
    pub contact: ContactId,
    /// Its cost.
    pub segments: u16,
    /// Who goes first.
    pub priority: Priority,
    /// The limits in force.
    pub limits: &'a LimitSettings,
}

/// The limiter's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Go; all levels are charged.
    Granted,
    /// Not before this; nothing is charged. `pair` says that only this contact must wait, not the lane.
    NotBefore {
        /// When to ask again.
        at: Stamp,
        /// Only the contact's own pace is in the way.
        pair: bool,
    },
}

/// Levels: account, brand per day, campaign per minute, number per second, contact pair; cost in segments.
///
/// Contract (suite `contracts::limiter`): all or nothing over the levels; over any window a level never lets
/// through more than its limit, but for one text whose cost exceeds the burst, which is admitted at zero debt
/// and charged whole; the day ends at midnight in Pacific time.
pub trait Limiter: Send + Sync + 'static {
    /// Asks for one text at `now`.
    fn admit(&self, request: &PaceRequest<'_>, now: Stamp) -> Admission;

    /// Charges what certainly or perhaps left before this process started: called at start with the claims of the log.
    fn restore(&self, request: &PaceRequest<'_>, at: Stamp);
}
