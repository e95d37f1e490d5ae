//! What a process keeps things in, as the engine's ports.

use std::{
    collections::HashMap,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use actors::{
    memory::{MemoryKeys, MemoryLog, MemoryViews, SystemIds},
    ports::{Checkpoint, Keys, Log, ViewWrite, Views},
};
use anyhow::{Context as _, ensure};
use futures_util::future::BoxFuture;
use schema::ids::{AccountId, FeedId};

use super::{build::node_id, client, limits::store_options};
use crate::{
    auth::people::{ChangedPeople, PeopleTable},
    channels::{Secret, SecretSource},
    config::{Config, StoreKind},
    store::{
        Adopt, Tables,
        cql::{Access, Applied, CqlOptions, CqlStore, CqlTls},
        embedded::{EmbeddedStore, StoreError},
    },
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
    /// Reads what other nodes have put since; nothing where there are none.
    pub refresh: Refresh,
}

/// Reads something again.
pub type Refresh = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

fn nothing_to_refresh() -> Refresh {
    Arc::new(|| Box::pin(std::future::ready(Ok(()))))
}

/// The store that a configuration names, open.
pub enum Opened {
    /// The data directory's.
    Embedded(EmbeddedStore),
    /// A keyspace.
    Cql(Box<CqlStore>),
}

impl Opened {
    /// Opens it.
    pub async fn of(config: &Config, access: Access) -> anyhow::Result<Self> {
        match config.store.kind {
            StoreKind::Embedded => Ok(Self::Embedded(open_store(config)?)),
            StoreKind::Cql => {
                std::fs::create_dir_all(&config.data.directory)?;
                let options = cql_options(config)?;
                let store = CqlStore::open_as(&options, access, &config.data.directory).await;
                Ok(Self::Cql(Box::new(store.with_context(|| format!("cql.keyspace = \"{}\"", options.keyspace))?)))
            }
        }
    }

    /// Its ports.
    pub fn stores(&self) -> Stores {
        match self {
            Self::Embedded(store) => Stores::over(store.log(), store.views(), store.keys(), &store.tables()),
            Self::Cql(store) => Stores::over(store.log(), store.views(), store.keys(), &store.tables()),
        }
    }

    /// Carriers' secrets and people who sign in.
    pub(super) fn tables(&self) -> Arc<dyn Tables> {
        match self {
            Self::Embedded(store) => store.tables(),
            Self::Cql(store) => store.tables(),
        }
    }

    /// The door for a tenant that comes from another store.
    pub(super) fn adopt(&self) -> Arc<dyn Adopt> {
        match self {
            Self::Embedded(store) => store.adopt(),
            Self::Cql(store) => store.adopt(),
        }
    }

    /// A feed's baseline, as where it stands and what writes it again; none if it was never trimmed.
    pub(super) async fn baseline_writes(&self, feed: &FeedId) -> anyhow::Result<Option<(Checkpoint, Vec<ViewWrite>)>> {
        Ok(match self {
            Self::Embedded(store) => store.baseline_writes(feed)?,
            Self::Cql(store) => store.baseline_writes(feed).await?,
        })
    }

    /// Returns when this process must end and be started anew, whatever it does.
    pub async fn lost(&self) {
        match self {
            Self::Embedded(_) => std::future::pending().await,
            Self::Cql(store) => store.lost().await,
        }
    }

    /// Finishes what was accepted and lets go.
    pub async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Embedded(store) => {
                tokio::task::spawn_blocking(move || store.close()).await.context("the store's end")
            }
            // What was accepted is on the servers.
            Self::Cql(store) => {
                store.close().await;
                Ok(())
            }
        }
    }
}

/// Makes the configured keyspace, or brings it to this version's format.
pub async fn migrate(config: &Config) -> anyhow::Result<Applied> {
    ensure!(
        config.store.kind == StoreKind::Cql,
        "store.kind = \"embedded\" has nothing to migrate: it is made at its start"
    );
    Ok(crate::store::cql::migrate(&cql_options(config)?).await?)
}

