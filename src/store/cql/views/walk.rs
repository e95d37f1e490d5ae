//! Every row of a generation, a partition at a time: for copying, letting go and removing.

use std::collections::HashSet;

use actors::ports::StoredConversation;
use bytes::Bytes;
use schema::{
    ids::{ConversationId, FeedId, Offset},
    time::Stamp,
};

use super::{
    CqlViews,
    read::id,
    row::{Content, LISTED_SHARDS, Place, SHARDS, inbox_bucket},
};
use crate::store::{
    cql::{
        database::{Cql, number},
        error::CqlError,
    },
    embedded::ViewRow,
};

const CONVERSATIONS: Cql = Cql::read(
    "SELECT conversation, state, position, activity, open FROM conversation \
     WHERE tenant = ? AND generation = ? AND shard = ?",
)
.by(100);
const ROUTES: Cql =
    Cql::read("SELECT address, conversation, contact FROM route WHERE tenant = ? AND generation = ? AND shard = ?");
const DEDUPES: Cql = Cql::read(
    "SELECT key, position, content, conversation, message, stamp, WRITETIME(position) FROM dedupe \
     WHERE tenant = ? AND generation = ? AND shard = ?",
);
const MESSAGES: Cql = Cql::read(
    "SELECT message, conversation, position, WRITETIME(position) FROM message \
     WHERE tenant = ? AND generation = ? AND shard = ?",
);
const OUTBOX: Cql =
    Cql::read("SELECT message, conversation FROM outbox WHERE tenant = ? AND generation = ? AND shard = ?");
const TIMERS: Cql = Cql::read("SELECT conversation, due FROM timer WHERE tenant = ? AND generation = ? AND shard = ?");
const PARKED: Cql = Cql::read("SELECT conversation FROM parked WHERE tenant = ? AND generation = ?");
const SETTINGS: Cql = Cql::read("SELECT name, value FROM setting WHERE tenant = ? AND generation = ?");
const TIMELINES: Cql =
    Cql::read("SELECT conversation, bucket FROM timeline_bucket WHERE tenant = ? AND generation = ? AND shard = ?");
const EVENTS: Cql = Cql::read(
    "SELECT position, event, WRITETIME(event) FROM timeline \
     WHERE tenant = ? AND generation = ? AND conversation = ? AND bucket = ?",
)
.by(500);

/// A row as it stands.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) content: Content,
    /// When it was written, in the sense of CQL; 1 where nobody asks.
    pub(super) written: i64,
}

impl Kept {
    fn new(place: Place, content: Content) -> Self {
        Self { place, content, written: 1 }
    }
}

fn key(bytes: &[u8]) -> Result<[u8; 16], CqlError> {
    Ok(id(bytes)?.into_bytes())
}

fn optional(bytes: Option<Vec<u8>>) -> Result<Option<[u8; 16]>, CqlError> {
    bytes.map(|bytes| key(&bytes)).transpose()
}

type ConversationColumns = (Vec<u8>, Vec<u8>, i64, i64, bool);
type DedupeColumns = (Vec<u8>, i64, i64, Option<Vec<u8>>, Option<Vec<u8>>, i64, i64);

impl CqlViews {
    /// Conversations of a shard, each with its place in the inbox.
    pub(super) async fn conversations(&self, tenant: &str, generation: i64, shard: i32) -> Result<Vec<Kept>, CqlError> {
        let rows: Vec<ConversationColumns> = self.database.rows(CONVERSATIONS, (tenant, generation, shard)).await?;
        let mut kept = Vec::new();
        for (conversation, state, position, activity, open) in rows {
            let conversation = key(&conversation)?;
            let stored = StoredConversation { state: Bytes::from(state), offset: Offset(number(position)) };
            kept.push(Kept::new(Place::Conversation(conversation), Content::State { stored, activity, open }));
            if let Ok(at) = u64::try_from(activity) {
                let bucket = inbox_bucket(Stamp(at));
                kept.push(Kept::new(Place::InboxBucket { open, bucket }, Content::Here));
                kept.push(Kept::new(Place::Inbox { open, activity, conversation }, Content::Here));
            }
        }
        Ok(kept)
    }

