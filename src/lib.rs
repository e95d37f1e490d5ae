//! How Deskwire touches the world.
//!
//! Edges (`webhook`, `session`, `api`, `page`) see handles, ports, schema, config and auth; never adapters, never each other.
//! Adapters (`channels`, `store`, `limit`, `cluster`, `search`, `figures`) see ports, schema and config; never each other, never an actor.
//! Only `app` builds; only `config` reads the environment.

pub mod api;
pub mod app;
pub mod auth;
pub mod channels;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod figures;
pub mod limit;
pub mod page;
pub mod search;
pub mod session;
pub mod store;
pub mod telemetry;
pub mod webhook;
