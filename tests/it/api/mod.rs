//! REST over real HTTP, against the engine on memory ports.

mod admin;
mod commands;
mod doors;
mod errors;
mod queue;
mod reading;
mod search;
pub(crate) mod world;
