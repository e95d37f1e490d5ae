//! The cluster: who is a member, and what one node may ask another. A node alone has none of it.
//!
//! The log says who owns a tenant; members only say who is there to be asked. What nodes exchange is named here, how it
//! travels is the adapter's.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use schema::{
    command::{Reply, Request},
    event::{SealedBatch, WriteVersion},
    ids::{ChannelId, Epoch, MessageId, NodeId, Offset, TenantId},
    time::Stamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    handle::Refusal,
    presence::Online,
    tenant::{LineQueue, QueuePlace, Stats},
};

/// Where a node is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// It has started and does not serve yet.
    Joining,
    /// It takes tenants.
    Serving,
    /// It gives its tenants away, and serves those it still has.
    Draining,
    /// It has ended in order.
    Left,
}

impl MemberState {
    /// Every state, in order of life.
    pub const ALL: [Self; 4] = [Self::Joining, Self::Serving, Self::Draining, Self::Left];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Serving => "serving",
            Self::Draining => "draining",
            Self::Left => "left",
        }
    }
}

/// A node that is thought to be alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Which.
    pub node: NodeId,
    /// Where it is in its life.
    pub state: MemberState,
    /// Its share of tenants, against others' weights.
    pub weight: u32,
    /// Where other nodes reach it.
    pub address: String,
    /// The kinds of events that it reads.
    pub reads: WriteVersion,
}

/// Membership, and the way to each member.
pub trait Cluster: Send + Sync + 'static {
    /// Who is thought to be alive, this node among them, in order of name.
    fn members(&self) -> Arc<[Member]>;
    /// The way to a member; none: it is not known, or it is this node.
    fn peer(&self, node: &NodeId) -> Option<Arc<dyn Peer>>;
    /// Tells everybody where this node is in its life.
    fn tell(&self, state: MemberState);
}

/// A question to a tenant's owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Who asks.
    pub from: NodeId,
    /// About which tenant.
    pub tenant: TenantId,
    /// After this nobody waits for the answer any more.
    pub within: Duration,
    /// What.
    pub question: Question,
}

/// What is asked. New questions come at the end; a node that does not know one refuses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A command: accepted once, by the owner's own door.
    Submit(Box<Request>),
    /// Where a queued text stands.
    Place(MessageId),
    /// What waits at a line.
    Queue(ChannelId),
    /// What the tenant holds in memory.
    Stats,
    /// The asker, who owned it, has let the tenant go: take it.
    Take {
        /// Who owned it.
        before: NodeId,
    },
    /// Who is online at the asker's own sessions: all of them, each time.
    Present(Vec<Online>),
    /// How many tenants the node owns, and the like: not about a tenant.
    Owned,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A command was accepted; its events are on stable storage.
    Done(Reply),
    /// Where the text stands.
    Place(Option<QueuePlace>),
    /// What waits.
    Queue(LineQueue),
    /// What is in memory.
    Stats(Stats),
    /// It is done, and there is nothing to say.
    Noted,
    /// What the node owns.
    Owned(Owned),
}

/// What a node owns and follows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// Tenants that run on it.
    pub tenants: u64,
    /// Tenants that others own and that it follows.
    pub followed: u64,
    /// Tenants it has taken over since its start.
    pub takeovers: u64,
    /// Requests it has passed to owners since its start.
    pub forwarded: u64,
    /// When it last took one over.
    #[serde(default)]
    pub last_takeover: Option<Stamp>,
    /// How many events it lacks of the followed tenant that is furthest behind its owner.
    #[serde(default)]
    pub behind: u64,
}

/// Why a node gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum PeerError {
    /// It does not own the tenant; nothing was done.
    #[error("it does not own the tenant")]
    NotOwner {
        /// Who should, as far as it knows.
        owner: Option<NodeId>,
    },
    /// The tenant is on its way, or the node is starting; nothing was done, ask again soon.
    #[error("the tenant is on its way")]
    Moving,
    /// It could not be reached; nothing was done.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It may have been done.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// It was refused; nothing was done.
    #[error(transparent)]
    Refused(Refusal),
}

/// From where on a feed is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Who follows.
    pub from: NodeId,
    /// Whose feed.
    pub tenant: TenantId,
    /// Which log the follower has seen.
    pub epoch: Epoch,
    /// Everything up to here was seen.
    pub offset: Offset,
}

/// What a follower is told, in the feed's order.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// The next durable batch. Personal parts are sealed as they are in the log.
    Batch(SealedBatch),
    /// The owner owns the feed, and stands here: not sent while it is not sure.
    Stands(Stands),
    /// Who is online elsewhere: all of them, each time.
    Present(Vec<Online>),
}

/// Where the owner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// The last durable offset.
    pub head: Offset,
    /// The last offset that the views hold.
    pub viewed: Offset,
}

/// A feed as it is followed. It ends when the owner stops, or is lost.
pub type Following = mpsc::Receiver<Followed>;

/// Another node, or this one as others see it.
#[async_trait]
pub trait Peer: Send + Sync + 'static {
    /// Asks a tenant's owner.
    async fn ask(&self, asked: Asked) -> Result<Answer, PeerError>;
    /// Follows a tenant's feed. What is not taken holds the owner's stream back, nothing else.
    async fn follow(&self, follow: Follow) -> Result<Following, PeerError>;
}
