//! The views in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use schema::{
    ids::{AddressHash, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};

use super::{lock, tables::Tables};
use crate::ports::{
    Checkpoint, ConversationRow, DedupeEntry, Forget, InboxCursor, MessageRow, Page, Route, StoredConversation,
    ViewError, Views, ViewsBatch,
};

/// Forgets everything when dropped.
#[derive(Debug)]
pub struct MemoryViews {
    state: Mutex<State>,
    baseline: Option<Arc<MemoryViews>>,
}

impl Default for MemoryViews {
    fn default() -> Self {
        let baseline = Arc::new(Self { state: Mutex::default(), baseline: None });
        Self { state: Mutex::default(), baseline: Some(baseline) }
    }
}

#[derive(Debug, Default)]
struct State {
    tenants: BTreeMap<TenantId, Tables>,
    checkpoints: BTreeMap<FeedId, Checkpoint>,
    failing: usize,
    timers_failing: usize,
}

impl MemoryViews {
    /// The next `count` writes are refused and change nothing.
    pub fn fail_next(&self, count: usize) {
        lock(&self.state).failing = count;
    }

    /// The next `count` reads of timers fail.
    pub fn fail_timers(&self, count: usize) {
        lock(&self.state).timers_failing = count;
    }

    /// Views of their own over the same baseline: what a crash leaves, or what is written on from here.
    pub fn fork(&self) -> Self {
        let State { tenants, checkpoints, .. } = &*self.state();
        let state = State { tenants: tenants.clone(), checkpoints: checkpoints.clone(), failing: 0, timers_failing: 0 };
        Self { state: Mutex::new(state), baseline: self.baseline.clone() }
    }

    /// The same rows with an earlier checkpoint: what a crash leaves of a store that writes rows first.
    pub fn with_checkpoint(&self, feed: &FeedId, checkpoint: Checkpoint) -> Self {
        let behind = self.fork();
        behind.state().checkpoints.insert(feed.clone(), checkpoint);
        behind
    }

    /// The states of all conversations of a tenant.
    pub fn states(&self, tenant: &TenantId) -> Vec<StoredConversation> {
        self.state().get(tenant, |tables| Some(tables.conversations.values().cloned().collect())).unwrap_or_default()
    }

    /// Everything of a tenant, as text, to be compared.
    pub fn dump(&self, tenant: &TenantId) -> String {
        self.state().get(tenant, |tables| Some(format!("{tables:#?}"))).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn checkpoint(&self, feed: &FeedId) -> Checkpoint {
        self.checkpoints.get(feed).copied().unwrap_or_default()
    }

    fn get<T>(&self, tenant: &TenantId, read: impl FnOnce(&Tables) -> Option<T>) -> Option<T> {
        self.tenants.get(tenant).and_then(read)
    }

    /// At most `limit` rows, with the checkpoint and whether there are more.
    fn page<T>(&self, tenant: &TenantId, limit: usize, rows: impl FnOnce(&Tables, usize) -> Vec<T>) -> Page<T> {
        let checkpoint = self.checkpoint(&FeedId::of(tenant));
        let mut rows = self.tenants.get(tenant).map(|tables| rows(tables, limit + 1)).unwrap_or_default();
        let more = rows.len() > limit;
        rows.truncate(limit);
        Page { checkpoint, rows, more }
    }
}

#[async_trait]
impl Views for MemoryViews {
    async fn checkpoint(&self, feed: &FeedId) -> Result<Checkpoint, ViewError> {
        Ok(self.state().checkpoint(feed))
    }

    async fn write(&self, batches: Vec<ViewsBatch>) -> Result<(), ViewError> {
        let state = &mut *self.state();
        if state.failing > 0 {
            state.failing -= 1;
            return Err(ViewError::Unavailable("as the test asked".to_owned()));
        }
        for batch in batches {
            let is_late = batch.checkpoint.offset <= state.checkpoint(&batch.feed).offset;
            if is_late && !planted!(LateViewsWin) {
                continue;
            }
            let tables = state.tenants.entry(batch.feed.tenant.clone()).or_default();
            batch.writes.into_iter().for_each(|write| tables.write(write));
            state.checkpoints.insert(batch.feed, batch.checkpoint);
        }
        Ok(())
    }

    async fn accepted(&self, tenant: &TenantId, key: DedupeKey) -> Result<Option<DedupeEntry>, ViewError> {
        Ok(self.state().get(tenant, |tables| tables.dedupe.get(&key).map(|(entry, _)| entry.clone())))
    }

    async fn route(&self, tenant: &TenantId, address: AddressHash) -> Result<Option<Route>, ViewError> {
        Ok(self.state().get(tenant, |tables| tables.routes.get(&address).copied()))
    }

