//! The embedded store: one directory of one process.
//!
//! The way of a batch: the committer joins it with others into one frame of the commit file and one fsync
//! (`committer`, `stage`, `append`, `frame`); it is then readable through the feeds' table (`feeds`). A closed segment
//! becomes tenant-ordered rows (`mover`, `rows`) and is deleted. At start the segments that are left are replayed
//! (`recovery`). Views are written by the projector, behind the log (`views`).

mod adopt;
mod append;
mod committer;
mod database;
mod directory;
mod disk;
mod error;
mod feeds;
mod frame;
mod keys;
mod log;
mod mover;
pub mod offline;
mod record;
mod recovery;
mod rows;
mod stage;
#[cfg(test)]
mod tests;
mod views;

use std::{
    fs::File,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use actors::ports::{Keys, Log, Views};

use self::{
    adopt::EmbeddedAdopt,
    committer::{Closed, Committer, Job},
    disk::{Disk, RealDisk},
    feeds::Feeds,
    recovery::{Recovered, recover},
    rows::Rows,
    stage::{Stage, Work},
};
pub use self::{
    error::StoreError,
    keys::EmbeddedKeys,
    log::EmbeddedLog,
    views::{EmbeddedViews, ViewRow},
};
use super::{Adopt, StoreOptions, Tables};

/// An open data directory.
pub struct EmbeddedStore {
    log: Arc<EmbeddedLog>,
    views: EmbeddedViews,
    keys: Arc<EmbeddedKeys>,
    running: Mutex<Option<Running>>,
}

/// What ends with the store.
struct Running {
    threads: Vec<JoinHandle<()>>,
    rows: Arc<Rows>,
    /// Held as long as the store is open.
    _lock: File,
}

impl EmbeddedStore {
    /// Opens a directory, made if it is missing, for this process alone; mends what a crash left, and says so.
    /// Damage before the end of the log is an error.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_on(dir, options, Arc::new(RealDisk))
    }

    /// Makes a new master key and seals every contact's key and carrier's secret anew under it; returns how many. Only
    /// while no process has the directory open.
    pub fn reseal(dir: &Path) -> Result<usize, StoreError> {
        let _lock = directory::take(dir)?;
        keys::reseal(&dir.join("keys"), &(Arc::new(RealDisk) as Arc<dyn Disk>))
    }

    /// Drops the views, whatever is in them: the next [`Self::open`] begins new ones, to be made from baseline and log. Only
    /// while no process has the directory open.
    pub fn drop_views(dir: &Path) -> Result<(), StoreError> {
        let _lock = directory::take(dir)?;
        let (views, _) = directory::views(dir)?;
        match std::fs::remove_dir_all(&views) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(&views)(error)),
            _ => Ok(()),
        }
    }

    fn open_on(dir: &Path, options: &StoreOptions, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let lock = directory::take(dir)?;
        let rows = Arc::new(Rows::open(&dir.join("log"), options.log_cache_bytes)?);
        let commit = dir.join("commit");
        let Recovered { feeds, mut active, closed } = recover(&commit, &rows, &disk)?;
        let feeds = Arc::new(feeds);
        let (views, baseline) = directory::views(dir)?;
        let views = EmbeddedViews::open(&views, &baseline, options, disk.clone(), feeds.clone())?;
        recovery::compare(&feeds, &views, &mut active)?;
        let (keys, keys_thread) = EmbeddedKeys::open(&dir.join("keys"), options, disk.clone())?;
        let (mover, mover_thread) = start_mover(closed, options, &feeds, &rows).map_err(StoreError::io(dir))?;
        let committer = Committer {
            dir: commit,
            disk,
            options: options.clone(),
            feeds: feeds.clone(),
            rows: rows.clone(),
            active,
            mover,
            stage: Stage::default(),
            stopped: None,
        };
        let (queue, jobs) = sync_channel::<Job>(options.commit_queue);
        let committing = std::thread::Builder::new().name("commit".to_owned()).spawn(move || committer.run(&jobs));
        let threads = vec![committing.map_err(StoreError::io(dir))?, mover_thread, keys_thread];
        let log = Arc::new(EmbeddedLog { queue, feeds, rows: rows.clone() });
        let running = Mutex::new(Some(Running { threads, rows, _lock: lock }));
        Ok(Self { log, views, keys: Arc::new(keys), running })
    }

    /// The log.
    pub fn log(&self) -> Arc<dyn Log> {
        self.log.clone()
    }

    /// The views.
    pub fn views(&self) -> Arc<dyn Views> {
        Arc::new(self.views.clone())
    }

    /// A second set of views at `dir`, over the same baselines, to be compared with the first.
    pub fn scratch_views(&self, dir: &Path, options: &StoreOptions) -> Result<EmbeddedViews, StoreError> {
        self.views.scratch(dir, options)
    }

    /// The keys.
    pub fn keys(&self) -> Arc<dyn Keys> {
        self.keys.clone()
    }

    /// Carriers' secrets and people who sign in.
    pub fn tables(&self) -> Arc<dyn Tables> {
        self.keys.clone()
    }

    /// The door for a tenant that comes from another store.
    pub fn adopt(&self) -> Arc<dyn Adopt> {
        Arc::new(EmbeddedAdopt { keys: self.keys.clone(), log: self.log.clone() })
    }

    /// Finishes what was accepted, flushes, and lets go of the directory. Whoever still holds a port gets errors.
    /// Blocks; a second call does nothing.
    pub fn close(&self) {
        let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let (reply, _) = tokio::sync::oneshot::channel();
        // An error says that it has ended already.
        let _ = self.log.queue.send(Job { work: Work::Close, reply });
        self.keys.close();
        for thread in running.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
        self.views.close();
        running.rows.close();
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.close();
    }
}

fn start_mover(
    closed: Vec<Closed>,
    options: &StoreOptions,
    feeds: &Arc<Feeds>,
    rows: &Arc<Rows>,
) -> std::io::Result<(SyncSender<Closed>, JoinHandle<()>)> {
    // Room for all that may be unmoved, so that the committer never waits here.
    let most = options.max_unmoved_bytes / options.segment_bytes.max(1) + 2;
    let (mover, queue) = sync_channel(closed.len() + usize::try_from(most).unwrap_or(1_024).min(65_536));
    for segment in closed {
        mover.send(segment).expect("the receiver is in hand, with room for all of them");
    }
    let (feeds, rows) = (feeds.clone(), rows.clone());
    let thread =
        std::thread::Builder::new().name("mover".to_owned()).spawn(move || mover::run(&queue, &feeds, &rows))?;
    Ok((mover, thread))
}
