//! The committer and the mover under faults.

use std::{sync::Arc, sync::atomic::Ordering};

use actors::{
    contracts::sample::{Writer, feed},
    ports::{AppendError, Checkpoint, ViewsBatch},
};
use schema::ids::{BatchNumber, Offset};

use super::{
    all, append, copy, copy_of_one_moment, faulty::FaultyDisk, is_unavailable, one_segment, open_on, segments, small,
    until,
};
use crate::store::{StoreOptions, embedded::EmbeddedStore};

#[tokio::test]
async fn below_the_reserve_nothing_is_written_and_service_returns_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let options = StoreOptions { reserve_bytes: 1_000_000, ..StoreOptions::default() };
    let store = open_on(dir.path(), &options, disk.clone());
    let (log, feed) = (store.log(), feed("a"));
    let mut writer = Writer::new(&feed, "n1");
    append(&*log, &writer.batch(1)).await;
    let next = writer.batch(1);
    let segment = dir.path().join("commit").join(&segments(dir.path())[0]);
    let before = std::fs::read(&segment).unwrap();
    disk.free.store(999_999, Ordering::SeqCst);
    assert!(is_unavailable(&log.append(next.clone()).await));
    assert_eq!(std::fs::read(&segment).unwrap(), before);
    assert_eq!(log.head(&feed).await.unwrap().next_offset, Offset(2));
    disk.free.store(2_000_000, Ordering::SeqCst);
    append(&*log, &next).await;
    assert_eq!(all(&*log, &feed).await.len(), 2);
}

#[tokio::test]
async fn a_reserve_that_the_real_disk_cannot_give_refuses_everything() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { reserve_bytes: u64::MAX / 2, ..StoreOptions::default() };
    let store = EmbeddedStore::open(dir.path(), &options).unwrap();
    let refused = store.log().append(Writer::new(&feed("a"), "n1").batch(1)).await;
    assert!(is_unavailable(&refused));
    assert!(store.keys().create(&feed("a").tenant, schema::ids::ContactId(uuid::Uuid::nil())).await.is_err());
}

#[tokio::test]
async fn a_write_that_the_full_disk_cuts_short_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let store = open_on(dir.path(), &one_segment(), disk.clone());
    let (log, feed) = (store.log(), feed("a"));
    let mut writer = Writer::new(&feed, "n1");
    let (first, second) = (writer.batch(1), writer.batch(1));
    append(&*log, &first).await;
    disk.full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(is_unavailable(&log.append(second.clone()).await));
    }
    let crashed = tempfile::tempdir().unwrap();
    copy(dir.path(), crashed.path());
    disk.full.store(false, Ordering::SeqCst);
    append(&*log, &second).await;
    assert_eq!(all(&*log, &feed).await, [first.clone(), second]);
    let store = EmbeddedStore::open(crashed.path(), &one_segment()).unwrap();
    assert_eq!(all(&*store.log(), &feed).await, [first]);
}

#[tokio::test]
async fn a_failed_fsync_stops_the_writer_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let store = open_on(dir.path(), &one_segment(), disk.clone());
    let (log, feed) = (store.log(), feed("a"));
    let mut writer = Writer::new(&feed, "n1");
    let first = writer.batch(1);
    append(&*log, &first).await;
    disk.broken.store(true, Ordering::SeqCst);
    let second = writer.batch(1);
    let stopped = |result| matches!(result, Err(AppendError::Stopped { .. }));
    assert!(stopped(log.append(second.clone()).await));
    disk.broken.store(false, Ordering::SeqCst);
    assert!(stopped(log.append(second).await), "an fsync that works again proves nothing");
    assert_eq!(all(&*log, &feed).await, [first], "nobody sees what is not durable");
}

#[tokio::test]
async fn batches_that_wait_share_one_fsync() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let store = open_on(dir.path(), &one_segment(), disk.clone());
    disk.hold();
    let before = disk.syncs.load(Ordering::SeqCst);
    let appends: Vec<_> = (0..200)
        .map(|index| {
            let (log, mut writer) = (store.log(), Writer::new(&feed(&format!("t{index}")), "n1"));
            tokio::spawn(async move { log.append(writer.batch(1)).await })
        })
        .collect();
    until("the first fsync", || disk.syncs.load(Ordering::SeqCst) > before).await;
    // The others wait in the queue by now, or will be joined with those that do.
    tokio::task::yield_now().await;
    disk.release();
    for append in appends {
        append.await.unwrap().unwrap();
    }
    let syncs = disk.syncs.load(Ordering::SeqCst) - before;
    assert!(syncs <= 10, "{syncs} fsyncs for 200 appends");
}

