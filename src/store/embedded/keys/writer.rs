//! The one writer of the key file: joins what waits into one fsync. Destroying writes the file anew without the key
//! and overwrites the old one, so that its bytes are gone from the file system's own blocks.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, mpsc::Receiver},
};

use actors::{
    memory::SystemIds,
    ports::{ContactKey, Ids, KeyError},
};
use schema::ids::{AccountId, ContactId, KeyId, OperatorId, TenantId};
use tokio::sync::oneshot;

use super::entry::{Entry, Seal, Tables, random};
use crate::store::embedded::{
    append::{AppendFailure, Appended, Appender},
    disk::{Disk, sync_dir},
    frame::Frame,
};

/// Kind of a sealed entry's record.
pub(super) const ENTRY: u8 = 1;
/// Operations joined into one fsync.
const TOGETHER: usize = 1_024;
/// Entries in one frame of a file that is written anew.
const FRAME_ENTRIES: usize = 4_096;
/// Secrets of an account that are valid at once: while a carrier rotates a token, both are.
const ACCOUNT_SECRETS: usize = 2;
/// Entries that later ones replace before the file is written anew.
const OUTDATED_MAX: usize = 4_096;

/// What is asked of the writer.
pub(super) enum Work {
    Create(TenantId, ContactId),
    Hash(TenantId),
    Destroy(TenantId, KeyId),
    Account(AccountId, String),
    /// An empty record forgets.
    Person(TenantId, OperatorId, Vec<u8>),
    /// A key that another store made; the answer is the one that is there.
    AdoptKey(TenantId, ContactId, ContactKey),
    /// The same of a tenant's secret for address hashes.
    AdoptHash(TenantId, [u8; 32]),
    Close,
}

/// What came of it.
#[derive(Clone)]
pub(super) enum Answer {
    Key(ContactKey),
    Hash([u8; 32]),
    Done,
}

pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<Answer, KeyError>>,
}

pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) reserve_bytes: u64,
    pub(super) seal: Seal,
    pub(super) tables: Arc<RwLock<Tables>>,
    pub(super) file: Appender,
    pub(super) stopped: Option<String>,
}

/// A group of operations: what it adds and what it destroys.
#[derive(Default)]
struct Group {
    added: Tables,
    entries: Vec<Entry>,
    destroyed: Vec<(TenantId, KeyId)>,
    /// The file holds something that must go.
    rewrite: bool,
}

fn unavailable(reason: impl std::fmt::Display) -> KeyError {
    KeyError::Unavailable(reason.to_string())
}

impl Group {
    fn add(&mut self, entry: Entry) {
        self.added.put(entry.clone());
        self.entries.push(entry);
    }

    fn take(&mut self, work: Work, known: &Tables) -> Result<Answer, KeyError> {
        match work {
            Work::Create(tenant, contact) => self.create(tenant, contact, known).map(Answer::Key),
            Work::Hash(tenant) => self.hash(tenant, known).map(Answer::Hash),
            Work::Destroy(tenant, id) => {
                let here = self.added.key(&tenant, id).or_else(|| known.key(&tenant, id));
                if here.is_some() {
                    self.rewrite = true;
                    self.added.destroy(&(tenant.clone(), id));
                    self.destroyed.push((tenant, id));
                }
                Ok(Answer::Done)
            }
            Work::Account(account, secret) => {
                let before = self.added.account(&account).or_else(|| known.account(&account)).unwrap_or_default();
                self.rewrite |= !before.is_empty();
                let others = before.into_iter().filter(|other| *other != secret);
                let secrets = std::iter::once(secret.clone()).chain(others).take(ACCOUNT_SECRETS).collect();
                self.add(Entry::Account { account, secrets });
                Ok(Answer::Done)
            }
            Work::Person(tenant, operator, record) => {
                // Whoever is forgotten leaves the file at once; else it is written anew when much of it is outdated.
                self.rewrite |= record.is_empty() || known.outdated() >= OUTDATED_MAX;
                self.add(Entry::Person { tenant, operator, record });
                Ok(Answer::Done)
            }
            Work::AdoptKey(tenant, contact, key) => {
                let there = self.added.key(&tenant, key.id).or_else(|| known.key(&tenant, key.id));
                if there.is_none() {
                    self.add(Entry::Key { tenant, contact, key: key.clone() });
                }
                Ok(Answer::Key(there.unwrap_or(key)))
            }
            Work::AdoptHash(tenant, secret) => {
                let there = self.added.hash(&tenant).or_else(|| known.hash(&tenant));
                if there.is_none() {
                    self.add(Entry::Hash { tenant, secret });
                }
                Ok(Answer::Hash(there.unwrap_or(secret)))
            }
            Work::Close => Ok(Answer::Done),
        }
    }

    fn create(&mut self, tenant: TenantId, contact: ContactId, known: &Tables) -> Result<ContactKey, KeyError> {
        let known = known.key_of(&tenant, contact).filter(|key| !self.is_destroyed(&tenant, key.id));
        if let Some(key) = self.added.key_of(&tenant, contact).or(known) {
            return Ok(key);
        }
        let key = ContactKey { id: KeyId(SystemIds.uuid()), secret: random().map_err(unavailable)? };
        self.add(Entry::Key { tenant, contact, key: key.clone() });
        Ok(key)
    }

