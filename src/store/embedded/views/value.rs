//! Values of view rows: fixed places, numbers big endian. A value that cannot be read is damage, never a panic.

use actors::ports::{Checkpoint, DedupeEntry, MessageRow, Route, StoredConversation};
use bytes::Bytes;
use schema::{
    ids::{BatchNumber, ContactId, ConversationId, MessageId, Offset},
    time::Stamp,
};
use uuid::Uuid;

/// Takes fixed pieces from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    pub(super) fn uuid(&mut self) -> Option<Uuid> {
        let (uuid, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(Uuid::from_bytes(*uuid))
    }

    fn optional_uuid(&mut self) -> Option<Option<Uuid>> {
        let (flag, rest) = self.0.split_first()?;
        self.0 = rest;
        let uuid = self.uuid()?;
        Some((*flag == 1).then_some(uuid))
    }
}

fn put_optional_uuid(uuid: Option<Uuid>, out: &mut Vec<u8>) {
    out.push(u8::from(uuid.is_some()));
    out.extend_from_slice(uuid.unwrap_or_default().as_bytes());
}

/// A checkpoint, and whether its views are being cleared.
pub(super) fn checkpoint(checkpoint: Checkpoint, clearing: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(17);
    out.extend_from_slice(&checkpoint.offset.0.to_be_bytes());
    out.extend_from_slice(&checkpoint.batch.0.to_be_bytes());
    out.push(u8::from(clearing));
    out
}

pub(super) fn read_checkpoint(bytes: &[u8]) -> Option<(Checkpoint, bool)> {
    let mut reader = Reader(bytes);
    let checkpoint = Checkpoint { offset: Offset(reader.number()?), batch: BatchNumber(reader.number()?) };
    Some((checkpoint, reader.0 == [1]))
}

pub(super) fn conversation(stored: &StoredConversation) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + stored.state.len());
    out.extend_from_slice(&stored.offset.0.to_be_bytes());
    out.extend_from_slice(&stored.state);
    out
}

pub(super) fn read_conversation(bytes: &[u8]) -> Option<StoredConversation> {
    let mut reader = Reader(bytes);
    let offset = Offset(reader.number()?);
    Some(StoredConversation { state: Bytes::copy_from_slice(reader.0), offset })
}

pub(super) fn route(route: &Route) -> Vec<u8> {
    [*route.conversation.0.as_bytes(), *route.contact.0.as_bytes()].concat()
}

pub(super) fn read_route(bytes: &[u8]) -> Option<Route> {
    let mut reader = Reader(bytes);
    Some(Route { conversation: ConversationId(reader.uuid()?), contact: ContactId(reader.uuid()?) })
}

/// The stamp is for retention.
pub(super) fn dedupe(entry: &DedupeEntry, stamp: Stamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(58);
    for number in [entry.offset.0, entry.content, stamp.0] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    put_optional_uuid(entry.conversation.map(|id| id.0), &mut out);
    put_optional_uuid(entry.message.map(|id| id.0), &mut out);
    out
}

pub(super) fn read_dedupe(bytes: &[u8]) -> Option<DedupeEntry> {
    let mut reader = Reader(bytes);
    let (offset, content, _stamp) = (Offset(reader.number()?), reader.number()?, reader.number()?);
    let conversation = reader.optional_uuid()?.map(ConversationId);
    let message = reader.optional_uuid()?.map(MessageId);
    Some(DedupeEntry { offset, content, conversation, message })
}

pub(super) fn dedupe_stamp(bytes: &[u8]) -> Option<Stamp> {
    let mut reader = Reader(bytes);
    let (_offset, _content) = (reader.number()?, reader.number()?);
    reader.number().map(Stamp)
}

pub(super) fn message(row: MessageRow) -> Vec<u8> {
    let mut out = row.conversation.0.as_bytes().to_vec();
    out.extend_from_slice(&row.offset.0.to_be_bytes());
    out
}

pub(super) fn read_message(bytes: &[u8]) -> Option<MessageRow> {
    let mut reader = Reader(bytes);
    Some(MessageRow { conversation: ConversationId(reader.uuid()?), offset: Offset(reader.number()?) })
}

/// The number at the end of a key.
pub(super) fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The id at the end of a key.
pub(super) fn last_uuid(key: &[u8]) -> Option<Uuid> {
    key.last_chunk().map(|bytes| Uuid::from_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let entry = DedupeEntry {
            offset: Offset(7),
            content: 9,
            conversation: Some(ConversationId(Uuid::from_u128(1))),
            message: None,
        };
        assert_eq!(read_dedupe(&dedupe(&entry, Stamp(3))), Some(entry));
        let at = Checkpoint { offset: Offset(5), batch: BatchNumber(2) };
        assert_eq!(read_checkpoint(&checkpoint(at, true)), Some((at, true)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (read_checkpoint(&bytes), read_conversation(&bytes), read_route(&bytes));
            let _ = (read_dedupe(&bytes), read_message(&bytes), last_uuid(&bytes));
        }
    }
}
