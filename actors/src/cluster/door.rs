//! What other nodes reach of this one.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use schema::{
    command::Request,
    ids::{NodeId, TenantId},
};
use tokio::{sync::mpsc, time::timeout};

use super::{
    Together,
    find::Place,
    follow::{Served, UNDER_WAY},
};
use crate::{
    engine::Engine,
    handle::Refusal,
    ports::{Asked, Directory as _, Follow, Following, Peer, PeerAnswer, PeerError, Question},
    tenant::TenantHandle,
};

/// For a look into the log on somebody else's behalf.
const FIND_WITHIN: Duration = Duration::from_secs(1);

#[async_trait]
impl Peer for Engine {
    async fn ask(&self, asked: Asked) -> Result<PeerAnswer, PeerError> {
        let Asked { from, tenant, question, within } = asked;
        match question {
            Question::Submit(request) => self.submitted(&tenant, *request).await,
            Question::Place(message) => {
                let place = self.served(&tenant).await?.place(message).await;
                place.map(PeerAnswer::Place).map_err(PeerError::Refused)
            }
            Question::Queue(channel) => {
                let queue = self.served(&tenant).await?.queue(channel).await;
                queue.map(PeerAnswer::Queue).map_err(PeerError::Refused)
            }
            Question::Stats => {
                let stats = self.served(&tenant).await?.stats().await;
                stats.map(PeerAnswer::Stats).map_err(PeerError::Refused)
            }
            Question::Take { before } => self.taken(&tenant, before, within).await,
            Question::Present(online) => {
                let now = self.ports().clock.monotonic();
                self.served(&tenant).await?.presence().report(&from, online, now);
                Ok(PeerAnswer::Noted)
            }
            Question::Owned => Ok(PeerAnswer::Owned(self.owned())),
        }
    }

    async fn follow(&self, follow: Follow) -> Result<Following, PeerError> {
        let tenant = self.served(&follow.tenant).await?;
        let position = tenant.feed().position();
        if position.epoch != follow.epoch {
            return Err(PeerError::Refused(Refusal::unavailable("the follower has seen another log")));
        }
        let (to, following) = mpsc::channel(UNDER_WAY);
        let node = self.inner_node().clone();
        self.inner_node().runtime.spawn(Served::new(node, tenant, &follow, to).run());
        Ok(following)
    }
}

impl Engine {
    async fn submitted(&self, tenant: &TenantId, request: Request) -> Result<PeerAnswer, PeerError> {
        let handle = self.served(tenant).await?;
        match handle.try_submit(request).await {
            Ok(Ok(reply)) => Ok(PeerAnswer::Done(reply)),
            Ok(Err(Refusal::Moved | Refusal::Draining)) | Err(_) => Err(PeerError::Moving),
            Ok(Err(refusal)) => Err(PeerError::Refused(refusal)),
        }
    }

    /// A tenant that runs here, or may start here.
    async fn served(&self, tenant: &TenantId) -> Result<TenantHandle, PeerError> {
        let together = self.together().ok_or(PeerError::NotOwner { owner: None })?;
        if let Some(handle) = self.running(tenant).filter(TenantHandle::is_here) {
            return Ok(handle);
        }
        if *tenant != TenantId::system() && !self.inner_node().directory.tenant_exists(tenant) {
            // Whoever asks knows it: so will this node, soon.
            return Err(PeerError::Moving);
        }
        // Nothing is done yet: whoever asks can look for itself while this node's log hangs.
        let found = timeout(FIND_WITHIN, together.find(self.inner_node(), tenant)).await;
        match found.unwrap_or(Err(Refusal::Moved)) {
            Ok(Place::Here | Place::Taken) => self.start_for_others(tenant).await,
            Ok(Place::There(owner)) => {
                self.look_after(together, &owner);
                Err(PeerError::NotOwner { owner: Some(owner) })
            }
            Err(_) => Err(PeerError::Moving),
        }
    }

    /// Somebody takes this node for the owner: perhaps because it knows that the owner is gone.
    fn look_after(&self, together: &Arc<Together>, owner: &NodeId) {
        let (together, node, owner) = (together.clone(), self.inner_node().clone(), owner.clone());
        self.inner_node().runtime.spawn(async move { together.probe(&node, &owner).await });
    }

    async fn start_for_others(&self, tenant: &TenantId) -> Result<TenantHandle, PeerError> {
        // It may still be followed elsewhere: then it is found to be here, soon.
        if let Some(handle) = self.running(tenant) {
            handle.part().await;
        }
        match self.tenant(tenant).await {
            Ok(handle) if handle.is_here() => Ok(handle),
            Ok(_) => Err(PeerError::Moving),
            Err(refusal) => {
                // What readers here hold is followed no more: nobody else would look for its owner.
                if let Some(together) = self.together() {
                    together.look_for(tenant);
                }
                match refusal {
                    Refusal::Moved | Refusal::Draining => Err(PeerError::Moving),
                    refusal => Err(PeerError::Refused(refusal)),
                }
            }
        }
    }

    /// Its owner, or somebody who found that its owner has let it go, asks this node to take a tenant.
    async fn taken(&self, tenant: &TenantId, before: NodeId, within: Duration) -> Result<PeerAnswer, PeerError> {
        let together = self.together().ok_or(PeerError::NotOwner { owner: None })?;
        if self.running(tenant).is_some_and(|handle| handle.is_here()) {
            return Ok(PeerAnswer::Noted);
        }
        together.invite(tenant, before, self.ports().clock.monotonic() + within);
        self.served(tenant).await.map(|_| PeerAnswer::Noted)
    }
}
