//! Takes over a tenant that another store made: its keys, and where its log begins.

use std::sync::Arc;

use actors::ports::{Anchor, ContactKey, LogError};
use async_trait::async_trait;
use schema::ids::{ContactId, FeedId, TenantId};

use super::{keys::CqlKeys, log::CqlLog};
use crate::store::{Adopt, AdoptError};

/// The door of a keyspace.
pub(super) struct CqlAdopt {
    pub(super) keys: Arc<CqlKeys>,
    pub(super) log: Arc<CqlLog>,
}

#[async_trait]
impl Adopt for CqlAdopt {
    async fn adopt_key(&self, tenant: &TenantId, contact: ContactId, key: &ContactKey) -> Result<(), AdoptError> {
        match self.keys.adopt(tenant, contact, key).await? {
            Some(there) if there == *key => Ok(()),
            _ => Err(AdoptError::Other("key")),
        }
    }

    async fn adopt_hash(&self, tenant: &TenantId, secret: &[u8; 32]) -> Result<(), AdoptError> {
        match self.keys.adopt_hash(tenant, secret).await? == *secret {
            true => Ok(()),
            false => Err(AdoptError::Other("secret for address hashes")),
        }
    }

    async fn adopt_anchor(&self, feed: &FeedId, anchor: &Anchor) -> Result<(), AdoptError> {
        match self.log.adopt(feed, anchor).await.map_err(LogError::from)? == *anchor {
            true => Ok(()),
            false => Err(AdoptError::Other("log")),
        }
    }
}
