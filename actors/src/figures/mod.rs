//! Figures: follows every tenant's log and counts what became of calls, questions and texts.
//!
//! It is never called from the write path. Whoever asks has the count brought up to the log's end first; meanwhile a task
//! keeps it near, so that nobody waits. The count is kept as a snapshot: a crash costs reading what came after it.

mod report;
mod tally;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use schema::{
    event::CodecError,
    figures::FiguresPage,
    ids::{ChannelId, Epoch, FeedId, Offset, TenantId},
    time::Stamp,
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::{Instant, sleep, timeout},
};

use self::tally::Tally;
use crate::{
    follower::Advances,
    ports::{Log, LogError, SnapshotError, Snapshots},
};

/// What a snapshot is made by: one of another version is counted anew.
const VERSION: u8 = 2;
/// Between looks at what has grown: many batches are counted at once.
const ROUND: Duration = Duration::from_secs(1);
/// Longest that who asks waits for the count to catch up; then it is given as it is.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(2);
/// Wait after a failure.
const BACK_OFF: Duration = Duration::from_secs(5);

/// Bounds.
#[derive(Debug, Clone)]
pub struct FiguresConfig {
    /// Hours that are kept.
    pub keep_hours: u32,
    /// Tenants whose counts are in memory.
    pub tenants_max: usize,
    /// Between snapshots of one tenant.
    pub save_every: Duration,
    /// Bytes of a log read at once.
    pub read_bytes: usize,
}

impl Default for FiguresConfig {
    fn default() -> Self {
        let save_every = Duration::from_secs(30);
        Self { keep_hours: 92 * 24, tenants_max: 1_024, save_every, read_bytes: 1 << 20 }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct FiguresQuery {
    /// The hour of this is the last.
    pub now: Stamp,
    /// How many hours, from 1.
    pub hours: u32,
    /// Of one line alone; none: of all.
    pub channel: Option<ChannelId>,
}

/// Why figures cannot be told now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FiguresError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The snapshot cannot be read or written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// An event cannot be read.
    #[error("stored event: {0}")]
    Codec(#[from] CodecError),
}

/// The counts of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Figures {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn Log>,
    snapshots: Arc<dyn Snapshots>,
    config: FiguresConfig,
    held: Mutex<HashMap<TenantId, Slot>>,
}

/// A tenant's place in memory.
#[derive(Clone)]
struct Slot {
    used: Instant,
    count: Arc<AsyncMutex<Option<Count>>>,
}

/// How far a log is counted, and what was counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Count {
    version: u8,
    epoch: Epoch,
    offset: Offset,
    tally: Tally,
    /// The hour up to which what nothing can change any more was forgotten.
    #[serde(skip)]
    pruned: u32,
    /// Offset of the snapshot, and when it was taken.
    #[serde(skip)]
    saved: Saved,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Saved {
    offset: Offset,
    at: Option<Instant>,
}

impl Figures {
    /// Over a node's ports.
    pub fn new(log: Arc<dyn Log>, snapshots: Arc<dyn Snapshots>, config: FiguresConfig) -> Self {
        Self { inner: Arc::new(Inner { log, snapshots, config, held: Mutex::default() }) }
    }

    /// What was counted, brought up to the log's end unless that takes too long.
    pub async fn page(&self, tenant: &TenantId, query: &FiguresQuery) -> Result<FiguresPage, FiguresError> {
        let mut held = self.hold(tenant).await?;
        let count = held.as_mut().expect("it is there while it is held");
        let end = Instant::now() + CATCH_UP_WITHIN;
        let mut behind = true;
        while behind && Instant::now() < end {
            behind = self.advance(tenant, count).await?;
        }
        Ok(report::page(count, query, behind))
    }

