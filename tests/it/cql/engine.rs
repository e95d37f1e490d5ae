//! The engine's real process on a CQL server: signed webhooks, sends, the stream, kill -9 and resume.

use crate::{crash, support::cassandra};

use super::world::keyspace;

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_a_node_on_a_cql_server_lose_nothing_double_nothing_and_leave_no_gap() {
    let options = keyspace("engine").await;
    let beside = cassandra::environment(&options);
    crash::some_kills_on(beside.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()).await;
}
