//! What a process keeps things in, as the engine's ports.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use actors::{
    memory::{MemoryKeys, MemoryLog, MemoryViews},
    ports::{Keys, Log, Views},
};
use schema::ids::AccountId;

use crate::channels::{Secret, SecretSource};

/// Log, views, keys and secrets of one process.
#[derive(Clone)]
pub struct Stores {
    /// Durable order.
    pub log: Arc<dyn Log>,
    /// What the log means.
    pub views: Arc<dyn Views>,
    /// Personal keys.
    pub keys: Arc<dyn Keys>,
    /// Carrier secrets.
    pub secrets: Secrets,
}

/// Makes a secret an account's current one; sealed and durable when it returns.
pub type SecretSink = Arc<dyn Fn(&AccountId, &str) -> anyhow::Result<()> + Send + Sync>;

/// The sealed table of carrier secrets.
#[derive(Clone)]
pub struct Secrets {
    /// The secrets of an account, the current one first.
    pub get: SecretSource,
    /// Makes a secret the current one.
    pub put: SecretSink,
}

/// What `serve` runs on.
pub fn open_stores(config: &crate::config::Config) -> anyhow::Result<Stores> {
    tracing::warn!(directory = %config.data.directory.display(), "kept in memory: the embedded store is not wired here yet");
    Ok(Stores::in_memory())
}

impl Stores {
    /// Everything in memory: for tests of the edges.
    pub fn in_memory() -> Self {
        let secrets: Arc<Mutex<HashMap<AccountId, Arc<[Secret]>>>> = Arc::default();
        let kept = secrets.clone();
        let get: SecretSource = Arc::new(move |account| {
            let secrets = kept.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.get(account).cloned().unwrap_or_else(|| Arc::from([]))
        });
        let put = Arc::new(move |account: &AccountId, secret: &str| {
            let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.insert(account.clone(), Arc::from([Secret::new(secret)]));
            Ok(())
        });
        Self {
            log: Arc::new(MemoryLog::default()),
            views: Arc::new(MemoryViews::default()),
            keys: Arc::new(MemoryKeys::default()),
            secrets: Secrets { get, put },
        }
    }
}
