//! The engine: starts tenants on demand on its arbiters, keeps the directory, wakes who is due, drains at the end.

mod wake;

use std::{mem, sync::Arc, time::Duration};

use dashmap::DashMap;
use schema::{
    command::{Reply, Request},
    event::{StoredEvent, WriteVersion},
    ids::{FeedId, NodeId, Offset, TenantId},
    problem::Code,
};
use tokio::sync::{OnceCell, oneshot};

use crate::{
    arbiters::Arbiters,
    catch_up::Gaps,
    cluster::{Joined, Together, Try, Way, look_for_owners, raise_write_version, settle},
    conversation::Policy,
    directory::SystemDirectory,
    feed::FeedConfig,
    follower::Advances,
    handle::Refusal,
    listings::Listings,
    outbox::{LaneOptions, ReconcileOptions},
    ports::{Carrier, Clock, Directory, Ids, Keys, Limiter, Log, MemberState, Views},
    projector::Projector,
    tenant::{
        TenantHandle,
        charged::{self, Charged},
        handle::Shared,
        start::{self, Former},
    },
    trace,
    vault::Vault,
};

/// First and longest wait before a tenant on its way to another node is asked again.
const MOVED_AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));
/// Waits before claims that could not be counted are counted again.
const COUNT_AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// Bytes of the directory's log read at once.
const DIRECTORY_BYTES: usize = 4 << 20;

/// What the core needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// Durable order.
    pub log: Arc<dyn Log>,
    /// What the log means.
    pub views: Arc<dyn Views>,
    /// Personal keys.
    pub keys: Arc<dyn Keys>,
    /// Pace.
    pub limiter: Arc<dyn Limiter>,
    /// The way out.
    pub carrier: Arc<dyn Carrier>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn Ids>,
}

/// What an engine is started with.
pub struct Setup {
    /// Which node this is.
    pub node: NodeId,
    /// What it runs on.
    pub ports: Ports,
    /// Its bounds.
    pub limits: Limits,
    /// Threads that tenants live on; 0: they live on the `LocalSet` that starts the engine.
    pub arbiters: usize,
    /// Followers that are told when a feed has grown.
    pub advances: Vec<Arc<Advances>>,
    /// Empty; the engine fills it from the log, adapters look things up in it.
    pub directory: Arc<SystemDirectory>,
}

/// Bounds and durations; each with the failure it prevents in `config/default.toml`.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Commands that may wait at a tenant.
    pub mailbox: usize,
    /// Bytes of a batch under assembly after which further commands wait.
    pub batch_bytes: usize,
    /// Commands that may wait for room in the batch.
    pub stalled: usize,
    /// Conversations of one tenant in memory.
    pub conversations: usize,
    /// Commands that may wait for one conversation's state to be read.
    pub waiting: usize,
    /// A conversation leaves memory after so long without a command.
    pub conversation_idle: Duration,
    /// Texts of a tenant that are open at its lanes; operators' further ones are refused.
    pub queue: usize,
    /// Texts of one lane that wait, and that are at the carrier at the same time.
    pub lane: LaneOptions,
    /// A tenant leaves memory after so long without anybody who needs it.
    pub tenant_idle: Duration,
    /// A call to the carrier is dropped after so long.
    pub send_deadline: Duration,
    /// While a text's fate is unknown, its contact's next ones wait so long.
    pub unknown_hold: Duration,
    /// When the carrier's list is asked for a text whose fate is unknown.
    pub reconcile: ReconcileOptions,
    /// Batches that may wait for the projector.
    pub projections: usize,
    /// The feed's ring.
    pub feed: FeedConfig,
    /// What decisions go by.
    pub policy: Policy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mailbox: 4_096,
            batch_bytes: 512 * 1024,
            stalled: 8_192,
            conversations: 200_000,
            waiting: 1_024,
            conversation_idle: Duration::from_secs(60),
            queue: 100_000,
            lane: LaneOptions::default(),
            tenant_idle: Duration::from_secs(300),
            send_deadline: Duration::from_secs(20),
            unknown_hold: Duration::from_secs(30),
            reconcile: ReconcileOptions::default(),
            projections: 1_024,
            feed: FeedConfig::default(),
            policy: Policy::default(),
        }
    }
}

/// What all tenants of a node share.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) ports: Ports,
    pub(crate) vault: Vault,
    pub(crate) limits: Limits,
    pub(crate) projector: Projector,
    pub(crate) advances: Vec<Arc<Advances>>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) listings: Arc<Listings>,
    pub(crate) charged: Arc<Charged>,
    pub(crate) directory: Arc<SystemDirectory>,
    /// Other nodes, if there are any.
    pub(crate) together: Option<Arc<Together>>,
}

