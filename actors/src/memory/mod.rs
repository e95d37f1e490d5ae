//! In-memory implementations of the ports: for tests, and as the simplest reading of each contract.

mod search;

pub use search::MemorySearch;
