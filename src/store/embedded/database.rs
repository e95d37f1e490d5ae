//! A fjall database with one keyspace, which can be opened again while others hold it.
//!
//! After a full disk fjall refuses every write until it is opened again; whoever holds a `Database` notices nothing
//! but the refused write. One keyspace, because fjall flushes keyspaces one by one: with several, a power cut can
//! leave a newer checkpoint beside older rows.

use std::{
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use fjall::{KeyspaceCreateOptions, KvSeparationOptions, PersistMode};

use super::error::StoreError;

/// Workers of one database. With a single one, memory grows without bound under full load. The first one never compacts:
/// it puts such work back into the queue and takes it out again, without a rest, as long as all others are compacting; each
/// flush leaves as many pieces as there are workers. Two of them burn a core through every long compaction.
const WORKERS: usize = 4;
/// The smallest journal that fjall takes.
const JOURNAL_MIN: u64 = 64 << 20;

/// How a database is opened.
#[derive(Debug, Clone)]
pub(super) struct Tuning {
    pub(super) cache_bytes: u64,
    pub(super) memtable_bytes: u64,
    pub(super) journal_bytes: u64,
    /// Values from this size on are kept apart, so that compaction moves only keys.
    pub(super) apart_from: Option<u32>,
}

struct Opened {
    keyspace: fjall::Keyspace,
    database: fjall::Database,
}

enum State {
    Open(Opened),
    /// It could not be opened again yet.
    Failed,
    /// For good.
    Closed,
}

impl State {
    fn opened(&self) -> Result<&Opened, DatabaseError> {
        match self {
            Self::Open(opened) => Ok(opened),
            Self::Failed | Self::Closed => Err(DatabaseError::Closed),
        }
    }
}

/// A database that heals by being opened again.
pub(super) struct Database {
    path: PathBuf,
    tuning: Tuning,
    state: RwLock<State>,
}

/// Why a database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    /// It is closed, or could not be opened again yet.
    #[error("database is not open")]
    Closed,
    /// It refused.
    #[error(transparent)]
    Refused(#[from] fjall::Error),
}

impl Database {
    pub(super) fn open(path: &Path, tuning: Tuning) -> Result<Self, StoreError> {
        let opened = open(path, &tuning).map_err(StoreError::database(path))?;
        Ok(Self { path: path.to_owned(), tuning, state: RwLock::new(State::Open(opened)) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads. Must not be called within itself.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&fjall::Keyspace) -> Result<T, fjall::Error>,
    ) -> Result<T, DatabaseError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let opened = state.opened()?;
        Ok(read(&opened.keyspace)?)
    }

    /// Writes. A refused write opens the database again, for the next attempt.
    pub(super) fn write<T>(
        &self,
        write: impl FnOnce(&fjall::Database, &fjall::Keyspace) -> Result<T, fjall::Error>,
    ) -> Result<T, DatabaseError> {
        let result = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            state.opened().and_then(|opened| Ok(write(&opened.database, &opened.keyspace)?))
        };
        if result.is_err() {
            self.reopen();
        }
        result
    }

    /// Closes and opens it. If that fails it stays closed until the next attempt.
    pub(super) fn reopen(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Closed) {
            return;
        }
        // Its files must be let go of before they can be opened again.
        *state = State::Failed;
        match open(&self.path, &self.tuning) {
            Ok(again) => *state = State::Open(again),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "database cannot be opened again yet");
            }
        }
    }

    /// Makes what was written durable and lets go of the files.
    pub(super) fn close(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(opened) = std::mem::replace(&mut *state, State::Closed)
            && let Err(error) = opened.database.persist(PersistMode::SyncAll)
        {
            tracing::warn!(path = %self.path.display(), %error, "database was not flushed at close");
        }
    }
}

fn open(path: &Path, tuning: &Tuning) -> Result<Opened, fjall::Error> {
    let database = fjall::Database::builder(path)
        .cache_size(tuning.cache_bytes)
        .max_journaling_size(tuning.journal_bytes.max(JOURNAL_MIN))
        .worker_threads(WORKERS)
        .open()?;
    let options = || {
        let apart = tuning.apart_from.map(|size| {
            let options = KvSeparationOptions::default().separation_threshold(size);
            options.compression(fjall::CompressionType::None)
        });
        KeyspaceCreateOptions::default().max_memtable_size(tuning.memtable_bytes).with_kv_separation(apart)
    };
    let keyspace = database.keyspace("rows", options)?;
    Ok(Opened { keyspace, database })
}
