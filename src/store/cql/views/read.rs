//! Reading: one row, or a page. Whoever is given a page is given the checkpoint that was read before it.

use actors::ports::{
    Checkpoint, ConversationRow, DedupeEntry, InboxCursor, MessageRow, Page, Route, StoredConversation,
};
use bytes::Bytes;
use schema::{
    ids::{AddressHash, ContactId, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};
use uuid::Uuid;

use super::{
    CqlViews,
    row::{LISTED_SHARDS, SHARDS, inbox_bucket, shard, timeline_bucket},
};
use crate::store::cql::{
    database::{Cql, big, number, together},
    error::CqlError,
};

const ACCEPTED: Cql = Cql::read(
    "SELECT position, content, conversation, message FROM dedupe \
     WHERE tenant = ? AND generation = ? AND shard = ? AND key = ?",
);
const ROUTE: Cql = Cql::read(
    "SELECT conversation, contact FROM route WHERE tenant = ? AND generation = ? AND shard = ? AND address = ?",
);
const CONVERSATION: Cql = Cql::read(
    "SELECT state, position, activity, open FROM conversation \
     WHERE tenant = ? AND generation = ? AND shard = ? AND conversation = ?",
);
const MESSAGE: Cql = Cql::read(
    "SELECT conversation, position FROM message WHERE tenant = ? AND generation = ? AND shard = ? AND message = ?",
);
const EVENT: Cql = Cql::read(
    "SELECT event FROM timeline \
     WHERE tenant = ? AND generation = ? AND conversation = ? AND bucket = ? AND position = ?",
);
const TIMELINE_BUCKETS: Cql = Cql::read(
    "SELECT bucket FROM timeline_bucket WHERE tenant = ? AND generation = ? AND shard = ? AND conversation = ?",
);
const TIMELINE_AFTER: Cql = Cql::read(
    "SELECT event FROM timeline WHERE tenant = ? AND generation = ? AND conversation = ? AND bucket = ? \
     AND position > ? ORDER BY position ASC LIMIT ?",
);
const TIMELINE_BEFORE: Cql = Cql::read(
    "SELECT event FROM timeline WHERE tenant = ? AND generation = ? AND conversation = ? AND bucket = ? \
     AND position < ? ORDER BY position DESC LIMIT ?",
);
const INBOX_BUCKETS: Cql =
    Cql::read("SELECT bucket FROM inbox_bucket WHERE tenant = ? AND generation = ? AND open = ? AND bucket <= ?");
const INBOX: Cql = Cql::read(
    "SELECT activity, conversation FROM inbox WHERE tenant = ? AND generation = ? AND open = ? AND bucket = ? \
     AND (activity, conversation) < (?, ?) LIMIT ?",
);
const OUTBOX: Cql = Cql::read(
    "SELECT message, conversation FROM outbox WHERE tenant = ? AND generation = ? AND shard = ? AND message > ? LIMIT ?",
);
const TIMERS: Cql = Cql::read("SELECT conversation, due FROM timer WHERE tenant = ? AND generation = ? AND shard = ?");
const PARKED: Cql = Cql::read("SELECT conversation FROM parked WHERE tenant = ? AND generation = ? LIMIT ?");
const SETTING: Cql = Cql::read("SELECT value FROM setting WHERE tenant = ? AND generation = ? AND name = ?");

/// Which part of a timeline.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    /// Later ones, oldest first.
    After(Offset),
    /// Earlier ones, newest first.
    Before(Offset),
}

/// An accepted command: position, content, conversation, message.
type DedupeColumns = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);

/// A conversation's row: its state, and where the inbox has it.
type Placed = (StoredConversation, i64, bool);

/// An id from its column.
pub(super) fn id(bytes: &[u8]) -> Result<Uuid, CqlError> {
    Uuid::from_slice(bytes).map_err(CqlError::unreadable)
}

fn most(limit: usize) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}

/// One more than the limit was read: it says whether there are more.
fn page<T>(checkpoint: Checkpoint, mut rows: Vec<T>, limit: usize) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    Page { checkpoint, rows, more }
}

impl CqlViews {
    pub(super) async fn read_accepted(
        &self,
        tenant: &TenantId,
        key: DedupeKey,
    ) -> Result<Option<DedupeEntry>, CqlError> {
        let generation = self.generation(tenant).await?;
        let values = (tenant.as_str(), generation, shard(&key.0, SHARDS), key.0.as_slice());
        let row: Option<DedupeColumns> = self.database.first(ACCEPTED, values).await?;
        let Some((position, content, conversation, message)) = row else { return Ok(None) };
        Ok(Some(DedupeEntry {
            offset: Offset(number(position)),
            content: content.cast_unsigned(),
            conversation: conversation.map(|bytes| id(&bytes)).transpose()?.map(ConversationId),
            message: message.map(|bytes| id(&bytes)).transpose()?.map(MessageId),
        }))
    }

