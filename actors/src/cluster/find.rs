//! Finding a tenant's owner: the log's word first, the hash only where that owner is gone.

use std::{sync::Arc, time::Duration};

use schema::ids::{FeedId, NodeId, Offset, TenantId};

use super::{Together, on_its_way, place::first_of};
use crate::{
    engine::{Engine, Node},
    handle::Refusal,
    ports::{Asked, Directory as _, Member, MemberState, PeerAnswer, PeerError, Question},
};

/// For a member that is asked whether it is there.
const PROBE_WITHIN: Duration = Duration::from_millis(500);

/// Where a tenant should run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this node, which the log already names.
    Here,
    /// On this node, which takes it over.
    Taken,
    /// On another.
    There(NodeId),
}

impl Together {
    /// Where a tenant should run, as the log and the members say now.
    pub(crate) async fn find(&self, node: &Node, tenant: &TenantId) -> Result<Place, Refusal> {
        let head = node.ports.log.head(&FeedId::of(tenant)).await.map_err(on_its_way)?;
        let now = node.ports.clock.monotonic();
        let members = self.able(node);
        let may_own = !self.is_leaving() && members.iter().any(|member| member.node == self.me);
        match head.owner {
            Some(owner) if owner == self.me && may_own => {
                let given = self.given.get(tenant).map(|heir| heir.value().clone());
                return Ok(given.map_or(Place::Here, Place::There));
            }
            Some(owner) if may_own && self.is_invited(tenant, &owner, now) => return Ok(Place::Taken),
            Some(owner) if owner != self.me && self.is_alive(&members, &owner, now) => {
                return Ok(Place::There(owner));
            }
            _ => {}
        }
        match self.candidate(&members, tenant, now) {
            Some(candidate) if candidate != self.me => Ok(Place::There(candidate)),
            Some(_) if self.duels.wait(tenant, now).is_zero() => Ok(Place::Taken),
            _ => Err(Refusal::Moved),
        }
    }

    /// Members that read what is written: the others own nothing.
    pub(crate) fn able(&self, node: &Node) -> Arc<[Member]> {
        let (members, written) = (self.members(), node.directory.write_version());
        if members.iter().all(|member| member.reads >= written) {
            return members;
        }
        members.iter().filter(|member| member.reads >= written).cloned().collect()
    }

    /// Who should take a tenant that nobody owns, of those that are able to.
    pub(crate) fn candidate(&self, members: &[Member], tenant: &TenantId, now: Duration) -> Option<NodeId> {
        let first = |state: MemberState, is_usable: &dyn Fn(&Member) -> bool| {
            first_of(tenant, members.iter().filter(|member| member.state == state && is_usable(member))).cloned()
        };
        let is_usable = |member: &Member| self.is_usable(member, now);
        let is_other = |member: &Member| member.node != self.me;
        // Before anybody serves, as at the first start, those that join may; one that was not reached is better than none.
        first(MemberState::Serving, &is_usable)
            .or_else(|| first(MemberState::Joining, &is_usable))
            .or_else(|| first(MemberState::Serving, &is_other))
    }

    fn is_usable(&self, member: &Member, now: Duration) -> bool {
        match member.node == self.me {
            true => !self.is_leaving(),
            false => !self.suspects.is_gone(&member.node, now, self.options.suspect_after),
        }
    }

    /// Whether one of these members is there to be asked.
    fn is_alive(&self, members: &[Member], node: &NodeId, now: Duration) -> bool {
        members.iter().any(|member| member.node == *node && member.state != MemberState::Left)
            && !self.suspects.is_gone(node, now, self.options.suspect_after)
    }

    /// Between two probes of one member, at least.
    pub(super) fn probe_every(&self) -> Duration {
        self.options.suspect_after / 4
    }

    /// Whether a member is there to be asked.
    pub(super) fn is_there(&self, node: &Node, member: &NodeId) -> bool {
        self.is_alive(&self.members(), member, node.ports.clock.monotonic())
    }

    fn is_invited(&self, tenant: &TenantId, owner: &NodeId, now: Duration) -> bool {
        let is_by = |(by, until): &(NodeId, Duration)| by == owner && now < *until;
        !self.is_leaving() && self.invited.get(tenant).is_some_and(|invited| is_by(invited.value()))
    }

    /// A turn for a takeover. Whoever would have to wait long is told to come again.
    pub(crate) async fn take_turn(&self, node: &Node) -> Result<(), Refusal> {
        let now = node.ports.clock.monotonic();
        let wait = self.turns.take(now, self.options.answer_within).ok_or(Refusal::Moved)?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        self.count_takeover(node.ports.clock.now());
        Ok(())
    }

    /// What an exchange with a member says of it.
    pub(crate) fn note<T>(&self, node: &Node, member: &NodeId, outcome: &Result<T, PeerError>) {
        match outcome {
            Err(PeerError::Unreachable(_)) => self.suspects.unreachable(member, node.ports.clock.monotonic()),
            // A process that is stopped takes connections and answers nothing.
            Err(PeerError::Unknown(_)) => {}
            _ => self.suspects.reached(member),
        }
    }

    /// Asks a member.
    pub(crate) async fn ask(
        &self,
        node: &Node,
        member: &NodeId,
        (tenant, question): (&TenantId, Question),
        within: Duration,
    ) -> Result<PeerAnswer, PeerError> {
        let unknown = || PeerError::Unreachable(format!("no way to {member} is known"));
        let peer = self.peer(member).ok_or_else(unknown);
        let asked = Asked { from: self.me.clone(), tenant: tenant.clone(), within, question };
        let answer = match peer {
            Ok(peer) => match tokio::time::timeout(within, peer.ask(asked)).await {
                Ok(answer) => answer,
                Err(_) => Err(PeerError::Unknown("no answer in time".to_owned())),
            },
            Err(error) => Err(error),
        };
        self.note(node, member, &answer);
        answer
    }

    /// Is it there? What comes of it is remembered. Of all who wonder one asks, and not often.
    pub(crate) async fn probe(&self, node: &Node, member: &NodeId) {
        if !self.suspects.may_probe(member, node.ports.clock.monotonic(), self.probe_every()) {
            return;
        }
        let asked = self.ask(node, member, (&TenantId::system(), Question::Owned), PROBE_WITHIN).await;
        if matches!(asked, Err(PeerError::Unknown(_))) {
            self.suspects.unreachable(member, node.ports.clock.monotonic());
        }
    }
}

impl Engine {
    /// Whether the directory holds a tenant when it has caught up with its log: another node may have registered it just now.
    pub(crate) async fn learns_of(&self, tenant: &TenantId) -> bool {
        let directory = TenantId::system();
        let Some(system) = self.together().and_then(|_| self.running(&directory)) else { return false };
        let Ok(head) = self.ports().log.head(&FeedId::of(&directory)).await else { return false };
        let caught_up = system.feed().shows(Offset(head.next_offset.0 - 1)).await;
        caught_up == Ok(true) && self.inner_node().directory.tenant_exists(tenant)
    }
}
