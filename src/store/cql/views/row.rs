//! What a write does to rows, and each row's statements.

use std::collections::BTreeMap;

use actors::ports::{StoredConversation, ViewWrite};
use schema::{ids::Offset, time::Stamp};

use super::CqlViews;
use crate::store::cql::{
    database::{Cql, big},
    error::CqlError,
};

/// Partitions over which a tenant's rows of one table are spread.
pub(super) const SHARDS: i32 = 64;
/// The same for tables that are read as a whole.
pub(super) const LISTED_SHARDS: i32 = 4;
/// Offsets of one partition of a timeline: 64 MiB of events of half a KiB.
const TIMELINE_BUCKET: u64 = 1 << 17;
/// Microseconds of one partition of the inbox: twelve days.
const INBOX_BUCKET: u64 = 1 << 40;

const TIMELINE: Cql = Cql::write(
    "INSERT INTO timeline (tenant, generation, conversation, bucket, position, event) VALUES (?, ?, ?, ?, ?, ?) \
     USING TIMESTAMP ?",
);
const TIMELINE_LISTED: Cql = Cql::write(
    "INSERT INTO timeline_bucket (tenant, generation, shard, conversation, bucket) VALUES (?, ?, ?, ?, ?) \
     USING TIMESTAMP ?",
);
const CONVERSATION: Cql = Cql::write(
    "INSERT INTO conversation (tenant, generation, shard, conversation, state, position, activity, open) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
);
const INBOX: Cql = Cql::write(
    "INSERT INTO inbox (tenant, generation, open, bucket, activity, conversation) VALUES (?, ?, ?, ?, ?, ?) \
     USING TIMESTAMP ?",
);
const INBOX_GONE: Cql = Cql::write(
    "DELETE FROM inbox USING TIMESTAMP ? WHERE tenant = ? AND generation = ? AND open = ? AND bucket = ? \
     AND activity = ? AND conversation = ?",
);
const INBOX_LISTED: Cql =
    Cql::write("INSERT INTO inbox_bucket (tenant, generation, open, bucket) VALUES (?, ?, ?, ?) USING TIMESTAMP ?");
const ROUTE: Cql = Cql::write(
    "INSERT INTO route (tenant, generation, shard, address, conversation, contact) VALUES (?, ?, ?, ?, ?, ?) \
     USING TIMESTAMP ?",
);
const DEDUPE: Cql = Cql::write(
    "INSERT INTO dedupe (tenant, generation, shard, key, position, content, conversation, message, stamp) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
);
const MESSAGE: Cql = Cql::write(
    "INSERT INTO message (tenant, generation, shard, message, conversation, position) VALUES (?, ?, ?, ?, ?, ?) \
     USING TIMESTAMP ?",
);
const OUTBOX: Cql = Cql::write(
    "INSERT INTO outbox (tenant, generation, shard, message, conversation) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?",
);
const OUTBOX_GONE: Cql = Cql::write(
    "DELETE FROM outbox USING TIMESTAMP ? WHERE tenant = ? AND generation = ? AND shard = ? AND message = ?",
);
const TIMER: Cql = Cql::write(
    "INSERT INTO timer (tenant, generation, shard, conversation, due) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?",
);
const TIMER_GONE: Cql = Cql::write(
    "DELETE FROM timer USING TIMESTAMP ? WHERE tenant = ? AND generation = ? AND shard = ? AND conversation = ?",
);
const PARKED: Cql =
    Cql::write("INSERT INTO parked (tenant, generation, conversation) VALUES (?, ?, ?) USING TIMESTAMP ?");
const PARKED_GONE: Cql =
    Cql::write("DELETE FROM parked USING TIMESTAMP ? WHERE tenant = ? AND generation = ? AND conversation = ?");
const SETTING: Cql =
    Cql::write("INSERT INTO setting (tenant, generation, name, value) VALUES (?, ?, ?, ?) USING TIMESTAMP ?");

/// A row's place within a tenant's generation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    Timeline { conversation: [u8; 16], position: i64 },
    TimelineBucket { conversation: [u8; 16], bucket: i64 },
    Conversation([u8; 16]),
    Inbox { open: bool, activity: i64, conversation: [u8; 16] },
    InboxBucket { open: bool, bucket: i64 },
    Route([u8; 16]),
    Dedupe([u8; 16]),
    Message([u8; 16]),
    Outbox([u8; 16]),
    Timer([u8; 16]),
    Parked([u8; 16]),
    Setting(String),
}

/// What stands there then.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Nothing,
    Here,
    Bytes(Vec<u8>),
    Number(i64),
    Id([u8; 16]),
    State { stored: StoredConversation, activity: i64, open: bool },
    Route { conversation: [u8; 16], contact: [u8; 16] },
    Located { conversation: [u8; 16], position: i64 },
    Dedupe { position: i64, content: i64, conversation: Option<[u8; 16]>, message: Option<[u8; 16]>, stamp: i64 },
}

