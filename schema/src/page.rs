//! Answers of REST and of the stream's RPCs: pages with the position they are true at, rows, views of one thing.
//!
//! Knows the JSON, not where it comes from. What is absent is left out; what is personal is absent once erased.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    event::{Author, BlockReason, Consent, ConsentSource, Keyword, MediaRef, Purpose, Via},
    ids::{ChannelId, ContactId, ConversationId, Epoch, MessageId, Offset, OperatorId, RequestId, Tag, TemplateId},
    message::{CarrierError, Direction, Priority, Status},
    pause::{Pause, Pauses},
    time::Stamp,
    wire::WireEvent,
};

/// Rows of a page when the client names no number.
pub const PAGE_DEFAULT: usize = 50;
/// Rows of a page at most, whatever is configured.
pub const PAGE_MAX: usize = 1_000;

/// An [`Epoch`] as clients carry it: a text, because JavaScript's numbers are too short for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, examples("1729"))]
pub struct EpochText(pub Epoch);

impl fmt::Display for EpochText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for EpochText {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|number| Self(Epoch(number)))
    }
}

impl Serialize for EpochText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EpochText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A position in a tenant's feed: what a dashboard resumes the stream from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Position {
    /// Which log.
    pub epoch: EpochText,
    /// Everything up to and including this offset is in the answer.
    pub offset: Offset,
}

impl Position {
    /// A position in a log.
    pub fn new(epoch: Epoch, offset: Offset) -> Self {
        Self { epoch: EpochText(epoch), offset }
    }
}

/// Where a page of the inbox ended. Opaque to clients: 48 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Last activity of the last row.
    pub activity: Stamp,
    /// The last row.
    pub conversation: ConversationId,
}

/// Why a text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier page")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{}", self.activity.0, self.conversation.0.simple())
    }
}

impl std::str::FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        if text.len() != 48 || !text.as_bytes().iter().all(hex) {
            return Err(InvalidCursor);
        }
        let activity = u64::from_str_radix(&text[..16], 16).map_err(|_| InvalidCursor)?;
        let conversation = Uuid::try_parse(&text[16..]).map_err(|_| InvalidCursor)?;
        Ok(Self { activity: Stamp(activity), conversation: ConversationId(conversation) })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A page of the inbox, newest activity first.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InboxPage {
    /// Read before the rows: rows may be newer, never older. Apply an event to a row only if the event's offset is
    /// beyond the row's.
    #[serde(flatten)]
    pub position: Position,
    /// The conversations.
    pub rows: Vec<InboxRow>,
    /// Where the next page begins; none: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{48}$")]
    pub next: Option<Cursor>,
    /// What is held back; absent: texts leave. `settings.pause` in the stream changes it.
    #[serde(skip_serializing_if = "Pauses::is_empty")]
    pub paused: Pauses,
}

/// One conversation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConversationView {
    /// Read before the row.
    #[serde(flatten)]
    pub position: Position,
    /// The same row as in the inbox.
    #[serde(flatten)]
    pub row: InboxRow,
}

/// One conversation as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct InboxRow {
    /// Which.
    pub conversation: ConversationId,
    /// Its contact.
    pub contact: ContactId,
    /// Last offset of the conversation that this row includes. An event up to it must not be applied again.
    pub last: Offset,
    /// The contact's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The contact's address; `anonymous` if it was hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether the address can be answered.
    pub reachable: bool,
    /// The contact was erased: name, address and texts are gone for good.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// The line last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// Whether the episode is open.
    pub open: bool,
    /// How many times it has been opened, from 1.
    pub episode: u32,
    /// Who is on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<OperatorId>,
    /// Labels, sorted.
    pub tags: Vec<Tag>,
    /// Inbound messages and missed calls that nobody has seen.
    pub unread: u32,
    /// Everything up to here has been seen.
    pub read_up_to: Offset,
    /// The last inbound message or missed call: whoever has seen it has seen all that was unread.
    pub last_inbound: Offset,
    /// When the last missed call came that nobody has answered since, in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_call: Option<Stamp>,
    /// Since when the contact waits for a person, in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Stamp>,
    /// Last activity, in microseconds since the epoch.
    pub activity: Stamp,
    /// Hidden until then, in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Stamp>,
    /// May it be texted?
    pub consent: Consent,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_source: Option<ConsentSource>,
    /// It seems to ask for no more texts: automation waits until `opt-out` or `opt-in` says what was meant.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub consent_questioned: bool,
    /// The carrier's error that proved the address unable to receive texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<u32>,
    /// An operator blocked it, and why: nobody is bothered with what it sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<BlockReason>,
    /// The last message in either direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message: Option<LastMessage>,
    /// Whether it decides nothing until released.
    pub parked: bool,
    /// Arrivals of the parked time not yet played again.
    pub unprocessed: usize,
    /// This conversation is an alias of another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<ConversationId>,
}

/// The last message of a conversation, shortened.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LastMessage {
    /// Which.
    pub message: MessageId,
    /// The event that made it.
    pub offset: Offset,
    /// When, in microseconds since the epoch.
    pub at: Stamp,
    /// Which way.
    pub direction: Direction,
    /// Its first characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Number of pictures and files.
    pub media: usize,
    /// Where it is, if it is outbound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// A stretch of one conversation, oldest first.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConversationPage {
    /// Read before the events.
    #[serde(flatten)]
    pub position: Position,
    /// The events as the stream sends them; what the role may not see is left out.
    #[schema(value_type = Vec<WireEvent>)]
    pub events: Vec<Box<RawValue>>,
    /// Ask `before` this offset for what is older; none: this is the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Offset>,
    /// Ask `after` this offset for what is newer; none: there was nothing newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Offset>,
}

