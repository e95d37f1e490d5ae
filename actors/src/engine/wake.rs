//! Waking tenants whose time has come; among other nodes, only those that nobody has.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use schema::ids::TenantId;

use super::{Engine, Inner};
use crate::{cluster::Place, handle::Refusal, ports::WakeEntry};

/// Tenants woken in one look at the wake index.
const WAKE_TOGETHER: usize = 64;
/// The same among other nodes, whose tenants are seen too.
const WAKE_AMONG: usize = 4_096;
/// Tenants looked for and started at the same time.
const WOKEN_TOGETHER: usize = 32;
/// How often the wake index is looked at.
const WAKE_EVERY: Duration = Duration::from_millis(500);

/// Wakes tenants whose time has come: nothing waits for somebody to look.
pub(super) async fn wake_due(inner: std::sync::Weak<Inner>) {
    let together = inner.upgrade().and_then(|inner| inner.node.together.clone());
    // With others, their tenants are in the index too, and stay in it while they run there.
    let (every, limit) = together.map_or((WAKE_EVERY, WAKE_TOGETHER), |it| (it.options.wake_every, WAKE_AMONG));
    loop {
        tokio::time::sleep(every).await;
        let Some(inner) = inner.upgrade() else { return };
        if inner.draining.load(std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        let engine = Engine { inner };
        let now = engine.ports().clock.now();
        let due = match engine.ports().log.due(now, limit).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "the wake index cannot be read");
                continue;
            }
        };
        let wake = async |entry: WakeEntry| engine.wake(&entry.feed.tenant).await;
        stream::iter(due).for_each_concurrent(WOKEN_TOGETHER, wake).await;
    }
}

impl Engine {
    /// Starts a due tenant, unless it runs, or another node's is awake there.
    async fn wake(&self, tenant: &TenantId) {
        if self.running(tenant).is_some_and(|handle| handle.is_here() || self.together().is_some()) {
            return;
        }
        if let Some(together) = self.together() {
            match together.find(&self.inner.node, tenant).await {
                Ok(Place::Here | Place::Taken) => {}
                Ok(Place::There(_)) | Err(_) => return,
            }
        }
        match self.tenant(tenant).await {
            Ok(_) | Err(Refusal::Moved) => {}
            Err(refusal) => tracing::warn!(%tenant, %refusal, "a due tenant could not be woken"),
        }
    }
}
