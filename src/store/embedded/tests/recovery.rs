//! Opening what crashes, bad disks and other processes leave behind.

use std::{path::Path, sync::Arc};

use actors::{
    contracts::sample::{Writer, feed},
    ports::{Checkpoint, ViewWrite, ViewsBatch},
};
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, ConversationId, FeedId, Offset},
    time::Stamp,
};
use uuid::Uuid;

use super::{all, append, copy, one_segment, segments, small, until};
use crate::store::embedded::{
    EmbeddedStore, StoreError,
    append::Appender,
    disk::{Disk, RealDisk},
    frame::Frame,
    record::BATCH,
    recovery::{Recovered, recover},
    rows::Rows,
};

/// A directory with three batches in its one segment, each in a frame of its own.
async fn three_batches(dir: &Path) -> (FeedId, Vec<SealedBatch>) {
    let store = EmbeddedStore::open(dir, &one_segment()).unwrap();
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    let batches = vec![writer.batch(1), writer.batch(2), writer.batch(1)];
    for batch in &batches {
        append(&*store.log(), batch).await;
    }
    store.close();
    (feed, batches)
}

fn recover_with(dir: &Path, rows: &Rows) -> Result<Recovered, StoreError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    recover(&dir.join("commit"), rows, &disk)
}

fn position_of(bytes: &[u8], batch: &SealedBatch) -> usize {
    let encoded = batch.encode().unwrap();
    bytes.windows(encoded.len()).position(|window| *window == encoded[..]).unwrap()
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (feed, batches) = three_batches(dir.path()).await;
    let rows = Rows::open(&dir.path().join("log"), 1 << 20).unwrap();
    let segment = dir.path().join("commit").join(&segments(dir.path())[0]);
    let whole = std::fs::read(&segment).unwrap();
    let second_end = position_of(&whole, &batches[1]) + batches[1].encode().unwrap().len();
    for cut in second_end..whole.len() {
        std::fs::write(&segment, &whole[..cut]).unwrap();
        let recovered = recover_with(dir.path(), &rows).unwrap();
        let next = recovered.feeds.with(&feed, |feed| feed.head.next_offset);
        assert_eq!(next, Some(Offset(4)), "cut at {cut}");
        assert_eq!(std::fs::metadata(&segment).unwrap().len(), second_end as u64, "the tail is gone");
    }
    drop(rows);
    // The log goes on from there.
    let store = EmbeddedStore::open(dir.path(), &one_segment()).unwrap();
    append(&*store.log(), &batches[2]).await;
    assert_eq!(all(&*store.log(), &feed).await, batches);
}

#[tokio::test]
async fn a_bit_flipped_in_the_middle_stops_the_start_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let (_, batches) = three_batches(dir.path()).await;
    let rows = Rows::open(&dir.path().join("log"), 1 << 20).unwrap();
    let segment = dir.path().join("commit").join(&segments(dir.path())[0]);
    let whole = std::fs::read(&segment).unwrap();
    let second = position_of(&whole, &batches[1]);
    for at in second..second + batches[1].encode().unwrap().len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        std::fs::write(&segment, &flipped).unwrap();
        match recover_with(dir.path(), &rows).map(drop) {
            Err(StoreError::Damaged { path, position, .. }) => {
                assert_eq!(path, segment);
                assert!(position <= at as u64, "{position} for a flip at {at}");
            }
            other => panic!("flipped at {at}: {other:?}"),
        }
        assert_eq!(std::fs::read(&segment).unwrap(), flipped, "a damaged file is left as it is");
    }
}

