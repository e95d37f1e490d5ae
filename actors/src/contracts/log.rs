//! What every log must do.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, FeedId, Offset},
    time::Stamp,
};

use super::{
    Stores,
    sample::{Writer, feed},
};
use crate::ports::{Anchor, AppendError, Checkpoint, Log, LogError, Views, ViewsBatch, WakeEntry};

/// Runs every check, each on new stores.
pub async fn suite<S: Stores>(make: impl Fn() -> S) {
    a_new_feed_is_empty(make()).await;
    an_anchor_stays_what_it_was(make()).await;
    batches_are_read_as_they_were_appended(make()).await;
    the_same_batch_again_is_stored_once(make()).await;
    another_batch_at_a_taken_number_is_fenced(make()).await;
    a_batch_beyond_the_next_number_is_not_stored(make()).await;
    feeds_do_not_mix(make()).await;
    a_read_stops_once_its_bytes_are_exceeded(make()).await;
    pages_of_any_size_leave_nothing_out(make()).await;
    what_is_trimmed_is_said_to_be(make()).await;
    a_feed_has_one_wake_entry_that_of_its_last_batch(make()).await;
    a_feed_whose_views_lag_is_due_until_they_have_caught_up(make()).await;
    feeds_are_listed_by_name(make()).await;
    everything_is_there_after_a_restart(make()).await;
    many_appends_at_once_all_get_their_answer(make()).await;
}

async fn all(log: &dyn Log, feed: &FeedId) -> Vec<SealedBatch> {
    log.read(feed, Offset(1), usize::MAX).await.expect("a read works")
}

async fn append(log: &dyn Log, batch: &SealedBatch) {
    log.append(batch.clone()).await.expect("an append works");
}

async fn a_new_feed_is_empty<S: Stores>(stores: S) {
    let (log, feed) = (stores.log(), feed("new"));
    let head = log.head(&feed).await.expect("a head can be read");
    assert_eq!((head.next_batch, head.next_offset, head.stamp), (BatchNumber(1), Offset(1), Stamp(0)));
    assert_eq!(head.owner, None);
    assert!(all(&*log, &feed).await.is_empty());
    let anchor = log.anchor(&feed).await.expect("an anchor is made");
    assert_eq!((anchor.oldest, anchor.oldest_batch), (Offset(1), BatchNumber(1)));
    assert!(all(&*log, &feed).await.is_empty());
}

async fn an_anchor_stays_what_it_was<S: Stores>(mut stores: S) {
    let first = stores.log().anchor(&feed("a")).await.expect("an anchor is made");
    let other = stores.log().anchor(&feed("b")).await.expect("an anchor is made");
    assert_ne!(first.epoch, other.epoch, "every log has an epoch of its own");
    append(&*stores.log(), &Writer::new(&feed("a"), "n1").batch(1)).await;
    stores.restart().await;
    assert_eq!(stores.log().anchor(&feed("a")).await, Ok(first));
    assert_eq!(stores.log().anchor(&feed("b")).await, Ok(other));
}

async fn batches_are_read_as_they_were_appended<S: Stores>(stores: S) {
    let (log, feed) = (stores.log(), feed("a"));
    let mut writer = Writer::new(&feed, "n1");
    let batches = [writer.batch(3), writer.batch(1), writer.batch(2)];
    for batch in &batches {
        append(&*log, batch).await;
    }
    assert_eq!(all(&*log, &feed).await, batches);
    let head = log.head(&feed).await.expect("a head can be read");
    assert_eq!((head.next_batch, head.next_offset, head.stamp), (BatchNumber(4), Offset(7), Stamp(60)));
    assert_eq!(head.owner.expect("the feed is not empty").as_str(), "n1");
    for (from, first) in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 1), (5, 2), (6, 2)] {
        let read = log.read(&feed, Offset(from), usize::MAX).await.expect("a read works");
        assert_eq!(read, batches[first..], "from offset {from}");
    }
    for beyond in [7, 8, u64::MAX] {
        assert_eq!(log.read(&feed, Offset(beyond), usize::MAX).await, Ok(Vec::new()), "from offset {beyond}");
    }
}

