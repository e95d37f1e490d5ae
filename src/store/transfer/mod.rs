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

use actors::ports::{Anchor, Checkpoint, ViewWrite};
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, Offset},
    transfer::Manifest,
};

pub use self::{
    read::{Checked, check, contents},
    seal::TransferKey,
    write::Exporting,
};

/// Where the log of a file begins, as stores have it.
pub fn anchor(manifest: &Manifest) -> Anchor {
    Anchor { epoch: manifest.epoch, oldest: manifest.oldest, oldest_batch: manifest.oldest_batch }
}

/// A piece of the baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselinePart {
    /// Where the whole baseline stands.
    pub at: Checkpoint,
    /// What writes it again.
    pub writes: Vec<ViewWrite>,
}

impl BaselinePart {
    fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_stdvec(&(self.at.offset, self.at.batch, &self.writes))
    }

    fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (offset, batch, writes): (Offset, BatchNumber, Vec<ViewWrite>) = postcard::from_bytes(bytes)?;
        Ok(Self { at: Checkpoint { offset, batch }, writes })
    }
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
