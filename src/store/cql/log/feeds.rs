//! Feeds: their names, anchors, and which of them a crash may have left behind.

use actors::{
    memory::SystemIds,
    ports::{Anchor, Ids, LogError, Views},
};
use schema::ids::{BatchNumber, Epoch, FeedId, Offset, Partition, TenantId};

use super::CqlLog;
use crate::store::cql::{
    database::{Cql, big, number, together},
    error::CqlError,
    lease::state,
};

const NAME: Cql = Cql::write("INSERT INTO feed_name (shard, tenant, part) VALUES (?, ?, ?)");
const NAMES: Cql = Cql::read("SELECT tenant, part FROM feed_name WHERE shard = ? AND (tenant, part) > (?, ?) LIMIT ?");
const ACTIVE: Cql = Cql::write("INSERT INTO feed_active_on (shard, node, tenant, part) VALUES (?, ?, ?, ?)");
const ACTIVES: Cql = Cql::read("SELECT node, tenant, part FROM feed_active_on WHERE shard = ?");
const NOT_ACTIVE: Cql =
    Cql::write("DELETE FROM feed_active_on WHERE shard = ? AND node = ? AND tenant = ? AND part = ?");
/// Marks of before nodes had names there.
const NAMELESS: Cql = Cql::read("SELECT tenant, part FROM feed_active WHERE shard = ?");
const NOT_NAMELESS: Cql = Cql::write("DELETE FROM feed_active WHERE shard = ? AND tenant = ? AND part = ?");
const ANCHOR: Cql = Cql::conditional(
    "INSERT INTO feed_anchor (tenant, part, epoch, oldest, oldest_batch) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS",
);
const ANCHOR_ANEW: Cql = Cql::conditional(
    "UPDATE feed_anchor SET epoch = ?, oldest = ?, oldest_batch = ? WHERE tenant = ? AND part = ? IF epoch = ?",
);
const ANCHORED: Cql =
    Cql::serial_read("SELECT epoch, oldest, oldest_batch FROM feed_anchor WHERE tenant = ? AND part = ?");
const SHARDS: i32 = 16;

/// The shard of a feed in tables that list feeds.
pub(super) fn shard(feed: &FeedId) -> i32 {
    i32::try_from(crc32c::crc32c(feed.tenant.as_str().as_bytes()) % SHARDS.unsigned_abs()).unwrap_or(0)
}

/// Every shard.
pub(super) fn shards() -> std::ops::Range<i32> {
    0..SHARDS
}

pub(super) fn part(feed: &FeedId) -> i32 {
    i32::from(feed.partition.0)
}

/// A feed from its columns.
pub(super) fn feed_of(tenant: &str, part: i32) -> Result<FeedId, CqlError> {
    let tenant = TenantId::new(tenant).map_err(CqlError::unreadable)?;
    Ok(FeedId { tenant, partition: Partition(u16::try_from(part).map_err(CqlError::unreadable)?) })
}

impl CqlLog {
    /// Names and anchors a feed and marks it as active, once a process, before its first append.
    pub(super) async fn found(&self, feed: &FeedId) -> Result<(), CqlError> {
        if self.memory().founded.contains(feed) {
            return Ok(());
        }
        let (tenant, part, shard) = (feed.tenant.as_str(), part(feed), shard(feed));
        self.database.write(NAME, (shard, tenant, part)).await?;
        self.database.write(ACTIVE, (shard, self.node.as_str(), tenant, part)).await?;
        if self.read_anchor(feed).await?.is_none() {
            // Whose epoch it is in the end does not matter: it is read from there.
            let epoch = SystemIds.random().cast_signed();
            self.database.conditionally(ANCHOR, (tenant, part, epoch, 1_i64, 1_i64)).await?;
        }
        self.memory().founded.insert(feed.clone());
        Ok(())
    }

