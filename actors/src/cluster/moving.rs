//! Tenants on the move: seating them here or there, giving them away at the end, finding those that lost their owner.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use schema::ids::{FeedId, NodeId, TenantId};
use tokio::sync::mpsc;

use super::{Away, Together, find::Place, tail};
use crate::{
    engine::{Engine, Node, WeakEngine},
    feed::CloseReason,
    handle::Refusal,
    ports::{Member, MemberState, Owned, Question},
    tenant::{TenantHandle, handle::Shared, start::Former},
};

/// Tenants given away at the same time.
const GIVEN_TOGETHER: usize = 8;
/// For another node to take one.
const TAKE_WITHIN: Duration = Duration::from_secs(5);
/// The same, for whoever waits for it.
const PASSED_WITHIN: Duration = Duration::from_secs(1);
/// How long readers wait on this node for a tenant that nobody serves, before they are sent to look elsewhere.
const HOMELESS: Duration = Duration::from_secs(30);
/// Between two looks whether the log names the heir.
const WRITTEN_EVERY: Duration = Duration::from_millis(20);
/// Between two looks for such a tenant.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Together {
    /// `before` has let the tenant go: this node may take it until then, a monotonic time.
    pub(crate) fn invite(&self, tenant: &TenantId, before: NodeId, until: Duration) {
        self.invited.insert(tenant.clone(), (before, until));
    }

    /// To whom a tenant of this node would go; none: to nobody.
    pub(super) fn heir(&self, node: &Node, tenant: &TenantId) -> Option<NodeId> {
        let heir = self.candidate(&self.able(node), tenant, node.ports.clock.monotonic());
        heir.filter(|heir| *heir != self.me)
    }

    pub(super) fn is_draining(&self, node: &NodeId) -> bool {
        self.members().iter().any(|member| member.node == *node && member.state == MemberState::Draining)
    }

    /// `before` has let a tenant go and nobody has taken it yet: `heir` should.
    pub(super) async fn pass_to(&self, node: &Node, heir: &NodeId, tenant: &TenantId, before: &NodeId) {
        if *heir == node.id {
            return self.invite(tenant, before.clone(), node.ports.clock.monotonic() + TAKE_WITHIN);
        }
        let take = Question::Take { before: before.clone() };
        if let Err(error) = self.ask(node, heir, (tenant, take), PASSED_WITHIN).await {
            tracing::debug!(%tenant, %heir, %error, "a tenant was not taken yet");
        }
    }

    fn invitation_ends(&self, tenant: &TenantId) {
        self.invited.remove(tenant);
    }
}

impl Engine {
    /// Everybody who is thought to be alive; none: this node is alone.
    pub fn members(&self) -> Option<Arc<[Member]>> {
        self.together().map(|together| together.members())
    }

    /// What a member owns, by its own word.
    pub async fn owned_by(&self, member: &NodeId) -> Option<Owned> {
        let together = self.together()?;
        if member == self.node() {
            return Some(self.owned());
        }
        let nobody = TenantId::system();
        let asked = together.ask(self.inner_node(), member, (&nobody, Question::Owned), TAKE_WITHIN);
        match asked.await {
            Ok(crate::ports::PeerAnswer::Owned(owned)) => Some(owned),
            _ => None,
        }
    }

    /// What this node owns and follows.
    pub fn owned(&self) -> Owned {
        let handles = self.handles();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let tenants = count(handles.iter().filter(|handle| handle.is_here()).count());
        let followed = handles.iter().filter(|handle| !handle.is_closed()).filter_map(TenantHandle::behind);
        let (followed, behind) = followed.fold((0, 0), |(sum, most), behind| (sum + 1, behind.max(most)));
        let did = self.together().map(|together| together.did()).unwrap_or_default();
        Owned { tenants, followed, behind, ..did }
    }

    /// Whether this node has the tenant, or should: always, where there are no others.
    pub(crate) async fn is_at_home(&self, tenant: &TenantId) -> bool {
        let Some(together) = self.together() else { return true };
        let is_here = self.running(tenant).is_some_and(|handle| handle.is_here());
        is_here || matches!(together.find(self.inner_node(), tenant).await, Ok(Place::Here | Place::Taken))
    }

    /// Where the tenant runs now: found, and seated.
    pub(crate) async fn seat(
        &self,
        together: &Arc<Together>,
        tenant: TenantId,
        kept: Option<Arc<Shared>>,
    ) -> Result<TenantHandle, Refusal> {
        let node = self.inner_node();
        let place = together.find(node, &tenant).await?;
        let kept = match (kept, &place) {
            (Some(kept), _) => Some(kept),
            (None, Place::There(_)) => Some(tail::open(node, &tenant).await?),
            // The directory may not hold all that its log does.
            (None, _) if tenant == TenantId::system() => Some(tail::open(node, &tenant).await?),
            (None, _) => None,
        };
        if let (Place::There(owner), Some(shared)) = (&place, &kept) {
            return Ok(Away::start((node.clone(), together.clone()), tenant, owner.clone(), shared.clone()));
        }
        if place == Place::Taken {
            together.take_turn(node).await?;
            tracing::info!(%tenant, "taking over a tenant");
        }
        let former = Former { is_ours: place != Place::Taken, kept };
        let started = self.start_here(tenant.clone(), former).await;
        if started.is_ok() {
            together.invitation_ends(&tenant);
        }
        started
    }

