//! The Log port on CQL. A batch is a row, appended under the condition that its number is free; a slot of a trimmed
//! bucket is not. The head is found from a hint a bucket, and a probe forward.

mod append;
mod feeds;
mod read;
mod wake;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actors::ports::{Anchor, AppendError, Head, Log, LogError, WakeEntry};
use async_trait::async_trait;
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, FeedId, Offset},
    time::Stamp,
};

use super::{database::Database, views::CqlViews};

/// Batches of one partition.
pub(super) const BUCKET: u64 = 128;
/// Feeds that are remembered; beyond it all are forgotten and read again.
const KNOWN_MAX: usize = 200_000;

/// The bucket of a batch.
fn bucket(number: BatchNumber) -> u64 {
    number.0 / BUCKET
}

/// What this process knows of a feed's end. Another may have gone on: that costs a fenced append, nothing else.
#[derive(Debug, Clone)]
struct End {
    head: Head,
    /// What the last batch says.
    wake_at: Option<Stamp>,
}

#[derive(Default)]
struct Memory {
    ends: HashMap<FeedId, End>,
    /// Named, anchored and marked as active by this process.
    founded: HashSet<FeedId>,
    /// The wake entry that this process wrote last: time and bucket.
    entries: HashMap<FeedId, (Stamp, i64)>,
    /// Buckets of time that this process has listed, by shard.
    listed: HashSet<(i32, i64)>,
}

/// The log of all tenants.
pub(super) struct CqlLog {
    database: Arc<Database>,
    views: Arc<CqlViews>,
    /// Whose marks are ours.
    node: String,
    memory: Mutex<Memory>,
    /// Feeds that a crash may have left with views behind their log, and where these must come to.
    lagging: Mutex<HashMap<FeedId, Offset>>,
}

impl CqlLog {
    pub(super) fn new(database: Arc<Database>, views: Arc<CqlViews>, node: &str) -> Self {
        let (memory, lagging) = (Mutex::default(), Mutex::default());
        Self { database, views, node: node.to_owned(), memory, lagging }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.ends.len() > KNOWN_MAX || memory.entries.len() > KNOWN_MAX || memory.founded.len() > KNOWN_MAX {
            *memory = Memory::default();
        }
        memory
    }
}

#[async_trait]
impl Log for CqlLog {
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError> {
        self.found(feed).await?;
        Ok(self.read_anchor(feed).await?.ok_or_else(|| no_anchor(feed))?)
    }

    async fn head(&self, feed: &FeedId) -> Result<Head, LogError> {
        Ok(self.read_end(feed).await?.head)
    }

    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        self.append_batch(batch).await
    }

    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        self.read_from(feed, from.max(Offset(1)), max_bytes).await
    }

    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        self.trim_to(feed, oldest).await
    }

    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        self.due_by(until, limit).await
    }

    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError> {
        Ok(self.named(after, limit).await?)
    }
}

fn no_anchor(feed: &FeedId) -> super::error::CqlError {
    super::error::CqlError::Unreadable(format!("{feed} has no anchor"))
}
