//! Commands on a store that no server runs on: inspect, rebuild, trim.

use std::{io::Write as _, time::Duration};

use actors::{
    baseline,
    memory::SystemClock,
    ports::{Clock as _, Log},
    projector,
    vault::Vault,
};
use anyhow::{Context as _, bail};
use schema::{
    event::{SealedBatch, StoredEvent},
    ids::{FeedId, Offset, TenantId},
    role::Role,
    time::Stamp,
    wire::WireEvent,
};

use super::{Opened, Stores};
use crate::{
    config::{Config, StoreKind},
    store::{cql::Access, embedded::EmbeddedStore},
};

/// Feeds listed at once.
const FEEDS: usize = 1_000;
/// Bytes of log read at once.
const READ_BYTES: usize = 1 << 20;
/// A claim younger than this may still count against a day, in whatever zone, or against a contact's pace.
const COUNTS: Duration = Duration::from_secs(48 * 60 * 60);

/// Prints tenants' logs as NDJSON, one event a line; texts, names and addresses only when asked for. Opening a store costs
/// as much as what its last crash or drain left to be read: who wants many tenants asks for them together.
pub async fn inspect(config: &Config, tenants: &[TenantId], from: u64, personal: bool) -> anyhow::Result<()> {
    let store = opened(config, Access::Read).await?;
    let stores = store.stores();
    for tenant in tenants {
        if tenants.len() > 1 && writeln!(std::io::stdout(), "{{\"tenant\":\"{tenant}\"}}").is_err() {
            break;
        }
        if !print_log(&stores, tenant, from, personal).await? {
            break;
        }
    }
    store.close().await
}

/// `false`: nobody reads the output any more.
async fn print_log(stores: &Stores, tenant: &TenantId, from: u64, personal: bool) -> anyhow::Result<bool> {
    let (log, vault) = (&stores.log, Vault::new(stores.keys.clone()));
    let feed = FeedId::of(tenant);
    let oldest = log.anchor(&feed).await?.oldest;
    let mut next = Offset(from).max(oldest);
    loop {
        let batches = log.read(&feed, next, READ_BYTES).await?;
        let Some(last) = batches.last() else { return Ok(true) };
        let end = last.header.end();
        for batch in &batches {
            if !print_batch(batch, next, tenant, &vault, personal).await? {
                return Ok(false);
            }
        }
        next = end;
    }
}

/// `false`: nobody reads the output any more.
async fn print_batch(
    batch: &SealedBatch,
    from: Offset,
    tenant: &TenantId,
    vault: &Vault,
    personal: bool,
) -> anyhow::Result<bool> {
    for event in batch.events() {
        let mut stored: StoredEvent = event.with_context(|| format!("batch {}", batch.header.number))?;
        if stored.header.offset < from {
            continue;
        }
        if !personal {
            stored.parts.clear();
        }
        let event = vault.open(tenant, stored).await?;
        let line = match WireEvent::of(&event, Role::Admin) {
            Some(event) => serde_json::to_string(&event)?,
            None => format!("{{\"offset\":{},\"type\":\"hidden\"}}", event.header.offset),
        };
        if writeln!(std::io::stdout(), "{line}").is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Lets go of a tenant's events before an offset or a time; a baseline of what they meant is stored first.
/// `recent`: also what still counts against limits.
pub async fn trim(config: &Config, tenant: &TenantId, until: TrimUntil, recent: bool) -> anyhow::Result<()> {
    if *tenant == TenantId::system() {
        bail!("the directory is read from its beginning at every start: it cannot be trimmed");
    }
    let store = opened(config, Access::Alone).await?;
    let (stores, feed) = (store.stores(), FeedId::of(tenant));
    let (log, views) = (stores.log, stores.views);
    projector::catch_up(&*log, &*views, &feed).await?;
    let to = match until {
        TrimUntil::Offset(offset) => offset,
        TrimUntil::Time(stamp) => first_since(&*log, &feed, stamp).await?,
    };
    let counts = first_since(&*log, &feed, SystemClock.now().minus(COUNTS)).await?;
    if to > counts && !recent {
        bail!(
            "events from offset {counts} on are younger than two days: what they sent still counts against daily limits. \
             Trim to there, or say --recent"
        );
    }
    let before = log.anchor(&feed).await?.oldest;
    let oldest = baseline::trim(&*log, &*views, &feed, to).await?;
    println!("{feed}: the log began at offset {before} and begins at {oldest} now; run `deskwire verify` to check it");
    store.close().await
}

/// Up to where a log is trimmed.
#[derive(Debug, Clone, Copy)]
pub enum TrimUntil {
    /// Events before this one go, as far as whole batches allow.
    Offset(Offset),
    /// Events older than this go, as far as whole batches allow.
    Time(Stamp),
}

/// The first offset whose batch is not older than a time; the log's end, if all are.
async fn first_since(log: &dyn Log, feed: &FeedId, stamp: Stamp) -> anyhow::Result<Offset> {
    let mut next = log.anchor(feed).await?.oldest;
    loop {
        let batches = log.read(feed, next, READ_BYTES).await?;
        let Some(last) = batches.last() else { return Ok(next) };
        if let Some(found) = batches.iter().find(|batch| batch.header.stamp >= stamp) {
            return Ok(found.header.first);
        }
        next = last.header.end();
    }
}

/// Makes the views anew from baseline and log. All of them: also from views that cannot even be opened.
pub async fn rebuild(config: &Config, tenant: Option<&TenantId>) -> anyhow::Result<()> {
    if config.store.kind == StoreKind::Embedded {
        check_exists(config)?;
        if tenant.is_none() {
            EmbeddedStore::drop_views(&config.data.directory)?;
        }
    }
    let store = opened(config, Access::Alone).await?;
    let Stores { log, views, .. } = store.stores();
    for feed in feeds(&*log, tenant).await? {
        views.clear(&feed).await?;
        let checkpoint = projector::catch_up(&*log, &*views, &feed).await?;
        println!("{feed}: views made anew up to offset {}", checkpoint.offset);
    }
    store.close().await
}

/// The configured store. A directory that is not there is a mistake in the command, not a new store.
pub(super) async fn opened(config: &Config, access: Access) -> anyhow::Result<Opened> {
    if config.store.kind == StoreKind::Embedded {
        check_exists(config)?;
    }
    Opened::of(config, access).await
}

/// A wrong path is told, not made.
pub(super) fn check_exists(config: &Config) -> anyhow::Result<()> {
    let directory = &config.data.directory;
    if !directory.join("commit").is_dir() {
        bail!("data.directory = \"{}\" holds no store", directory.display());
    }
    Ok(())
}

/// One tenant's feed, or every one.
pub(super) async fn feeds(log: &dyn Log, tenant: Option<&TenantId>) -> anyhow::Result<Vec<FeedId>> {
    if let Some(tenant) = tenant {
        return Ok(vec![FeedId::of(tenant)]);
    }
    let mut all: Vec<FeedId> = Vec::new();
    loop {
        let page = log.feeds(all.last(), FEEDS).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
