//! The baseline of trimmed logs: a second database of view rows beside the views, durable, opened when it is needed.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use actors::ports::{Checkpoint, Forget, ViewError, ViewWrite};
use schema::ids::{FeedId, Offset};

use super::{EmbeddedViews, damaged, key, value};
use crate::store::{
    StoreOptions,
    embedded::{disk::Disk, error::StoreError},
};

/// Rows read or written at once.
const TOGETHER: usize = 4_096;
/// Cache of the baseline's database: only rebuilds and trims read it.
const CACHE_BYTES: u64 = 4 << 20;

/// Where the baselines of all feeds are. Most nodes never trim, and never open it.
pub(super) struct Baseline {
    dir: PathBuf,
    options: StoreOptions,
    disk: Arc<dyn Disk>,
    opened: Mutex<Option<EmbeddedViews>>,
}

impl Baseline {
    pub(super) fn new(dir: &Path, options: &StoreOptions, disk: Arc<dyn Disk>) -> Self {
        let options = StoreOptions { view_cache_bytes: CACHE_BYTES, ..options.clone() };
        Self { dir: dir.to_owned(), options, disk, opened: Mutex::default() }
    }

    /// Its views; made if there are none.
    pub(super) fn views(&self) -> Result<EmbeddedViews, ViewError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(views) = &*opened {
            return Ok(views.clone());
        }
        let open = || -> Result<EmbeddedViews, StoreError> {
            EmbeddedViews::open_over(&self.dir, None, &self.options, self.disk.clone(), None)
        };
        let views = open().map_err(|error| ViewError::Unavailable(error.to_string()))?;
        *opened = Some(views.clone());
        Ok(views)
    }

    /// Its views, if anything was ever trimmed.
    fn existing(&self) -> Result<Option<EmbeddedViews>, ViewError> {
        if self.dir.is_dir() { self.views().map(Some) } else { Ok(None) }
    }

    pub(super) fn close(&self) {
        if let Some(views) = self.opened.lock().unwrap_or_else(PoisonError::into_inner).take() {
            views.close();
        }
    }
}

/// A row as it stands in the database.
type Row = (fjall::UserKey, fjall::UserValue);

impl EmbeddedViews {
    pub(super) fn sync_now(&self) -> Result<(), ViewError> {
        // Into tables, whose blocks have checksums: a journal that is damaged in its middle is cut there in silence.
        self.inner.database.write(|_, keyspace| keyspace.rotate_memtable_and_wait())?;
        Ok(self.inner.database.write(|database, _| database.persist(fjall::PersistMode::SyncAll))?)
    }

    /// A feed's baseline, as where it stands and what writes it again; none if the feed was never trimmed.
    pub(in crate::store::embedded) fn baseline_writes(
        &self,
        feed: &FeedId,
    ) -> Result<Option<(Checkpoint, Vec<ViewWrite>)>, ViewError> {
        let baseline = self.inner.baseline.as_ref().map(|baseline| baseline.existing()).transpose()?.flatten();
        baseline.map(|baseline| Ok((baseline.checkpoint_now(feed)?, baseline.writes(&feed.tenant)?))).transpose()
    }

    /// Copies the baseline's rows of a feed, all but its checkpoint, which is returned.
    pub(super) fn copy_baseline(&self, feed: &FeedId) -> Result<Option<Checkpoint>, ViewError> {
        let Some(baseline) = self.inner.baseline.as_ref().map(|baseline| baseline.existing()).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let checkpoint = baseline.checkpoint_now(feed)?;
        if checkpoint == Checkpoint::default() {
            return Ok(None);
        }
        let mark = key::checkpoint(feed);
        baseline.pages(&key::tenant(&feed.tenant), |rows| {
            self.inner.database.write(|database, keyspace| {
                let mut batch = database.batch();
                let rows = rows.iter().filter(|(key, _)| **key != *mark);
                rows.for_each(|(key, value)| batch.insert(keyspace, key.clone(), value.clone()));
                batch.commit()
            })?;
            Ok(())
        })?;
        Ok(Some(checkpoint))
    }

