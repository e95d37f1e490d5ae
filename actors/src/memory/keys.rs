//! Keys in memory.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use schema::ids::{ContactId, KeyId, TenantId};

use super::{SystemIds, lock};
use crate::ports::{ContactKey, Ids, KeyError, Keys};

/// Forgets everything when dropped.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    keys: BTreeMap<(TenantId, KeyId), ContactKey>,
    contacts: BTreeMap<(TenantId, ContactId), KeyId>,
    secrets: BTreeMap<TenantId, [u8; 32]>,
}

fn secret() -> [u8; 32] {
    let mut secret = [0; 32];
    for chunk in secret.chunks_exact_mut(8) {
        chunk.copy_from_slice(&SystemIds.random().to_le_bytes());
    }
    secret
}

#[async_trait]
impl Keys for MemoryKeys {
    async fn create(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError> {
        let tables = &mut *lock(&self.tables);
        let fresh = || KeyId(SystemIds.uuid());
        let id = *tables.contacts.entry((tenant.clone(), contact)).or_insert_with(fresh);
        let key = tables.keys.entry((tenant.clone(), id)).or_insert_with(|| ContactKey { id, secret: secret() });
        Ok(key.clone())
    }

    async fn get(&self, tenant: &TenantId, key: KeyId) -> Result<ContactKey, KeyError> {
        lock(&self.tables).keys.get(&(tenant.clone(), key)).cloned().ok_or(KeyError::Destroyed)
    }

    async fn destroy(&self, tenant: &TenantId, key: KeyId) -> Result<(), KeyError> {
        let tables = &mut *lock(&self.tables);
        tables.keys.remove(&(tenant.clone(), key));
        tables.contacts.retain(|(owner, _), id| owner != tenant || *id != key);
        Ok(())
    }

    async fn hash_secret(&self, tenant: &TenantId) -> Result<[u8; 32], KeyError> {
        Ok(*lock(&self.tables).secrets.entry(tenant.clone()).or_insert_with(secret))
    }
}
