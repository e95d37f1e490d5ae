//! Commands for a tenant that another node has: passed on. Where nobody reads the tenant it is not followed for them: a
//! webhook comes to any node, and if each of them followed the tenant for it, that would cost more than the texts.

use std::sync::Arc;

use quick_cache::sync::Cache;
use schema::{
    command::{Reply, Request},
    ids::{NodeId, TenantId},
};
use tokio::time::sleep;

use super::{Together, find::Place, tail::shown};
use crate::{
    engine::{Engine, Node},
    handle::Refusal,
    ports::{PeerAnswer, PeerError, Question},
    projector,
    tenant::{Settings, TenantHandle, ticket::Identity},
};

/// Owners that are remembered, of tenants that nobody reads here.
const ROUTES_MAX: usize = 65_536;

/// Owners as they were named or found; whoever is not the owner says who is.
pub(super) struct Routes(Cache<TenantId, NodeId>);

impl Default for Routes {
    fn default() -> Self {
        Self(Cache::new(ROUTES_MAX))
    }
}

/// Where a command goes.
pub(crate) enum Way {
    /// To a tenant that runs here, or is followed here.
    Seated(TenantHandle),
    /// To another node, which has it or should.
    To(NodeId),
}

/// How often a command was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Try {
    /// Never: most tenants are where the hash puts them. Whoever is asked for one that is not looks into the log, which
    /// otherwise would be read here for each tenant and node.
    First,
    /// It came back: what is not known is asked of the log.
    Again,
}

impl Together {
    /// Passes a command on to a tenant's owner, and gives up on one that does not answer anything else either.
    pub(super) async fn forward(
        &self,
        node: &Node,
        owner: &NodeId,
        tenant: &TenantId,
        request: Request,
    ) -> Result<Reply, PeerError> {
        self.count_forwarded();
        let question = Question::Submit(Box::new(request));
        let answer = tokio::select! {
            biased;
            answer = self.ask(node, owner, (tenant, question), self.options.answer_within) => answer?,
            () = self.stays_silent(node, owner) => return Err(PeerError::Unknown(format!("{owner} is silent"))),
        };
        match answer {
            PeerAnswer::Done(reply) => Ok(reply),
            _ => Err(PeerError::Refused(Refusal::unavailable("the tenant's owner answered something else"))),
        }
    }

    /// Returns when a member is gone. One that answers anything else is waited for; others may have found it gone meanwhile.
    async fn stays_silent(&self, node: &Node, member: &NodeId) {
        let now = || node.ports.clock.monotonic();
        let began = now();
        loop {
            sleep(self.probe_every()).await;
            if now() >= began + self.options.confirm_within {
                self.probe(node, member).await;
            }
            if !self.is_there(node, member) {
                return;
            }
        }
    }
}

/// What became of a command. `Moved`: nothing was done, or the same command is accepted once, however often it comes.
pub(super) fn refusal(error: PeerError, is_same_again: bool) -> Refusal {
    match error {
        PeerError::Refused(refusal) => refusal,
        PeerError::Unknown(_) if is_same_again => Refusal::Moved,
        PeerError::Unknown(reason) => {
            Refusal::unavailable(format!("the tenant's owner did not answer, it may have been done: {reason}"))
        }
        PeerError::NotOwner { .. } | PeerError::Unreachable(_) | PeerError::Moving => Refusal::Moved,
    }
}

impl Engine {
    /// Where a command goes. A tenant that another node has and that nobody reads here is not followed for it.
    pub(crate) async fn way(&self, together: &Together, tenant: &TenantId, which: Try) -> Result<Way, Refusal> {
        if *tenant == TenantId::system() || self.is_held(tenant) || self.is_draining() || !self.knows(tenant).await {
            return self.tenant(tenant).await.map(Way::Seated);
        }
        let (node, routes) = (self.inner_node(), &together.routes.0);
        if let Some(owner) = routes.get(tenant) {
            if together.is_there(node, &owner) {
                return Ok(Way::To(owner));
            }
            routes.remove(tenant);
        }
        if which == Try::First
            && !self.was_held(tenant)
            && let Some(first) = together.candidate(&together.able(node), tenant, node.ports.clock.monotonic())
            && first != node.id
        {
            return Ok(Way::To(first));
        }
        // Who waits for the same tenant waits for one look.
        let found = routes.get_or_insert_async(tenant, async {
            match together.find(node, tenant).await {
                Ok(Place::There(owner)) => Ok(owner),
                Ok(Place::Here | Place::Taken) => Err(None),
                Err(refusal) => Err(Some(refusal)),
            }
        });
        match found.await {
            Ok(owner) => Ok(Way::To(owner)),
            Err(None) => self.tenant(tenant).await.map(Way::Seated),
            Err(Some(refusal)) => Err(refusal),
        }
    }

    /// Passes a command on to whom it should go.
    pub(crate) async fn forward(
        &self,
        together: &Together,
        to: &NodeId,
        tenant: &TenantId,
        request: Request,
    ) -> Result<Reply, Refusal> {
        let is_same_again = Identity::of(&request).is_some();
        let routes = &together.routes.0;
        match together.forward(self.inner_node(), to, tenant, request).await {
            Ok(reply) => {
                if routes.get(tenant).as_ref() != Some(to) {
                    routes.insert(tenant.clone(), to.clone());
                }
                // Somebody may have begun to read it here meanwhile.
                if let Some(handle) = self.running(tenant) {
                    shown(&handle.shared, &reply).await;
                }
                Ok(reply)
            }
            Err(PeerError::Refused(refusal)) => Err(refusal),
            Err(error) => {
                routes.remove(tenant);
                if let PeerError::NotOwner { owner: Some(named) } = &error {
                    self.named(together, tenant, to, named).await;
                }
                Err(refusal(error, is_same_again))
            }
        }
    }

    /// `asked` has not got the tenant, and names who should.
    async fn named(&self, together: &Together, tenant: &TenantId, asked: &NodeId, named: &NodeId) {
        let node = self.inner_node();
        if *named == node.id {
            // It sleeps, and this node, which the log names, takes no more.
            if together.is_leaving() {
                together.pass_to(node, asked, tenant, named).await;
            }
            return;
        }
        if together.is_draining(asked) {
            together.pass_to(node, named, tenant, asked).await;
        }
        if together.is_there(node, named) {
            together.routes.0.insert(tenant.clone(), named.clone());
        }
    }

    /// A tenant's settings: where it runs or is read here, as of its last event; else as the views hold them, a moment
    /// later, and nobody follows it for them.
    pub async fn settings(&self, tenant: &TenantId) -> Result<Arc<Settings>, Refusal> {
        if self.together().is_none() || *tenant == TenantId::system() || self.is_held(tenant) {
            return Ok(self.tenant(tenant).await?.settings());
        }
        let settings = projector::load_settings(&*self.ports().views, tenant).await;
        settings.map(Arc::new).map_err(|error| Refusal::unavailable(error.to_string()))
    }
}
