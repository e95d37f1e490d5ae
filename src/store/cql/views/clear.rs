//! Back to the baseline: another generation, which begins with a copy of it. The one before is removed afterwards, and
//! again at the next time if that was interrupted.

use actors::{
    memory::SystemIds,
    ports::{Checkpoint, Ids},
};
use schema::ids::FeedId;

use super::{
    CqlViews, Part,
    row::{Home, LISTED_SHARDS},
    set::{SCRATCH, Set},
    walk::{Kept, shards},
};
use crate::store::cql::{
    database::{Cql, together},
    error::CqlError,
};

/// What is copied is older than whatever follows.
const COPIED: i64 = 1;

const BY_SHARD: [Cql; 5] = [
    Cql::write("DELETE FROM timeline_bucket WHERE tenant = ? AND generation = ? AND shard = ?"),
    Cql::write("DELETE FROM conversation WHERE tenant = ? AND generation = ? AND shard = ?"),
    Cql::write("DELETE FROM route WHERE tenant = ? AND generation = ? AND shard = ?"),
    Cql::write("DELETE FROM dedupe WHERE tenant = ? AND generation = ? AND shard = ?"),
    Cql::write("DELETE FROM message WHERE tenant = ? AND generation = ? AND shard = ?"),
];
const BY_LISTED_SHARD: [Cql; 2] = [
    Cql::write("DELETE FROM outbox WHERE tenant = ? AND generation = ? AND shard = ?"),
    Cql::write("DELETE FROM timer WHERE tenant = ? AND generation = ? AND shard = ?"),
];
const WHOLE: [Cql; 2] = [
    Cql::write("DELETE FROM parked WHERE tenant = ? AND generation = ?"),
    Cql::write("DELETE FROM setting WHERE tenant = ? AND generation = ?"),
];
const TIMELINE: Cql =
    Cql::write("DELETE FROM timeline WHERE tenant = ? AND generation = ? AND conversation = ? AND bucket = ?");
const INBOX_BUCKETS: Cql =
    Cql::read("SELECT bucket FROM inbox_bucket WHERE tenant = ? AND generation = ? AND open = ?");
const INBOX: Cql = Cql::write("DELETE FROM inbox WHERE tenant = ? AND generation = ? AND open = ? AND bucket = ?");
const INBOX_LIST: Cql = Cql::write("DELETE FROM inbox_bucket WHERE tenant = ? AND generation = ? AND open = ?");

impl CqlViews {
    pub(super) async fn clear_all(&self, feed: &FeedId) -> Result<(), CqlError> {
        self.renew(feed).await.map(drop)
    }

    /// Begins another generation from the baseline and removes all others.
    pub(super) async fn renew(&self, feed: &FeedId) -> Result<Set, CqlError> {
        let before = self.generations(feed).await?;
        // 1 has a trace only from its first checkpoint on, but may have rows already.
        let newest = before.first().map_or(1, |set| set.generation.abs() % SCRATCH);
        let base = match &self.baseline {
            // Boxed: a baseline has none itself, but the compiler does not know.
            Some(baseline) => Some((baseline, Box::pin(baseline.stand(feed)).await?)),
            None => None,
        };
        let checkpoint = base.as_ref().map_or_else(Checkpoint::default, |(_, stand)| stand.1);
        let set = self.begin(feed, self.following(newest), checkpoint).await?;
        if let Some((baseline, (of, checkpoint))) = base
            && checkpoint != Checkpoint::default()
        {
            self.copy(baseline, feed, of, set.generation).await?;
        }
        self.ready(feed, set.generation).await?;
        let first = if before.is_empty() { Some(self.numbered(1)) } else { None };
        for generation in before.iter().map(|set| set.generation).chain(first) {
            self.remove(feed, generation).await?;
            self.end(feed, generation).await?;
        }
        Ok(set)
    }

    /// A generation that never was: its rows are older than the removal of any that was. Of those for comparing no trace
    /// stays to count on from.
    fn following(&self, newest: i64) -> i64 {
        match self.part {
            Part::Scratch => SCRATCH / 2 + i64::try_from(SystemIds.random() % SCRATCH.unsigned_abs() / 2).unwrap_or(0),
            Part::Views | Part::Baseline => newest + 1,
        }
    }

    /// Removes every generation.
    pub(crate) async fn discard(&self, feed: &FeedId) -> Result<(), CqlError> {
        for set in self.generations(feed).await? {
            self.remove(feed, set.generation).await?;
            self.end(feed, set.generation).await?;
        }
        Ok(())
    }

    async fn copy(&self, from: &Self, feed: &FeedId, of: i64, to: i64) -> Result<(), CqlError> {
        let tenant = feed.tenant.as_str();
        let home = Home { tenant, generation: to, stamp: COPIED };
        for shard in shards() {
            self.put_kept(home, from.keyed(tenant, of, shard).await?).await?;
            for timeline in from.timelines(tenant, of, shard).await? {
                self.put_kept(home, from.events(tenant, of, timeline).await?).await?;
            }
        }
        self.put_kept(home, from.listed(tenant, of).await?).await
    }

    async fn put_kept(&self, home: Home<'_>, kept: Vec<Kept>) -> Result<(), CqlError> {
        together(kept.into_iter().map(|kept| self.put_row(home, kept.place, kept.content))).await.map(drop)
    }

    async fn remove(&self, feed: &FeedId, generation: i64) -> Result<(), CqlError> {
        let tenant = feed.tenant.as_str();
        let listed = together(shards().map(|shard| self.timelines(tenant, generation, shard))).await?;
        let timelines = listed.into_iter().flatten().map(|(conversation, bucket)| async move {
            self.database.write(TIMELINE, (tenant, generation, conversation.as_slice(), bucket)).await
        });
        together(timelines).await?;
        for open in [true, false] {
            let buckets: Vec<(i64,)> = self.database.rows(INBOX_BUCKETS, (tenant, generation, open)).await?;
            for (bucket,) in buckets {
                self.database.write(INBOX, (tenant, generation, open, bucket)).await?;
            }
            self.database.write(INBOX_LIST, (tenant, generation, open)).await?;
        }
        for statement in BY_SHARD {
            together(shards().map(|shard| self.database.write(statement, (tenant, generation, shard)))).await?;
        }
        for statement in BY_LISTED_SHARD {
            let each = (0..LISTED_SHARDS).map(|shard| self.database.write(statement, (tenant, generation, shard)));
            together(each).await?;
        }
        for statement in WHOLE {
            self.database.write(statement, (tenant, generation)).await?;
        }
        Ok(())
    }
}
