//! Commands: what the world asks of a tenant, all through one door.
//!
//! Inbound message, call, delivery receipt, operator's command, lane and timer are all one closed enum.

mod operators;

use serde::{Deserialize, Serialize};

pub use self::operators::*;
use crate::{
    address::Address,
    event::{CredentialChange, Keyword, MediaRef, Origin, WriteVersion},
    ids::{AccountId, ChannelId, ConversationId, MessageId, Offset, OperatorId, TemplateId, TenantId},
    message::{CarrierError, Status},
    pause::{Pause, PauseScope},
    queue::QueueConfirm,
    role::Role,
    settings::{ChannelSettings, LimitSettings, Preferences, SavedFilter, TemplateSettings, TenantSettings, WeekHours},
    time::Stamp,
};

/// Longest text of a message or note, in characters.
pub const TEXT_MAX: usize = 1_600;
/// Longest note, in characters.
pub const NOTE_MAX: usize = 10_000;
/// Longest idempotency key, in bytes.
pub const KEY_MAX: usize = 128;

/// One command with who asks and, from an operator, the key that makes a retry harmless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    /// Who asks, through which door.
    pub origin: Origin,
    /// The client's idempotency key; carriers' ids are part of their commands.
    pub key: Option<String>,
}

/// Everything that can be asked of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// A contact wrote.
    Receive(ReceiveMessage),
    /// A call ended, answered or not.
    Call(CallReport),
    /// The carrier tells what became of a text.
    Receipt(DeliveryReport),

    /// An operator writes to a contact.
    Send(SendMessage),
    /// Try a failed or unknown text again, because a person says so.
    Retry(MessageRef),
    /// Take a text back while it is queued.
    Cancel(MessageRef),
    /// A note beside the messages.
    Note(AddNote),
    /// Who is on it.
    Assign(Assign),
    /// The episode ends.
    Resolve(ConversationRef),
    /// A new episode begins.
    Reopen(ConversationRef),
    /// Hide until a time.
    Snooze(Snooze),
    /// Add and remove tags.
    Tag(ChangeTags),
    /// Everything up to an offset has been seen.
    MarkRead(MarkRead),
    /// Change the contact's name or notes.
    UpdateContact(UpdateContact),
    /// An operator records an opt-out.
    OptOut(ConversationRef),
    /// An operator lifts an operator's opt-out.
    OptIn(ConversationRef),
    /// Let a parked conversation decide again, and replay what arrived meanwhile.
    Release(ConversationRef),

    /// Change a setting of the tenant.
    Configure(Setting),
    /// Change the directory (tenant `system` only).
    Register(Registration),

    /// A lane wants to send this now: consent is checked again.
    Claim(ClaimSend),
    /// What the carrier's REST answered.
    Settle(SettleSend),
    /// A timer of the conversation is due.
    Wake(ConversationRef),
    /// One unprocessed arrival of a released conversation goes through the door again.
    Replay(Box<ReplayArrival>),

    // Later ones stand at the end: an operator's command is known again by its encoded content.
    /// A caller left a message.
    Voicemail(VoicemailReport),
    /// An admin records new consent.
    ConsentRecord(RecordConsent),
    /// Take a text back if it is still queued; else a refusal: one of many that somebody has seen in a preview.
    CancelQueued(MessageRef),
    /// An admin takes back every queued text of a kind: for the audit trail, before the first goes.
    CancelQueue(QueueConfirm),
    /// Something came in of which the carrier's list told, not its webhook. The same id makes it the same arrival.
    Late(Box<LateArrival>),
    /// Everything that came in on a line up to a time has gone through the door.
    CaughtUp(CaughtUp),
    /// Whoever was on it was revoked: nobody is, if it is still they.
    LetGo(LetGo),
    /// An operator writes to a contact, and may take it back for a while, or says why the contact may be texted.
    SendWith(Box<SendWith>),
    /// An operator has called back and spoken with the contact.
    Called(ConversationRef),
    /// An operator records an opt-out, and why.
    OptOutBecause(OptOutBecause),
    /// An operator wants to hear no more of a contact.
    Block(BlockContact),
    /// The contact is like any other again.
    Unblock(ConversationRef),
}

impl Command {
    /// What came in, if this is an arrival that was heard of late; else itself.
    pub fn arrival(&self) -> &Self {
        match self {
            Self::Late(late) => &late.arrival,
            command => command,
        }
    }
}

/// Names a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConversationRef {
    /// Which.
    pub conversation: ConversationId,
}

/// Names a message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageRef {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Which message.
    pub message: MessageId,
}

/// An inbound text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiveMessage {
    /// The line it came in on.
    pub channel: ChannelId,
    /// Who wrote.
    pub from: Address,
    /// The carrier's id (MessageSid).
    pub carrier_id: String,
    /// What was written.
    pub text: String,
    /// Pictures and files.
    pub media: Vec<MediaRef>,
    /// As the carrier counted.
    pub segments: u16,
    /// The carrier's own verdict on the text (`OptOutType`), if it gave one.
    pub carrier_keyword: Option<Keyword>,
}

/// A moment of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallReport {
    /// The line that was called.
    pub channel: ChannelId,
    /// Who called.
    pub from: Address,
    /// The carrier's id (CallSid).
    pub carrier_id: String,
    /// What became of it.
    pub outcome: CallOutcome,
    /// The caller's name, if the carrier gave one.
    pub name: Option<String>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallOutcome {
    /// Nobody answered.
    Missed,
    /// Somebody did, for so many seconds if known.
    Answered {
        /// Seconds of talk.
        duration_s: Option<u32>,
    },
    /// It reached the line: missed already if the line gets only forwarded calls.
    Begun,
    /// It is over; whether somebody took it, this does not say.
    Ended {
        /// Seconds it lasted, the greeting included.
        duration_s: Option<u32>,
    },
}

