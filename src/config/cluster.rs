//! The section about other nodes. Defaults and reasons: config/default.toml.

use std::{net::SocketAddr, path::PathBuf};

use super::section::{Millis, Seconds, section};

section! {
    /// Other nodes.
    Cluster("cluster") {
        /// Whether there are any.
        enabled: bool, "true or false; true only with store.kind = \"cql\" and limits.kind = \"redis\"";
        /// What this cluster is called.
        name: String, "a name";
        /// Where gossip arrives.
        gossip_listen: SocketAddr, "the address and port where other nodes reach this one, such as 10.0.0.1:7946";
        /// Where the relay answers.
        relay_listen: SocketAddr, "the address and port where other nodes reach this one, such as 10.0.0.1:7947";
        /// Some members.
        seeds: Vec<String>, "a list of host:port, such as [\"10.0.0.1:7946\", \"nodes.internal:7946\"]";
        /// What gossip is signed with.
        secret_file: PathBuf, "the path of a file";
        /// The authority of nodes' certificates.
        ca_file: PathBuf, "the path of a PEM file";
        /// This node's certificate.
        certificate_file: PathBuf, "the path of a PEM file";
        /// Its private key.
        key_file: PathBuf, "the path of a PEM file";
        /// This node's share of tenants.
        weight: u32, 0..=1_000;
        /// Between two rounds of gossip.
        gossip_interval_ms: Millis, 50..=10_000;
        /// How many usual intervals a member may be silent.
        silent_intervals: u32, 3..=100;
        /// How long an owner is sure that it is one.
        confirm_within_ms: Millis, 500..=60_000;
        /// How long a member may be out of reach.
        suspect_after_ms: Millis, 100..=60_000;
        /// Takeovers in a second.
        takeovers_per_s: u32, 1..=100_000;
        /// How long members stay the same before tenants move to their places.
        settle_s: Seconds, 1..=86_400;
        /// Tenants that a node gives away in a second while it serves.
        moves_per_s: u32, 0..=10_000;
        /// Time for an owner's answer.
        answer_within_ms: Millis, 500..=60_000;
        /// Between two looks at the wake index.
        wake_interval_ms: Millis, 100..=60_000;
        /// Time to give tenants away at the end.
        hand_over_ms: Millis, 0..=600_000;
    }
}
