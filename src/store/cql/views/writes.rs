//! Rows as the writes that make them again, on whatever store.

use actors::ports::{Checkpoint, DedupeEntry, MessageRow, Route, ViewWrite};
use schema::{
    ids::{AddressHash, ContactId, ConversationId, DedupeKey, FeedId, MessageId, Offset},
    time::Stamp,
};
use uuid::Uuid;

use super::{
    CqlViews,
    row::{Content, Place},
    walk::{Kept, shards},
};
use crate::store::cql::{database::number, error::CqlError};

impl CqlViews {
    /// A feed's baseline; none if it was never trimmed.
    pub(crate) async fn baseline_writes(
        &self,
        feed: &FeedId,
    ) -> Result<Option<(Checkpoint, Vec<ViewWrite>)>, CqlError> {
        let Some(baseline) = &self.baseline else { return Ok(None) };
        let tenant = feed.tenant.as_str();
        let (generation, checkpoint) = baseline.stand(feed).await?;
        if checkpoint == Checkpoint::default() {
            return Ok(None);
        }
        let mut kept = baseline.listed(tenant, generation).await?;
        for shard in shards() {
            kept.extend(baseline.keyed(tenant, generation, shard).await?);
            for timeline in baseline.timelines(tenant, generation, shard).await? {
                kept.extend(baseline.events(tenant, generation, timeline).await?);
            }
        }
        Ok(Some((checkpoint, kept.into_iter().filter_map(write_of).collect())))
    }
}

fn conversation(id: [u8; 16]) -> ConversationId {
    ConversationId(Uuid::from_bytes(id))
}

fn message(id: [u8; 16]) -> MessageId {
    MessageId(Uuid::from_bytes(id))
}

/// None: it follows from another row.
fn write_of(kept: Kept) -> Option<ViewWrite> {
    Some(match (kept.place, kept.content) {
        (Place::Timeline { conversation: id, position }, Content::Bytes(event)) => ViewWrite::Timeline {
            conversation: conversation(id),
            offset: Offset(number(position)),
            event: event.into(),
        },
        (Place::Conversation(id), Content::State { stored, activity, open }) => ViewWrite::Conversation {
            conversation: conversation(id),
            stored,
            activity: u64::try_from(activity).ok().map(Stamp),
            previous_activity: None,
            open,
            previous_open: false,
        },
        (Place::Route(address), Content::Route { conversation: id, contact }) => {
            let route = Route { conversation: conversation(id), contact: ContactId(Uuid::from_bytes(contact)) };
            ViewWrite::Route { address: AddressHash(address), route }
        }
        (Place::Dedupe(key), Content::Dedupe { position, content, conversation: id, message: of, stamp }) => {
            let entry = DedupeEntry {
                offset: Offset(number(position)),
                content: content.cast_unsigned(),
                conversation: id.map(conversation),
                message: of.map(message),
            };
            ViewWrite::Dedupe { key: DedupeKey(key), entry, stamp: Stamp(number(stamp)) }
        }
        (Place::Message(id), Content::Located { conversation: of, position }) => {
            let row = MessageRow { conversation: conversation(of), offset: Offset(number(position)) };
            ViewWrite::Message { message: message(id), row }
        }
        (Place::Outbox(id), Content::Id(of)) => {
            ViewWrite::Outbox { message: message(id), conversation: Some(conversation(of)) }
        }
        (Place::Timer(id), Content::Number(due)) => {
            ViewWrite::Timer { conversation: conversation(id), due: Some(Stamp(number(due))) }
        }
        (Place::Parked(id), _) => ViewWrite::Parked { conversation: conversation(id), parked: true },
        (Place::Setting(name), Content::Bytes(value)) => ViewWrite::Setting { name, value: value.into() },
        _ => return None,
    })
}
