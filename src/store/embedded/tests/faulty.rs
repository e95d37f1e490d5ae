//! A disk that does as the test says.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use crate::store::embedded::disk::{Disk, RealDisk};

/// The real disk, unless told otherwise.
#[derive(Debug)]
pub(super) struct FaultyDisk {
    pub(super) free: AtomicU64,
    /// Writes stop half way: the disk is full.
    pub(super) full: AtomicBool,
    /// Every fsync fails.
    pub(super) broken: AtomicBool,
    pub(super) syncs: AtomicUsize,
    held: Mutex<bool>,
    released: Condvar,
}

impl Default for FaultyDisk {
    fn default() -> Self {
        Self {
            free: AtomicU64::new(u64::MAX),
            full: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            syncs: AtomicUsize::new(0),
            held: Mutex::new(false),
            released: Condvar::new(),
        }
    }
}

impl FaultyDisk {
    /// From here on an fsync does not return until [`Self::release`].
    pub(super) fn hold(&self) {
        *self.held.lock().unwrap() = true;
    }

    pub(super) fn release(&self) {
        *self.held.lock().unwrap() = false;
        self.released.notify_all();
    }
}

impl Disk for FaultyDisk {
    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free.load(Ordering::SeqCst))
    }

    fn write_at(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            RealDisk.write_at(file, &bytes[..bytes.len() / 2], position)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        RealDisk.write_at(file, bytes, position)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        drop(self.released.wait_while(self.held.lock().unwrap(), |held| *held).unwrap());
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is broken"));
        }
        RealDisk.sync(file)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        RealDisk.truncate(file, length)
    }
}
