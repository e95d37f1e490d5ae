//! What edges hold of a tenant.

use std::{sync::Arc, time::Duration};

use actix::{Addr, dev::SendError};
use arc_swap::ArcSwap;
use schema::{
    command::{Reply, Request},
    event::Event,
    ids::{AddressHash, ChannelId, MessageId, Offset, TenantId},
    pause::Pause,
    problem::Code,
    time::Stamp,
};
use tokio::sync::oneshot;

use super::{
    Settings,
    actor::{Measure, Place, Queue, Submit, TenantActor},
    ticket::{Answer, Identity, ReplyTo, Seen, Target, Ticket, target},
};
use crate::{
    feed::{Feed, FeedHandle},
    handle::Refusal,
    ports::{DayUse, Views},
    presence::Presence,
    vault::Vault,
    viewed::Viewed,
};

/// Longest wait for the answer to a command.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Longest wait for the views to catch up with what was just written.
const VIEWED_WITHIN: Duration = Duration::from_secs(5);
/// How often a look-up for repetitions is made again before the tenant is called busy.
const LOOK_UPS: usize = 8;

/// What a tenant's arbiter shares with the rest of the process.
pub(crate) struct Shared {
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) viewed: Arc<Viewed>,
    pub(crate) publisher: Feed,
    pub(crate) feed: FeedHandle,
    pub(crate) presence: Presence,
    pub(crate) views: Arc<dyn Views>,
    pub(crate) vault: Vault,
}

impl Shared {
    pub(crate) fn publish(&self, first: Offset, events: Vec<Event>) {
        self.publisher.publish(first, events);
    }
}

/// A running tenant. Cheap to clone.
#[derive(Clone)]
pub struct TenantHandle {
    pub(crate) id: TenantId,
    pub(crate) addr: Addr<TenantActor>,
    pub(crate) shared: Arc<Shared>,
}

/// Where a queued text stands in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// 1: next.
    pub place: u32,
    /// When it probably leaves, from now; means nothing while it is held back.
    pub estimate: Duration,
    /// What holds it back, if something does.
    pub paused: Option<Pause>,
    /// The day's budget is used up: when the next begins.
    pub day_ends: Option<Stamp>,
}

/// What waits at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineQueue {
    /// Texts that wait.
    pub waiting: usize,
    /// Texts claimed and not yet settled.
    pub in_flight: usize,
    /// The line's daily limits.
    pub days: Vec<DayUse>,
}

/// What a tenant holds in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Conversations.
    pub conversations: usize,
    /// Texts that wait or are on their way.
    pub open_texts: usize,
}

impl TenantHandle {
    /// Which tenant.
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    /// Asks for something. When this returns `Ok`, its events are on stable storage.
    pub async fn submit(&self, request: Request) -> Result<Reply, Refusal> {
        match self.try_submit(request).await {
            Ok(result) => result,
            Err(_) => Err(Refusal::unavailable("the tenant has stopped")),
        }
    }

