//! The Keys port on CQL. The row of a key is the truth; which key a contact has points at it, and is put right when the
//! key is gone. A key is written before anything points at it, so that nobody is given one that is not durable.

use std::sync::Arc;

use actors::{
    memory::SystemIds,
    ports::{ContactKey, Ids, KeyError, Keys},
};
use async_trait::async_trait;
use schema::ids::{ContactId, KeyId, TenantId};
use scylla::value::CqlValue;

use super::{
    database::{Conditional, Cql, Database},
    error::CqlError,
    seal::{Seal, random},
};

/// With conditions, though nobody else has this id: ScyllaDB syncs its commit log for those before it answers, and a key
/// must be durable before what is sealed with it. A removal has one too: the two do not mix otherwise.
const PUT: Cql =
    Cql::conditional("INSERT INTO contact_key (tenant, key, contact, sealed) VALUES (?, ?, ?, ?) IF NOT EXISTS");
const GET: Cql = Cql::serial_read("SELECT contact, sealed FROM contact_key WHERE tenant = ? AND key = ?");
const DROP: Cql = Cql::conditional("DELETE FROM contact_key WHERE tenant = ? AND key = ? IF EXISTS");
const POINT: Cql = Cql::conditional("INSERT INTO key_of_contact (tenant, contact, key) VALUES (?, ?, ?) IF NOT EXISTS");
const POINT_ANEW: Cql =
    Cql::conditional("UPDATE key_of_contact SET key = ? WHERE tenant = ? AND contact = ? IF key = ?");
const POINTED: Cql = Cql::read("SELECT key FROM key_of_contact WHERE tenant = ? AND contact = ?");
const HASH: Cql = Cql::conditional("INSERT INTO hash_secret (tenant, sealed) VALUES (?, ?) IF NOT EXISTS");
const HASHED: Cql = Cql::serial_read("SELECT sealed FROM hash_secret WHERE tenant = ?");
/// How often another's key is looked at before giving up.
const ATTEMPTS: usize = 5;

/// Keys of all tenants.
pub(super) struct CqlKeys {
    database: Arc<Database>,
    seal: Seal,
}

fn place(tenant: &TenantId, key: KeyId) -> String {
    format!("deskwire cql key 1 {tenant} {key}")
}

fn unavailable(reason: impl std::fmt::Display) -> KeyError {
    KeyError::Unavailable(reason.to_string())
}

impl CqlKeys {
    pub(super) fn new(database: Arc<Database>, seal: Seal) -> Self {
        Self { database, seal }
    }

    async fn find(&self, tenant: &TenantId, id: KeyId) -> Result<Option<ContactKey>, KeyError> {
        let row: Option<(uuid::Uuid, Vec<u8>)> = self.database.first(GET, (tenant.as_str(), id.0)).await?;
        let Some((_, sealed)) = row else { return Ok(None) };
        let secret = self.seal.open(&place(tenant, id), &sealed).and_then(|secret| secret.try_into().ok());
        let secret = secret.ok_or_else(|| unavailable(format!("key {id} does not open with the master key")))?;
        Ok(Some(ContactKey { id, secret }))
    }

