//! What operators ask for: texts, notes, assignment, tags, contacts, consent.

use serde::{Deserialize, Serialize};

use super::{Command, ConversationRef};
#[cfg(doc)]
use super::{NOTE_MAX, TEXT_MAX};
use crate::{
    address::Address,
    event::{BlockReason, ConsentMethod},
    ids::{ChannelId, ConversationId, Offset, OperatorId, Tag},
    time::Stamp,
};

/// A text to a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SendMessage {
    /// To whom.
    pub to: Recipient,
    /// The line it leaves from; none: the line the contact last used.
    #[serde(default)]
    pub channel: Option<ChannelId>,
    /// 1 to [`TEXT_MAX`] characters.
    pub text: String,
}

/// Longest hold of a text, in seconds.
pub const HOLD_MAX_S: u16 = 30;

/// A text to a contact, with what not every text has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendWith {
    /// The text.
    pub send: SendMessage,
    /// It stays here for so many seconds, at most [`HOLD_MAX_S`], and can be taken back.
    pub hold_s: u16,
    /// Why somebody may be texted who never wrote nor called. Kept only for such.
    pub basis: Option<ConsentBasis>,
}

impl SendWith {
    /// The command for a text: the plain one where nothing else is said.
    pub fn command(send: SendMessage, hold_s: Option<u16>, basis: Option<ConsentBasis>) -> Command {
        match (hold_s.unwrap_or(0), basis) {
            (0, None) => Command::Send(send),
            (hold_s, basis) => Command::SendWith(Box::new(Self { send, hold_s, basis })),
        }
    }
}

/// Why a contact may be texted who never wrote nor called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentBasis {
    /// How it was given.
    pub how: ConsentMethod,
    /// What they said, word by word: 1 to [`TEXT_MAX`] characters. Sealed.
    #[schema(min_length = 1, max_length = 1600)]
    pub words: String,
}

/// Who a text goes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The contact of this conversation.
    Conversation(ConversationId),
    /// This number; joins its conversation if there is one.
    #[schema(value_type = String)]
    Address(Address),
}

/// A note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AddNote {
    /// Where.
    pub conversation: ConversationId,
    /// 1 to [`NOTE_MAX`] characters.
    pub text: String,
}

/// Who is on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Assign {
    /// Which conversation.
    pub conversation: ConversationId,
    /// None: nobody.
    pub operator: Option<OperatorId>,
}

/// A revoked operator is on nothing any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LetGo {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Who was on it.
    pub operator: OperatorId,
}

/// Hide until a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Snooze {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Microseconds since the epoch; must lie ahead.
    pub until: Stamp,
}

/// Add and remove tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChangeTags {
    /// Which conversation.
    pub conversation: ConversationId,
    /// To add.
    #[serde(default)]
    pub add: Vec<Tag>,
    /// To remove.
    #[serde(default)]
    pub remove: Vec<Tag>,
}

/// Seen by a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MarkRead {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Everything up to and including this offset.
    pub up_to: Offset,
}

/// Change a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UpdateContact {
    /// The contact of this conversation.
    pub conversation: ConversationId,
    /// The new name; none: unchanged.
    #[serde(default)]
    pub name: Option<String>,
    /// Notes about the contact; none: unchanged.
    #[serde(default)]
    pub notes: Option<String>,
}

/// An opt-out, and why an operator records it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptOutBecause {
    /// The contact of this conversation.
    pub conversation: ConversationId,
    /// What was said or seen, 1 to [`TEXT_MAX`] characters. Sealed.
    pub reason: String,
}

impl OptOutBecause {
    /// The command for an opt-out: the plain one where nothing is said of why.
    pub fn command(conversation: ConversationId, reason: Option<String>) -> Command {
        match reason {
            None => Command::OptOut(ConversationRef { conversation }),
            Some(reason) => Command::OptOutBecause(Self { conversation, reason }),
        }
    }
}

/// Hear no more of a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BlockContact {
    /// The contact of this conversation.
    pub conversation: ConversationId,
    /// Why.
    pub why: BlockReason,
}

/// New consent of a contact who had opted out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordConsent {
    /// The contact of this conversation.
    pub conversation: ConversationId,
    /// How it was given.
    pub how: ConsentMethod,
    /// When it was given, in microseconds since the epoch; not later than now.
    pub when: Stamp,
    /// What the contact said, word by word: 1 to [`TEXT_MAX`] characters.
    pub words: String,
}
