//! The directory: a view of the feed of tenant `system`, in memory; look-ups by key.

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use arc_swap::ArcSwap;
use dashmap::{DashMap, DashSet};
use schema::{
    command::Registration,
    event::{
        AccountRegistered, ChannelClaimed, EveryonePaused, Fact, TenantRegistered, WriteVersion, WriteVersionRaised,
    },
    ids::{AccountId, ChannelId, TenantId},
    pause::Pause,
    problem::Code,
};

use crate::{
    handle::Refusal,
    ports::{AccountEntry, ChannelEntry, Directory},
};

/// Folded from the system feed; shared by everybody who looks things up.
#[derive(Debug, Default)]
pub struct SystemDirectory {
    tenants: DashSet<TenantId>,
    channels: DashMap<ChannelId, ChannelEntry>,
    by_address: DashMap<String, ChannelId>,
    accounts: DashMap<AccountId, AccountEntry>,
    by_carrier_id: DashMap<String, AccountId>,
    pause: ArcSwap<Pause>,
    /// 0: the first.
    write_version: AtomicU16,
}

impl SystemDirectory {
    /// Folds one fact in; others than directory facts change nothing.
    pub fn apply(&self, fact: &Fact) {
        match fact {
            Fact::TenantRegistered(fact) => {
                self.tenants.insert(fact.tenant.clone());
            }
            Fact::ChannelClaimed(fact) => {
                let entry = ChannelEntry {
                    channel: fact.channel.clone(),
                    tenant: fact.tenant.clone(),
                    account: fact.account.clone(),
                    address: fact.address.clone(),
                };
                if let Some(before) = self.channels.insert(fact.channel.clone(), entry) {
                    self.by_address.remove(&before.address);
                }
                self.by_address.insert(fact.address.clone(), fact.channel.clone());
            }
            Fact::AccountRegistered(fact) => {
                let entry = AccountEntry {
                    account: fact.account.clone(),
                    tenant: fact.tenant.clone(),
                    carrier_id: fact.carrier_id.clone(),
                };
                self.accounts.insert(fact.account.clone(), entry);
                self.by_carrier_id.insert(fact.carrier_id.clone(), fact.account.clone());
            }
            Fact::EveryonePaused(fact) => self.pause.store(Arc::new(fact.pause)),
            Fact::WriteVersionRaised(fact) => {
                self.write_version.fetch_max(fact.version.0, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Whether events of this version may be written yet.
    pub fn may_write(&self, needed: WriteVersion) -> Result<(), Refusal> {
        let written = self.write_version();
        match needed <= written {
            true => Ok(()),
            false => Err(Refusal::unavailable(format!(
                "this needs write version {needed}, and {written} is in force until every node is upgraded"
            ))),
        }
    }

    /// Decides a registration: the event that follows, none when it is there already, or why not.
    pub fn decide(&self, registration: &Registration) -> Result<Option<Fact>, Refusal> {
        match registration {
            Registration::Tenant(tenant) => {
                if *tenant == TenantId::system() {
                    return Err(Refusal::rejected(Code::Taken, "the tenant `system` is the engine's own"));
                }
                let known = self.tenants.contains(tenant);
                Ok((!known).then(|| TenantRegistered { tenant: tenant.clone() }.into()))
            }
            Registration::Channel { channel, tenant, account, address } => self.decide_channel(&ChannelClaimed {
                channel: channel.clone(),
                tenant: tenant.clone(),
                account: account.clone(),
                address: address.clone(),
            }),
            Registration::Account { account, tenant, carrier_id } => self.decide_account(&AccountRegistered {
                account: account.clone(),
                tenant: tenant.clone(),
                carrier_id: carrier_id.clone(),
            }),
            Registration::Pause(pause) => Ok((self.pause() != *pause).then(|| EveryonePaused { pause: *pause }.into())),
            Registration::WriteVersion(version) => {
                Ok((self.write_version() < *version).then(|| WriteVersionRaised { version: *version }.into()))
            }
        }
    }

    fn decide_channel(&self, claim: &ChannelClaimed) -> Result<Option<Fact>, Refusal> {
        self.must_exist(&claim.tenant)?;
        let account = self.accounts.get(&claim.account).map(|entry| entry.tenant.clone());
        if account.as_ref() != Some(&claim.tenant) {
            return Err(Refusal::invalid("account", "the tenant has no such account"));
        }
        if let Some(known) = self.channels.get(&claim.channel) {
            if known.tenant != claim.tenant {
                return Err(Refusal::rejected(Code::Taken, "this channel id is another tenant's"));
            }
            if known.address == claim.address && known.account == claim.account {
                return Ok(None);
            }
        }
        match self.by_address.get(&claim.address) {
            Some(other) if *other != claim.channel => {
                Err(Refusal::rejected(Code::Taken, "this address is another channel's"))
            }
            _ => Ok(Some(claim.clone().into())),
        }
    }

    fn decide_account(&self, account: &AccountRegistered) -> Result<Option<Fact>, Refusal> {
        self.must_exist(&account.tenant)?;
        if let Some(known) = self.accounts.get(&account.account) {
            let same = known.tenant == account.tenant && known.carrier_id == account.carrier_id;
            return if same { Ok(None) } else { Err(Refusal::rejected(Code::Taken, "this account id is taken")) };
        }
        if self.by_carrier_id.contains_key(&account.carrier_id) {
            return Err(Refusal::rejected(Code::Taken, "this carrier account is another's"));
        }
        Ok(Some(account.clone().into()))
    }

    fn must_exist(&self, tenant: &TenantId) -> Result<(), Refusal> {
        if self.tenants.contains(tenant) {
            Ok(())
        } else {
            Err(Refusal::rejected(Code::NotFound, format!("tenant {tenant}")))
        }
    }

    /// Every account, in order of name.
    pub fn accounts(&self) -> Vec<AccountEntry> {
        let mut accounts: Vec<AccountEntry> = self.accounts.iter().map(|entry| entry.value().clone()).collect();
        accounts.sort_by(|one, other| one.account.cmp(&other.account));
        accounts
    }

    /// A copy that can run ahead of what is durable.
    pub fn copy(&self) -> Arc<Self> {
        Arc::new(Self {
            tenants: self.tenants.clone(),
            channels: self.channels.clone(),
            by_address: self.by_address.clone(),
            accounts: self.accounts.clone(),
            by_carrier_id: self.by_carrier_id.clone(),
            pause: ArcSwap::new(self.pause.load_full()),
            write_version: AtomicU16::new(self.write_version.load(Ordering::Relaxed)),
        })
    }
}

impl Directory for SystemDirectory {
    fn tenant_exists(&self, tenant: &TenantId) -> bool {
        self.tenants.contains(tenant)
    }

    fn tenants(&self) -> Vec<TenantId> {
        let mut tenants: Vec<_> = self.tenants.iter().map(|tenant| tenant.key().clone()).collect();
        tenants.sort();
        tenants
    }

    fn channels(&self) -> Vec<ChannelEntry> {
        let mut lines: Vec<ChannelEntry> = self.channels.iter().map(|entry| entry.value().clone()).collect();
        lines.sort_by(|one, other| one.channel.cmp(&other.channel));
        lines
    }

    fn channel(&self, channel: &ChannelId) -> Option<ChannelEntry> {
        self.channels.get(channel).map(|entry| entry.clone())
    }

    fn channel_by_address(&self, address: &str) -> Option<ChannelEntry> {
        let channel = self.by_address.get(address)?.clone();
        self.channel(&channel)
    }

    fn account(&self, account: &AccountId) -> Option<AccountEntry> {
        self.accounts.get(account).map(|entry| entry.clone())
    }

    fn account_by_carrier_id(&self, carrier_id: &str) -> Option<AccountEntry> {
        let account = self.by_carrier_id.get(carrier_id)?.clone();
        self.account(&account)
    }

    fn write_version(&self) -> WriteVersion {
        WriteVersion::FIRST.max(WriteVersion(self.write_version.load(Ordering::Relaxed)))
    }

    fn pause(&self) -> Pause {
        **self.pause.load()
    }
}
