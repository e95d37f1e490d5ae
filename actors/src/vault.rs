//! The vault: seals personal parts with their contact's key and opens them again.

use std::sync::Arc;

use dashmap::DashMap;
use hmac::{Hmac, Mac};
use schema::{
    address::Address,
    event::{Content, Event, Part, Personal, SealedPart, StoredEvent},
    ids::{AddressHash, ContactId, KeyId, TenantId},
    seal,
};
use sha2::Sha256;

use crate::ports::{ContactKey, KeyError, Keys};

/// Most keys kept in memory.
const CACHED_KEYS: usize = 65_536;

/// Seals and opens. Cheap to clone; keeps a bounded cache of keys.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<dyn Keys>,
    cache: Arc<DashMap<(TenantId, KeyId), ContactKey>>,
    secrets: Arc<DashMap<TenantId, [u8; 32]>>,
}

impl Vault {
    /// Over a key store.
    pub fn new(keys: Arc<dyn Keys>) -> Self {
        Self { keys, cache: Arc::default(), secrets: Arc::default() }
    }

    /// A new contact's key, durable when this returns.
    pub async fn create(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError> {
        let key = self.keys.create(tenant, contact).await?;
        self.remember(tenant, &key);
        Ok(key)
    }

    /// A key by its id.
    pub async fn key(&self, tenant: &TenantId, id: KeyId) -> Result<ContactKey, KeyError> {
        if let Some(key) = self.cache.get(&(tenant.clone(), id)) {
            return Ok(key.clone());
        }
        let key = self.keys.get(tenant, id).await?;
        self.remember(tenant, &key);
        Ok(key)
    }

    /// Forgets and destroys a key: whatever it sealed is gone.
    pub async fn destroy(&self, tenant: &TenantId, id: KeyId) -> Result<(), KeyError> {
        self.keys.destroy(tenant, id).await?;
        self.cache.remove(&(tenant.clone(), id));
        Ok(())
    }

    /// Stands for an address in keys, routes and logs: a keyed hash, the tenant's own.
    pub async fn address_hash(&self, tenant: &TenantId, address: &Address) -> Result<AddressHash, KeyError> {
        let known = self.secrets.get(tenant).map(|secret| *secret);
        let secret = match known {
            Some(secret) => secret,
            None => {
                let secret = self.keys.hash_secret(tenant).await?;
                self.secrets.insert(tenant.clone(), secret);
                secret
            }
        };
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&secret).expect("HMAC takes a key of any length");
        mac.update(address.as_str().as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Ok(AddressHash(hash))
    }

    /// Opens an event's personal parts; a destroyed key leaves its part shredded.
    pub async fn open(&self, tenant: &TenantId, event: StoredEvent) -> Result<Event, KeyError> {
        let mut parts = Vec::with_capacity(event.parts.len());
        for sealed in &event.parts {
            let content = match self.key(tenant, sealed.key).await {
                Ok(key) => open_part(&key, sealed),
                Err(KeyError::Destroyed) => Content::Shredded,
                Err(error) => return Err(error),
            };
            parts.push(Part { subject: sealed.subject, key: sealed.key, content });
        }
        Ok(Event { header: event.header, fact: event.fact, parts })
    }

    fn remember(&self, tenant: &TenantId, key: &ContactKey) {
        if self.cache.len() >= CACHED_KEYS {
            self.cache.clear();
        }
        self.cache.insert((tenant.clone(), key.id), key.clone());
    }
}

/// Seals one part. `nonce` must never be used twice with one key: it is a random batch id and a place in the batch.
pub fn seal_part(key: &ContactKey, subject: ContactId, personal: &Personal, nonce: [u8; 24]) -> SealedPart {
    let plain = postcard::to_stdvec(personal).expect("plain values always encode");
    let sealed = seal::seal(&key.secret, &nonce, subject.0.as_bytes(), plain).into();
    SealedPart { subject, key: key.id, nonce, sealed }
}

/// Opens one part with its key. What does not verify is as good as gone.
pub fn open_part(key: &ContactKey, part: &SealedPart) -> Content {
    let mut sealed = part.sealed.to_vec();
    seal::open(&key.secret, &part.nonce, part.subject.0.as_bytes(), &mut sealed)
        .and_then(|plain| postcard::from_bytes(plain).ok())
        .map_or(Content::Shredded, Content::Open)
}
