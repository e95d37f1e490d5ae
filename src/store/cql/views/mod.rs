//! The Views port on CQL: rows written with the event's time stamp, behind the log, then their checkpoint.
//!
//! A feed's views have a generation (`set`). Every key holds it, so that views that are made anew are others.

mod clear;
mod forget;
mod read;
mod row;
mod set;
mod walk;
mod write;
mod writes;

use std::sync::Arc;

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

use self::set::Sets;
use super::{database::Database, error::CqlError};

/// Which of a feed's sets of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What the log means.
    Views,
    /// What it meant where it begins.
    Baseline,
    /// What it means once more, to be compared.
    Scratch,
}

/// The views, or the baselines, of all tenants.
pub(super) struct CqlViews {
    database: Arc<Database>,
    part: Part,
    sets: Sets,
    baseline: Option<Arc<CqlViews>>,
}

impl CqlViews {
    pub(super) fn new(database: Arc<Database>) -> Self {
        let baseline = Self::of(database.clone(), Part::Baseline, None);
        Self::of(database, Part::Views, Some(Arc::new(baseline)))
    }

    fn of(database: Arc<Database>, part: Part, baseline: Option<Arc<Self>>) -> Self {
        Self { database, part, sets: Sets::default(), baseline }
    }

    /// Another set over the same baselines.
    pub(super) fn beside(&self, part: Part) -> Self {
        Self::of(self.database.clone(), part, self.baseline.clone())
    }

    /// The last offset that the views hold.
    pub(super) async fn position(&self, feed: &FeedId) -> Result<Offset, CqlError> {
        Ok(self.stand(feed).await?.1.offset)
    }
}

#[async_trait]
impl Views for CqlViews {
    async fn checkpoint(&self, feed: &FeedId) -> Result<Checkpoint, ViewError> {
        Ok(self.stand(feed).await?.1)
    }

    async fn write(&self, batches: Vec<ViewsBatch>) -> Result<(), ViewError> {
        Ok(self.write_all(batches).await?)
    }

    async fn accepted(&self, tenant: &TenantId, key: DedupeKey) -> Result<Option<DedupeEntry>, ViewError> {
        Ok(self.read_accepted(tenant, key).await?)
    }

    async fn route(&self, tenant: &TenantId, address: AddressHash) -> Result<Option<Route>, ViewError> {
        Ok(self.read_route(tenant, address).await?)
    }

    async fn conversation(
        &self,
        tenant: &TenantId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, ViewError> {
        Ok(self.read_conversation(tenant, id).await?)
    }

    async fn message(&self, tenant: &TenantId, id: MessageId) -> Result<Option<MessageRow>, ViewError> {
        Ok(self.read_message(tenant, id).await?)
    }

    async fn event(&self, tenant: &TenantId, id: ConversationId, offset: Offset) -> Result<Option<Bytes>, ViewError> {
        Ok(self.read_event(tenant, id, offset).await?)
    }

    async fn timeline_after(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        after: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        Ok(self.read_timeline(tenant, id, read::Side::After(after), limit).await?)
    }

    async fn timeline_before(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        before: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        Ok(self.read_timeline(tenant, id, read::Side::Before(before), limit).await?)
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Page<ConversationRow>, ViewError> {
        Ok(self.read_inbox(tenant, open, after, limit).await?)
    }

    async fn outbox(
        &self,
        tenant: &TenantId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<(MessageId, ConversationId)>, ViewError> {
        Ok(self.read_outbox(tenant, after, limit).await?)
    }

    async fn timers(
        &self,
        tenant: &TenantId,
        until: Stamp,
        limit: usize,
    ) -> Result<Vec<(Stamp, ConversationId)>, ViewError> {
        Ok(self.read_timers(tenant, until, limit).await?)
    }

    async fn parked(&self, tenant: &TenantId, limit: usize) -> Result<Vec<ConversationId>, ViewError> {
        Ok(self.read_parked(tenant, limit).await?)
    }

    async fn setting(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, ViewError> {
        Ok(self.read_setting(tenant, name).await?)
    }

    async fn clear(&self, feed: &FeedId) -> Result<(), ViewError> {
        Ok(self.clear_all(feed).await?)
    }

    async fn baseline(&self) -> Result<Option<Arc<dyn Views>>, ViewError> {
        Ok(self.baseline.clone().map(|baseline| baseline as Arc<dyn Views>))
    }

    async fn sync(&self) -> Result<(), ViewError> {
        // Every write was acknowledged by a quorum.
        Ok(())
    }

    async fn forget(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        self.forget_before(feed, forget).await
    }
}
