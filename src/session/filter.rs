//! A filter of the tenant's log: `conversation:<id>` and `operator:<id>`. It carries the log's own offsets.

use std::mem;

use actors::{
    feed::{Cursor, FeedError, Position, Slice, Unrecoverable},
    ports::{KeyError, ViewError},
};
use schema::{
    event::{CodecError, StoredEvent},
    ids::{ConversationId, Offset, OperatorId},
    role::Role,
    wire::{HIDDEN, WireEvent},
};

use super::{StreamState, desk::Desk, publication::Publications};

/// What a filter lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The events of a conversation.
    Conversation(ConversationId),
    /// What is meant for the operator itself.
    Own,
}

/// How a filter comes by its events.
enum Phase {
    /// From the conversation's timeline.
    Timeline,
    /// From the log, up to where the inbox is.
    Tail(Box<Cursor>),
    /// With the inbox.
    Live,
}

/// One client-side subscription to a part of the log.
pub(super) struct Filter {
    channel: Box<str>,
    wanted: Wanted,
    /// Everything of it up to here was sent.
    position: Offset,
    /// Its last publication, or where the client says it was.
    last: Offset,
    phase: Phase,
}

/// Why a filter cannot catch up.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    #[error(transparent)]
    Views(#[from] ViewError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Position(#[from] Unrecoverable),
}

impl Filter {
    /// Only what comes after the inbox's position.
    pub(super) fn live(channel: &str, wanted: Wanted, position: Offset) -> Self {
        Self { channel: channel.into(), wanted, position, last: position, phase: Phase::Live }
    }

    /// From what the client holds; `step` brings it up to the inbox's position.
    pub(super) fn behind(channel: &str, wanted: Wanted, position: Offset) -> Self {
        Self { phase: Phase::Timeline, ..Self::live(channel, wanted, position) }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    pub(super) fn wanted(&self) -> Wanted {
        self.wanted
    }

    pub(super) fn position(&self) -> Offset {
        self.position
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live)
    }

    /// What it lets through of a slice. Each event once, whichever way it came.
    pub(super) fn pick(&mut self, slice: &Slice, operator: &OperatorId, role: Role) -> Publications {
        let mut publications = Publications::default();
        for (index, entry) in slice.entries().iter().enumerate() {
            if entry.offset <= self.position {
                continue;
            }
            let previous = match self.wanted {
                Wanted::Conversation(id) if entry.conversation == Some(id) => entry.previous,
                Wanted::Own if entry.meant_for.contains(operator) && slice.is_visible(role, index) => self.last,
                _ => continue,
            };
            publications.push(slice.data(role, index), entry.offset, previous);
            self.last = entry.offset;
        }
        self.position = self.position.max(slice.last());
        publications
    }

    /// Comes one page nearer to the inbox's position.
    pub(super) async fn step(&mut self, desk: &Desk, state: &StreamState) -> Result<Publications, FilterError> {
        match (mem::replace(&mut self.phase, Phase::Live), self.wanted) {
            (Phase::Timeline, Wanted::Conversation(id)) => self.step_timeline(id, desk, state).await,
            (Phase::Timeline, Wanted::Own) => {
                self.phase = self.tail(desk).await?;
                Ok(Publications::default())
            }
            (Phase::Tail(cursor), _) => self.step_tail(cursor, desk).await,
            (Phase::Live, _) => Ok(Publications::default()),
        }
    }

    /// Timelines are views, which may lag behind the log: what they do not have yet comes from the log itself.
    async fn step_timeline(
        &mut self,
        id: ConversationId,
        desk: &Desk,
        state: &StreamState,
    ) -> Result<Publications, FilterError> {
        let (tenant, views) = (desk.tenant.id(), &state.0.engine.ports().views);
        let page = views.timeline_after(tenant, id, self.position, state.0.limits.page_events).await?;
        let mut publications = Publications::default();
        let mut rows = page.rows.iter().peekable();
        while let Some(row) = rows.next() {
            let event = StoredEvent::decode(row)?;
            let (offset, previous) = (event.header.offset, event.header.previous);
            let event = state.0.engine.vault().open(tenant, event).await?;
            publications.push(&shown(&event, desk.role), offset, previous);
            (self.position, self.last) = (offset, offset);
            if publications.bytes() >= state.0.limits.page_bytes && rows.peek().is_some() {
                self.phase = Phase::Timeline;
                return Ok(publications);
            }
        }
        if page.more {
            self.phase = Phase::Timeline;
        } else {
            self.position = self.position.max(page.checkpoint.offset);
            self.phase = self.tail(desk).await?;
        }
        Ok(publications)
    }

    async fn tail(&self, desk: &Desk) -> Result<Phase, FilterError> {
        if self.position >= desk.cursor.position() {
            return Ok(Phase::Live);
        }
        let feed = desk.tenant.feed();
        let position = Position { epoch: feed.position().epoch, offset: self.position };
        Ok(Phase::Tail(Box::new(feed.cursor(position).await?)))
    }

    async fn step_tail(&mut self, mut cursor: Box<Cursor>, desk: &Desk) -> Result<Publications, FilterError> {
        let Some(slice) = cursor.ready().await? else { return Ok(Publications::default()) };
        let publications = self.pick(&slice, &desk.operator, desk.role);
        if self.position < desk.cursor.position() {
            self.phase = Phase::Tail(cursor);
        }
        Ok(publications)
    }
}

/// What an event says to a role, as JSON.
pub(super) fn shown(event: &schema::event::Event, role: Role) -> Vec<u8> {
    match WireEvent::of(event, role) {
        Some(shown) => serde_json::to_vec(&shown).expect("plain values always encode"),
        None => HIDDEN.as_bytes().to_vec(),
    }
}
