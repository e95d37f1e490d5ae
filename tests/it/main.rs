//! Tests of the whole: one binary, real HTTP and WebSocket.

mod api;
mod stream;
