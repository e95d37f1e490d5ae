//! The facts: a closed set of kinds, each with a number and a version that never change on disk.
//!
//! To change a kind's fields, raise its version and keep the old body's type beside it, with a `From` into the new one:
//! `61 v 2 "settings.channel" ChannelConfigured { 1 => ChannelConfigured1 }`. Old bytes stay readable for ever.
//! Numbers are never reused.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{
        AddressHash, ChannelId, ContactId, ConversationId, DedupeKey, Epoch, KeyId, MessageId, NodeId, Offset,
        OperatorId, Tag, TemplateId,
    },
    message::{CarrierError, Priority, Status},
    time::Stamp,
};

macro_rules! facts {
    ($(
        $(#[$doc:meta])*
        $number:literal v $version:literal $name:tt $variant:ident $( { $( $old:literal => $old_body:ty ),* } )?
    ),* $(,)?) => {
        /// What happened, without anything personal. `type` in JSON is the kind's name.
        #[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
        #[serde(tag = "type", content = "data")]
        pub enum Fact {
            $( $(#[$doc])* #[serde(rename = $name)] $variant($variant), )*
            /// A kind that this version does not know: carried byte for byte, shown as hidden.
            #[serde(rename = "hidden")]
            Foreign(Foreign),
        }

        impl Fact {
            /// Kind and version as they stand on disk.
            pub fn kind(&self) -> (u16, u8) {
                match self {
                    $( Self::$variant(_) => ($number, $version), )*
                    Self::Foreign(foreign) => (foreign.kind, foreign.version),
                }
            }

            /// The kind's name on the wire.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => $name, )*
                    Self::Foreign(_) => "hidden",
                }
            }

            pub(super) fn encode(&self, into: Vec<u8>) -> Result<Vec<u8>, postcard::Error> {
                match self {
                    $( Self::$variant(body) => postcard::to_extend(body, into), )*
                    Self::Foreign(foreign) => {
                        let mut into = into;
                        into.extend_from_slice(&foreign.bytes);
                        Ok(into)
                    }
                }
            }

            pub(super) fn decode(kind: u16, version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
                match (kind, version) {
                    $(
                        ($number, $version) => postcard::from_bytes(bytes).map(Self::$variant),
                        $( $( ($number, $old) => {
                            postcard::from_bytes::<$old_body>(bytes).map(|old| Self::$variant(old.into()))
                        } )* )?
                    )*
                    _ => Ok(Self::Foreign(Foreign { kind, version, bytes: bytes.to_vec() })),
                }
            }
        }

        $( impl From<$variant> for Fact {
            fn from(body: $variant) -> Self { Self::$variant(body) }
        } )*

        /// Every kind: number, version, name. For tests and documentation.
        pub const KINDS: &[(u16, u8, &str)] = &[ $( ($number, $version, $name), )* ];
    };
}

facts! {
    // The feed itself.
    /// A node became the feed's owner; its first batch.
    1 v 1 "feed.taken" FeedTaken,

    // Contacts and consent.
    /// A contact was seen for the first time: its conversation exists.
    10 v 1 "contact.created" ContactCreated,
    /// Name or notes of a contact changed.
    11 v 1 "contact.updated" ContactUpdated,
    /// A contact may, or may no longer, be texted.
    12 v 1 "consent.changed" ConsentChanged,
    /// An address was found unable to receive texts (landline).
    13 v 1 "contact.unreachable" ContactUnreachable,
    /// Two contacts are one: this conversation is an alias of another.
    14 v 1 "contact.merged" ContactMerged,
    /// An admin recorded new consent: it may be texted again.
    15 v 1 "consent.recorded" ConsentRecorded,
    /// It seems to ask for no more texts, in words that are no keyword: automation waits for a person.
    16 v 1 "consent.questioned" ConsentQuestioned,
    /// An operator blocked the contact: what it sends is kept, and nobody is bothered with it.
    17 v 1 "contact.blocked" ContactBlocked,
    /// The contact is like any other again.
    18 v 1 "contact.unblocked" ContactUnblocked,

    // Messages.
    /// A contact wrote.
    20 v 1 "message.received" MessageReceived,
    /// A text entered its lane.
    21 v 1 "message.queued" MessageQueued,
    /// A lane took a text: durable before the first byte goes to the carrier.
    22 v 1 "message.claimed" MessageClaimed,
    /// A text's status moved up.
    23 v 1 "message.status" MessageStatus,
    /// A text goes back to its lane as a new attempt (paced, transient, or asked for by a person).
    24 v 1 "message.requeued" MessageRequeued,
    /// Something arrived for a parked conversation: stored raw, replayed on release.
    25 v 1 "message.unprocessed" MessageUnprocessed,
    /// An unprocessed arrival was played again.
    26 v 1 "message.replayed" MessageReplayed,
    /// A queued text stays here for a while, for whoever wrote it to take it back.
    27 v 1 "message.held" MessageHeld,

    // Calls.
    /// A call to the line was not answered.
    30 v 1 "call.missed" CallMissed,
    /// A missed call got no text, and why.
    31 v 1 "textback.skipped" TextBackSkipped,
    /// A call was answered, or came back to something other than missed.
    32 v 1 "call.answered" CallAnswered,
    /// A call is over, and who took it is not known yet.
    33 v 1 "call.ended" CallEnded,
    /// The caller left a message.
    34 v 1 "call.voicemail" CallVoicemail,
    /// Somebody called back and spoke with them.
    35 v 1 "call.returned" CallReturned,

    // What operators do.
    /// A note beside the messages.
    40 v 1 "note.added" NoteAdded,
    /// The conversation has another, or no, assignee.
    41 v 1 "conversation.assigned" ConversationAssigned,
    /// Nothing more to do for now: the episode ends.
    42 v 1 "conversation.resolved" ConversationResolved,
    /// Open again: a new episode begins.
    43 v 1 "conversation.reopened" ConversationReopened,
    /// Hidden until a time.
    44 v 1 "conversation.snoozed" ConversationSnoozed,
    /// Shown again because its time came.
    45 v 1 "conversation.woken" ConversationWoken,
    /// Tags added and removed.
    46 v 1 "conversation.tagged" ConversationTagged,
    /// An operator has seen everything up to an offset.
    47 v 1 "conversation.read" ConversationRead,
    /// A conversation keeps crashing: it decides nothing until released.
    48 v 1 "conversation.parked" ConversationParked,
    /// A parked conversation decides again.
    49 v 1 "conversation.released" ConversationReleased,
    /// Whoever is on it is away, and the contact waits: it goes back to nobody at a time, or no longer does.
    50 v 1 "conversation.return_set" ReturnSet,

    // Settings of a tenant.
    /// The tenant's own settings.
    60 v 1 "settings.tenant" TenantConfigured,
    /// A line's settings.
    61 v 2 "settings.channel" ChannelConfigured { 1 => ChannelConfigured1 },
    /// A template's text.
    62 v 1 "settings.template" TemplateConfigured,
    /// A limit of pace.
    63 v 2 "settings.limit" LimitConfigured { 1 => LimitConfigured1 },
    /// An operator was added, changed or revoked.
    64 v 1 "settings.operator" OperatorConfigured,
    /// A secret changed; the secret itself is in the sealed table.
    65 v 1 "settings.secret" SecretChanged,
    /// Texts are held back, or leave again.
    66 v 1 "settings.pause" PauseChanged,
    /// Queued texts are taken back, many at once.
    67 v 1 "queue.cancel_ordered" QueueCancelOrdered,
    /// What an operator signs in with changed; what it is stands in the sealed table.
    68 v 1 "settings.credential" CredentialChanged,
    /// An operator's own filters of the inbox.
    69 v 1 "settings.filters" FiltersSaved,
    /// An operator is away, or back.
    70 v 2 "operator.availability" AvailabilityChanged { 1 => AvailabilityChanged1 },
    /// The hours by which an operator is available.
    71 v 1 "operator.hours" HoursSet,
    /// How an operator wants their desk.
    72 v 1 "settings.preferences" PreferencesSet,

    // The directory (feed of tenant `system`).
    /// A tenant exists.
    80 v 1 "directory.tenant" TenantRegistered,
    /// An address routes to a tenant's channel: claimed here, hence unique.
    81 v 1 "directory.channel" ChannelClaimed,
    /// A carrier account and where its secret is.
    82 v 1 "directory.account" AccountRegistered,
    /// Every tenant's texts are held back, or leave again.
    83 v 1 "directory.pause" EveryonePaused,
    /// Every node reads more kinds of events: from here on they may be written.
    84 v 1 "directory.write_version" WriteVersionRaised,

    // What was looked after.
    /// A line's arrivals were read back from the carrier up to a time.
    90 v 1 "line.caught_up" LineCaughtUp,
}

/// An event of a newer version: its bytes as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Foreign {
    /// Kind number on disk.
    #[serde(skip)]
    pub kind: u16,
    /// Version on disk.
    #[serde(skip)]
    pub version: u8,
    /// The body, untouched.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $( $(#[$fdoc:meta])* $field:ident: $type:ty ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
        pub struct $name { $( $(#[$fdoc])* pub $field: $type, )* }
    };
}

mod calls;
mod configured;
mod consent;
mod hex;

pub use calls::*;
pub use configured::*;
pub use consent::*;
use hex::{hex_hash, hex_key};

body!(/// First batch of a new owner.
FeedTaken {
    /// The owner from here on.
    node: NodeId,
    /// Which log this is.
    epoch: Epoch,
});

body!(/// Part: address, and the name if the carrier gave one.
ContactCreated {
    /// The new contact.
    contact: ContactId,
    /// The key its personal parts are sealed with.
    key: KeyId,
    /// Stands for the address on this channel kind.
    #[schema(value_type = String)]
    #[serde(with = "hex_hash")]
    address: AddressHash,
    /// Whether the address can be answered at all (an anonymous caller's cannot).
    reachable: bool,
});

body!(/// Part: the new name, as text the notes about the contact.
ContactUpdated {
    /// Whose.
    contact: ContactId,
    /// Whether the part holds a name (else it holds notes only, and the name stays where it was).
    named: bool,
    /// Whether the notes about the contact are among it.
    noted: bool,
});

body!(/// The carrier says that the address cannot receive texts.
ContactUnreachable {
    /// The carrier's error, for example 30006.
    code: u32,
});

/// Why a contact is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockReason {
    /// A person with whom the business wants nothing to do.
    Unwanted,
    /// Advertising, robots, fraud.
    Spam,
}

body!(/// Queued texts to it are canceled and its episode ends, by events of their own.
ContactBlocked {
    /// Why.
    why: BlockReason,
    /// Whether the episode was open: unblocking opens one again.
    open: bool,
});

body!(/// Nothing of what came in meanwhile is lost.
ContactUnblocked {});

body!(/// This conversation's contact is another's.
ContactMerged {
    /// Where everything goes from here on.
    into: ConversationId,
});

body!(/// Part: text, media.
MessageReceived {
    /// Ours.
    message: MessageId,
    /// The line it came in on.
    channel: ChannelId,
    /// The carrier's own id (MessageSid): what makes a redelivery the same message.
    carrier_id: String,
    /// Segments as the carrier counted.
    segments: u16,
    /// Number of media.
    media: u8,
    /// The keyword it is, if it is one.
    keyword: Option<Keyword>,
});

/// Keywords that carriers and law know (carriers.md D.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keyword {
    /// STOP and its kin: opt out.
    Stop,
    /// START and its kin: opt in.
    Start,
    /// HELP, INFO.
    Help,
}

