//! Snapshots in memory.

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use schema::ids::TenantId;

use super::lock;
use crate::ports::{SnapshotError, Snapshots};

/// One snapshot a tenant, until the process ends.
#[derive(Debug, Default)]
pub struct MemorySnapshots {
    kept: Mutex<HashMap<TenantId, Vec<u8>>>,
}

#[async_trait]
impl Snapshots for MemorySnapshots {
    async fn load(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, SnapshotError> {
        Ok(lock(&self.kept).get(tenant).cloned())
    }

    async fn save(&self, tenant: &TenantId, snapshot: Vec<u8>) -> Result<(), SnapshotError> {
        lock(&self.kept).insert(tenant.clone(), snapshot);
        Ok(())
    }
}
