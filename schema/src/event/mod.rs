//! Events: the facts of a tenant's feed, and their personal parts.
//!
//! An event is two things: a clear [`Fact`] with all that state, order, counts, consent and cost need, and
//! [`Part`]s that hold text, names and addresses, each naming its subject and the key it is sealed with.
//! `apply` never needs a part; every reader handles [`Content::Shredded`].

mod codec;
mod fact;
mod part;
#[cfg(test)]
mod tests;
mod version;

pub use codec::{BatchHeader, CodecError, SealedBatch, SealedEvent, SealedPart, StoredEvent};
pub use fact::*;
pub use part::{Content, MediaRef, Part, Personal};
use serde::{Deserialize, Serialize};
pub use version::WriteVersion;

use crate::{
    ids::{ConversationId, DedupeKey, MessageId, Offset, OperatorId, RequestId},
    time::Stamp,
};

/// One entry of a tenant's feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Where and when, by whom, about which conversation.
    pub header: Header,
    /// What happened, without anything personal.
    pub fact: Fact,
    /// What of it is personal; most events have none or one.
    pub parts: Vec<Part>,
}

impl Event {
    /// The personal content, if there is one and its key still exists.
    pub fn personal(&self) -> Option<&Personal> {
        self.parts.iter().find_map(|part| match &part.content {
            Content::Open(personal) => Some(personal),
            Content::Shredded => None,
        })
    }
}

/// What is readable of every event, also of one whose kind this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Dense position in the feed.
    pub offset: Offset,
    /// Strictly increasing over the feed, also over owners.
    pub stamp: Stamp,
    /// The conversation it belongs to; none for settings.
    pub conversation: Option<ConversationId>,
    /// Offset of the same conversation's event before this one; 0 for its first.
    pub previous: Offset,
    /// Who, from where, and by which request.
    pub origin: Origin,
    /// On the last event of a command that must not be done twice: what makes it the same command.
    pub accepted: Option<Accepted>,
}

/// A command's identity, as the log remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The carrier's id or the client's idempotency key, hashed with its namespace.
    pub key: DedupeKey,
    /// Hash of the content: the same key with another is a conflict. 0: content is not compared.
    pub content: u64,
    /// The message it made.
    pub message: Option<MessageId>,
}

/// Who caused something, through which door, by which request: the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Origin {
    /// Who.
    pub by: Author,
    /// Through which door.
    pub via: Via,
    /// By which request; the same id stands in the answer and in the logs.
    pub request: RequestId,
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The contact, through a carrier.
    Contact,
    /// The carrier itself.
    Carrier,
    /// A person of the tenant.
    Operator(OperatorId),
    /// A rule of the tenant: text-back, keyword answer.
    Rule,
    /// Whoever runs the engine, from the command line or at start.
    Engine,
}

/// The door through which something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// A carrier's webhook.
    Webhook,
    /// The operators' stream.
    Stream,
    /// The REST interface.
    Rest,
    /// The command line.
    Command,
    /// The engine by itself: lanes, timers, reconciling.
    Engine,
}
