//! Tests of the embedded store as a whole.

mod commit;
mod contracts;
mod faulty;
mod keys;
mod offline;
mod recovery;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use actors::ports::{AppendError, Log};
use schema::{
    event::SealedBatch,
    ids::{FeedId, Offset},
};

use super::{Disk, EmbeddedStore};
use crate::store::StoreOptions;

/// Small enough that a handful of batches closes several segments; no reserve.
fn small() -> StoreOptions {
    StoreOptions { segment_bytes: 1_000, reserve_bytes: 0, view_memtable_bytes: 1 << 20, ..StoreOptions::default() }
}

/// One segment that never closes; no reserve.
fn one_segment() -> StoreOptions {
    StoreOptions { reserve_bytes: 0, ..StoreOptions::default() }
}

fn open_on(dir: &Path, options: &StoreOptions, disk: Arc<dyn Disk>) -> EmbeddedStore {
    EmbeddedStore::open_on(dir, options, disk).expect("the store opens")
}

async fn append(log: &dyn Log, batch: &SealedBatch) {
    log.append(batch.clone()).await.expect("an append works");
}

async fn all(log: &dyn Log, feed: &FeedId) -> Vec<SealedBatch> {
    log.read(feed, Offset(1), usize::MAX).await.expect("a read works")
}

fn is_unavailable<T: std::fmt::Debug>(result: &Result<T, AppendError>) -> bool {
    matches!(result, Err(AppendError::Unavailable { .. }))
}

/// Waits until a condition holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert!(waited.is_ok(), "{what} did not come to be within ten seconds");
}

/// Numbers of the segments that are on disk.
fn segments(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join("commit")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Everything that is in a directory, in order, with when it changed.
fn files(dir: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        files.extend(meta.modified().ok().map(|modified| (entry.path(), meta.len(), modified)));
        files.extend(self::files(&entry.path()));
    }
    files.sort();
    files
}

/// As after kill -9: what is on disk now, in another directory. False, and nothing is copied, if it changed meanwhile:
/// files of different moments are what no crash leaves.
fn copy_of_one_moment(from: &Path, to: &Path) -> bool {
    let before = files(from);
    let copied = try_copy(from, to).is_ok() && files(from) == before;
    if !copied {
        std::fs::remove_dir_all(to).unwrap();
    }
    copied
}

/// Copies a directory that nobody changes.
fn copy(from: &Path, to: &Path) {
    try_copy(from, to).unwrap();
}

fn try_copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            try_copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
