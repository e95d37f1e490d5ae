//! Bodies of REST requests: the operators' commands without what the path already says.
//!
//! The stream's RPCs carry the command types themselves; these are for routes that name the conversation.

use serde::{Deserialize, Serialize};

use crate::{
    address::Address,
    command::{Availability, ConsentBasis},
    event::{BlockReason, ConsentMethod, WriteVersion},
    ids::{ChannelId, NodeId, Offset, OperatorId, Tag, TemplateId, TenantId},
    pause::Pause,
    person::SignInState,
    role::Role,
    time::Stamp,
};

macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $( $(#[$fdoc:meta])* $field:ident: $type:ty ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $( $(#[$fdoc])* pub $field: $type, )*
            /// Makes a retry harmless; the header `Idempotency-Key` does the same and wins.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(min_length = 1, max_length = 128)]
            pub idempotency_key: Option<String>,
        }
    };
}

body!(/// A text to the contact of a conversation.
SendText {
    /// 1 to 1,600 characters.
    #[schema(min_length = 1, max_length = 1600)]
    text: String,
    /// The line it leaves from; none: the line last used.
    #[serde(default)]
    channel: Option<ChannelId>,
    /// It stays here for so many seconds and can be taken back with `cancel`; none: it leaves when its turn comes.
    #[serde(default)]
    #[schema(maximum = 30)]
    hold_s: Option<u16>,
});

body!(/// A text to a number; joins its conversation if there is one.
SendTextTo {
    /// E.164.
    #[schema(value_type = String, pattern = "^\\+[1-9][0-9]{6,14}$")]
    to: Address,
    /// 1 to 1,600 characters.
    #[schema(min_length = 1, max_length = 1600)]
    text: String,
    /// The line it leaves from; none: the line the contact last used.
    #[serde(default)]
    channel: Option<ChannelId>,
    /// It stays here for so many seconds and can be taken back with `cancel`; none: it leaves when its turn comes.
    #[serde(default)]
    #[schema(maximum = 30)]
    hold_s: Option<u16>,
    /// Why they may be texted, if they never wrote nor called: becomes `consent.recorded`.
    #[serde(default)]
    basis: Option<ConsentBasis>,
});

body!(/// A note beside the messages; contacts never see it.
WriteNote {
    /// 1 to 10,000 characters.
    #[schema(min_length = 1, max_length = 10000)]
    text: String,
});

body!(/// Who is on it.
AssignTo {
    /// None: nobody.
    #[serde(default)]
    operator: Option<OperatorId>,
});

body!(/// Hide until a time.
SnoozeUntil {
    /// Microseconds since the epoch; must lie ahead.
    until: Stamp,
});

body!(/// Add and remove labels.
EditTags {
    /// To add.
    #[serde(default)]
    add: Vec<Tag>,
    /// To remove.
    #[serde(default)]
    remove: Vec<Tag>,
});

body!(/// Seen by a person.
ReadUpTo {
    /// Everything up to and including this offset.
    up_to: Offset,
});

body!(/// Change a contact. At least one field.
EditContact {
    /// The new name; none: unchanged.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: Option<String>,
    /// Notes about the contact; none: unchanged.
    #[serde(default)]
    #[schema(max_length = 10000)]
    notes: Option<String>,
});

body!(/// What a contact who had opted out said to be texted again.
NewConsent {
    /// How it was given.
    how: ConsentMethod,
    /// When it was given, in microseconds since the epoch; not later than now.
    when: Stamp,
    /// What the contact said, word by word.
    #[schema(min_length = 1, max_length = 1600)]
    words: String,
});

body!(/// What stays in its lane from here on, and at which line.
PauseOrder {
    /// From here on.
    pause: Pause,
    /// One line; none: the tenant, or every tenant if whoever runs the engine asks.
    #[serde(default)]
    channel: Option<ChannelId>,
});

/// Which queued texts to take back. First without `confirm`: a preview, which changes nothing. Then with what the
/// preview gave to confirm, until nothing is left to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelQueue {
    /// Of one line.
    #[serde(default)]
    pub channel: Option<ChannelId>,
    /// Made from one template.
    #[serde(default)]
    pub template: Option<TemplateId>,
    /// Queued at least so many seconds ago.
    #[serde(default)]
    pub older_than_s: Option<u32>,
    /// Whether only to say what would go.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub preview: bool,
    /// What the preview, or the step before, gave. It says which texts: name no others beside it.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^([0-9a-f]{2})+$")]
    pub confirm: Option<crate::queue::QueueConfirm>,
}

fn yes() -> bool {
    true
}

/// A command that needs no more than its route says. The body may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plain {
    /// Makes a retry harmless; the header `Idempotency-Key` does the same and wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 128)]
    pub idempotency_key: Option<String>,
}

/// An opt-out that an operator records. The body may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptOut {
    /// What was said or seen, for whoever asks later: 1 to 1,600 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1600)]
    pub reason: Option<String>,
    /// Makes a retry harmless; the header `Idempotency-Key` does the same and wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 128)]
    pub idempotency_key: Option<String>,
}

/// A contact of whom nobody wants to hear more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBlock {
    /// Why.
    pub why: BlockReason,
    /// Makes a retry harmless; the header `Idempotency-Key` does the same and wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 128)]
    pub idempotency_key: Option<String>,
}

