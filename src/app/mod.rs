//! The only place that builds: ports from configuration, the engine on them, the edges on the engine.

mod build;
pub mod client;
mod cluster;
mod demo;
pub mod keys;
mod limits;
mod listener;
pub mod offline;
mod pace;
pub mod remote;
mod stores;
mod tls;
mod token;
pub mod transfer;
pub mod verify;

pub use crate::store::cql::Access;
pub use build::{Running, start};
pub use cluster::make_cluster_keys;
pub use listener::{Listener, ListenerLimits};
use schema::time::Stamp;
pub use stores::{Opened, Secrets, Stores, migrate, open_store};
pub use tls::Tls;
pub use token::token;

/// A time for people: RFC 3339, in seconds; none: beyond the calendar.
pub fn date(stamp: Stamp) -> Option<String> {
    let seconds = i64::try_from(stamp.0 / 1_000_000).ok()?;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}

/// The OpenAPI document of REST, for generators of clients.
pub fn openapi() -> anyhow::Result<String> {
    Ok(crate::api::document().to_pretty_json()?)
}