    async fn conversation(
        &self,
        tenant: &TenantId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, ViewError> {
        Ok(self.state().get(tenant, |tables| tables.conversations.get(&id).cloned()))
    }

    async fn message(&self, tenant: &TenantId, id: MessageId) -> Result<Option<MessageRow>, ViewError> {
        Ok(self.state().get(tenant, |tables| tables.messages.get(&id).copied()))
    }

    async fn event(&self, tenant: &TenantId, id: ConversationId, offset: Offset) -> Result<Option<Bytes>, ViewError> {
        Ok(self.state().get(tenant, |tables| tables.timeline.get(&(id, offset)).cloned()))
    }

    async fn timeline_after(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        after: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        Ok(self.state().page(tenant, limit, |tables, limit| {
            let range = (id, Offset(after.0.saturating_add(1)))..=(id, Offset(u64::MAX));
            tables.timeline.range(range).map(|(_, event)| event.clone()).take(limit).collect()
        }))
    }

    async fn timeline_before(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        before: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        Ok(self.state().page(tenant, limit, |tables, limit| {
            let range = (id, Offset(0))..(id, before);
            tables.timeline.range(range).rev().map(|(_, event)| event.clone()).take(limit).collect()
        }))
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Page<ConversationRow>, ViewError> {
        Ok(self.state().page(tenant, limit, |tables, limit| {
            let row = |conversation| {
                let stored = tables.conversations.get(&conversation)?.clone();
                Some(ConversationRow { conversation, stored })
            };
            tables.inbox(open, after).filter_map(row).take(limit).collect()
        }))
    }

    async fn outbox(
        &self,
        tenant: &TenantId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<(MessageId, ConversationId)>, ViewError> {
        let open = |tables: &Tables| {
            let later = tables.outbox.iter().filter(|(message, _)| after.is_none_or(|after| **message > after));
            Some(later.map(|(message, conversation)| (*message, *conversation)).take(limit).collect())
        };
        Ok(self.state().get(tenant, open).unwrap_or_default())
    }

    async fn timers(
        &self,
        tenant: &TenantId,
        until: Stamp,
        limit: usize,
    ) -> Result<Vec<(Stamp, ConversationId)>, ViewError> {
        {
            let state = &mut *self.state();
            if state.timers_failing > 0 {
                state.timers_failing -= 1;
                return Err(ViewError::Unavailable("as the test asked".to_owned()));
            }
        }
        let due = |tables: &Tables| {
            let mut due: Vec<_> = tables.timers.iter().map(|(id, due)| (*due, *id)).collect();
            due.retain(|(due, _)| *due <= until);
            due.sort();
            due.truncate(limit);
            Some(due)
        };
        Ok(self.state().get(tenant, due).unwrap_or_default())
    }

    async fn parked(&self, tenant: &TenantId, limit: usize) -> Result<Vec<ConversationId>, ViewError> {
        let parked = |tables: &Tables| Some(tables.parked.iter().take(limit).copied().collect());
        Ok(self.state().get(tenant, parked).unwrap_or_default())
    }

    async fn setting(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, ViewError> {
        Ok(self.state().get(tenant, |tables| tables.settings.get(name).cloned()))
    }

    async fn clear(&self, feed: &FeedId) -> Result<(), ViewError> {
        let base = self.baseline.as_ref().map(|baseline| {
            let base = baseline.state();
            (base.tenants.get(&feed.tenant).cloned(), base.checkpoints.get(feed).copied())
        });
        let (tables, checkpoint) = base.unwrap_or_default();
        let state = &mut *self.state();
        state.tenants.remove(&feed.tenant);
        state.checkpoints.remove(feed);
        state.tenants.extend(tables.map(|tables| (feed.tenant.clone(), tables)));
        state.checkpoints.extend(checkpoint.map(|checkpoint| (feed.clone(), checkpoint)));
        Ok(())
    }

    async fn baseline(&self) -> Result<Option<Arc<dyn Views>>, ViewError> {
        Ok(self.baseline.clone().map(|baseline| baseline as Arc<dyn Views>))
    }

    async fn sync(&self) -> Result<(), ViewError> {
        Ok(())
    }

    async fn forget(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError> {
        let Some(baseline) = &self.baseline else {
            return self.state().tenants.get_mut(&feed.tenant).map_or(Ok(()), |tables| tables.forget(forget));
        };
        baseline.forget(feed, forget).await?;
        let (base, mut state) = (baseline.state(), self.state());
        if let (Some(base), Some(tables)) = (base.tenants.get(&feed.tenant), state.tenants.get_mut(&feed.tenant)) {
            tables.forget_as(base, forget.below);
        }
        Ok(())
    }
}