/// A text that operators put into what they write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CannedText {
    /// Its name.
    pub template: TemplateId,
    /// With variables in braces: `{business}`, `{name}` (the contact's), `{operator}`.
    pub text: String,
}

/// Every template, as operators use them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Texts {
    /// What stands for `{business}`.
    pub business_name: String,
    /// In order of name.
    pub rows: Vec<CannedText>,
}

/// Whether a line answers missed calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Whether a missed call is answered by a text.
    pub coverage: bool,
}

/// What an operator may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorRole {
    /// From here on; none revokes: every token of the operator is worth nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub role: Option<Role>,
}

/// An operator as the tenant configured it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OperatorView {
    /// Who.
    pub operator: OperatorId,
    /// None: revoked.
    pub role: Option<Role>,
    /// What they sign in with; none: they come with tokens that others mint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether they have set a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInState>,
    /// The hours by which they are available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<crate::settings::WeekHours>,
}

/// A line: its settings and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChannelView {
    /// Which.
    pub channel: ChannelId,
    /// As configured.
    #[serde(flatten)]
    pub settings: crate::settings::ChannelSettings,
    /// How fast it may send.
    pub limits: crate::settings::LimitSettings,
}

/// What waits at a line, and what is left of its days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QueueView {
    /// Which line.
    pub channel: ChannelId,
    /// Texts that wait.
    pub waiting: u64,
    /// Texts that are on their way to the carrier.
    pub in_flight: u64,
    /// Each daily limit of the line.
    pub days: Vec<DayView>,
}

/// A daily limit: what was used of it, and when it begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DayView {
    /// The brand it is counted under.
    pub brand: String,
    /// The network whose limit it is; none: of the brand as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Segments sent today.
    pub used: u64,
    /// Segments allowed in a day.
    pub limit: u32,
    /// Of those, kept for people, text-backs and confirmations.
    pub kept: u32,
    /// When the next day begins, in microseconds since the epoch.
    pub ends: Stamp,
}

/// A template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TemplateView {
    /// Which.
    pub template: TemplateId,
    /// Its text.
    pub text: String,
    /// Its cost when rendered, in segments.
    pub segments: u16,
}

/// The tenant and its own settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TenantView {
    /// Which.
    pub tenant: TenantId,
    /// As configured.
    #[serde(flatten)]
    pub settings: crate::settings::TenantSettings,
}

/// Whoever asks, as the tenant knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MeView {
    /// The business.
    pub tenant: TenantId,
    /// Who.
    pub operator: OperatorId,
    /// What they may do.
    pub role: Role,
    /// Whether their contacts may count on them.
    pub availability: Availability,
    /// Their hours, if they have any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<crate::settings::WeekHours>,
    /// When their hours change their availability next, in microseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Stamp>,
    /// Whether somebody said that they are available or away, against their hours: until then it lasts.
    pub by_hand: bool,
    /// Everybody who is away.
    pub away: Vec<OperatorId>,
    /// Their own filters, in their order.
    pub filters: Vec<crate::settings::SavedFilter>,
    /// How they want their desk.
    pub preferences: crate::settings::Preferences,
}

/// One's own filters: all of them, in order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveFilters {
    /// At most 20.
    #[schema(max_items = 20)]
    pub filters: Vec<crate::settings::SavedFilter>,
}

/// Whether one's contacts may count on one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAvailability {
    /// From here on.
    pub availability: Availability,
}

/// A person's hours.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetHours {
    /// All of them; `null`: they say themselves whether they are there.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub hours: Option<crate::settings::WeekHours>,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Listing<T> {
    /// Everything there is, in order of name.
    pub rows: Vec<T>,
}

/// A tenant to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// Its id.
    pub tenant: TenantId,
    /// The business's name as contacts know it; empty: set later.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub business_name: String,
}

/// A carrier account and its secret. The secret is sealed; no answer and no event ever holds it.
#[derive(Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSecret {
    /// The carrier's own id (AccountSid).
    #[schema(min_length = 1, max_length = 256, pattern = "^[0-9A-Za-z]+$")]
    pub carrier_id: String,
    /// The auth token. The one before it stays valid beside it, for webhooks under way.
    #[schema(min_length = 1, max_length = 256)]
    pub auth_token: String,
}

/// The nodes, as the one that was asked sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClusterStatus {
    /// Who was asked.
    pub node: NodeId,
    /// Kinds of events that are written: raised when every member reads more.
    pub write_version: WriteVersion,
    /// Everybody that is thought to be alive, in order of name.
    pub members: Vec<ClusterMember>,
}

/// One node. What it did not answer in time is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClusterMember {
    /// Which.
    pub node: NodeId,
    /// `joining`, `serving`, `draining` or `left`.
    pub state: String,
    /// Its share of tenants, against others' weights.
    pub weight: u32,
    /// Where its relay answers.
    pub relay: String,
    /// The kinds of events that it reads. Below `write_version` it follows and forwards, and owns nothing.
    pub reads: WriteVersion,
    /// Tenants that run on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenants: Option<u64>,
    /// Tenants of others that it follows, for its own dashboards and requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<u64>,
    /// Tenants it has taken over since its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takeovers: Option<u64>,
    /// Requests it has passed to owners since its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<u64>,
    /// When it last took one over, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_takeover: Option<Stamp>,
    /// How many events it lacks of the followed tenant that is furthest behind its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
}
