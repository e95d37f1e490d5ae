//! Keys in memory.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use async_trait::async_trait;
use schema::ids::{ContactId, KeyId, TenantId};

use crate::ports::{ContactKey, Ids, KeyError, Keys};

use super::SystemIds;

#[derive(Default)]
struct Table {
    keys: HashMap<(TenantId, KeyId), ContactKey>,
    destroyed: HashSet<(TenantId, KeyId)>,
    secrets: HashMap<TenantId, [u8; 32]>,
}

/// Keys in memory.
#[derive(Default)]
pub struct MemoryKeys {
    table: Mutex<Table>,
}

fn fresh() -> [u8; 32] {
    let mut secret = [0; 32];
    for chunk in secret.chunks_mut(8) {
        chunk.copy_from_slice(&SystemIds.random().to_le_bytes());
    }
    secret
}

#[async_trait]
impl Keys for MemoryKeys {
    async fn create(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError> {
        let id = KeyId(contact.0);
        let mut table = self.table.lock().expect("no holder panics");
        if table.destroyed.contains(&(tenant.clone(), id)) {
            return Err(KeyError::Destroyed);
        }
        let key = ContactKey { id, secret: fresh() };
        Ok(table.keys.entry((tenant.clone(), id)).or_insert(key).clone())
    }

    async fn get(&self, tenant: &TenantId, key: KeyId) -> Result<ContactKey, KeyError> {
        let table = self.table.lock().expect("no holder panics");
        table.keys.get(&(tenant.clone(), key)).cloned().ok_or(KeyError::Destroyed)
    }

    async fn destroy(&self, tenant: &TenantId, key: KeyId) -> Result<(), KeyError> {
        let mut table = self.table.lock().expect("no holder panics");
        table.keys.remove(&(tenant.clone(), key));
        table.destroyed.insert((tenant.clone(), key));
        Ok(())
    }

    async fn hash_secret(&self, tenant: &TenantId) -> Result<[u8; 32], KeyError> {
        let mut table = self.table.lock().expect("no holder panics");
        Ok(*table.secrets.entry(tenant.clone()).or_insert_with(fresh))
    }
}