    /// See [`actors::ports::Views::forget`].
    pub(super) fn forget_now(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        match &self.inner.baseline {
            Some(baseline) => {
                let baseline = baseline.views()?;
                baseline.forget_now(feed, forget)?;
                self.forget_as(&baseline, feed, forget.below)
            }
            None => self.forget_own(feed, forget),
        }
    }

    fn forget_own(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        let owner = &feed.tenant;
        let mut pinned = HashSet::new();
        self.pages(&key::table(owner, key::Table::Conversation), |rows| {
            for (row, stored) in rows {
                let id = value::last_uuid(row).ok_or_else(|| damaged("conversation"))?;
                let stored = value::read_conversation(stored).ok_or_else(|| damaged("conversation"))?;
                let offsets = (forget.pinned)(&stored)?.into_iter().filter(|offset| *offset < forget.below);
                pinned.extend(offsets.map(|offset| key::timeline(owner, schema::ids::ConversationId(id), offset)));
            }
            Ok(())
        })?;
        let keep = |key: &[u8]| pinned.contains(key);
        self.forget_where(feed, forget.below, |table, key, value| {
            Ok(match table {
                key::Table::Timeline => keep(key),
                key::Table::Message => {
                    let row = value::read_message(value).ok_or_else(|| damaged("message"))?;
                    keep(&key::timeline(owner, row.conversation, row.offset))
                }
                _ => value::dedupe_stamp(value).ok_or_else(|| damaged("dedupe"))? >= forget.dedupe_from,
            })
        })
    }

    fn forget_as(&self, baseline: &Self, feed: &FeedId, below: Offset) -> Result<(), ViewError> {
        self.forget_where(feed, below, |_, key, _| {
            Ok(baseline.inner.database.read(|keyspace| keyspace.contains_key(key))?)
        })
    }

    /// Removes rows that name an event before `below`, unless they are to be kept.
    fn forget_where(
        &self,
        feed: &FeedId,
        below: Offset,
        keep: impl Fn(key::Table, &[u8], &[u8]) -> Result<bool, ViewError>,
    ) -> Result<(), ViewError> {
        for table in [key::Table::Timeline, key::Table::Message, key::Table::Dedupe] {
            self.remove_where(&key::table(&feed.tenant, table), |key, value| {
                let offset = match table {
                    key::Table::Timeline => value::last_number(key).map(Offset),
                    key::Table::Message => value::read_message(value).map(|row| row.offset),
                    _ => value::read_dedupe(value).map(|entry| entry.offset),
                };
                let offset = offset.ok_or_else(|| damaged("view"))?;
                Ok(offset < below && !keep(table, key, value)?)
            })?;
        }
        Ok(())
    }

    /// Removes the rows under a prefix that are `gone`.
    pub(super) fn remove_where(
        &self,
        prefix: &[u8],
        gone: impl Fn(&[u8], &[u8]) -> Result<bool, ViewError>,
    ) -> Result<(), ViewError> {
        self.pages(prefix, |rows| {
            let mut going = Vec::new();
            for (key, value) in rows {
                if gone(key, value)? {
                    going.push(key.clone());
                }
            }
            self.inner.database.write(|database, keyspace| {
                let mut batch = database.batch();
                going.into_iter().for_each(|key| batch.remove(keyspace, key));
                batch.commit()
            })?;
            Ok(())
        })
    }

    /// Shows the rows under a prefix, in order, some at a time.
    fn pages(&self, prefix: &[u8], mut visit: impl FnMut(&[Row]) -> Result<(), ViewError>) -> Result<(), ViewError> {
        let mut first = prefix.to_vec();
        loop {
            let rows: Vec<Row> = self.inner.database.read(|keyspace| {
                let rows = keyspace.range(first.as_slice()..).take(TOGETHER).map(fjall::Guard::into_inner);
                rows.take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix))).collect()
            })?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            // A key with one more byte is the least that is greater.
            first = [last.as_ref(), &[0]].concat();
            visit(&rows)?;
        }
    }
}
