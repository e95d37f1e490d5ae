//! View writes as rows. Several writes of one row in a group become one: fjall keeps no order within a batch.

use std::collections::HashMap;

use actors::ports::{ViewWrite, ViewsBatch};
use schema::{ids::TenantId, time::Stamp};

use super::{key, value};

/// Rows of a group of batches, each at most once.
#[derive(Default)]
pub(super) struct Rows {
    last: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Rows with a key that no other write can have.
    unique: Vec<(Vec<u8>, bytes::Bytes)>,
}

impl Rows {
    /// Room for about as many rows as these batches make.
    pub(super) fn of(batches: &[ViewsBatch]) -> Self {
        let writes: usize = batches.iter().map(|batch| batch.writes.len() + 1).sum();
        Self { last: HashMap::with_capacity(writes * 2), unique: Vec::with_capacity(writes / 2) }
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.last.insert(key, Some(value));
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.last.insert(key, value);
    }

    /// Adds one write of a tenant.
    pub(super) fn write(&mut self, tenant: &TenantId, write: ViewWrite) {
        match write {
            ViewWrite::Timeline { conversation, offset, event } => {
                self.unique.push((key::timeline(tenant, conversation, offset), event));
            }
            ViewWrite::Conversation {
                conversation: id,
                stored,
                activity,
                previous_activity: previous,
                open,
                previous_open,
            } => {
                self.put(key::conversation(tenant, id), value::conversation(&stored));
                let row = |open: bool, at: Option<Stamp>| at.map(|at| key::inbox(tenant, open, at, id));
                row(previous_open, previous).into_iter().for_each(|key| self.set(key, None));
                row(open, activity).into_iter().for_each(|key| self.put(key, Vec::new()));
            }
            ViewWrite::Route { address, route } => self.put(key::route(tenant, address), value::route(&route)),
            ViewWrite::Dedupe { key, entry, stamp } => {
                self.put(key::dedupe(tenant, key), value::dedupe(&entry, stamp));
            }
            ViewWrite::Message { message, row } => self.put(key::message(tenant, message), value::message(row)),
            ViewWrite::Outbox { message, conversation } => {
                self.set(key::outbox(tenant, message), conversation.map(|id| id.0.as_bytes().to_vec()));
            }
            ViewWrite::Timer { conversation, due } => {
                self.set(key::timer(tenant, conversation), due.map(|due| due.0.to_be_bytes().to_vec()));
            }
            ViewWrite::Parked { conversation, parked } => {
                self.set(key::parked(tenant, conversation), parked.then(Vec::new));
            }
            ViewWrite::Setting { name, value } => self.put(key::setting(tenant, &name), value.to_vec()),
        }
    }

    /// Writes all rows at once.
    pub(super) fn commit(&self, database: &fjall::Database, keyspace: &fjall::Keyspace) -> Result<(), fjall::Error> {
        let count = self.last.len() + self.unique.len();
        // Handed to the operating system before it counts as written: else a full disk, noticed only at the next
        // flush, would take back what was said to be there.
        let mut batch =
            fjall::OwnedWriteBatch::with_capacity(database.clone(), count).durability(Some(fjall::PersistMode::Buffer));
        for (key, value) in &self.unique {
            batch.insert(keyspace, key.as_slice(), value.as_ref());
        }
        for (key, value) in &self.last {
            match value {
                Some(value) => batch.insert(keyspace, key.as_slice(), value.as_slice()),
                None => batch.remove(keyspace, key.as_slice()),
            }
        }
        batch.commit()
    }
}
