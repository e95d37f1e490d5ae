//! The suites that every store passes.

use std::sync::Arc;

use actors::{
    contracts::{self, Stores},
    ports::{Keys, Log, Views},
};
use async_trait::async_trait;
use tempfile::TempDir;

use super::{one_segment, small};
use crate::store::{StoreOptions, embedded::EmbeddedStore};

struct Embedded {
    dir: TempDir,
    options: StoreOptions,
    store: Option<EmbeddedStore>,
}

impl Embedded {
    fn new(options: StoreOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Some(EmbeddedStore::open(dir.path(), &options).unwrap());
        Self { dir, options, store }
    }

    fn store(&self) -> &EmbeddedStore {
        self.store.as_ref().unwrap()
    }
}

#[async_trait]
impl Stores for Embedded {
    fn log(&self) -> Arc<dyn Log> {
        self.store().log()
    }

    fn views(&self) -> Arc<dyn Views> {
        self.store().views()
    }

    fn keys(&self) -> Arc<dyn Keys> {
        self.store().keys()
    }

    async fn restart(&mut self) {
        self.store.take().unwrap().close();
        self.store = Some(EmbeddedStore::open(self.dir.path(), &self.options).unwrap());
    }
}

#[tokio::test]
async fn embedded_keeps_the_contract_of_the_log_in_the_commit_file() {
    contracts::log::suite(|| Embedded::new(one_segment())).await;
}

/// Each segment is closed by its second batch, so most of what is read are rows.
#[tokio::test]
async fn embedded_keeps_the_contract_of_the_log_in_rows() {
    contracts::log::suite(|| Embedded::new(StoreOptions { segment_bytes: 100, ..small() })).await;
}

#[tokio::test]
async fn embedded_keeps_the_contract_of_the_views() {
    contracts::views::suite(|| Embedded::new(small())).await;
}

#[tokio::test]
async fn embedded_keeps_the_contract_of_the_baseline() {
    contracts::baseline::suite(|| Embedded::new(small())).await;
}

#[tokio::test]
async fn embedded_keeps_the_contract_of_the_keys() {
    contracts::keys::suite(|| Embedded::new(small())).await;
}