    /// The same; a tenant that has stopped gives the request back.
    pub(crate) async fn try_submit(&self, request: Request) -> Result<Result<Reply, Refusal>, Box<Request>> {
        let identity = Identity::of(&request);
        let hash = match self.hash(&request).await {
            Ok(hash) => hash,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut request = request;
        for _ in 0..LOOK_UPS {
            let seen = match self.seen(identity).await {
                Ok(seen) => seen,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let (to, answer) = oneshot::channel();
            let ticket = Ticket { request, identity, hash, seen, reply: ReplyTo::Caller(to) };
            match self.addr.try_send(Submit(ticket)) {
                Ok(()) => {}
                Err(SendError::Full(_)) => return Ok(Err(Refusal::Full { retry_after: Duration::from_secs(1) })),
                Err(SendError::Closed(Submit(ticket))) => return Err(Box::new(ticket.request)),
            }
            match tokio::time::timeout(ANSWER_WITHIN, answer).await {
                Ok(Ok(Answer::Done(result))) => return Ok(result),
                Ok(Ok(Answer::LookAgain(again))) => request = *again,
                Ok(Err(_)) => return Ok(Err(Refusal::unavailable("the tenant stopped before it answered"))),
                Err(_) => return Ok(Err(Refusal::unavailable("the tenant did not answer in time"))),
            }
        }
        Ok(Err(Refusal::unavailable("the views fall behind faster than they can be read")))
    }

    /// Whether a change of settings would be refused, before anything else is done for it. Nothing is stored.
    pub async fn examine(&self, request: &Request, now: Stamp) -> Result<(), Refusal> {
        super::decide::decide(&self.settings(), None, &request.command, now)?;
        let Some(identity) = Identity::of(request) else { return Ok(()) };
        let known = self.seen(Some(identity)).await?.and_then(|seen| seen.entry);
        match known {
            Some(entry) if entry.content != identity.content => {
                Err(Refusal::rejected(Code::KeyReused, "the key stands for another command"))
            }
            _ => Ok(()),
        }
    }

    async fn hash(&self, request: &Request) -> Result<Option<AddressHash>, Refusal> {
        let Target::Address(address) = target(&request.command) else { return Ok(None) };
        let hash = self.shared.vault.address_hash(&self.id, address).await;
        hash.map(Some).map_err(|error| Refusal::unavailable(error.to_string()))
    }

    /// Was it accepted before? Asked before the command enters the mailbox, so that the tenant itself never reads.
    async fn seen(&self, identity: Option<Identity>) -> Result<Option<Seen>, Refusal> {
        let Some(identity) = identity else { return Ok(None) };
        // Read first: what the views say next is at least as new as this.
        let up_to = self.shared.viewed.offset();
        match self.shared.views.accepted(&self.id, identity.key).await {
            Ok(entry) => Ok(Some(Seen { up_to, entry })),
            Err(error) => Err(Refusal::unavailable(error.to_string())),
        }
    }

    /// Whether the tenant has stopped: ask the engine for a new handle.
    pub fn is_closed(&self) -> bool {
        !self.addr.connected()
    }

    /// Ends the tenant in order: what is under way ends, nothing new is taken.
    pub(crate) async fn stop(&self) {
        // An actor that is gone already has ended too.
        let _ = self.addr.send(super::actor::Stop).await;
    }

    /// The feed, for sessions.
    pub fn feed(&self) -> FeedHandle {
        self.shared.feed.clone()
    }

    /// Who is online, looking, typing.
    pub fn presence(&self) -> &Presence {
        &self.shared.presence
    }

    /// The settings as of the last durable batch.
    pub fn settings(&self) -> Arc<Settings> {
        self.shared.settings.load_full()
    }

    /// Where a queued text stands; `None`: it is not queued.
    pub async fn place(&self, message: MessageId) -> Result<Option<QueuePlace>, Refusal> {
        let asked = self.addr.send(Place(message));
        match tokio::time::timeout(VIEWED_WITHIN, asked).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Refusal::unavailable("the tenant did not answer in time")),
        }
    }

    /// What waits at a line, and what is left of its days.
    pub async fn queue(&self, channel: ChannelId) -> Result<LineQueue, Refusal> {
        match tokio::time::timeout(VIEWED_WITHIN, self.addr.send(Queue(channel))).await {
            Ok(Ok(queue)) => Ok(queue),
            _ => Err(Refusal::unavailable("the tenant did not answer in time")),
        }
    }

    /// What it holds in memory.
    pub async fn stats(&self) -> Result<Stats, Refusal> {
        match tokio::time::timeout(VIEWED_WITHIN, self.addr.send(Measure)).await {
            Ok(Ok(stats)) => Ok(stats),
            _ => Err(Refusal::unavailable("the tenant did not answer in time")),
        }
    }

    /// Returns when the views hold everything up to `offset`: so that who wrote something reads it.
    pub async fn viewed(&self, offset: Offset) -> Result<(), Refusal> {
        let waited = tokio::time::timeout(VIEWED_WITHIN, self.shared.viewed.reach(offset)).await;
        waited.map_err(|_| Refusal::unavailable("the views lag behind"))
    }
}
