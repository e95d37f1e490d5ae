//! Who decides: ports, tenants, conversations, feeds, outbox lanes and the projector.
//!
//! Knows nothing of HTTP, CQL or Redis. No actix type leaves this crate: callers hold plain handles.

/// Whether a fault is planted here, to be caught by the simulation. Only this crate's own unit tests know faults: in every
/// other build this is `false`, and what it guards is compiled out.
#[cfg(test)]
macro_rules! planted {
    ($fault:ident) => {
        $crate::simulation::planted($crate::simulation::Fault::$fault)
    };
}
/// No fault is planted outside this crate's own unit tests.
#[cfg(not(test))]
macro_rules! planted {
    ($fault:ident) => {
        false
    };
}

mod arbiters;
pub mod baseline;
pub mod catch_up;
pub mod cluster;
#[cfg(any(test, feature = "contracts"))]
pub mod contracts;
pub mod conversation;
pub mod directory;
pub mod engine;
pub mod feed;
pub mod figures;
pub mod follower;
pub mod handle;
pub mod indexer;
mod listings;
pub mod memory;
pub mod outbox;
pub mod pace;
pub mod ports;
pub mod presence;
pub mod projector;
pub mod reader;
#[cfg(test)]
mod simulation;
pub mod tenant;
pub mod trace;
pub mod vault;
mod watermark;
