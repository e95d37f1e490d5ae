//! The Log port on the commit file and the rows behind it.

use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use actors::{
    memory::SystemIds,
    ports::{Anchor, AppendError, Head, Ids, Log, LogError, WakeEntry},
};
use async_trait::async_trait;
use bytes::Bytes;
use schema::{
    event::{BatchHeader, SealedBatch},
    ids::{BatchNumber, Epoch, FeedId, Offset},
    time::Stamp,
};
use tokio::sync::oneshot;

use super::{
    committer::Job,
    feeds::{Feeds, Place},
    rows::{RowError, Rows},
    stage::Work,
};

/// The log of all tenants of this node.
pub struct EmbeddedLog {
    pub(super) queue: SyncSender<Job>,
    pub(super) feeds: Arc<Feeds>,
    pub(super) rows: Arc<Rows>,
}

/// Certainly not stored; worth another try in a second.
pub(super) fn unavailable(reason: impl Into<String>) -> AppendError {
    AppendError::Unavailable { retry_after: Duration::from_secs(1), reason: reason.into() }
}

/// A batch that does not follow the head: our own mistake.
pub(super) fn gap(header: &BatchHeader) -> AppendError {
    let reason = format!("batch {} of {} does not follow the head", header.number, header.feed);
    AppendError::Unavailable { retry_after: GAP, reason }
}

/// How a gap is told from other refusals in debug builds.
const GAP: Duration = Duration::from_secs(60);

/// The end of a feed without batches: where its log begins.
pub(super) fn empty_head(anchor: &Anchor) -> Head {
    Head { next_batch: anchor.oldest_batch, next_offset: anchor.oldest, stamp: Stamp(0), owner: None }
}

/// The anchor of a feed that begins here.
pub(super) fn fresh_anchor() -> Anchor {
    Anchor { epoch: fresh_epoch(), oldest: Offset(1), oldest_batch: BatchNumber(1) }
}

/// An epoch that no other log has.
pub(super) fn fresh_epoch() -> Epoch {
    Epoch(SystemIds.random())
}

fn away(error: impl std::fmt::Display) -> LogError {
    LogError::Unavailable { reason: error.to_string() }
}

impl From<RowError> for LogError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Damaged { .. } | RowError::Anchor => Self::Damaged { reason: error.to_string() },
            RowError::Database(_) => away(error),
        }
    }
}

impl EmbeddedLog {
    /// Hands work to the committer and waits for its group.
    pub(super) async fn ask(&self, work: Work) -> Result<(), AppendError> {
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Job { work, reply }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                let reason = "too many appends wait for the disk".to_owned();
                return Err(AppendError::Unavailable { retry_after: Duration::from_millis(200), reason });
            }
            Err(TrySendError::Disconnected(_)) => return Err(closed()),
        }
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    fn read_blocking(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        let from = from.max(Offset(1));
        let Some(plan) = self.feeds.with(feed, |known| plan(known, from, max_bytes)) else { return Ok(Vec::new()) };
        let plan = plan?;
        let mut batches = Vec::new();
        if let Some(end) = plan.rows_until {
            batches = self.rows.read(feed, from, end, max_bytes)?;
            let holds = batches.first().is_some_and(|first| first.header.first <= from && from < first.header.end());
            if !holds {
                return Err(LogError::Damaged { reason: format!("{feed} has no row that holds offset {from}") });
            }
            if batches.last().is_some_and(|last| last.header.end() < end) {
                // The rows went on: what is in the commit file comes after them, in a later read.
                return Ok(batches);
            }
        }
        let mut read: usize = batches.iter().map(|batch| batch.body.len()).sum();
        for place in plan.places {
            if read > max_bytes {
                break;
            }
            read += place.length as usize;
            batches.push(read_place(feed, &place)?);
        }
        Ok(batches)
    }

    fn batch_holding(&self, feed: &FeedId, offset: Offset) -> Result<Option<SealedBatch>, LogError> {
        Ok(self.read_blocking(feed, offset, 0)?.into_iter().next())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let this = Self { queue: self.queue.clone(), feeds: self.feeds.clone(), rows: self.rows.clone() };
        tokio::task::spawn_blocking(move || read(&this)).await.map_err(away)?
    }
}

