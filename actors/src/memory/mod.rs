//! In-memory implementations of the ports: for tests, and as the simplest reading of each contract.
//!
//! `SystemClock` and `SystemIds` are also the real ones. The others keep nothing when the process ends.

mod carrier;
mod clock;
mod cluster;
mod gate;
mod grants;
mod keys;
mod log;
mod search;
mod snapshots;
mod tables;
mod views;

pub use carrier::RecordingCarrier;
pub use clock::{ManualClock, SystemClock, SystemIds};
pub use cluster::MemoryCluster;
pub use grants::{GrantTable, MemoryGrants};
pub use keys::MemoryKeys;
pub use log::{Failure, MemoryLog};
pub use search::MemorySearch;
pub use snapshots::MemorySnapshots;
pub use views::MemoryViews;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a holder panicked: every change under these locks is one that cannot be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
