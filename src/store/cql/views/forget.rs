//! Letting go of what a trim takes: rows that name an event before the log's new beginning.

use std::collections::HashSet;

use actors::ports::{Forget, ViewError};
use schema::ids::{FeedId, Offset};

use super::{
    CqlViews,
    row::{Content, Place, SHARDS, shard, timeline_bucket},
    walk::{Kept, shards, state_of},
};
use crate::store::cql::{
    database::{Cql, big, together},
    error::CqlError,
};

/// With the row's own time stamp: the same key written later stays.
const EVENT: Cql = Cql::write(
    "DELETE FROM timeline USING TIMESTAMP ? WHERE tenant = ? AND generation = ? AND conversation = ? AND bucket = ? \
     AND position = ?",
);
const MESSAGE: Cql = Cql::write(
    "DELETE FROM message USING TIMESTAMP ? WHERE tenant = ? AND generation = ? AND shard = ? AND message = ?",
);
const DEDUPE: Cql =
    Cql::write("DELETE FROM dedupe USING TIMESTAMP ? WHERE tenant = ? AND generation = ? AND shard = ? AND key = ?");

/// Events that stay, by conversation and position.
type Pinned = HashSet<([u8; 16], i64)>;

/// What stays although it names an event that goes.
enum Keep<'a> {
    /// What states refer to, and commands since a time.
    Pinned(&'a Pinned, i64),
    /// What the baseline still has.
    Places(&'a HashSet<Place>),
}

impl Keep<'_> {
    fn keeps(&self, kept: &Kept) -> bool {
        match (self, &kept.place, &kept.content) {
            (Self::Places(places), place, _) => places.contains(place),
            (Self::Pinned(pinned, _), Place::Timeline { conversation, position }, _) => {
                pinned.contains(&(*conversation, *position))
            }
            (Self::Pinned(pinned, _), _, Content::Located { conversation, position }) => {
                pinned.contains(&(*conversation, *position))
            }
            (Self::Pinned(_, from), _, Content::Dedupe { stamp, .. }) => stamp >= from,
            _ => true,
        }
    }
}

/// The event that a row names.
fn names(kept: &Kept) -> Option<i64> {
    match (&kept.place, &kept.content) {
        (Place::Timeline { position, .. }, _)
        | (_, Content::Located { position, .. } | Content::Dedupe { position, .. }) => Some(*position),
        _ => None,
    }
}

impl CqlViews {
    pub(super) async fn forget_before(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        let Some(baseline) = &self.baseline else { return self.forget_own(feed, forget).await };
        // Boxed: a baseline has none itself, but the compiler does not know.
        Box::pin(baseline.forget_before(feed, forget)).await?;
        let tenant = feed.tenant.as_str();
        let (of, _) = baseline.stand(feed).await?;
        let (own, _) = self.stand(feed).await?;
        for shard in shards() {
            let places = baseline.naming(tenant, of, shard, forget.below).await?;
            let places = places.into_iter().map(|kept| kept.place).collect();
            self.let_go(tenant, own, shard, forget.below, &Keep::Places(&places)).await?;
        }
        Ok(())
    }

    async fn forget_own(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        let tenant = feed.tenant.as_str();
        let (generation, _) = self.stand(feed).await?;
        let mut pinned = Pinned::new();
        for shard in shards() {
            for kept in self.conversations(tenant, generation, shard).await? {
                if let Some((id, stored)) = state_of(&kept) {
                    let offsets = (forget.pinned)(stored)?;
                    pinned.extend(offsets.into_iter().map(|offset| (id.0.into_bytes(), big(offset.0))));
                }
            }
        }
        let keep = Keep::Pinned(&pinned, big(forget.dedupe_from.0));
        for shard in shards() {
            self.let_go(tenant, generation, shard, forget.below, &keep).await?;
        }
        Ok(())
    }

    /// Rows of a shard that name an event before an offset.
    async fn naming(&self, tenant: &str, generation: i64, shard: i32, below: Offset) -> Result<Vec<Kept>, CqlError> {
        let mut rows = self.messages(tenant, generation, shard).await?;
        rows.extend(self.dedupes(tenant, generation, shard).await?);
        for timeline in self.timelines(tenant, generation, shard).await? {
            if timeline.1 <= timeline_bucket(below) {
                rows.extend(self.events(tenant, generation, timeline).await?);
            }
        }
        rows.retain(|kept| names(kept).is_some_and(|position| position < big(below.0)));
        Ok(rows)
    }

    async fn let_go(
        &self,
        tenant: &str,
        generation: i64,
        shard: i32,
        below: Offset,
        keep: &Keep<'_>,
    ) -> Result<(), CqlError> {
        let mut rows = self.naming(tenant, generation, shard, below).await?;
        rows.retain(|kept| !keep.keeps(kept));
        together(rows.into_iter().map(|kept| self.drop_row(tenant, generation, kept))).await.map(drop)
    }

    async fn drop_row(&self, tenant: &str, generation: i64, kept: Kept) -> Result<(), CqlError> {
        let written = kept.written;
        match kept.place {
            Place::Timeline { conversation, position } => {
                let bucket = timeline_bucket(Offset(position.unsigned_abs()));
                let values = (written, tenant, generation, conversation.as_slice(), bucket, position);
                self.database.write(EVENT, values).await
            }
            Place::Message(id) => {
                let values = (written, tenant, generation, shard(&id, SHARDS), id.as_slice());
                self.database.write(MESSAGE, values).await
            }
            Place::Dedupe(id) => {
                let values = (written, tenant, generation, shard(&id, SHARDS), id.as_slice());
                self.database.write(DEDUPE, values).await
            }
            place => unreachable!("{place:?} names no event"),
        }
    }
}
