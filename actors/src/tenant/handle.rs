//! What edges hold of a tenant.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix::{Addr, dev::SendError};
use arc_swap::ArcSwap;
use schema::{
    command::{Reply, Request},
    event::{Event, SealedBatch},
    ids::{AddressHash, ChannelId, MessageId, Offset, TenantId},
    pause::Pause,
    problem::Code,
    time::Stamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, oneshot};

use super::{
    Settings,
    actor::{Measure, Place, Queue, Submit, TenantActor},
    ticket::{Answer, Identity, Mail, ReplyTo, Seen, Target, Ticket, target},
};
use crate::{
    cluster::Away,
    feed::{Feed, FeedHandle},
    handle::Refusal,
    ports::{DayUse, PeerAnswer, Question, Views},
    presence::Presence,
    vault::Vault,
    watermark::Watermark,
};

/// Longest wait for the answer to a command.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Longest wait for the views to catch up with what was just written.
const VIEWED_WITHIN: Duration = Duration::from_secs(5);
/// How often a look-up for repetitions is made again before the tenant is called busy.
const LOOK_UPS: usize = 8;

/// Batches kept for nodes that follow and are late; one that is later still reads the log.
const FOLLOWED_MAX: usize = 32;

/// Where a tenant's decisions are made.
pub(crate) enum Seat {
    /// Nowhere yet, or no longer here: ask the engine.
    Vacant,
    /// On this node.
    Here(Addr<TenantActor>),
    /// On another.
    There(Arc<Away>),
}

/// What a tenant's arbiter shares with the rest of the process.
pub(crate) struct Shared {
    /// It changes when the tenant moves; all else stays, so that readers do not notice.
    pub(crate) seat: ArcSwap<Seat>,
    /// Monotonic microseconds when it was last sure that this node owns the tenant.
    pub(crate) confirmed: AtomicU64,
    /// What other nodes follow; made for the first of them.
    pub(crate) followed: OnceLock<broadcast::Sender<SealedBatch>>,
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) viewed: Arc<Watermark>,
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

    /// Hands a durable batch to nodes that follow; costs nothing while none does.
    pub(crate) fn tell_followers(&self, batch: &SealedBatch) {
        if let Some(followed) = self.followed.get() {
            let _nobody_listens = followed.send(batch.clone());
        }
    }

    /// Durable batches from now on.
    pub(crate) fn batches(&self) -> broadcast::Receiver<SealedBatch> {
        self.followed.get_or_init(|| broadcast::Sender::new(FOLLOWED_MAX)).subscribe()
    }

    /// It was certain, at this monotonic time, that this node owns the tenant.
    pub(crate) fn confirm(&self, at: Duration) {
        self.confirmed.fetch_max(u64::try_from(at.as_micros()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// For how long that has not been certain.
    pub(crate) fn unconfirmed(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_micros(self.confirmed.load(Ordering::Acquire)))
    }

    /// Whoever asks from now on is told to ask the engine again.
    pub(crate) fn vacate(&self) {
        self.seat.store(Arc::new(Seat::Vacant));
    }
}

/// A running tenant. Cheap to clone.
#[derive(Clone)]
pub struct TenantHandle {
    pub(crate) id: TenantId,
    pub(crate) shared: Arc<Shared>,
}

/// Where a queued text stands in its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineQueue {
    /// Texts that wait.
    pub waiting: usize,
    /// Texts claimed and not yet settled.
    pub in_flight: usize,
    /// The line's daily limits.
    pub days: Vec<DayUse>,
}

