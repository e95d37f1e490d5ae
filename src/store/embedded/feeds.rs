//! What the store knows of every feed in memory: anchor, end, wake entry, and where batches that are not yet rows
//! stand. Changed by the committer after each fsync, and by the mover.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use actors::ports::{Anchor, Head, WakeEntry};
use schema::{
    event::BatchHeader,
    ids::{BatchId, BatchNumber, FeedId, NodeId, Offset},
    time::Stamp,
};

use super::append::Appended;

/// A batch that is not yet a row.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) segment: Arc<Appended>,
    pub(super) position: u64,
    pub(super) length: u32,
    pub(super) id: BatchId,
    pub(super) node: NodeId,
    pub(super) first: Offset,
    pub(super) end: Offset,
}

/// One feed.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    pub(super) anchor: Anchor,
    pub(super) head: Head,
    /// When its tenant must be awake, by its last batch.
    pub(super) wake_at: Option<Stamp>,
    /// In order; the last one is the last batch of the feed.
    pub(super) unmoved: VecDeque<Place>,
}

impl Feed {
    /// Moves the end over a batch.
    pub(super) fn advance(&mut self, header: &BatchHeader, place: Place) {
        self.stand_after(header);
        self.unmoved.push_back(place);
    }

    /// The end of a feed whose last batch has this header.
    pub(super) fn stand_after(&mut self, header: &BatchHeader) {
        self.head = Head {
            next_batch: header.number.next(),
            next_offset: header.end(),
            stamp: header.stamp,
            owner: Some(header.node.clone()),
        };
        self.wake_at = header.wake_at;
    }

    /// An empty feed with this anchor.
    pub(super) fn empty(anchor: Anchor) -> Self {
        let head = super::log::empty_head(&anchor);
        Self { anchor, head, wake_at: None, unmoved: VecDeque::new() }
    }

    /// Number of the first batch that is not yet a row.
    pub(super) fn first_unmoved(&self) -> BatchNumber {
        BatchNumber(self.head.next_batch.0 - self.unmoved.len() as u64)
    }

    /// The unmoved batch with this number.
    pub(super) fn unmoved(&self, number: BatchNumber) -> Option<&Place> {
        let index = number.0.checked_sub(self.first_unmoved().0)?;
        self.unmoved.get(usize::try_from(index).ok()?)
    }
}

#[derive(Debug, Default)]
struct Inner {
    feeds: BTreeMap<FeedId, Feed>,
    wakes: BTreeSet<WakeEntry>,
}

/// Every feed. Shared by the committer, the mover and the readers.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    inner: Mutex<Inner>,
    unmoved_bytes: AtomicU64,
    pub(super) lagging: Lagging,
}

impl Feeds {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a feed, if there is one.
    pub(super) fn with<T>(&self, feed: &FeedId, read: impl FnOnce(&Feed) -> T) -> Option<T> {
        self.lock().feeds.get(feed).map(read)
    }

    /// Puts changed feeds in place, wake entries with them.
    pub(super) fn publish(&self, changes: impl Iterator<Item = (FeedId, Change)>) {
        let inner = &mut *self.lock();
        for (id, change) in changes {
            let feed = inner.feeds.entry(id.clone()).or_insert_with(|| Feed::empty(change.anchor.clone()));
            if feed.wake_at != change.wake_at {
                if let Some(due) = feed.wake_at {
                    inner.wakes.remove(&WakeEntry { due, feed: id.clone() });
                }
                if let Some(due) = change.wake_at {
                    inner.wakes.insert(WakeEntry { due, feed: id });
                }
            }
            feed.anchor = change.anchor;
            feed.head = change.head;
            feed.wake_at = change.wake_at;
            feed.unmoved.extend(change.places);
        }
    }

    /// Forgets places in a segment that are rows now.
    pub(super) fn moved(&self, feeds: impl Iterator<Item = FeedId>, segment: u64) {
        let inner = &mut *self.lock();
        for id in feeds {
            let Some(feed) = inner.feeds.get_mut(&id) else { continue };
            while feed.unmoved.front().is_some_and(|place| place.segment.number <= segment) {
                feed.unmoved.pop_front();
            }
        }
    }

    pub(super) fn add_unmoved_bytes(&self, bytes: u64) {
        self.unmoved_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove_unmoved_bytes(&self, bytes: u64) {
        self.unmoved_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn unmoved_bytes(&self) -> u64 {
        self.unmoved_bytes.load(Ordering::Relaxed)
    }

    /// Feeds by name, after one.
    pub(super) fn names(&self, after: Option<&FeedId>, limit: usize) -> Vec<FeedId> {
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        self.lock().feeds.range::<FeedId, _>(range).map(|(feed, _)| feed.clone()).take(limit).collect()
    }

    /// Wake entries due by a time, lagging feeds first.
    pub(super) fn due(&self, until: Stamp, limit: usize) -> Vec<WakeEntry> {
        let lagging = self.lagging.feeds();
        let mut due: Vec<WakeEntry> =
            lagging.iter().take(limit).map(|feed| WakeEntry { due: Stamp(0), feed: feed.clone() }).collect();
        let inner = self.lock();
        let ordered = inner.wakes.iter().take_while(|entry| entry.due <= until);
        due.extend(ordered.filter(|entry| !lagging.contains(&entry.feed)).take(limit - due.len()).cloned());
        due
    }
}

/// What a group of appends makes of a feed.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) anchor: Anchor,
    pub(super) head: Head,
    pub(super) wake_at: Option<Stamp>,
    /// New batches.
    pub(super) places: Vec<Place>,
}

/// Feeds whose views were behind their log when the store was opened, until they have caught up.
#[derive(Debug, Default)]
pub(super) struct Lagging {
    feeds: Mutex<BTreeMap<FeedId, Offset>>,
    count: AtomicU64,
}

impl Lagging {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<FeedId, Offset>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A feed's views must reach `until`.
    pub(super) fn add(&self, feed: FeedId, until: Offset) {
        let mut feeds = self.lock();
        feeds.insert(feed, until);
        self.count.store(feeds.len() as u64, Ordering::Release);
    }

    /// A feed's views are at `offset`. Cheap when nothing lags.
    pub(super) fn reached(&self, feed: &FeedId, offset: Offset) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut feeds = self.lock();
        if feeds.get(feed).is_some_and(|until| offset >= *until) {
            feeds.remove(feed);
        }
        self.count.store(feeds.len() as u64, Ordering::Release);
    }

    fn feeds(&self) -> BTreeSet<FeedId> {
        if self.count.load(Ordering::Acquire) == 0 { BTreeSet::new() } else { self.lock().keys().cloned().collect() }
    }
}
