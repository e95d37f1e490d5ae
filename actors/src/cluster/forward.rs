//! Commands for a tenant that another node owns: passed on. Where nobody reads the tenant it is not followed for them: a
//! webhook comes to any node, and a follow a tenant on each of them would cost more than the texts.

use quick_cache::sync::Cache;
use schema::{
    command::{Reply, Request},
    ids::{NodeId, TenantId},
};
use tokio::time::sleep;

use super::{Together, away::shown, find::Place};
use crate::{
    engine::{Engine, Node},
    handle::Refusal,
    ports::{PeerAnswer, PeerError, Question},
    tenant::{TenantHandle, ticket::Identity},
};

/// Owners that are remembered, of tenants that nobody reads here.
const ROUTES_MAX: usize = 65_536;

/// Owners as they were named; whoever is not the owner says who is.
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
    /// To its owner.
    To(NodeId),
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

    /// Returns when a member that has not answered for long is gone for this node, too. One that is only slow is waited for.
    async fn stays_silent(&self, node: &Node, member: &NodeId) {
        sleep(self.options.confirm_within).await;
        loop {
            self.probe(node, member).await;
            if self.suspects.is_gone(member, node.ports.clock.monotonic(), self.options.suspect_after) {
                return;
            }
            sleep(self.options.suspect_after / 4).await;
        }
    }
}

/// What became of a command. `Moved`: nothing was done, or the same command is accepted once, however often it comes.
pub(super) fn refusal(error: PeerError, is_same_again: bool) -> Refusal {
    match error {
        PeerError::Refused(refusal) => refusal,
        PeerError::Unknown(reason) if !is_same_again => {
            Refusal::unavailable(format!("the tenant's owner did not answer, it may have been done: {reason}"))
        }
        _ => Refusal::Moved,
    }
}

impl Engine {
    /// Where a command goes. A tenant that another node owns and that nobody reads here is not followed for it. `guesses`:
    /// as on the first try, when most tenants are where the hash puts them; whoever is asked for one that is not looks into
    /// the log, which would be read here for each tenant and node.
    pub(crate) async fn way(&self, together: &Together, tenant: &TenantId, guesses: bool) -> Result<Way, Refusal> {
        if *tenant == TenantId::system() || self.is_held(tenant) || self.is_draining() || !self.knows(tenant).await {
            return self.tenant(tenant).await.map(Way::Seated);
        }
        if let Some(owner) = together.routes.0.get(tenant) {
            return Ok(Way::To(owner));
        }
        let node = self.inner_node();
        if guesses
            && let Some(first) = together.candidate(&together.able(node), tenant, node.ports.clock.monotonic())
            && first != node.id
        {
            return Ok(Way::To(first));
        }
        match together.find(node, tenant).await? {
            Place::There(owner) => Ok(Way::To(owner)),
            Place::Here | Place::Taken => self.tenant(tenant).await.map(Way::Seated),
        }
    }

    /// Passes a command on to the owner that was found.
    pub(crate) async fn forward(
        &self,
        together: &Together,
        owner: &NodeId,
        tenant: &TenantId,
        request: Request,
    ) -> Result<Reply, Refusal> {
        let is_same_again = Identity::of(&request).is_some();
        let routes = &together.routes.0;
        match together.forward(self.inner_node(), owner, tenant, request).await {
            Ok(reply) => {
                if routes.get(tenant).as_ref() != Some(owner) {
                    routes.insert(tenant.clone(), owner.clone());
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
                if let PeerError::NotOwner { owner: Some(other) } = &error {
                    if together.is_draining(owner) {
                        together.pass_to(self.inner_node(), other, tenant, owner).await;
                    }
                    if *other != self.inner_node().id {
                        routes.insert(tenant.clone(), other.clone());
                    }
                }
                Err(refusal(error, is_same_again))
            }
        }
    }
}
