//! Rows as the writes that make them again, on whatever store.

use std::collections::HashMap;

use actors::ports::{ViewError, ViewWrite};
use schema::{
    ids::{AddressHash, ConversationId, DedupeKey, MessageId, Offset, TenantId},
    time::Stamp,
};

use super::{EmbeddedViews, damaged, key, key::Table, value};

impl EmbeddedViews {
    /// Every row of a tenant.
    pub(super) fn writes(&self, tenant: &TenantId) -> Result<Vec<ViewWrite>, ViewError> {
        let mut writes = Vec::new();
        let mut shown: HashMap<ConversationId, (bool, Stamp)> = HashMap::new();
        self.each(tenant, Table::Inbox, |key, _| {
            let open = key.first()? == &1;
            shown.insert(ConversationId(value::last_uuid(key)?), (open, Stamp(value::Reader(&key[1..]).number()?)));
            Some(())
        })?;
        self.each(tenant, Table::Conversation, |key, row| {
            let conversation = ConversationId(value::last_uuid(key)?);
            let place = shown.get(&conversation);
            writes.push(ViewWrite::Conversation {
                conversation,
                stored: value::read_conversation(row)?,
                activity: place.map(|(_, activity)| *activity),
                previous_activity: None,
                open: place.is_some_and(|(open, _)| *open),
                previous_open: false,
            });
            Some(())
        })?;
        for table in [
            Table::Timeline,
            Table::Route,
            Table::Dedupe,
            Table::Message,
            Table::Outbox,
            Table::Timer,
            Table::Parked,
            Table::Setting,
        ] {
            self.each(tenant, table, |key, row| {
                writes.push(write_of(table, key, row)?);
                Some(())
            })?;
        }
        Ok(writes)
    }

    /// Shows the rows of a table, keys without their beginning. `None`: a row that cannot be read.
    fn each(
        &self,
        tenant: &TenantId,
        table: Table,
        mut visit: impl FnMut(&[u8], &[u8]) -> Option<()>,
    ) -> Result<(), ViewError> {
        let prefix = key::table(tenant, table);
        let read = self.scan(&prefix, |key, row| Some(visit(&key[prefix.len()..], row)))?;
        if read.contains(&None) { Err(damaged("baseline")) } else { Ok(()) }
    }
}

fn write_of(table: Table, key: &[u8], row: &[u8]) -> Option<ViewWrite> {
    let number = || value::Reader(row).number().map(Stamp);
    Some(match table {
        Table::Timeline => ViewWrite::Timeline {
            conversation: ConversationId(value::Reader(key).uuid()?),
            offset: Offset(value::last_number(key)?),
            event: bytes::Bytes::copy_from_slice(row),
        },
        Table::Route => ViewWrite::Route { address: AddressHash(key.try_into().ok()?), route: value::read_route(row)? },
        Table::Dedupe => ViewWrite::Dedupe {
            key: DedupeKey(key.try_into().ok()?),
            entry: value::read_dedupe(row)?,
            stamp: value::dedupe_stamp(row)?,
        },
        Table::Message => {
            ViewWrite::Message { message: MessageId(value::last_uuid(key)?), row: value::read_message(row)? }
        }
        Table::Outbox => ViewWrite::Outbox {
            message: MessageId(value::last_uuid(key)?),
            conversation: Some(ConversationId(value::last_uuid(row)?)),
        },
        Table::Timer => ViewWrite::Timer { conversation: ConversationId(value::last_uuid(key)?), due: Some(number()?) },
        Table::Parked => ViewWrite::Parked { conversation: ConversationId(value::last_uuid(key)?), parked: true },
        Table::Setting => ViewWrite::Setting {
            name: std::str::from_utf8(key).ok()?.to_owned(),
            value: bytes::Bytes::copy_from_slice(row),
        },
        Table::Checkpoint | Table::Conversation | Table::Inbox => return None,
    })
}
