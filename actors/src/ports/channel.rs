//! A carrier's way in: one raw webhook becomes at most one command.
//!
//! Signature and form are the adapter's; routes, limits and answers to failures are the edge's.

use std::borrow::Cow;

use schema::{
    command::Command,
    event::Author,
    ids::{ChannelId, ConversationId},
    settings::VoiceSettings,
};

use super::ChannelEntry;

/// What a webhook is about: the last part of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hook {
    /// A text came in.
    Sms,
    /// What became of a text.
    Status,
    /// A call, at any of its moments.
    Voice,
}

impl Hook {
    /// As it stands in the path, in logs and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Status => "status",
            Self::Voice => "voice",
        }
    }
}

/// A webhook as it came, byte for byte: signatures cover bytes.
#[derive(Debug, Clone, Copy)]
pub struct RawWebhook<'a> {
    /// What it is about.
    pub hook: Hook,
    /// The line that its path names.
    pub channel: &'a ChannelEntry,
    /// Path and query as the carrier called them.
    pub target: &'a str,
    /// Its `Content-Type`; empty if it has none.
    pub content_type: &'a str,
    /// The carrier's signature header; empty if it has none.
    pub signature: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// A verified webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// What it asks of the tenant; `None`: it says nothing that matters here, and is acknowledged.
    pub command: Option<Command>,
    /// Who caused it.
    pub by: Author,
    /// What the carrier is told once the command is durable.
    pub tell: Tell,
}

/// What the carrier is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tell {
    /// This.
    Answer(Answer),
    /// What the settings of a line say to a moment of a call: ask [`Inbound::script`].
    Script {
        /// Which line.
        channel: ChannelId,
        /// Which moment.
        moment: Moment,
    },
}

/// A moment of a call at which the carrier asks what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It has reached the line.
    Begun,
    /// Somebody picked up the business's telephone: a person?
    Screen,
    /// Nobody took it, and the caller is still there.
    Missed,
}

/// What a line says to its callers.
#[derive(Debug, Clone)]
pub struct LineScript<'a> {
    /// Which line.
    pub channel: &'a ChannelId,
    /// What becomes of a call.
    pub voice: &'a VoiceSettings,
    /// What to call the business.
    pub business: &'a str,
    /// What a caller hears whom nobody took.
    pub greeting: &'a str,
    /// The caller's conversation, if the call has one yet.
    pub conversation: Option<ConversationId>,
}

/// The body of a 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its MIME type.
    pub content_type: &'static str,
    /// The carrier's own language.
    pub body: Cow<'static, str>,
}

/// Why a webhook is not taken. Nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundError {
    /// The signature does not verify, or there is none.
    #[error("signature does not verify")]
    Forged,
    /// Signed, but the body cannot be read at all.
    #[error("body cannot be read: {0}")]
    Malformed(&'static str),
    /// Signed, but a field is missing or wrong.
    #[error("field {field}: {detail}")]
    Invalid {
        /// The carrier's name of it.
        field: Cow<'static, str>,
        /// What is wrong; nothing personal.
        detail: &'static str,
    },
}

impl InboundError {
    /// A field that is missing or wrong.
    pub fn invalid(field: impl Into<Cow<'static, str>>, detail: &'static str) -> Self {
        Self::Invalid { field: field.into(), detail }
    }
}

/// Verifies and reads a carrier's webhooks. Pure work on bytes: no I/O, no waiting.
pub trait Inbound: Send + Sync + 'static {
    /// Signature first, over everything received; only then the fields.
    fn receive(&self, webhook: &RawWebhook<'_>) -> Result<Arrival, InboundError>;
    /// What a line's settings say to a moment of a call, in the carrier's own language.
    fn script(&self, moment: Moment, line: &LineScript<'_>) -> Answer;
}
