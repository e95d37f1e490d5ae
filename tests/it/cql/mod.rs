//! The CQL store on a real server: the contract suites that memory and the embedded store keep, and what only it does.

mod contracts;
mod doors;
mod engine;
mod format;
mod lease;
mod log;
mod sealed;
mod transfer;
pub mod world;