    /// Keeps every count near its log. Dropping the future is safe: counting goes on from the snapshots.
    pub async fn run(self, advances: Arc<Advances>) {
        let mut grown = BTreeSet::new();
        let mut unsaved = BTreeSet::new();
        loop {
            if grown.is_empty() && unsaved.is_empty() {
                grown.extend(advances.next().await);
            } else if let Ok(more) = timeout(ROUND, advances.next()).await {
                grown.extend(more);
            }
            match self.round(&mut grown, &mut unsaved).await {
                Ok(()) => sleep(ROUND).await,
                Err(error) => {
                    metrics::counter!("deskwire_figures_failures_total").increment(1);
                    tracing::warn!(%error, "figures lag behind; trying again");
                    sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Counts what has grown, saves what is due, and lets go of what nobody used lately.
    async fn round(&self, grown: &mut BTreeSet<FeedId>, unsaved: &mut BTreeSet<TenantId>) -> Result<(), FiguresError> {
        while let Some(feed) = grown.first().cloned() {
            // The directory's feed holds nothing to count.
            if feed.tenant != TenantId::system() {
                unsaved.insert(feed.tenant.clone());
                self.catch_up(&feed.tenant).await?;
            }
            grown.remove(&feed);
        }
        for tenant in unsaved.clone() {
            if self.save_if_due(&tenant).await? {
                unsaved.remove(&tenant);
            }
        }
        self.let_go(unsaved).await
    }

    async fn catch_up(&self, tenant: &TenantId) -> Result<(), FiguresError> {
        loop {
            // Whoever asks comes in between.
            let mut held = self.hold(tenant).await?;
            let count = held.as_mut().expect("it is there while it is held");
            if !self.advance(tenant, count).await? {
                return Ok(());
            }
        }
    }

    /// A tenant's count, from its snapshot if it is not in memory. One of another log is worth nothing.
    async fn hold(&self, tenant: &TenantId) -> Result<OwnedMutexGuard<Option<Count>>, FiguresError> {
        let count = {
            let mut held = self.held();
            let slot =
                held.entry(tenant.clone()).or_insert_with(|| Slot { used: Instant::now(), count: Arc::default() });
            slot.used = Instant::now();
            slot.count.clone()
        };
        let mut held = count.lock_owned().await;
        if held.is_none() {
            let epoch = self.inner.log.anchor(&FeedId::of(tenant)).await?.epoch;
            let snapshot = self.inner.snapshots.load(tenant).await?;
            let known = snapshot.and_then(|bytes| postcard::from_bytes::<Count>(&bytes).ok());
            let known = known.filter(|known| known.version == VERSION && known.epoch == epoch);
            let mut count = known.unwrap_or_else(|| Count::new(epoch));
            count.saved = Saved { offset: count.offset, at: Some(Instant::now()) };
            *held = Some(count);
        }
        Ok(held)
    }

    /// Counts one read of the log; `true`: there may be more.
    async fn advance(&self, tenant: &TenantId, count: &mut Count) -> Result<bool, FiguresError> {
        let (feed, bytes) = (FeedId::of(tenant), self.inner.config.read_bytes);
        let batches = match self.inner.log.read(&feed, count.offset.next(), bytes).await {
            // What was trimmed before it was counted is not among the figures, and `since` says so.
            Err(LogError::Trimmed { oldest }) => {
                *count = Count::new(count.epoch);
                count.offset = Offset(oldest.0.saturating_sub(1));
                self.inner.log.read(&feed, oldest, bytes).await?
            }
            read => read?,
        };
        let Some(last) = batches.last() else { return Ok(false) };
        let end = last.header.last();
        for event in batches.iter().flat_map(schema::event::SealedBatch::events) {
            let event = event?;
            if event.header.offset > count.offset {
                count.tally.apply(&event.header, &event.fact);
                count.offset = event.header.offset;
            }
        }
        debug_assert_eq!(count.offset, end, "a batch is counted whole");
        count.prune(self.inner.config.keep_hours);
        Ok(true)
    }

    /// `true`: nothing is left to save.
    async fn save_if_due(&self, tenant: &TenantId) -> Result<bool, FiguresError> {
        let mut held = self.hold(tenant).await?;
        let count = held.as_mut().expect("it is there while it is held");
        let due = count.saved.at.is_none_or(|at| at.elapsed() >= self.inner.config.save_every);
        if count.offset != count.saved.offset && due {
            self.save(tenant, count).await?;
        }
        Ok(count.offset == count.saved.offset)
    }

    async fn save(&self, tenant: &TenantId, count: &mut Count) -> Result<(), FiguresError> {
        let snapshot = postcard::to_stdvec(count).expect("a count of plain values always encodes");
        self.inner.snapshots.save(tenant, snapshot).await?;
        count.saved = Saved { offset: count.offset, at: Some(Instant::now()) };
        Ok(())
    }

    /// The least used leave memory, saved.
    async fn let_go(&self, unsaved: &mut BTreeSet<TenantId>) -> Result<(), FiguresError> {
        let mut used: Vec<(Instant, TenantId)> =
            self.held().iter().map(|(tenant, slot)| (slot.used, tenant.clone())).collect();
        let surplus = used.len().saturating_sub(self.inner.config.tenants_max);
        used.sort_unstable();
        for (_, tenant) in used.into_iter().take(surplus) {
            let mut held = self.hold(&tenant).await?;
            if let Some(count) = held.as_mut().filter(|count| count.offset != count.saved.offset) {
                self.save(&tenant, count).await?;
            }
            *held = None;
            // Whoever waits for it now has the same slot, and loads it again.
            self.held().remove(&tenant);
            unsaved.remove(&tenant);
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<TenantId, Slot>> {
        // Every change under it is one that cannot be half done.
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    fn new(epoch: Epoch) -> Self {
        let (tally, saved) = (Tally::default(), Saved::default());
        Self { version: VERSION, epoch, offset: Offset(0), tally, pruned: 0, saved }
    }

    /// Once an hour of the log: it looks at everything that is open, however little was read.
    fn prune(&mut self, keep: u32) {
        let hour = self.tally.newest_hour();
        if hour > self.pruned {
            self.tally.prune(keep);
            self.pruned = hour;
        }
    }
}
