//! The indexer: follows every tenant's log and keeps the search index up to it, from the index's own checkpoint.
//!
//! It is never called from the write path: a slow or failing index delays only what can be found.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use schema::{
    event::{CodecError, Event, Fact, SealedBatch},
    ids::{FeedId, Offset, TenantId},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    follower::Advances,
    ports::{Audience, KeyError, Log, LogError, Search, SearchBatch, SearchCheckpoint, SearchDocument, SearchError},
    reader::searchable,
    vault::Vault,
};

/// Feeds listed at once at the start.
const FEEDS_PAGE: usize = 1_000;
/// First wait after a failure.
const BACK_OFF_MIN: Duration = Duration::from_millis(200);
/// Longest wait after failures in a row.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// What the indexer may use.
#[derive(Debug, Clone)]
pub struct IndexerConfig {
    /// Between commits: what was written is found after this, at the latest, and a crash costs so much work again.
    pub commit_interval: Duration,
    /// Bytes of one tenant's log read before the next tenant's turn.
    pub read_bytes: usize,
}

impl Default for IndexerConfig {
    fn default() -> Self {
        Self { commit_interval: Duration::from_secs(1), read_bytes: 1 << 20 }
    }
}

/// Why the index could not be brought up to the log. Tried again, from the checkpoint.
#[derive(Debug, thiserror::Error)]
enum IndexError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error("stored event: {0}")]
    Codec(#[from] CodecError),
}

/// Follows logs into an index.
pub struct Indexer {
    log: Arc<dyn Log>,
    vault: Vault,
    search: Arc<dyn Search>,
    advances: Arc<Advances>,
    config: IndexerConfig,
    positions: HashMap<FeedId, SearchCheckpoint>,
    due: VecDeque<FeedId>,
    commit_at: Option<Instant>,
}

impl Indexer {
    /// Over a node's ports. `advances` must be among those that the engine marks.
    pub fn new(
        log: Arc<dyn Log>,
        vault: Vault,
        search: Arc<dyn Search>,
        advances: Arc<Advances>,
        config: IndexerConfig,
    ) -> Self {
        let (positions, due) = (HashMap::new(), VecDeque::new());
        Self { log, vault, search, advances, config, positions, due, commit_at: None }
    }

    /// Follows for ever. Dropping the future is safe: the index goes on from its last commit.
    pub async fn run(mut self) {
        let mut wait = BACK_OFF_MIN;
        loop {
            let started = Instant::now();
            let Err(error) = self.follow().await;
            if started.elapsed() > BACK_OFF_MAX {
                wait = BACK_OFF_MIN;
            }
            metrics::counter!("deskwire_search_failures_total").increment(1);
            tracing::warn!(%error, "the search index lags behind; trying again");
            sleep(wait).await;
            wait = (wait * 2).min(BACK_OFF_MAX);
        }
    }

    /// Until something fails: every feed once, then those that grow.
    async fn follow(&mut self) -> Result<std::convert::Infallible, IndexError> {
        self.positions.clear();
        self.commit_at = None;
        self.list_feeds().await?;
        loop {
            while let Some(feed) = self.due.pop_front() {
                if self.advance(&feed).await? {
                    self.due.push_back(feed);
                }
                // A long way behind on one feed must not hide that others grow.
                let grown = self.advances.next().now_or_never().unwrap_or_default();
                self.take(grown);
                self.commit_if_due().await?;
            }
            self.wait().await;
            self.commit_if_due().await?;
        }
    }

    async fn list_feeds(&mut self) -> Result<(), IndexError> {
        self.due.clear();
        let mut after = None;
        loop {
            let feeds = self.log.feeds(after.as_ref(), FEEDS_PAGE).await?;
            let Some(last) = feeds.last() else { return Ok(()) };
            after = Some(last.clone());
            self.take(feeds);
        }
    }

    /// Until a feed has grown or a commit is due.
    async fn wait(&mut self) {
        let due = self.commit_at;
        let commit = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            grown = self.advances.next() => self.take(grown),
            () = commit => {}
        }
    }

    /// The directory's feed holds nothing to find.
    fn take(&mut self, feeds: Vec<FeedId>) {
        for feed in feeds {
            if feed.tenant != TenantId::system() && !self.due.contains(&feed) {
                self.due.push_back(feed);
            }
        }
    }

    async fn commit_if_due(&mut self) -> Result<(), IndexError> {
        if self.commit_at.is_some_and(|at| at <= Instant::now()) {
            self.search.commit().await?;
            self.commit_at = None;
        }
        Ok(())
    }

    /// Brings one read of a feed into the index; `true`: there is more.
    async fn advance(&mut self, feed: &FeedId) -> Result<bool, IndexError> {
        let mut at = self.position(feed).await?;
        let batches = match self.log.read(feed, at.offset.next(), self.config.read_bytes).await {
            Err(LogError::Trimmed { oldest }) => {
                at.offset = Offset(oldest.0.saturating_sub(1));
                self.log.read(feed, oldest, self.config.read_bytes).await?
            }
            read => read?,
        };
        let Some(last) = batches.last() else { return Ok(false) };
        let checkpoint = SearchCheckpoint { epoch: at.epoch, offset: last.header.last() };
        let documents = self.documents(feed, at.offset, &batches).await?;
        metrics::counter!("deskwire_search_documents_total").increment(documents.len() as u64);
        self.search.index(SearchBatch { tenant: feed.tenant.clone(), documents, checkpoint }).await?;
        self.positions.insert(feed.clone(), checkpoint);
        self.commit_at.get_or_insert_with(|| Instant::now() + self.config.commit_interval);
        Ok(true)
    }

    /// Where the index is with a feed. An index of another log is worth nothing.
    async fn position(&self, feed: &FeedId) -> Result<SearchCheckpoint, IndexError> {
        if let Some(known) = self.positions.get(feed) {
            return Ok(*known);
        }
        let epoch = self.log.anchor(feed).await?.epoch;
        match self.search.checkpoint(&feed.tenant).await? {
            Some(known) if known.epoch == epoch => Ok(known),
            Some(_) => {
                self.search.clear(&feed.tenant).await?;
                Ok(SearchCheckpoint { epoch, offset: Offset(0) })
            }
            None => Ok(SearchCheckpoint { epoch, offset: Offset(0) }),
        }
    }

    async fn documents(
        &self,
        feed: &FeedId,
        after: Offset,
        batches: &[SealedBatch],
    ) -> Result<Vec<SearchDocument>, IndexError> {
        let mut documents = Vec::new();
        for batch in batches {
            for event in batch.events() {
                let event = event?;
                if event.header.offset > after && audience(&event.fact).is_some() {
                    documents.extend(document(&self.vault.open(&feed.tenant, event).await?));
                }
            }
        }
        Ok(documents)
    }
}

/// Who may find an event of this kind; none: nobody.
fn audience(fact: &Fact) -> Option<Audience> {
    match fact {
        Fact::MessageReceived(_) | Fact::MessageQueued(_) | Fact::ContactCreated(_) | Fact::ContactUpdated(_) => {
            Some(Audience::Everyone)
        }
        Fact::NoteAdded(_) => Some(Audience::Operators),
        _ => None,
    }
}

/// An event's document; none: nothing to find, or the person was erased.
fn document(event: &Event) -> Option<SearchDocument> {
    let text = searchable(event.personal()?);
    if text.is_empty() {
        return None;
    }
    Some(SearchDocument {
        offset: event.header.offset,
        conversation: event.header.conversation?,
        subject: event.parts.first()?.subject,
        audience: audience(&event.fact)?,
        text,
    })
}
