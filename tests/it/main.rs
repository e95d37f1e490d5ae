//! Tests of the whole: one binary, real HTTP and WebSocket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod stream;
mod stream_clients;