/// All tenants of this node. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// An engine that may end.
#[derive(Clone)]
pub(crate) struct WeakEngine(std::sync::Weak<Inner>);

impl WeakEngine {
    pub(crate) fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(|inner| Engine { inner })
    }
}

struct Inner {
    node: Arc<Node>,
    arbiters: Arbiters,
    tenants: DashMap<TenantId, Arc<OnceCell<TenantHandle>>>,
    /// What readers hold of tenants that have left this node and are not followed yet.
    kept: DashMap<TenantId, Arc<Shared>>,
    gaps: Arc<Gaps>,
    draining: std::sync::atomic::AtomicBool,
}

impl Engine {
    /// Starts the engine on the current tokio runtime: reads the directory, then wakes who is due.
    pub async fn start(setup: Setup) -> Result<Self, Refusal> {
        let engine = Self::open(setup, None)?;
        engine.begin().await?;
        Ok(engine)
    }

    /// An engine among others. Other nodes may ask it at once; it serves when it has begun.
    pub fn join(setup: Setup, joined: Joined) -> Result<Self, Refusal> {
        Self::open(setup, Some(joined))
    }

    fn open(setup: Setup, joined: Option<Joined>) -> Result<Self, Refusal> {
        let Setup { node: id, ports, limits, arbiters, advances, directory } = setup;
        let vault = Vault::new(ports.keys.clone());
        let projector = Projector::start(ports.views.clone(), limits.projections);
        let runtime = tokio::runtime::Handle::current();
        let listings = Arc::new(Listings::new(limits.reconcile.interval));
        let charged = Arc::default();
        let (together, moved) = match joined.map(|joined| Together::new(id.clone(), joined)) {
            Some((together, moved)) => (Some(Arc::new(together)), Some(moved)),
            None => (None, None),
        };
        let node =
            Node { id, ports, vault, limits, projector, advances, runtime, listings, charged, directory, together };
        let node = Arc::new(node);
        let arbiters = Arbiters::start(arbiters).map_err(|error| Refusal::unavailable(error.to_string()))?;
        let draining = std::sync::atomic::AtomicBool::new(false);
        let (tenants, kept, gaps) = (DashMap::new(), DashMap::new(), Arc::default());
        let engine = Self { inner: Arc::new(Inner { node, arbiters, tenants, kept, gaps, draining }) };
        if let Some(moved) = moved {
            tokio::spawn(look_for_owners(WeakEngine(Arc::downgrade(&engine.inner)), moved));
        }
        Ok(engine)
    }

    /// Reads the directory, starts its tenant or follows it, then wakes who is due.
    pub async fn begin(&self) -> Result<(), Refusal> {
        let node = &self.inner.node;
        let read = read_directory(&*node.ports.log, &node.directory).await?;
        let written = node.directory.write_version();
        if node.together.is_none() && written > WriteVersion::NEWEST {
            let newest = WriteVersion::NEWEST;
            return Err(Refusal::unavailable(format!(
                "the log holds events of write version {written}, this version of the engine reads up to {newest}: use a newer one"
            )));
        }
        if let Some(together) = &node.together {
            together.directory_is_at(read);
        }
        loop {
            match self.tenant(&TenantId::system()).await {
                // Its owner is starting, or gone and about to be replaced.
                Err(Refusal::Moved) => tokio::time::sleep(MOVED_AGAIN.1).await,
                result => break result.map(drop)?,
            }
        }
        match &node.together {
            Some(together) => {
                together.tell(MemberState::Serving);
                tokio::spawn(raise_write_version(WeakEngine(Arc::downgrade(&self.inner))));
                tokio::spawn(settle(WeakEngine(Arc::downgrade(&self.inner))));
            }
            // Nobody else has to read it.
            None if written < WriteVersion::NEWEST => self.raise_to(WriteVersion::NEWEST).await?,
            None => {}
        }
        tokio::spawn(count_shared(Arc::downgrade(&self.inner)));
        tokio::spawn(wake::wake_due(Arc::downgrade(&self.inner)));
        Ok(())
    }

