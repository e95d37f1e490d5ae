//! Up to where this process has charged the limiter with each tenant's claims: each claim is charged once, by whoever comes
//! first, the tenant that starts or the look over all tenants.
//!
//! Levels that carry a name (a brand's day, a campaign's minute) are shared by every tenant whose limits say that name.
//! After a start they are whole only when the claims of all of those are counted, also of tenants that nobody has touched
//! yet: until then texts under such limits wait.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dashmap::DashMap;
use schema::{
    ids::{FeedId, Offset, TenantId},
    settings::LimitSettings,
};
use tokio::sync::{Mutex, MutexGuard};

use super::{Settings, recount::Count};
use crate::{
    engine::{Node, Ports},
    ports::LogError,
    projector,
};

/// The tenant's own lanes charge the limiter.
const LIVE: u64 = u64::MAX;
/// Bytes of log read at once.
const READ_BYTES: usize = 1 << 20;

/// Whether a limit is shared by everybody who says its name.
pub(crate) fn shares(limits: &LimitSettings) -> bool {
    limits.brand_per_day.is_some() || limits.campaign_per_min.is_some() || !limits.networks_per_day.is_empty()
}

/// All tenants' accounts with the limiter.
#[derive(Default)]
pub(crate) struct Charged {
    tenants: DashMap<TenantId, Arc<Account>>,
    whole: AtomicBool,
}

/// One tenant's account with the limiter.
#[derive(Default)]
pub(crate) struct Account {
    turn: Mutex<()>,
    up_to: AtomicU64,
}

impl Charged {
    pub(crate) fn of(&self, tenant: &TenantId) -> Arc<Account> {
        self.tenants.entry(tenant.clone()).or_default().clone()
    }

    /// Whether levels that tenants share hold what every tenant has sent.
    pub(crate) fn are_whole(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }

    /// Every tenant has been counted.
    pub(crate) fn become_whole(&self) {
        self.whole.store(true, Ordering::Release);
    }
}

impl Account {
    /// One counts at a time.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Claims up to here are charged.
    pub(super) fn up_to(&self) -> Offset {
        Offset(self.up_to.load(Ordering::Acquire))
    }

    pub(super) fn charged(&self, end: Offset) {
        self.up_to.fetch_max(end.0, Ordering::AcqRel);
    }

    /// From here on the tenant's lanes charge each claim themselves.
    pub(super) fn opens(&self) {
        self.up_to.store(LIVE, Ordering::Release);
    }

    /// They do so no more.
    pub(super) fn closes(&self, durable: Offset) {
        let _ = self.up_to.compare_exchange(LIVE, durable.0, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// Counts what a tenant has sent under limits that others may share, whether it runs or sleeps.
pub(crate) async fn count(node: &Node, tenant: &TenantId) -> Result<(), String> {
    if *tenant == TenantId::system() {
        return Ok(());
    }
    let feed = FeedId::of(tenant);
    let Known { settings, viewed, end } = known(&node.ports, &feed).await?;
    if !settings.limits.values().any(shares) {
        return Ok(());
    }
    let account = node.charged.of(tenant);
    let _turn = account.turn().await;
    let late = node.limits.send_deadline;
    Count { ports: &node.ports, feed: &feed, settings: &settings, viewed, late }.charge(&account, end).await
}

/// What the log says of a tenant that need not run.
struct Known {
    settings: Settings,
    viewed: Offset,
    end: Offset,
}

/// The views may be behind the log, as after a kill: what they do not hold yet is read from it.
async fn known(ports: &Ports, feed: &FeedId) -> Result<Known, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let viewed = ports.views.checkpoint(feed).await.map_err(|error| text(&error))?.offset;
    let mut settings = projector::load_settings(&*ports.views, &feed.tenant).await.map_err(|error| text(&error))?;
    let head = ports.log.head(feed).await.map_err(|error| text(&error))?;
    let end = Offset(head.next_offset.0.saturating_sub(1));
    let mut from = viewed.next();
    while from <= end {
        let batches = match ports.log.read(feed, from, READ_BYTES).await {
            // The views are lost: settings of before are only in the baseline.
            Err(LogError::Trimmed { .. }) => return Err("its views have to be made anew first".to_owned()),
            read => read.map_err(|error| text(&error))?,
        };
        let Some(last) = batches.last() else { break };
        from = last.header.end();
        for event in batches.iter().flat_map(|batch| batch.events()) {
            settings.apply(&event.map_err(|error| text(&error))?.fact);
        }
    }
    Ok(Known { settings, viewed, end })
}
