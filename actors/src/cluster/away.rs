//! A tenant that another node owns: commands are passed on, and one follow of its feed serves every reader on this node.
//!
//! When the owner is lost or moves, the next is found and followed from where this node stands: readers do not notice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use schema::{
    command::{Reply, Request},
    ids::{NodeId, TenantId},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Together, find::Place, forward::refusal, tail};
use crate::{
    engine::Node,
    feed::CloseReason,
    handle::Refusal,
    ports::{Follow, Followed, Following, PeerAnswer, PeerError, Question},
    tenant::{
        TenantHandle,
        handle::{Seat, Shared},
        ticket::Identity,
    },
};

/// Waits between two looks for an owner.
const AGAIN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// For the answer to a wish to follow.
const FOLLOW_WITHIN: Duration = Duration::from_secs(1);
/// Between two reports of who is online here, at most.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// Between two reports when something has changed, at least.
const REPORT_AGAIN: Duration = Duration::from_millis(200);

/// A tenant that another node owns.
pub(crate) struct Away {
    node: Arc<Node>,
    together: Arc<Together>,
    tenant: TenantId,
    owner: ArcSwap<NodeId>,
    /// Somebody has found that the owner is another.
    nudge: Notify,
    parting: AtomicBool,
    /// Events that were missing here when the owner last said where it stands.
    behind: AtomicU64,
    /// Nobody writes to what readers hold any more. Not a `watch`, which wakes who waits in a random order: a run could not
    /// be repeated from a seed.
    ended: CancellationToken,
}

/// How a follow ended.
enum Lost {
    /// The owner has let the tenant go; that one should take it.
    LetGo(Option<NodeId>),
    /// For whatever reason.
    Otherwise,
}

impl Away {
    /// Follows `owner` from where `shared` stands.
    pub(crate) fn start(
        (node, together): (Arc<Node>, Arc<Together>),
        tenant: TenantId,
        owner: NodeId,
        shared: Arc<Shared>,
    ) -> TenantHandle {
        let away = Arc::new(Self {
            node: node.clone(),
            together,
            tenant: tenant.clone(),
            owner: ArcSwap::from_pointee(owner),
            nudge: Notify::new(),
            parting: AtomicBool::new(false),
            behind: AtomicU64::new(0),
            ended: CancellationToken::new(),
        });
        shared.seat.store(Arc::new(Seat::There(away.clone())));
        node.runtime.spawn(away.follow_on(shared.clone()));
        TenantHandle { id: tenant, shared }
    }

    /// Whether nobody writes to what readers hold any more: the tenant may be seated elsewhere.
    pub(crate) fn is_closed(&self) -> bool {
        self.ended.is_cancelled()
    }

    fn is_parting(&self) -> bool {
        self.parting.load(Ordering::Acquire)
    }

    /// Events that were missing here when the owner last said where it stands.
    pub(crate) fn behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    /// Nobody follows any more; readers are told.
    pub(crate) fn close(&self, shared: &Shared) {
        self.part();
        shared.publisher.close(CloseReason::Stopped);
    }

    /// Nobody follows any more; readers stay. Returns when nothing is written to what they hold.
    pub(crate) async fn end(&self) {
        self.part();
        self.ended.cancelled().await;
    }

    fn part(&self) {
        self.parting.store(true, Ordering::Release);
        self.nudge.notify_one();
    }

    /// Passes a command on; what comes back is also shown here.
    pub(crate) async fn submit(&self, shared: &Shared, request: Request) -> Result<Reply, Refusal> {
        let is_same_again = Identity::of(&request).is_some();
        let owner = self.owner.load_full();
        let reply = self.together.forward(&self.node, &owner, &self.tenant, request).await;
        let reply = reply.map_err(|error| self.refusal(error, is_same_again))?;
        tail::shown(shared, &reply).await;
        Ok(reply)
    }

    /// Asks the owner something else.
    pub(crate) async fn ask(&self, question: Question, within: Duration) -> Result<PeerAnswer, Refusal> {
        let owner = self.owner.load_full();
        let asked = self.together.ask(&self.node, &owner, (&self.tenant, question), within).await;
        asked.map_err(|error| self.refusal(error, false))
    }

    fn refusal(&self, error: PeerError, is_same_again: bool) -> Refusal {
        // Also when it stays silent: it may be gone.
        if matches!(error, PeerError::NotOwner { .. } | PeerError::Unreachable(_) | PeerError::Unknown(_)) {
            self.nudge.notify_one();
        }
        refusal(error, is_same_again)
    }

