//! The key store: durable as soon as it says so.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use schema::ids::{ContactId, KeyId, TenantId};

use super::world::{State, World};
use crate::ports::{ContactKey, KeyError, Keys};

/// What is on the disk.
#[derive(Default)]
pub(super) struct KeyTable {
    keys: BTreeMap<(TenantId, KeyId), ContactKey>,
    contacts: BTreeMap<(TenantId, ContactId), KeyId>,
    secrets: BTreeMap<TenantId, [u8; 32]>,
}

/// The store as one life sees it.
pub(super) struct SimulatedKeys {
    pub(super) world: Arc<World>,
    pub(super) life: u32,
}

fn secret(state: &mut State) -> [u8; 32] {
    let mut secret = [0; 32];
    secret.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&state.dice.next().to_le_bytes()));
    secret
}

#[async_trait]
impl Keys for SimulatedKeys {
    async fn create(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError> {
        self.world.step(self.life, "key is made", 4).await;
        let key = {
            let state = &mut *self.world.state();
            if !state.calm && state.plan.views_fail > 0 && state.dice.permille(20) {
                return Err(KeyError::Unavailable("as the seed has it".to_owned()));
            }
            let fresh = ContactKey { id: KeyId(state.uuid()), secret: secret(state) };
            let table = &mut state.keys;
            let id = *table.contacts.entry((tenant.clone(), contact)).or_insert(fresh.id);
            table.keys.entry((tenant.clone(), id)).or_insert(fresh).clone()
        };
        self.world.step(self.life, "key is durable", 4).await;
        Ok(key)
    }

    async fn get(&self, tenant: &TenantId, key: KeyId) -> Result<ContactKey, KeyError> {
        self.world.step(self.life, "key is read", 2).await;
        self.world.state().keys.keys.get(&(tenant.clone(), key)).cloned().ok_or(KeyError::Destroyed)
    }

    async fn destroy(&self, tenant: &TenantId, key: KeyId) -> Result<(), KeyError> {
        self.world.step(self.life, "key is destroyed", 4).await;
        let table = &mut self.world.state().keys;
        table.keys.remove(&(tenant.clone(), key));
        table.contacts.retain(|(owner, _), id| owner != tenant || *id != key);
        Ok(())
    }

    async fn hash_secret(&self, tenant: &TenantId) -> Result<[u8; 32], KeyError> {
        self.world.step(self.life, "secret is read", 2).await;
        let state = &mut *self.world.state();
        let fresh = secret(state);
        Ok(*state.keys.secrets.entry(tenant.clone()).or_insert(fresh))
    }
}
