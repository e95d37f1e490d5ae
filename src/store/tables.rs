//! What a store keeps sealed beside log, views and keys, the same on both: carriers' secrets and people who sign in.

use actors::ports::KeyError;
use async_trait::async_trait;
use schema::ids::{AccountId, OperatorId, TenantId};

/// Whose record of somebody who signs in, and what it holds: opaque here.
pub type PersonRow = (TenantId, OperatorId, Vec<u8>);

/// The sealed tables of a store.
#[async_trait]
pub trait Tables: Send + Sync + 'static {
    /// An account's secrets, newest first, at most two; none if it has none. From memory: signatures do not wait.
    fn secrets(&self, account: &AccountId) -> Vec<String>;
    /// Makes a secret the account's current one; durable when this returns. The one before it stays valid beside it.
    async fn put_secret(&self, account: AccountId, secret: String) -> Result<(), KeyError>;
    /// Every record of people as it stood when the store was opened.
    fn people(&self) -> Vec<PersonRow>;
    /// Keeps a record, an empty one forgets; durable when this returns.
    async fn put_person(&self, tenant: TenantId, operator: OperatorId, record: Vec<u8>) -> Result<(), KeyError>;
}
