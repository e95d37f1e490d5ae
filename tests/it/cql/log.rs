//! What the log does on CQL beyond the contract: buckets, trims of whole ones, and owners that come late.

use actors::{
    contracts::{
        Stores,
        sample::{Writer, feed},
    },
    ports::{AppendError, LogError},
};
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, Offset},
};

use super::world::{Cql, keyspace};

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_of_a_trimmed_bucket_is_never_free_again() {
    let options = keyspace("buckets").await;
    let mut stores = Cql::new(&options).await;
    let feed = feed("a");
    let mut writer = Writer::new(&feed, "n1");
    let mut batches: Vec<SealedBatch> = Vec::new();
    for _ in 0..300 {
        let batch = writer.batch(2);
        stores.log().append(batch.clone()).await.unwrap();
        batches.push(batch);
    }
    stores.restart().await;
    let head = stores.log().head(&feed).await.unwrap();
    assert_eq!((head.next_batch, head.next_offset), (BatchNumber(301), Offset(601)));
    let read = stores.log().read(&feed, Offset(1), usize::MAX).await.unwrap();
    assert!(read == batches, "over three buckets");
    for from in [1, 2, 253, 254, 255, 256, 257, 511, 512, 600] {
        let read = stores.log().read(&feed, Offset(from), 0).await.unwrap();
        assert_eq!(read, batches[usize::try_from((from - 1) / 2).unwrap()..][..1], "from offset {from}");
    }

    // The anchor is in the third bucket: the first two go, all but what says that they are gone.
    stores.log().trim(&feed, Offset(521)).await.unwrap();
    for _ in 0..2 {
        let log = stores.log();
        let anchor = log.anchor(&feed).await.unwrap();
        assert_eq!((anchor.oldest, anchor.oldest_batch), (Offset(521), BatchNumber(261)));
        let gone = log.read(&feed, Offset(1), usize::MAX).await;
        assert_eq!(gone, Err(LogError::Trimmed { oldest: Offset(521) }));
        assert!(log.read(&feed, Offset(521), usize::MAX).await.unwrap() == batches[260..]);
        assert_eq!(log.head(&feed).await.unwrap(), head);
        // An owner that slept through all of it comes back with a batch for a slot that has no row any more.
        let mut late = Writer::new(&feed, "n2");
        for number in 1..=300 {
            let batch = late.batch(2);
            if [1, 127, 128, 255].contains(&number) {
                let answer = log.append(batch).await;
                assert!(matches!(answer, Err(AppendError::Fenced { .. })), "batch {number}: {answer:?}");
            }
        }
        drop(log);
        stores.restart().await;
    }
    stores.log().append(writer.batch(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_exactly_one_wins_each_number() {
    let options = keyspace("duel").await;
    let one = Cql::new(&options).await;
    let mut other = Cql::new(&options).await;
    other.restart().await;
    let feed = feed("a");
    let duel = |log: std::sync::Arc<dyn actors::ports::Log>, node: &'static str| {
        let feed = feed.clone();
        async move {
            let mut won = Vec::new();
            while won.len() < 20 {
                let head = log.head(&feed).await.unwrap();
                if head.next_batch.0 > 40 {
                    break;
                }
                let mut writer = Writer::new(&feed, node);
                let batch = (0..head.next_batch.0).map(|_| writer.batch(1)).last().unwrap();
                match log.append(batch.clone()).await {
                    Ok(()) => won.push(batch),
                    Err(AppendError::Fenced { .. }) => {}
                    // A duel for one slot may leave both in the dark: the same again until it is certain.
                    Err(AppendError::Unknown { .. }) => loop {
                        match log.append(batch.clone()).await {
                            Ok(()) => break won.push(batch),
                            Err(AppendError::Fenced { .. }) => break,
                            Err(AppendError::Unknown { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    },
                    Err(error) => panic!("{error}"),
                }
            }
            won
        }
    };
    let (ones, others) = tokio::join!(duel(one.log(), "n1"), duel(other.log(), "n2"));
    let mut won: Vec<SealedBatch> = ones.into_iter().chain(others).collect();
    won.sort_by_key(|batch| batch.header.number);
    let numbers: Vec<u64> = won.iter().map(|batch| batch.header.number.0).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "each number is won once");
    assert!(numbers.len() >= 20);
    other.restart().await;
    assert!(other.log().read(&feed, Offset(1), usize::MAX).await.unwrap() == won, "and is what is read");
}