pub(super) fn shard(id: &[u8; 16], shards: i32) -> i32 {
    // Not the id's own bytes: those of its time are the same for long.
    i32::try_from(crc32c::crc32c(id) % shards.unsigned_abs()).unwrap_or(0)
}

pub(super) fn timeline_bucket(position: Offset) -> i64 {
    big(position.0 / TIMELINE_BUCKET)
}

pub(super) fn inbox_bucket(activity: Stamp) -> i64 {
    big(activity.0 / INBOX_BUCKET)
}

/// Rows by their places; of several writes to one the last stays, since all have one time stamp.
#[derive(Default)]
pub(super) struct Rows(pub(super) BTreeMap<Place, Content>);

impl Rows {
    fn put(&mut self, place: Place, content: Content) {
        self.0.insert(place, content);
    }

    pub(super) fn write(&mut self, write: ViewWrite) {
        match write {
            ViewWrite::Timeline { conversation, offset, event } => {
                let conversation = conversation.0.into_bytes();
                self.put(Place::TimelineBucket { conversation, bucket: timeline_bucket(offset) }, Content::Here);
                let place = Place::Timeline { conversation, position: big(offset.0) };
                self.put(place, Content::Bytes(event.to_vec()));
            }
            ViewWrite::Conversation { conversation, stored, activity, previous_activity, open, previous_open } => {
                let conversation = conversation.0.into_bytes();
                if let Some(previous) = previous_activity {
                    let activity = big(previous.0);
                    self.put(Place::Inbox { open: previous_open, activity, conversation }, Content::Nothing);
                }
                if let Some(activity) = activity {
                    self.put(Place::InboxBucket { open, bucket: inbox_bucket(activity) }, Content::Here);
                    self.put(Place::Inbox { open, activity: big(activity.0), conversation }, Content::Here);
                }
                let activity = activity.map_or(-1, |activity| big(activity.0));
                self.put(Place::Conversation(conversation), Content::State { stored, activity, open });
            }
            ViewWrite::Route { address, route } => {
                let (conversation, contact) = (route.conversation.0.into_bytes(), route.contact.0.into_bytes());
                self.put(Place::Route(address.0), Content::Route { conversation, contact });
            }
            ViewWrite::Dedupe { key, entry, stamp } => {
                let content = Content::Dedupe {
                    position: big(entry.offset.0),
                    content: entry.content.cast_signed(),
                    conversation: entry.conversation.map(|id| id.0.into_bytes()),
                    message: entry.message.map(|id| id.0.into_bytes()),
                    stamp: big(stamp.0),
                };
                self.put(Place::Dedupe(key.0), content);
            }
            ViewWrite::Message { message, row } => {
                let content =
                    Content::Located { conversation: row.conversation.0.into_bytes(), position: big(row.offset.0) };
                self.put(Place::Message(message.0.into_bytes()), content);
            }
            ViewWrite::Outbox { message, conversation } => {
                let content = conversation.map_or(Content::Nothing, |id| Content::Id(id.0.into_bytes()));
                self.put(Place::Outbox(message.0.into_bytes()), content);
            }
            ViewWrite::Timer { conversation, due } => {
                let content = due.map_or(Content::Nothing, |due| Content::Number(big(due.0)));
                self.put(Place::Timer(conversation.0.into_bytes()), content);
            }
            ViewWrite::Parked { conversation, parked } => {
                let content = if parked { Content::Here } else { Content::Nothing };
                self.put(Place::Parked(conversation.0.into_bytes()), content);
            }
            ViewWrite::Setting { name, value } => {
                self.put(Place::Setting(name), Content::Bytes(value.to_vec()));
            }
        }
    }
}

/// A row's tenant, generation and time stamp.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home<'a> {
    pub(super) tenant: &'a str,
    pub(super) generation: i64,
    pub(super) stamp: i64,
}

impl CqlViews {
    /// Writes one row.
    pub(super) async fn put_row(&self, home: Home<'_>, place: Place, content: Content) -> Result<(), CqlError> {
        match place {
            Place::Timeline { .. } | Place::TimelineBucket { .. } => self.put_timeline(home, place, content).await,
            Place::Inbox { .. } | Place::InboxBucket { .. } => self.put_inbox(home, place, content).await,
            Place::Outbox(_) | Place::Timer(_) | Place::Parked(_) => self.put_open(home, place, content).await,
            _ => self.put_keyed(home, place, content).await,
        }
    }

    async fn put_timeline(&self, home: Home<'_>, place: Place, content: Content) -> Result<(), CqlError> {
        let Home { tenant, generation, stamp } = home;
        match (place, content) {
            (Place::Timeline { conversation, position }, Content::Bytes(event)) => {
                let bucket = timeline_bucket(Offset(position.unsigned_abs()));
                let values = (tenant, generation, conversation.as_slice(), bucket, position, event, stamp);
                self.database.write(TIMELINE, values).await
            }
            (Place::TimelineBucket { conversation, bucket }, _) => {
                let values = (tenant, generation, shard(&conversation, SHARDS), conversation.as_slice(), bucket, stamp);
                self.database.write(TIMELINE_LISTED, values).await
            }
            (place, _) => unreachable!("{place:?} has no such content"),
        }
    }