/// Why a text was queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An operator wrote it.
    Reply,
    /// The text after a missed call.
    TextBack,
    /// The one confirmation of a keyword: passes the opt-out that it confirms.
    Confirmation(Keyword),
    /// One of many alike, from a rule: what is kept of a day for people and their callers is not for it.
    Campaign,
}

body!(/// Part: text, media.
MessageQueued {
    /// Ours.
    message: MessageId,
    /// The line it leaves from.
    channel: ChannelId,
    /// Why.
    purpose: Purpose,
    /// Who goes first.
    priority: Priority,
    /// Its cost, in segments.
    segments: u16,
    /// Never sent after this.
    valid_until: Stamp,
    /// The template it was made from, if any.
    template: Option<TemplateId>,
});

body!(/// Comes right after its `message.queued`.
MessageHeld {
    /// Which.
    message: MessageId,
    /// It does not leave before.
    until: Stamp,
});

body!(/// Durable before the first byte goes to the carrier.
MessageClaimed {
    /// Which.
    message: MessageId,
    /// From 1.
    attempt: u16,
    /// Who sends.
    node: NodeId,
    /// The call is dropped after this, its socket aborted.
    deadline: Stamp,
    /// Charged to the limits, in segments.
    segments: u16,
    /// An earlier text to this contact is still unknown: this one no longer waits for it.
    after_unknown: bool,
});

