//! `history`: a page of a channel's past, without subscribing.

use actors::{
    feed::{FeedError, Position, Unrecoverable},
    tenant::TenantHandle,
};
use schema::{
    codes::{ErrorBody, StreamError},
    event::StoredEvent,
    frame::{HistoryRequest, HistoryResult},
    ids::{ConversationId, Offset},
    role::Role,
};

use super::{StreamState, channel::Channel, desk::Desk, filter::shown, publication::Publications, recover};

/// Reads for one session, apart from it.
pub(super) struct Reader {
    state: StreamState,
    tenant: TenantHandle,
    role: Role,
}

/// What is asked for, checked.
struct Page {
    limit: usize,
    since: Option<Offset>,
    reverse: bool,
}

impl Reader {
    pub(super) fn new(state: &StreamState, desk: &Desk) -> Self {
        Self { state: state.clone(), tenant: desk.tenant.clone(), role: desk.role }
    }

    pub(super) async fn read(self, request: HistoryRequest) -> Result<HistoryResult, ErrorBody> {
        let read = match Channel::parse(&request.channel) {
            None => Err(StreamError::UnknownChannel),
            Some(Channel::Inbox(tenant)) if tenant == *self.tenant.id() => self.inbox(&request).await,
            Some(Channel::Inbox(_)) => Err(StreamError::PermissionDenied),
            Some(Channel::Conversation(id)) => self.conversation(id, &request).await,
            Some(Channel::Operator(_) | Channel::Presence(_)) => Err(StreamError::NotAvailable),
        };
        read.map_err(ErrorBody::from)
    }

    /// No limit: only the position, as the protocol has it. More than a page is never given.
    fn page(&self, request: &HistoryRequest) -> Result<Page, StreamError> {
        let most = self.state.0.limits.page_events;
        let limit = usize::try_from(request.limit).map_or(most, |limit| limit.min(most));
        let now = self.tenant.feed().position();
        let since = match &request.since {
            None => None,
            Some(body) => {
                // Since the beginning of whatever log it is: `{"offset":0}` without an epoch.
                let epoch =
                    if body.epoch.is_empty() && body.offset == 0 { now.epoch.to_string() } else { body.epoch.clone() };
                let body = schema::frame::PositionBody { epoch, offset: body.offset };
                let position = recover::position(&body).filter(|position| position.epoch == now.epoch);
                Some(position.ok_or(StreamError::UnrecoverablePosition)?.offset)
            }
        };
        Ok(Page { limit, since, reverse: request.reverse })
    }

    async fn inbox(&self, request: &HistoryRequest) -> Result<HistoryResult, StreamError> {
        let page = self.page(request)?;
        let feed = self.tenant.feed();
        let head = feed.position();
        let oldest = feed.oldest().await.map_err(internal)?;
        // The range (after, until], whichever end is asked for.
        let (after, until) = if page.reverse {
            let until = page.since.map_or(head.offset, |since| Offset(since.0.saturating_sub(1)).min(head.offset));
            (Offset(until.0.saturating_sub(page.limit as u64)), until)
        } else {
            (page.since.unwrap_or(Offset(oldest.0 - 1)), head.offset)
        };
        let after = if page.reverse { after.max(Offset(oldest.0 - 1)) } else { after };
        let publications = self.read_log(after, until, &page).await?;
        Ok(HistoryResult { publications, epoch: head.epoch.to_string(), offset: head.offset.0 })
    }

    async fn read_log(
        &self,
        after: Offset,
        until: Offset,
        page: &Page,
    ) -> Result<Option<Box<serde_json::value::RawValue>>, StreamError> {
        let feed = self.tenant.feed();
        if page.limit == 0 || after >= until {
            return Ok(None);
        }
        let position = Position { epoch: feed.position().epoch, offset: after };
        let mut cursor = feed.cursor(position).await.map_err(|error| match error {
            Unrecoverable::Feed(error) => internal(error),
            _ => StreamError::UnrecoverablePosition,
        })?;
        let mut publications = Publications::default();
        'read: while let Some(slice) = cursor.ready().await.map_err(of_feed)? {
            for (index, entry) in slice.entries().iter().enumerate() {
                if entry.offset > until || publications.len() >= page.limit {
                    break 'read;
                }
                publications.push_whole(slice.publication(self.role, index));
            }
        }
        Ok(if page.reverse { publications.reversed().into_array() } else { publications.into_array() })
    }

    async fn conversation(&self, id: ConversationId, request: &HistoryRequest) -> Result<HistoryResult, StreamError> {
        let page = self.page(request)?;
        let (views, tenant) = (&self.state.0.engine.ports().views, self.tenant.id());
        views.conversation(tenant, id).await.map_err(internal)?.ok_or(StreamError::UnknownChannel)?;
        let limit = page.limit.max(1);
        let rows = if page.reverse {
            let before = page.since.unwrap_or(Offset(u64::MAX));
            views.timeline_before(tenant, id, before, limit).await
        } else {
            views.timeline_after(tenant, id, page.since.unwrap_or_default(), limit).await
        };
        let rows = rows.map_err(internal)?;
        let mut publications = Publications::default();
        for row in rows.rows.iter().take(page.limit) {
            let event = StoredEvent::decode(row).map_err(internal)?;
            let (offset, previous) = (event.header.offset, event.header.previous);
            let event = self.state.0.engine.vault().open(tenant, event).await.map_err(internal)?;
            publications.push(&shown(&event, self.role), offset, previous);
        }
        let epoch = self.tenant.feed().position().epoch.to_string();
        Ok(HistoryResult { publications: publications.into_array(), epoch, offset: rows.checkpoint.offset.0 })
    }
}

fn of_feed(error: FeedError) -> StreamError {
    match error {
        FeedError::Trimmed { .. } => StreamError::UnrecoverablePosition,
        error => internal(error),
    }
}

fn internal(error: impl std::fmt::Display) -> StreamError {
    tracing::warn!(%error, "history cannot be read");
    StreamError::Internal
}
