//! Why the embedded store cannot be opened, or a part of it cannot be read.

use std::{
    io,
    path::{Path, PathBuf},
};

/// What went wrong, and where. Messages hold paths, positions and feeds; nothing personal.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the directory.
    #[error("data directory {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// Written by a version that this one does not understand.
    #[error("data directory {} has format {found:?}; this version reads {known:?}", dir.display())]
    Format {
        /// Where.
        dir: PathBuf,
        /// As it stands in the file.
        found: String,
        /// What this version writes.
        known: &'static str,
    },
    /// Stored bytes are damaged. Starting would hide a loss: restore the file, or move the directory away.
    #[error("{} is damaged at byte {position}: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        position: u64,
        /// What was found.
        reason: String,
    },
    /// The log has a hole: batches that were acknowledged are gone.
    #[error("log of {feed}: batch {found} stands where {expected} should, batches between are missing")]
    Hole {
        /// Whose log.
        feed: String,
        /// The next that should be there.
        expected: u64,
        /// The next that is there.
        found: u64,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database behind the log, or behind the views, refused.
    #[error("database {}: {reason}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key file and the master key do not belong together.
    #[error("{} does not open with the master key beside it", .0.display())]
    MasterKey(PathBuf),
}

impl StoreError {
    /// Names the path of an I/O error.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Names the path of a database error.
    pub(super) fn database(path: &Path) -> impl FnOnce(fjall::Error) -> Self + '_ {
        move |error| Self::Database { path: path.to_owned(), reason: error.to_string() }
    }
}