    async fn make(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError> {
        let key = ContactKey { id: KeyId(SystemIds.uuid()), secret: random().map_err(unavailable)? };
        let sealed = self.seal.close(&place(tenant, key.id), &key.secret).map_err(unavailable)?;
        self.database.conditionally(PUT, (tenant.as_str(), key.id.0, contact.0, sealed)).await?;
        Ok(key)
    }

    /// Makes a key known that another store made. Returns the key that stands under its id then.
    pub(super) async fn adopt(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        key: &ContactKey,
    ) -> Result<Option<ContactKey>, KeyError> {
        let sealed = self.seal.close(&place(tenant, key.id), &key.secret).map_err(unavailable)?;
        self.database.conditionally(PUT, (tenant.as_str(), key.id.0, contact.0, sealed)).await?;
        let there = self.find(tenant, key.id).await?;
        if there.as_ref() == Some(key) {
            let pointed: Option<(uuid::Uuid,)> = self.database.first(POINTED, (tenant.as_str(), contact.0)).await?;
            let before = pointed.map(|(id,)| KeyId(id)).filter(|before| *before != key.id);
            // What it points at may be gone; a contact has one key that is not.
            if pointed.is_none() || before.is_some() {
                self.point(tenant, contact, before, key.id).await?;
            }
        }
        Ok(there)
    }

    /// Makes a tenant's secret for address hashes known. Returns the one that stands then.
    pub(super) async fn adopt_hash(&self, tenant: &TenantId, secret: &[u8; 32]) -> Result<[u8; 32], KeyError> {
        let sealed = self.seal.close(&format!("deskwire cql hash 1 {tenant}"), secret).map_err(unavailable)?;
        self.database.conditionally(HASH, (tenant.as_str(), sealed)).await?;
        self.hash_secret(tenant).await
    }

    /// Points a contact at a key unless it points at another than `before`; returns where it points then.
    async fn point(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        before: Option<KeyId>,
        key: KeyId,
    ) -> Result<KeyId, CqlError> {
        let done = match before {
            None => self.database.conditionally(POINT, (tenant.as_str(), contact.0, key.0)).await?,
            Some(before) => {
                let values = (key.0, tenant.as_str(), contact.0, before.0);
                self.database.conditionally(POINT_ANEW, values).await?
            }
        };
        match done {
            Conditional::Applied => Ok(key),
            Conditional::Standing(columns) => match columns.get("key") {
                Some(CqlValue::Uuid(there)) => Ok(KeyId(*there)),
                _ => Err(CqlError::unreadable("a contact's key without an id")),
            },
        }
    }
}

#[async_trait]
impl Keys for CqlKeys {
    async fn create(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError> {
        let pointed: Option<(uuid::Uuid,)> = self.database.first(POINTED, (tenant.as_str(), contact.0)).await?;
        let mut before = pointed.map(|(id,)| KeyId(id));
        for _ in 0..ATTEMPTS {
            if let Some(id) = before
                && let Some(key) = self.find(tenant, id).await?
            {
                return Ok(key);
            }
            let made = self.make(tenant, contact).await?;
            let there = self.point(tenant, contact, before, made.id).await?;
            if there == made.id {
                return Ok(made);
            }
            // Somebody else was first: nothing points at ours.
            self.database.conditionally(DROP, (tenant.as_str(), made.id.0)).await?;
            before = Some(there);
        }
        Err(unavailable("a contact's key changes all the time"))
    }

    async fn get(&self, tenant: &TenantId, key: KeyId) -> Result<ContactKey, KeyError> {
        self.find(tenant, key).await?.ok_or(KeyError::Destroyed)
    }

    async fn destroy(&self, tenant: &TenantId, key: KeyId) -> Result<(), KeyError> {
        self.database.conditionally(DROP, (tenant.as_str(), key.0)).await?;
        Ok(())
    }

    async fn hash_secret(&self, tenant: &TenantId) -> Result<[u8; 32], KeyError> {
        let place = format!("deskwire cql hash 1 {tenant}");
        for _ in 0..ATTEMPTS {
            let row: Option<(Vec<u8>,)> = self.database.first(HASHED, (tenant.as_str(),)).await?;
            if let Some((sealed,)) = row {
                let secret = self.seal.open(&place, &sealed).and_then(|secret| secret.try_into().ok());
                return secret.ok_or_else(|| unavailable("a hash secret does not open with the master key"));
            }
            let sealed = self.seal.close(&place, &random::<32>().map_err(unavailable)?).map_err(unavailable)?;
            // Whose it is in the end is read above.
            self.database.conditionally(HASH, (tenant.as_str(), sealed)).await?;
        }
        Err(unavailable("a hash secret was not stored"))
    }
}