async fn the_same_batch_again_is_stored_once<S: Stores>(mut stores: S) {
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    let batches = [writer.batch(1), writer.batch(2)];
    for batch in [&batches[0], &batches[0], &batches[1], &batches[0], &batches[1]] {
        append(&*stores.log(), batch).await;
    }
    stores.restart().await;
    append(&*stores.log(), &batches[1]).await;
    append(&*stores.log(), &batches[0]).await;
    assert_eq!(all(&*stores.log(), &feed).await, batches);
}

async fn another_batch_at_a_taken_number_is_fenced<S: Stores>(mut stores: S) {
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    let mut rival = Writer::new(&feed, "n2");
    let batches = [writer.batch(2), writer.batch(1)];
    for batch in &batches {
        append(&*stores.log(), batch).await;
    }
    for round in ["before", "after"] {
        let mut late = rival.clone();
        for batch in &batches {
            let fenced = stores.log().append(late.batch(1)).await;
            let expected = AppendError::Fenced { id: batch.header.id, by: batch.header.node.clone() };
            assert_eq!(fenced, Err(expected), "{round} a restart");
        }
        stores.restart().await;
    }
    assert_eq!(all(&*stores.log(), &feed).await, batches);
    // The rival takes over at the head, and it is the first owner who is fenced now.
    rival.batch(2);
    rival.batch(1);
    let taken = rival.batch(1);
    append(&*stores.log(), &taken).await;
    let fenced = stores.log().append(writer.batch(1)).await;
    assert_eq!(fenced, Err(AppendError::Fenced { id: taken.header.id, by: taken.header.node.clone() }));
}

async fn a_batch_beyond_the_next_number_is_not_stored<S: Stores>(stores: S) {
    let (log, feed) = (stores.log(), feed("a"));
    let mut writer = Writer::new(&feed, "n1");
    append(&*log, &writer.batch(2)).await;
    let before = log.head(&feed).await;
    writer.batch(1);
    let number = writer.batch(1);
    let mut offset = number.clone();
    offset.header.number = BatchNumber(2);
    for wrong in [number, offset] {
        match AssertUnwindSafe(log.append(wrong)).catch_unwind().await {
            Err(_) if cfg!(debug_assertions) => {}
            Err(_) => panic!("outside debug builds nothing panics"),
            Ok(result) => assert!(matches!(result, Err(AppendError::Unavailable { .. })), "{result:?}"),
        }
    }
    assert_eq!(log.head(&feed).await, before);
    assert_eq!(all(&*log, &feed).await.len(), 1);
}

async fn feeds_do_not_mix<S: Stores>(mut stores: S) {
    // Names of which one is the beginning of the other.
    let feeds = [feed("a"), feed("aa"), feed("a.a"), feed("b")];
    let mut writers = feeds.clone().map(|feed| Writer::new(&feed, "n1"));
    for _ in 0..3 {
        for writer in &mut writers {
            append(&*stores.log(), &writer.batch(1)).await;
        }
    }
    for _ in 0..2 {
        for feed in &feeds {
            let batches = all(&*stores.log(), feed).await;
            assert_eq!(batches.len(), 3);
            assert!(batches.iter().all(|batch| batch.header.feed == *feed));
        }
        stores.restart().await;
    }
}

async fn a_read_stops_once_its_bytes_are_exceeded<S: Stores>(stores: S) {
    let (log, feed) = (stores.log(), feed("a"));
    let mut writer = Writer::new(&feed, "n1");
    writer.weight = 1_000;
    for _ in 0..10 {
        append(&*log, &writer.batch(1)).await;
    }
    let mut from = Offset(1);
    let mut pages = Vec::new();
    loop {
        let page = log.read(&feed, from, 2_500).await.expect("a read works");
        let Some(last) = page.last() else { break };
        from = last.header.end();
        pages.push(page.len());
    }
    assert_eq!(pages, [3, 3, 3, 1], "each page ends with the batch that exceeds the limit");
    assert_eq!(log.read(&feed, Offset(1), 0).await.expect("a read works").len(), 1, "at least one");
}