/// What a tenant holds in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
        if let Some(away) = self.away() {
            return Ok(away.submit(&self.shared, request).await);
        }
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
            match self.send(ticket) {
                Ok(()) => {}
                Err(SendError::Full(_)) => return Ok(Err(Refusal::Full { retry_after: Duration::from_secs(1) })),
                Err(SendError::Closed(Submit(mail))) => return Err(Box::new(mail.open().request)),
            }
            match tokio::time::timeout(ANSWER_WITHIN, answer).await {
                Ok(Ok(Answer::Done(result))) => return Ok(result),
                Ok(Ok(Answer::LookAgain(again))) => request = *again,
                Ok(Ok(Answer::Unread(request))) => return Err(request),
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

    #[expect(
        clippy::result_large_err,
        reason = "the ticket comes back as it is: a box would cost an allocation a message"
    )]
    fn send(&self, ticket: Ticket) -> Result<(), SendError<Submit>> {
        match &**self.shared.seat.load() {
            Seat::Here(addr) => addr.try_send(Submit(Mail::new(ticket))),
            _ => Err(SendError::Closed(Submit(Mail::new(ticket)))),
        }
    }

    /// The owner, if that is another node.
    fn away(&self) -> Option<Arc<Away>> {
        match &**self.shared.seat.load() {
            Seat::There(away) => Some(away.clone()),
            _ => None,
        }
    }

    /// If it runs on another node: events that were missing here when that last said where it stands.
    pub(crate) fn behind(&self) -> Option<u64> {
        self.away().map(|away| away.behind())
    }

    /// The tenant's own mailbox, if it runs here.
    fn here(&self) -> Option<Addr<TenantActor>> {
        match &**self.shared.seat.load() {
            Seat::Here(addr) => Some(addr.clone()),
            _ => None,
        }
    }

    /// Whether it runs on this node.
    pub fn is_here(&self) -> bool {
        matches!(&**self.shared.seat.load(), Seat::Here(addr) if addr.connected())
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
        match &**self.shared.seat.load() {
            Seat::Vacant => true,
            Seat::Here(addr) => !addr.connected(),
            Seat::There(away) => away.is_closed(),
        }
    }

    /// Ends the tenant in order: what is under way ends, nothing new is taken.
    pub(crate) async fn stop(&self) {
        match (self.here(), self.away()) {
            // An actor that is gone already has ended too.
            (Some(addr), _) => drop(addr.send(super::actor::Stop).await),
            (None, Some(away)) => away.close(&self.shared),
            (None, None) => {}
        }
    }

    /// Whether a text of it is with the carrier now, or about to be: its end would wait for the answer.
    pub(crate) async fn is_calling(&self) -> bool {
        let Some(addr) = self.here() else { return false };
        addr.send(super::actor::IsCalling).await.unwrap_or(false)
    }

    /// It is no longer followed from another node; readers stay.
    pub(crate) async fn part(&self) {
        if let Some(away) = self.away() {
            away.end().await;
        }
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
        match self.ask(Place(message), Question::Place(message)).await? {
            Asked::Here(place) | Asked::There(PeerAnswer::Place(place)) => Ok(place),
            Asked::There(_) => Err(other_answer()),
        }
    }

    /// What waits at a line, and what is left of its days.
    pub async fn queue(&self, channel: ChannelId) -> Result<LineQueue, Refusal> {
        match self.ask(Queue(channel.clone()), Question::Queue(channel)).await? {
            Asked::Here(queue) | Asked::There(PeerAnswer::Queue(queue)) => Ok(queue),
            Asked::There(_) => Err(other_answer()),
        }
    }

    /// What it holds in memory.
    pub async fn stats(&self) -> Result<Stats, Refusal> {
        match self.ask(Measure, Question::Stats).await? {
            Asked::Here(stats) | Asked::There(PeerAnswer::Stats(stats)) => Ok(stats),
            Asked::There(_) => Err(other_answer()),
        }
    }

    /// Asks the tenant itself, wherever it runs.
    async fn ask<M>(&self, message: M, question: Question) -> Result<Asked<M::Result>, Refusal>
    where
        M: actix::Message + Send + 'static,
        M::Result: Send,
        TenantActor: actix::Handler<M>,
    {
        if let Some(addr) = self.here()
            && let Ok(Ok(answer)) = tokio::time::timeout(VIEWED_WITHIN, addr.send(message)).await
        {
            return Ok(Asked::Here(answer));
        }
        match self.away() {
            Some(away) => Ok(Asked::There(away.ask(question, VIEWED_WITHIN).await?)),
            None => Err(Refusal::unavailable("the tenant did not answer in time")),
        }
    }

    /// Returns when the views hold everything up to `offset`: so that who wrote something reads it.
    pub async fn viewed(&self, offset: Offset) -> Result<(), Refusal> {
        let waited = tokio::time::timeout(VIEWED_WITHIN, self.shared.viewed.reach(offset)).await;
        waited.map_err(|_| Refusal::unavailable("the views lag behind"))
    }
}

/// An answer, and from where.
enum Asked<T> {
    Here(T),
    There(PeerAnswer),
}

fn other_answer() -> Refusal {
    Refusal::unavailable("the tenant's owner answered something else")
}
