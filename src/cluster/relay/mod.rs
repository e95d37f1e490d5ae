//! The relay: one node asks another, and follows a feed there. gRPC over mutual TLS; messages are bytes of our own.
//!
//! A message is a version, then JSON (questions and answers, where fields may come) or, in a follow, a kind and its
//! content. Two neighbouring versions understand each other.

mod client;
mod codec;
mod server;
#[cfg(test)]
mod tests;

pub(super) use self::{
    client::Client,
    codec::{VERSION, understands},
    server::Relay,
};

/// Where questions go, and where follows begin.
const ASK: &str = "/deskwire.Relay/Ask";
const FOLLOW: &str = "/deskwire.Relay/Follow";
/// Longest message: a batch of 512 KiB, or who is online on a node.
const MESSAGE_MAX: usize = 8 << 20;

/// This node's certificate and key, and the authority of all of them; PEM.
#[derive(Clone)]
pub struct Identity {
    /// The authority's certificate.
    pub authority: String,
    /// This node's, signed by it, for the name `deskwire-node`.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}
