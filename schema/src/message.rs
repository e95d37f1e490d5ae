//! A message's life: its direction, its status as a lattice, and what a carrier's error means for it.

use serde::{Deserialize, Serialize};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the contact.
    Inbound,
    /// To the contact.
    Outbound,
}

/// Status of an outbound message. It only ever moves up [`Status::rank`]; what is late is dropped.
///
/// ```text
/// queued → claimed → unknown → sent → failed → delivered → read
///    └→ canceled                   (terminal before the carrier took it)
///    └──────────────────────→ expired      (in our lane, or in the carrier's queue)
/// ```
/// `failed` ranks below `delivered`: a carrier that says both has delivered it (carriers.md B.1). `expired` may follow
/// `sent`: a carrier that took a text may say that its validity ended before its turn came (Twilio's 30036).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In our lane.
    Queued,
    /// Claimed by a lane: it may be on its way to the carrier.
    Claimed,
    /// The carrier may or may not have taken it. Never sent again by itself.
    Unknown,
    /// The carrier accepted it.
    Sent,
    /// Not delivered, and will not be.
    Failed,
    /// On the contact's phone.
    Delivered,
    /// Read by the contact.
    Read,
    /// Taken back by an operator before it was claimed.
    Canceled,
    /// Too late to be of use before it left: our lane, or the carrier's queue. Not on the contact's phone.
    Expired,
}

impl Status {
    /// Height in the lattice: a status replaces another only if it is higher.
    pub fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Claimed => 1,
            Self::Unknown => 2,
            Self::Sent => 3,
            Self::Failed => 4,
            Self::Canceled | Self::Expired => 5,
            Self::Delivered => 6,
            Self::Read => 7,
        }
    }

    /// The higher of the two: commutative, associative and idempotent, so order and repetition do not matter.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// For people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Queued => "Waiting to be sent",
            Self::Claimed => "Being sent",
            Self::Unknown => "Perhaps sent: the carrier gave no answer",
            Self::Sent => "Sent",
            Self::Failed => "Not delivered",
            Self::Delivered => "Delivered",
            Self::Read => "Read",
            Self::Canceled => "Not sent: taken back",
            Self::Expired => "Not sent: too late",
        }
    }

    /// Whether the lane has nothing more to do with it.
    pub fn is_settled(self) -> bool {
        self.rank() >= Self::Failed.rank()
    }
}

/// What a carrier's error asks of us (carriers.md B.1, "Classes for the engine").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The contact opted out at the carrier: suppress.
    OptOut,
    /// This address can never receive: fail.
    Permanent,
    /// This address is a landline: fail and remember.
    Landline,
    /// Too fast, certainly not taken: requeue with back-off and jitter.
    Pace,
    /// Filtered or unregistered: fail and alert the tenant.
    Policy,
    /// May pass: bounded retry.
    Transient,
    /// After acceptance, no cause given: show, never retry by itself.
    Ambiguous,
    /// Our request was wrong or refused (credentials, parameters): fail and alert the tenant.
    Rejected,
    /// It waited at the carrier until its validity was over, and was not sent: expired.
    TooLate,
}

/// A carrier's error as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CarrierError {
    /// The carrier's own number, for example 30006.
    pub code: u32,
    /// What it asks of us.
    pub class: ErrorClass,
}

/// Who goes first in a lane: higher first; within one, first come first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Written by a rule: text-backs, reminders.
    Automatic,
    /// Written by a person.
    Interactive,
    /// The one confirmation the law allows.
    Confirmation,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Status; 9] = [
        Status::Queued,
        Status::Claimed,
        Status::Unknown,
        Status::Sent,
        Status::Failed,
        Status::Delivered,
        Status::Read,
        Status::Canceled,
        Status::Expired,
    ];

    proptest! {
        #[test]
        fn status_never_moves_backwards_whatever_the_order(order in proptest::collection::vec(0_usize..9, 0..20)) {
            let mut status = Status::Queued;
            for index in &order {
                let next = status.join(ALL[*index]);
                prop_assert!(next.rank() >= status.rank());
                status = next;
            }
            let best = order.iter().map(|i| ALL[*i].rank()).max().unwrap_or(0);
            prop_assert_eq!(status.rank(), best, "the highest reported status wins in any order");
        }
    }
}
