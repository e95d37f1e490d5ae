//! The operators' stream, over a real WebSocket against the engine on memory ports.

mod codes;
mod desk;
mod filters;
mod inbox;
mod lifecycle;
pub(crate) mod world;
