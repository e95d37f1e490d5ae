//! The views in memory: maps, one lock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use async_trait::async_trait;
use bytes::Bytes;
use schema::{
    ids::{AddressHash, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};

use crate::ports::{
    Checkpoint, ConversationRow, DedupeEntry, InboxCursor, MessageRow, Page, Route, Seen, StoredConversation,
    ViewError, ViewWrite, Views, ViewsBatch,
};

#[derive(Debug, Clone, Default)]
struct Tenant {
    checkpoint: Checkpoint,
    timeline: BTreeMap<(ConversationId, Offset), Bytes>,
    conversations: BTreeMap<ConversationId, StoredConversation>,
    inbox: BTreeSet<(bool, Stamp, ConversationId)>,
    routes: BTreeMap<AddressHash, Route>,
    dedupe: BTreeMap<DedupeKey, DedupeEntry>,
    messages: BTreeMap<MessageId, MessageRow>,
    outbox: BTreeMap<MessageId, ConversationId>,
    timers: BTreeMap<ConversationId, Stamp>,
    parked: BTreeSet<ConversationId>,
    settings: BTreeMap<String, Bytes>,
}

/// The views in memory.
#[derive(Debug, Default)]
pub struct MemoryViews {
    tenants: Mutex<BTreeMap<TenantId, Tenant>>,
    closed: std::sync::atomic::AtomicBool,
}

impl MemoryViews {
    /// Closed: writes fail, as when a disk is full.
    pub fn set_writable(&self, writable: bool) {
        self.closed.store(!writable, std::sync::atomic::Ordering::SeqCst);
    }

    fn with<T>(&self, tenant: &TenantId, look: impl FnOnce(&Tenant) -> T) -> T {
        let tenants = self.tenants.lock().expect("no holder panics");
        match tenants.get(tenant) {
            Some(tenant) => look(tenant),
            None => look(&Tenant::default()),
        }
    }
}

impl Tenant {
    fn write(&mut self, write: ViewWrite) {
        match write {
            ViewWrite::Timeline { conversation, offset, event } => {
                self.timeline.insert((conversation, offset), event);
            }
            ViewWrite::Conversation { conversation, stored, activity, previous_activity, open, previous_open } => {
                self.conversations.insert(conversation, stored);
                if let Some(previous) = previous_activity {
                    self.inbox.remove(&(previous_open, previous, conversation));
                }
                if let Some(activity) = activity {
                    self.inbox.insert((open, activity, conversation));
                }
            }
            ViewWrite::Route { address, route } => {
                self.routes.insert(address, route);
            }
            ViewWrite::Dedupe { key, entry, .. } => {
                self.dedupe.insert(key, entry);
            }
            ViewWrite::Message { message, row } => {
                self.messages.insert(message, row);
            }
            ViewWrite::Outbox { message, conversation: Some(conversation) } => {
                self.outbox.insert(message, conversation);
            }
            ViewWrite::Outbox { message, conversation: None } => {
                self.outbox.remove(&message);
            }
            ViewWrite::Timer { conversation, due: Some(due) } => {
                self.timers.insert(conversation, due);
            }
            ViewWrite::Timer { conversation, due: None } => {
                self.timers.remove(&conversation);
            }
            ViewWrite::Parked { conversation, parked: true } => {
                self.parked.insert(conversation);
            }
            ViewWrite::Parked { conversation, parked: false } => {
                self.parked.remove(&conversation);
            }
            ViewWrite::Setting { name, value } => {
                self.settings.insert(name, value);
            }
        }
    }
}

fn page<T>(checkpoint: Checkpoint, mut rows: Vec<T>, limit: usize) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    Page { checkpoint, rows, more }
}

#[async_trait]
impl Views for MemoryViews {
    async fn checkpoint(&self, feed: &FeedId) -> Result<Checkpoint, ViewError> {
        Ok(self.with(&feed.tenant, |tenant| tenant.checkpoint))
    }

