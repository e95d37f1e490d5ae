//! What an attacker tries, as standing tests: docs/security.md says what each guards.

mod clients;
mod frames;
mod handshake;
mod http;
mod logs;
mod media;
mod raw;
mod tenants;
mod text;
