//! Pace: may this many segments leave now, on every level that applies?

use schema::{
    event::Purpose,
    ids::{AccountId, ChannelId, ContactId, TenantId},
    message::Priority,
    queue::PaceStanding,
    settings::LimitSettings,
    time::Stamp,
};

/// What a text may use of a day's budget. A day that campaigns have used up still answers a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DayPart {
    /// All of it: persons, text-backs, confirmations.
    Whole,
    /// What is not kept for those.
    Open,
}

impl DayPart {
    /// By why it was queued.
    pub fn of(purpose: &Purpose) -> Self {
        match purpose {
            Purpose::Reply | Purpose::TextBack | Purpose::Confirmation(_) => Self::Whole,
            Purpose::Campaign => Self::Open,
        }
    }
}

/// One daily limit of a line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DayUse {
    /// The brand it is counted under.
    pub brand: String,
    /// The network whose limit it is; none: of the brand as a whole.
    pub network: Option<String>,
    /// Segments charged today.
    pub used: u64,
    /// Segments allowed.
    pub limit: u32,
    /// Of those, only for [`DayPart::Whole`].
    pub kept: u32,
    /// When the next day begins.
    pub ends: Stamp,
}

impl DayUse {
    /// Whether nothing more leaves today.
    pub fn is_used_up(&self) -> bool {
        self.used >= u64::from(self.limit)
    }
}

/// One text that wants to leave.
#[derive(Debug, Clone)]
pub struct PaceRequest<'a> {
    /// Whose text it is: tenants that share an account take turns.
    pub tenant: &'a TenantId,
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
    /// What it may use of a day.
    pub part: DayPart,
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
/// and charged whole; the day ends at midnight in Pacific time; tenants on one account take turns.
///
/// Two questions per text: [`Limiter::admit`] before it is claimed, [`Limiter::depart`] before its first byte leaves.
/// A slow append between the two gathers texts that were admitted one by one: they must not leave together.
/// `now` is the `Clock`'s, the same for every caller: a limiter tells steps of the clock from it.
pub trait Limiter: Send + Sync + 'static {
    /// Asks for one text at `now`.
    fn admit(&self, request: &PaceRequest<'_>, now: Stamp) -> Admission;

    /// Asks for the door, after the claim is durable: [`Admission::Granted`] means leave now; else nothing is charged,
    /// ask again at that time. Whoever skips this question keeps the pace only as well as its appends do.
    fn depart(&self, request: &PaceRequest<'_>, now: Stamp) -> Admission {
        let _ = (request, now);
        Admission::Granted
    }

    /// Charges what certainly or perhaps left before this process started: called at start with the claims of the log.
    fn restore(&self, request: &PaceRequest<'_>, at: Stamp);

    /// Every tenant's claims are restored: what the log knows of days is whole.
    fn counted(&self, now: Stamp) {
        let _ = now;
    }

    /// How far back claims still count under these limits: [`Limiter::restore`] wants those from here on.
    fn counts_since(&self, limits: &LimitSettings, now: Stamp) -> Stamp {
        let _ = limits;
        now
    }

    /// How this node stands with those of a line's limits that nodes share; none: it shares none of them.
    fn shared_standing(&self, account: &AccountId, limits: &LimitSettings, now: Stamp) -> Option<PaceStanding> {
        let _ = (account, limits, now);
        None
    }

    /// The daily limits among these, and what was used of each.
    fn days(&self, limits: &LimitSettings, now: Stamp) -> Vec<DayUse> {
        let _ = (limits, now);
        Vec::new()
    }
}