    async fn write(&self, batches: Vec<ViewsBatch>) -> Result<(), ViewError> {
        if self.closed.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(ViewError::Unavailable("asked for".to_owned()));
        }
        let mut tenants = self.tenants.lock().expect("no holder panics");
        for batch in batches {
            let tenant = tenants.entry(batch.feed.tenant).or_default();
            batch.writes.into_iter().for_each(|write| tenant.write(write));
            tenant.checkpoint = batch.checkpoint;
        }
        Ok(())
    }

    async fn seen(&self, tenant: &TenantId, key: DedupeKey) -> Result<Seen, ViewError> {
        Ok(self.with(tenant, |tenant| Seen { checkpoint: tenant.checkpoint, entry: tenant.dedupe.get(&key).cloned() }))
    }

    async fn route(&self, tenant: &TenantId, address: AddressHash) -> Result<Option<Route>, ViewError> {
        Ok(self.with(tenant, |tenant| tenant.routes.get(&address).copied()))
    }

    async fn conversation(
        &self,
        tenant: &TenantId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, ViewError> {
        Ok(self.with(tenant, |tenant| tenant.conversations.get(&id).cloned()))
    }

    async fn message(&self, tenant: &TenantId, id: MessageId) -> Result<Option<MessageRow>, ViewError> {
        Ok(self.with(tenant, |tenant| tenant.messages.get(&id).copied()))
    }

    async fn event(&self, tenant: &TenantId, id: ConversationId, offset: Offset) -> Result<Option<Bytes>, ViewError> {
        Ok(self.with(tenant, |tenant| tenant.timeline.get(&(id, offset)).cloned()))
    }

    async fn timeline_after(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        after: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        Ok(self.with(tenant, |tenant| {
            let range = tenant.timeline.range((id, after.next())..=(id, Offset(u64::MAX)));
            page(tenant.checkpoint, range.take(limit + 1).map(|(_, event)| event.clone()).collect(), limit)
        }))
    }

    async fn timeline_before(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        before: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError> {
        Ok(self.with(tenant, |tenant| {
            let range = tenant.timeline.range((id, Offset(0))..(id, before)).rev();
            page(tenant.checkpoint, range.take(limit + 1).map(|(_, event)| event.clone()).collect(), limit)
        }))
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Page<ConversationRow>, ViewError> {
        Ok(self.with(tenant, |tenant| {
            let before = |row: &(bool, Stamp, ConversationId)| {
                after.is_none_or(|after| (row.1, row.2) < (after.activity, after.conversation))
            };
            let rows = tenant.inbox.iter().rev().filter(|row| row.0 == open && before(row)).take(limit + 1);
            let rows = rows.filter_map(|(_, _, id)| {
                Some(ConversationRow { conversation: *id, stored: tenant.conversations.get(id)?.clone() })
            });
            page(tenant.checkpoint, rows.collect(), limit)
        }))
    }

    async fn outbox(
        &self,
        tenant: &TenantId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<(MessageId, ConversationId)>, ViewError> {
        Ok(self.with(tenant, |tenant| {
            let rows = tenant.outbox.iter().filter(|(message, _)| after.is_none_or(|after| **message > after));
            rows.take(limit).map(|(message, conversation)| (*message, *conversation)).collect()
        }))
    }

    async fn timers(
        &self,
        tenant: &TenantId,
        until: Stamp,
        limit: usize,
    ) -> Result<Vec<(Stamp, ConversationId)>, ViewError> {
        Ok(self.with(tenant, |tenant| {
            let mut due: Vec<_> = tenant.timers.iter().map(|(conversation, due)| (*due, *conversation)).collect();
            due.retain(|(due, _)| *due <= until);
            due.sort();
            due.truncate(limit);
            due
        }))
    }

    async fn parked(&self, tenant: &TenantId, limit: usize) -> Result<Vec<ConversationId>, ViewError> {
        Ok(self.with(tenant, |tenant| tenant.parked.iter().take(limit).copied().collect()))
    }

    async fn setting(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, ViewError> {
        Ok(self.with(tenant, |tenant| tenant.settings.get(name).cloned()))
    }

    async fn clear(&self, feed: &FeedId) -> Result<(), ViewError> {
        self.tenants.lock().expect("no holder panics").remove(&feed.tenant);
        Ok(())
    }
}
