//! Shared pace on real Redis servers: the script against its model, several limiters of one limit under faults, failover.

mod binary;
mod faults;
mod model;
mod tls;
mod world;