    pub(super) async fn dedupes(&self, tenant: &str, generation: i64, shard: i32) -> Result<Vec<Kept>, CqlError> {
        let rows: Vec<DedupeColumns> = self.database.rows(DEDUPES, (tenant, generation, shard)).await?;
        let kept = |(of, position, content, conversation, message, stamp, written): DedupeColumns| {
            let (conversation, message) = (optional(conversation)?, optional(message)?);
            let content = Content::Dedupe { position, content, conversation, message, stamp };
            Ok(Kept { place: Place::Dedupe(key(&of)?), content, written })
        };
        rows.into_iter().map(kept).collect()
    }

    pub(super) async fn messages(&self, tenant: &str, generation: i64, shard: i32) -> Result<Vec<Kept>, CqlError> {
        let rows: Vec<(Vec<u8>, Vec<u8>, i64, i64)> = self.database.rows(MESSAGES, (tenant, generation, shard)).await?;
        let kept = |(message, conversation, position, written): (Vec<u8>, Vec<u8>, i64, i64)| {
            let content = Content::Located { conversation: key(&conversation)?, position };
            Ok(Kept { place: Place::Message(key(&message)?), content, written })
        };
        rows.into_iter().map(kept).collect()
    }

    /// Which buckets the timelines of a shard have.
    pub(super) async fn timelines(
        &self,
        tenant: &str,
        generation: i64,
        shard: i32,
    ) -> Result<Vec<([u8; 16], i64)>, CqlError> {
        let rows: Vec<(Vec<u8>, i64)> = self.database.rows(TIMELINES, (tenant, generation, shard)).await?;
        rows.into_iter().map(|(conversation, bucket)| Ok((key(&conversation)?, bucket))).collect()
    }

    pub(super) async fn events(
        &self,
        tenant: &str,
        generation: i64,
        (conversation, bucket): ([u8; 16], i64),
    ) -> Result<Vec<Kept>, CqlError> {
        let rows: Vec<(i64, Vec<u8>, i64)> =
            self.database.rows(EVENTS, (tenant, generation, conversation.as_slice(), bucket)).await?;
        let kept = |(position, event, written)| Kept {
            place: Place::Timeline { conversation, position },
            content: Content::Bytes(event),
            written,
        };
        Ok(rows.into_iter().map(kept).collect())
    }

    /// What else there is of a shard, timelines apart.
    pub(super) async fn keyed(&self, tenant: &str, generation: i64, shard: i32) -> Result<Vec<Kept>, CqlError> {
        let mut kept = self.conversations(tenant, generation, shard).await?;
        kept.extend(self.dedupes(tenant, generation, shard).await?);
        kept.extend(self.messages(tenant, generation, shard).await?);
        let routes: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = self.database.rows(ROUTES, (tenant, generation, shard)).await?;
        for (address, conversation, contact) in routes {
            let content = Content::Route { conversation: key(&conversation)?, contact: key(&contact)? };
            kept.push(Kept::new(Place::Route(key(&address)?), content));
        }
        for (conversation, bucket) in self.timelines(tenant, generation, shard).await? {
            kept.push(Kept::new(Place::TimelineBucket { conversation, bucket }, Content::Here));
        }
        Ok(kept)
    }

