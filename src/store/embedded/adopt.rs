//! Takes over a tenant that another store made: its keys, and where its log begins.

use std::sync::Arc;

use actors::ports::{Anchor, AppendError, ContactKey, LogError};
use async_trait::async_trait;
use schema::ids::{ContactId, FeedId, TenantId};

use super::{EmbeddedKeys, EmbeddedLog, stage::Work};
use crate::store::{Adopt, AdoptError};

/// The door of one open directory.
pub(super) struct EmbeddedAdopt {
    pub(super) keys: Arc<EmbeddedKeys>,
    pub(super) log: Arc<EmbeddedLog>,
}

#[async_trait]
impl Adopt for EmbeddedAdopt {
    async fn adopt_key(&self, tenant: &TenantId, contact: ContactId, key: &ContactKey) -> Result<(), AdoptError> {
        match self.keys.adopt_key(tenant, contact, key).await? == *key {
            true => Ok(()),
            false => Err(AdoptError::Other("key")),
        }
    }

    async fn adopt_hash(&self, tenant: &TenantId, secret: &[u8; 32]) -> Result<(), AdoptError> {
        match self.keys.adopt_hash(tenant, secret).await? == *secret {
            true => Ok(()),
            false => Err(AdoptError::Other("secret for address hashes")),
        }
    }

    async fn adopt_anchor(&self, feed: &FeedId, anchor: &Anchor) -> Result<(), AdoptError> {
        let away = |error: AppendError| LogError::Unavailable { reason: error.to_string() };
        self.log.ask(Work::Adopt { feed: feed.clone(), anchor: anchor.clone() }).await.map_err(away)?;
        match self.log.feeds.with(feed, |feed| feed.anchor == *anchor) {
            Some(true) => Ok(()),
            _ => Err(AdoptError::Other("log")),
        }
    }
}
