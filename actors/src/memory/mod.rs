//! In-memory implementations of the ports: for tests, and as the simplest reading of each contract.

mod carrier;
mod clock;
mod keys;
mod log;
mod views;

pub use self::{
    carrier::RecordingCarrier,
    clock::{ManualClock, SystemClock, SystemIds},
    keys::MemoryKeys,
    log::{MemoryLog, Mishap},
    views::MemoryViews,
};
