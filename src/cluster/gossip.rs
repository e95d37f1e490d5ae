//! Membership: chitchat tells who is alive, and each member's own words about itself.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use actors::ports::{Member, MemberState};
use arc_swap::ArcSwap;
use chitchat::{
    ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, NodeState, ProtocolVersion, spawn_chitchat,
};
use schema::{event::WriteVersion, ids::NodeId};

use super::{
    ClusterConfig, ClusterError, relay,
    signed::{Signed, Strangers},
};

const STATE: &str = "state";
const WEIGHT: &str = "weight";
const RELAY: &str = "relay";
const VERSION: &str = "relay_version";
const READS: &str = "reads";
/// A member that is dead for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3_600);
/// Keys that were removed are remembered for so long.
const REMOVED: Duration = Duration::from_secs(3_600);
/// Intervals of gossip that are remembered of a member.
const WINDOW: usize = 100;

/// This node's view of the members.
pub(super) struct Gossip {
    handle: Arc<ChitchatHandle>,
    members: Arc<ArcSwap<Vec<Member>>>,
    interval: Duration,
    silent_intervals: u32,
    has_seeds: bool,
    strangers: Strangers,
}

impl Gossip {
    pub(super) async fn start(config: ClusterConfig) -> Result<Self, ClusterError> {
        let (interval, silent_intervals) = (config.gossip_interval, config.silent_intervals);
        let has_seeds = !config.seeds.is_empty();
        let me = Member {
            node: config.node.clone(),
            state: MemberState::Joining,
            weight: config.weight,
            address: config.relay.to_string(),
            reads: WriteVersion::NEWEST,
        };
        let about_me = [
            (STATE, me.state.as_str().to_owned()),
            (WEIGHT, me.weight.to_string()),
            (RELAY, me.address.clone()),
            (VERSION, relay::VERSION.to_string()),
            (READS, me.reads.to_string()),
        ];
        let about_me = about_me.map(|(key, value)| (key.to_owned(), value)).to_vec();
        let address = config.gossip;
        let strangers = Strangers::default();
        let transport = Signed::with(config.secret.clone(), strangers.clone());
        let handle = spawn_chitchat(settings(config), about_me, &transport).await;
        let handle = handle.map_err(|error| ClusterError::Bind {
            key: "cluster.gossip_listen",
            address,
            reason: format!("{error:#}"),
        })?;
        let handle = Arc::new(handle);
        let members = Arc::new(ArcSwap::from_pointee(vec![me]));
        tokio::spawn(watch(handle.clone(), members.clone(), strangers.clone()));
        Ok(Self { handle, members, interval, silent_intervals, has_seeds, strangers })
    }

    pub(super) fn members(&self) -> Arc<[Member]> {
        self.members.load().as_slice().into()
    }

    /// Returns when others are known, or there seem to be none: who knows nobody would take every owner for gone.
    async fn heard(&self) {
        while self.members.load().len() < 2 {
            tokio::time::sleep(self.interval / 4).await;
        }
    }

    /// The same, and some rounds more: whoever is known now knows the rest. Refused: there are others, and none of them hears
    /// this node; or one of them is of a version that this node does not speak.
    pub(super) async fn settle(&self) -> Result<(), ClusterError> {
        if !self.has_seeds {
            return Ok(());
        }
        let heard = tokio::time::timeout(self.interval * self.silent_intervals, self.heard()).await;
        match self.strangers.why() {
            Some(why) if heard.is_err() => return Err(ClusterError::Refused(why)),
            _ => {}
        }
        if heard.is_ok() {
            tokio::time::sleep(self.interval * 3).await;
        }
        // Its word was signed, and its owners would be nobody for this node.
        self.strangers.too_far().map_or(Ok(()), |why| Err(ClusterError::Refused(why)))
    }

    /// Says where this node is in its life.
    pub(super) fn tell(&self, state: MemberState) {
        tracing::info!(state = state.as_str(), "this node's state among the others");
        let handle = self.handle.clone();
        // Seen here at once: what is decided next goes by it.
        let me = handle.chitchat_id().node_id.clone();
        self.members.rcu(|members| {
            let mut members = (**members).clone();
            members.iter_mut().filter(|member| *member.node.as_str() == *me).for_each(|member| member.state = state);
            members
        });
        tokio::spawn(async move {
            handle.with_chitchat(|chitchat| chitchat.self_node_state().set(STATE, state.as_str())).await;
        });
    }

    /// Says that this node has left, and gives that some rounds to spread.
    pub(super) async fn leave(&self) {
        self.handle.with_chitchat(|chitchat| chitchat.self_node_state().set(STATE, MemberState::Left.as_str())).await;
        tokio::time::sleep(self.interval * 3).await;
        // It has ended already otherwise.
        let _ = self.handle.initiate_shutdown();
    }
}

