//! The Keys port, and the sealed table of carriers' secrets: one small file beside the log, sealed with a master key
//! that is made at first start. Losing `master` loses every personal part and every secret.

mod entry;
mod reseal;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use actors::ports::{ContactKey, KeyError, Keys};
use async_trait::async_trait;
use schema::ids::{AccountId, ContactId, KeyId, OperatorId, TenantId};
use tokio::sync::oneshot;

pub(super) use self::reseal::reseal;
use self::{
    entry::{Seal, Tables},
    writer::{Answer, Job, Work, Writer},
};
use super::{append::Appender, directory, disk::Disk, error::StoreError};
use crate::store::{PersonRow, StoreOptions, Tables as SealedTables};

/// Keys and secrets of this node.
pub struct EmbeddedKeys {
    queue: SyncSender<Job>,
    tables: Arc<RwLock<Tables>>,
}

impl EmbeddedKeys {
    pub(super) fn open(
        dir: &Path,
        options: &StoreOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<(Self, JoinHandle<()>), StoreError> {
        directory::make(dir)?;
        let path = dir.join("keys.log");
        reseal::settle(dir, &disk)?;
        let seal = Seal::new(&master(dir, &path)?);
        let (tables, file) = read_all(&path, &seal, &disk)?;
        let tables = Arc::new(RwLock::new(tables));
        let (queue, jobs) = sync_channel(options.key_queue);
        let reserve_bytes = options.reserve_bytes;
        let writer =
            Writer { path: path.clone(), disk, reserve_bytes, seal, tables: tables.clone(), file, stopped: None };
        let thread = std::thread::Builder::new().name("keys".to_owned()).spawn(move || writer.run(&jobs));
        Ok((Self { queue, tables }, thread.map_err(StoreError::io(&path))?))
    }

    /// Tells the writer to end.
    pub(super) fn close(&self) {
        let (reply, _) = oneshot::channel();
        // An error says that it has ended already.
        let _ = self.queue.send(Job { work: Work::Close, reply });
    }

    async fn ask(&self, work: Work) -> Result<Answer, KeyError> {
        let (reply, answer) = oneshot::channel();
        match self.queue.try_send(Job { work, reply }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(KeyError::Unavailable("too many key operations wait for the disk".to_owned()));
            }
            Err(TrySendError::Disconnected(_)) => return Err(closed()),
        }
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Makes a key known that another store made; the one that is there then.
    pub(super) async fn adopt_key(
        &self,
        tenant: &TenantId,
        contact: ContactId,
        key: &ContactKey,
    ) -> Result<ContactKey, KeyError> {
        match self.ask(Work::AdoptKey(tenant.clone(), contact, key.clone())).await? {
            Answer::Key(there) => Ok(there),
            Answer::Hash(_) | Answer::Done => Err(closed()),
        }
    }

    /// The same of a tenant's secret for address hashes.
    pub(super) async fn adopt_hash(&self, tenant: &TenantId, secret: &[u8; 32]) -> Result<[u8; 32], KeyError> {
        match self.ask(Work::AdoptHash(tenant.clone(), *secret)).await? {
            Answer::Hash(there) => Ok(there),
            Answer::Key(_) | Answer::Done => Err(closed()),
        }
    }

    fn tables(&self) -> std::sync::RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every entry of the key file, which is made if it is missing.
fn read_all(path: &Path, seal: &Seal, disk: &Arc<dyn Disk>) -> Result<(Tables, Appender), StoreError> {
    let mut tables = Tables::default();
    if !path.exists() {
        return Ok((tables, Appender::create(path, 0, disk).map_err(StoreError::io(path))?));
    }
    let opened = Appender::open(path, 0, disk)?;
    for record in opened.records {
        let entry = seal.open(&opened.bytes[record.payload]);
        let entry = entry.ok_or_else(|| StoreError::MasterKey(path.to_owned()))?;
        tables.wrote(usize::from(entry.is_person()));
        tables.put(entry);
    }
    Ok((tables, opened.appender))
}

fn closed() -> KeyError {
    KeyError::Unavailable("the key store is closed".to_owned())
}

/// The master key; made only where there are no keys yet: a new one beside old keys would open none of them.
fn master(dir: &Path, keys: &Path) -> Result<[u8; 32], StoreError> {
    let path = dir.join("master");
    match std::fs::read(&path) {
        Ok(bytes) => bytes.try_into().map_err(|_| StoreError::MasterKey(path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !keys.exists() => {
            let master = entry::random().map_err(StoreError::io(&path))?;
            directory::write_new(&path, &master).map_err(StoreError::io(&path))?;
            Ok(master)
        }
        Err(source) => Err(StoreError::Io { path, source }),
    }
}

#[async_trait]
impl Keys for EmbeddedKeys {
    async fn create(&self, tenant: &TenantId, contact: ContactId) -> Result<ContactKey, KeyError> {
        match self.ask(Work::Create(tenant.clone(), contact)).await? {
            Answer::Key(key) => Ok(key),
            Answer::Hash(_) | Answer::Done => Err(closed()),
        }
    }

    async fn get(&self, tenant: &TenantId, key: KeyId) -> Result<ContactKey, KeyError> {
        self.tables().key(tenant, key).ok_or(KeyError::Destroyed)
    }

    async fn destroy(&self, tenant: &TenantId, key: KeyId) -> Result<(), KeyError> {
        self.ask(Work::Destroy(tenant.clone(), key)).await.map(drop)
    }

    async fn hash_secret(&self, tenant: &TenantId) -> Result<[u8; 32], KeyError> {
        let known = self.tables().hash(tenant);
        if let Some(secret) = known {
            return Ok(secret);
        }
        match self.ask(Work::Hash(tenant.clone())).await? {
            Answer::Hash(secret) => Ok(secret),
            Answer::Key(_) | Answer::Done => Err(closed()),
        }
    }
}

#[async_trait]
impl SealedTables for EmbeddedKeys {
    fn secrets(&self, account: &AccountId) -> Vec<String> {
        self.tables().account(account).unwrap_or_default()
    }

    async fn put_secret(&self, account: AccountId, secret: String) -> Result<(), KeyError> {
        self.ask(Work::Account(account, secret)).await.map(drop)
    }

    fn people(&self) -> Vec<PersonRow> {
        let tables = self.tables();
        tables.people().map(|((tenant, operator), record)| (tenant.clone(), operator.clone(), record.clone())).collect()
    }

    async fn put_person(&self, tenant: TenantId, operator: OperatorId, record: Vec<u8>) -> Result<(), KeyError> {
        self.ask(Work::Person(tenant, operator, record)).await.map(drop)
    }
}
