//! The feed: the recent tail of a tenant's log as ready-made frames, and cursors over it.
//!
//! A session is a cursor, not a queue: the ring is shared and bounded, and a reader that falls behind it reads from
//! the log at its own pace. Frames are encoded once per role and shared. Knows nothing of sockets.

mod chunk;
mod cursor;
mod handle;
mod ring;
#[cfg(test)]
mod tests;

use std::sync::{Arc, RwLock};

use schema::{
    event::{Event, Fact},
    ids::{Epoch, FeedId, Offset},
};
use tokio::sync::{Mutex, Semaphore, watch};

pub use self::{
    chunk::{Chunk, Entry, Slice},
    cursor::Cursor,
    handle::{FeedHandle, Position, Unrecoverable},
};
use self::{handle::LagCheck, ring::Ring};
use crate::{ports::Log, vault::Vault, watermark::Watermark};

/// Limits of one feed. When a limit is reached, the oldest chunk leaves; who still needs it reads from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedConfig {
    /// Most events in the ring.
    pub ring_events: usize,
    /// Most bytes in the ring, as estimated: events and their frames for every role.
    pub ring_bytes: usize,
    /// Most bytes kept of what lagging readers read from the log, shared between them.
    pub reread_bytes: usize,
    /// Most bytes of one read from the log.
    pub read_bytes: usize,
    /// Reads from the log at one time.
    pub concurrent_reads: usize,
}

impl Default for FeedConfig {
    /// Room for some seconds of a busy tenant; an idle one holds next to nothing.
    fn default() -> Self {
        Self {
            ring_events: 16_384,
            ring_bytes: 16 << 20,
            reread_bytes: 4 << 20,
            read_bytes: 256 << 10,
            concurrent_reads: 4,
        }
    }
}

/// Why a feed has ended. The log goes on; its readers come back with their position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// This node is shutting down, or the tenant went to sleep.
    #[error("the tenant stopped here")]
    Stopped,
    /// Another node owns the tenant now.
    #[error("the tenant moved to another node")]
    Moved,
    /// The tenant is started again from the store.
    #[error("the tenant is starting again")]
    Restarted,
}

/// Why a cursor cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Everything up to the end was read, and there will be no more from this feed.
    #[error("feed is closed: {0}")]
    Closed(CloseReason),
    /// The log no longer has what comes next.
    #[error("trimmed up to {oldest}")]
    Trimmed {
        /// First offset still there.
        oldest: Offset,
    },
    /// The log or the key store cannot be read now.
    #[error("feed is unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes are damaged.
    #[error("log is damaged: {0}")]
    Damaged(String),
}

/// What all ends of a feed share.
struct Shared {
    id: FeedId,
    epoch: Epoch,
    /// `inbox:<tenant>`.
    channel: String,
    config: FeedConfig,
    log: Arc<dyn Log>,
    vault: Vault,
    ring: RwLock<Ring>,
    /// What lagging readers read from the log lately.
    reread: RwLock<Ring>,
    reads: Semaphore,
    head: watch::Sender<Head>,
    /// The same, for those who wait for one event; nothing more is waited for when the feed has ended.
    shown: Watermark,
    /// Bumped to the offset of each change of an operator's rights.
    rights: watch::Sender<Offset>,
    lag: Mutex<LagCheck>,
}

/// The durable end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    offset: Offset,
    closed: Option<CloseReason>,
}

/// The publishing end; the tenant's sequencer has it.
pub struct Feed {
    shared: Arc<Shared>,
}

impl Feed {
    /// A feed whose last durable event is `head` (0: none yet).
    pub fn new(id: FeedId, epoch: Epoch, head: Offset, log: Arc<dyn Log>, vault: Vault, config: FeedConfig) -> Self {
        let channel = format!("inbox:{}", id.tenant);
        let shared = Shared {
            id,
            epoch,
            channel,
            ring: RwLock::new(Ring::new(config.ring_events, config.ring_bytes)),
            reread: RwLock::new(Ring::new(usize::MAX, config.reread_bytes)),
            reads: Semaphore::new(config.concurrent_reads.max(1)),
            config,
            log,
            vault,
            head: watch::Sender::new(Head { offset: head, closed: None }),
            shown: Watermark::at(head),
            rights: watch::Sender::new(Offset(0)),
            lag: Mutex::new(LagCheck::default()),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Shows one durable batch to all readers. Call it after the batch is on stable storage and after the settings
    /// that it changes are in force; batches come in order and without a gap.
    pub fn publish(&self, first: Offset, events: Vec<Event>) {
        #[cfg(test)]
        let events = crate::simulation::smuggle(&self.shared.id, events);
        let head = self.shared.head.borrow().offset;
        assert_eq!(first, head.next(), "batches are published in order, without a gap");
        let rights = events.iter().rev().find(|event| matches!(event.fact, Fact::OperatorConfigured(_)));
        let rights = rights.map(|event| event.header.offset);
        let Some(chunk) = Chunk::new(&self.shared.channel, events) else { return };
        let last = chunk.last();
        self.shared.ring_mut(&self.shared.ring).push(Arc::new(chunk));
        self.shared.head.send_modify(|head| head.offset = last);
        self.shared.shown.advance(last);
        if let Some(offset) = rights {
            self.shared.rights.send_replace(offset);
        }
    }

    /// Ends the feed: readers get what is left, then the reason.
    pub fn close(&self, reason: CloseReason) {
        self.shared.head.send_modify(|head| head.closed = head.closed.or(Some(reason)));
        self.shared.shown.advance(Offset(u64::MAX));
    }

    /// The reading end.
    pub fn handle(&self) -> FeedHandle {
        FeedHandle::new(self.shared.clone())
    }

    /// How many cursors look at it: a tenant with readers does not go to sleep.
    pub fn readers(&self) -> usize {
        self.shared.head.receiver_count()
    }
}

impl Drop for Feed {
    /// A tenant that crashed must not leave its readers waiting for ever.
    fn drop(&mut self) {
        self.close(CloseReason::Restarted);
    }
}

impl Shared {
    /// A poisoned ring is as good as any: it is changed in single steps that cannot panic half-way.
    fn ring_mut<'a>(&self, ring: &'a RwLock<Ring>) -> std::sync::RwLockWriteGuard<'a, Ring> {
        ring.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn find(&self, ring: &RwLock<Ring>, offset: Offset) -> Option<Arc<Chunk>> {
        ring.read().unwrap_or_else(std::sync::PoisonError::into_inner).find(offset)
    }
}