    /// Until the tenant runs here, or nobody needs it.
    async fn follow_on(self: Arc<Self>, shared: Arc<Shared>) {
        let ended = self.ended.clone().drop_guard();
        let mut wait = AGAIN.0;
        let mut is_due_here = false;
        while !self.is_parting() {
            let began = Instant::now();
            let lost = self.follow(&shared).await;
            if self.is_parting() {
                break;
            }
            if let Lost::LetGo(Some(heir)) = lost {
                let before = self.owner.load_full();
                self.together.pass_to(&self.node, &heir, &self.tenant, &before).await;
            }
            match self.together.find(&self.node, &self.tenant).await {
                Ok(Place::There(owner)) => self.owner.store(Arc::new(owner)),
                Ok(Place::Here | Place::Taken) => {
                    is_due_here = true;
                    break;
                }
                Err(_) => {}
            }
            wait = if began.elapsed() > AGAIN.1 { AGAIN.0 } else { (wait * 2).min(AGAIN.1) };
            tokio::time::sleep(wait).await;
        }
        drop(ended);
        if is_due_here {
            self.together.look_for(&self.tenant);
        }
    }

    /// One owner, as long as it confirms that it is the owner.
    async fn follow(&self, shared: &Arc<Shared>) -> Lost {
        let owner = self.owner.load_full();
        let following = match self.begin(shared, &owner).await {
            Ok(following) => following,
            Err(PeerError::NotOwner { owner: heir }) if self.together.is_draining(&owner) => return Lost::LetGo(heir),
            Err(PeerError::NotOwner { owner: Some(other) }) => {
                // Whoever it names may be gone without its knowing.
                self.together.probe(&self.node, &other).await;
                return Lost::Otherwise;
            }
            Err(error) => {
                tracing::debug!(tenant = %self.tenant, %owner, %error, "a feed cannot be followed");
                return Lost::Otherwise;
            }
        };
        metrics::gauge!("deskwire_cluster_followed").increment(1.0);
        self.take(shared, following).await;
        metrics::gauge!("deskwire_cluster_followed").decrement(1.0);
        Lost::Otherwise
    }

    async fn begin(&self, shared: &Shared, owner: &NodeId) -> Result<Following, PeerError> {
        let position = shared.feed.position();
        let follow = Follow {
            from: self.node.id.clone(),
            tenant: self.tenant.clone(),
            epoch: position.epoch,
            offset: position.offset,
        };
        let begun = match self.together.peer(owner) {
            Some(peer) => match timeout(FOLLOW_WITHIN, peer.follow(follow)).await {
                Ok(begun) => begun,
                // Nothing was done: a process that is stopped takes connections and answers nothing.
                Err(_) => Err(PeerError::Unreachable("no answer".to_owned())),
            },
            None => Err(PeerError::Unreachable("not a member".to_owned())),
        };
        self.together.note(&self.node, owner, &begun);
        begun
    }

    /// Takes what comes, until nothing has come for too long.
    async fn take(&self, shared: &Arc<Shared>, mut following: Following) {
        let patience = self.together.options.confirm_within;
        let mut changes = shared.presence.changes();
        let mut report_at = Instant::now();
        let mut idle_since = Instant::now();
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = self.nudge.notified() => return,
                next = following.recv() => match next {
                    Some(next) => {
                        heard = Instant::now();
                        if !self.hear(shared, next).await {
                            return;
                        }
                    }
                    None => return,
                },
                changed = changes.changed() => {
                    report_at = report_at.min(Instant::now() + REPORT_AGAIN);
                    // The other end lives as long as `shared`.
                    let _ = changed;
                }
                () = tokio::time::sleep_until(report_at) => {
                    self.report(shared);
                    report_at = Instant::now() + REPORT_EVERY;
                    if Arc::strong_count(shared) > 2 || self.tenant == TenantId::system() {
                        idle_since = Instant::now();
                    }
                    if idle_since.elapsed() > self.node.limits.tenant_idle {
                        return self.close(shared);
                    }
                }
                () = tokio::time::sleep_until(heard + patience) => return,
            }
        }
    }

    /// `false`: this follow cannot go on.
    async fn hear(&self, shared: &Shared, next: Followed) -> bool {
        match next {
            Followed::Batch(batch) => tail::show(&self.node, shared, &batch).await.is_ok(),
            Followed::Stands(stands) => {
                shared.viewed.advance(stands.viewed);
                let behind = stands.head.0.saturating_sub(shared.feed.position().offset.0);
                self.behind.store(behind, Ordering::Relaxed);
                metrics::histogram!("deskwire_cluster_follow_lag_events")
                    .record(f64::from(u32::try_from(behind).unwrap_or(u32::MAX)));
                true
            }
            Followed::Present(online) => {
                shared.presence.mirror(online);
                true
            }
        }
    }

    /// Tells the owner who is online here. Nobody waits for it.
    fn report(&self, shared: &Shared) {
        let (node, together, owner) = (self.node.clone(), self.together.clone(), self.owner.load_full());
        let (tenant, online) = (self.tenant.clone(), shared.presence.here());
        self.node.runtime.spawn(async move {
            let question = Question::Present(online);
            let told = together.ask(&node, &owner, (&tenant, question), REPORT_EVERY).await;
            if let Err(error) = told {
                tracing::debug!(%tenant, %error, "the owner was not told who is online here");
            }
        });
    }
}
