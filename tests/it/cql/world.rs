//! A keyspace of a test's own, emptied for each check.

use std::sync::Arc;

use actors::{
    contracts::Stores,
    ports::{Keys, Log, Views},
};
use async_trait::async_trait;
use deskwire::store::cql::{CqlOptions, CqlStore, migrate};
use scylla::client::{session::Session, session_builder::SessionBuilder};

use crate::support::cassandra;
pub use crate::support::cassandra::options;

/// A session beside the store's.
pub async fn session() -> Session {
    SessionBuilder::new()
        .known_node(cassandra::server())
        .user(cassandra::USER, cassandra::PASSWORD)
        .build()
        .await
        .unwrap()
}

/// A keyspace that did not exist before, migrated.
pub async fn keyspace(name: &str) -> CqlOptions {
    let name = format!("t{}_{name}", std::process::id());
    let options = options(&name);
    session().await.query_unpaged(format!("DROP KEYSPACE IF EXISTS {name}"), ()).await.unwrap();
    migrate(&options).await.unwrap();
    options
}

/// Empties every table but the one that says the format.
pub async fn empty(options: &CqlOptions) {
    let session = session().await;
    let tables = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
    let tables = session.query_unpaged(tables, (&options.keyspace,)).await.unwrap().into_rows_result().unwrap();
    let names = tables.rows::<(String,)>().unwrap().map(|row| row.unwrap().0).filter(|name| name != "migration");
    let truncate = |name| {
        let statement = format!("TRUNCATE {}.{name}", options.keyspace);
        let session = &session;
        async move { session.query_unpaged(statement, ()).await.unwrap() }
    };
    futures_util::future::join_all(names.map(truncate)).await;
}

/// Stores of the contract suites.
pub struct Cql {
    options: CqlOptions,
    store: CqlStore,
}

impl Cql {
    /// New and empty.
    pub async fn new(options: &CqlOptions) -> Self {
        empty(options).await;
        Self { options: options.clone(), store: CqlStore::open(options).await.unwrap() }
    }
}

#[async_trait]
impl Stores for Cql {
    fn log(&self) -> Arc<dyn Log> {
        self.store.log()
    }

    fn views(&self) -> Arc<dyn Views> {
        self.store.views()
    }

    fn keys(&self) -> Arc<dyn Keys> {
        self.store.keys()
    }

    async fn restart(&mut self) {
        self.store = CqlStore::open(&self.options).await.unwrap();
    }
}

/// As the suites ask for stores: at once.
pub fn make(options: &CqlOptions) -> impl Fn() -> Cql {
    let options = options.clone();
    move || tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(Cql::new(&options)))
}