    /// A tenant's handle; starts the tenant if it sleeps. Unknown tenants are `not_found`.
    pub async fn tenant(&self, id: &TenantId) -> Result<TenantHandle, Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        let known = self.inner.tenants.get(id).map(|cell| cell.clone());
        if let Some(handle) = known.as_ref().and_then(|cell| cell.get())
            && !handle.is_closed()
        {
            return Ok(handle.clone());
        }
        if !self.knows(id).await {
            return Err(Refusal::rejected(Code::NotFound, format!("tenant {id}")));
        }
        self.put_aside(id);
        let cell = self.inner.tenants.entry(id.clone()).or_default().clone();
        // A task of its own: were whoever asks first to give up, the next would start the tenant a second time beside it.
        let (engine, id) = (self.clone(), id.clone());
        let started = async move { cell.get_or_try_init(|| engine.start_tenant(id)).await.cloned() };
        let started = tokio::spawn(started).await;
        started.unwrap_or_else(|_| Err(Refusal::unavailable("the node is stopping")))
    }

    /// Asks a tenant for something; one that fell asleep meanwhile is started again.
    pub async fn submit(&self, id: &TenantId, request: Request) -> Result<Reply, Refusal> {
        // Also when the caller gives up waiting: the carrier may not try again.
        let watch = self.inner.gaps.watch(id, &request);
        let result = self.pass(id, request).await;
        watch.ends(&result);
        result
    }

    async fn pass(&self, id: &TenantId, request: Request) -> Result<Reply, Refusal> {
        if !trace::traces(request.origin.request) {
            return self.submit_once_or_again(id, request).await;
        }
        let (origin, began) = (request.origin.clone(), self.ports().clock.now());
        let result = self.submit_once_or_again(id, request).await;
        let outcome = if result.is_ok() { "accepted" } else { "refused" };
        trace::submitted(&origin, began, self.ports().clock.now(), outcome);
        result
    }

    async fn submit_once_or_again(&self, id: &TenantId, request: Request) -> Result<Reply, Refusal> {
        if let Some(together) = self.together() {
            return self.submit_wherever(together, id, request).await;
        }
        let request = match self.tenant(id).await?.try_submit(request).await {
            Ok(result) => return result,
            Err(request) => *request,
        };
        self.tenant(id).await?.submit(request).await
    }

    /// To the tenant's owner, also while it changes: what was certainly not stored is asked again.
    async fn submit_wherever(&self, together: &Together, id: &TenantId, request: Request) -> Result<Reply, Refusal> {
        let deadline = tokio::time::Instant::now() + together.options.answer_within;
        let mut wait = MOVED_AGAIN.0;
        let mut which = Try::First;
        loop {
            let result = match self.way(together, id, mem::replace(&mut which, Try::Again)).await {
                Ok(Way::Seated(tenant)) => tenant.try_submit(request.clone()).await.unwrap_or(Err(Refusal::Moved)),
                Ok(Way::To(node)) => self.forward(together, &node, id, request.clone()).await,
                Err(refusal) => Err(refusal),
            };
            if result != Err(Refusal::Moved) || tokio::time::Instant::now() + wait >= deadline {
                return result;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 3 / 2).min(MOVED_AGAIN.1);
        }
    }

    /// Whether there is such a tenant.
    pub(crate) async fn knows(&self, id: &TenantId) -> bool {
        *id == TenantId::system() || self.inner.node.directory.tenant_exists(id) || self.learns_of(id).await
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.inner.draining.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Whether a tenant runs or is followed here, or readers here wait for its next owner.
    pub(crate) fn is_held(&self, id: &TenantId) -> bool {
        let cell = self.inner.tenants.get(id).map(|cell| cell.clone());
        let handle = cell.as_ref().and_then(|cell| cell.get());
        let is_read = handle.is_some_and(|handle| !handle.is_closed() || !handle.shared.feed.is_closed());
        is_read || self.inner.kept.contains_key(id)
    }

    /// Whether a tenant ran or was followed here, and nobody has seated it since.
    pub(crate) fn was_held(&self, id: &TenantId) -> bool {
        self.inner.tenants.contains_key(id)
    }

    /// Tenants whose carriers were not answered.
    pub(crate) fn gaps(&self) -> &Gaps {
        &self.inner.gaps
    }

    /// Turns at the carriers' lists.
    pub(crate) fn listings(&self) -> &Listings {
        &self.inner.node.listings
    }

    /// The handle of a tenant that runs now.
    pub fn running(&self, id: &TenantId) -> Option<TenantHandle> {
        let cell = self.inner.tenants.get(id)?.clone();
        cell.get().filter(|handle| !handle.is_closed()).cloned()
    }

    async fn start_tenant(&self, id: TenantId) -> Result<TenantHandle, Refusal> {
        let Some(together) = self.together().cloned() else { return self.start_here(id, Former::default()).await };
        let kept = self.inner.kept.get(&id).map(|kept| kept.clone()).filter(|kept| !kept.feed.is_closed());
        let seated = self.seat(&together, id.clone(), kept).await;
        if seated.is_ok() {
            self.inner.kept.remove(&id);
        }
        seated
    }

    /// Starts a tenant on this node.
    pub(crate) async fn start_here(&self, id: TenantId, former: Former) -> Result<TenantHandle, Refusal> {
        let (done, started) = oneshot::channel();
        let node = self.inner.node.clone();
        let tenant = id.clone();
        self.inner.arbiters.spawn(&id, move || async move {
            let _ = done.send(start::start(node, tenant, former).await);
        });
        started.await.map_err(|_| Refusal::unavailable("the tenant's arbiter has stopped"))?
    }

    /// A tenant that has closed makes room for the next; where it goes on elsewhere its readers are kept.
    fn put_aside(&self, id: &TenantId) {
        self.inner.tenants.remove_if(id, |_, cell| {
            let Some(handle) = cell.get().filter(|handle| handle.is_closed()) else { return false };
            // Before the place is free: whoever seats the tenant next finds them.
            if self.together().is_some() && !handle.shared.feed.is_closed() {
                self.inner.kept.insert(id.clone(), handle.shared.clone());
            }
            true
        });
    }

    /// Nobody serves it: what its readers hold.
    pub(crate) fn forget_kept(&self, id: &TenantId) -> Option<Arc<Shared>> {
        self.inner.kept.remove(id).map(|(_, kept)| kept)
    }

    /// Every tenant in memory, here or followed.
    pub(crate) fn handles(&self) -> Vec<TenantHandle> {
        self.inner.tenants.iter().filter_map(|cell| cell.get().cloned()).collect()
    }

    pub(crate) fn inner_node(&self) -> &Arc<Node> {
        &self.inner.node
    }

    pub(crate) fn together(&self) -> Option<&Arc<Together>> {
        self.inner.node.together.as_ref()
    }

    /// The directory, for look-ups from memory.
    pub fn directory(&self) -> Arc<dyn Directory> {
        self.inner.node.directory.clone()
    }

    /// The ports it runs on.
    pub fn ports(&self) -> &Ports {
        &self.inner.node.ports
    }

    /// Seals and opens personal parts.
    pub fn vault(&self) -> &Vault {
        &self.inner.node.vault
    }

    /// Which node this is.
    pub fn node(&self) -> &NodeId {
        &self.inner.node.id
    }

    /// Takes no more commands, lets what is under way end, stops every tenant; at most `within`.
    pub async fn drain(&self, within: Duration) {
        self.inner.draining.store(true, std::sync::atomic::Ordering::Relaxed);
        if let Some(together) = self.together() {
            together.end();
        }
        let mut handles = self.handles();
        handles.sort_unstable_by(|one, other| one.id().cmp(other.id()));
        let stop = futures_util::future::join_all(handles.iter().map(TenantHandle::stop));
        if tokio::time::timeout(within, stop).await.is_err() {
            tracing::warn!("not every tenant ended in time; what was acknowledged is stored all the same");
        }
        if let Some(together) = self.together() {
            together.tell(MemberState::Left);
        }
        self.inner.arbiters.stop();
    }
}

