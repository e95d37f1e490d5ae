//! What is between nodes: gossip that learns late, links that are cut one way or both, questions and answers that get
//! lost, questions that come twice, feeds that fall silent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use schema::{event::WriteVersion, ids::NodeId};
use tokio::sync::mpsc;

use super::world::World;
use crate::{
    engine::Engine,
    ports::{Asked, Cluster, Follow, Followed, Following, Member, MemberState, Peer, PeerAnswer, PeerError, Question},
    tenant::ticket::Identity,
};

/// Until gossip no longer names a node that was not heard of.
const NOTICED_WITHIN: Duration = Duration::from_millis(1_500);
/// What is under way on one link.
const UNDER_WAY: usize = 16;
/// What gets lost of questions and answers, in thousandths.
const LOST: u64 = 10;

/// What comes a second time, later, in thousandths.
const REPEATED: u64 = 30;
/// Until then, at most, in milliseconds.
const REPEATED_WITHIN: u64 = 4_000;

/// All nodes, and what is between them.
pub(super) struct Links {
    world: Arc<World>,
    nodes: Mutex<BTreeMap<NodeId, Kept>>,
    cuts: Mutex<BTreeMap<(NodeId, NodeId), Duration>>,
}

struct Kept {
    state: MemberState,
    /// Where it answers: its life.
    door: Option<(u32, Engine)>,
    /// Since when it is not there.
    gone: Option<Duration>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Links {
    pub(super) fn new(world: Arc<World>) -> Arc<Self> {
        Arc::new(Self { world, nodes: Mutex::default(), cuts: Mutex::default() })
    }

    /// A node starts.
    pub(super) fn join(self: &Arc<Self>, node: &NodeId, life: u32) -> Arc<dyn Cluster> {
        let kept = Kept { state: MemberState::Joining, door: None, gone: None };
        lock(&self.nodes).insert(node.clone(), kept);
        Arc::new(Seen { links: self.clone(), me: node.clone(), life })
    }

    /// From now on it answers.
    pub(super) fn open(&self, node: &NodeId, life: u32, engine: Engine) {
        if let Some(kept) = lock(&self.nodes).get_mut(node) {
            kept.door = Some((life, engine));
        }
    }

    /// It is not there any more.
    pub(super) fn leave(&self, node: &NodeId) {
        let now = self.world.state().now();
        if let Some(kept) = lock(&self.nodes).get_mut(node) {
            (kept.door, kept.gone) = (None, Some(now));
        }
    }

    /// What goes from one to the other gets lost.
    pub(super) fn cut(&self, from: &NodeId, to: &NodeId) {
        let now = self.world.state().now();
        lock(&self.cuts).entry((from.clone(), to.clone())).or_insert(now);
        self.world.state().note(format_args!("{to} no longer hears {from}"));
    }

    pub(super) fn heal(&self) {
        lock(&self.cuts).clear();
        self.world.state().note(format_args!("all hear all"));
    }

    fn is_cut(&self, from: &NodeId, to: &NodeId) -> bool {
        lock(&self.cuts).contains_key(&(from.clone(), to.clone()))
    }

    fn door(&self, from: &NodeId, to: &NodeId) -> Result<(u32, Engine), PeerError> {
        if self.is_cut(from, to) {
            return Err(PeerError::Unreachable("cut".to_owned()));
        }
        let nodes = lock(&self.nodes);
        match nodes.get(to) {
            Some(kept) if kept.gone.is_none() => kept.door.clone().ok_or(PeerError::Moving),
            _ => Err(PeerError::Unreachable("nobody answers there".to_owned())),
        }
    }

    fn loses(&self) -> bool {
        let state = &mut *self.world.state();
        !state.calm && state.dice.permille(LOST)
    }
}

/// The cluster as one life of one node sees it.
struct Seen {
    links: Arc<Links>,
    me: NodeId,
    life: u32,
}

impl Cluster for Seen {
    fn members(&self) -> Arc<[Member]> {
        let now = self.links.world.state().now();
        let unheard: BTreeSet<NodeId> = {
            let cuts = lock(&self.links.cuts);
            let long = cuts.iter().filter(|((_, to), since)| *to == self.me && **since + NOTICED_WITHIN <= now);
            long.map(|((from, _), _)| from.clone()).collect()
        };
        let nodes = lock(&self.links.nodes);
        let listed = nodes.iter().filter(|(node, kept)| {
            let there = kept.gone.is_none_or(|since| now < since + NOTICED_WITHIN);
            **node == self.me || there && !unheard.contains(*node)
        });
        let member = |(node, kept): (&NodeId, &Kept)| Member {
            node: node.clone(),
            state: kept.state,
            weight: 1,
            address: format!("simulated/{node}"),
            reads: WriteVersion::NEWEST,
        };
        listed.map(member).collect()
    }