/// A recording of a caller's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoicemailReport {
    /// The line that was called.
    pub channel: ChannelId,
    /// Whose words.
    pub caller: Caller,
    /// The carrier's id of the recording (RecordingSid).
    pub carrier_id: String,
    /// The carrier's id of the call (CallSid).
    pub call: String,
    /// Where the carrier serves it.
    pub recording: MediaRef,
    /// How long it is.
    pub duration_s: u32,
}

/// Who called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// The contact of this conversation: rides in the callback's URL.
    Conversation(ConversationId),
    /// Whoever has this address.
    Address(Address),
}

/// A status callback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// Which conversation: rides in the callback's URL.
    pub conversation: ConversationId,
    /// Which message: rides in the callback's URL.
    pub message: MessageId,
    /// Which attempt: rides in the callback's URL.
    pub attempt: u16,
    /// The carrier's id (MessageSid).
    pub carrier_id: String,
    /// Where the carrier says it is.
    pub status: Status,
    /// Why it failed.
    pub error: Option<CarrierError>,
    /// The line it left from, if whoever tells knows it: a text's own is forgotten sooner than its callbacks end.
    #[serde(default)]
    pub channel: Option<ChannelId>,
}

/// A change of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    /// The tenant's own.
    Tenant(TenantSettings),
    /// A line's.
    Channel(ChannelId, ChannelSettings),
    /// A template; none removes it.
    Template(TemplateId, Option<TemplateSettings>),
    /// A line's limits.
    Limits(ChannelId, LimitSettings),
    /// An operator's role; none revokes.
    Operator(OperatorId, Option<Role>),
    /// A secret was replaced in the sealed table.
    Secret(AccountId),
    /// What stays in its lane from here on.
    Pause(PauseScope, Pause),
    /// An operator's credentials changed in the sealed table.
    Credential(OperatorId, CredentialChange),
    /// All of an operator's own filters.
    Filters(OperatorId, Vec<SavedFilter>),
    /// Whether an operator is away.
    Availability(OperatorId, Availability),
    /// An operator's hours; none: they have none any more.
    Hours(OperatorId, Option<WeekHours>),
    /// The time has come that an operator's hours decide again; the tenant's own.
    HoursDue(OperatorId),
    /// All of an operator's preferences.
    Preferences(OperatorId, Preferences),
}

/// Whether contacts may count on an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Availability {
    /// They answer.
    Available,
    /// What their contacts write goes back to nobody after a while.
    Away,
}

/// A change of the directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Registration {
    /// A tenant exists.
    Tenant(TenantId),
    /// A line of a tenant; refused when its id or address is taken by another.
    Channel {
        /// Which line.
        channel: ChannelId,
        /// Whose.
        tenant: TenantId,
        /// At which account.
        account: AccountId,
        /// E.164.
        address: String,
    },
    /// A carrier account of a tenant; refused when another has it.
    Account {
        /// Ours.
        account: AccountId,
        /// Whose.
        tenant: TenantId,
        /// The carrier's id (AccountSid).
        carrier_id: String,
    },
    /// What stays in its lane at every tenant from here on.
    Pause(Pause),
    /// Every kind of event of this version may be written from here on; nothing, if that is so already.
    WriteVersion(WriteVersion),
}

/// A lane's question: may this go now?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimSend {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Which message.
    pub message: MessageId,
    /// Which attempt, from 1.
    pub attempt: u16,
    /// When the call is dropped at the latest.
    pub deadline: Stamp,
    /// An earlier text to this contact is still unknown.
    pub after_unknown: bool,
}

/// What came of a call to the carrier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettleSend {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Which message.
    pub message: MessageId,
    /// Which attempt.
    pub attempt: u16,
    /// What came of it.
    pub outcome: SendOutcome,
}

/// The result of one call to a carrier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SendOutcome {
    /// The carrier has it.
    Accepted {
        /// The carrier's id for it.
        carrier_id: String,
    },
    /// The carrier refused it: it certainly was not taken.
    Refused(CarrierError),
    /// No byte of the request left, or the carrier certainly did not take it: safe to try again after a while.
    NotSent {
        /// As the carrier asked, if it did.
        retry_after_s: Option<u32>,
    },
    /// The request left and no answer came: nobody knows.
    Unknown,
    /// Nothing left: a pause came between the claim and the call.
    Held,
    /// It waited until it was of no use any more; nothing of it left.
    TooLate,
}

/// An arrival that waited for its conversation's release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayArrival {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Offset of its `message.unprocessed`.
    pub unprocessed: Offset,
    /// What arrived.
    pub command: Command,
}

/// An arrival that the carrier's list told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LateArrival {
    /// When it came in, by the carrier's clock: what answers it is worth no more than if it were answered then.
    pub at: Stamp,
    /// What came in: [`Command::Receive`] or [`Command::Call`].
    pub arrival: Command,
}

/// How far a line has been looked after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// Which line.
    pub channel: ChannelId,
    /// Up to here.
    pub up_to: Stamp,
    /// What had been missed.
    pub found: u32,
}

/// What an accepted command did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reply {
    /// Offset of the last event it produced; for a repetition, that of the original.
    pub offset: Offset,
    /// The conversation it concerned.
    pub conversation: Option<ConversationId>,
    /// The message it made.
    pub message: Option<MessageId>,
}
