//! A file becomes a tenant again. The tenant is in the directory only when all of it is there: until then nobody serves
//! it, whatever was interrupted.

use std::{path::Path, time::Duration};

use actors::{
    directory::SystemDirectory,
    memory::{SystemClock, SystemIds},
    ports::{AppendError, Clock as _, ContactKey, Ids as _, Log, Views, ViewsBatch},
};
use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use schema::{
    command::Registration,
    event::{Author, BatchHeader, Fact, Header, Origin, SealedBatch, StoredEvent, Via},
    ids::{BatchId, FeedId, NodeId, Offset, RequestId, TenantId},
    time::Stamp,
    transfer::{Listing, Secret},
};

use super::{Progress, READ_BYTES, catch_up, directory};
use crate::{
    app::{Opened, Stores, verify::verify_opened},
    config::Config,
    store::{
        AdoptError,
        cql::Access,
        transfer::{BaselinePart, Checked, Content, TransferKey, anchor, check, contents},
    },
};

/// Tries of one append; the store is away then.
const ATTEMPTS: usize = 30;
/// Longest wait before one.
const RETRY_MAX: Duration = Duration::from_secs(1);
/// Who wrote entries of the directory.
const NODE: &str = "import";

/// Reads a tenant from a file; goes on where an interrupted import of the same file stopped.
pub async fn import(config: &Config, from: &Path, key: &Path) -> anyhow::Result<()> {
    let key = TransferKey::read(key)?;
    // All of it is read before anything is written.
    let checked = check(from, &key)?;
    let tenant = checked.manifest.tenant.clone();
    ensure!(tenant != TenantId::system(), "a file of the directory");
    let store = Opened::of(config, Access::Alone).await?;
    let done = read(&store, from, &checked).await;
    let done = match done {
        Ok(()) => verify_opened(&store, config, Some(&tenant)).await,
        Err(error) => Err(error),
    };
    let done = match done {
        Ok(()) => register(&store.stores(), &tenant, &checked.listing).await,
        Err(error) => Err(error),
    };
    store.close().await?;
    done?;
    let totals = &checked.totals;
    println!("{tenant}: {} batches, {} events are here, and verified", totals.batches, totals.events);
    Ok(())
}

async fn read(store: &Opened, from: &Path, checked: &Checked) -> anyhow::Result<()> {
    let (stores, manifest) = (store.stores(), &checked.manifest);
    let (tenant, feed) = (&manifest.tenant, FeedId::of(&manifest.tenant));
    let directory = directory(&*stores.log).await?;
    let head = stores.log.head(&feed).await?;
    let is_other = head.owner.is_some() && stores.log.anchor(&feed).await? != anchor(manifest);
    ensure!(!is_other, other(tenant));
    // What cannot be registered in the end is not begun.
    facts(&directory, tenant, &checked.listing)?;
    match store.adopt().adopt_anchor(&feed, &anchor(manifest)).await {
        Err(AdoptError::Other(_)) => bail!(other(tenant)),
        adopted => adopted?,
    }
    let head = stores.log.head(&feed).await?;
    ensure!(head.next_offset <= checked.totals.next_offset, "{}: its log has gone on", other(tenant));
    for secret in &checked.secrets {
        take_secret(store, tenant, secret).await?;
    }
    read_log(&stores, &feed, from, checked).await?;
    catch_up(&stores, &feed).await?;
    Ok(())
}

fn other(tenant: &TenantId) -> String {
    format!("this store has other data of {tenant}: nothing of it was changed")
}

/// Keys are durable before the first event that needs them.
async fn take_secret(store: &Opened, tenant: &TenantId, secret: &Secret) -> anyhow::Result<()> {
    let (adopt, tables) = (store.adopt(), store.tables());
    match secret {
        Secret::Key { contact, id, secret } => {
            adopt.adopt_key(tenant, *contact, &ContactKey { id: *id, secret: *secret }).await?;
        }
        Secret::Hash(secret) => adopt.adopt_hash(tenant, secret).await.with_context(|| other(tenant))?,
        Secret::Account(account, secrets) => {
            for secret in secrets.iter().rev() {
                tables.put_secret(account.clone(), secret.clone()).await?;
            }
        }
        Secret::Person(operator, record) => {
            tables.put_person(tenant.clone(), operator.clone(), record.clone()).await?;
        }
    }
    Ok(())
}

async fn read_log(stores: &Stores, feed: &FeedId, from: &Path, checked: &Checked) -> anyhow::Result<()> {
    let oldest = checked.manifest.oldest;
    let mut there = There { log: &*stores.log, feed, next: oldest, batches: Vec::new() };
    let mut progress = Progress::new(&feed.tenant, "imported", checked.totals.events);
    let mut baseline = Vec::new();
    for content in contents(from)? {
        let batch = match content? {
            Content::Baseline(piece) => {
                baseline.push(piece);
                continue;
            }
            Content::Batch(batch) => batch,
        };
        if !baseline.is_empty() {
            write_baseline(&*stores.views, feed, batch.header.stamp, std::mem::take(&mut baseline)).await?;
        }
        let header = &batch.header;
        let next = stores.log.head(feed).await?.next_batch;
        if header.number < next {
            ensure!(there.next().await?.as_ref() == Some(&batch), other(&feed.tenant));
        } else {
            append(&*stores.log, &batch).await?;
        }
        progress.at(header.end().0 - oldest.0);
    }
    progress.say(checked.totals.events);
    Ok(())
}

