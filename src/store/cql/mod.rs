//! The CQL store: log, views, keys and secrets on ScyllaDB or Apache Cassandra, for many nodes.
//!
//! The tables are in `schema/cql`. The log is written with conditions (`log`), everything else absolutely and with
//! time stamps of its own (`views`), so that late and repeated writes change nothing. docs/cql.md tells how.

mod adopt;
mod database;
mod error;
mod keys;
mod lease;
mod log;
mod migrate;
mod offline;
mod people;
mod revision;
mod seal;
mod secrets;
mod tables;
mod tunnel;
mod views;

use std::{path::Path, sync::Arc, time::Duration};

use actors::ports::{Keys, Log, Views};

use self::{
    adopt::CqlAdopt, database::Database, keys::CqlKeys, lease::Lease, log::CqlLog, people::CqlPeople,
    secrets::CqlSecrets, tables::CqlTables, views::CqlViews,
};
pub use self::{
    error::{CqlError, CqlStoreError},
    lease::Access,
    migrate::{Applied, migrate},
    offline::CqlScratch,
    tunnel::CqlTls,
};
use super::{Adopt, Tables};

/// How the servers are reached, and what the keyspace is like.
#[derive(Clone)]
pub struct CqlOptions {
    /// `host:port` of some servers.
    pub contact_points: Vec<String>,
    /// The keyspace.
    pub keyspace: String,
    /// The data centre whose servers are asked; empty: any.
    pub datacenter: String,
    /// Who logs in; empty: nobody.
    pub user: String,
    /// Their password.
    pub password: String,
    /// How servers are trusted; none: connections are in clear.
    pub tls: Option<CqlTls>,
    /// Copies that the keyspace must keep of everything, in every data centre it names.
    pub replicas_min: u32,
    /// Time for a connection.
    pub connect_timeout: Duration,
    /// Time for a statement.
    pub request_timeout: Duration,
    /// Statements under way; beyond it callers wait, then are refused.
    pub in_flight_max: usize,
    /// Replication of a keyspace that `migrate` makes, as a CQL map.
    pub replication: String,
    /// Compaction of the log's table, as a CQL map.
    pub log_compaction: String,
    /// Compaction of the other tables, as a CQL map.
    pub view_compaction: String,
    /// This node's name: the same after a restart, and no other's.
    pub node: String,
    /// The master key: 256 bits that keys and secrets are sealed with, the same on every node.
    pub master: [u8; 32],
}

/// An open keyspace.
pub struct CqlStore {
    log: Arc<CqlLog>,
    views: Arc<CqlViews>,
    keys: Arc<CqlKeys>,
    tables: Arc<CqlTables>,
    database: Arc<Database>,
    lease: Option<Lease>,
}

impl CqlStore {
    /// A master key for a cluster that has none.
    pub fn new_master() -> Result<[u8; 32], CqlStoreError> {
        seal::random().map_err(CqlStoreError::Master)
    }

    /// Connects to a keyspace of exactly this version's format, without a lease: beside whoever works on it.
    pub async fn open(options: &CqlOptions) -> Result<Self, CqlStoreError> {
        let session = migrate::open(options).await?;
        Self::over(Arc::new(Database::new(session, options)), None, options, true).await
    }

    /// The same with a lease, and with the data directory that this node's name is in.
    pub async fn open_as(options: &CqlOptions, access: Access, directory: &Path) -> Result<Self, CqlStoreError> {
        let session = migrate::open(options).await?;
        let database = Arc::new(Database::new(session, options));
        let lease = Lease::take(&database, access, &options.node, directory).await?;
        // Who only reads takes no marks away: those of a node beside it may be among them.
        Self::over(database, lease, options, access != Access::Read).await
    }

    async fn over(
        database: Arc<Database>,
        lease: Option<Lease>,
        options: &CqlOptions,
        looks: bool,
    ) -> Result<Self, CqlStoreError> {
        let views = Arc::new(CqlViews::new(database.clone()));
        let log = CqlLog::new(database.clone(), views.clone(), &options.node);
        if looks {
            log.find_lagging().await.map_err(|error| CqlStoreError::Connect(error.to_string()))?;
        }
        let log = Arc::new(log);
        let seal = seal::Seal::new(options.master);
        let keys = Arc::new(CqlKeys::new(database.clone(), seal.clone()));
        let place = (options.keyspace.as_str(), options.node.as_str());
        let secrets = CqlSecrets::open(database.clone(), seal.clone(), place).await?;
        let people = CqlPeople::open(database.clone(), seal, place).await?;
        Ok(Self { log, views, keys, tables: Arc::new(CqlTables { secrets, people }), database, lease })
    }

    /// The log.
    pub fn log(&self) -> Arc<dyn Log> {
        self.log.clone()
    }

    /// The views.
    pub fn views(&self) -> Arc<dyn Views> {
        self.views.clone()
    }

    /// The keys.
    pub fn keys(&self) -> Arc<dyn Keys> {
        self.keys.clone()
    }

    /// Returns when this node must start anew: somebody else had the keyspace alone.
    pub async fn lost(&self) {
        self.database.guard().lost().await;
    }

    /// Gives the lease back: nobody has to wait until it lapses.
    pub async fn close(&self) {
        if let Some(lease) = &self.lease {
            lease.end().await;
        }
    }

    /// The door for a tenant that comes from another store.
    pub fn adopt(&self) -> Arc<dyn Adopt> {
        Arc::new(CqlAdopt { keys: self.keys.clone(), log: self.log.clone() })
    }

    /// Carriers' secrets and people who sign in.
    pub fn tables(&self) -> Arc<dyn Tables> {
        self.tables.clone()
    }
}