/// One contact.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ContactView {
    /// Read before the rest.
    #[serde(flatten)]
    pub position: Position,
    /// Which.
    pub contact: ContactId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// When it was seen first, in microseconds since the epoch.
    pub created: Stamp,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address; `anonymous` if it was hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Notes about the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Whether the address can be answered.
    pub reachable: bool,
    /// The carrier's error that proved the address unable to receive texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<u32>,
    /// May it be texted?
    pub consent: Consent,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_source: Option<ConsentSource>,
    /// It seems to ask for no more texts: automation waits until `opt-out` or `opt-in` says what was meant.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub consent_questioned: bool,
    /// The contact was erased: name, address and notes are gone for good.
    pub erased: bool,
}

/// One message.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MessageView {
    /// Read before the rest.
    #[serde(flatten)]
    pub position: Position,
    /// Which.
    pub message: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The event that made it.
    pub made_at: Offset,
    /// When, in microseconds since the epoch.
    pub at: Stamp,
    /// By whom.
    pub by: Author,
    /// Which way.
    pub direction: Direction,
    /// The line.
    pub channel: ChannelId,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Pictures and files.
    pub media: Vec<MediaRef>,
    /// Its cost.
    pub segments: u16,
    /// The carrier's id for it, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_id: Option<String>,
    /// The keyword it is, if it is inbound and one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword: Option<Keyword>,
    /// What only outbound messages have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sending: Option<Sending>,
    /// The contact was erased: the text is gone for good.
    pub erased: bool,
}

/// The way of an outbound message.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Sending {
    /// Why it was queued.
    pub purpose: Purpose,
    /// Who goes first.
    pub priority: Priority,
    /// The template it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateId>,
    /// The current attempt, from 1.
    pub attempt: u16,
    /// Where the current attempt is. Within one attempt it never moves backwards.
    pub status: Status,
    /// The same in words, for people.
    #[schema(value_type = String)]
    pub shown: &'static str,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CarrierError>,
    /// Never sent after this, in microseconds since the epoch.
    pub valid_until: Stamp,
    /// Its place in the lane, while it is queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queued>,
}

/// Where a queued text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Queued {
    /// 1: next.
    pub place: u32,
    /// When it probably leaves, in milliseconds from now; none while it is held back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_ms: Option<u64>,
    /// What holds it back: it leaves when somebody resumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// The day's budget is used up: when the next begins, in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_ends: Option<Stamp>,
}

/// What a search found, newest first.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SearchPage {
    /// What the index held when it was asked: anything up to here that matches is found.
    #[serde(flatten)]
    pub position: Position,
    /// The contact whose address was typed, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<InboxRow>,
    /// Texts, notes and names.
    pub hits: Vec<SearchHit>,
    /// Ask `before` this offset for older ones; none: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Offset>,
}

/// One event that matches.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SearchHit {
    /// The event.
    pub offset: Offset,
    /// When, in microseconds since the epoch.
    pub at: Stamp,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The event's kind, for example `message.received`.
    pub r#type: &'static str,
    /// What was written around the match, in pieces.
    pub snippet: Vec<Piece>,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Piece {
    /// What was written.
    pub text: String,
    /// Whether it matches.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hit: bool,
}

/// Who did what, in the log's order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AuditPage {
    /// The end of the log when it was read.
    #[serde(flatten)]
    pub position: Position,
    /// First offset that the log still has. What lies before was trimmed.
    pub oldest: Offset,
    /// One entry per event.
    pub entries: Vec<AuditEntry>,
    /// Ask `after` this offset for the next page; none: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Offset>,
}

/// One event of the audit trail: nothing personal.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Position in the feed.
    pub offset: Offset,
    /// When, in microseconds since the epoch.
    pub at: Stamp,
    /// Who.
    pub by: Author,
    /// Through which door.
    pub via: Via,
    /// By which request.
    pub request: RequestId,
    /// What, for example `conversation.assigned`.
    pub r#type: &'static str,
    /// About which conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
}

/// Conversations that decide nothing until they are released.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ParkedPage {
    /// Read before the rows.
    #[serde(flatten)]
    pub position: Position,
    /// The conversations; the first [`PAGE_MAX`] of them.
    pub rows: Vec<InboxRow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_way_to_the_client_and_back() {
        let cursor =
            Cursor { activity: Stamp(1_700_000_000_000_000), conversation: ConversationId(Uuid::from_u128(7)) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert_eq!(cursor.to_string().len(), 48);
    }

    #[test]
    fn a_cursor_made_up_by_a_client_is_refused() {
        let long = "0".repeat(49);
        let signed = format!("+{}", "0".repeat(47));
        let accented = format!("é{}", "0".repeat(46));
        for bad in ["", "x", &long, &signed, &accented, &"F".repeat(48)] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor), "{bad}");
        }
    }

    #[test]
    fn an_epoch_is_a_text_that_javascript_cannot_round() {
        let position = Position::new(Epoch(u64::MAX), Offset(3));
        let json = serde_json::to_string(&position).expect("plain values");
        assert_eq!(json, r#"{"epoch":"18446744073709551615","offset":3}"#);
        assert_eq!(serde_json::from_str::<Position>(&json).expect("round trip"), position);
    }
}
