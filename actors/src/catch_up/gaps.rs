//! Who could not be answered: a carrier that got no 200 may not try again, so its list is read a little later.

use dashmap::DashSet;
use schema::{
    command::{Command, Reply, Request},
    event::Via,
    ids::TenantId,
};

use crate::handle::Refusal;

/// Tenants of which a webhook was not acknowledged since somebody last looked. Bounded by the number of tenants.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    tenants: DashSet<TenantId>,
}

/// Watches one webhook; one that is dropped without an answer counts as not acknowledged.
pub(crate) struct Watch<'g> {
    gaps: &'g Gaps,
    tenant: Option<TenantId>,
}

impl Gaps {
    /// Watches a request, if losing it would be a gap.
    pub(crate) fn watch(&self, tenant: &TenantId, request: &Request) -> Watch<'_> {
        let arrives = matches!(request.command, Command::Receive(_) | Command::Call(_));
        let watched = arrives && request.origin.via == Via::Webhook;
        Watch { gaps: self, tenant: watched.then(|| tenant.clone()) }
    }

    /// Everybody since the last time.
    pub(crate) fn take(&self) -> Vec<TenantId> {
        let tenants: Vec<TenantId> = self.tenants.iter().map(|tenant| tenant.clone()).collect();
        tenants.iter().for_each(|tenant| drop(self.tenants.remove(tenant)));
        tenants
    }
}

impl Watch<'_> {
    /// It was answered. A rejection is an answer too: the carrier would hear the same again.
    pub(crate) fn ends(mut self, result: &Result<Reply, Refusal>) {
        if matches!(result, Ok(_) | Err(Refusal::Rejected { .. })) {
            self.tenant = None;
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(tenant) = self.tenant.take() {
            self.gaps.tenants.insert(tenant);
        }
    }
}
