//! The sealed table of people who sign in. All of it is read at start; who is signed in is asked of memory.
//!
//! A record is replaced only if it stands as this node knows it: two nodes that change one person at once must not undo each
//! other, or a browser that was signed out could come back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use schema::ids::{OperatorId, TenantId};

use super::{
    database::{Conditional, Cql, Database},
    error::{CqlError, CqlStoreError},
    revision::Revision,
    seal::Seal,
};
use crate::store::PersonRow;

const ALL: Cql = Cql::read("SELECT tenant, operator, sealed FROM person WHERE shard = 0");
const MAKE: Cql =
    Cql::conditional("UPDATE person SET sealed = ? WHERE shard = 0 AND tenant = ? AND operator = ? IF sealed = null");
const REPLACE: Cql =
    Cql::conditional("UPDATE person SET sealed = ? WHERE shard = 0 AND tenant = ? AND operator = ? IF sealed = ?");
const FORGET: Cql =
    Cql::conditional("DELETE FROM person WHERE shard = 0 AND tenant = ? AND operator = ? IF sealed = ?");

type Who = (TenantId, OperatorId);

/// Records of people. A node sees what it put itself at once, others' when it looks.
pub(super) struct CqlPeople {
    database: Arc<Database>,
    seal: Seal,
    revision: Revision,
    /// What stood there at the start, until somebody takes it.
    stored: Mutex<Vec<PersonRow>>,
    /// Sealed, as the servers have them.
    known: Mutex<HashMap<Who, Vec<u8>>>,
}

fn place(tenant: &TenantId, operator: &OperatorId) -> String {
    format!("deskwire cql person 1 {tenant} {operator}")
}

impl CqlPeople {
    pub(super) async fn open(
        database: Arc<Database>,
        seal: Seal,
        (keyspace, node): (&str, &str),
    ) -> Result<Self, CqlStoreError> {
        let revision = Revision::open(database.clone(), "person", node).await?;
        let people = Self { database, seal, revision, stored: Mutex::default(), known: Mutex::default() };
        let stored = people.read().await?.ok_or_else(|| CqlStoreError::MasterKey(keyspace.to_owned()))?;
        *people.stored.lock().unwrap_or_else(PoisonError::into_inner) = stored;
        Ok(people)
    }

    /// All of them; none: they were sealed with another master key.
    async fn read(&self) -> Result<Option<Vec<PersonRow>>, CqlError> {
        let (mut rows, mut known) = (Vec::new(), HashMap::new());
        for (tenant, operator, sealed) in self.database.rows::<(String, String, Vec<u8>)>(ALL, ()).await? {
            let tenant = TenantId::new(&tenant).map_err(CqlError::unreadable)?;
            let operator = OperatorId::new(&operator).map_err(CqlError::unreadable)?;
            let Some(record) = self.seal.open(&place(&tenant, &operator), &sealed) else { return Ok(None) };
            known.insert((tenant.clone(), operator.clone()), sealed);
            rows.push((tenant, operator, record));
        }
        *self.known() = known;
        Ok(Some(rows))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Who, Vec<u8>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records that stood there at the start; once, so that they are not kept twice.
    pub(super) fn take(&self) -> Vec<PersonRow> {
        std::mem::take(&mut self.stored.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All of them, if another node may have changed one.
    pub(super) async fn changed(&self) -> Result<Option<Vec<PersonRow>>, CqlError> {
        let Some(marks) = self.revision.changed().await? else { return Ok(None) };
        let rows = self.read().await?;
        if rows.is_some() {
            self.revision.note(marks);
        }
        Ok(rows)
    }

    /// Keeps a record, an empty one forgets; durable when it returns. Refused where another node has changed it since.
    pub(super) async fn put(&self, tenant: &TenantId, operator: &OperatorId, record: &[u8]) -> Result<(), CqlError> {
        let who = (tenant.clone(), operator.clone());
        let (tenant, operator) = (tenant.as_str(), operator.as_str());
        let before = self.known().get(&who).cloned();
        let sealed = match record {
            [] => None,
            record => Some(self.seal.close(&place(&who.0, &who.1), record).map_err(CqlError::NotDone)?),
        };
        let done = match (&before, &sealed) {
            (None, None) => return Ok(()),
            (None, Some(sealed)) => self.database.conditionally(MAKE, (sealed, tenant, operator)).await?,
            (Some(before), Some(sealed)) => {
                self.database.conditionally(REPLACE, (sealed, tenant, operator, before)).await?
            }
            (Some(before), None) => self.database.conditionally(FORGET, (tenant, operator, before)).await?,
        };
        if let Conditional::Standing(_) = done {
            return Err(CqlError::NotDone("another node has changed it meanwhile".to_owned()));
        }
        match sealed {
            Some(sealed) => self.known().insert(who, sealed),
            None => self.known().remove(&who),
        };
        self.revision.raise().await;
        Ok(())
    }
}