/// Folds the system feed into the directory; returns its last offset.
async fn read_directory(log: &dyn Log, directory: &SystemDirectory) -> Result<Offset, Refusal> {
    let feed = FeedId::of(&TenantId::system());
    let mut from = Offset(1);
    loop {
        let batches = log.read(&feed, from, DIRECTORY_BYTES).await;
        let batches = batches.map_err(|error| Refusal::unavailable(format!("directory: {error}")))?;
        if batches.is_empty() {
            return Ok(Offset(from.0 - 1));
        }
        for batch in &batches {
            for event in batch.events() {
                let event: StoredEvent = event.map_err(|error| Refusal::unavailable(format!("directory: {error}")))?;
                directory.apply(&event.fact);
            }
            from = batch.header.end();
        }
    }
}

/// Counts what every tenant has sent under limits that others may share; again until all of it is counted.
async fn count_shared(inner: std::sync::Weak<Inner>) {
    let mut wait = COUNT_AGAIN.0;
    let Some(mut left) = inner.upgrade().map(|inner| inner.node.directory.tenants()) else { return };
    while let Some(inner) = inner.upgrade() {
        let engine = Engine { inner };
        let mut again = Vec::new();
        for tenant in left {
            if let Err(reason) = charged::count(&engine.inner.node, &tenant).await {
                tracing::warn!(%tenant, reason, "claims cannot be counted; nothing is sent yet under shared limits");
                // A tenant that starts mends its views, and counts its own claims.
                let _ = engine.tenant(&tenant).await;
                again.push(tenant);
            }
        }
        if again.is_empty() {
            let ports = &engine.inner.node.ports;
            ports.limiter.counted(ports.clock.now());
            return engine.inner.node.charged.become_whole();
        }
        left = again;
        drop(engine);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(COUNT_AGAIN.1);
    }
}
