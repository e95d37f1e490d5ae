//! The servers that tests start, for benches: a Redis, or Apache Cassandra, on free ports of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests' own code, by tests' own rules"
)]

#[path = "../../tests/it/support/authority.rs"]
pub mod authority;
#[path = "../../tests/it/support/cassandra.rs"]
pub mod cassandra;
#[path = "../../tests/it/support/process.rs"]
pub mod process;
#[path = "../../tests/it/support/redis.rs"]
pub mod redis;
#[path = "../../tests/it/support/wait.rs"]
pub mod wait;