#[tokio::test]
async fn a_log_that_lost_its_end_gets_another_epoch_and_its_views_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (feed, batches) = three_batches(dir.path()).await;
    let checkpoint = Checkpoint { offset: Offset(4), batch: BatchNumber(3) };
    let parked = ViewWrite::Parked { conversation: ConversationId(Uuid::from_u128(1)), parked: true };
    let viewed = ViewsBatch { feed: feed.clone(), stamp: Stamp(40), checkpoint, writes: vec![parked] };
    let store = EmbeddedStore::open(dir.path(), &one_segment()).unwrap();
    store.views().write(vec![viewed]).await.unwrap();
    let before = store.log().anchor(&feed).await.unwrap();
    store.close();
    let store = EmbeddedStore::open(dir.path(), &one_segment()).unwrap();
    assert_eq!(store.log().anchor(&feed).await, Ok(before.clone()), "an ordinary restart keeps the epoch");
    store.close();
    let segment = dir.path().join("commit").join(&segments(dir.path())[0]);
    let whole = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &whole[..whole.len() - 1]).unwrap();
    let store = EmbeddedStore::open(dir.path(), &one_segment()).unwrap();
    let renewed = store.log().anchor(&feed).await.unwrap();
    assert_ne!(renewed.epoch, before.epoch, "an offset of the old log means nothing in this one");
    assert_eq!(all(&*store.log(), &feed).await, batches[..2]);
    assert_eq!(store.views().checkpoint(&feed).await, Ok(Checkpoint::default()));
    assert_eq!(store.views().parked(&feed.tenant, 10).await, Ok(Vec::new()));
    assert_eq!(store.log().due(Stamp(0), 10).await.unwrap().len(), 1, "its views are to be caught up");
    store.close();
    let store = EmbeddedStore::open(dir.path(), &one_segment()).unwrap();
    assert_eq!(store.log().anchor(&feed).await, Ok(renewed));
}

/// Several closed segments that were never moved, as after a kill.
async fn closed_segments(dir: &Path) {
    segments_with(dir, &[2, 3, 4]).await;
}

/// A segment with batch 1, and one more for each of these batches.
async fn segments_with(dir: &Path, batches: &[u64]) {
    let source = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(source.path(), &one_segment()).unwrap();
    let mut writer = Writer::new(&feed("a"), "n1");
    append(&*store.log(), &writer.batch(1)).await;
    store.close();
    copy(source.path(), dir);
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    for (index, wanted) in batches.iter().enumerate() {
        let number = index as u64 + 2;
        let path = dir.join("commit").join(format!("{number:016}.log"));
        let mut batch = writer.batch(1);
        while batch.header.number < BatchNumber(*wanted) {
            batch = writer.batch(1);
        }
        let mut frame = Frame::default();
        frame.clear();
        frame.push(BATCH, &batch.encode().unwrap());
        Appender::create(&path, number, &disk).unwrap().append(&mut frame).unwrap();
    }
}

#[tokio::test]
async fn segments_that_a_kill_left_are_read_and_moved() {
    let dir = tempfile::tempdir().unwrap();
    closed_segments(dir.path()).await;
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    assert_eq!(all(&*store.log(), &feed("a")).await.len(), 4);
    until("the move of the closed segments", || segments(dir.path()).len() == 1).await;
    assert_eq!(all(&*store.log(), &feed("a")).await.len(), 4);
}

#[tokio::test]
async fn damage_in_a_closed_segment_stops_the_start_even_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    closed_segments(dir.path()).await;
    let path = dir.path().join("commit").join(&segments(dir.path())[1]);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { path: at, .. } if *at == path), "{error}");
}

#[tokio::test]
async fn a_missing_segment_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    closed_segments(dir.path()).await;
    let names = segments(dir.path());
    std::fs::remove_file(dir.path().join("commit").join(&names[1])).unwrap();
    let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn missing_first_segments_are_noticed_by_the_hole_they_leave() {
    let dir = tempfile::tempdir().unwrap();
    closed_segments(dir.path()).await;
    let names = segments(dir.path());
    std::fs::remove_file(dir.path().join("commit").join(&names[0])).unwrap();
    let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Hole { expected: 1, found: 2, .. }), "{error}");
}

#[tokio::test]
async fn a_batch_that_is_missing_between_others_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    segments_with(dir.path(), &[2, 4]).await;
    let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Hole { expected: 3, found: 4, .. }), "{error}");
}

#[tokio::test]
async fn two_processes_cannot_have_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::InUse(_)), "{error}");
    drop(store);
    EmbeddedStore::open(dir.path(), &small()).unwrap();
}

#[tokio::test]
async fn another_format_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    EmbeddedStore::open(dir.path(), &small()).unwrap().close();
    for found in ["deskwire store 2\n", ""] {
        std::fs::write(dir.path().join("FORMAT"), found).unwrap();
        let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
        assert!(matches!(error, StoreError::Format { .. }), "{error}");
    }
    std::fs::remove_file(dir.path().join("FORMAT")).unwrap();
    let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Format { .. }), "{error}");
}
