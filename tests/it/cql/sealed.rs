//! What the servers keep and must not know: carriers' secrets, and people who sign in.

use std::sync::Arc;

use deskwire::store::{
    Tables,
    cql::{CqlOptions, CqlStore},
};
use schema::ids::{AccountId, OperatorId, TenantId};

use super::world::{keyspace, session};

/// Everything sealed, as the servers see it.
async fn seen(options: &CqlOptions) -> Vec<u8> {
    let mut bytes = Vec::new();
    for table in ["person", "account_secret"] {
        let rows = format!("SELECT sealed FROM {}.{table}", options.keyspace);
        let rows = session().await.query_unpaged(rows, ()).await.unwrap().into_rows_result().unwrap();
        rows.rows::<(Vec<u8>,)>().unwrap().for_each(|row| bytes.extend(row.unwrap().0));
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_tables_survive_a_restart_and_show_servers_nothing() {
    let options = keyspace("sealed").await;
    let (tenant, ann, ben) = (TenantId::new("acme").unwrap(), OperatorId::new("ann"), OperatorId::new("ben"));
    let (ann, ben, account) = (ann.unwrap(), ben.unwrap(), AccountId::new("AC1").unwrap());

    let store = CqlStore::open(&options).await.unwrap();
    store.tables().put_person(tenant.clone(), ann.clone(), b"ann's first record".to_vec()).await.unwrap();
    store.tables().put_person(tenant.clone(), ann.clone(), b"ann's record".to_vec()).await.unwrap();
    store.tables().put_person(tenant.clone(), ben.clone(), b"ben's record".to_vec()).await.unwrap();
    store.tables().put_person(tenant.clone(), ben.clone(), b"".to_vec()).await.unwrap();
    store.tables().put_secret(account.clone(), "first-token".to_owned()).await.unwrap();
    store.tables().put_secret(account.clone(), "second-token".to_owned()).await.unwrap();
    drop(store);

    let store = CqlStore::open(&options).await.unwrap();
    assert_eq!(store.tables().people(), [(tenant, ann, b"ann's record".to_vec())]);
    assert_eq!(store.tables().secrets(&account), ["second-token", "first-token"]);

    let seen = seen(&options).await;
    assert!(!seen.is_empty());
    for plain in ["ann's", "first-token", "second-token"] {
        assert!(!seen.windows(plain.len()).any(|window| window == plain.as_bytes()), "{plain} can be read");
    }

    let other = CqlOptions { master: [8; 32], ..options };
    let error = CqlStore::open(&other).await.err().expect("another master key opens nothing").to_string();
    assert!(error.contains("master key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_changes_another_learns_and_neither_undoes_the_other() {
    let options = keyspace("shared").await;
    let (one, other) = (options.clone(), CqlOptions { node: "another".to_owned(), ..options });
    let (one, other) = (CqlStore::open(&one).await.unwrap().tables(), CqlStore::open(&other).await.unwrap().tables());
    let (tenant, ann) = (TenantId::new("acme").unwrap(), OperatorId::new("ann").unwrap());
    let put = async |tables: &Arc<dyn Tables>, record: &[u8]| {
        tables.put_person(tenant.clone(), ann.clone(), record.to_vec()).await
    };
    let rows = |record: &[u8]| Some(vec![(tenant.clone(), ann.clone(), record.to_vec())]);

    put(&one, b"signed in").await.unwrap();
    assert!(put(&other, b"made without a look").await.is_err(), "it stands there already");
    assert_eq!(other.changed_people().await.unwrap(), rows(b"signed in"));
    assert_eq!(other.changed_people().await.unwrap(), None, "and nothing since");
    put(&other, b"signed out").await.unwrap();
    assert!(put(&one, b"signed in twice").await.is_err(), "it would bring back a browser that was signed out");
    assert_eq!(one.changed_people().await.unwrap(), rows(b"signed out"));
    put(&one, b"").await.unwrap();
    assert!(put(&other, b"back again").await.is_err());
    assert_eq!(other.changed_people().await.unwrap(), Some(Vec::new()));
    put(&other, b"invited anew").await.unwrap();
    assert_eq!(one.changed_people().await.unwrap(), rows(b"invited anew"));

    let account = AccountId::new("AC1").unwrap();
    one.put_secret(account.clone(), "token".to_owned()).await.unwrap();
    assert!(other.secrets(&account).is_empty());
    other.refresh().await.unwrap();
    assert_eq!(other.secrets(&account), ["token"]);
}
