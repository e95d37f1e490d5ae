//! The log in memory.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

use async_trait::async_trait;
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, Epoch, FeedId, Offset},
    time::Stamp,
};
use tokio::sync::watch;

use crate::ports::{Anchor, AppendError, Head, Log, LogError, WakeEntry};

/// What the next appends shall do instead of their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Certainly not stored.
    Unavailable,
    /// Stored, but the caller is not told.
    UnknownStored,
    /// Not stored, and the caller is not told.
    UnknownLost,
}

#[derive(Default)]
struct Feed {
    batches: BTreeMap<BatchNumber, SealedBatch>,
    oldest: Option<(Offset, BatchNumber)>,
}

/// A log in memory, with mishaps on demand and a gate that holds appends.
pub struct MemoryLog {
    feeds: Mutex<BTreeMap<FeedId, Feed>>,
    mishaps: Mutex<VecDeque<Mishap>>,
    gate: watch::Sender<bool>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self { feeds: Mutex::default(), mishaps: Mutex::default(), gate: watch::Sender::new(true) }
    }
}

impl MemoryLog {
    /// The next appends end so, one each.
    pub fn mishaps(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.mishaps.lock().expect("no holder panics").extend(mishaps);
    }

    /// Closed: appends wait. Open: they go on.
    pub fn set_gate(&self, open: bool) {
        self.gate.send_replace(open);
    }

    /// How many batches a feed has.
    pub fn batches(&self, feed: &FeedId) -> usize {
        self.feeds.lock().expect("no holder panics").get(feed).map_or(0, |feed| feed.batches.len())
    }

    fn store(&self, batch: SealedBatch) -> Result<(), AppendError> {
        let mut feeds = self.feeds.lock().expect("no holder panics");
        let feed = feeds.entry(batch.header.feed.clone()).or_default();
        if let Some(there) = feed.batches.get(&batch.header.number) {
            return if there.header.id == batch.header.id {
                Ok(())
            } else {
                Err(AppendError::Fenced { id: there.header.id, by: there.header.node.clone() })
            };
        }
        let (next_batch, next_offset) = match feed.batches.last_key_value() {
            Some((number, last)) => (number.next(), last.header.end()),
            None => (BatchNumber(1), Offset(1)),
        };
        if batch.header.number != next_batch || batch.header.first != next_offset {
            let reason = "not the next batch".to_owned();
            return Err(AppendError::Unavailable { retry_after: Duration::from_secs(1), reason });
        }
        feed.batches.insert(batch.header.number, batch);
        Ok(())
    }
}

#[async_trait]
impl Log for MemoryLog {
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError> {
        let mut feeds = self.feeds.lock().expect("no holder panics");
        let (oldest, oldest_batch) =
            feeds.entry(feed.clone()).or_default().oldest.unwrap_or((Offset(1), BatchNumber(1)));
        Ok(Anchor { epoch: Epoch(1), oldest, oldest_batch })
    }

    async fn head(&self, feed: &FeedId) -> Result<Head, LogError> {
        let feeds = self.feeds.lock().expect("no holder panics");
        Ok(match feeds.get(feed).and_then(|feed| feed.batches.last_key_value()) {
            Some((number, last)) => Head {
                next_batch: number.next(),
                next_offset: last.header.end(),
                stamp: last.header.stamp,
                owner: Some(last.header.node.clone()),
            },
            None => Head { next_batch: BatchNumber(1), next_offset: Offset(1), stamp: Stamp(0), owner: None },
        })
    }

    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        let mut gate = self.gate.subscribe();
        drop(gate.wait_for(|open| *open).await);
        let mishap = self.mishaps.lock().expect("no holder panics").pop_front();
        let unknown = AppendError::Unknown { reason: "asked for".to_owned() };
        match mishap {
            None => self.store(batch),
            Some(Mishap::Unavailable) => {
                Err(AppendError::Unavailable { retry_after: Duration::from_secs(1), reason: "asked for".to_owned() })
            }
            Some(Mishap::UnknownLost) => Err(unknown),
            Some(Mishap::UnknownStored) => self.store(batch).and(Err(unknown)),
        }
    }

    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        let feeds = self.feeds.lock().expect("no holder panics");
        let Some(feed) = feeds.get(feed) else { return Ok(Vec::new()) };
        if let Some((oldest, _)) = feed.oldest
            && from < oldest
        {
            return Err(LogError::Trimmed { oldest });
        }
        let mut bytes = 0;
        let mut found = Vec::new();
        for batch in feed.batches.values().filter(|batch| batch.header.end() > from) {
            bytes += batch.body.len();
            found.push(batch.clone());
            if bytes > max_bytes {
                break;
            }
        }
        Ok(found)
    }

    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        let mut feeds = self.feeds.lock().expect("no holder panics");
        let Some(feed) = feeds.get_mut(feed) else { return Ok(()) };
        feed.batches.retain(|_, batch| batch.header.end() > oldest);
        if let Some((number, first)) = feed.batches.first_key_value() {
            feed.oldest = Some((first.header.first, *number));
        }
        Ok(())
    }

    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        let feeds = self.feeds.lock().expect("no holder panics");
        let last = feeds.iter().filter_map(|(id, feed)| Some((id, feed.batches.last_key_value()?.1.header.wake_at?)));
        let mut due: Vec<WakeEntry> =
            last.filter(|(_, due)| *due <= until).map(|(feed, due)| WakeEntry { due, feed: feed.clone() }).collect();
        due.sort();
        due.truncate(limit);
        Ok(due)
    }

    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError> {
        let feeds = self.feeds.lock().expect("no holder panics");
        Ok(feeds.keys().filter(|id| after.is_none_or(|after| *id > after)).take(limit).cloned().collect())
    }
}
