//! Many nodes: who should own a tenant, following those that others own, and taking over from those that are gone.
//!
//! The log says who owns a tenant, and its fence decides between two who think so. Members only say who is there to be
//! asked. Nothing here is on the way of a node that is alone.
//!
//! `place` (the hash) → `find` (the owner, from log and members) → `tenant::start` (owning it here), `forward` (a
//! command, to an owner elsewhere) or `away` (following an owner, for those who read here); `door` is what other nodes
//! reach; `moving` gives tenants away and takes them, `settle` those that are not where the hash puts them; `versions`
//! says which kinds of events are written, and who reads them.

mod away;
mod door;
mod duels;
mod find;
mod follow;
mod forward;
mod moving;
mod place;
mod settle;
mod tail;
#[cfg(test)]
mod tests;
mod versions;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use schema::{
    ids::{NodeId, Offset, TenantId},
    time::Stamp,
};
use tokio::sync::mpsc;

pub use self::place::{first_of, in_order_of};
pub(crate) use self::{
    away::Away,
    find::Place,
    forward::{Try, Way},
    moving::look_for_owners,
    settle::settle,
    tail::bring_up,
    versions::raise_write_version,
};
use self::{
    duels::{Duels, Suspects, Turns},
    forward::Routes,
};
use crate::{
    handle::Refusal,
    ports::{Cluster, Member, MemberState, Owned, Peer},
};

/// Tenants that may wait for their new place at one time; others are found when somebody asks for them.
const MOVED_MAX: usize = 4_096;

/// How nodes get along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterOptions {
    /// T: without an append or a look at its next slot for so long, an owner answers nothing, and followers look for
    /// another.
    pub confirm_within: Duration,
    /// A member that cannot be reached for so long is treated as gone, whatever gossip says.
    pub suspect_after: Duration,
    /// Takeovers of one node in a second.
    pub takeovers_per_s: u32,
    /// Members must be the same for so long before tenants move to those whom the hash names.
    pub settle_after: Duration,
    /// Tenants that a node gives away in a second while it serves; 0: none.
    pub moves_per_s: u32,
    /// For an answer from an owner.
    pub answer_within: Duration,
    /// Between two looks at the wake index, which holds other nodes' tenants too.
    pub wake_every: Duration,
    /// Every member must have read more kinds of events for so long before those are written: one that is started again
    /// meanwhile, with the version it had, is not left out.
    pub raise_after: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            confirm_within: Duration::from_secs(5),
            suspect_after: Duration::from_millis(1_000),
            takeovers_per_s: 200,
            settle_after: Duration::from_secs(60),
            moves_per_s: 10,
            answer_within: Duration::from_secs(10),
            wake_every: Duration::from_millis(1_000),
            raise_after: Duration::from_secs(60),
        }
    }
}

/// The nodes that an engine joins.
#[derive(Clone)]
pub struct Joined {
    /// Who is there, and the way to them.
    pub cluster: Arc<dyn Cluster>,
    /// How they get along.
    pub options: ClusterOptions,
}

/// Where this node is in giving its tenants away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Stay {
    /// It takes tenants.
    Stays,
    /// It gives them away.
    Leaves,
    /// It has ended.
    Ended,
}

/// What a node keeps about the others.
pub(crate) struct Together {
    me: NodeId,
    cluster: Arc<dyn Cluster>,
    pub(crate) options: ClusterOptions,
    stay: AtomicU8,
    suspects: Suspects,
    duels: Duels,
    turns: Turns,
    /// Tenants that their owner has let go, for this node to take until then: after that the owner may have them again.
    invited: DashMap<TenantId, (NodeId, Duration)>,
    routes: Routes,
    /// Tenants on their way from this node to another.
    given: DashMap<TenantId, NodeId>,
    /// Up to where the directory holds the system feed.
    directory_at: AtomicU64,
    moved: mpsc::Sender<TenantId>,
    takeovers: AtomicU64,
    /// A stamp; 0: there was none.
    last_takeover: AtomicU64,
    forwarded: AtomicU64,
}

