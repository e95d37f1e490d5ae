//! Nodes of one process that reach each other through memory, with links that a test cuts.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use schema::{event::WriteVersion, ids::NodeId};
use tokio::sync::{mpsc, watch};

use super::lock;
use crate::ports::{Asked, Cluster, Follow, Followed, Following, Member, MemberState, Peer, PeerAnswer, PeerError};

/// What is under way on one link.
const UNDER_WAY: usize = 16;

/// All nodes and the links between them.
#[derive(Default)]
pub struct MemoryCluster {
    nodes: Mutex<BTreeMap<NodeId, Kept>>,
    cuts: watch::Sender<HashSet<(NodeId, NodeId)>>,
}

struct Kept {
    member: Member,
    door: Option<Arc<dyn Peer>>,
}

/// The cluster as one node sees it.
struct Seen {
    all: Arc<MemoryCluster>,
    me: NodeId,
}

/// One link.
struct Link {
    all: Arc<MemoryCluster>,
    from: NodeId,
    to: NodeId,
}

impl MemoryCluster {
    /// A node joins; it is asked nothing before it opens its door.
    pub fn join(self: &Arc<Self>, node: &NodeId, reads: WriteVersion) -> Arc<dyn Cluster> {
        let (state, address) = (MemberState::Joining, format!("memory/{node}"));
        let member = Member { node: node.clone(), state, weight: 1, address, reads };
        lock(&self.nodes).insert(node.clone(), Kept { member, door: None });
        Arc::new(Seen { all: self.clone(), me: node.clone() })
    }

    /// From now on a node answers others.
    pub fn open(&self, node: &NodeId, door: Arc<dyn Peer>) {
        if let Some(kept) = lock(&self.nodes).get_mut(node) {
            kept.door = Some(door);
        }
    }

    /// What goes from one node to another gets lost.
    pub fn cut(&self, from: &NodeId, to: &NodeId) {
        self.cuts.send_modify(|cuts| {
            cuts.insert((from.clone(), to.clone()));
        });
    }

    /// Nobody hears of a node any more, and it hears of nobody.
    pub fn isolate(&self, node: &NodeId) {
        let others: Vec<NodeId> = lock(&self.nodes).keys().filter(|other| *other != node).cloned().collect();
        for other in others {
            self.cut(node, &other);
            self.cut(&other, node);
        }
    }

    /// Every link works again.
    pub fn heal(&self) {
        self.cuts.send_modify(HashSet::clear);
    }

    fn is_cut(&self, from: &NodeId, to: &NodeId) -> bool {
        self.cuts.borrow().contains(&(from.clone(), to.clone()))
    }
}

impl Cluster for Seen {
    fn members(&self) -> Arc<[Member]> {
        let nodes = lock(&self.all.nodes);
        let heard = |node: &NodeId| *node == self.me || !self.all.is_cut(node, &self.me);
        nodes.values().filter(|kept| heard(&kept.member.node)).map(|kept| kept.member.clone()).collect()
    }

    fn peer(&self, node: &NodeId) -> Option<Arc<dyn Peer>> {
        let link = Link { all: self.all.clone(), from: self.me.clone(), to: node.clone() };
        (*node != self.me).then(|| Arc::new(link) as Arc<dyn Peer>)
    }

    fn tell(&self, state: MemberState) {
        if let Some(kept) = lock(&self.all.nodes).get_mut(&self.me) {
            kept.member.state = state;
        }
    }
}

impl Link {
    fn door(&self) -> Result<Arc<dyn Peer>, PeerError> {
        if self.all.is_cut(&self.from, &self.to) {
            return Err(PeerError::Unreachable("cut".to_owned()));
        }
        let nodes = lock(&self.all.nodes);
        let kept = nodes.get(&self.to).ok_or_else(|| PeerError::Unreachable("no such node".to_owned()))?;
        kept.door.clone().ok_or(PeerError::Moving)
    }

    fn comes_back(&self) -> Result<(), PeerError> {
        match self.all.is_cut(&self.to, &self.from) {
            true => Err(PeerError::Unknown("cut".to_owned())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Peer for Link {
    async fn ask(&self, asked: Asked) -> Result<PeerAnswer, PeerError> {
        let answer = self.door()?.ask(asked).await;
        self.comes_back()?;
        answer
    }

    async fn follow(&self, follow: Follow) -> Result<Following, PeerError> {
        let following = self.door()?.follow(follow).await?;
        self.comes_back()?;
        let (to, taken) = mpsc::channel(UNDER_WAY);
        let cuts = self.all.cuts.subscribe();
        tokio::spawn(carry(following, to, cuts, (self.to.clone(), self.from.clone())));
        Ok(taken)
    }
}

/// Until the link is cut: then nothing comes any more, and nobody is told.
async fn carry(
    mut following: Following,
    to: mpsc::Sender<Followed>,
    mut cuts: watch::Receiver<HashSet<(NodeId, NodeId)>>,
    link: (NodeId, NodeId),
) {
    loop {
        let cut = async { drop(cuts.wait_for(|cuts| cuts.contains(&link)).await) };
        let next = tokio::select! {
            biased;
            () = cut => break,
            next = following.recv() => next,
        };
        let Some(next) = next else { return };
        if to.send(next).await.is_err() {
            return;
        }
    }
    to.closed().await;
}
