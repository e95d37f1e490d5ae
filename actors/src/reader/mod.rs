//! The reader: pages and views of single things, the same for REST and for the stream's RPCs.
//!
//! Everywhere the position is read first and the state second: state may be newer than its position, never older.
//! Reads views and log only; knows nothing of who asks but the role.

mod audit;
mod error;
mod message;
mod queue;
mod row;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::try_join_all;
use schema::{
    address::Address,
    event::{Event, StoredEvent},
    ids::{ConversationId, FeedId, Offset, TenantId},
    page::{
        ContactView, ConversationPage, ConversationView, Cursor, InboxPage, InboxRow, PAGE_MAX, ParkedPage, Position,
    },
    pause::Pauses,
    role::Role,
    wire::WireEvent,
};

pub use error::ReadError;
pub use search::Question;
pub(crate) use search::searchable;

use crate::{
    conversation::State,
    ports::{Checkpoint, InboxCursor, Log, StoredConversation, Views},
    vault::Vault,
};

/// Rows put together at the same time: each needs a few reads.
const ROWS_TOGETHER: usize = 8;

/// Reads what dashboards show. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    log: Arc<dyn Log>,
    views: Arc<dyn Views>,
    vault: Vault,
}

/// Which stretch of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Its end.
    Latest,
    /// What comes before an offset.
    Before(Offset),
    /// What comes after an offset.
    After(Offset),
}

impl Reader {
    /// Over a node's ports.
    pub fn new(log: Arc<dyn Log>, views: Arc<dyn Views>, vault: Vault) -> Self {
        Self { log, views, vault }
    }

    /// Where the views of a tenant are.
    pub async fn position(&self, tenant: &TenantId) -> Result<Position, ReadError> {
        let checkpoint = self.views.checkpoint(&FeedId::of(tenant)).await?;
        self.at(tenant, checkpoint).await
    }

    /// A page of the inbox: open or resolved conversations, newest activity first. What is paused is not in the views of
    /// conversations: whoever holds the tenant's handle adds it.
    pub async fn inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<InboxPage, ReadError> {
        let after = after.map(|cursor| InboxCursor { activity: cursor.activity, conversation: cursor.conversation });
        let page = self.views.inbox(tenant, open, after, limit.clamp(1, PAGE_MAX)).await?;
        let position = self.at(tenant, page.checkpoint).await?;
        let states = page.rows.iter().map(|row| State::load(&row.stored)).collect::<Result<Vec<_>, _>>()?;
        let last = states.last().map(|state| Cursor { activity: state.activity, conversation: state.conversation });
        let rows = self.rows(tenant, states).await?;
        Ok(InboxPage { position, rows, next: last.filter(|_| page.more), paused: Pauses::default() })
    }

    /// One conversation as the inbox shows it.
    pub async fn summary(&self, tenant: &TenantId, id: ConversationId) -> Result<ConversationView, ReadError> {
        let position = self.position(tenant).await?;
        let state = self.state(tenant, id).await?;
        let row = self.row(tenant, &state).await?;
        Ok(ConversationView { position, row })
    }

    /// A stretch of a conversation, oldest first, as `role` may see it.
    pub async fn conversation(
        &self,
        tenant: &TenantId,
        role: Role,
        id: ConversationId,
        window: Window,
        limit: usize,
    ) -> Result<ConversationPage, ReadError> {
        self.stored(tenant, id).await?;
        let limit = limit.clamp(1, PAGE_MAX);
        let page = match window {
            Window::Latest => self.views.timeline_before(tenant, id, Offset(u64::MAX), limit).await?,
            Window::Before(before) => self.views.timeline_before(tenant, id, before, limit).await?,
            Window::After(after) => self.views.timeline_after(tenant, id, after, limit).await?,
        };
        let position = self.at(tenant, page.checkpoint).await?;
        let mut stored = page.rows.iter().map(|row| StoredEvent::decode(row)).collect::<Result<Vec<_>, _>>()?;
        if !matches!(window, Window::After(_)) {
            stored.reverse();
        }
        let before = stored.first().filter(|event| event.header.previous > Offset(0)).map(|event| event.header.offset);
        let newer = match window {
            Window::Latest => false,
            Window::Before(_) => true,
            Window::After(_) => page.more,
        };
        let after = stored.last().filter(|_| newer).map(|event| event.header.offset);
        let mut events = Vec::with_capacity(stored.len());
        for event in stored {
            let event = self.vault.open(tenant, event).await?;
            if let Some(seen) = WireEvent::of(&event, role) {
                events.push(serde_json::value::to_raw_value(&seen).expect("plain values always encode"));
            }
        }
        Ok(ConversationPage { position, events, before, after })
    }