fn settings(config: ClusterConfig) -> ChitchatConfig {
    let failures = FailureDetectorConfig::new(
        f64::from(config.silent_intervals),
        WINDOW,
        config.gossip_interval * config.silent_intervals.max(1),
        config.gossip_interval * 2,
        FORGOTTEN,
    );
    ChitchatConfig {
        chitchat_id: ChitchatId::new(config.node.as_str(), config.generation, config.gossip),
        cluster_id: config.name,
        gossip_interval: config.gossip_interval,
        listen_addr: config.gossip,
        seed_nodes: config.seeds,
        failure_detector_config: failures,
        marked_for_deletion_grace_period: REMOVED,
        catchup_callback: None,
        extra_liveness_predicate: None,
        protocol_version: ProtocolVersion::V0,
    }
}

async fn watch(handle: Arc<ChitchatHandle>, members: Arc<ArcSwap<Vec<Member>>>, strangers: Strangers) {
    let me = handle.chitchat_id().clone();
    let mut alive = handle.with_chitchat(|chitchat| chitchat.live_nodes_watcher()).await;
    loop {
        let mut seen: Vec<Member> = {
            let alive = alive.borrow_and_update();
            alive
                .iter()
                .filter(|(id, _)| **id != me)
                .filter_map(|(id, state)| Some((id, read(id, state, &strangers)?)))
                .fold(BTreeMap::new(), |mut newest: BTreeMap<NodeId, (u64, Member)>, (id, member)| {
                    // A member that was started again may still be seen as it was before.
                    if newest.get(&member.node).is_none_or(|(generation, _)| *generation < id.generation_id) {
                        newest.insert(member.node.clone(), (id.generation_id, member));
                    }
                    newest
                })
        }
        .into_values()
        .map(|(_, member)| member)
        .collect();
        let mine = handle.with_chitchat(|chitchat| read(&me, chitchat.self_node_state(), &strangers)).await;
        seen.extend(mine);
        seen.sort_by(|one, other| one.node.cmp(&other.node));
        tell_changes(&members.load(), &seen);
        members.store(Arc::new(seen));
        if alive.changed().await.is_err() {
            return;
        }
    }
}

/// What a member says of itself; none: it speaks a version of the relay that this node does not.
fn read(id: &ChitchatId, state: &NodeState, strangers: &Strangers) -> Option<Member> {
    let version: u8 = state.get(VERSION)?.parse().ok()?;
    if !relay::understands(version) {
        let (node, ours) = (&id.node_id, relay::VERSION);
        let why =
            format!("{node} speaks version {version} of the relay, this node {ours}: upgrade one version at a time");
        tracing::error!("{why}");
        strangers.saw_too_far(why);
        return None;
    }
    let said = state.get(STATE)?;
    Some(Member {
        node: NodeId::new(&id.node_id).ok()?,
        state: MemberState::ALL.into_iter().find(|state| state.as_str() == said)?,
        weight: state.get(WEIGHT)?.parse().ok()?,
        address: state.get(RELAY)?.parse::<SocketAddr>().ok()?.to_string(),
        // One from before there was more than the first says nothing.
        reads: state.get(READS).map_or(Some(WriteVersion::FIRST), |reads| reads.parse().ok().map(WriteVersion))?,
    })
}

fn tell_changes(before: &[Member], after: &[Member]) {
    for member in after {
        let known = before.iter().find(|known| known.node == member.node);
        if known.is_none_or(|known| known.state != member.state) {
            let (node, relay) = (&member.node, &member.address);
            tracing::info!(%node, state = member.state.as_str(), relay, "a member is there");
        }
    }
    for gone in before.iter().filter(|known| after.iter().all(|member| member.node != known.node)) {
        tracing::warn!(node = %gone.node, "a member is gone");
    }
    for state in MemberState::ALL {
        let count = after.iter().filter(|member| member.state == state).count();
        metrics::gauge!("deskwire_cluster_members", "state" => state.as_str())
            .set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use chitchat::NodeState;

    use super::*;

    fn said(version: u8) -> (ChitchatId, NodeState) {
        let address = SocketAddr::from(([127, 0, 0, 1], 7_946));
        let mut state = NodeState::for_test();
        for (key, value) in
            [(STATE, "serving"), (WEIGHT, "1"), (RELAY, "10.0.0.1:7947"), (VERSION, &version.to_string())]
        {
            state.set(key, value);
        }
        (ChitchatId::new("node-9", 1, address), state)
    }

    #[test]
    fn a_member_of_a_version_that_is_too_far_is_none_and_it_is_said_why() {
        let strangers = Strangers::default();
        let (id, state) = said(relay::VERSION);
        let member = read(&id, &state, &strangers).unwrap();
        assert_eq!((member.reads, strangers.why()), (WriteVersion::FIRST, None));
        let (id, state) = said(relay::VERSION + 2);
        assert!(read(&id, &state, &strangers).is_none());
        let why = strangers.why().unwrap();
        assert!(why.contains("node-9 speaks version") && why.contains("one version at a time"), "{why}");
    }
}
