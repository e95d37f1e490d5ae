//! What a process keeps things in, as the engine's ports.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use actors::{
    memory::{MemoryKeys, MemoryLog, MemoryViews},
    ports::{Keys, Log, Views},
};
use anyhow::Context as _;
use futures_util::future::BoxFuture;
use schema::ids::AccountId;

use super::limits::store_options;
use crate::{
    auth::people::PeopleTable,
    channels::{Secret, SecretSource},
    config::Config,
    store::embedded::{EmbeddedStore, StoreError},
};

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
    /// What operators sign in with.
    pub people: PeopleTable,
}

/// Makes a secret an account's current one; sealed and durable when it returns.
pub type SecretSink = Arc<dyn Fn(AccountId, String) -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// The sealed table of carrier secrets.
#[derive(Clone)]
pub struct Secrets {
    /// The secrets of an account, the current one first.
    pub get: SecretSource,
    /// Makes a secret the current one.
    pub put: SecretSink,
}

/// Opens the embedded store of a configuration: what `serve` runs on, and what the offline commands read.
pub fn open_store(config: &Config) -> anyhow::Result<EmbeddedStore> {
    let directory = &config.data.directory;
    let opened = EmbeddedStore::open(directory, &store_options(config));
    let hint = match &opened {
        Err(StoreError::Database { path, .. }) if path.ends_with("views") => {
            "; the log is whole, `deskwire rebuild` makes the views anew"
        }
        _ => "",
    };
    opened.with_context(|| format!("data.directory = \"{}\" cannot be opened{hint}", directory.display()))
}

impl Stores {
    /// The embedded store's ports.
    pub fn of(store: &EmbeddedStore) -> Self {
        let secrets = store.secrets();
        let read = secrets.clone();
        let get: SecretSource = Arc::new(move |account| {
            let known = read.get(account).unwrap_or_default();
            known.into_iter().map(Secret::new).collect()
        });
        let put: SecretSink = Arc::new(move |account, secret| {
            let secrets = secrets.clone();
            Box::pin(async move { Ok(secrets.put(&account, &secret).await?) })
        });
        let secrets = Secrets { get, put };
        Self { log: store.log(), views: store.views(), keys: store.keys(), secrets, people: people(store) }
    }

    /// Everything in memory: for tests of the edges.
    pub fn in_memory() -> Self {
        let secrets: Arc<Mutex<HashMap<AccountId, Arc<[Secret]>>>> = Arc::default();
        let kept = secrets.clone();
        let get: SecretSource = Arc::new(move |account| {
            let secrets = kept.lock().unwrap_or_else(PoisonError::into_inner);
            secrets.get(account).cloned().unwrap_or_else(|| Arc::from([]))
        });
        let put: SecretSink = Arc::new(move |account: AccountId, secret: String| {
            let mut secrets = secrets.lock().unwrap_or_else(PoisonError::into_inner);
            let before = secrets.get(&account).and_then(|secrets| secrets.first().cloned());
            let both = std::iter::once(Secret::new(secret)).chain(before).collect();
            secrets.insert(account, both);
            Box::pin(std::future::ready(Ok(())))
        });
        Self {
            log: Arc::new(MemoryLog::default()),
            views: Arc::new(MemoryViews::default()),
            keys: Arc::new(MemoryKeys::default()),
            secrets: Secrets { get, put },
            people: PeopleTable::in_memory(),
        }
    }
}

fn people(store: &EmbeddedStore) -> PeopleTable {
    let people = store.people();
    let read = people.clone();
    PeopleTable {
        all: Arc::new(move || read.all()),
        put: Arc::new(move |(tenant, operator), record| {
            let people = people.clone();
            Box::pin(async move { people.put(tenant, operator, record).await.map_err(|error| error.to_string()) })
        }),
    }
}