    fn hash(&mut self, tenant: TenantId, known: &Tables) -> Result<[u8; 32], KeyError> {
        if let Some(secret) = self.added.hash(&tenant).or_else(|| known.hash(&tenant)) {
            return Ok(secret);
        }
        let secret = random().map_err(unavailable)?;
        self.add(Entry::Hash { tenant, secret });
        Ok(secret)
    }

    fn is_destroyed(&self, tenant: &TenantId, id: KeyId) -> bool {
        self.destroyed.iter().any(|(owner, key)| owner == tenant && *key == id)
    }

    /// Whether an entry is not to be in the file after this group.
    fn outdates(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Key { tenant, key, .. } => self.is_destroyed(tenant, key.id),
            Entry::Account { account, .. } => self.added.account(account).is_some(),
            Entry::Person { tenant, operator, .. } => self.added.has_person(tenant, operator),
            Entry::Hash { .. } => false,
        }
    }
}

impl Writer {
    /// Works until it is told to close, or nobody can ask any more.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut jobs = vec![first];
            while jobs.len() < TOGETHER {
                let Ok(job) = queue.try_recv() else { break };
                jobs.push(job);
            }
            let closing = jobs.iter().any(|job| matches!(job.work, Work::Close));
            self.work(jobs);
            if closing {
                return;
            }
        }
    }

    fn work(&mut self, jobs: Vec<Job>) {
        let room = self.room();
        let mut group = Group::default();
        let mut answers = Vec::with_capacity(jobs.len());
        {
            let known = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            for Job { work, reply } in jobs {
                // Whoever destroys a key must be able to, also on a full disk.
                let admitted = if matches!(work, Work::Destroy(..)) { Ok(()) } else { room.clone() };
                answers.push((admitted.and_then(|()| group.take(work, &known)), reply));
            }
        }
        let stored = self.store(&group);
        if stored.is_ok() {
            let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
            group.destroyed.iter().for_each(|name| tables.destroy(name));
            group.added.entries().for_each(|entry| tables.put(entry));
            tables.wrote(group.entries.iter().filter(|entry| entry.is_person()).count());
            if group.rewrite {
                tables.settle();
            }
        }
        for (answer, reply) in answers {
            // Whoever asked may have gone away: what is stored stays stored.
            let _ = reply.send(stored.clone().and(answer));
        }
    }

    fn room(&self) -> Result<(), KeyError> {
        let free = self.disk.free_bytes(directory(&self.path)).map_err(unavailable)?;
        if free < self.reserve_bytes {
            return Err(unavailable(format!("{free} bytes are free on the disk, which is below the reserve")));
        }
        Ok(())
    }

    fn store(&mut self, group: &Group) -> Result<(), KeyError> {
        if let Some(reason) = &self.stopped {
            return Err(unavailable(format!("the key file writes no more: {reason}")));
        }
        if group.rewrite {
            return self.rewrite(group).map_err(|error| self.failed(AppendFailure::Full(error)));
        }
        if group.entries.is_empty() {
            return Ok(());
        }
        let mut frame = Frame::default();
        frame.clear();
        for entry in &group.entries {
            frame.push(ENTRY, &self.seal.close(entry).map_err(unavailable)?);
        }
        self.file.append(&mut frame).map(drop).map_err(|failure| self.failed(failure))
    }

    fn failed(&mut self, failure: AppendFailure) -> KeyError {
        match failure {
            AppendFailure::Full(error) => unavailable(error),
            AppendFailure::Broken(error) => {
                tracing::error!(%error, "the key file writes no more: a restart is needed");
                self.stopped = Some(error.to_string());
                unavailable(error)
            }
        }
    }

    /// Writes the file anew, as it is after this group.
    fn rewrite(&mut self, group: &Group) -> io::Result<()> {
        let draft = self.path.with_extension("new");
        let mut file = Appender::create(&draft, 0, &self.disk)?;
        {
            let known = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            let kept = known.entries().filter(|entry| !group.outdates(entry));
            let entries = kept.chain(group.added.entries()).filter(|entry| !entry.is_gone());
            write_all(&mut file, &self.seal, entries)?;
        }
        std::fs::rename(&draft, &self.path)?;
        // From here on the new file is the file, whatever happens: going back would write into a deleted one.
        let old = std::mem::replace(&mut self.file, file).shared;
        sync_dir(directory(&self.path))?;
        overwrite(&old, self.disk.as_ref())
    }
}

pub(super) fn write_all(file: &mut Appender, seal: &Seal, entries: impl Iterator<Item = Entry>) -> io::Result<()> {
    let mut frame = Frame::default();
    frame.clear();
    let mut count = 0;
    let mut flush = |frame: &mut Frame| {
        let written = file.append(frame).map(drop);
        frame.clear();
        written.map_err(AppendFailure::into_error)
    };
    for entry in entries {
        frame.push(ENTRY, &seal.close(&entry)?);
        count += 1;
        if count % FRAME_ENTRIES == 0 {
            flush(&mut frame)?;
        }
    }
    if frame.is_empty() { Ok(()) } else { flush(&mut frame) }
}

/// Writes zeros over a file that has lost its name.
pub(super) fn overwrite(old: &Appended, disk: &dyn Disk) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let length = old.file.metadata()?.len();
    let mut at = 0;
    while at < length {
        let part = (length - at).min(zeros.len() as u64);
        disk.write_at(&old.file, &zeros[..usize::try_from(part).map_err(io::Error::other)?], at)?;
        at += part;
    }
    disk.sync(&old.file)
}

fn directory(path: &Path) -> &Path {
    path.parent().expect("the key file is in a directory")
}
