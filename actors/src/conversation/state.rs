//! What a conversation knows: everything `decide` needs, nothing that the log cannot rebuild, nothing personal.

use std::collections::BTreeMap;

use bytes::Bytes;
use schema::{
    event::{BlockReason, Consent, ConsentSource, Purpose, SkipReason},
    ids::{AddressHash, ChannelId, ContactId, ConversationId, KeyId, MessageId, Offset, OperatorId, Tag, TemplateId},
    message::{CarrierError, Priority, Status},
    time::Stamp,
};
use serde::{Deserialize, Serialize};

use crate::ports::{StoredConversation, ViewError};

/// State of one conversation, a fold over its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its id.
    pub conversation: ConversationId,
    /// Its contact.
    pub contact: ContactId,
    /// The contact's personal key.
    pub key: KeyId,
    /// Stands for the contact's address.
    pub address: AddressHash,
    /// Whether there is an address to answer to.
    pub reachable: bool,
    /// The event whose personal part holds the address.
    pub address_at: Offset,
    /// The event whose personal part holds the latest name; 0: none.
    pub name_at: Offset,
    /// The event whose personal part holds the latest notes about the contact; 0: none.
    pub notes_at: Offset,
    /// Last offset folded in.
    pub last: Offset,
    /// When it began.
    pub created: Stamp,
    /// Last time something happened that belongs at the top of the inbox.
    pub activity: Stamp,
    /// May it be texted?
    pub consent: Consent,
    /// Who said so last.
    pub consent_source: Option<ConsentSource>,
    /// The event that said so, with what was said for it if an admin recorded that; 0: none. Never trimmed.
    pub consent_at: Offset,
    /// When they said so.
    pub consented: Stamp,
    /// It seems to ask for no more texts: automation waits for a person.
    pub consent_questioned: bool,
    /// The carrier's error that proved the address unable to receive texts.
    pub unreachable: Option<u32>,
    /// An operator wants to hear no more of it.
    pub blocked: Option<Block>,
    /// How many times it has been opened, from 1.
    pub episode: u32,
    /// Whether the episode is open.
    pub open: bool,
    /// Who is on it.
    pub assigned: Option<OperatorId>,
    /// Its labels, sorted.
    pub tags: Vec<Tag>,
    /// Hidden until then.
    pub snoozed_until: Option<Stamp>,
    /// Whoever is on it is away: it goes back to nobody then, unless the contact was answered.
    pub return_at: Option<Stamp>,
    /// The line last used by the contact.
    pub channel: Option<ChannelId>,
    /// Last message in either direction: where its text is.
    pub last_text_at: Offset,
    /// Since when the contact waits for a person; none: answered.
    pub waiting_since: Option<Stamp>,
    /// Inbound messages and missed calls that nobody has seen.
    pub unread: u32,
    /// Last inbound message or missed call.
    pub last_inbound_at: Offset,
    /// Everything up to here has been seen.
    pub read_up_to: Offset,
    /// Its last calls, newest last. Bounded.
    pub calls: Vec<Call>,
    /// The last missed call that no person has answered since.
    pub missed_call: Option<Stamp>,
    /// Last text-back per line: the cool-down window.
    pub text_backs: Vec<(ChannelId, Stamp)>,
    /// Texts that are queued, on their way or settled lately. Bounded.
    pub sends: BTreeMap<MessageId, Send>,
    /// Whether it decides nothing until released.
    pub parked: bool,
    /// Arrivals of the parked time not yet played again.
    pub unprocessed: Vec<Offset>,
    /// This contact is another's alias.
    pub merged_into: Option<ConversationId>,
}

/// One call, remembered so that what is told of it later, again or in another order changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The carrier's id.
    pub carrier_id: String,
    /// Over, and without a verdict yet; none: it has its one event.
    pub open: Option<OpenCall>,
}

/// A call that is over and waits for its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCall {
    /// The line that was called.
    pub channel: ChannelId,
    /// How long it lasted, in seconds.
    pub duration_s: Option<u32>,
    /// It is decided then at the latest.
    pub due: Stamp,
    /// What the caller's number says against a text-back.
    pub no_text: Option<SkipReason>,
}

/// What is remembered of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Why.
    pub why: BlockReason,
    /// Whether the episode was open.
    pub was_open: bool,
}

/// One outbound text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Send {
    /// The event whose personal part holds the text.
    pub queued_at: Offset,
    /// When it was queued.
    pub queued: Stamp,
    /// The line it leaves from.
    pub channel: ChannelId,
    /// Why.
    pub purpose: Purpose,
    /// Who goes first.
    pub priority: Priority,
    /// Its cost.
    pub segments: u16,
    /// Never sent after this.
    pub valid_until: Stamp,
    /// Not before this.
    pub not_before: Stamp,
    /// The template it was made from.
    pub template: Option<TemplateId>,
    /// The current attempt, from 1.
    pub attempt: u16,
    /// Where the current attempt is.
    pub status: Status,
    /// When the current attempt was claimed.
    pub claimed: Stamp,
    /// When the claim's call is dropped, while claimed.
    pub deadline: Stamp,
    /// The carrier's id of the current attempt, once known.
    pub carrier_id: Option<String>,
    /// The carrier's ids of earlier attempts. Bounded.
    pub earlier_ids: Vec<String>,
    /// Why it failed.
    pub error: Option<CarrierError>,
}

impl State {
    /// They never wrote nor called, and nobody said why they may be texted.
    pub fn is_stranger(&self) -> bool {
        self.last_inbound_at == Offset(0) && self.consent_source.is_none()
    }

    /// As views keep it.
    pub fn store(&self) -> StoredConversation {
        let state = postcard::to_stdvec(self).expect("a state of plain values always encodes");
        StoredConversation { state: Bytes::from(state), offset: self.last }
    }

    /// Reads a state back.
    pub fn load(stored: &StoredConversation) -> Result<Self, ViewError> {
        postcard::from_bytes(&stored.state).map_err(|error| ViewError::Damaged(format!("conversation state: {error}")))
    }

    /// When it next wants to be woken by itself.
    pub fn timer(&self) -> Option<Stamp> {
        self.open_calls().map(|(_, open)| open.due).chain(self.snoozed_until).chain(self.return_at).min()
    }

    /// Calls that wait for their verdict.
    pub fn open_calls(&self) -> impl Iterator<Item = (&str, &OpenCall)> {
        self.calls.iter().filter_map(|call| Some((call.carrier_id.as_str(), call.open.as_ref()?)))
    }

    /// Whether a text is open at its lane.
    pub fn is_open(&self, message: MessageId) -> bool {
        self.sends.get(&message).is_some_and(|send| !send.is_done_here())
    }

    /// What is known of a call; none: nothing yet.
    pub fn call(&self, carrier_id: &str) -> Option<&Call> {
        self.calls.iter().find(|call| call.carrier_id == carrier_id)
    }
}