    /// Begins a feed's log where another store's begins, if it has no batch. Returns the anchor that stands then.
    pub(in crate::store::cql) async fn adopt(&self, feed: &FeedId, anchor: &Anchor) -> Result<Anchor, CqlError> {
        self.found(feed).await?;
        let there = self.read_anchor(feed).await?.ok_or_else(|| super::no_anchor(feed))?;
        if there != *anchor && self.read_end(feed).await?.head.owner.is_none() {
            let epoch = |anchor: &Anchor| anchor.epoch.0.cast_signed();
            let to = (epoch(anchor), big(anchor.oldest.0), big(anchor.oldest_batch.0));
            let at = (feed.tenant.as_str(), part(feed), epoch(&there));
            self.database.conditionally(ANCHOR_ANEW, (to.0, to.1, to.2, at.0, at.1, at.2)).await?;
            self.memory().ends.remove(feed);
        }
        self.read_anchor(feed).await?.ok_or_else(|| super::no_anchor(feed))
    }

    pub(super) async fn read_anchor(&self, feed: &FeedId) -> Result<Option<Anchor>, CqlError> {
        let row: Option<(i64, i64, i64)> = self.database.first(ANCHORED, (feed.tenant.as_str(), part(feed))).await?;
        Ok(row.map(|(epoch, oldest, oldest_batch)| Anchor {
            epoch: Epoch(epoch.cast_unsigned()),
            oldest: Offset(number(oldest)),
            oldest_batch: BatchNumber(number(oldest_batch)),
        }))
    }

    /// Feeds in order of name: the shards' first ones, merged.
    pub(super) async fn named(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, CqlError> {
        let (tenant, from) = after.map_or(("", -1), |after| (after.tenant.as_str(), part(after)));
        let most = i32::try_from(limit).unwrap_or(i32::MAX);
        let read = |shard| self.database.rows::<(String, i32)>(NAMES, (shard, tenant, from, most));
        let pages = together(shards().map(read)).await?;
        let feeds: Result<Vec<FeedId>, CqlError> =
            pages.into_iter().flatten().map(|(tenant, part)| feed_of(&tenant, part)).collect();
        let mut feeds = feeds?;
        feeds.sort_unstable();
        feeds.truncate(limit);
        Ok(feeds)
    }

    /// At the start: of the feeds that were active on this node, or on one that is gone, those whose views are behind.
    /// The others are no longer marked. Marks of nodes that work stay: they may append to those feeds at any time.
    pub(in crate::store::cql) async fn find_lagging(&self) -> Result<(), LogError> {
        let (mut others, ..) = state(&self.database).await?;
        others.retain(|node| *node != self.node);
        let nameless = together(shards().map(|shard| self.database.rows::<(String, i32)>(NAMELESS, (shard,)))).await?;
        let named = |shard| self.database.rows::<(String, String, i32)>(ACTIVES, (shard,));
        let named = together(shards().map(named)).await?;
        let named = named.into_iter().flatten().map(|(node, tenant, part)| (Some(node), tenant, part));
        let marks: Vec<(Option<String>, String, i32)> =
            nameless.into_iter().flatten().map(|(tenant, part)| (None, tenant, part)).chain(named).collect();
        let left = marks.into_iter().filter(|(node, ..)| node.as_ref().is_none_or(|node| !others.contains(node)));
        let compared = together(left.map(|(node, tenant, part)| async move {
            let feed = feed_of(&tenant, part)?;
            let last = Offset(self.read_end(&feed).await?.head.next_offset.0 - 1);
            let viewed = self.views.position(&feed).await?;
            if viewed < last {
                return Ok(Some((feed, last)));
            }
            match node {
                Some(node) => self.database.write(NOT_ACTIVE, (shard(&feed), node, tenant, part)).await?,
                None => self.database.write(NOT_NAMELESS, (shard(&feed), tenant, part)).await?,
            }
            Ok(None)
        }))
        .await?;
        let mut lagging = self.lagging.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lagging.extend(compared.into_iter().flatten());
        Ok(())
    }

    /// Those that are still behind.
    pub(super) async fn still_lagging(&self) -> Result<Vec<FeedId>, LogError> {
        let waiting = self.lagging.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        for (feed, until) in &waiting {
            let viewed = self.views.checkpoint(feed).await;
            let viewed = viewed.map_err(|error| LogError::Unavailable { reason: error.to_string() })?;
            if viewed.offset >= *until {
                self.lagging.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(feed);
            }
        }
        let lagging = self.lagging.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(lagging.keys().cloned().collect())
    }
}

/// A bucket as CQL has it.
pub(super) fn bucket_of(batch: BatchNumber) -> i64 {
    big(super::bucket(batch))
}