    /// What is read as a whole: open texts, timers, parked conversations, settings.
    pub(super) async fn listed(&self, tenant: &str, generation: i64) -> Result<Vec<Kept>, CqlError> {
        let mut kept = Vec::new();
        for shard in 0..LISTED_SHARDS {
            let open: Vec<(Vec<u8>, Vec<u8>)> = self.database.rows(OUTBOX, (tenant, generation, shard)).await?;
            for (message, conversation) in open {
                kept.push(Kept::new(Place::Outbox(key(&message)?), Content::Id(key(&conversation)?)));
            }
            let timers: Vec<(Vec<u8>, i64)> = self.database.rows(TIMERS, (tenant, generation, shard)).await?;
            for (conversation, due) in timers {
                kept.push(Kept::new(Place::Timer(key(&conversation)?), Content::Number(due)));
            }
        }
        let parked: Vec<(Vec<u8>,)> = self.database.rows(PARKED, (tenant, generation)).await?;
        for (conversation,) in parked {
            kept.push(Kept::new(Place::Parked(key(&conversation)?), Content::Here));
        }
        let settings: Vec<(String, Vec<u8>)> = self.database.rows(SETTINGS, (tenant, generation)).await?;
        kept.extend(settings.into_iter().map(|(name, value)| Kept::new(Place::Setting(name), Content::Bytes(value))));
        Ok(kept)
    }
}

const INBOX_BUCKETS: Cql =
    Cql::read("SELECT bucket FROM inbox_bucket WHERE tenant = ? AND generation = ? AND open = ?");
const INBOX: Cql = Cql::read(
    "SELECT activity, conversation FROM inbox WHERE tenant = ? AND generation = ? AND open = ? AND bucket = ?",
);

impl CqlViews {
    /// Every row of a feed's views, checkpoint included, in order, for comparing.
    pub(crate) async fn dump(&self, feed: &FeedId) -> Result<Vec<ViewRow>, CqlError> {
        let tenant = feed.tenant.as_str();
        let (generation, checkpoint) = self.stand(feed).await?;
        let mut kept = self.listed(tenant, generation).await?;
        for shard in shards() {
            kept.extend(self.keyed(tenant, generation, shard).await?);
            for timeline in self.timelines(tenant, generation, shard).await? {
                kept.extend(self.events(tenant, generation, timeline).await?);
            }
        }
        // What stands in the inbox itself, as far as it is shown: where a conversation says that it is.
        let is_inbox = |kept: &Kept| matches!(kept.place, Place::Inbox { .. } | Place::InboxBucket { .. });
        let shown: HashSet<Place> = kept.extract_if(.., |kept| is_inbox(kept)).map(|kept| kept.place).collect();
        for open in [true, false] {
            let buckets: Vec<(i64,)> = self.database.rows(INBOX_BUCKETS, (tenant, generation, open)).await?;
            for (bucket,) in buckets {
                let rows: Vec<(i64, Vec<u8>)> = self.database.rows(INBOX, (tenant, generation, open, bucket)).await?;
                for (activity, conversation) in rows {
                    let place = Place::Inbox { open, activity, conversation: key(&conversation)? };
                    if shown.contains(&place) {
                        kept.push(Kept::new(place, Content::Here));
                    }
                }
            }
        }
        let row = |kept: Kept| ViewRow {
            table: "view",
            key: format!("{:?}", kept.place).into_bytes(),
            value: format!("{:?}", kept.content).into_bytes(),
        };
        let mut rows: Vec<ViewRow> = kept.into_iter().map(row).collect();
        let value = format!("{checkpoint:?}").into_bytes();
        rows.push(ViewRow { table: "checkpoint", key: Vec::new(), value });
        rows.sort_unstable();
        Ok(rows)
    }
}

/// Every shard of keyed rows.
pub(super) fn shards() -> std::ops::Range<i32> {
    0..SHARDS
}

/// The conversation that a state's row is of.
pub(super) fn state_of(kept: &Kept) -> Option<(ConversationId, &StoredConversation)> {
    match kept {
        Kept { place: Place::Conversation(id), content: Content::State { stored, .. }, .. } => {
            Some((ConversationId(uuid::Uuid::from_bytes(*id)), stored))
        }
        _ => None,
    }
}
