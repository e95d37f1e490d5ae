//! What tests of the whole share: the real binary as a process, waiting with a deadline, reading Rust as text.

#[allow(dead_code, reason = "a shared harness: not every helper has a user in every commit")]
pub mod authority;
pub mod cassandra;
#[allow(dead_code, reason = "a shared harness: not every helper has a user in every commit")]
pub mod clients;
pub mod cql_cluster;
pub mod process;
#[allow(dead_code, reason = "a shared harness: not every helper has a user in every commit")]
pub mod redis;
pub mod scan;
#[allow(dead_code, reason = "a shared harness: not every helper has a user in every commit")]
pub mod wait;
