//! The log in memory, with knobs for what goes wrong in a real one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use schema::{
    event::SealedBatch,
    ids::{BatchId, BatchNumber, Epoch, FeedId, Offset},
    time::Stamp,
};

use super::{SystemIds, gate::Gate, lock};
use crate::ports::{Anchor, AppendError, Head, Ids, Log, LogError, Views, WakeEntry};

/// How an append is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is stored, and the caller is told so.
    Unavailable,
    /// The batch is stored, and the caller does not learn it.
    UnknownStored,
    /// The batch is not stored, and the caller does not learn it.
    UnknownLost,
    /// The writer stopped for good.
    Stopped,
    /// The log's own code panics.
    Panic,
}

/// Forgets everything when dropped.
#[derive(Default)]
pub struct MemoryLog {
    feeds: Mutex<BTreeMap<FeedId, Kept>>,
    failing: Mutex<Option<(usize, Failure)>>,
    lagging: Mutex<Lagging>,
    gate: Gate,
}

#[derive(Default)]
struct Lagging {
    views: Option<Arc<dyn Views>>,
    /// Feeds whose views were behind at the restart, and the last offset that they must reach.
    feeds: BTreeMap<FeedId, Offset>,
}

struct Kept {
    anchor: Anchor,
    batches: BTreeMap<BatchNumber, SealedBatch>,
    head: Head,
    wake_at: Option<Stamp>,
}

impl Kept {
    fn fresh() -> Self {
        let anchor = Anchor { epoch: Epoch(SystemIds.random()), oldest: Offset(1), oldest_batch: BatchNumber(1) };
        let head = Head { next_batch: BatchNumber(1), next_offset: Offset(1), stamp: Stamp(0), owner: None };
        Self { anchor, batches: BTreeMap::new(), head, wake_at: None }
    }

    fn append(&mut self, batch: SealedBatch) -> Result<(), AppendError> {
        let header = &batch.header;
        if header.number < self.head.next_batch {
            return self.compare(header.number, header.id);
        }
        if header.number > self.head.next_batch || header.first != self.head.next_offset {
            return Err(unavailable("the batch does not follow the head"));
        }
        self.head = Head {
            next_batch: header.number.next(),
            next_offset: header.end(),
            stamp: header.stamp,
            owner: Some(header.node.clone()),
        };
        self.wake_at = header.wake_at;
        self.batches.insert(header.number, batch);
        Ok(())
    }

    /// The number is taken: by this very batch, or by another.
    fn compare(&self, number: BatchNumber, id: BatchId) -> Result<(), AppendError> {
        match self.batches.get(&number).map(|there| &there.header) {
            Some(there) if there.id == id => Ok(()),
            Some(there) => Err(AppendError::Fenced { id: there.id, by: there.node.clone() }),
            None => {
                let by = self.head.owner.clone().expect("a feed with a trimmed batch has an owner");
                Err(AppendError::Fenced { id: BatchId(uuid::Uuid::nil()), by })
            }
        }
    }

    /// Number of the batch that holds `offset`; the next one if that is the head or beyond.
    fn holding(&self, offset: Offset) -> BatchNumber {
        let found = self.batches.values().find(|batch| offset < batch.header.end());
        found.map_or(self.head.next_batch, |batch| batch.header.number)
    }
}

fn unavailable(reason: &str) -> AppendError {
    AppendError::Unavailable { retry_after: Duration::from_secs(1), reason: reason.to_owned() }
}

impl MemoryLog {
    /// The next `count` appends fail in this way; zero makes them work again.
    pub fn fail_next(&self, count: usize, failure: Failure) {
        *lock(&self.failing) = (count > 0).then_some((count, failure));
    }

    /// From here on appends wait, before they do anything, for [`Self::release`].
    pub fn hold(&self) {
        self.gate.close();
    }

    /// Lets the waiting and all later appends go on.
    pub fn release(&self) {
        self.gate.open();
    }

    /// How many appends wait.
    pub fn waiting(&self) -> usize {
        self.gate.waiting()
    }

    /// As after a crash of whoever wrote the views: feeds whose views are behind are due at once.
    pub async fn restart(&self, views: Arc<dyn Views>) -> Result<(), LogError> {
        let heads: Vec<_> =
            lock(&self.feeds).iter().map(|(feed, kept)| (feed.clone(), kept.head.next_offset)).collect();
        let mut feeds = BTreeMap::new();
        for (feed, next) in heads {
            if views.checkpoint(&feed).await.map_err(away)?.offset.next() < next {
                feeds.insert(feed, Offset(next.0 - 1));
            }
        }
        *lock(&self.lagging) = Lagging { views: Some(views), feeds };
        Ok(())
    }

