//! What both stores have beside the ports: sealed tables of carriers' secrets and of people who sign in, and the door
//! through which a tenant that comes from another store keeps its epoch and its keys.

use actors::ports::{Anchor, ContactKey, KeyError, LogError};
use async_trait::async_trait;
use schema::ids::{AccountId, ContactId, FeedId, OperatorId, TenantId};

/// Whose record of somebody who signs in, and what it holds: opaque here.
pub type PersonRow = (TenantId, OperatorId, Vec<u8>);

/// The sealed tables of a store.
#[async_trait]
pub trait Tables: Send + Sync + 'static {
    /// An account's secrets, newest first, at most two; none if it has none. From memory: signatures do not wait.
    fn secrets(&self, account: &AccountId) -> Vec<String>;
    /// Makes a secret the account's current one; durable when this returns. The one before it stays valid beside it.
    async fn put_secret(&self, account: AccountId, secret: String) -> Result<(), KeyError>;
    /// Whether other nodes write to them too.
    fn is_shared(&self) -> bool {
        false
    }
    /// Reads again what secrets other nodes have put since; nothing where there can be none.
    async fn refresh(&self) -> Result<(), KeyError> {
        Ok(())
    }
    /// Every record of people, if another node may have changed one since this was last asked.
    async fn changed_people(&self) -> Result<Option<Vec<PersonRow>>, KeyError> {
        Ok(None)
    }
    /// Every record of people as it stood when the store was opened.
    fn people(&self) -> Vec<PersonRow>;
    /// Keeps a record, an empty one forgets; durable when this returns. Refused where another node has changed it since this
    /// one knew it.
    async fn put_person(&self, tenant: TenantId, operator: OperatorId, record: Vec<u8>) -> Result<(), KeyError>;
}

/// Why something is not adopted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// Another stands in its place.
    #[error("this store has another {0} for it")]
    Other(&'static str),
    /// Not now.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Not now.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Takes over what another store made. Repeating is fine; what stands there already is never replaced by something else.
#[async_trait]
pub trait Adopt: Send + Sync + 'static {
    /// Makes a contact's key known under its own id; durable when this returns.
    async fn adopt_key(&self, tenant: &TenantId, contact: ContactId, key: &ContactKey) -> Result<(), AdoptError>;
    /// Makes the tenant's secret for address hashes known; durable when this returns.
    async fn adopt_hash(&self, tenant: &TenantId, secret: &[u8; 32]) -> Result<(), AdoptError>;
    /// Makes the feed's anchor, so that its log goes on where the other one's begins. A feed without any batch may have
    /// been asked for, and so have an anchor: that one gives way.
    async fn adopt_anchor(&self, feed: &FeedId, anchor: &Anchor) -> Result<(), AdoptError>;
}