async fn pages_of_any_size_leave_nothing_out<S: Stores>(stores: S) {
    let (log, feed) = (stores.log(), feed("a"));
    let mut writer = Writer::new(&feed, "n1");
    let mut expected = Vec::new();
    for index in 0..30 {
        writer.weight = 40 + index % 7 * 10;
        let batch = writer.batch(1);
        append(&*log, &batch).await;
        expected.push(batch);
    }
    for max_bytes in (0..6_000).step_by(41) {
        let mut read = Vec::new();
        let mut from = Offset(1);
        loop {
            let page = log.read(&feed, from, max_bytes).await.expect("a read works");
            let Some(last) = page.last() else { break };
            from = last.header.end();
            read.extend(page);
        }
        assert!(read == expected, "in pages of {max_bytes} bytes");
    }
}

async fn what_is_trimmed_is_said_to_be<S: Stores>(mut stores: S) {
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    let batches = [writer.batch(2), writer.batch(2), writer.batch(2)];
    for batch in &batches {
        append(&*stores.log(), batch).await;
    }
    let before = stores.log().anchor(&feed).await.expect("an anchor can be read");
    stores.log().trim(&feed, Offset(4)).await.expect("a trim works");
    stores.log().trim(&feed, Offset(2)).await.expect("a trim backwards changes nothing");
    let expected = Anchor { epoch: before.epoch, oldest: Offset(4), oldest_batch: BatchNumber(2) };
    for _ in 0..2 {
        let log = stores.log();
        assert_eq!(log.anchor(&feed).await, Ok(expected.clone()));
        for gone in [1, 3] {
            let read = log.read(&feed, Offset(gone), usize::MAX).await;
            assert_eq!(read, Err(LogError::Trimmed { oldest: Offset(4) }), "offset {gone}");
        }
        assert_eq!(log.read(&feed, Offset(4), usize::MAX).await, Ok(batches[1..].to_vec()));
        stores.restart().await;
    }
    // Trimmed to its end, the feed still knows where it is, and who had it.
    stores.log().trim(&feed, Offset(7)).await.expect("a trim works");
    stores.restart().await;
    let head = stores.log().head(&feed).await.expect("a head can be read");
    assert_eq!((head.next_batch, head.next_offset), (BatchNumber(4), Offset(7)));
    assert_eq!(stores.log().read(&feed, Offset(7), usize::MAX).await, Ok(Vec::new()));
    let late = Writer::new(&feed, "n2").batch(1);
    assert!(matches!(stores.log().append(late).await, Err(AppendError::Fenced { .. })));
    append(&*stores.log(), &writer.batch(1)).await;
}

async fn due(log: &dyn Log, until: u64, limit: usize) -> Vec<(u64, String)> {
    let due = log.due(Stamp(until), limit).await.expect("the wake index can be read");
    due.into_iter().map(|WakeEntry { due, feed }| (due.0, feed.tenant.to_string())).collect()
}

/// Views that hold the whole log: nothing lags.
async fn catch_up(views: &dyn Views, log: &dyn Log, feed: &FeedId) {
    let head = log.head(feed).await.expect("a head can be read");
    let checkpoint = Checkpoint { offset: Offset(head.next_offset.0 - 1), batch: BatchNumber(head.next_batch.0 - 1) };
    let batch = ViewsBatch { feed: feed.clone(), stamp: head.stamp, checkpoint, writes: Vec::new() };
    views.write(vec![batch]).await.expect("views can be written");
}

