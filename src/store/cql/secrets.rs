//! The sealed table of carriers' secrets. All of them are in memory: signatures are checked without waiting.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use schema::ids::AccountId;

use super::{
    database::{Cql, Database},
    error::{CqlError, CqlStoreError},
    revision::Revision,
    seal::Seal,
};

const ALL: Cql = Cql::read("SELECT account, sealed FROM account_secret WHERE shard = 0");
const PUT: Cql = Cql::write("INSERT INTO account_secret (shard, account, sealed) VALUES (0, ?, ?)");
/// A secret and the one before it.
const KEPT: usize = 2;

/// Secrets of accounts at carriers. A node sees what it put itself at once, others' when it reads them again.
pub(super) struct CqlSecrets {
    database: Arc<Database>,
    seal: Seal,
    revision: Revision,
    known: RwLock<HashMap<AccountId, Vec<String>>>,
}

fn place(account: &str) -> String {
    format!("deskwire cql account 1 {account}")
}

impl CqlSecrets {
    pub(super) async fn open(
        database: Arc<Database>,
        seal: Seal,
        (keyspace, node): (&str, &str),
    ) -> Result<Self, CqlStoreError> {
        let revision = Revision::open(database.clone(), "account_secret", node).await?;
        let known = read(&database, &seal).await?.ok_or_else(|| CqlStoreError::MasterKey(keyspace.to_owned()))?;
        Ok(Self { database, seal, revision, known: RwLock::new(known) })
    }

    /// Reads what other nodes have put since. What cannot be opened changes nothing.
    pub(super) async fn refresh(&self) -> Result<(), CqlError> {
        let Some(marks) = self.revision.changed().await? else { return Ok(()) };
        if let Some(known) = read(&self.database, &self.seal).await? {
            self.revision.note(marks);
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        }
        Ok(())
    }

    /// The account's secrets, newest first, at most two; none if it has none.
    pub(super) fn get(&self, account: &AccountId) -> Option<Vec<String>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(account).cloned()
    }

    /// Stores an account's secret; durable when this returns. The one before it stays valid beside it.
    pub(super) async fn put(&self, account: &AccountId, secret: &str) -> Result<(), CqlError> {
        let before = self.get(account).unwrap_or_default();
        let both: Vec<String> = std::iter::once(secret.to_owned()).chain(before).take(KEPT).collect();
        let plain = postcard::to_stdvec(&both).map_err(|error| CqlError::NotDone(error.to_string()))?;
        let sealed = self.seal.close(&place(account.as_str()), &plain).map_err(CqlError::NotDone)?;
        self.database.write(PUT, (account.as_str(), sealed)).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(account.clone(), both);
        self.revision.raise().await;
        Ok(())
    }
}

/// All of them; none: they were sealed with another master key.
async fn read(database: &Database, seal: &Seal) -> Result<Option<HashMap<AccountId, Vec<String>>>, CqlError> {
    let mut known = HashMap::new();
    for (account, sealed) in database.rows::<(String, Vec<u8>)>(ALL, ()).await? {
        let Some(plain) = seal.open(&place(&account), &sealed) else { return Ok(None) };
        let Ok(secrets) = postcard::from_bytes(&plain) else { return Ok(None) };
        known.insert(AccountId::new(&account).map_err(CqlError::unreadable)?, secrets);
    }
    Ok(Some(known))
}