    pub(super) async fn read_route(&self, tenant: &TenantId, address: AddressHash) -> Result<Option<Route>, CqlError> {
        let generation = self.generation(tenant).await?;
        let values = (tenant.as_str(), generation, shard(&address.0, SHARDS), address.0.as_slice());
        let row: Option<(Vec<u8>, Vec<u8>)> = self.database.first(ROUTE, values).await?;
        let route = |(conversation, contact): (Vec<u8>, Vec<u8>)| {
            Ok(Route { conversation: ConversationId(id(&conversation)?), contact: ContactId(id(&contact)?) })
        };
        row.map(route).transpose()
    }

    async fn placed(&self, tenant: &TenantId, generation: i64, of: &[u8; 16]) -> Result<Option<Placed>, CqlError> {
        let values = (tenant.as_str(), generation, shard(of, SHARDS), of.as_slice());
        let row: Option<(Vec<u8>, i64, i64, bool)> = self.database.first(CONVERSATION, values).await?;
        Ok(row.map(|(state, position, activity, open)| {
            (StoredConversation { state: Bytes::from(state), offset: Offset(number(position)) }, activity, open)
        }))
    }

    pub(super) async fn read_conversation(
        &self,
        tenant: &TenantId,
        of: ConversationId,
    ) -> Result<Option<StoredConversation>, CqlError> {
        let generation = self.generation(tenant).await?;
        Ok(self.placed(tenant, generation, of.0.as_bytes()).await?.map(|(stored, _, _)| stored))
    }

    pub(super) async fn read_message(&self, tenant: &TenantId, of: MessageId) -> Result<Option<MessageRow>, CqlError> {
        let generation = self.generation(tenant).await?;
        let of = of.0.as_bytes();
        let values = (tenant.as_str(), generation, shard(of, SHARDS), of.as_slice());
        let row: Option<(Vec<u8>, i64)> = self.database.first(MESSAGE, values).await?;
        let located = |(conversation, position): (Vec<u8>, i64)| {
            Ok(MessageRow { conversation: ConversationId(id(&conversation)?), offset: Offset(number(position)) })
        };
        row.map(located).transpose()
    }

    pub(super) async fn read_event(
        &self,
        tenant: &TenantId,
        of: ConversationId,
        offset: Offset,
    ) -> Result<Option<Bytes>, CqlError> {
        let generation = self.generation(tenant).await?;
        let bucket = timeline_bucket(offset);
        let values = (tenant.as_str(), generation, of.0.as_bytes().as_slice(), bucket, big(offset.0));
        let row: Option<(Vec<u8>,)> = self.database.first(EVENT, values).await?;
        Ok(row.map(|(event,)| Bytes::from(event)))
    }

    pub(super) async fn read_timeline(
        &self,
        tenant: &TenantId,
        of: ConversationId,
        side: Side,
        limit: usize,
    ) -> Result<Page<Bytes>, CqlError> {
        let (generation, checkpoint) = self.stand(&FeedId::of(tenant)).await?;
        let of = of.0.as_bytes();
        let listed = (tenant.as_str(), generation, shard(of, SHARDS), of.as_slice());
        let buckets: Vec<(i64,)> = self.database.rows(TIMELINE_BUCKETS, listed).await?;
        let mut buckets: Vec<i64> = buckets.into_iter().map(|(bucket,)| bucket).collect();
        let (statement, from) = match side {
            Side::After(from) => {
                buckets.retain(|bucket| *bucket >= timeline_bucket(from));
                (TIMELINE_AFTER, from)
            }
            Side::Before(from) => {
                buckets.retain(|bucket| *bucket <= timeline_bucket(from));
                buckets.reverse();
                (TIMELINE_BEFORE, from)
            }
        };
        let mut rows = Vec::new();
        for bucket in buckets {
            let left = most(limit.saturating_add(1) - rows.len());
            let values = (tenant.as_str(), generation, of.as_slice(), bucket, big(from.0), left);
            let events: Vec<(Vec<u8>,)> = self.database.rows(statement, values).await?;
            rows.extend(events.into_iter().map(|(event,)| Bytes::from(event)));
            if rows.len() > limit {
                break;
            }
        }
        Ok(page(checkpoint, rows, limit))
    }

