//! The tests of the whole: one binary, one module a subject. Real HTTP, WebSocket and processes.
#![allow(clippy::disallowed_methods, reason = "tests drive the real binary from outside: real time, real environment")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod architecture;
mod bench;
mod carrier_memory;
mod cluster;
mod configuration;
mod cql;
mod crash;
mod demo;
mod desk;
mod faults;
mod hostile;
mod keys;
mod load;
mod pace;
mod phone;
mod readme;
mod roles;
mod serving;
mod stop;
mod stream;
mod stream_clients;
mod support;
mod tls;
mod traces;
mod webhook;
