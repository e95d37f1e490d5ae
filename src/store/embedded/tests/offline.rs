//! What the command line sees of a store.

use actors::{
    contracts::sample::{Writer, feed},
    ports::{Checkpoint, ViewWrite, ViewsBatch},
};
use schema::ids::{BatchNumber, ConversationId, Offset};
use uuid::Uuid;

use super::{append, small};
use crate::store::embedded::{EmbeddedStore, offline::Finding};

#[tokio::test]
async fn a_walk_sees_every_batch_and_finds_nothing_in_a_good_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    for count in 1..=30 {
        append(&*store.log(), &writer.batch(count)).await;
    }
    let mut numbers = Vec::new();
    let walk = store.walk(&feed, |batch| numbers.push(batch.header.number.0)).await.unwrap();
    assert_eq!((walk.batches, walk.events, walk.findings), (30, 465, Vec::new()));
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_walk_finds_events_that_are_not_dense() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    append(&*store.log(), &writer.batch(1)).await;
    let good = writer.batch(3);
    // Three events by the header, and the first of them twice.
    let mut forged = good.clone();
    let event = good.body.len() / 3;
    forged.body = [&good.body[..event], &good.body[..event], &good.body[2 * event..]].concat().into();
    append(&*store.log(), &forged).await;
    let walk = store.walk(&feed, |_| {}).await.unwrap();
    assert!(walk.findings.iter().any(|finding| matches!(finding, Finding::Offset { .. })), "{walk:?}");
    assert!(walk.findings.contains(&Finding::Stamp(Offset(2))), "{walk:?}");
}

#[tokio::test]
async fn views_of_two_stores_can_be_compared_row_by_row() {
    let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let stores = [left.path(), right.path()].map(|dir| EmbeddedStore::open(dir, &small()).unwrap());
    let feed = feed("a");
    let write = |offset: u64, due: u64| ViewsBatch {
        feed: feed.clone(),
        stamp: schema::time::Stamp(offset),
        checkpoint: Checkpoint { offset: Offset(offset), batch: BatchNumber(offset) },
        writes: vec![ViewWrite::Timer {
            conversation: ConversationId(Uuid::from_u128(1)),
            due: Some(schema::time::Stamp(due)),
        }],
    };
    // The same in one step and in two: what is compared is what was meant, not how it came to be.
    stores[0].views().write(vec![write(1, 5), write(2, 6)]).await.unwrap();
    stores[1].views().write(vec![write(1, 5)]).await.unwrap();
    assert_ne!(stores[0].view_rows(&feed).unwrap(), stores[1].view_rows(&feed).unwrap());
    stores[1].views().write(vec![write(2, 6)]).await.unwrap();
    let rows = stores[0].view_rows(&feed).unwrap();
    assert_eq!(rows, stores[1].view_rows(&feed).unwrap());
    assert_eq!(rows.iter().map(|row| row.table).collect::<Vec<_>>(), ["checkpoint", "timer"]);
}
