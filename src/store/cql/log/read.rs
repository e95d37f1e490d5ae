//! Reading back, and letting go.

use actors::ports::LogError;
use bytes::Bytes;
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, FeedId, Offset},
};

use super::{
    BUCKET, CqlLog, bucket,
    feeds::{bucket_of, part},
    no_anchor,
};
use crate::store::cql::{
    database::{Cql, big, number},
    error::CqlError,
};

/// Batches are long: a page of them is at most 4 MiB.
const BATCHES: Cql =
    Cql::read("SELECT number, next, bytes FROM log_batch WHERE tenant = ? AND part = ? AND bucket = ? AND number >= ?")
        .by(8);
const FIRST: Cql =
    Cql::read("SELECT first FROM log_batch WHERE tenant = ? AND part = ? AND bucket = ? AND number >= ? LIMIT 1");
const PLACES: Cql =
    Cql::read("SELECT number, next FROM log_batch WHERE tenant = ? AND part = ? AND bucket = ? AND number >= ?");
const MOVE_ANCHOR: Cql =
    Cql::conditional("UPDATE feed_anchor SET oldest = ?, oldest_batch = ? WHERE tenant = ? AND part = ? IF oldest < ?");
const CLOSE: Cql = Cql::conditional(
    "UPDATE log_batch SET trimmed = true WHERE tenant = ? AND part = ? AND bucket = ? IF trimmed = null",
);
const REMOVE: Cql = Cql::write("DELETE FROM log_batch WHERE tenant = ? AND part = ? AND bucket = ? AND number >= 0");
/// Where an interrupted trim goes on.
const REMOVED: Cql = Cql::read("SELECT removed FROM feed_hint WHERE tenant = ? AND part = ?");
const REMOVED_TO: Cql = Cql::write("INSERT INTO feed_hint (tenant, part, removed) VALUES (?, ?, ?)");

impl CqlLog {
    pub(super) async fn read_from(
        &self,
        feed: &FeedId,
        from: Offset,
        max_bytes: usize,
    ) -> Result<Vec<SealedBatch>, LogError> {
        let Some(anchor) = self.read_anchor(feed).await? else { return Ok(Vec::new()) };
        if from < anchor.oldest {
            return Err(LogError::Trimmed { oldest: anchor.oldest });
        }
        let known = self.memory().ends.get(feed).map(|end| end.head.clone());
        let head = match known {
            Some(head) if from < head.next_offset => head,
            _ => self.read_end(feed).await?.head,
        };
        if from >= head.next_offset {
            return Ok(Vec::new());
        }
        let mut at = self.holding(feed, from, anchor.oldest_batch, head.next_batch).await?;
        let mut batches = Vec::new();
        let mut read = 0;
        while read <= max_bytes && at < head.next_batch {
            let before = batches.len();
            let values = (feed.tenant.as_str(), part(feed), bucket_of(at), big(at.0));
            self.database
                .scan(BATCHES, values, |(number, _, bytes): (i64, i64, Vec<u8>)| {
                    let batch = SealedBatch::decode(&Bytes::from(bytes))
                        .map_err(|error| CqlError::Unreadable(format!("batch {number} of {feed}: {error}")))?;
                    read += batch.body.len();
                    batches.push(batch);
                    Ok(read <= max_bytes)
                })
                .await?;
            if batches.len() == before {
                return Err(LogError::Damaged { reason: format!("{feed} has no batch {at}") });
            }
            at = BatchNumber((bucket(at) + 1) * BUCKET);
        }
        Ok(batches)
    }

    /// Number of the batch that holds an offset before the head: its bucket by halving, then its place in there.
    async fn holding(
        &self,
        feed: &FeedId,
        offset: Offset,
        oldest: BatchNumber,
        next: BatchNumber,
    ) -> Result<BatchNumber, CqlError> {
        let (tenant, part) = (feed.tenant.as_str(), part(feed));
        let (mut low, mut high) = (bucket(oldest), bucket(BatchNumber(next.0 - 1)));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let first: Option<(i64,)> = self.database.first(FIRST, (tenant, part, big(middle), 0_i64)).await?;
            match first {
                Some((first,)) if number(first) <= offset.0 => low = middle,
                _ => high = middle - 1,
            }
        }
        let mut found = None;
        self.database
            .scan(PLACES, (tenant, part, big(low), big(oldest.0)), |(place, next): (i64, i64)| {
                found = (offset.0 < number(next)).then_some(BatchNumber(number(place)));
                Ok(found.is_none())
            })
            .await?;
        found.ok_or_else(|| CqlError::Unreadable(format!("{feed} has no batch that holds offset {offset}")))
    }

    /// Moves the anchor, then removes whole buckets below it. The last batch always stays: it says where the feed is.
    pub(super) async fn trim_to(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        let Some(anchor) = self.read_anchor(feed).await? else { return Ok(()) };
        let head = self.read_end(feed).await?.head;
        let oldest = oldest.min(head.next_offset);
        if oldest > anchor.oldest {
            let oldest_batch = match oldest < head.next_offset {
                true => self.holding(feed, oldest, anchor.oldest_batch, head.next_batch).await?,
                false => head.next_batch,
            };
            let to = (big(oldest.0), big(oldest_batch.0), feed.tenant.as_str(), part(feed), big(oldest.0));
            self.database.conditionally(MOVE_ANCHOR, to).await?;
        }
        let now = self.read_anchor(feed).await?.ok_or_else(|| no_anchor(feed))?;
        let last = BatchNumber(head.next_batch.0.saturating_sub(1));
        let (tenant, part) = (feed.tenant.as_str(), part(feed));
        let removed: Option<(Option<i64>,)> = self.database.first(REMOVED, (tenant, part)).await?;
        let from = number(removed.and_then(|(removed,)| removed).unwrap_or(0));
        for at in from..bucket(now.oldest_batch).min(bucket(last)) {
            // Closed first: a slot of a bucket that is gone must not look free.
            self.database.conditionally(CLOSE, (tenant, part, big(at))).await?;
            self.database.write(REMOVE, (tenant, part, big(at))).await?;
            self.database.write(REMOVED_TO, (tenant, part, big(at + 1))).await?;
        }
        Ok(())
    }
}
