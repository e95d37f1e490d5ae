//! Snapshots: what a follower has made of a log so far, kept so that a restart need not read all of it again.

use async_trait::async_trait;
use schema::ids::TenantId;

/// Not now, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("snapshots are unavailable: {0}")]
pub struct SnapshotError(pub String);

/// One snapshot a tenant.
///
/// Contract (suite `contracts::snapshots`): a snapshot that is loaded is one that was saved, whole, the last one unless the
/// machine crashed. One that is damaged or lost is none: everything in it can be counted again from the log.
#[async_trait]
pub trait Snapshots: Send + Sync + 'static {
    /// The last one.
    async fn load(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, SnapshotError>;
    /// Replaces it.
    async fn save(&self, tenant: &TenantId, snapshot: Vec<u8>) -> Result<(), SnapshotError>;
}
