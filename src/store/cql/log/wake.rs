//! The wake index: who must be awake when, by shard and hour.
//!
//! An entry is written before its batch, so that no stored batch lacks one, and is true only while the feed's last
//! batch says the same time. What is no longer true is removed by whoever meets it, with the time stamp of the batch
//! that made it so: an entry that is written later stays.

use std::collections::HashSet;

use actors::ports::{LogError, WakeEntry};
use schema::{event::BatchHeader, ids::FeedId, time::Stamp};

use super::{
    CqlLog,
    feeds::{feed_of, part, shard, shards},
};
use crate::store::cql::{
    database::{Cql, big, number, together},
    error::CqlError,
};

const ENTER: Cql = Cql::write(
    "INSERT INTO wake (shard, bucket, due, tenant, part, number) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
);
const LEAVE: Cql = Cql::write(
    "DELETE FROM wake USING TIMESTAMP ? WHERE shard = ? AND bucket = ? AND due = ? AND tenant = ? AND part = ?",
);
const DUE: Cql =
    Cql::read("SELECT due, tenant, part, number FROM wake WHERE shard = ? AND bucket = ? AND due <= ? LIMIT ?");
const LIST: Cql = Cql::write("INSERT INTO wake_bucket (shard, bucket) VALUES (?, ?)");
const LISTED: Cql = Cql::read("SELECT bucket FROM wake_bucket WHERE shard = ? AND bucket <= ?");
const UNLIST: Cql = Cql::write("DELETE FROM wake_bucket WHERE shard = ? AND bucket = ?");
/// Microseconds of one bucket.
const HOUR: u64 = 3_600_000_000;
/// Hours after which an empty bucket is no longer listed: later than any clock is wrong.
const KEPT_HOURS: i64 = 48;
/// Entries beyond the limit that are read, since some may not be true.
const SPARE: usize = 64;

/// An entry as it was read.
struct Read {
    shard: i32,
    bucket: i64,
    due: Stamp,
    feed: FeedId,
    number: u64,
}

/// An hour that has not begun when the batch is written: what is listed and empty and long past stays so.
fn hour(header: &BatchHeader, due: Stamp) -> i64 {
    big(due.max(header.stamp).0 / HOUR)
}

impl CqlLog {
    /// Before a batch is appended.
    pub(super) async fn enter(&self, header: &BatchHeader) -> Result<(), CqlError> {
        let Some(due) = header.wake_at else { return Ok(()) };
        let (feed, shard) = (&header.feed, shard(&header.feed));
        let bucket = hour(header, due);
        let (is_entered, is_listed) = {
            let memory = self.memory();
            let entered = memory.entries.get(feed).is_some_and(|entry| entry.0 == due);
            (entered, memory.listed.contains(&(shard, bucket)))
        };
        if is_entered {
            return Ok(());
        }
        if !is_listed {
            self.database.write(LIST, (shard, bucket)).await?;
            self.memory().listed.insert((shard, bucket));
        }
        let values =
            (shard, bucket, big(due.0), feed.tenant.as_str(), part(feed), big(header.number.0), big(header.stamp.0));
        self.database.write(ENTER, values).await
    }

    /// After it: the entry before is no longer true.
    pub(super) async fn left(&self, header: &BatchHeader) {
        let feed = &header.feed;
        let before = {
            let mut memory = self.memory();
            let before = match header.wake_at {
                Some(due) if memory.entries.get(feed).is_some_and(|entry| entry.0 == due) => None,
                Some(due) => memory.entries.insert(feed.clone(), (due, hour(header, due))),
                None => memory.entries.remove(feed),
            };
            memory.listed.retain(|(_, bucket)| *bucket + KEPT_HOURS / 2 > big(header.stamp.0 / HOUR));
            before
        };
        let Some((due, bucket)) = before else { return };
        let values = (big(header.stamp.0), shard(feed), bucket, big(due.0), feed.tenant.as_str(), part(feed));
        // Whoever meets it later removes it.
        if let Err(error) = self.database.write(LEAVE, values).await {
            tracing::debug!(%feed, %error, "an old wake entry was not removed");
        }
    }

    pub(super) async fn due_by(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        let lagging = self.still_lagging().await?;
        let mut found: Vec<WakeEntry> =
            lagging.iter().map(|feed| WakeEntry { due: Stamp(0), feed: feed.clone() }).collect();
        let lagging: HashSet<FeedId> = lagging.into_iter().collect();
        let read = together(shards().map(|shard| self.read_shard(shard, until, limit))).await?;
        let judged = together(read.into_iter().flatten().map(|entry| self.judge(entry))).await?;
        found.extend(judged.into_iter().flatten().filter(|entry| !lagging.contains(&entry.feed)));
        found.sort_unstable();
        found.dedup_by(|later, earlier| later.feed == earlier.feed);
        found.truncate(limit);
        Ok(found)
    }

    async fn read_shard(&self, shard: i32, until: Stamp, limit: usize) -> Result<Vec<Read>, CqlError> {
        let now = big(until.0 / HOUR);
        let mut entries = Vec::new();
        // Entries of one time may be in a later hour than that time, if they were written late.
        for (bucket,) in self.database.rows::<(i64,)>(LISTED, (shard, now)).await? {
            let most = i32::try_from(limit.saturating_add(SPARE)).unwrap_or(i32::MAX);
            let rows: Vec<(i64, String, i32, i64)> =
                self.database.rows(DUE, (shard, bucket, big(until.0), most)).await?;
            if rows.is_empty() && bucket + KEPT_HOURS < now {
                self.database.write(UNLIST, (shard, bucket)).await?;
            }
            for (due, tenant, part, batch) in rows {
                let (due, number) = (Stamp(number(due)), number(batch));
                entries.push(Read { shard, bucket, due, feed: feed_of(&tenant, part)?, number });
            }
        }
        Ok(entries)
    }

    /// Whether an entry is what the feed's last batch says. One of a batch that is on its way is not, yet.
    async fn judge(&self, entry: Read) -> Result<Option<WakeEntry>, CqlError> {
        let end = self.read_end(&entry.feed).await?;
        if end.wake_at == Some(entry.due) {
            return Ok(Some(WakeEntry { due: entry.due, feed: entry.feed }));
        }
        if entry.number < end.head.next_batch.0 {
            let Read { shard, bucket, due, feed, .. } = &entry;
            let values = (big(end.head.stamp.0), *shard, *bucket, big(due.0), feed.tenant.as_str(), part(feed));
            self.database.write(LEAVE, values).await?;
        }
        Ok(None)
    }
}
