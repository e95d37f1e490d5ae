//! What edges hold of a tenant.

use std::{sync::Arc, time::Duration};

use schema::{
    command::{Reply, Request},
    ids::{MessageId, Offset, TenantId},
};

use super::Settings;
use crate::{feed::FeedHandle, handle::Refusal, presence::Presence};

/// A running tenant. Cheap to clone.
#[derive(Clone)]
pub struct TenantHandle {
    id: TenantId,
}

/// Where a queued text stands in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// 1: next.
    pub place: u32,
    /// When it probably leaves, from now.
    pub estimate: Duration,
}

impl TenantHandle {
    /// Which tenant.
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    /// Asks for something. When this returns `Ok`, its events are on stable storage.
    pub async fn submit(&self, request: Request) -> Result<Reply, Refusal> {
        let _ = request;
        Err(Refusal::unavailable("not wired yet"))
    }

    /// The feed, for sessions.
    pub fn feed(&self) -> FeedHandle {
        unimplemented!("wired with the tenant actor")
    }

    /// Who is online, looking, typing.
    pub fn presence(&self) -> &Presence {
        unimplemented!("wired with the tenant actor")
    }

    /// The settings as of the last durable batch.
    pub fn settings(&self) -> Arc<Settings> {
        unimplemented!("wired with the tenant actor")
    }

    /// Where a queued text stands; `None`: it is not queued.
    pub async fn place(&self, message: MessageId) -> Result<Option<QueuePlace>, Refusal> {
        let _ = message;
        Err(Refusal::unavailable("not wired yet"))
    }

    /// Returns when the views hold everything up to `offset`: so that who wrote something reads it.
    pub async fn viewed(&self, offset: Offset) -> Result<(), Refusal> {
        let _ = offset;
        Err(Refusal::unavailable("not wired yet"))
    }
}