async fn a_feed_has_one_wake_entry_that_of_its_last_batch<S: Stores>(mut stores: S) {
    let names = ["a", "b", "c"];
    let mut writers = names.map(|name| Writer::new(&feed(name), "n1"));
    for (writer, times) in writers.iter_mut().zip([[Some(50), Some(300)], [Some(400), Some(200)], [Some(100), None]]) {
        for time in times {
            append(&*stores.log(), &writer.waking(1, time.map(Stamp))).await;
        }
    }
    for _ in 0..2 {
        let log = stores.log();
        assert_eq!(due(&*log, 1_000, 10).await, [(200, "b".to_owned()), (300, "a".to_owned())]);
        assert_eq!(due(&*log, 200, 10).await, [(200, "b".to_owned())], "a time that has come is due");
        assert_eq!(due(&*log, 199, 10).await, []);
        assert_eq!(due(&*log, 1_000, 1).await, [(200, "b".to_owned())], "the most overdue first");
        for name in names {
            catch_up(&*stores.views(), &*log, &feed(name)).await;
        }
        drop(log);
        stores.restart().await;
    }
}

async fn a_feed_whose_views_lag_is_due_until_they_have_caught_up<S: Stores>(mut stores: S) {
    let feeds = [feed("a"), feed("b")];
    for feed in &feeds {
        append(&*stores.log(), &Writer::new(feed, "n1").waking(2, Some(Stamp(500)))).await;
    }
    catch_up(&*stores.views(), &*stores.log(), &feeds[1]).await;
    stores.restart().await;
    assert_eq!(due(&*stores.log(), 0, 10).await, [(0, "a".to_owned())]);
    assert_eq!(due(&*stores.log(), 500, 10).await, [(0, "a".to_owned()), (500, "b".to_owned())], "one entry a feed");
    catch_up(&*stores.views(), &*stores.log(), &feeds[0]).await;
    assert_eq!(due(&*stores.log(), 0, 10).await, []);
    assert_eq!(due(&*stores.log(), 500, 10).await, [(500, "a".to_owned()), (500, "b".to_owned())]);
}

async fn feeds_are_listed_by_name<S: Stores>(mut stores: S) {
    for name in ["b", "a", "cc", "d"] {
        append(&*stores.log(), &Writer::new(&feed(name), "n1").batch(1)).await;
    }
    stores.log().anchor(&feed("c")).await.expect("an anchor is made");
    for _ in 0..2 {
        let log = stores.log();
        let all = log.feeds(None, 10).await.expect("feeds can be listed");
        assert_eq!(all, ["a", "b", "c", "cc", "d"].map(feed));
        assert_eq!(log.feeds(Some(&feed("b")), 2).await.expect("feeds can be listed"), ["c", "cc"].map(feed));
        drop(log);
        stores.restart().await;
    }
}

async fn everything_is_there_after_a_restart<S: Stores>(mut stores: S) {
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    let mut expected = Vec::new();
    for _ in 0..4 {
        for count in 1..4 {
            let batch = writer.batch(count);
            append(&*stores.log(), &batch).await;
            expected.push(batch);
        }
        let head = stores.log().head(&feed).await;
        stores.restart().await;
        assert_eq!(stores.log().head(&feed).await, head);
        assert_eq!(all(&*stores.log(), &feed).await, expected);
    }
}

async fn many_appends_at_once_all_get_their_answer<S: Stores>(stores: S) {
    let log = stores.log();
    let feeds: Vec<FeedId> = (0..50).map(|index| feed(&format!("t{index}"))).collect();
    let write = |feed: FeedId| {
        let log = log.clone();
        async move {
            let mut writer = Writer::new(&feed, "n1");
            for _ in 0..10 {
                append(&*log, &writer.batch(1)).await;
            }
        }
    };
    futures_util::future::join_all(feeds.iter().cloned().map(write)).await;
    for feed in &feeds {
        assert_eq!(log.head(feed).await.expect("a head can be read").next_offset, Offset(11));
    }
}
