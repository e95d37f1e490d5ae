//! For `deskwire verify`: a second set of views beside the first, and both as rows that can be compared.

use std::sync::Arc;

use actors::ports::{Checkpoint, ViewWrite};
use schema::ids::FeedId;

use super::{
    CqlStore,
    error::CqlError,
    views::{CqlViews, Part},
};
use crate::store::embedded::ViewRow;

/// A second set of views over the same baselines.
pub struct CqlScratch(pub(super) Arc<CqlViews>);

impl CqlScratch {
    /// As the port.
    pub fn views(&self) -> Arc<dyn actors::ports::Views> {
        self.0.clone()
    }

    /// Every row, in order.
    pub async fn dump(&self, feed: &FeedId) -> Result<Vec<ViewRow>, CqlError> {
        self.0.dump(feed).await
    }

    /// Nothing of a feed is left of it.
    pub async fn discard(&self, feed: &FeedId) -> Result<(), CqlError> {
        self.0.discard(feed).await
    }
}

impl CqlStore {
    /// A second set of views, to be compared with the first and discarded.
    pub fn scratch_views(&self) -> CqlScratch {
        CqlScratch(Arc::new(self.views.beside(Part::Scratch)))
    }

    /// The views as rows that can be compared.
    pub async fn view_rows(&self, feed: &FeedId) -> Result<Vec<ViewRow>, CqlError> {
        self.views.dump(feed).await
    }

    /// A feed's baseline, as where it stands and what writes it again; none if it was never trimmed.
    pub async fn baseline_writes(&self, feed: &FeedId) -> Result<Option<(Checkpoint, Vec<ViewWrite>)>, CqlError> {
        self.views.baseline_writes(feed).await
    }
}
