//! Minting tokens for the command line, with this data directory's own key.

use std::time::Duration;

use actors::{memory::SystemClock, ports::Clock as _};
use anyhow::Context as _;
use schema::{
    ids::{OperatorId, TenantId},
    role::Role,
};

use crate::{
    auth::{self, Authenticator, Claims},
    config::Config,
};

/// A token for an operator, valid for as long as asked.
pub fn token(
    config: &Config,
    tenant: &TenantId,
    operator: &OperatorId,
    role: Role,
    valid: Duration,
) -> anyhow::Result<String> {
    let directory = config.data.directory.join("keys");
    let key = auth::signing_key(&directory).context("the signing key")?;
    let claims =
        Claims { tenant: tenant.clone(), operator: operator.clone(), role, expires: SystemClock.now().plus(valid) };
    Ok(Authenticator::new(&[key])?.mint(&claims)?)
}
