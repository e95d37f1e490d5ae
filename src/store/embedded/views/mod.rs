//! The Views port on fjall. One group of batches is one write, checkpoints included; nothing waits for the disk:
//! what a power cut takes is written again from the log.

mod baseline;
mod key;
mod value;
mod write;
mod writes;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use actors::ports::{
    Checkpoint, ConversationRow, DedupeEntry, Forget, InboxCursor, MessageRow, Page, Route, StoredConversation,
    ViewError, Views, ViewsBatch,
};
use async_trait::async_trait;
use bytes::Bytes;
use schema::{
    ids::{AddressHash, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};

use super::{
    database::{Database, DatabaseError, Tuning},
    disk::Disk,
    error::StoreError,
    feeds::Feeds,
};
use crate::store::StoreOptions;

/// The views of all tenants of this node. Cheap to clone.
#[derive(Clone)]
pub struct EmbeddedViews {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    /// Below this nothing is written: a part of the reserve that appends leave to what is behind them.
    reserve_bytes: u64,
    /// Where the views were at the last write of each feed. Opened again after a refused write, the database must
    /// not be behind that.
    written: Mutex<HashMap<FeedId, Checkpoint>>,
    /// Who is told how far the views are; none: these are a baseline, or scratch.
    feeds: Option<Arc<Feeds>>,
    /// None: these are a baseline.
    baseline: Option<Arc<baseline::Baseline>>,
}

/// One row as it stands in the store, for comparing two stores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ViewRow {
    /// Which view.
    pub table: &'static str,
    /// Its key within the tenant.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

impl From<DatabaseError> for ViewError {
    fn from(error: DatabaseError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

fn damaged(what: &str) -> ViewError {
    ViewError::Damaged(format!("a {what} row cannot be read"))
}

impl EmbeddedViews {
    /// Views at `dir`, over the baselines in `baseline`.
    pub(super) fn open(
        dir: &Path,
        baseline: &Path,
        options: &StoreOptions,
        disk: Arc<dyn Disk>,
        feeds: Arc<Feeds>,
    ) -> Result<Self, StoreError> {
        let baseline = Arc::new(baseline::Baseline::new(baseline, options, disk.clone()));
        Self::open_over(dir, Some(baseline), options, disk, Some(feeds))
    }

    /// A second set of views over the same baselines, at `dir`, for comparing.
    pub(super) fn scratch(&self, dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_over(dir, self.inner.baseline.clone(), options, self.inner.disk.clone(), None)
    }

    fn open_over(
        dir: &Path,
        baseline: Option<Arc<baseline::Baseline>>,
        options: &StoreOptions,
        disk: Arc<dyn Disk>,
        feeds: Option<Arc<Feeds>>,
    ) -> Result<Self, StoreError> {
        let tuning = Tuning {
            cache_bytes: options.view_cache_bytes,
            memtable_bytes: options.view_memtable_bytes,
            journal_bytes: options.view_journal_bytes,
            apart_from: None,
        };
        let database = Database::open(dir, tuning)?;
        let (dir, reserve_bytes) = (dir.to_owned(), options.reserve_bytes / 4);
        let inner = Inner { database, dir, disk, reserve_bytes, written: Mutex::default(), feeds, baseline };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn close(&self) {
        if let Some(baseline) = &self.inner.baseline {
            baseline.close();
        }
        self.inner.database.close();
    }

    /// Opens the database again, as after a refused write.
    #[cfg(test)]
    pub(super) fn reopen(&self) {
        self.inner.database.reopen();
    }

    /// Last offset that a feed's views hold.
    pub(super) fn offset(&self, feed: &FeedId) -> Result<Offset, StoreError> {
        Ok(self.checkpoint_now(feed).map_err(|error| self.failed(&error))?.offset)
    }

    /// Drops a feed's views.
    pub(super) fn clear_all(&self, feed: &FeedId) -> Result<(), StoreError> {
        self.clear_now(feed).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &ViewError) -> StoreError {
        StoreError::Database { path: self.inner.database.path().to_owned(), reason: error.to_string() }
    }

    /// Every row of a feed's views, in order of table and key.
    pub fn dump(&self, feed: &FeedId) -> Result<Vec<ViewRow>, ViewError> {
        let mut rows = Vec::new();
        for (table, name) in key::TABLES {
            let prefix = key::table(&feed.tenant, table);
            let found = self.scan(&prefix, |key, value| Some((key[prefix.len()..].to_vec(), value.to_vec())))?;
            rows.extend(found.into_iter().map(|(key, value)| ViewRow { table: name, key, value }));
        }
        rows.sort_unstable();
        Ok(rows)
    }

    fn get<T>(&self, key: &[u8], what: &str, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, ViewError> {
        let value = self.inner.database.read(|keyspace| keyspace.get(key))?;
        value.map(|value| read(&value).ok_or_else(|| damaged(what))).transpose()
    }

    /// Reads every row under a prefix; rows that are not wanted are `None`.
    fn scan<T>(&self, prefix: &[u8], mut read: impl FnMut(&[u8], &[u8]) -> Option<T>) -> Result<Vec<T>, ViewError> {
        Ok(self.inner.database.read(|keyspace| {
            let mut rows = Vec::new();
            for row in keyspace.prefix(prefix) {
                let (key, value) = row.into_inner()?;
                rows.extend(read(&key, &value));
            }
            Ok(rows)
        })?)
    }

    /// The views' checkpoint. Views that a crash left half cleared are cleared first.
    fn checkpoint_now(&self, feed: &FeedId) -> Result<Checkpoint, ViewError> {
        match self.get(&key::checkpoint(feed), "checkpoint", value::read_checkpoint)? {
            Some((_, true)) => {
                self.clear_now(feed)?;
                Ok(Checkpoint::default())
            }
            Some((checkpoint, false)) => Ok(checkpoint),
            None => Ok(Checkpoint::default()),
        }
    }

    fn write_now(&self, batches: Vec<ViewsBatch>) -> Result<(), ViewError> {
        let inner = &*self.inner;
        let free = inner.disk.free_bytes(&inner.dir).map_err(|error| ViewError::Unavailable(error.to_string()))?;
        if free < inner.reserve_bytes {
            return Err(ViewError::Unavailable(format!("{free} bytes are free on the disk, below the reserve")));
        }
        let mut rows = write::Rows::of(&batches);
        let mut reached: HashMap<FeedId, Checkpoint> = HashMap::new();
        for batch in batches {
            let before = match reached.get(&batch.feed) {
                Some(checkpoint) => *checkpoint,
                None => self.last_written(&batch.feed)?,
            };
            if batch.checkpoint.offset <= before.offset {
                continue;
            }
            batch.writes.into_iter().for_each(|write| rows.write(&batch.feed.tenant, write));
            reached.insert(batch.feed, batch.checkpoint);
        }
        for (feed, checkpoint) in &reached {
            rows.put(key::checkpoint(feed), value::checkpoint(*checkpoint, false));
        }
        inner.database.write(|database, keyspace| rows.commit(database, keyspace))?;
        let mut written = inner.written.lock().unwrap_or_else(PoisonError::into_inner);
        for (feed, checkpoint) in reached {
            if let Some(feeds) = &inner.feeds {
                feeds.lagging.reached(&feed, checkpoint.offset);
            }
            written.insert(feed, checkpoint);
        }
        Ok(())
    }

    /// Where the views stand, which must not be behind what was written before.
    fn last_written(&self, feed: &FeedId) -> Result<Checkpoint, ViewError> {
        let stored = self.checkpoint_now(feed)?;
        let written = self.inner.written.lock().unwrap_or_else(PoisonError::into_inner).get(feed).copied();
        match written {
            Some(written) if stored.offset < written.offset => {
                Err(ViewError::Unavailable(format!("views of {feed} went back to {}: restart", stored.offset)))
            }
            _ => Ok(stored),
        }
    }

    /// Back to the baseline. The checkpoint is marked first and written last: a crash between leaves views that are
    /// cleared again.
    fn clear_now(&self, feed: &FeedId) -> Result<(), ViewError> {
        let inner = &*self.inner;
        let mark = key::checkpoint(feed);
        inner.database.write(|_, keyspace| {
            keyspace.insert(mark.as_slice(), value::checkpoint(Checkpoint::default(), true).as_slice())
        })?;
        self.remove_where(&key::tenant(&feed.tenant), |key, _| Ok(*key != *mark))?;
        let base = self.copy_baseline(feed)?;
        inner.database.write(|_, keyspace| match base {
            Some(base) => keyspace.insert(mark.as_slice(), value::checkpoint(base, false).as_slice()),
            None => keyspace.remove(mark.as_slice()),
        })?;
        inner.written.lock().unwrap_or_else(PoisonError::into_inner).remove(feed);
        Ok(())
    }

    /// Rows between two keys, oldest or newest first, at most one more than `limit`; then the page.
    fn page<T>(
        &self,
        tenant: &TenantId,
        limit: usize,
        read: impl FnOnce(&fjall::Keyspace, usize) -> Result<Vec<T>, fjall::Error>,
    ) -> Result<Page<T>, ViewError> {
        let checkpoint = self.checkpoint_now(&FeedId::of(tenant))?;
        let mut rows = self.inner.database.read(|keyspace| read(keyspace, limit.saturating_add(1)))?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page { checkpoint, rows, more })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, ViewError> + Send + 'static,
    ) -> Result<T, ViewError> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&this)).await;
        done.unwrap_or_else(|error| Err(ViewError::Unavailable(error.to_string())))
    }
}

fn event(row: fjall::Guard) -> Result<Bytes, fjall::Error> {
    Ok(Bytes::copy_from_slice(&row.value()?))
}

#[async_trait]
impl Views for EmbeddedViews {
    async fn checkpoint(&self, feed: &FeedId) -> Result<Checkpoint, ViewError> {
        self.checkpoint_now(feed)
    }

    async fn write(&self, batches: Vec<ViewsBatch>) -> Result<(), ViewError> {
        self.blocking(move |views| views.write_now(batches)).await
    }

    async fn accepted(&self, tenant: &TenantId, key: DedupeKey) -> Result<Option<DedupeEntry>, ViewError> {
        self.get(&key::dedupe(tenant, key), "dedupe", value::read_dedupe)
    }

    async fn route(&self, tenant: &TenantId, address: AddressHash) -> Result<Option<Route>, ViewError> {
        self.get(&key::route(tenant, address), "route", value::read_route)
    }

    async fn conversation(
        &self,
        tenant: &TenantId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, ViewError> {
        self.get(&key::conversation(tenant, id), "conversation", value::read_conversation)
    }

    async fn message(&self, tenant: &TenantId, id: MessageId) -> Result<Option<MessageRow>, ViewError> {
        self.get(&key::message(tenant, id), "message", value::read_message)
    }

    async fn event(&self, tenant: &TenantId, id: ConversationId, offset: Offset) -> Result<Option<Bytes>, ViewError> {
        self.get(&key::timeline(tenant, id, offset), "timeline", |value| Some(Bytes::copy_from_slice(value)))
    }

    async fn timeline_after(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        after: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        let first = key::timeline(tenant, id, Offset(after.0.saturating_add(1)));
        let last = key::timeline(tenant, id, Offset(u64::MAX));
        self.page(tenant, limit, |keyspace, limit| keyspace.range(first..=last).take(limit).map(event).collect())
    }

    async fn timeline_before(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        before: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        let first = key::timeline(tenant, id, Offset(0));
        let end = key::timeline(tenant, id, before);
        self.page(tenant, limit, |keyspace, limit| keyspace.range(first..end).rev().take(limit).map(event).collect())
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Page<ConversationRow>, ViewError> {
        let first = key::inbox_of(tenant, open);
        let end = match after {
            Some(after) => key::inbox(tenant, open, after.activity, after.conversation),
            None => [first.as_slice(), &[0xff; 32]].concat(),
        };
        let page = self.page(tenant, limit, |keyspace, limit| {
            let mut rows = Vec::new();
            for row in keyspace.range(first..end).rev().take(limit) {
                let Some(id) = value::last_uuid(&row.key()?).map(ConversationId) else { continue };
                let Some(stored) = keyspace.get(key::conversation(tenant, id))? else { continue };
                rows.push((id, value::read_conversation(&stored)));
            }
            Ok(rows)
        })?;
        let row = |(conversation, stored): (ConversationId, Option<StoredConversation>)| {
            Ok(ConversationRow { conversation, stored: stored.ok_or_else(|| damaged("conversation"))? })
        };
        let rows = page.rows.into_iter().map(row).collect::<Result<_, ViewError>>()?;
        Ok(Page { checkpoint: page.checkpoint, rows, more: page.more })
    }

    async fn outbox(
        &self,
        tenant: &TenantId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<(MessageId, ConversationId)>, ViewError> {
        let prefix = key::table(tenant, key::Table::Outbox);
        let end = [prefix.as_slice(), &[0xff; 17]].concat();
        // A key with one more byte is the least that is greater.
        let first = after.map_or(prefix, |after| [key::outbox(tenant, after).as_slice(), &[0]].concat());
        let rows = self.inner.database.read(|keyspace| {
            keyspace.range(first..end).take(limit).map(fjall::Guard::into_inner).collect::<Result<Vec<_>, _>>()
        })?;
        let read = |(key, value): (fjall::UserKey, fjall::UserValue)| {
            let ids = value::last_uuid(&key).zip(value::Reader(&value).uuid());
            ids.map(|(message, id)| (MessageId(message), ConversationId(id))).ok_or_else(|| damaged("outbox"))
        };
        rows.into_iter().map(read).collect()
    }

    /// Reads all timers of the tenant: their rows are by conversation, so that setting one needs no read.
    async fn timers(
        &self,
        tenant: &TenantId,
        until: Stamp,
        limit: usize,
    ) -> Result<Vec<(Stamp, ConversationId)>, ViewError> {
        let mut due = self.scan(&key::table(tenant, key::Table::Timer), |key, value| {
            let due = Stamp(value::Reader(value).number()?);
            (due <= until).then_some((due, ConversationId(value::last_uuid(key)?)))
        })?;
        due.sort_unstable();
        due.truncate(limit);
        Ok(due)
    }

    async fn parked(&self, tenant: &TenantId, limit: usize) -> Result<Vec<ConversationId>, ViewError> {
        let prefix = key::table(tenant, key::Table::Parked);
        let keys = self.inner.database.read(|keyspace| {
            keyspace.prefix(prefix).take(limit).map(fjall::Guard::key).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(keys.iter().filter_map(|key| value::last_uuid(key)).map(ConversationId).collect())
    }

    async fn setting(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, ViewError> {
        self.get(&key::setting(tenant, name), "setting", |value| Some(Bytes::copy_from_slice(value)))
    }

    async fn clear(&self, feed: &FeedId) -> Result<(), ViewError> {
        let feed = feed.clone();
        self.blocking(move |views| views.clear_now(&feed)).await
    }

    async fn baseline(&self) -> Result<Option<Arc<dyn Views>>, ViewError> {
        self.blocking(|views| {
            let baseline = views.inner.baseline.as_ref().map(|baseline| baseline.views()).transpose()?;
            Ok(baseline.map(|baseline| Arc::new(baseline) as Arc<dyn Views>))
        })
        .await
    }

    async fn sync(&self) -> Result<(), ViewError> {
        self.blocking(Self::sync_now).await
    }

    async fn forget(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        let feed = feed.clone();
        self.blocking(move |views| views.forget_now(&feed, forget)).await
    }
}
