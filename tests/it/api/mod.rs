//! REST over real HTTP, against the engine on memory ports.

mod admin;
mod commands;
mod doors;
mod errors;
mod mine;
mod queue;
mod reading;
mod search;
pub(crate) mod world;
