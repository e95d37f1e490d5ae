//! Contract suites: one per port, run on every implementation.

pub mod limiter;
pub mod search;