fn cql_options(config: &Config) -> anyhow::Result<CqlOptions> {
    let cql = &config.cql;
    let password = match cql.password_file.as_os_str().is_empty() {
        true => String::new(),
        false => std::fs::read_to_string(&cql.password_file)
            .with_context(|| format!("cql.password_file = \"{}\"", cql.password_file.display()))?,
    };
    Ok(CqlOptions {
        contact_points: cql.contact_points.clone(),
        keyspace: cql.keyspace.clone(),
        datacenter: cql.datacenter.clone(),
        user: cql.user.clone(),
        password: password.trim_end().to_owned(),
        tls: cql_tls(config)?,
        replicas_min: if cql.allow_unsafe { 1 } else { 2 },
        connect_timeout: cql.connect_timeout_ms.duration(),
        request_timeout: cql.request_timeout_ms.duration(),
        in_flight_max: cql.in_flight_max,
        replication: cql.replication.clone(),
        log_compaction: cql.log_compaction.clone(),
        view_compaction: cql.view_compaction.clone(),
        node: node_id(&config.data.directory, &SystemIds)?.to_string(),
        master: master_key(config)?,
    })
}

fn cql_tls(config: &Config) -> anyhow::Result<Option<CqlTls>> {
    if !config.cql.tls {
        return Ok(None);
    }
    let trust = client::authorities("cql.tls_ca_file", &config.cql.tls_ca_file)?;
    Ok(Some(CqlTls { config: Arc::new(trust), name: config.cql.tls_name.clone() }))
}

/// The key that everything sealed on the servers is sealed with. A file that is named must be there; one of our own is
/// made at the first start.
fn master_key(config: &Config) -> anyhow::Result<[u8; 32]> {
    let named = &config.cql.master_key_file;
    let own = config.data.directory.join("keys/cql-master");
    let path = if named.as_os_str().is_empty() { own.as_path() } else { named.as_path() };
    match std::fs::read(path) {
        Ok(bytes) => bytes.try_into().ok().with_context(|| format!("{} does not hold 32 bytes", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path == own => make_master_key(path),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn make_master_key(path: &Path) -> anyhow::Result<[u8; 32]> {
    let key = CqlStore::new_master()?;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = made.and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()));
    written.with_context(|| format!("{} cannot be made", path.display()))?;
    Ok(key)
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
    fn over(log: Arc<dyn Log>, views: Arc<dyn Views>, keys: Arc<dyn Keys>, tables: &Arc<dyn Tables>) -> Self {
        let (read, write) = (tables.clone(), tables.clone());
        let get: SecretSource = Arc::new(move |account| read.secrets(account).into_iter().map(Secret::new).collect());
        let put: SecretSink = Arc::new(move |account, secret| {
            let tables = write.clone();
            Box::pin(async move { Ok(tables.put_secret(account, secret).await?) })
        });
        let shared = tables.clone();
        let refresh: Refresh = Arc::new(move || {
            let tables = shared.clone();
            Box::pin(async move { Ok(tables.refresh().await?) })
        });
        Self { log, views, keys, secrets: Secrets { get, put, refresh }, people: people(tables) }
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
            secrets: Secrets { get, put, refresh: nothing_to_refresh() },
            people: PeopleTable::in_memory(),
        }
    }
}

fn people(tables: &Arc<dyn Tables>) -> PeopleTable {
    let (read, again, write) = (tables.clone(), tables.clone(), tables.clone());
    PeopleTable {
        all: Arc::new(move || read.people()),
        changed: tables.is_shared().then(|| -> ChangedPeople {
            Arc::new(move || {
                let tables = again.clone();
                Box::pin(async move { tables.changed_people().await.map_err(|error| error.to_string()) })
            })
        }),
        put: Arc::new(move |(tenant, operator), record| {
            let tables = write.clone();
            Box::pin(
                async move { tables.put_person(tenant, operator, record).await.map_err(|error| error.to_string()) },
            )
        }),
    }
}
