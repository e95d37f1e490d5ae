//! A tenant as a file, to be moved from one store to another.
//!
//! ```text
//! file    := "deskwire tenant 1\n" record*
//! record  := kind u8 | length u32 | crc32c u32 over kind, length and payload | payload        (little endian)
//! payload := manifest (JSON)          first: whose log, its epoch, where it begins
//!          | baseline (postcard)      for a trimmed log: the views where it begins, in pieces
//!          | batch                    the log, byte for byte as it is stored, in order
//!          | directory (JSON)         the tenant's accounts and lines
//!          | secrets (sealed)         contacts' keys, carriers' secrets, people, in pieces
//!          | end (JSON)               counts, and the SHA-256 of all before
//! ```
//! Personal parts stay sealed as they are in the log; the keys that open them are sealed with a key of their own, which is
//! another file. A file without its end is not whole: it can be gone on with, and is never read by an import.
//!
//! Knows no store: whoever exports shows it a tenant, whoever imports is shown one.

mod read;
mod record;
mod seal;
#[cfg(test)]
mod tests;
mod write;

use std::path::PathBuf;

use actors::ports::{Anchor, Checkpoint, ContactKey, ViewWrite};
use schema::{
    event::SealedBatch,
    ids::{AccountId, BatchNumber, ChannelId, ContactId, Epoch, KeyId, Offset, OperatorId, TenantId},
};
use serde::{Deserialize, Serialize};

pub use self::{
    read::{Checked, check, contents},
    seal::TransferKey,
    write::Exporting,
};

/// What the file is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Whose.
    pub tenant: TenantId,
    /// The log's epoch: it stays the same, so that dashboards resume in the new place.
    pub epoch: Epoch,
    /// First offset of the log.
    pub oldest: Offset,
    /// Its batch.
    pub oldest_batch: BatchNumber,
    /// Version of the views, which a baseline is part of.
    pub views: u32,
}

impl Manifest {
    /// As stores have it.
    pub fn anchor(&self) -> Anchor {
        Anchor { epoch: self.epoch, oldest: self.oldest, oldest_batch: self.oldest_batch }
    }
}

/// A piece of the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselinePart {
    /// Where the baseline stands: offset and batch.
    at: (Offset, BatchNumber),
    /// What writes it again.
    pub writes: Vec<ViewWrite>,
}

impl BaselinePart {
    /// Of a baseline that stands there.
    pub fn new(at: Checkpoint, writes: Vec<ViewWrite>) -> Self {
        Self { at: (at.offset, at.batch), writes }
    }

    /// Where the whole baseline stands.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { offset: self.at.0, batch: self.at.1 }
    }
}

/// What the directory says of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Accounts, with the carrier's ids of them.
    pub accounts: Vec<(AccountId, String)>,
    /// Lines, with their accounts and numbers.
    pub lines: Vec<(ChannelId, AccountId, String)>,
}

/// Something that is sealed in the file. Its `Debug` is none: it would show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Secret {
    /// A contact's key.
    Key {
        /// Whose.
        contact: ContactId,
        /// Its id.
        id: KeyId,
        /// It.
        secret: [u8; 32],
    },
    /// The tenant's secret for address hashes.
    Hash([u8; 32]),
    /// An account's secrets, newest first.
    Account(AccountId, Vec<String>),
    /// A record of somebody who signs in.
    Person(OperatorId, Vec<u8>),
}

impl Secret {
    /// Of a key.
    pub fn of_key(contact: ContactId, key: &ContactKey) -> Self {
        Self::Key { contact, id: key.id, secret: key.secret }
    }
}

/// What a whole file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Batches.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// Offset after the last one.
    pub next_offset: Offset,
}

/// One thing of a file that is gone through.
pub enum Content {
    /// A piece of the baseline.
    Baseline(BaselinePart),
    /// A batch of the log.
    Batch(SealedBatch),
}

/// Why a file cannot be written, read or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The disk.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What.
        source: std::io::Error,
    },
    /// Not one of ours, or of a later version.
    #[error("{0} is no export of this version")]
    Foreign(PathBuf),
    /// Its bytes are not those that were written.
    #[error("{path} is damaged at byte {position}: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        position: u64,
        /// How it shows.
        reason: String,
    },
    /// The export has not come to its end.
    #[error("{0} has no end: the export was interrupted. Run it again, it goes on where it stopped")]
    Unfinished(PathBuf),
    /// What is sealed does not open.
    #[error("{path} was sealed with another key than {key}")]
    Key {
        /// The file.
        path: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The key's file is not one.
    #[error("{0} does not hold 32 bytes")]
    NoKey(PathBuf),
    /// What lies there is of another log, or of another part of it.
    #[error("{0} is an unfinished export of another log, or of one that was trimmed since: remove it first")]
    Stranger(PathBuf),
}

/// An error of the disk, with its file.
fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> TransferError + '_ {
    |source| TransferError::Io { path: path.to_owned(), source }
}
