//! The key file: what is on disk, and who may read it.

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc, sync::atomic::Ordering};

use futures_util::future::join_all;
use schema::ids::{AccountId, ContactId, OperatorId, TenantId};
use uuid::Uuid;

use super::{faulty::FaultyDisk, open_on, small};
use crate::store::embedded::{EmbeddedStore, StoreError};

fn tenant() -> TenantId {
    TenantId::new("demo").unwrap()
}

fn contact(number: u128) -> ContactId {
    ContactId(Uuid::from_u128(number))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn keys_and_secrets_are_for_their_owner_only_and_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let key = store.keys().create(&tenant(), contact(1)).await.unwrap();
    let account = AccountId::new("acct").unwrap();
    store.tables().put_secret(account.clone(), "the-auth-token".to_owned()).await.unwrap();
    let keys = dir.path().join("keys");
    assert_eq!(mode(&keys), 0o700);
    for name in ["master", "keys.log"] {
        assert_eq!(mode(&keys.join(name)), 0o600, "{name}");
    }
    let bytes = std::fs::read(keys.join("keys.log")).unwrap();
    for clear in [key.secret.as_slice(), b"the-auth-token", b"acct", contact(1).0.as_bytes()] {
        assert!(!bytes.windows(clear.len()).any(|window| window == clear));
    }
}

#[tokio::test]
async fn a_destroyed_key_leaves_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let path = dir.path().join("keys").join("keys.log");
    let kept = store.keys().create(&tenant(), contact(1)).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let gone = store.keys().create(&tenant(), contact(2)).await.unwrap();
    let with = std::fs::read(&path).unwrap();
    let sealed = &with[before.len() + 17..];
    // A handle from before: what it shows is what the file system still holds of the old file.
    let old = std::fs::File::open(&path).unwrap();
    store.keys().destroy(&tenant(), gone.id).await.unwrap();
    let after = std::fs::read(&path).unwrap();
    assert!(!after.windows(sealed.len()).any(|window| window == sealed));
    let old = std::io::read_to_string(old).unwrap();
    assert!(old.bytes().all(|byte| byte == 0), "the old file is overwritten");
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "no draft is left");
    // The writer goes on in the new file.
    let third = store.keys().create(&tenant(), contact(3)).await.unwrap();
    store.close();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    for key in [kept, third] {
        assert_eq!(store.keys().get(&tenant(), key.id).await, Ok(key));
    }
    assert!(store.keys().get(&tenant(), gone.id).await.is_err());
}

#[tokio::test]
async fn a_destruction_that_fails_is_not_said_to_be_done() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let store = open_on(dir.path(), &small(), disk.clone());
    let key = store.keys().create(&tenant(), contact(1)).await.unwrap();
    disk.full.store(true, Ordering::SeqCst);
    assert!(store.keys().destroy(&tenant(), key.id).await.is_err());
    assert_eq!(store.keys().get(&tenant(), key.id).await, Ok(key.clone()));
    disk.full.store(false, Ordering::SeqCst);
    store.keys().destroy(&tenant(), key.id).await.unwrap();
    assert!(store.keys().get(&tenant(), key.id).await.is_err());
}

#[tokio::test]
async fn a_key_that_is_not_durable_is_not_given_out() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let store = open_on(dir.path(), &small(), disk.clone());
    disk.broken.store(true, Ordering::SeqCst);
    assert!(store.keys().create(&tenant(), contact(1)).await.is_err());
    disk.broken.store(false, Ordering::SeqCst);
    assert!(store.keys().create(&tenant(), contact(1)).await.is_err(), "a failed fsync stops the writer for good");
}

#[tokio::test]
async fn the_newest_two_secrets_of_an_account_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let account = AccountId::new("acct").unwrap();
    assert!(store.tables().secrets(&account).is_empty());
    for (secret, expected) in [
        ("one", vec!["one"]),
        ("two", vec!["two", "one"]),
        ("three", vec!["three", "two"]),
        ("three", vec!["three", "two"]),
        ("two", vec!["two", "three"]),
    ] {
        store.tables().put_secret(account.clone(), secret.to_owned()).await.unwrap();
        assert_eq!(store.tables().secrets(&account), expected);
    }
    store.close();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    assert_eq!(store.tables().secrets(&account), ["two", "three"]);
}

#[tokio::test]
async fn keys_without_their_master_key_stop_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    store.keys().create(&tenant(), contact(1)).await.unwrap();
    store.close();
    let master = dir.path().join("keys").join("master");
    std::fs::write(&master, [7; 32]).unwrap();
    let error = EmbeddedStore::open(dir.path(), &small()).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::MasterKey(_)), "{error}");
    std::fs::remove_file(&master).unwrap();
    assert!(EmbeddedStore::open(dir.path(), &small()).is_err());
    assert!(!master.exists(), "no new one is made beside keys it does not open");
}