    /// Every batch of a feed that is still there.
    pub fn batches(&self, feed: &FeedId) -> Vec<SealedBatch> {
        lock(&self.feeds).get(feed).map(|kept| kept.batches.values().cloned().collect()).unwrap_or_default()
    }

    fn failure(&self) -> Option<Failure> {
        let mut failing = lock(&self.failing);
        let (left, failure) = (*failing)?;
        *failing = (left > 1).then_some((left - 1, failure));
        Some(failure)
    }

    async fn still_lagging(&self) -> Result<Vec<FeedId>, LogError> {
        let (views, feeds) = {
            let lagging = lock(&self.lagging);
            let Some(views) = lagging.views.clone() else { return Ok(Vec::new()) };
            (views, lagging.feeds.clone())
        };
        for (feed, until) in &feeds {
            if views.checkpoint(feed).await.map_err(away)?.offset >= *until {
                lock(&self.lagging).feeds.remove(feed);
            }
        }
        Ok(lock(&self.lagging).feeds.keys().cloned().collect())
    }
}

fn away(error: impl std::fmt::Display) -> LogError {
    LogError::Unavailable { reason: error.to_string() }
}

#[async_trait]
impl Log for MemoryLog {
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError> {
        Ok(lock(&self.feeds).entry(feed.clone()).or_insert_with(Kept::fresh).anchor.clone())
    }

    async fn head(&self, feed: &FeedId) -> Result<Head, LogError> {
        Ok(lock(&self.feeds).get(feed).map_or_else(|| Kept::fresh().head, |kept| kept.head.clone()))
    }

    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        self.gate.pass().await;
        let failure = self.failure();
        let unknown = || AppendError::Unknown { reason: "as the test asked".to_owned() };
        match failure {
            Some(Failure::Unavailable) => return Err(unavailable("as the test asked")),
            Some(Failure::Stopped) => return Err(AppendError::Stopped { reason: "as the test asked".to_owned() }),
            Some(Failure::UnknownLost) => return Err(unknown()),
            Some(Failure::Panic) => panic!("as the test asked"),
            Some(Failure::UnknownStored) | None => {}
        }
        let header = batch.header.clone();
        let result = lock(&self.feeds).entry(header.feed.clone()).or_insert_with(Kept::fresh).append(batch);
        let gap = matches!(result, Err(AppendError::Unavailable { .. }));
        debug_assert!(!gap, "batch {} of {} does not follow the head", header.number, header.feed);
        if failure == Some(Failure::UnknownStored) { Err(unknown()) } else { result }
    }

    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        let feeds = lock(&self.feeds);
        let Some(kept) = feeds.get(feed) else { return Ok(Vec::new()) };
        let from = from.max(Offset(1));
        if from < kept.anchor.oldest {
            return Err(LogError::Trimmed { oldest: kept.anchor.oldest });
        }
        let mut read = 0;
        let within = |batch: &&SealedBatch| {
            let take = read <= max_bytes;
            read += batch.body.len();
            take
        };
        Ok(kept.batches.range(kept.holding(from)..).map(|(_, batch)| batch).take_while(within).cloned().collect())
    }

    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        let mut feeds = lock(&self.feeds);
        let Some(kept) = feeds.get_mut(feed) else { return Ok(()) };
        let oldest = oldest.clamp(kept.anchor.oldest, kept.head.next_offset);
        let oldest_batch = kept.holding(oldest);
        kept.batches.retain(|number, _| *number >= oldest_batch);
        kept.anchor = Anchor { oldest, oldest_batch, ..kept.anchor.clone() };
        Ok(())
    }

    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        let lagging = self.still_lagging().await?;
        let feeds = lock(&self.feeds);
        let entry = |(feed, kept): (&FeedId, &Kept)| {
            let due = if lagging.contains(feed) { Some(Stamp(0)) } else { kept.wake_at };
            due.map(|due| WakeEntry { due, feed: feed.clone() })
        };
        let mut due: Vec<_> = feeds.iter().filter_map(entry).filter(|entry| entry.due <= until).collect();
        due.sort();
        due.truncate(limit);
        Ok(due)
    }

    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError> {
        let feeds = lock(&self.feeds);
        Ok(feeds.keys().filter(|feed| after.is_none_or(|after| *feed > after)).take(limit).cloned().collect())
    }
}
