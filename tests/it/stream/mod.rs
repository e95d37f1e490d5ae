//! The operators' stream, over a real WebSocket against the engine on memory ports.

mod codes;
mod inbox;
mod lifecycle;
mod world;