    fn peer(&self, node: &NodeId) -> Option<Arc<dyn Peer>> {
        let link = Link { links: self.links.clone(), life: self.life, from: self.me.clone(), to: node.clone() };
        (*node != self.me).then(|| Arc::new(link) as Arc<dyn Peer>)
    }

    fn tell(&self, state: MemberState) {
        if !self.links.world.state().is_up(self.life) {
            return;
        }
        if let Some(kept) = lock(&self.links.nodes).get_mut(&self.me) {
            kept.state = state;
        }
    }
}

/// One link, one way.
struct Link {
    links: Arc<Links>,
    life: u32,
    from: NodeId,
    to: NodeId,
}

impl Link {
    /// The other end, if the question gets there.
    async fn reach(&self, what: &str) -> Result<(u32, Engine), PeerError> {
        let world = &self.links.world;
        world.step(self.life, what, 5).await;
        let (life, engine) = self.links.door(&self.from, &self.to)?;
        if self.links.loses() {
            return Err(PeerError::Unreachable("as the seed has it".to_owned()));
        }
        // It takes connections while it stands still.
        world.moves(life).await;
        Ok((life, engine))
    }

    /// The same question comes there again, and nobody waits for its answer. Commands that are not known by their identity
    /// are asked once by whoever asks, and not repeated by what carries them.
    fn repeat(&self, life: u32, engine: &Engine, asked: &Asked) {
        let state = &mut *self.links.world.state();
        let is_once = matches!(&asked.question, Question::Submit(request) if Identity::of(request).is_none());
        if state.calm || is_once || !state.dice.permille(REPEATED) {
            return;
        }
        let wait = state.dice.delay(REPEATED_WITHIN);
        let (world, engine, asked) = (self.links.world.clone(), engine.clone(), asked.clone());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            world.moves(life).await;
            tokio::select! {
                biased;
                () = world.is_over(life) => {}
                _ = engine.ask(asked) => world.state().note(format_args!("another node's question came twice")),
            }
        });
    }

    /// The way back.
    async fn answer<T>(&self, answer: Result<T, PeerError>) -> Result<T, PeerError> {
        self.links.world.step(self.life, "another node's answer", 5).await;
        match self.links.is_cut(&self.to, &self.from) || self.links.loses() {
            true => Err(PeerError::Unknown("the answer got lost".to_owned())),
            false => answer,
        }
    }
}

#[async_trait]
impl Peer for Link {
    async fn ask(&self, asked: Asked) -> Result<PeerAnswer, PeerError> {
        let (life, engine) = self.reach("another node is asked").await?;
        self.repeat(life, &engine, &asked);
        let answer = tokio::select! {
            biased;
            () = self.links.world.is_over(life) => Err(PeerError::Unknown("it died".to_owned())),
            answer = engine.ask(asked) => answer,
        };
        self.answer(answer).await
    }

    async fn follow(&self, follow: Follow) -> Result<Following, PeerError> {
        let (life, engine) = self.reach("another node is followed").await?;
        let following = tokio::select! {
            biased;
            () = self.links.world.is_over(life) => Err(PeerError::Unknown("it died".to_owned())),
            following = engine.follow(follow) => following,
        };
        let following = self.answer(following).await?;
        let (to, taken) = mpsc::channel(UNDER_WAY);
        let carry = Carry { links: self.links.clone(), life, link: (self.to.clone(), self.from.clone()), to };
        tokio::spawn(carry.run(following));
        Ok(taken)
    }
}

/// A feed on its way from one node to another.
struct Carry {
    links: Arc<Links>,
    /// Of the node that it comes from.
    life: u32,
    link: (NodeId, NodeId),
    to: mpsc::Sender<Followed>,
}

impl Carry {
    /// Until either end is gone, or the link is cut: then nothing comes any more, and nobody is told.
    async fn run(self, mut following: Following) {
        let world = self.links.world.clone();
        loop {
            let next = tokio::select! {
                biased;
                () = world.is_over(self.life) => return,
                () = self.to.closed() => return,
                next = following.recv() => next,
            };
            let Some(next) = next else { return };
            world.moves(self.life).await;
            let wait = world.state().dice.delay(10);
            tokio::time::sleep(wait).await;
            if self.links.is_cut(&self.link.0, &self.link.1) {
                break;
            }
            if self.to.send(next).await.is_err() {
                return;
            }
        }
        self.to.closed().await;
    }
}
