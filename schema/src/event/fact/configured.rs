//! Facts of settings and of the directory: what a tenant configured, and who exists. They hold nothing of a contact.

use serde::{Deserialize, Serialize};

use crate::{
    event::WriteVersion,
    ids::{AccountId, ChannelId, Offset, OperatorId, TemplateId, TenantId},
    pause::{Pause, PauseScope},
    role::Role,
    settings::{
        ChannelSettings, ChannelSettings1, LimitSettings, LimitSettings1, Preferences, SavedFilter, TemplateSettings,
        TenantSettings, WeekHours,
    },
    time::Stamp,
};

body!(/// Settings of the tenant itself.
TenantConfigured {
    /// All of them.
    settings: TenantSettings,
});

body!(/// Settings of a line.
ChannelConfigured {
    /// Which line.
    channel: ChannelId,
    /// All of them.
    settings: ChannelSettings,
});

/// Version 1 of it, before lines had kinds and calls had scripts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelConfigured1 {
    /// Which line.
    pub channel: ChannelId,
    /// All of them.
    pub settings: ChannelSettings1,
}

impl From<ChannelConfigured1> for ChannelConfigured {
    fn from(old: ChannelConfigured1) -> Self {
        Self { channel: old.channel, settings: old.settings.into() }
    }
}

body!(/// A template.
TemplateConfigured {
    /// Which.
    template: TemplateId,
    /// None: removed.
    settings: Option<TemplateSettings>,
});

body!(/// A limit of pace.
LimitConfigured {
    /// All limits of the tenant's sender.
    channel: ChannelId,
    /// All of them.
    limits: LimitSettings,
});

body!(/// Before networks had caps of their own.
LimitConfigured1 {
    /// See [`LimitConfigured`].
    channel: ChannelId,
    /// See [`LimitConfigured`].
    limits: LimitSettings1,
});

impl From<LimitConfigured1> for LimitConfigured {
    fn from(LimitConfigured1 { channel, limits }: LimitConfigured1) -> Self {
        Self { channel, limits: limits.into() }
    }
}

body!(/// An operator of the tenant.
OperatorConfigured {
    /// Who.
    operator: OperatorId,
    /// None: revoked.
    role: Option<Role>,
});

body!(/// What an operator signs in with changed.
CredentialChanged {
    /// Whose.
    operator: OperatorId,
    /// How.
    change: CredentialChange,
});

/// What became of somebody's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialChange {
    /// A one-time link was made for somebody new.
    Invited,
    /// A one-time link was made for somebody who has a password.
    ResetOrdered,
    /// A password was set by a one-time link; whoever was signed in before is not any more.
    PasswordSet,
    /// Signed in, with the password.
    SignedIn,
    /// Signed out in one browser.
    SignedOut,
    /// Signed out in every browser.
    SignedOutEverywhere,
}

body!(/// Absolute: all filters of the operator after the change.
FiltersSaved {
    /// Whose.
    operator: OperatorId,
    /// In their order.
    filters: Vec<SavedFilter>,
});

body!(/// Whether contacts may count on an operator.
AvailabilityChanged {
    /// Who.
    operator: OperatorId,
    /// From here on.
    away: bool,
    /// Whether somebody said so, against their hours or without any.
    by_hand: bool,
    /// When their hours decide next; none: never, they have none.
    until: Option<Stamp>,
});

body!(/// Before hours: somebody said so.
AvailabilityChanged1 {
    /// See [`AvailabilityChanged`].
    operator: OperatorId,
    /// See [`AvailabilityChanged`].
    away: bool,
});

impl From<AvailabilityChanged1> for AvailabilityChanged {
    fn from(AvailabilityChanged1 { operator, away }: AvailabilityChanged1) -> Self {
        Self { operator, away, by_hand: true, until: None }
    }
}

body!(/// Absolute: all of them after the change.
PreferencesSet {
    /// Whose.
    operator: OperatorId,
    /// In whatever browser.
    preferences: Preferences,
});

body!(/// What follows from them comes right after, as `operator.availability`.
HoursSet {
    /// Whose.
    operator: OperatorId,
    /// All of them; none: they say themselves whether they are there.
    hours: Option<WeekHours>,
});

body!(/// A secret changed.
SecretChanged {
    /// Whose.
    account: AccountId,
});

body!(/// A tenant exists.
TenantRegistered {
    /// Who.
    tenant: TenantId,
});

body!(/// An address routes to a channel of a tenant.
ChannelClaimed {
    /// Which line.
    channel: ChannelId,
    /// Whose.
    tenant: TenantId,
    /// At which account.
    account: AccountId,
    /// The business's own address, E.164.
    address: String,
});

body!(/// A line's arrivals were read back from the carrier.
LineCaughtUp {
    /// Which line.
    channel: ChannelId,
    /// Nothing before this is missing.
    up_to: Stamp,
    /// What had been missed since the last time.
    found: u32,
});

body!(/// An account at a carrier. Its secret is in the sealed table under the same id.
AccountRegistered {
    /// Ours.
    account: AccountId,
    /// Whose.
    tenant: TenantId,
    /// The carrier's own id (AccountSid).
    carrier_id: String,
});

body!(/// What stays in its lane from here on.
PauseChanged {
    /// Whose texts.
    scope: PauseScope,
    /// What of them.
    pause: Pause,
});

body!(/// Somebody took back every queued text of a kind; each then has its own `message.status`.
QueueCancelOrdered {
    /// Of one line; none: of all.
    channel: Option<ChannelId>,
    /// Made from one template; none: whatever they were made from.
    template: Option<TemplateId>,
    /// Queued no later than this; none: whenever.
    queued_before: Option<Stamp>,
    /// Queued by an event up to here: what came after the preview is left alone.
    up_to: Offset,
});

body!(/// What stays in its lane at every tenant from here on.
EveryonePaused {
    /// What of them.
    pause: Pause,
});

body!(/// From here on every kind of event of this version may be written, to every tenant's log.
WriteVersionRaised {
    /// Which.
    version: WriteVersion,
});
