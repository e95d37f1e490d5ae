//! Appending: the fence is the store's own decision.

use std::time::Duration;

use actors::ports::{Anchor, AppendError, Head};
use schema::{
    event::{BatchHeader, SealedBatch},
    ids::{BatchId, BatchNumber, FeedId, NodeId, Offset},
    time::Stamp,
};
use scylla::value::CqlValue;
use uuid::Uuid;

use super::{
    BUCKET, CqlLog, End, bucket,
    feeds::{bucket_of, part},
};
use crate::store::cql::{
    database::{Conditional, Cql, big, number},
    error::CqlError,
};

/// Not `INSERT … IF NOT EXISTS`: that does not see that a bucket was trimmed, and where it is not applied Cassandra
/// sends the whole batch that stands there back. This sends what is asked for.
const APPEND: Cql = Cql::conditional(
    "UPDATE log_batch SET id = ?, node = ?, first = ?, next = ?, stamp = ?, wake_at = ?, bytes = ? \
     WHERE tenant = ? AND part = ? AND bucket = ? AND number = ? IF id = null AND node = null AND trimmed = null",
);
const LAST: Cql = Cql::serial_read(
    "SELECT number, next, stamp, node, wake_at FROM log_batch WHERE tenant = ? AND part = ? AND bucket = ? \
     ORDER BY number DESC LIMIT 1",
);
const HINT: Cql = Cql::write("INSERT INTO feed_hint (tenant, part, bucket) VALUES (?, ?, ?) USING TIMESTAMP ?");
const HINTED: Cql = Cql::read("SELECT bucket FROM feed_hint WHERE tenant = ? AND part = ?");
/// After a refusal.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The end of a feed without batches: where its log begins.
fn empty(anchor: Option<&Anchor>) -> End {
    let (next_batch, next_offset) =
        anchor.map_or((BatchNumber(1), Offset(1)), |anchor| (anchor.oldest_batch, anchor.oldest));
    End { head: Head { next_batch, next_offset, stamp: Stamp(0), owner: None }, wake_at: None }
}

fn unavailable(reason: impl Into<String>) -> AppendError {
    AppendError::Unavailable { retry_after: RETRY_AFTER, reason: reason.into() }
}

/// Before the append itself: nothing is stored yet.
fn before(error: CqlError) -> AppendError {
    unavailable(error.to_string())
}

/// Of the append itself.
fn outcome(error: CqlError) -> AppendError {
    match error {
        CqlError::NotDone(reason) => unavailable(reason),
        CqlError::Unknown(reason) | CqlError::Unreadable(reason) => AppendError::Unknown { reason },
    }
}

type LastRow = (Option<i64>, Option<i64>, Option<i64>, Option<String>, Option<i64>);

impl CqlLog {
    pub(super) async fn append_batch(&self, batch: SealedBatch) -> Result<(), AppendError> {
        let bytes = batch.encode().map_err(|error| unavailable(error.to_string()))?;
        let header = batch.header;
        self.found(&header.feed).await.map_err(before)?;
        self.check_next(&header).await?;
        self.enter(&header).await.map_err(before)?;
        match self.put(&header, bytes.to_vec()).await {
            Ok(Conditional::Applied) => {}
            Ok(Conditional::Standing(there)) => self.compare(&header, &there).await?,
            Err(error) => return Err(outcome(error)),
        }
        self.appended(&header).await;
        Ok(())
    }

    /// A number beyond the next would leave a hole: our own mistake. One before it is for the store to judge.
    async fn check_next(&self, header: &BatchHeader) -> Result<(), AppendError> {
        let follows = |head: &Head| {
            header.number < head.next_batch || (header.number == head.next_batch && header.first == head.next_offset)
        };
        let known = self.memory().ends.get(&header.feed).map(|end| follows(&end.head));
        if known == Some(true) {
            return Ok(());
        }
        let end = self.read_end(&header.feed).await.map_err(before)?;
        if follows(&end.head) {
            return Ok(());
        }
        let reason = format!("batch {} of {} does not follow the head", header.number, header.feed);
        debug_assert!(false, "{reason}");
        Err(unavailable(reason))
    }

    async fn put(&self, header: &BatchHeader, bytes: Vec<u8>) -> Result<Conditional, CqlError> {
        let wake_at = header.wake_at.map_or(-1, |due| big(due.0));
        let values = (
            header.id.0,
            header.node.as_str(),
            big(header.first.0),
            big(header.end().0),
            big(header.stamp.0),
            wake_at,
            bytes,
            header.feed.tenant.as_str(),
            part(&header.feed),
            bucket_of(header.number),
            big(header.number.0),
        );
        self.database.conditionally(APPEND, values).await
    }

