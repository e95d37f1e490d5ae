//! Views that are written behind and flushed when it suits: a crash takes them back to an earlier checkpoint.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use schema::{
    ids::{AddressHash, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};

use super::world::{State, World};
use crate::{
    memory::MemoryViews,
    ports::{
        Checkpoint, ConversationRow, DedupeEntry, Forget, InboxCursor, MessageRow, Page, Route, StoredConversation,
        ViewError, Views, ViewsBatch,
    },
};

/// What a crash leaves of the views, and what it may take.
#[derive(Default)]
pub(super) struct Saved {
    flushed: Arc<MemoryViews>,
    unflushed: Vec<ViewsBatch>,
}

impl State {
    /// The views as they are after the machine died or ended: a beginning of what was written.
    pub(super) fn tear_views(&mut self, all: bool) {
        let unflushed = std::mem::take(&mut self.saved.unflushed);
        let kept = if all { unflushed.len() } else { self.dice.index(unflushed.len() + 1) };
        self.flush_views(unflushed.into_iter().take(kept).collect());
    }

    /// The views as a new life finds them.
    pub(super) fn views(&self) -> Arc<MemoryViews> {
        Arc::new(self.saved.flushed.fork())
    }

    /// The views that all nodes share: durable as soon as they are written.
    pub(super) fn shared_views(&self) -> Arc<MemoryViews> {
        self.saved.flushed.clone()
    }

    fn flush_views(&mut self, batches: Vec<ViewsBatch>) {
        let written = self.saved.flushed.write(batches).now_or_never();
        written.expect("memory does not wait").expect("memory does not fail");
    }
}

/// The views as one life sees them.
pub(super) struct SimulatedViews {
    pub(super) world: Arc<World>,
    pub(super) life: u32,
    pub(super) live: Arc<MemoryViews>,
    /// What is written is durable, and other nodes read it.
    pub(super) shared: bool,
}

impl SimulatedViews {
    async fn look(&self, what: &str) -> Result<(), ViewError> {
        self.world.step(self.life, what, 3).await;
        let state = &mut *self.world.state();
        let fails = state.plan.views_fail / 5;
        if !state.calm && fails > 0 && state.dice.permille(fails) {
            return Err(ViewError::Unavailable("as the seed has it".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Views for SimulatedViews {
    async fn checkpoint(&self, feed: &FeedId) -> Result<Checkpoint, ViewError> {
        self.look("checkpoint").await?;
        self.live.checkpoint(feed).await
    }

    async fn write(&self, batches: Vec<ViewsBatch>) -> Result<(), ViewError> {
        self.world.step(self.life, "views are written", 20).await;
        {
            let state = &mut *self.world.state();
            let fails = state.plan.views_fail;
            if !state.calm && state.dice.permille(fails) {
                return Err(ViewError::Unavailable("as the seed has it".to_owned()));
            }
            if !self.shared {
                state.saved.unflushed.extend(batches.iter().cloned());
            }
            if !self.shared && state.dice.permille(200) {
                let unflushed = std::mem::take(&mut state.saved.unflushed);
                state.flush_views(unflushed);
            }
        }
        self.live.write(batches).await?;
        self.world.step(self.life, "views are read again", 10).await;
        Ok(())
    }

    async fn accepted(&self, tenant: &TenantId, key: DedupeKey) -> Result<Option<DedupeEntry>, ViewError> {
        self.look("accepted").await?;
        let accepted = self.live.accepted(tenant, key).await;
        // The answer may be old when it arrives.
        self.look("accepted, answered").await?;
        accepted
    }

    async fn route(&self, tenant: &TenantId, address: AddressHash) -> Result<Option<Route>, ViewError> {
        self.look("route").await?;
        self.live.route(tenant, address).await
    }

    async fn conversation(
        &self,
        tenant: &TenantId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, ViewError> {
        self.look("conversation").await?;
        self.live.conversation(tenant, id).await
    }

    async fn message(&self, tenant: &TenantId, id: MessageId) -> Result<Option<MessageRow>, ViewError> {
        self.look("message").await?;
        self.live.message(tenant, id).await
    }

    async fn event(&self, tenant: &TenantId, id: ConversationId, offset: Offset) -> Result<Option<Bytes>, ViewError> {
        self.look("event").await?;
        self.live.event(tenant, id, offset).await
    }

    async fn timeline_after(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        after: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        self.look("timeline").await?;
        self.live.timeline_after(tenant, id, after, limit).await
    }

    async fn timeline_before(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        before: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        self.look("timeline").await?;
        self.live.timeline_before(tenant, id, before, limit).await
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Page<ConversationRow>, ViewError> {
        self.look("inbox").await?;
        self.live.inbox(tenant, open, after, limit).await
    }

    async fn outbox(
        &self,
        tenant: &TenantId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<(MessageId, ConversationId)>, ViewError> {
        self.look("outbox").await?;
        self.live.outbox(tenant, after, limit).await
    }

    async fn timers(
        &self,
        tenant: &TenantId,
        until: Stamp,
        limit: usize,
    ) -> Result<Vec<(Stamp, ConversationId)>, ViewError> {
        self.look("timers").await?;
        self.live.timers(tenant, until, limit).await
    }

    async fn parked(&self, tenant: &TenantId, limit: usize) -> Result<Vec<ConversationId>, ViewError> {
        self.look("parked").await?;
        self.live.parked(tenant, limit).await
    }

    async fn setting(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, ViewError> {
        self.look("setting").await?;
        self.live.setting(tenant, name).await
    }

    async fn clear(&self, feed: &FeedId) -> Result<(), ViewError> {
        self.look("views are cleared").await?;
        {
            let state = &mut *self.world.state();
            let unflushed = std::mem::take(&mut state.saved.unflushed);
            state.flush_views(unflushed);
            let flushed = state.saved.flushed.clear(feed).now_or_never();
            flushed.expect("memory does not wait")?;
        }
        self.live.clear(feed).await
    }

    async fn baseline(&self) -> Result<Option<Arc<dyn Views>>, ViewError> {
        self.live.baseline().await
    }

    async fn sync(&self) -> Result<(), ViewError> {
        self.look("views are flushed").await?;
        let state = &mut *self.world.state();
        let unflushed = std::mem::take(&mut state.saved.unflushed);
        state.flush_views(unflushed);
        Ok(())
    }

    async fn forget(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        self.look("views forget").await?;
        let flushed = self.world.state().saved.flushed.clone();
        flushed.forget(feed, forget).await?;
        self.live.forget(feed, forget).await
    }
}
