//! The suites of the ports.

use actors::contracts;

use super::world::{keyspace, make};

#[tokio::test(flavor = "multi_thread")]
async fn cql_keeps_the_contract_of_the_log() {
    let options = keyspace("log").await;
    contracts::log::suite(make(&options)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cql_keeps_the_contract_of_the_views() {
    let options = keyspace("views").await;
    contracts::views::suite(make(&options)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cql_keeps_the_contract_of_the_baseline() {
    let options = keyspace("baseline").await;
    contracts::baseline::suite(make(&options)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cql_keeps_the_contract_of_the_keys() {
    let options = keyspace("keys").await;
    contracts::keys::suite(make(&options)).await;
}
