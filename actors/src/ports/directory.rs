//! The directory: who exists and which address routes where. A view of the feed of tenant `system`.

use schema::{
    event::WriteVersion,
    ids::{AccountId, ChannelId, TenantId},
    pause::Pause,
};

/// Where a line belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelEntry {
    /// Which line.
    pub channel: ChannelId,
    /// Whose.
    pub tenant: TenantId,
    /// At which account.
    pub account: AccountId,
    /// The line's own number, E.164.
    pub address: String,
}

/// A carrier account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEntry {
    /// Ours.
    pub account: AccountId,
    /// Whose.
    pub tenant: TenantId,
    /// The carrier's id (AccountSid).
    pub carrier_id: String,
}

/// Look-ups by key, from memory.
pub trait Directory: Send + Sync + 'static {
    /// Whether the tenant exists.
    fn tenant_exists(&self, tenant: &TenantId) -> bool;
    /// Every tenant, in order of name.
    fn tenants(&self) -> Vec<TenantId>;
    /// Every line, in order of name.
    fn channels(&self) -> Vec<ChannelEntry>;
    /// A line by its id.
    fn channel(&self, channel: &ChannelId) -> Option<ChannelEntry>;
    /// A line by its number.
    fn channel_by_address(&self, address: &str) -> Option<ChannelEntry>;
    /// An account by our id.
    fn account(&self, account: &AccountId) -> Option<AccountEntry>;
    /// An account by the carrier's id.
    fn account_by_carrier_id(&self, carrier_id: &str) -> Option<AccountEntry>;
    /// Which kinds of events may be written.
    fn write_version(&self) -> WriteVersion;
    /// What is held back at every tenant.
    fn pause(&self) -> Pause;
}
