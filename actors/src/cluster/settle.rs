//! Tenants go to those whom the hash names, little by little: a node that joins gets its share without a jolt.

use std::{sync::Arc, time::Duration};

use schema::ids::{NodeId, TenantId};
use tokio::time::{Instant, sleep};

use super::{Together, moving::give_away};
use crate::{
    engine::{Engine, Node, WeakEngine},
    ports::{Member, MemberState, Question},
    tenant::TenantHandle,
};

/// For another node to take one, while nobody serves it.
const TAKE_WITHIN: Duration = Duration::from_secs(1);
/// Between two looks at who is there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Failures that still double the time: then it is an hour and more, by default.
const FAILURES_MAX: u32 = 6;

/// Gives tenants away, [`ClusterOptions::moves_per_s`], when members have been the same for
/// [`ClusterOptions::settle_after`].
///
/// [`ClusterOptions::moves_per_s`]: super::ClusterOptions::moves_per_s
/// [`ClusterOptions::settle_after`]: super::ClusterOptions::settle_after
pub(crate) async fn settle(engine: WeakEngine) {
    let mut calm = Calm { serving: Vec::new(), since: Instant::now() };
    // Moves that came to nothing, one after the other: each doubles the time before the next.
    let mut failures = 0;
    let mut misplaced: Vec<TenantHandle> = Vec::new();
    loop {
        let Some(strong) = engine.upgrade() else { return };
        let Some(together) = strong.together().cloned() else { return };
        let (settle_after, moves_per_s) = (together.options.settle_after, together.options.moves_per_s);
        if together.is_leaving() || moves_per_s == 0 {
            return;
        }
        let node = strong.inner_node().clone();
        if calm.is_broken_by(&together.able(&node)) {
            misplaced.clear();
            failures = 0;
        } else if misplaced.is_empty() && calm.since.elapsed() >= settle_after * 2_u32.pow(failures) {
            misplaced = strong.misplaced(&together);
            // Others that sleep now may wake here later.
            calm.since = Instant::now();
        }
        let rest = match misplaced.pop() {
            Some(handle) => {
                match moves(node, together, handle).await {
                    Move::Made => failures = 0,
                    Move::Later => {}
                    // Whoever could not take this one would not take the next.
                    Move::Failed => {
                        failures = (failures + 1).min(FAILURES_MAX);
                        misplaced.clear();
                    }
                }
                Duration::from_secs(1) / moves_per_s
            }
            None => LOOK_EVERY.min(settle_after),
        };
        drop(strong);
        sleep(rest).await;
    }
}

/// What came of a move.
enum Move {
    Made,
    /// It is not this node's any more, or a call to the carrier is under way, which its end would wait for.
    Later,
    Failed,
}

/// Nobody serves a tenant from when it stops here until its heir has it: so the heir is asked first whether it answers.
async fn moves(node: Arc<Node>, together: Arc<Together>, handle: TenantHandle) -> Move {
    if !handle.is_here() {
        return Move::Later;
    }
    let Some(heir) = together.heir(&node, handle.id()) else { return Move::Later };
    if together.ask(&node, &heir, (handle.id(), Question::Owned), TAKE_WITHIN).await.is_err() {
        return Move::Failed;
    }
    if handle.is_calling().await {
        return Move::Later;
    }
    tracing::debug!(tenant = %handle.id(), %heir, "a tenant goes to its place");
    match give_away(node, together, handle, TAKE_WITHIN).await {
        true => Move::Made,
        false => Move::Failed,
    }
}

/// Since when the same nodes serve.
struct Calm {
    serving: Vec<NodeId>,
    since: Instant,
}

impl Calm {
    fn is_broken_by(&mut self, members: &[Member]) -> bool {
        let serving = members.iter().filter(|member| member.state == MemberState::Serving);
        let mut serving: Vec<NodeId> = serving.map(|member| member.node.clone()).collect();
        serving.sort_unstable();
        let is_broken = serving != self.serving;
        if is_broken {
            *self = Self { serving, since: Instant::now() };
        }
        is_broken
    }
}

impl Engine {
    /// Tenants of this node that the hash gives to another. They are taken from the end: the directory last.
    fn misplaced(&self, together: &Together) -> Vec<TenantHandle> {
        let node = self.inner_node();
        let (members, now) = (together.able(node), node.ports.clock.monotonic());
        let is_misplaced = |handle: &TenantHandle| {
            handle.is_here() && together.candidate(&members, handle.id(), now).is_some_and(|first| first != node.id)
        };
        let mut handles: Vec<TenantHandle> = self.handles().into_iter().filter(is_misplaced).collect();
        handles.sort_unstable_by_key(|handle| (*handle.id() != TenantId::system(), handle.id().clone()));
        handles
    }
}
