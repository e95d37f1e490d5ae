//! What the servers keep and must not know: carriers' secrets, and people who sign in.

use deskwire::store::cql::{CqlOptions, CqlStore};
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
