//! Minting tokens for the command line, with this data directory's own key.

use std::time::Duration;

use actors::{memory::SystemClock, ports::Clock as _};
use anyhow::Context as _;
use schema::{
    ids::{OperatorId, TenantId},
    role::Role,
};

use super::keys;
use crate::{auth::Claims, config::Config};

/// A token for an operator, valid for as long as asked.
pub fn token(
    config: &Config,
    tenant: &TenantId,
    operator: &OperatorId,
    role: Role,
    valid: Duration,
) -> anyhow::Result<String> {
    let claims =
        Claims { tenant: tenant.clone(), operator: operator.clone(), role, expires: SystemClock.now().plus(valid) };
    Ok(keys::authenticator(config).context("the signing key")?.mint(&claims)?)
}
