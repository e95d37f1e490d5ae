//! The servers that tests start, for benches: a Redis, or Apache Cassandra, on free ports of this machine.

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