    /// The number is taken: by this very batch, or by another.
    async fn compare(
        &self,
        header: &BatchHeader,
        there: &std::collections::HashMap<String, CqlValue>,
    ) -> Result<(), AppendError> {
        let id = there.get("id").and_then(CqlValue::as_uuid);
        if id == Some(header.id.0) {
            return Ok(());
        }
        self.memory().ends.remove(&header.feed);
        let node = there.get("node").and_then(CqlValue::as_text).and_then(|node| NodeId::new(node).ok());
        if let (Some(id), Some(by)) = (id, node) {
            return Err(AppendError::Fenced { id: BatchId(id), by });
        }
        // Trimmed: whoever wrote it, the log has gone on since.
        let owner = self.read_end(&header.feed).await.map_err(before)?.head.owner;
        let by = owner.ok_or_else(|| AppendError::Unknown { reason: "a trimmed feed without an owner".to_owned() })?;
        Err(AppendError::Fenced { id: BatchId(Uuid::nil()), by })
    }

    async fn appended(&self, header: &BatchHeader) {
        let end = End {
            head: Head {
                next_batch: header.number.next(),
                next_offset: header.end(),
                stamp: header.stamp,
                owner: Some(header.node.clone()),
            },
            wake_at: header.wake_at,
        };
        {
            let ends = &mut self.memory().ends;
            let known = ends.get(&header.feed).map(|end| end.head.next_batch);
            if known.is_some_and(|known| known > end.head.next_batch) {
                // The same batch again, long after.
                return;
            }
            ends.insert(header.feed.clone(), end);
        }
        if header.number.0.is_multiple_of(BUCKET) {
            let values =
                (header.feed.tenant.as_str(), part(&header.feed), bucket_of(header.number), big(header.stamp.0));
            // Without it the head is found all the same, a bucket at a time.
            if let Err(error) = self.database.write(HINT, values).await {
                tracing::warn!(feed = %header.feed, %error, "a hint of the log's end was not stored");
            }
        }
        self.left(header).await;
    }

    /// The feed's end as the store has it: from what is known, or the hint, forward to the first bucket with room.
    pub(super) async fn read_end(&self, feed: &FeedId) -> Result<End, CqlError> {
        let known = self.memory().ends.get(feed).map(|end| bucket_of(BatchNumber(end.head.next_batch.0 - 1)));
        let mut found = match known {
            Some(at) => self.probe(feed, at, at).await?,
            None => None,
        };
        if found.is_none() {
            // Not known, or trimmed since.
            let (at, last) = self.hinted(feed).await?;
            found = self.probe(feed, at, last).await?;
        }
        let Some(end) = found else { return Ok(empty(self.read_anchor(feed).await?.as_ref())) };
        let mut memory = self.memory();
        let before = memory.ends.insert(feed.clone(), end.clone());
        if before.is_none_or(|before| before.head.next_batch != end.head.next_batch) {
            // Another node has gone on, and may have removed the wake entry that this one wrote.
            memory.entries.remove(feed);
        }
        Ok(end)
    }

    /// The last batch from a bucket on. `last`: the last bucket that may be trimmed while later ones are not.
    async fn probe(&self, feed: &FeedId, mut at: i64, last: i64) -> Result<Option<End>, CqlError> {
        let mut found = None;
        loop {
            let values = (feed.tenant.as_str(), part(feed), at);
            let row: Option<LastRow> = self.database.first(LAST, values).await?;
            match row {
                Some((Some(last), Some(next), Some(stamp), Some(node), Some(wake_at))) => {
                    let last = BatchNumber(number(last));
                    let head = Head {
                        next_batch: last.next(),
                        next_offset: Offset(number(next)),
                        stamp: Stamp(number(stamp)),
                        owner: Some(NodeId::new(&node).map_err(CqlError::unreadable)?),
                    };
                    found = Some(End { head, wake_at: u64::try_from(wake_at).ok().map(Stamp) });
                    if bucket(last.next()) == bucket(last) {
                        return Ok(found);
                    }
                }
                _ if found.is_none() && at < last => {}
                _ => return Ok(found),
            }
            at += 1;
        }
    }

    /// Where to begin, and the last bucket that may be trimmed while later ones are not.
    async fn hinted(&self, feed: &FeedId) -> Result<(i64, i64), CqlError> {
        let hint: Option<(Option<i64>,)> = self.database.first(HINTED, (feed.tenant.as_str(), part(feed))).await?;
        let oldest = self.read_anchor(feed).await?.map_or(BatchNumber(1), |anchor| anchor.oldest_batch);
        // The last batch stays when all are trimmed: it may be in the bucket before.
        let from = bucket_of(BatchNumber(oldest.0.saturating_sub(1)));
        let hint = hint.and_then(|(bucket,)| bucket).unwrap_or(0);
        Ok((hint.max(from), bucket_of(oldest)))
    }
}
