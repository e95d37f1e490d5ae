//! Stores: implementations of the Log, Views and Keys ports, side by side.
//!
//! Knows ports and schema. Knows no actor, no edge, and no other adapter.

pub mod cql;
pub mod embedded;
mod tables;
pub mod transfer;

use serde::Deserialize;

pub use self::tables::{Adopt, AdoptError, PersonRow, Tables};

/// Settings of the embedded store. Sizes are bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {
    /// A commit segment is closed, and its batches are moved into rows, when it is this long. Smaller: less to read
    /// at start; larger: fewer and larger moves.
    pub segment_bytes: u64,
    /// Nothing is accepted while the disk has less than this free: what is written in the background behind an
    /// accepted batch (rows, views, compaction) needs room too.
    pub reserve_bytes: u64,
    /// Batches on disk that are not yet rows; beyond it appends are refused until the mover has caught up.
    pub max_unmoved_bytes: u64,
    /// Appends that may wait for the committer; beyond it they are refused.
    pub commit_queue: usize,
    /// Most that is joined into one write and one fsync.
    pub commit_group_bytes: usize,
    /// Key operations that may wait for the key file's writer; beyond it they are refused.
    pub key_queue: usize,
    /// Cache for rows of the log. Only lagging readers and rebuilds read them.
    pub log_cache_bytes: u64,
    /// Cache for views.
    pub view_cache_bytes: u64,
    /// A table of recent view writes is flushed to disk at this size; up to four of them can wait.
    pub view_memtable_bytes: u64,
    /// Most disk that the journal of the views takes; at least 64 MiB.
    pub view_journal_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 32 << 20,
            reserve_bytes: 1 << 30,
            max_unmoved_bytes: 512 << 20,
            commit_queue: 4_096,
            commit_group_bytes: 8 << 20,
            key_queue: 4_096,
            log_cache_bytes: 16 << 20,
            view_cache_bytes: 128 << 20,
            view_memtable_bytes: 32 << 20,
            view_journal_bytes: 256 << 20,
        }
    }
}
