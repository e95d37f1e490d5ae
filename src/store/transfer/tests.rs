//! A file is whole or refused, and an interrupted one is gone on with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use actors::{
    contracts::sample::{Writer, feed},
    ports::VIEWS_VERSION,
};
use schema::{
    event::SealedBatch,
    ids::{AccountId, BatchNumber, ContactId, Epoch, KeyId, Offset, OperatorId},
    transfer::{Listing, Manifest, Secret},
};
use uuid::Uuid;

use super::*;

fn manifest() -> Manifest {
    Manifest {
        tenant: feed("a").tenant,
        epoch: Epoch(7),
        oldest: Offset(1),
        oldest_batch: BatchNumber(1),
        views: VIEWS_VERSION,
    }
}

fn log() -> Vec<SealedBatch> {
    let mut writer = Writer::new(&feed("a"), "n1");
    (1..=20).map(|count| writer.batch(count)).collect()
}

fn secrets() -> Vec<Secret> {
    let (contact, id) = (ContactId(Uuid::from_u128(1)), KeyId(Uuid::from_u128(2)));
    vec![
        Secret::Key { contact, id, secret: [3; 32] },
        Secret::Hash([4; 32]),
        Secret::Account(AccountId::new("main").unwrap(), vec!["new-token".to_owned(), "old-token".to_owned()]),
        Secret::Person(OperatorId::new("ana").unwrap(), b"a record".to_vec()),
    ]
}

fn listing() -> Listing {
    let account = AccountId::new("main").unwrap();
    Listing { accounts: vec![(account, "AC1".to_owned())], lines: Vec::new() }
}

fn key(directory: &Path) -> TransferKey {
    TransferKey::read_or_make(&directory.join("key")).unwrap()
}

fn written(directory: &Path) -> PathBuf {
    let path = directory.join("a.deskwire");
    let mut file = Exporting::open(&path, &manifest(), |_| panic!("there is nothing yet")).unwrap();
    log().iter().for_each(|batch| file.batch(batch).unwrap());
    file.finish(&listing(), &secrets(), &key(directory)).unwrap();
    path
}

fn batches(path: &Path) -> Vec<SealedBatch> {
    let batch = |content: Result<Content, TransferError>| match content.unwrap() {
        Content::Batch(batch) => batch,
        Content::Baseline(_) => panic!("there is no baseline"),
    };
    contents(path).unwrap().map(batch).collect()
}

#[test]
fn what_is_written_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path());
    let checked = check(&path, &key(directory.path())).unwrap();
    assert_eq!((checked.manifest, checked.listing), (manifest(), listing()));
    assert!(checked.secrets == secrets());
    assert_eq!((checked.totals.batches, checked.totals.events, checked.totals.next_offset), (20, 210, Offset(211)));
    assert_eq!(batches(&path), log());
}

#[test]
fn nothing_that_is_sealed_can_be_read_without_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path());
    let bytes = fs::read(&path).unwrap();
    for secret in ["new-token", "old-token", "a record"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    fs::write(directory.path().join("other"), [9; 32]).unwrap();
    let other = TransferKey::read(&directory.path().join("other")).unwrap();
    assert!(matches!(check(&path, &other), Err(TransferError::Key { .. })));
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path());
    let key = key(directory.path());
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(61).chain([good.len() - 1]) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        fs::write(&path, &bad).unwrap();
        assert!(check(&path, &key).is_err(), "a flipped bit at byte {at} of {}", good.len());
        fs::write(&path, &good[..at]).unwrap();
        assert!(check(&path, &key).is_err(), "cut at byte {at} of {}", good.len());
    }
    fs::write(&path, [good.as_slice(), b"more"].concat()).unwrap();
    assert!(check(&path, &key).is_err(), "something behind its end");
    fs::write(&path, &good).unwrap();
    check(&path, &key).unwrap();
}

#[test]
fn records_that_were_taken_out_or_put_elsewhere_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.deskwire");
    let key = key(directory.path());
    for order in [vec![0, 2], vec![0, 1, 1], vec![1, 0]] {
        let mut file = Exporting::open(&path, &manifest(), |_| {}).unwrap();
        let log = log();
        order.iter().for_each(|at| file.batch(&log[*at]).unwrap());
        file.finish(&listing(), &secrets(), &key).unwrap();
        assert!(matches!(check(&path, &key), Err(TransferError::Damaged { .. })), "{order:?}");
    }
}

#[test]
fn an_export_that_was_killed_anywhere_goes_on_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path());
    let good = fs::read(&path).unwrap();
    let part = directory.path().join("a.deskwire.part");
    fs::remove_file(&path).unwrap();
    for at in (0..good.len()).step_by(97) {
        fs::write(&part, &good[..at]).unwrap();
        let mut there = 0;
        let mut file = Exporting::open(&path, &manifest(), |_| there += 1).unwrap();
        assert_eq!(file.totals().batches, there);
        for batch in &log()[usize::try_from(there).unwrap()..] {
            file.batch(batch).unwrap();
        }
        file.finish(&listing(), &secrets(), &key(directory.path())).unwrap();
        check(&path, &key(directory.path())).unwrap();
        assert_eq!(batches(&path), log(), "cut at byte {at}");
    }
}

#[test]
fn an_unfinished_export_of_another_log_is_not_gone_on_with() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.deskwire");
    let mut file = Exporting::open(&path, &manifest(), |_| {}).unwrap();
    file.batch(&log()[0]).unwrap();
    file.flush().unwrap();
    drop(file);
    assert!(matches!(Exporting::open(&path, &manifest(), |_| {}), Ok(file) if file.totals().batches == 1));
    let other = Manifest { epoch: Epoch(8), ..manifest() };
    assert!(matches!(Exporting::open(&path, &other, |_| {}), Err(TransferError::Stranger(_))));
}
