//! Other nodes: membership by gossip (chitchat), and the relay between two of them (gRPC over mutual TLS).
//!
//! Knows nothing of tenants: who owns one is in the log, and decided in `actors::cluster`.

mod gossip;
mod keys;
mod relay;
mod signed;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actors::ports::{Cluster, Member, MemberState, Peer};
use dashmap::DashMap;
use schema::ids::NodeId;

use self::{
    gossip::Gossip,
    relay::{Client, Relay},
};
pub use self::{
    keys::{KeysError, make as make_keys},
    relay::Identity,
};

/// Why this node cannot join.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The gossip's or the relay's address.
    #[error("{key} = \"{address}\" cannot be bound: {reason}")]
    Bind {
        /// Which key names it.
        key: &'static str,
        /// What it says.
        address: SocketAddr,
        /// Why not.
        reason: String,
    },
    /// Nobody hears this node, and somebody has said why.
    #[error("{0}")]
    Refused(String),
    /// The certificates of the relay.
    #[error("the relay's certificates cannot be used: {0}")]
    Certificates(String),
}

/// How a node joins.
pub struct ClusterConfig {
    /// Its name.
    pub node: NodeId,
    /// Nodes of another cluster are not heard.
    pub name: String,
    /// What every datagram is signed with.
    pub secret: Vec<u8>,
    /// Where gossip arrives; other nodes must reach it there.
    pub gossip: SocketAddr,
    /// Where the relay answers; other nodes must reach it there.
    pub relay: SocketAddr,
    /// Some members' gossip addresses, `host:port`.
    pub seeds: Vec<String>,
    /// This node's share.
    pub weight: u32,
    /// Between two rounds of gossip.
    pub gossip_interval: Duration,
    /// A member that is silent for so many of its usual intervals is dead.
    pub silent_intervals: u32,
    /// Certificates.
    pub identity: Identity,
    /// Larger at each start of the same node: the clock, as a rule.
    pub generation: u64,
}

/// This node among others.
pub struct Nodes {
    me: NodeId,
    gossip: Gossip,
    relay: Relay,
    peers: DashMap<NodeId, Arc<Client>>,
    identity: Identity,
}

impl Nodes {
    /// Binds both addresses and looks for others, a while if there are none; refused where there are others and none of
    /// them takes this node for one of theirs: alone it would take all of their tenants for nobody's. Nobody is answered
    /// before [`Nodes::open`].
    pub async fn join(config: ClusterConfig) -> Result<Arc<Self>, ClusterError> {
        let relay = Relay::bind(config.relay, &config.identity)?;
        let (me, identity) = (config.node.clone(), config.identity.clone());
        let gossip = Gossip::start(config).await?;
        gossip.settle().await?;
        Ok(Arc::new(Self { me, gossip, relay, peers: DashMap::new(), identity }))
    }

    /// From now on other nodes are answered.
    pub fn open(&self, door: Arc<dyn Peer>) {
        self.relay.open(door);
    }

    /// Says that this node has left, and waits until that had time to spread.
    pub async fn leave(&self) {
        self.gossip.leave().await;
        self.relay.close();
    }
}

impl Cluster for Nodes {
    fn members(&self) -> Arc<[Member]> {
        self.gossip.members()
    }

    fn peer(&self, node: &NodeId) -> Option<Arc<dyn Peer>> {
        if *node == self.me {
            return None;
        }
        let address = self.gossip.members().iter().find(|member| member.node == *node)?.address.clone();
        if let Some(known) = self.peers.get(node).filter(|known| known.address() == address) {
            return Some(known.clone());
        }
        let client = Arc::new(Client::new(address, self.identity.clone()));
        self.peers.insert(node.clone(), client.clone());
        Some(client)
    }

    fn tell(&self, state: MemberState) {
        self.gossip.tell(state);
    }
}