#[tokio::test]
async fn a_torn_tail_of_the_key_file_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let kept = store.keys().create(&tenant(), contact(1)).await.unwrap();
    let path = dir.path().join("keys").join("keys.log");
    let length = std::fs::metadata(&path).unwrap().len();
    store.keys().create(&tenant(), contact(2)).await.unwrap();
    store.close();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), length);
    assert_eq!(store.keys().get(&tenant(), kept.id).await, Ok(kept));
}

#[tokio::test]
async fn a_new_master_key_opens_everything_and_the_old_one_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let key = store.keys().create(&tenant(), contact(1)).await.unwrap();
    let account = AccountId::new("acct").unwrap();
    store.tables().put_secret(account.clone(), "the-auth-token".to_owned()).await.unwrap();
    assert!(matches!(EmbeddedStore::reseal(dir.path()), Err(StoreError::InUse(_))), "not beside a running one");
    store.close();
    drop(store);
    let (master, log) = (dir.path().join("keys/master"), dir.path().join("keys/keys.log"));
    let (old_master, old_log) = (std::fs::read(&master).unwrap(), std::fs::read(&log).unwrap());
    let handle = std::fs::File::open(&master).unwrap();
    assert_eq!(EmbeddedStore::reseal(dir.path()).unwrap(), 2);
    assert_ne!(std::fs::read(&master).unwrap(), old_master);
    assert_ne!(std::fs::read(&log).unwrap(), old_log);
    assert_eq!((mode(&master), mode(&log)), (0o600, 0o600));
    assert!(std::io::read_to_string(handle).unwrap().bytes().all(|byte| byte == 0), "the old one is overwritten");
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    assert!(store.keys().get(&tenant(), key.id).await.unwrap() == key);
    assert_eq!(store.tables().secrets(&account), ["the-auth-token"]);
    store.keys().create(&tenant(), contact(2)).await.unwrap();
    store.close();
    drop(store);
    std::fs::write(&master, old_master).unwrap();
    assert!(matches!(EmbeddedStore::open(dir.path(), &small()), Err(StoreError::MasterKey(_))));
}

#[tokio::test]
async fn a_rotation_of_the_master_key_may_be_interrupted_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let key = store.keys().create(&tenant(), contact(1)).await.unwrap();
    store.close();
    drop(store);
    let (master, next) = (dir.path().join("keys/master"), dir.path().join("keys/master.next"));
    let before = std::fs::read(&master).unwrap();
    let opens = async || {
        let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
        let known = store.keys().get(&tenant(), key.id).await.unwrap() == key;
        store.close();
        known && !next.exists()
    };
    // Only the new master, or a part of it, was written: the old one stays.
    for beginning in [&[7; 32][..], &[7; 5]] {
        std::fs::write(&next, beginning).unwrap();
        assert!(opens().await);
        assert_eq!(std::fs::read(&master).unwrap(), before);
    }
    // The new key file is in place, its master not yet.
    EmbeddedStore::reseal(dir.path()).unwrap();
    let renewed = std::fs::read(&master).unwrap();
    std::fs::rename(&master, &next).unwrap();
    std::fs::write(&master, &before).unwrap();
    assert!(opens().await);
    assert_eq!(std::fs::read(&master).unwrap(), renewed);
}

fn operator(name: &str) -> OperatorId {
    OperatorId::new(name).unwrap()
}

#[tokio::test]
async fn what_people_sign_in_with_is_kept_sealed_and_whoever_is_forgotten_leaves_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let path = dir.path().join("keys").join("keys.log");
    for (name, record) in [("ana", "first"), ("ben", "of ben"), ("ana", "second")] {
        store.tables().put_person(tenant(), operator(name), record.as_bytes().to_vec()).await.unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"second" || window == b"of ben"));
    store.close();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let mut known = store.tables().people();
    known.sort();
    let row = |name: &str, record: &str| (tenant(), operator(name), record.as_bytes().to_vec());
    assert_eq!(known, [row("ana", "second"), row("ben", "of ben")]);
    store.tables().put_person(tenant(), operator("ana"), Vec::new()).await.unwrap();
    assert_eq!(store.tables().people(), [row("ben", "of ben")]);
    assert!(std::fs::metadata(&path).unwrap().len() < bytes.len() as u64, "written anew, without her");
    store.close();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    assert_eq!(store.tables().people(), [row("ben", "of ben")]);
}

#[tokio::test]
async fn a_file_of_outdated_entries_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(dir.path(), &small()).unwrap();
    let people = store.tables();
    // Never more at once than may wait.
    for _ in 0..290 {
        let put = |_| people.put_person(tenant(), operator("ana"), vec![7; 64]);
        join_all((0..14).map(put)).await.into_iter().for_each(|stored| stored.unwrap());
    }
    let length = || std::fs::metadata(dir.path().join("keys").join("keys.log")).unwrap().len();
    let before = length();
    assert!(before > 4_000 * 64);
    for _ in 0..40 {
        people.put_person(tenant(), operator("ana"), vec![8; 64]).await.unwrap();
    }
    assert!(length() < before / 100, "{before} bytes, then {}", length());
}
