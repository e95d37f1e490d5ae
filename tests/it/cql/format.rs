//! The keyspace's format: made once, checked at every start, refused when it is not this version's.

use deskwire::store::cql::{Applied, CqlStore, CqlStoreError, migrate};

use super::world::{keyspace, options, session};

#[tokio::test(flavor = "multi_thread")]
async fn a_keyspace_of_another_format_is_refused_and_not_guessed_at() {
    let missing = options(&format!("t{}_missing", std::process::id()));
    let refused = CqlStore::open(&missing).await.err();
    assert!(matches!(refused, Some(CqlStoreError::Older { found: 0, .. })), "{refused:?}");

    let options = keyspace("format").await;
    let again = migrate(&options).await.unwrap();
    assert_eq!(again.from, again.to, "a second migration has nothing to do");
    CqlStore::open(&options).await.unwrap();

    let newer = again.to + 1;
    let note = format!("INSERT INTO {}.migration (one, number, name) VALUES (1, {newer}, 'later')", options.keyspace);
    session().await.query_unpaged(note, ()).await.unwrap();
    let refused = CqlStore::open(&options).await.err();
    assert!(matches!(refused, Some(CqlStoreError::Newer { found, .. }) if found == newer), "{refused:?}");
    let refused = migrate(&options).await;
    assert!(matches!(refused, Err(CqlStoreError::Newer { .. })), "{refused:?}");

    for number in 1..=newer {
        let drop = format!("DELETE FROM {}.migration WHERE one = 1 AND number = {number}", options.keyspace);
        session().await.query_unpaged(drop, ()).await.unwrap();
    }
    let refused = CqlStore::open(&options).await.err();
    assert!(matches!(refused, Some(CqlStoreError::Older { found: 0, .. })), "{refused:?}");
    assert_eq!(migrate(&options).await.unwrap(), Applied { from: 0, to: again.to }, "an interrupted one is finished");
    CqlStore::open(&options).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_could_end_a_statement_are_refused() {
    for keyspace in ["", "Upper", "1st", "a; DROP KEYSPACE b", "a.b"] {
        let refused = migrate(&options(keyspace)).await;
        assert!(matches!(refused, Err(CqlStoreError::Name { .. })), "{keyspace:?}: {refused:?}");
    }
    let mut wrong = options("fine");
    wrong.replication = "{'class': 'SimpleStrategy'} AND durable_writes = false; DROP KEYSPACE x; {}".to_owned();
    assert!(matches!(migrate(&wrong).await, Err(CqlStoreError::Name { .. })));
}
