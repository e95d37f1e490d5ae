//! The engine: starts tenants on demand, keeps the directory, drains at the end.

use std::sync::Arc;

use schema::ids::TenantId;

use crate::{
    handle::Refusal,
    ports::{Carrier, Clock, Directory, Ids, Keys, Limiter, Log, Views},
    tenant::TenantHandle,
    vault::Vault,
};

/// What the core needs of the world.
#[derive(Clone)]
pub struct Ports {
    /// Durable order.
    pub log: Arc<dyn Log>,
    /// What the log means.
    pub views: Arc<dyn Views>,
    /// Personal keys.
    pub keys: Arc<dyn Keys>,
    /// Pace.
    pub limiter: Arc<dyn Limiter>,
    /// The way out.
    pub carrier: Arc<dyn Carrier>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn Ids>,
}

/// All tenants of this node. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    ports: Ports,
    vault: Vault,
}

impl Engine {
    /// A tenant's handle; starts the tenant if it sleeps. Unknown tenants are `not_found`.
    pub async fn tenant(&self, id: &TenantId) -> Result<TenantHandle, Refusal> {
        let _ = id;
        Err(Refusal::unavailable("not wired yet"))
    }

    /// The directory, for look-ups from memory.
    pub fn directory(&self) -> Arc<dyn Directory> {
        unimplemented!("wired with the engine")
    }

    /// The ports it runs on.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Seals and opens personal parts.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }
}
