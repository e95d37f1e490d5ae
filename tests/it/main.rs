//! Tests of the whole: one binary, real HTTP and WebSocket.

mod stream;
mod webhook;
