//! Keys of view rows: tenant, table, and what is looked up; numbers big endian, so that order is kept.

use schema::{
    ids::{AddressHash, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};

use crate::store::embedded::record::{put_feed, put_tenant};

/// One kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Table {
    Checkpoint = 1,
    Timeline = 2,
    Conversation = 3,
    Inbox = 4,
    Route = 5,
    Dedupe = 6,
    Message = 7,
    Outbox = 8,
    Timer = 9,
    Parked = 10,
    Setting = 11,
}

/// Every table, as an operator knows it.
pub(super) const TABLES: [(Table, &str); 11] = [
    (Table::Checkpoint, "checkpoint"),
    (Table::Timeline, "timeline"),
    (Table::Conversation, "conversation"),
    (Table::Inbox, "inbox"),
    (Table::Route, "route"),
    (Table::Dedupe, "dedupe"),
    (Table::Message, "message"),
    (Table::Outbox, "outbox"),
    (Table::Timer, "timer"),
    (Table::Parked, "parked"),
    (Table::Setting, "setting"),
];

/// The beginning of every key of a table of a tenant.
pub(super) fn table(tenant: &TenantId, table: Table) -> Vec<u8> {
    let mut key = Vec::with_capacity(112);
    put_tenant(tenant, &mut key);
    key.push(table as u8);
    key
}

/// The beginning of every key of a tenant.
pub(super) fn tenant(tenant: &TenantId) -> Vec<u8> {
    let mut key = Vec::with_capacity(65);
    put_tenant(tenant, &mut key);
    key
}

fn row(owner: &TenantId, kind: Table, id: &[u8]) -> Vec<u8> {
    let mut key = table(owner, kind);
    key.extend_from_slice(id);
    key
}

pub(super) fn checkpoint(feed: &FeedId) -> Vec<u8> {
    let mut key = table(&feed.tenant, Table::Checkpoint);
    put_feed(feed, &mut key);
    key
}

pub(super) fn timeline(owner: &TenantId, id: ConversationId, offset: Offset) -> Vec<u8> {
    let mut key = row(owner, Table::Timeline, id.0.as_bytes());
    key.extend_from_slice(&offset.0.to_be_bytes());
    key
}

pub(super) fn conversation(owner: &TenantId, id: ConversationId) -> Vec<u8> {
    row(owner, Table::Conversation, id.0.as_bytes())
}

/// The inbox's rows of one kind: open or resolved ones.
pub(super) fn inbox_of(owner: &TenantId, open: bool) -> Vec<u8> {
    row(owner, Table::Inbox, &[u8::from(open)])
}

pub(super) fn inbox(owner: &TenantId, open: bool, activity: Stamp, id: ConversationId) -> Vec<u8> {
    let mut key = inbox_of(owner, open);
    key.extend_from_slice(&activity.0.to_be_bytes());
    key.extend_from_slice(id.0.as_bytes());
    key
}

pub(super) fn route(owner: &TenantId, address: AddressHash) -> Vec<u8> {
    row(owner, Table::Route, &address.0)
}

pub(super) fn dedupe(owner: &TenantId, id: DedupeKey) -> Vec<u8> {
    row(owner, Table::Dedupe, &id.0)
}

pub(super) fn message(owner: &TenantId, id: MessageId) -> Vec<u8> {
    row(owner, Table::Message, id.0.as_bytes())
}

pub(super) fn outbox(owner: &TenantId, id: MessageId) -> Vec<u8> {
    row(owner, Table::Outbox, id.0.as_bytes())
}

pub(super) fn timer(owner: &TenantId, id: ConversationId) -> Vec<u8> {
    row(owner, Table::Timer, id.0.as_bytes())
}

pub(super) fn parked(owner: &TenantId, id: ConversationId) -> Vec<u8> {
    row(owner, Table::Parked, id.0.as_bytes())
}

pub(super) fn setting(owner: &TenantId, name: &str) -> Vec<u8> {
    row(owner, Table::Setting, name.as_bytes())
}
