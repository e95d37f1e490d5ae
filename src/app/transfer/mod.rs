//! `deskwire export` and `deskwire import`: a tenant goes from one store to another, of whatever kind, through a file. The
//! same events byte for byte, under the same epoch, opened by the same keys.

mod export;
mod import;

use std::time::Duration;

use actors::{
    directory::SystemDirectory,
    ports::{Log, LogError, ViewError},
    projector::{self, CatchUpError},
};
use anyhow::Context as _;
use schema::ids::{FeedId, Offset, TenantId};
use tokio::time::Instant;

use super::Stores;

pub use self::{export::export, import::import};

/// Bytes of log read at once.
const READ_BYTES: usize = 4 << 20;
/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Waits before a store that is busy is asked again, in seconds.
const AGAIN_S: [u64; 5] = [1, 2, 4, 8, 16];

/// Brings the views up to the log. Writing them again changes nothing: a server that is busy is asked again, for half a
/// minute.
async fn catch_up(stores: &Stores, feed: &FeedId) -> anyhow::Result<()> {
    let mut waits = AGAIN_S.iter();
    loop {
        let busy = match projector::catch_up(&*stores.log, &*stores.views, feed).await {
            Err(
                error @ (CatchUpError::Log(LogError::Unavailable { .. })
                | CatchUpError::Views(ViewError::Unavailable(_))),
            ) => error,
            result => return result.map(drop).map_err(Into::into),
        };
        let Some(wait) = waits.next() else { return Err(busy.into()) };
        eprintln!("{}: {busy}; trying again in {wait} s", feed.tenant);
        tokio::time::sleep(Duration::from_secs(*wait)).await;
    }
}

/// Lines on stderr that say how far it is.
struct Progress {
    tenant: TenantId,
    verb: &'static str,
    of: u64,
    told: Instant,
}

impl Progress {
    fn new(tenant: &TenantId, verb: &'static str, of: u64) -> Self {
        Self { tenant: tenant.clone(), verb, of, told: Instant::now() }
    }

    /// Says so at most once a second.
    fn at(&mut self, events: u64) {
        if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            self.say(events);
        }
    }

    fn say(&self, events: u64) {
        eprintln!("{}: {events} of {} events {}", self.tenant, self.of, self.verb);
    }
}

/// The directory as the log of the tenant `system` has it.
async fn directory(log: &dyn Log) -> anyhow::Result<SystemDirectory> {
    let (directory, feed) = (SystemDirectory::default(), FeedId::of(&TenantId::system()));
    let mut from = Offset(1);
    loop {
        let batches = log.read(&feed, from, READ_BYTES).await.context("the directory")?;
        let Some(last) = batches.last() else { return Ok(directory) };
        from = last.header.end();
        for batch in &batches {
            for event in batch.events() {
                directory.apply(&event.context("the directory")?.fact);
            }
        }
    }
}