#[tokio::test]
async fn a_full_queue_refuses_instead_of_growing() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let options = StoreOptions { commit_queue: 4, ..one_segment() };
    let store = open_on(dir.path(), &options, disk.clone());
    disk.hold();
    let before = disk.syncs.load(Ordering::SeqCst);
    let append = |index: u32| {
        let (log, mut writer) = (store.log(), Writer::new(&feed(&format!("t{index}")), "n1"));
        tokio::spawn(async move { log.append(writer.batch(1)).await })
    };
    let first = append(0);
    until("the first fsync", || disk.syncs.load(Ordering::SeqCst) > before).await;
    let others: Vec<_> = (1..=20).map(append).collect();
    tokio::task::yield_now().await;
    disk.release();
    first.await.unwrap().unwrap();
    let mut refused = 0;
    for other in others {
        refused += usize::from(is_unavailable(&other.await.unwrap()));
    }
    assert_eq!(refused, 16, "four can wait");
}

#[tokio::test]
async fn closed_segments_become_rows_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let feeds = [feed("a"), feed("b")];
    let mut writers = feeds.clone().map(|feed| Writer::new(&feed, "n1"));
    let mut expected = [Vec::new(), Vec::new()];
    for _ in 0..50 {
        for (writer, expected) in writers.iter_mut().zip(&mut expected) {
            let batch = writer.batch(1);
            append(&*store.log(), &batch).await;
            expected.push(batch);
        }
    }
    until("the move of all but the open segment", || segments(dir.path()).len() == 1).await;
    let open = std::fs::metadata(dir.path().join("commit").join(&segments(dir.path())[0])).unwrap().len();
    assert_eq!(store.log.feeds.unmoved_bytes(), open, "what has become rows is not counted any more");
    for (feed, expected) in feeds.iter().zip(&expected) {
        let places = store.log.feeds.with(feed, |known| known.unmoved.len()).unwrap();
        assert!(places < 10, "{places} of 50 batches are still held in the commit file");
        assert_eq!(&all(&*store.log(), feed).await, expected);
        let page = store.log().read(feed, Offset(20), 1).await.unwrap();
        assert_eq!(page[0], expected[19]);
    }
    store.close();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    for (feed, expected) in feeds.iter().zip(&expected) {
        assert_eq!(&all(&*store.log(), feed).await, expected);
    }
}

#[tokio::test]
async fn appends_are_refused_when_rows_are_too_far_behind() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { max_unmoved_bytes: 100, ..one_segment() };
    let store = EmbeddedStore::open(dir.path(), &options).unwrap();
    let mut writer = Writer::new(&feed("a"), "n1");
    append(&*store.log(), &writer.batch(1)).await;
    assert!(is_unavailable(&store.log().append(writer.batch(1)).await));
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    let mut expected = Vec::new();
    for round in 1..=60_u64 {
        let batch = writer.batch(1);
        append(&*store.log(), &batch).await;
        expected.push(batch);
        let checkpoint = Checkpoint { offset: Offset(round), batch: BatchNumber(round) };
        let stamp = schema::time::Stamp(round);
        let views = ViewsBatch { feed: feed.clone(), stamp, checkpoint, writes: Vec::new() };
        store.views().write(vec![views]).await.unwrap();
        if round % 20 == 0 {
            let killed = tempfile::tempdir().unwrap();
            until("a moment without a change", || copy_of_one_moment(dir.path(), killed.path())).await;
            let again = EmbeddedStore::open(killed.path(), &small()).unwrap();
            assert_eq!(all(&*again.log(), &feed).await, expected);
            let checkpoint = again.views().checkpoint(&feed).await.unwrap();
            assert!(checkpoint.offset <= Offset(round));
        }
    }
}

#[tokio::test]
async fn a_closed_store_refuses_and_lets_go_of_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let (log, views, keys) = (store.log(), store.views(), store.keys());
    store.close();
    let refused = log.append(Writer::new(&feed("a"), "n1").batch(1)).await;
    assert!(matches!(refused, Err(AppendError::Stopped { .. })), "{refused:?}");
    assert!(views.write(Vec::new()).await.is_err());
    assert!(views.checkpoint(&feed("a")).await.is_err());
    assert!(keys.hash_secret(&feed("a").tenant).await.is_err());
    EmbeddedStore::open(dir.path(), &small()).unwrap();
}

#[tokio::test]
async fn views_can_be_opened_again_under_those_who_hold_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let views = store.views();
    let at = |offset| Checkpoint { offset: Offset(offset), batch: BatchNumber(offset) };
    let batch = |offset| ViewsBatch {
        feed: feed("a"),
        stamp: schema::time::Stamp(offset),
        checkpoint: at(offset),
        writes: Vec::new(),
    };
    views.write(vec![batch(1)]).await.unwrap();
    store.views.reopen();
    assert_eq!(views.checkpoint(&feed("a")).await, Ok(at(1)));
    views.write(vec![batch(2)]).await.unwrap();
    assert_eq!(views.checkpoint(&feed("a")).await, Ok(at(2)));
}