fn closed() -> AppendError {
    AppendError::Stopped { reason: "the store is closed".to_owned() }
}

/// Where a read finds its batches.
struct Plan {
    /// Rows up to here, if any.
    rows_until: Option<Offset>,
    /// Then batches in the commit file.
    places: Vec<Place>,
}

fn plan(feed: &super::feeds::Feed, from: Offset, max_bytes: usize) -> Result<Plan, LogError> {
    if from < feed.anchor.oldest {
        return Err(LogError::Trimmed { oldest: feed.anchor.oldest });
    }
    let unmoved_from = feed.unmoved.front().map_or(feed.head.next_offset, |place| place.first);
    let index = feed.unmoved.partition_point(|place| place.end <= from);
    let mut planned = 0;
    let within = |place: &&Place| {
        let take = planned <= max_bytes;
        planned += place.length as usize;
        take
    };
    let places = feed.unmoved.range(index..).take_while(within).cloned().collect();
    Ok(Plan { rows_until: (from < unmoved_from).then_some(unmoved_from), places })
}

fn read_place(feed: &FeedId, place: &Place) -> Result<SealedBatch, LogError> {
    let bytes = place.segment.read(place.position, place.length as usize).map_err(away)?;
    SealedBatch::decode(&Bytes::from(bytes))
        .map_err(|error| LogError::Damaged { reason: format!("{feed} at offset {}: {error}", place.first) })
}

#[async_trait]
impl Log for EmbeddedLog {
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError> {
        if let Some(anchor) = self.feeds.with(feed, |feed| feed.anchor.clone()) {
            return Ok(anchor);
        }
        self.ask(Work::Found { feed: feed.clone(), anchor: fresh_anchor() }).await.map_err(away)?;
        self.feeds.with(feed, |feed| feed.anchor.clone()).ok_or_else(|| away("anchor was not stored"))
    }

    async fn head(&self, feed: &FeedId) -> Result<Head, LogError> {
        Ok(self.feeds.with(feed, |feed| feed.head.clone()).unwrap_or_else(|| empty_head(&fresh_anchor())))
    }

    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        let bytes = batch.encode().map_err(|error| unavailable(error.to_string()))?;
        let result = self.ask(Work::Append { header: batch.header, bytes }).await;
        if let Err(AppendError::Unavailable { retry_after: GAP, reason }) = &result {
            debug_assert!(false, "{reason}");
        }
        result
    }

    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        if self.feeds.with(feed, |feed| from >= feed.head.next_offset).unwrap_or(true) {
            return Ok(Vec::new());
        }
        let feed = feed.clone();
        self.blocking(move |log| log.read_blocking(&feed, from, max_bytes)).await
    }

    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        let next = self.head(feed).await?;
        let oldest = oldest.min(next.next_offset);
        let anchored = self.feeds.with(feed, |feed| feed.anchor.oldest);
        if anchored.is_none_or(|anchored| oldest <= anchored) {
            return Ok(());
        }
        let name = feed.clone();
        let holding = self.blocking(move |log| log.batch_holding(&name, oldest)).await?;
        let (oldest_batch, first) =
            holding.map_or((next.next_batch, next.next_offset), |batch| (batch.header.number, batch.header.first));
        self.ask(Work::Trim { feed: feed.clone(), oldest, oldest_batch }).await.map_err(away)?;
        let name = feed.clone();
        self.blocking(move |log| {
            // The last batch always stays: it says where the feed is.
            let last = log.rows.last(&name)?.map_or(first, |last| last.header.first);
            Ok(log.rows.remove_before(&name, first.min(last))?)
        })
        .await
    }

    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        Ok(self.feeds.due(until, limit))
    }

    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError> {
        Ok(self.feeds.names(after, limit))
    }
}