    /// Gives every tenant away, one after the other, and refuses nothing meanwhile: whoever asks is passed on.
    pub async fn hand_over(&self, within: Duration) {
        let Some(together) = self.together().cloned() else { return };
        together.leave();
        together.tell(MemberState::Draining);
        let mut owned: Vec<TenantHandle> = self.handles().into_iter().filter(TenantHandle::is_here).collect();
        // The directory last: until then tenants are registered here.
        owned.sort_unstable_by_key(|handle| (*handle.id() == TenantId::system(), handle.id().clone()));
        let count = owned.len();
        let give = |handle| give_away(self.inner_node().clone(), together.clone(), handle, TAKE_WITHIN);
        let given = stream::iter(owned).map(give).buffered(GIVEN_TOGETHER).count();
        if tokio::time::timeout(within, given).await.is_err() {
            tracing::warn!("not every tenant was given away in time; others take them when this node is gone");
        }
        tracing::info!(tenants = count, "tenants were given away");
    }
}

/// Nobody is refused meanwhile: whoever asks here is passed to the heir, and waits until that has taken it. Whether one has.
pub(super) async fn give_away(
    node: Arc<Node>,
    together: Arc<Together>,
    handle: TenantHandle,
    within: Duration,
) -> bool {
    let tenant = handle.id();
    let Some(first) = together.heir(&node, tenant) else { return false };
    together.given.insert(tenant.clone(), first);
    handle.stop().await;
    let is_taken = pass_over(&node, &together, tenant, within).await;
    together.given.remove(tenant);
    is_taken
}

async fn pass_over(node: &Arc<Node>, together: &Together, tenant: &TenantId, within: Duration) -> bool {
    let deadline = tokio::time::Instant::now() + within;
    while let left = deadline.saturating_duration_since(tokio::time::Instant::now())
        && !left.is_zero()
    {
        // Members may change meanwhile, and it be this node's again.
        let Some(heir) = together.heir(node, tenant) else { return false };
        together.given.insert(tenant.clone(), heir.clone());
        let take = Question::Take { before: node.id.clone() };
        match together.ask(node, &heir, (tenant, take), left).await {
            Ok(_) => return is_written(node, tenant, deadline).await,
            Err(error) => tracing::debug!(%tenant, %heir, %error, "a tenant was not taken yet"),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    tracing::warn!(%tenant, "a tenant was let go and not taken; whoever is asked for it next takes it");
    false
}

/// Until the log names the heir: before that it may be found to be this node's still.
async fn is_written(node: &Node, tenant: &TenantId, deadline: tokio::time::Instant) -> bool {
    let feed = FeedId::of(tenant);
    loop {
        let head = tokio::time::timeout_at(deadline, node.ports.log.head(&feed)).await;
        match head {
            Ok(Ok(head)) if head.owner.as_ref() != Some(&node.id) => return true,
            Ok(_) => tokio::time::sleep(WRITTEN_EVERY).await,
            Err(_) => return false,
        }
    }
}

impl Node {
    /// Whether somebody on this node reads what is kept of a tenant. `held`: by those who look.
    fn is_read(shared: &Arc<Shared>, held: usize) -> bool {
        Arc::strong_count(shared) > held && !shared.feed.is_closed()
    }
}

/// Tenants that have lost their owner, while this node's readers wait for them.
pub(crate) async fn look_for_owners(engine: WeakEngine, mut moved: mpsc::Receiver<TenantId>) {
    while let Some(tenant) = moved.recv().await {
        let Some(strong) = engine.upgrade() else { return };
        strong.inner_node().runtime.spawn(look_for(engine.clone(), tenant));
    }
}

async fn look_for(engine: WeakEngine, tenant: TenantId) {
    let deadline = tokio::time::Instant::now() + HOMELESS;
    while let Some(strong) = engine.upgrade() {
        match strong.tenant(&tenant).await {
            Ok(_) | Err(Refusal::Draining) => return,
            Err(_) if tokio::time::Instant::now() >= deadline => {
                if let Some(kept) = strong.forget_kept(&tenant).filter(|kept| Node::is_read(kept, 1)) {
                    kept.publisher.close(CloseReason::Moved);
                }
                return;
            }
            Err(_) => {}
        }
        drop(strong);
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
