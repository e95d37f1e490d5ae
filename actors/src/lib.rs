//! Who decides: ports, tenants, conversations, feeds, outbox lanes and the projector.
//!
//! Knows nothing of HTTP, CQL or Redis. No actix type leaves this crate: callers hold plain handles.

mod arbiters;
pub mod baseline;
pub mod catch_up;
#[cfg(any(test, feature = "contracts"))]
pub mod contracts;
pub mod conversation;
pub mod directory;
pub mod engine;
pub mod feed;
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
pub mod tenant;
pub mod trace;
pub mod vault;