    /// The contact of a conversation.
    pub async fn contact(&self, tenant: &TenantId, id: ConversationId) -> Result<ContactView, ReadError> {
        let position = self.position(tenant).await?;
        let state = self.state(tenant, id).await?;
        let person = self.person(tenant, &state).await?;
        let noted = self.event(tenant, id, state.notes_at).await?;
        let notes = noted.as_ref().and_then(Event::personal).and_then(|personal| personal.text.clone());
        Ok(ContactView {
            position,
            contact: state.contact,
            conversation: state.conversation,
            created: state.created,
            name: person.name,
            address: person.address,
            notes,
            reachable: state.reachable,
            unreachable: state.unreachable,
            consent: state.consent,
            consent_source: state.consent_source,
            consent_questioned: state.consent_questioned,
            erased: person.erased,
        })
    }

    /// The conversation an address leads to.
    pub async fn by_address(&self, tenant: &TenantId, address: &Address) -> Result<Option<InboxRow>, ReadError> {
        let hash = self.vault.address_hash(tenant, address).await?;
        let Some(route) = self.views.route(tenant, hash).await? else { return Ok(None) };
        let state = self.state(tenant, route.conversation).await?;
        self.row(tenant, &state).await.map(Some)
    }

    /// Conversations that decide nothing until released.
    pub async fn parked(&self, tenant: &TenantId) -> Result<ParkedPage, ReadError> {
        let position = self.position(tenant).await?;
        let mut states = Vec::new();
        for id in self.views.parked(tenant, PAGE_MAX).await? {
            states.push(self.state(tenant, id).await?);
        }
        Ok(ParkedPage { position, rows: self.rows(tenant, states).await? })
    }

    async fn rows(&self, tenant: &TenantId, states: Vec<State>) -> Result<Vec<InboxRow>, ReadError> {
        let mut rows = Vec::with_capacity(states.len());
        for together in states.chunks(ROWS_TOGETHER) {
            rows.extend(try_join_all(together.iter().map(|state| self.row(tenant, state))).await?);
        }
        Ok(rows)
    }

    async fn at(&self, tenant: &TenantId, checkpoint: Checkpoint) -> Result<Position, ReadError> {
        let anchor = self.log.anchor(&FeedId::of(tenant)).await?;
        Ok(Position::new(anchor.epoch, checkpoint.offset))
    }

    async fn stored(&self, tenant: &TenantId, id: ConversationId) -> Result<StoredConversation, ReadError> {
        let stored = self.views.conversation(tenant, id).await?;
        stored.ok_or_else(|| ReadError::NotFound(format!("conversation {id}")))
    }

    async fn state(&self, tenant: &TenantId, id: ConversationId) -> Result<State, ReadError> {
        Ok(State::load(&self.stored(tenant, id).await?)?)
    }

    /// An event of a conversation with its parts opened; none: offset 0, or it was trimmed.
    async fn event(&self, tenant: &TenantId, id: ConversationId, at: Offset) -> Result<Option<Event>, ReadError> {
        if at == Offset(0) {
            return Ok(None);
        }
        let Some(bytes) = self.views.event(tenant, id, at).await? else { return Ok(None) };
        Ok(Some(self.vault.open(tenant, StoredEvent::decode(&bytes)?).await?))
    }
}
