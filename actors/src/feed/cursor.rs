//! A cursor: one reader's place in a feed. It holds a position, never a queue.

use std::sync::Arc;

use schema::{
    event::{SealedBatch, StoredEvent},
    ids::Offset,
};
use tokio::sync::watch;

use super::{Chunk, FeedError, Head, Shared, Slice};
use crate::ports::{KeyError, LogError};

/// One reader's place.
pub struct Cursor {
    shared: Arc<Shared>,
    head: watch::Receiver<Head>,
    at: Offset,
}

impl Cursor {
    pub(super) fn new(shared: Arc<Shared>, at: Offset) -> Self {
        let head = shared.head.subscribe();
        Self { shared, head, at }
    }

    /// Everything up to here has been handed out.
    pub fn position(&self) -> Offset {
        self.at
    }

    /// Whether everything durable has been handed out.
    pub fn is_at_head(&self) -> bool {
        self.at >= self.head.borrow().offset
    }

    /// Whether the feed has ended: what comes next is an error that says how.
    pub fn is_closed(&self) -> bool {
        self.head.borrow().closed.is_some()
    }

    /// Passes over what somebody else has handed out, up to `offset`.
    pub fn advance(&mut self, offset: Offset) {
        self.at = self.at.max(offset);
    }

    /// What comes next; waits for it. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Slice, FeedError> {
        loop {
            if let Some(slice) = self.ready().await? {
                return Ok(slice);
            }
            let closed = FeedError::Closed(super::CloseReason::Restarted);
            self.head.changed().await.map_err(|_| closed)?;
        }
    }

    /// What comes next, if it is there already. Dropping the future loses nothing.
    pub async fn ready(&mut self) -> Result<Option<Slice>, FeedError> {
        let head = *self.head.borrow_and_update();
        if self.at >= head.offset {
            return head.closed.map_or(Ok(None), |reason| Err(FeedError::Closed(reason)));
        }
        let want = self.at.next();
        let chunk = match self.shared.find(&self.shared.ring, want) {
            Some(chunk) => chunk,
            // Kept apart: it is rare, and six kilobytes of future in every reader that waits.
            None => Box::pin(self.shared.clone().reread(want, head.offset)).await?,
        };
        let slice = Slice::from(chunk, want);
        self.at = slice.last();
        Ok(Some(slice))
    }

    /// What comes next, if the ring has it: no waiting at all.
    pub fn buffered(&mut self) -> Option<Slice> {
        let want = self.at.next();
        if want > self.head.borrow_and_update().offset {
            return None;
        }
        let slice = Slice::from(self.shared.find(&self.shared.ring, want)?, want);
        self.at = slice.last();
        Some(slice)
    }

    /// Passes over everything durable.
    pub(super) fn skip_to_head(&mut self) {
        self.at = self.head.borrow_and_update().offset;
    }

    /// Goes back to just after `offset`: the rest of a slice was not used after all.
    pub fn rewind(&mut self, offset: Offset) {
        assert!(offset <= self.at, "a cursor is moved back, never ahead");
        self.at = offset;
    }
}

impl Shared {
    /// The chunk that holds `want`, from the log. Readers that lag together share one read.
    async fn reread(self: Arc<Self>, want: Offset, head: Offset) -> Result<Arc<Chunk>, FeedError> {
        if let Some(chunk) = self.seen(want) {
            return Ok(chunk);
        }
        let _permit = self.reads.acquire().await.map_err(|_| FeedError::Unavailable("shutting down".into()))?;
        if let Some(chunk) = self.seen(want) {
            return Ok(chunk);
        }
        let batches = self.log.read(&self.id, want, self.config.read_bytes).await?;
        let mut wanted = None;
        for batch in batches.iter().take_while(|batch| batch.header.last() <= head) {
            let chunk = Arc::new(self.open(batch).await?);
            if chunk.holds(want) {
                wanted = Some(chunk.clone());
            }
            self.ring_mut(&self.reread).push(chunk);
        }
        wanted.ok_or_else(|| FeedError::Unavailable(format!("log has no {want} yet, though it is published")))
    }

    fn seen(&self, want: Offset) -> Option<Arc<Chunk>> {
        self.reread.read().unwrap_or_else(std::sync::PoisonError::into_inner).search(want)
    }

    async fn open(&self, batch: &SealedBatch) -> Result<Chunk, FeedError> {
        let stored: Result<Vec<StoredEvent>, _> = batch.events().collect();
        let stored = stored.map_err(|error| FeedError::Damaged(error.to_string()))?;
        let mut events = Vec::with_capacity(stored.len());
        for event in stored {
            events.push(self.vault.open(&self.id.tenant, event).await?);
        }
        Chunk::new(&self.channel, events).ok_or_else(|| FeedError::Damaged("a batch without events".into()))
    }
}

impl From<KeyError> for FeedError {
    fn from(error: KeyError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<LogError> for FeedError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Trimmed { oldest } => Self::Trimmed { oldest },
            LogError::Unavailable { reason } => Self::Unavailable(reason),
            LogError::Damaged { reason } => Self::Damaged(reason),
        }
    }
}