    async fn put_inbox(&self, home: Home<'_>, place: Place, content: Content) -> Result<(), CqlError> {
        let Home { tenant, generation, stamp } = home;
        match (place, content) {
            (Place::Inbox { open, activity, conversation }, Content::Nothing) => {
                let bucket = inbox_bucket(Stamp(activity.unsigned_abs()));
                let values = (stamp, tenant, generation, open, bucket, activity, conversation.as_slice());
                self.database.write(INBOX_GONE, values).await
            }
            (Place::Inbox { open, activity, conversation }, _) => {
                let bucket = inbox_bucket(Stamp(activity.unsigned_abs()));
                let values = (tenant, generation, open, bucket, activity, conversation.as_slice(), stamp);
                self.database.write(INBOX, values).await
            }
            (Place::InboxBucket { open, bucket }, _) => {
                self.database.write(INBOX_LISTED, (tenant, generation, open, bucket, stamp)).await
            }
            (place, _) => unreachable!("{place:?} has no such content"),
        }
    }

    async fn put_open(&self, home: Home<'_>, place: Place, content: Content) -> Result<(), CqlError> {
        let Home { tenant, generation, stamp } = home;
        match (place, content) {
            (Place::Outbox(id), Content::Id(conversation)) => {
                let shard = shard(&id, LISTED_SHARDS);
                let values = (tenant, generation, shard, id.as_slice(), conversation.as_slice(), stamp);
                self.database.write(OUTBOX, values).await
            }
            (Place::Outbox(id), _) => {
                let values = (stamp, tenant, generation, shard(&id, LISTED_SHARDS), id.as_slice());
                self.database.write(OUTBOX_GONE, values).await
            }
            (Place::Timer(id), Content::Number(due)) => {
                let values = (tenant, generation, shard(&id, LISTED_SHARDS), id.as_slice(), due, stamp);
                self.database.write(TIMER, values).await
            }
            (Place::Timer(id), _) => {
                let values = (stamp, tenant, generation, shard(&id, LISTED_SHARDS), id.as_slice());
                self.database.write(TIMER_GONE, values).await
            }
            (Place::Parked(id), Content::Nothing) => {
                self.database.write(PARKED_GONE, (stamp, tenant, generation, id.as_slice())).await
            }
            (Place::Parked(id), _) => self.database.write(PARKED, (tenant, generation, id.as_slice(), stamp)).await,
            (place, _) => unreachable!("{place:?} has no such content"),
        }
    }

    async fn put_keyed(&self, home: Home<'_>, place: Place, content: Content) -> Result<(), CqlError> {
        let Home { tenant, generation, stamp } = home;
        match (place, content) {
            (Place::Conversation(id), Content::State { stored, activity, open }) => {
                let shard = shard(&id, SHARDS);
                let (state, position) = (stored.state.to_vec(), big(stored.offset.0));
                let values = (tenant, generation, shard, id.as_slice(), state, position, activity, open, stamp);
                self.database.write(CONVERSATION, values).await
            }
            (Place::Route(id), Content::Route { conversation, contact }) => {
                let (shard, ids) = (shard(&id, SHARDS), (conversation.as_slice(), contact.as_slice()));
                let values = (tenant, generation, shard, id.as_slice(), ids.0, ids.1, stamp);
                self.database.write(ROUTE, values).await
            }
            (Place::Dedupe(id), Content::Dedupe { position, content, conversation, message, stamp: kept }) => {
                let (conversation, message) = (conversation.map(|id| id.to_vec()), message.map(|id| id.to_vec()));
                let key = (tenant, generation, shard(&id, SHARDS), id.as_slice());
                let values =
                    (key.0, key.1, key.2, key.3, position, content, unset(conversation), unset(message), kept, stamp);
                self.database.write(DEDUPE, values).await
            }
            (Place::Message(id), Content::Located { conversation, position }) => {
                let shard = shard(&id, SHARDS);
                let values = (tenant, generation, shard, id.as_slice(), conversation.as_slice(), position, stamp);
                self.database.write(MESSAGE, values).await
            }
            (Place::Setting(name), Content::Bytes(value)) => {
                self.database.write(SETTING, (tenant, generation, name, value, stamp)).await
            }
            (place, _) => unreachable!("{place:?} has no such content"),
        }
    }
}

/// A column that is left out, rather than a tombstone.
fn unset<T>(value: Option<T>) -> scylla::value::MaybeUnset<T> {
    value.map_or(scylla::value::MaybeUnset::Unset, scylla::value::MaybeUnset::Set)
}
