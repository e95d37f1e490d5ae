//! Which generation of a feed's views is the one to read and write, and how far it is.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use actors::ports::{Checkpoint, VIEWS_VERSION};
use schema::ids::{BatchNumber, FeedId, Offset, TenantId};

use super::{CqlViews, Part};
use crate::store::cql::{
    database::{Cql, big, number},
    error::CqlError,
};

const ALL: Cql = Cql::read(
    "SELECT generation, version, ready, position, batch_number FROM view_set WHERE tenant = ? AND part = ? AND kind = ?",
);
/// Time stamp 1: it is written once, and a checkpoint's own stamps are later.
const BEGIN: Cql = Cql::write(
    "INSERT INTO view_set (tenant, part, kind, generation, version, ready, position, batch_number) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP 1",
);
const READY: Cql = Cql::write(
    "UPDATE view_set USING TIMESTAMP 2 SET ready = true WHERE tenant = ? AND part = ? AND kind = ? AND generation = ?",
);
const ADVANCE: Cql = Cql::write(
    "UPDATE view_set USING TIMESTAMP ? SET version = ?, ready = true, position = ?, batch_number = ? \
     WHERE tenant = ? AND part = ? AND kind = ? AND generation = ?",
);
const END: Cql = Cql::write("DELETE FROM view_set WHERE tenant = ? AND part = ? AND kind = ? AND generation = ?");
/// No tenant's views are made anew so often.
pub(super) const SCRATCH: i64 = 1 << 40;
/// Feeds whose generation is remembered; beyond it all are read again.
const KNOWN_MAX: usize = 200_000;

/// Generations that this process reads and writes.
#[derive(Default)]
pub(super) struct Sets(Mutex<HashMap<FeedId, i64>>);

impl Sets {
    fn get(&self, feed: &FeedId) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(feed).copied()
    }

    fn put(&self, feed: &FeedId, generation: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(feed.clone(), generation);
    }
}

/// One generation as it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    pub(super) generation: i64,
    version: u32,
    is_ready: bool,
    pub(super) checkpoint: Checkpoint,
}

const NONE: Set = Set {
    generation: 0,
    version: VIEWS_VERSION,
    is_ready: true,
    checkpoint: Checkpoint { offset: Offset(0), batch: BatchNumber(0) },
};

type SetRow = (i64, Option<i32>, Option<bool>, Option<i64>, Option<i64>);

impl CqlViews {
    fn kind(&self) -> i32 {
        match self.part {
            Part::Views => 0,
            Part::Baseline => 1,
            Part::Scratch => 2,
        }
    }

    /// Generations of baselines are below zero, those for comparing far above: one table holds the rows of all.
    pub(super) fn numbered(&self, count: i64) -> i64 {
        match self.part {
            Part::Views => count,
            Part::Baseline => -count,
            Part::Scratch => SCRATCH + count,
        }
    }

    /// Every generation of a feed that has left a trace, the newest first.
    pub(super) async fn generations(&self, feed: &FeedId) -> Result<Vec<Set>, CqlError> {
        let values = (feed.tenant.as_str(), i32::from(feed.partition.0), self.kind());
        let rows: Vec<SetRow> = self.database.rows(ALL, values).await?;
        let set = |(generation, version, ready, position, batch): SetRow| Set {
            generation,
            version: version.map_or(0, i32::unsigned_abs),
            is_ready: ready == Some(true),
            checkpoint: Checkpoint {
                offset: Offset(number(position.unwrap_or(0))),
                batch: BatchNumber(number(batch.unwrap_or(0))),
            },
        };
        let mut sets: Vec<Set> = rows.into_iter().map(set).collect();
        sets.sort_by_key(|set| std::cmp::Reverse(set.generation.unsigned_abs()));
        Ok(sets)
    }

    /// The generation in use and how far it is. Views of another version are made anew; baselines cannot be.
    pub(super) async fn stand(&self, feed: &FeedId) -> Result<(i64, Checkpoint), CqlError> {
        let sets = self.generations(feed).await?;
        let set = match sets.into_iter().find(|set| set.is_ready) {
            Some(set) if set.version == VIEWS_VERSION => set,
            Some(set) if self.part == Part::Baseline => {
                let (found, known) = (set.version, VIEWS_VERSION);
                let reason = format!("the baseline of {feed} is of views {found}, this version reads {known}");
                return Err(CqlError::Unreadable(reason));
            }
            Some(_) => self.renew(feed).await?,
            // Written down with the first checkpoint: asking about a feed leaves no trace.
            None => Set { generation: self.numbered(1), checkpoint: Checkpoint::default(), ..NONE },
        };
        self.sets.put(feed, set.generation);
        Ok((set.generation, set.checkpoint))
    }

    /// The generation of a tenant's views, for reading one row.
    pub(super) async fn generation(&self, tenant: &TenantId) -> Result<i64, CqlError> {
        let feed = FeedId::of(tenant);
        match self.sets.get(&feed) {
            Some(generation) => Ok(generation),
            None => Ok(self.stand(&feed).await?.0),
        }
    }

    /// Writes a generation down that is not to be read yet.
    pub(super) async fn begin(&self, feed: &FeedId, count: i64, checkpoint: Checkpoint) -> Result<Set, CqlError> {
        let generation = self.numbered(count);
        let values = (
            feed.tenant.as_str(),
            i32::from(feed.partition.0),
            self.kind(),
            generation,
            VIEWS_VERSION.cast_signed(),
            false,
            big(checkpoint.offset.0),
            big(checkpoint.batch.0),
        );
        self.database.write(BEGIN, values).await?;
        Ok(Set { generation, version: VIEWS_VERSION, is_ready: false, checkpoint })
    }

    /// From here on it is the one to read.
    pub(super) async fn ready(&self, feed: &FeedId, generation: i64) -> Result<(), CqlError> {
        let values = (feed.tenant.as_str(), i32::from(feed.partition.0), self.kind(), generation);
        self.database.write(READY, values).await?;
        self.sets.put(feed, generation);
        Ok(())
    }

    /// After the rows: how far they are. An older owner's late word does not win.
    pub(super) async fn advance(
        &self,
        feed: &FeedId,
        generation: i64,
        stamp: i64,
        checkpoint: Checkpoint,
    ) -> Result<(), CqlError> {
        let (offset, batch) = (big(checkpoint.offset.0), big(checkpoint.batch.0));
        let place = (feed.tenant.as_str(), i32::from(feed.partition.0), self.kind(), generation);
        let version = VIEWS_VERSION.cast_signed();
        self.database.write(ADVANCE, (stamp, version, offset, batch, place.0, place.1, place.2, place.3)).await
    }

    /// Nothing of a generation is left.
    pub(super) async fn end(&self, feed: &FeedId, generation: i64) -> Result<(), CqlError> {
        let values = (feed.tenant.as_str(), i32::from(feed.partition.0), self.kind(), generation);
        self.database.write(END, values).await
    }
}