/// What an earlier, interrupted import has brought: it must be what the file says.
struct There<'s> {
    log: &'s dyn Log,
    feed: &'s FeedId,
    next: Offset,
    batches: Vec<SealedBatch>,
}

impl There<'_> {
    async fn next(&mut self) -> anyhow::Result<Option<SealedBatch>> {
        if self.batches.is_empty() {
            self.batches = self.log.read(self.feed, self.next, READ_BYTES).await?;
            self.batches.reverse();
        }
        let batch = self.batches.pop();
        self.next = batch.as_ref().map_or(self.next, |batch| batch.header.end());
        Ok(batch)
    }
}

/// Until the slot is occupied: whether an attempt without an answer was carried out, only the next one says.
async fn append(log: &dyn Log, batch: &SealedBatch) -> anyhow::Result<()> {
    let mut wait = Duration::from_millis(50);
    for _ in 0..ATTEMPTS {
        match log.append(batch.clone()).await {
            Ok(()) => return Ok(()),
            Err(AppendError::Unavailable { .. } | AppendError::Unknown { .. }) => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(RETRY_MAX);
            }
            Err(AppendError::Fenced { .. }) => bail!(other(&batch.header.feed.tenant)),
            Err(error) => return Err(error.into()),
        }
    }
    bail!("the store takes nothing at batch {}; run the import again, it goes on there", batch.header.number)
}

/// The baseline, and with it the views, begin anew: an interrupted import leaves half of one. Pieces stand below the place of
/// the whole, so that only the last makes it one.
async fn write_baseline(
    views: &dyn Views,
    feed: &FeedId,
    first: Stamp,
    pieces: Vec<BaselinePart>,
) -> anyhow::Result<()> {
    let baseline = views.baseline().await?.context("these views have no baseline")?;
    let at = pieces[0].at;
    if baseline.checkpoint(feed).await? == at {
        return Ok(());
    }
    let count = pieces.len() as u64;
    ensure!(count <= at.offset.0, "a baseline of {count} pieces at offset {}", at.offset);
    baseline.clear(feed).await?;
    for (index, piece) in pieces.into_iter().enumerate() {
        let mut checkpoint = at;
        checkpoint.offset.0 -= count - 1 - index as u64;
        // Older than whatever the log will write there.
        let stamp = Stamp(first.0.saturating_sub(1));
        let batch = ViewsBatch { feed: feed.clone(), stamp, checkpoint, writes: piece.writes };
        baseline.write(vec![batch]).await?;
    }
    baseline.sync().await?;
    views.clear(feed).await?;
    Ok(())
}

/// What the directory lacks of the tenant; an error where something of it is another's here.
fn facts(directory: &SystemDirectory, tenant: &TenantId, listing: &Listing) -> anyhow::Result<Vec<Fact>> {
    let accounts = listing.accounts.iter().map(|(account, carrier_id)| Registration::Account {
        account: account.clone(),
        tenant: tenant.clone(),
        carrier_id: carrier_id.clone(),
    });
    let lines = listing.lines.iter().map(|(channel, account, address)| Registration::Channel {
        channel: channel.clone(),
        tenant: tenant.clone(),
        account: account.clone(),
        address: address.clone(),
    });
    let registrations = std::iter::once(Registration::Tenant(tenant.clone())).chain(accounts).chain(lines);
    // Each is decided on what those before it made.
    let ahead = directory.copy();
    let mut facts = Vec::new();
    for registration in registrations {
        let fact = ahead.decide(&registration);
        let fact =
            fact.map_err(|refusal| anyhow::anyhow!("the directory of this store refuses {tenant}: {refusal}"))?;
        if let Some(fact) = fact {
            ahead.apply(&fact);
            facts.push(fact);
        }
    }
    Ok(facts)
}

/// From here on the tenant is served.
async fn register(stores: &Stores, tenant: &TenantId, listing: &Listing) -> anyhow::Result<()> {
    let facts = facts(&directory(&*stores.log).await?, tenant, listing)?;
    if facts.is_empty() {
        return Ok(());
    }
    let feed = FeedId::of(&TenantId::system());
    stores.log.anchor(&feed).await?;
    let head = stores.log.head(&feed).await?;
    let count = u32::try_from(facts.len()).context("too many lines")?;
    let mut stamp = SystemClock.now().max(head.stamp);
    let (mut body, mut offset) = (Vec::new(), head.next_offset);
    let origin = Origin { by: Author::Engine, via: Via::Command, request: RequestId(SystemIds.uuid()) };
    for fact in facts {
        stamp = Stamp(stamp.0 + 1);
        let header =
            Header { offset, stamp, conversation: None, previous: Offset(0), origin: origin.clone(), accepted: None };
        StoredEvent { header, fact, parts: Vec::new() }.encode(&mut body)?;
        offset = offset.next();
    }
    let header = BatchHeader {
        feed: feed.clone(),
        number: head.next_batch,
        id: BatchId(SystemIds.uuid()),
        first: head.next_offset,
        count,
        stamp,
        node: NodeId::new(NODE)?,
        wake_at: None,
    };
    append(&*stores.log, &SealedBatch { header, body: Bytes::from(body) }).await?;
    catch_up(stores, &feed).await?;
    Ok(())
}
