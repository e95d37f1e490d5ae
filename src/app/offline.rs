//! Commands on a data directory that no server runs on: inspect, verify, rebuild.

use anyhow::bail;
use schema::ids::TenantId;

use crate::config::Config;

/// Prints a tenant's log as NDJSON.
pub async fn inspect(config: &Config, tenant: &TenantId, from: u64, personal: bool) -> anyhow::Result<()> {
    let _ = (config, tenant, from, personal);
    bail!("inspect needs the embedded store, which is not wired here yet")
}

/// Checks checksums, density of offsets, and views against baseline plus log.
pub async fn verify(config: &Config, tenant: Option<&TenantId>) -> anyhow::Result<()> {
    let _ = (config, tenant);
    bail!("verify needs the embedded store, which is not wired here yet")
}

/// Makes the views anew.
pub async fn rebuild(config: &Config, tenant: Option<&TenantId>) -> anyhow::Result<()> {
    let _ = (config, tenant);
    bail!("rebuild needs the embedded store, which is not wired here yet")
}
