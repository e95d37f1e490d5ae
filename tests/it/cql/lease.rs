//! Who works on a keyspace: nodes beside each other, a command alone, and what becomes of those who were killed.

use std::{path::Path, time::Duration};

use actors::contracts::sample::{Writer, feed};
use deskwire::store::cql::{Access, CqlOptions, CqlStore, CqlStoreError};
use schema::time::Stamp;

use super::world::{keyspace, session};
use crate::support::wait::{until, until_within};

/// A node or a command of this name, in its own directory below.
async fn open(options: &CqlOptions, node: &str, access: Access, below: &Path) -> Result<CqlStore, CqlStoreError> {
    let options = CqlOptions { node: node.to_owned(), ..options.clone() };
    CqlStore::open_as(&options, access, &below.join(node)).await
}

fn busy(refused: Result<CqlStore, CqlStoreError>) -> String {
    match refused {
        Err(CqlStoreError::Busy { by, .. }) => by,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was let in"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_never_has_a_keyspace_beside_a_node_nor_a_node_beside_a_command() {
    let (options, directory) = (keyspace("lease").await, tempfile::tempdir().unwrap());
    let below = directory.path();
    let one = open(&options, "one", Access::Serve, below).await.unwrap();
    let two = open(&options, "two", Access::Serve, below).await.unwrap();
    assert_eq!(busy(open(&options, "three", Access::Alone, below).await), "one, two");
    let again = open(&options, "two", Access::Serve, below).await;
    assert!(matches!(again, Err(CqlStoreError::Directory(_))), "two processes of one name");
    one.close().await;
    assert_eq!(busy(open(&options, "three", Access::Alone, below).await), "two");
    two.close().await;

    let alone = open(&options, "three", Access::Alone, below).await.unwrap();
    assert_eq!(busy(open(&options, "four", Access::Serve, below).await), "a command on three");
    assert_eq!(busy(open(&options, "four", Access::Alone, below).await), "a command on three");
    open(&options, "four", Access::Read, below).await.unwrap();
    alone.close().await;
    open(&options, "four", Access::Serve, below).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_killed_is_waited_for_but_not_in_its_own_directory() {
    let (options, directory) = (keyspace("lease_killed").await, tempfile::tempdir().unwrap());
    let below = directory.path();
    drop(open(&options, "one", Access::Serve, below).await.unwrap());
    assert_eq!(busy(open(&options, "two", Access::Alone, below).await), "one");
    drop(open(&options, "one", Access::Alone, below).await.unwrap());
    assert_eq!(busy(open(&options, "two", Access::Serve, below).await), "a command on one");
    open(&options, "one", Access::Serve, below).await.unwrap().close().await;
    open(&options, "two", Access::Alone, below).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_slept_through_a_command_writes_no_more() {
    let (options, directory) = (keyspace("lease_slept").await, tempfile::tempdir().unwrap());
    let below = directory.path();
    let node = open(&options, "one", Access::Serve, below).await.unwrap();
    node.log().anchor(&feed("a")).await.unwrap();
    // As if it had been suspended for longer than its lease.
    let gone = format!("DELETE FROM {}.lease WHERE one = 1 AND node = 'one' IF EXISTS", options.keyspace);
    session().await.query_unpaged(gone, ()).await.unwrap();
    open(&options, "two", Access::Alone, below).await.unwrap().close().await;
    until_within(Duration::from_secs(40), "it to be told", async || {
        tokio::time::timeout(Duration::from_millis(1), node.lost()).await.is_ok()
    })
    .await;
    let refused = node.log().append(Writer::new(&feed("a"), "one").batch(1)).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("must start anew")));
    assert!(node.views().checkpoint(&feed("a")).await.is_err(), "nor reads what may be no longer true");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_leaves_the_marks_of_those_that_work() {
    let (options, directory) = (keyspace("lease_marks").await, tempfile::tempdir().unwrap());
    let below = directory.path();
    let one = open(&options, "one", Access::Serve, below).await.unwrap();
    one.log().append(Writer::new(&feed("a"), "one").batch(3)).await.unwrap();
    let lagging = async |node: &str| {
        let store = open(&options, node, Access::Serve, below).await.unwrap();
        let due = store.log().due(Stamp(1), 10).await.unwrap();
        store.close().await;
        due.into_iter().map(|entry| entry.feed).collect::<Vec<_>>()
    };
    assert_eq!(lagging("two").await, [], "the node that works on it will see to it");
    drop(one);
    let gone = format!("DELETE FROM {}.lease WHERE one = 1 AND node = 'one' IF EXISTS", options.keyspace);
    session().await.query_unpaged(gone, ()).await.unwrap();
    until("its mark to be found", async || lagging("three").await == [feed("a")]).await;
    assert_eq!(lagging("one").await, [feed("a")], "its own as well");
}
