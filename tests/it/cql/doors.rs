//! How a server is reached: logins, TLS, and what must not do.

use std::sync::Arc;

use deskwire::store::cql::{CqlOptions, CqlStore, CqlStoreError, CqlTls};
use schema::ids::{ContactId, TenantId};
use uuid::Uuid;

use super::world::{keyspace, options, session};
use crate::support::{authority::Authority, cassandra, process::run};

/// On the server that asks for logins and speaks TLS.
fn own(keyspace: &str) -> CqlOptions {
    CqlOptions { contact_points: vec![cassandra::own().address.clone()], ..options(keyspace) }
}

async fn refused(options: &CqlOptions) -> String {
    match CqlStore::open(options).await {
        Err(CqlStoreError::Connect(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it let us in"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_the_password() {
    let own = own("nobody");
    for (user, password) in [("", ""), ("cassandra", "guessed"), ("nobody", "cassandra")] {
        let options = CqlOptions { user: user.to_owned(), password: password.to_owned(), ..own.clone() };
        let why = refused(&options).await;
        assert!(!why.contains("guessed"), "{why}");
    }
    // Those that are right: what is missing then is the keyspace.
    assert!(matches!(CqlStore::open(&own).await, Err(CqlStoreError::Older { found: 0, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_reaches_the_servers_own_certificate_and_no_other() {
    let server = cassandra::own();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &server.authority).unwrap();
    let trust = |pem: &str| {
        std::fs::write(file.path(), pem).unwrap();
        Arc::new(deskwire::app::client::authorities("cql.tls_ca_file", file.path()).unwrap())
    };
    let with = |pem: &str, name: &str| {
        let tls = Some(CqlTls { config: trust(pem), name: name.to_owned() });
        CqlOptions { tls, connect_timeout: std::time::Duration::from_secs(3), ..own("tls") }
    };
    refused(&with(&Authority::new().pem(), "")).await;
    refused(&with(&server.authority, "another.example.com")).await;
    assert!(matches!(CqlStore::open(&with(&server.authority, "")).await, Err(CqlStoreError::Older { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_works_through_tls() {
    let server = cassandra::own();
    let made = keyspace("doors").await;
    if made.contact_points != [server.address.clone()] {
        // The keyspace is on the server that was given; this one needs its own.
        deskwire::store::cql::migrate(&own(&made.keyspace)).await.unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &server.authority).unwrap();
    let trust = deskwire::app::client::authorities("cql.tls_ca_file", file.path()).unwrap();
    // A name that all certificates bear, instead of each one's address.
    let tls = Some(CqlTls { config: Arc::new(trust), name: "127.0.0.1".to_owned() });
    let store = CqlStore::open(&CqlOptions { tls, ..own(&made.keyspace) }).await.unwrap();
    let (tenant, contact) = (TenantId::new("acme").unwrap(), ContactId(Uuid::from_u128(1)));
    let made_key = store.keys().create(&tenant, contact).await.unwrap();
    assert!(store.keys().get(&tenant, made_key.id).await.unwrap() == made_key);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyspace_that_keeps_one_replica_is_refused_whatever_is_configured_for_new_ones() {
    let options = keyspace("replicas").await;
    let strict = CqlOptions { replicas_min: 2, ..options.clone() };
    let refused = CqlStore::open(&strict).await.err();
    assert!(matches!(&refused, Some(CqlStoreError::Replicas { needed: 2, .. })), "{refused:?}");

    let directory = tempfile::tempdir().unwrap();
    let mut environment = cassandra::environment(&options);
    environment.push(("DESKWIRE__DATA__DIRECTORY", directory.path().to_str().unwrap().to_owned()));
    environment.retain(|(name, _)| *name != "DESKWIRE__CQL__ALLOW_UNSAFE");
    let given: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = run(&["serve"], &given);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("replication_factor 1 where 2 replicas"), "{said}");

    // Said of it, not kept: what counts here is what the keyspace says.
    let two = format!(
        "ALTER KEYSPACE {} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 2}}",
        options.keyspace
    );
    session().await.query_unpaged(two, ()).await.unwrap();
    let refused = CqlStore::open(&strict).await.err();
    assert!(!matches!(refused, Some(CqlStoreError::Replicas { .. })), "{refused:?}");
}