body!(/// A step up the lattice of one attempt.
MessageStatus {
    /// Which.
    message: MessageId,
    /// Which attempt.
    attempt: u16,
    /// From here on.
    status: Status,
    /// The carrier's id for it, once known.
    carrier_id: Option<String>,
    /// Why it failed.
    error: Option<CarrierError>,
});

body!(/// Back in its lane.
MessageRequeued {
    /// Which.
    message: MessageId,
    /// The attempt to come.
    attempt: u16,
    /// Not before this.
    not_before: Stamp,
    /// Never sent after this.
    valid_until: Stamp,
    /// Why the last attempt did not do.
    error: Option<CarrierError>,
});

body!(/// Part: as text, the command as JSON.
MessageUnprocessed {
    /// Its place in the parked queue is its offset; this is what makes a redelivery the same.
    #[schema(value_type = String)]
    #[serde(with = "hex_key")]
    key: DedupeKey,
    /// The line it came in on.
    channel: ChannelId,
});

body!(/// An unprocessed arrival went through the door again.
MessageReplayed {
    /// Offset of its `message.unprocessed`.
    unprocessed: Offset,
});

body!(/// Part: the note as text.
NoteAdded {
    /// Names the note.
    note: MessageId,
});

body!(/// Who is on it.
ConversationAssigned {
    /// None: nobody.
    operator: Option<OperatorId>,
});

body!(/// The episode ends.
ConversationResolved {
    /// Which episode, from 1.
    episode: u32,
});

body!(/// A new episode begins.
ConversationReopened {
    /// Which episode, from 1.
    episode: u32,
});

body!(/// Hidden until then.
ConversationSnoozed {
    /// When it wakes.
    until: Stamp,
});

body!(/// Its time came, or the contact wrote.
ConversationWoken {});

body!(/// Absolute: the whole set after the change.
ConversationTagged {
    /// All tags from here on.
    tags: Vec<Tag>,
});

body!(/// Seen by a person.
ConversationRead {
    /// Everything up to and including this offset.
    up_to: Offset,
    /// Who saw it.
    operator: OperatorId,
});

body!(/// It crashed too often.
ConversationParked {
    /// How many crashes in a row.
    crashes: u32,
});

body!(/// It may try again.
ConversationReleased {});

body!(/// When it goes back to nobody, unless the contact was answered by then.
ReturnSet {
    /// None: it does not.
    at: Option<Stamp>,
});
