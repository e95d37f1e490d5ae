//! What is said and kept: ids, events, commands, frames and codes.
//!
//! This crate imports nothing of ours and does no I/O. Whatever is serialized, to disk or to the wire,
//! is a type of this crate.

pub mod address;
pub mod codes;
pub mod command;
pub mod cql;
pub mod event;
pub mod figures;
pub mod frame;
pub mod ids;
pub mod message;
pub mod page;
pub mod pause;
pub mod person;
pub mod problem;
pub mod queue;
pub mod rest;
pub mod role;
pub mod seal;
pub mod segments;
pub mod settings;
pub mod time;
pub mod transfer;
pub mod wire;
