//! Writing: all rows of a batch, then its checkpoint. Nothing is read first.

use actors::ports::ViewsBatch;
use schema::ids::FeedId;

use super::{
    CqlViews,
    row::{Home, Rows},
};
use crate::store::cql::{
    database::{big, together},
    error::CqlError,
};

impl CqlViews {
    /// Feeds beside each other, a feed's batches one after the other.
    pub(super) async fn write_all(&self, batches: Vec<ViewsBatch>) -> Result<(), CqlError> {
        let mut by_feed: Vec<(FeedId, Vec<ViewsBatch>)> = Vec::new();
        for batch in batches {
            match by_feed.iter_mut().find(|(feed, _)| *feed == batch.feed) {
                Some((_, batches)) => batches.push(batch),
                None => by_feed.push((batch.feed.clone(), vec![batch])),
            }
        }
        together(by_feed.into_iter().map(|(feed, batches)| async move {
            for batch in batches {
                self.write_one(&feed, batch).await?;
            }
            Ok(())
        }))
        .await
        .map(drop)
    }

    async fn write_one(&self, feed: &FeedId, batch: ViewsBatch) -> Result<(), CqlError> {
        let generation = self.generation(&feed.tenant).await?;
        let stamp = big(batch.stamp.0);
        let mut rows = Rows::default();
        batch.writes.into_iter().for_each(|write| rows.write(write));
        let home = Home { tenant: feed.tenant.as_str(), generation, stamp };
        self.put_rows(home, rows).await?;
        self.advance(feed, generation, stamp, batch.checkpoint).await
    }

    pub(super) async fn put_rows(&self, home: Home<'_>, rows: Rows) -> Result<(), CqlError> {
        let put = |(place, content)| self.put_row(home, place, content);
        together(rows.0.into_iter().map(put)).await.map(drop)
    }
}
