//! The sealed table of people who sign in. All of it is read at start; who is signed in is asked of memory.

use std::sync::{Arc, Mutex, PoisonError};

use schema::ids::{OperatorId, TenantId};

use super::{
    database::{Cql, Database},
    error::{CqlError, CqlStoreError},
    seal::Seal,
};
use crate::store::PersonRow;

const ALL: Cql = Cql::read("SELECT tenant, operator, sealed FROM person WHERE shard = 0");
const PUT: Cql = Cql::write("INSERT INTO person (shard, tenant, operator, sealed) VALUES (0, ?, ?, ?)");
const FORGET: Cql = Cql::write("DELETE FROM person WHERE shard = 0 AND tenant = ? AND operator = ?");

/// Records of people. A node sees what it put itself at once, others' at its next start.
pub(super) struct CqlPeople {
    database: Arc<Database>,
    seal: Seal,
    /// What stood there at the start, until somebody takes it.
    stored: Mutex<Vec<PersonRow>>,
}

fn place(tenant: &TenantId, operator: &OperatorId) -> String {
    format!("deskwire cql person 1 {tenant} {operator}")
}

impl CqlPeople {
    pub(super) async fn open(database: Arc<Database>, seal: Seal, keyspace: &str) -> Result<Self, CqlStoreError> {
        let mut stored = Vec::new();
        for (tenant, operator, sealed) in database.rows::<(String, String, Vec<u8>)>(ALL, ()).await? {
            let tenant = TenantId::new(&tenant).map_err(CqlError::unreadable)?;
            let operator = OperatorId::new(&operator).map_err(CqlError::unreadable)?;
            let record = seal.open(&place(&tenant, &operator), &sealed);
            let record = record.ok_or_else(|| CqlStoreError::MasterKey(keyspace.to_owned()))?;
            stored.push((tenant, operator, record));
        }
        Ok(Self { database, seal, stored: Mutex::new(stored) })
    }

    /// The records that stood there at the start; once, so that they are not kept twice.
    pub(super) fn take(&self) -> Vec<PersonRow> {
        std::mem::take(&mut self.stored.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a record, an empty one forgets; durable when it returns.
    pub(super) async fn put(&self, tenant: &TenantId, operator: &OperatorId, record: &[u8]) -> Result<(), CqlError> {
        if record.is_empty() {
            return self.database.write(FORGET, (tenant.as_str(), operator.as_str())).await;
        }
        let sealed = self.seal.close(&place(tenant, operator), record).map_err(CqlError::NotDone)?;
        self.database.write(PUT, (tenant.as_str(), operator.as_str(), sealed)).await
    }
}
