//! The log as tenant-ordered rows, one per batch, behind the commit file.
//!
//! Rows are ingested as finished, synced tables: once `ingest` returns, the segment they came from may go.
//! Keys: `1 feed` holds the feed's anchor, `2 feed first-offset` a batch.

use std::{collections::BTreeMap, path::Path};

use actors::ports::Anchor;
use bytes::Bytes;
use schema::{
    event::{BatchHeader, CodecError, SealedBatch},
    ids::{BatchNumber, FeedId, Offset},
};

use super::{
    database::{Database, DatabaseError, Tuning},
    error::StoreError,
    record::{decode_anchor, encode_anchor, put_feed, take_feed},
};

const ANCHOR: u8 = 1;
const BATCH: u8 = 2;
/// Rows removed in one write.
const REMOVE_TOGETHER: usize = 4_096;
/// Batches from this size on are written once and never moved by compaction.
const APART_FROM: u32 = 512;

/// Why rows cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The key or the value of a feed's anchor is damaged.
    #[error("a row of an anchor cannot be read")]
    Anchor,
    /// A row is damaged.
    #[error("row of {feed} at offset {offset}: {error}")]
    Damaged {
        /// Whose.
        feed: FeedId,
        /// Where.
        offset: Offset,
        /// How.
        error: CodecError,
    },
}

impl From<fjall::Error> for RowError {
    fn from(error: fjall::Error) -> Self {
        Self::Database(DatabaseError::Refused(error))
    }
}

/// Rows for the next ingest: sorted by key.
#[derive(Default)]
pub(super) struct NewRows {
    rows: BTreeMap<Vec<u8>, Bytes>,
}

impl NewRows {
    pub(super) fn anchor(&mut self, feed: &FeedId, anchor: &Anchor) {
        self.rows.insert(anchor_key(feed), encode_anchor(anchor).into());
    }

    pub(super) fn batch(&mut self, header: &BatchHeader, bytes: Bytes) {
        self.rows.insert(batch_key(&header.feed, header.first), bytes);
    }
}

/// The rows of all feeds.
pub(super) struct Rows {
    database: Database,
}

impl Rows {
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let tuning =
            Tuning { cache_bytes, memtable_bytes: 8 << 20, journal_bytes: 64 << 20, apart_from: Some(APART_FROM) };
        Ok(Self { database: Database::open(path, tuning)? })
    }

    pub(super) fn close(&self) {
        self.database.close();
    }

    pub(super) fn path(&self) -> &Path {
        self.database.path()
    }

    /// Writes rows; they are on stable storage when this returns. Rows that are there already are replaced.
    pub(super) fn ingest(&self, rows: &NewRows) -> Result<(), RowError> {
        Ok(self.database.write(|_, keyspace| {
            let mut ingestion = keyspace.start_ingestion()?;
            for (key, value) in &rows.rows {
                ingestion.write(key.as_slice(), value.as_ref())?;
            }
            ingestion.finish()
        })?)
    }

    /// Every feed with its anchor.
    pub(super) fn feeds(&self) -> Result<Vec<(FeedId, Anchor)>, RowError> {
        let rows = self.database.read(|keyspace| {
            let mut rows = Vec::new();
            for row in keyspace.prefix([ANCHOR]) {
                let (key, value) = row.into_inner()?;
                rows.push((key, value));
            }
            Ok(rows)
        })?;
        let read = |(key, value): (fjall::UserKey, fjall::UserValue)| {
            let (feed, _) = take_feed(key.get(1..)?)?;
            Some((feed, decode_anchor(&value)?))
        };
        rows.into_iter().map(|row| read(row).ok_or(RowError::Anchor)).collect()
    }

    /// The last batch of a feed.
    pub(super) fn last(&self, feed: &FeedId) -> Result<Option<SealedBatch>, RowError> {
        self.holding(feed, Offset(u64::MAX))
    }

    /// The batch that holds an offset, or the last one before it.
    pub(super) fn holding(&self, feed: &FeedId, offset: Offset) -> Result<Option<SealedBatch>, RowError> {
        let range = batch_key(feed, Offset(0))..=batch_key(feed, offset);
        let value = self.database.read(|keyspace| match keyspace.range(range).next_back() {
            Some(row) => Ok(Some(Bytes::copy_from_slice(&row.value()?))),
            None => Ok(None),
        })?;
        value.map(|value| decode(feed, offset, &value)).transpose()
    }

    /// Batches from the one that holds `from`, up to `end`, until `max_bytes` are exceeded.
    pub(super) fn read(
        &self,
        feed: &FeedId,
        from: Offset,
        end: Offset,
        max_bytes: usize,
    ) -> Result<Vec<SealedBatch>, RowError> {
        let Some(first) = self.holding(feed, from)? else { return Ok(Vec::new()) };
        let rest = batch_key(feed, first.header.end())..batch_key(feed, end);
        let mut read = first.body.len();
        let mut batches = vec![first];
        if read > max_bytes {
            return Ok(batches);
        }
        let values = self.database.read(|keyspace| {
            let mut values = Vec::new();
            for row in keyspace.range(rest) {
                let value = Bytes::copy_from_slice(&row.value()?);
                read += value.len();
                values.push(value);
                if read > max_bytes {
                    break;
                }
            }
            Ok(values)
        })?;
        for value in values {
            batches.push(decode(feed, from, &value)?);
        }
        Ok(batches)
    }

    /// The header of the batch with a number, which is somewhere in `oldest..end`. Numbers grow with offsets.
    pub(super) fn numbered(
        &self,
        feed: &FeedId,
        number: BatchNumber,
        oldest: Offset,
        end: Offset,
    ) -> Result<Option<BatchHeader>, RowError> {
        let (mut low, mut high) = (oldest, end);
        while low < high {
            let middle = Offset(low.0 + (high.0 - low.0) / 2);
            let Some(batch) = self.holding(feed, middle)? else { return Ok(None) };
            let header = batch.header;
            if header.end() <= middle {
                return Ok(None);
            }
            match header.number.cmp(&number) {
                std::cmp::Ordering::Equal => return Ok(Some(header)),
                std::cmp::Ordering::Less => low = header.end(),
                std::cmp::Ordering::Greater => high = header.first,
            }
        }
        Ok(None)
    }

    /// Removes batches that begin before `first`.
    pub(super) fn remove_before(&self, feed: &FeedId, first: Offset) -> Result<(), RowError> {
        loop {
            let range = batch_key(feed, Offset(0))..batch_key(feed, first);
            let keys = self.database.read(|keyspace| {
                keyspace.range(range).take(REMOVE_TOGETHER).map(fjall::Guard::key).collect::<Result<Vec<_>, _>>()
            })?;
            if keys.is_empty() {
                return Ok(());
            }
            self.database.write(|database, keyspace| {
                let mut batch = database.batch();
                keys.into_iter().for_each(|key| batch.remove(keyspace, key));
                batch.commit()
            })?;
        }
    }
}

fn decode(feed: &FeedId, offset: Offset, value: &Bytes) -> Result<SealedBatch, RowError> {
    SealedBatch::decode(value).map_err(|error| RowError::Damaged { feed: feed.clone(), offset, error })
}

fn anchor_key(feed: &FeedId) -> Vec<u8> {
    let mut key = Vec::with_capacity(80);
    key.push(ANCHOR);
    put_feed(feed, &mut key);
    key
}

fn batch_key(feed: &FeedId, first: Offset) -> Vec<u8> {
    let mut key = Vec::with_capacity(80);
    key.push(BATCH);
    put_feed(feed, &mut key);
    key.extend_from_slice(&first.0.to_be_bytes());
    key
}
