//! The log: a durable, fenced append of batches per feed, and reading back.

use std::time::Duration;

use async_trait::async_trait;
use schema::{
    event::SealedBatch,
    ids::{BatchId, BatchNumber, Epoch, FeedId, NodeId, Offset},
    time::Stamp,
};

/// What is never trimmed of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Which log this is.
    pub epoch: Epoch,
    /// First offset that can still be read; everything before is in the baseline.
    pub oldest: Offset,
    /// First batch that can still be read.
    pub oldest_batch: BatchNumber,
}

/// The end of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number the next batch must have.
    pub next_batch: BatchNumber,
    /// Offset the next event gets.
    pub next_offset: Offset,
    /// Stamp of the last event; the next is later.
    pub stamp: Stamp,
    /// Who wrote the last batch; none: the feed is empty.
    pub owner: Option<NodeId>,
}

/// A tenant that must be awake at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WakeEntry {
    /// When.
    pub due: Stamp,
    /// Who.
    pub feed: FeedId,
}

/// Why an append did not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Another batch has this number: another owner is at work. The head tells where the log is now.
    #[error("batch number is taken by {by}")]
    Fenced {
        /// Id of the batch that is there.
        id: BatchId,
        /// Who wrote it.
        by: NodeId,
    },
    /// Certainly not stored, nothing changed; try the same later.
    #[error("log is unavailable: {reason}")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// For people.
        reason: String,
    },
    /// Perhaps stored. Repeat with the same bytes at the same number until the slot is occupied.
    #[error("outcome of the append is unknown: {reason}")]
    Unknown {
        /// For people.
        reason: String,
    },
    /// The writer has stopped for good (a failed fsync): only a restart helps.
    #[error("log has stopped: {reason}")]
    Stopped {
        /// For people.
        reason: String,
    },
}

/// Why a read did not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// What was asked for is gone.
    #[error("trimmed up to {oldest}")]
    Trimmed {
        /// First offset still there.
        oldest: Offset,
    },
    /// Not now.
    #[error("log is unavailable: {reason}")]
    Unavailable {
        /// For people.
        reason: String,
    },
    /// Stored bytes are damaged.
    #[error("log is damaged: {reason}")]
    Damaged {
        /// For people.
        reason: String,
    },
}

/// A durable log of batches per feed.
///
/// Contract (suite `contracts::log`): a batch is stored only at `head.next_batch`, with `first == head.next_offset`;
/// `Ok` means it is on stable storage and was stored once, also when the same batch (same id) is appended again;
/// another id at a taken number is `Fenced`; a number beyond the next is our own mistake and panics in debug builds,
/// `Unavailable` otherwise. Appends of different feeds do not wait for each other longer than a group commit.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// The feed's anchor; made with a fresh epoch if the feed is new.
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError>;

    /// The feed's end.
    async fn head(&self, feed: &FeedId) -> Result<Head, LogError>;

    /// Stores a batch durably. Its `wake_at` is in the wake index no later than this returns.
    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError>;

    /// Batches from the one that holds `from`, in order, until `max_bytes` are exceeded; at least one if there is one.
    /// Empty: `from` is the head.
    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError>;

    /// Moves the anchor: what is before `oldest`'s batch may be deleted. The baseline was stored before.
    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError>;

    /// Feeds that must be awake by `until`, the most overdue first. A feed has one entry, that of its last batch;
    /// feeds whose views lag behind (after a crash) have one with `due` 0 until they are caught up.
    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError>;

    /// Every feed there is, in order of name, after `after`.
    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError>;
}