impl Together {
    /// And the tenants that have to be looked for again.
    pub(crate) fn new(me: NodeId, joined: Joined) -> (Self, mpsc::Receiver<TenantId>) {
        let (moved, looked_for) = mpsc::channel(MOVED_MAX);
        let Joined { cluster, options } = joined;
        let together = Self {
            me,
            cluster,
            options,
            stay: AtomicU8::new(Stay::Stays as u8),
            suspects: Suspects::default(),
            duels: Duels::default(),
            turns: Turns::per_second(options.takeovers_per_s),
            invited: DashMap::new(),
            routes: Routes::default(),
            given: DashMap::new(),
            directory_at: AtomicU64::new(0),
            moved,
            takeovers: AtomicU64::new(0),
            last_takeover: AtomicU64::new(0),
            forwarded: AtomicU64::new(0),
        };
        (together, looked_for)
    }

    pub(crate) fn members(&self) -> Arc<[Member]> {
        self.cluster.members()
    }

    pub(crate) fn tell(&self, state: MemberState) {
        self.cluster.tell(state);
    }

    pub(crate) fn peer(&self, node: &NodeId) -> Option<Arc<dyn Peer>> {
        self.cluster.peer(node)
    }

    /// From now on this node's tenants go to others.
    pub(crate) fn leave(&self) {
        self.stay.store(Stay::Leaves as u8, Ordering::Release);
    }

    /// From now on this node's tenants just end.
    pub(crate) fn end(&self) {
        self.stay.store(Stay::Ended as u8, Ordering::Release);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.stay.load(Ordering::Acquire) != Stay::Stays as u8
    }

    /// Whether readers of a tenant that ends here may go on reading it here from elsewhere.
    pub(crate) fn keeps_readers(&self) -> bool {
        self.stay.load(Ordering::Acquire) != Stay::Ended as u8
    }

    /// Its owner is looked for again, without anybody asking.
    pub(crate) fn look_for(&self, tenant: &TenantId) {
        // When too many wait, it is found when somebody asks for it.
        let _ = self.moved.try_send(tenant.clone());
    }

    /// Another owner won against this node at `now`, a monotonic time.
    pub(crate) fn lost(&self, tenant: &TenantId, now: Duration, random: u64) {
        metrics::counter!("deskwire_cluster_fenced_total").increment(1);
        self.duels.lost(tenant, now, random);
    }

    pub(crate) fn directory_at(&self) -> Offset {
        Offset(self.directory_at.load(Ordering::Acquire))
    }

    pub(crate) fn directory_is_at(&self, offset: Offset) {
        self.directory_at.fetch_max(offset.0, Ordering::AcqRel);
    }

    pub(crate) fn count_forwarded(&self) {
        self.forwarded.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("deskwire_cluster_forwarded_total").increment(1);
    }

    fn count_takeover(&self, now: Stamp) {
        self.takeovers.fetch_add(1, Ordering::Relaxed);
        self.last_takeover.store(now.0, Ordering::Relaxed);
        metrics::counter!("deskwire_cluster_takeovers_total").increment(1);
    }

    /// What this node did about others' tenants; what it holds is counted elsewhere.
    pub(crate) fn did(&self) -> Owned {
        let last = self.last_takeover.load(Ordering::Relaxed);
        Owned {
            takeovers: self.takeovers.load(Ordering::Relaxed),
            forwarded: self.forwarded.load(Ordering::Relaxed),
            last_takeover: (last > 0).then_some(Stamp(last)),
            ..Owned::default()
        }
    }
}

/// Not now: the engine asks again by itself.
fn on_its_way(reason: impl std::fmt::Display) -> Refusal {
    tracing::debug!(%reason, "a tenant cannot be placed yet");

    Refusal::Moved
}
