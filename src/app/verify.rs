//! `deskwire verify`: checksums, density of offsets, and that the views equal what baseline and log make of them.

use std::{path::Path, sync::Arc};

use actors::{baseline, ports::Views, projector};
use anyhow::{Context as _, ensure};
use schema::ids::{FeedId, Offset, TenantId};

use super::{
    Opened,
    limits::store_options,
    offline::{feeds, opened},
};
use crate::{
    config::Config,
    store::{
        cql::{Access, CqlScratch},
        embedded::{EmbeddedViews, ViewRow, offline::walk},
    },
};

/// Where the views are built a second time.
const SCRATCH: &str = "verify-scratch";

/// The views a second time.
enum Second {
    /// In a directory of their own.
    Embedded(EmbeddedViews),
    /// In generations of their own.
    Cql(CqlScratch),
}

impl Second {
    fn of(store: &Opened, config: &Config, scratch: &Path) -> anyhow::Result<Self> {
        Ok(match store {
            Opened::Embedded(store) => {
                let views = store.scratch_views(scratch, &store_options(config));
                Self::Embedded(views.context("room for a second set of views")?)
            }
            Opened::Cql(store) => Self::Cql(store.scratch_views()),
        })
    }

    fn views(&self) -> Arc<dyn Views> {
        match self {
            Self::Embedded(views) => Arc::new(views.clone()),
            Self::Cql(scratch) => scratch.views(),
        }
    }

    async fn dump(&self, feed: &FeedId) -> anyhow::Result<Vec<ViewRow>> {
        Ok(match self {
            Self::Embedded(views) => views.dump(feed)?,
            Self::Cql(scratch) => scratch.dump(feed).await?,
        })
    }

    async fn discard(&self, feed: &FeedId) -> anyhow::Result<()> {
        if let Self::Cql(scratch) = self {
            scratch.discard(feed).await?;
        }
        Ok(())
    }
}

/// Checks one tenant, or all; an error says how many findings there are.
pub async fn verify(config: &Config, tenant: Option<&TenantId>) -> anyhow::Result<()> {
    let store = opened(config, Access::Alone).await?;
    let verified = verify_opened(&store, config, tenant).await;
    store.close().await?;
    verified
}

/// The same of a store that is open.
pub(super) async fn verify_opened(store: &Opened, config: &Config, tenant: Option<&TenantId>) -> anyhow::Result<()> {
    let scratch = config.data.directory.join(SCRATCH);
    remove(&scratch)?;
    let second = Second::of(store, config, &scratch)?;
    let mut findings = 0;
    for feed in feeds(&*store.stores().log, tenant).await? {
        findings += verify_feed(store, &second, &feed).await?;
        second.discard(&feed).await?;
    }
    drop(second);
    remove(&scratch)?;
    ensure!(findings == 0, "{findings} findings");
    Ok(())
}

async fn verify_feed(store: &Opened, second: &Second, feed: &FeedId) -> anyhow::Result<usize> {
    let (log, views) = (store.stores().log, store.stores().views);
    let walk = walk(&*log, feed, |_| {}).await?;
    let mut findings = walk.findings.len();
    for finding in &walk.findings {
        eprintln!("{feed}: {finding:?}");
    }
    // What a crash left behind is caught up and finished first, as at every start.
    projector::catch_up(&*log, &*views, feed).await?;
    baseline::finish(&*log, &*views, feed).await?;
    second.views().clear(feed).await?;
    projector::catch_up(&*log, &*second.views(), feed).await?;
    // Both are sorted: rows are looked up by halving.
    let (kept, made) = (rows(store, feed).await?, second.dump(feed).await?);
    let missing =
        |rows: &[ViewRow], from: &[ViewRow]| rows.iter().filter(|row| from.binary_search(row).is_err()).count();
    let differing = missing(&kept, &made) + missing(&made, &kept);
    if differing > 0 {
        findings += 1;
        eprintln!("{feed}: {differing} view rows are not what the log says; `deskwire rebuild` makes them anew");
    }
    let oldest = log.anchor(feed).await?.oldest;
    let begins =
        if oldest > Offset(1) { format!(", the baseline and the log from offset {oldest}") } else { String::new() };
    println!(
        "{feed}: {} batches, {} events, {} view rows{begins}, {findings} findings",
        walk.batches,
        walk.events,
        kept.len()
    );
    Ok(findings)
}

async fn rows(store: &Opened, feed: &FeedId) -> anyhow::Result<Vec<ViewRow>> {
    Ok(match store {
        Opened::Embedded(store) => store.view_rows(feed)?,
        Opened::Cql(store) => store.view_rows(feed).await?,
    })
}

fn remove(directory: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", directory.display()))
        }
        _ => Ok(()),
    }
}
