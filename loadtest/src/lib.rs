//! What the engine can take, seen from outside: a simulated carrier with a strict meter, and callers who use it.
//!
//! A black box: it speaks HTTP and WebSocket like any stranger, and knows `schema` only. Tests start the carrier in
//! their own process; `loadtest carrier` runs it by itself.

pub mod bench;
pub mod carrier;
pub mod demo;
pub mod load;
pub mod meter;
pub mod signature;