    pub(super) async fn read_inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Page<ConversationRow>, CqlError> {
        let (generation, checkpoint) = self.stand(&FeedId::of(tenant)).await?;
        let mut at =
            after.map_or((i64::MAX, [0xff; 16]), |after| (big(after.activity.0), after.conversation.0.into_bytes()));
        let first = after.map_or(i64::MAX, |after| inbox_bucket(after.activity));
        let buckets: Vec<(i64,)> =
            self.database.rows(INBOX_BUCKETS, (tenant.as_str(), generation, open, first)).await?;
        let wanted = limit.saturating_add(1);
        let mut rows = Vec::new();
        for (bucket,) in buckets {
            loop {
                let values =
                    (tenant.as_str(), generation, open, bucket, at.0, at.1.as_slice(), most(wanted - rows.len()));
                let found: Vec<(i64, Vec<u8>)> = self.database.rows(INBOX, values).await?;
                let is_last = found.len() < wanted - rows.len();
                if let Some((activity, conversation)) = found.last() {
                    at = (*activity, id(conversation)?.into_bytes());
                }
                let shown = together(found.into_iter().map(|row| self.shown(tenant, generation, open, row))).await?;
                rows.extend(shown.into_iter().flatten());
                if is_last || rows.len() >= wanted {
                    break;
                }
            }
            if rows.len() >= wanted {
                break;
            }
        }
        Ok(page(checkpoint, rows, limit))
    }

    /// The conversation of an inbox row, if it says that it stands there. Rows that were removed and came back, or
    /// whose removal is under way, are not shown.
    async fn shown(
        &self,
        tenant: &TenantId,
        generation: i64,
        open: bool,
        (activity, conversation): (i64, Vec<u8>),
    ) -> Result<Option<ConversationRow>, CqlError> {
        let conversation = id(&conversation)?;
        let placed = self.placed(tenant, generation, conversation.as_bytes()).await?;
        let placed = placed.filter(|(_, stands, is_open)| *stands == activity && *is_open == open);
        Ok(placed.map(|(stored, _, _)| ConversationRow { conversation: ConversationId(conversation), stored }))
    }

    pub(super) async fn read_outbox(
        &self,
        tenant: &TenantId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<(MessageId, ConversationId)>, CqlError> {
        let generation = self.generation(tenant).await?;
        let after: Vec<u8> = after.map(|after| after.0.as_bytes().to_vec()).unwrap_or_default();
        let read = |shard| {
            let values = (tenant.as_str(), generation, shard, after.as_slice(), most(limit));
            self.database.rows::<(Vec<u8>, Vec<u8>)>(OUTBOX, values)
        };
        let pages = together((0..LISTED_SHARDS).map(read)).await?;
        let mut rows = Vec::new();
        for (message, conversation) in pages.into_iter().flatten() {
            rows.push((MessageId(id(&message)?), ConversationId(id(&conversation)?)));
        }
        rows.sort_unstable_by_key(|(message, _)| message.0.into_bytes());
        rows.truncate(limit);
        Ok(rows)
    }

    /// Reads all timers of the tenant: their rows are by conversation, so that setting one needs no read.
    pub(super) async fn read_timers(
        &self,
        tenant: &TenantId,
        until: Stamp,
        limit: usize,
    ) -> Result<Vec<(Stamp, ConversationId)>, CqlError> {
        let generation = self.generation(tenant).await?;
        let read = |shard| self.database.rows::<(Vec<u8>, i64)>(TIMERS, (tenant.as_str(), generation, shard));
        let pages = together((0..LISTED_SHARDS).map(read)).await?;
        let mut due = Vec::new();
        for (conversation, at) in pages.into_iter().flatten() {
            let at = Stamp(number(at));
            if at <= until {
                due.push((at, ConversationId(id(&conversation)?)));
            }
        }
        due.sort_unstable();
        due.truncate(limit);
        Ok(due)
    }

    pub(super) async fn read_parked(&self, tenant: &TenantId, limit: usize) -> Result<Vec<ConversationId>, CqlError> {
        let generation = self.generation(tenant).await?;
        let rows: Vec<(Vec<u8>,)> = self.database.rows(PARKED, (tenant.as_str(), generation, most(limit))).await?;
        rows.into_iter().map(|(conversation,)| id(&conversation).map(ConversationId)).collect()
    }

    pub(super) async fn read_setting(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, CqlError> {
        let generation = self.generation(tenant).await?;
        let row: Option<(Vec<u8>,)> = self.database.first(SETTING, (tenant.as_str(), generation, name)).await?;
        Ok(row.map(|(value,)| Bytes::from(value)))
    }
}
