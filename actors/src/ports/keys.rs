//! Personal keys, outside the log: destroying one erases what it sealed, wherever that is kept.

use async_trait::async_trait;
use schema::ids::{ContactId, KeyId, TenantId};

/// A contact's AEAD key. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactKey {
    /// Names it.
    pub id: KeyId,
    /// 256 bits.
    pub secret: [u8; 32],
}

impl std::fmt::Debug for ContactKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContactKey({})", self.id)
    }
}

/// Why a key is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Destroyed: the contact was erased.
    #[error("key is destroyed")]
    Destroyed,
    /// Not now.
    #[error("key store is unavailable: {0}")]
    Unavailable(String),
}

/// The key store.
///
/// Contract (suite `contracts::keys`): `create` returns only when the key is durable; calls that overlap share
/// a flush. `get` after `destroy` is `Destroyed`, for ever. An unknown key is `Destroyed` too.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// Makes a contact's key; durable when this returns. The same contact gets the same key again.
    async fn create(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError>;
    /// A key by its id.
    async fn get(&self, tenant: &TenantId, key: KeyId) -> Result<ContactKey, KeyError>;
    /// Destroys a key for good; durable when this returns. Destroying twice is fine.
    async fn destroy(&self, tenant: &TenantId, key: KeyId) -> Result<(), KeyError>;
    /// The tenant's own secret for address hashes; made at first use, durable when this returns.
    async fn hash_secret(&self, tenant: &TenantId) -> Result<[u8; 32], KeyError>;
}
