//! A tenant becomes a file.

use std::{collections::HashSet, path::Path};

use actors::{
    baseline,
    ports::{Checkpoint, Directory as _, KeyError, Keys, VIEWS_VERSION, ViewWrite},
};
use anyhow::{Context as _, bail, ensure};
use schema::{
    event::{SealedBatch, StoredEvent},
    ids::{ContactId, FeedId, KeyId, TenantId},
    transfer::{Listing, Manifest, Secret},
};

use super::{Progress, READ_BYTES, catch_up, directory};
use crate::{
    app::{Opened, Stores, offline::opened},
    config::Config,
    store::{
        cql::Access,
        transfer::{BaselinePart, Content, Exporting, TransferKey},
    },
};

/// Rows of the baseline in one record.
const TOGETHER: usize = 10_000;

/// Writes a tenant into a file; goes on where an interrupted export of the same log stopped.
pub async fn export(config: &Config, tenant: &TenantId, to: &Path, key: &Path) -> anyhow::Result<()> {
    ensure!(*tenant != TenantId::system(), "the directory is no tenant: each tenant's entries go with it");
    ensure!(!to.exists(), "{} is there already", to.display());
    let key = TransferKey::read_or_make(key)?;
    let store = opened(config, Access::Alone).await?;
    let done = write(&store, tenant, to, &key).await;
    store.close().await?;
    done
}

async fn write(store: &Opened, tenant: &TenantId, to: &Path, key: &TransferKey) -> anyhow::Result<()> {
    let (stores, feed) = (store.stores(), FeedId::of(tenant));
    let listing = listing(&stores, tenant).await?;
    // What a crash left behind is finished first, as at every start: a baseline that is half brought forward is none.
    catch_up(&stores, &feed).await?;
    baseline::finish(&*stores.log, &*stores.views, &feed).await?;
    let anchor = stores.log.anchor(&feed).await?;
    let head = stores.log.head(&feed).await?;
    let first = stores.log.read(&feed, anchor.oldest, 0).await?;
    let Some(first) = first.first() else {
        bail!("the log of {tenant} has no event: nothing to export, or it was trimmed to its very end");
    };
    ensure!(first.header.first == anchor.oldest, "the log of {tenant} begins within a batch: trim it once more");
    let manifest = Manifest {
        tenant: tenant.clone(),
        epoch: anchor.epoch,
        oldest: anchor.oldest,
        oldest_batch: anchor.oldest_batch,
        views: VIEWS_VERSION,
    };
    let mut names = KeyNames::default();
    let mut last = None;
    let mut file = Exporting::open(to, &manifest, |content| {
        names.take(content);
        if let Content::Batch(batch) = content {
            last = Some(batch.clone());
        }
    })?;
    match last {
        Some(last) => goes_on(&stores, &feed, &last).await?,
        None => write_baseline(store, &feed, &manifest, &mut file, &mut names).await?,
    }
    let mut progress = Progress::new(tenant, "exported", head.next_offset.0 - anchor.oldest.0);
    let mut next = file.totals().next_offset;
    while next < head.next_offset {
        let batches = stores.log.read(&feed, next, READ_BYTES).await?;
        let Some(last) = batches.last() else { bail!("the log of {tenant} ends before offset {next}") };
        next = last.header.end();
        for batch in batches {
            file.batch(&batch)?;
            names.take(&Content::Batch(batch));
        }
        file.flush()?;
        progress.at(file.totals().events);
    }
    let secrets = secrets(store, &stores, tenant, &listing, &names).await?;
    let totals = file.finish(&listing, &secrets, key)?;
    progress.say(totals.events);
    println!("{tenant}: {} batches, {} events, in {}", totals.batches, totals.events, to.display());
    Ok(())
}

async fn listing(stores: &Stores, tenant: &TenantId) -> anyhow::Result<Listing> {
    let directory = directory(&*stores.log).await?;
    ensure!(directory.tenant_exists(tenant), "there is no tenant {tenant}");
    let lines = directory.channels().into_iter().filter(|line| line.tenant == *tenant);
    let lines = lines.map(|line| (line.channel, line.account, line.address)).collect();
    let accounts = directory.accounts().into_iter().filter(|account| account.tenant == *tenant);
    let accounts = accounts.map(|account| (account.account, account.carrier_id)).collect();
    Ok(Listing { accounts, lines })
}

/// An interrupted file must end with a batch of this very log.
async fn goes_on(stores: &Stores, feed: &FeedId, last: &SealedBatch) -> anyhow::Result<()> {
    let here = stores.log.read(feed, last.header.first, 0).await?;
    ensure!(here.first() == Some(last), "the unfinished file is of another log than this: remove it first");
    Ok(())
}

async fn write_baseline(
    store: &Opened,
    feed: &FeedId,
    manifest: &Manifest,
    file: &mut Exporting,
    names: &mut KeyNames,
) -> anyhow::Result<()> {
    let Some((at, writes)) = store.baseline_writes(feed).await? else { return Ok(()) };
    if manifest.oldest.0 == 1 {
        return Ok(());
    }
    ensure!(at.offset.next() == manifest.oldest, "the baseline stands at {}: run `deskwire verify` first", at.offset);
    for piece in pieces(at, writes) {
        file.baseline(&piece)?;
        names.take(&Content::Baseline(piece));
    }
    Ok(())
}

fn pieces(at: Checkpoint, mut writes: Vec<ViewWrite>) -> impl Iterator<Item = BaselinePart> {
    std::iter::from_fn(move || {
        let rest = writes.split_off(writes.len().min(TOGETHER));
        let piece = std::mem::replace(&mut writes, rest);
        (!piece.is_empty()).then(|| BaselinePart { at, writes: piece })
    })
}

/// Keys that parts name, in order of their first appearance. Neither store lists a tenant's keys.
#[derive(Default)]
struct KeyNames {
    known: HashSet<KeyId>,
    all: Vec<(ContactId, KeyId)>,
}

impl KeyNames {
    fn take(&mut self, content: &Content) {
        match content {
            // An event that cannot be decoded is found by `verify`; its bytes are moved all the same.
            Content::Batch(batch) => batch.events().flatten().for_each(|event| self.event(&event)),
            Content::Baseline(piece) => {
                for write in &piece.writes {
                    if let ViewWrite::Timeline { event, .. } = write
                        && let Ok(event) = StoredEvent::decode(event)
                    {
                        self.event(&event);
                    }
                }
            }
        }
    }

    fn event(&mut self, event: &StoredEvent) {
        for part in &event.parts {
            if self.known.insert(part.key) {
                self.all.push((part.subject, part.key));
            }
        }
    }
}

async fn secrets(
    store: &Opened,
    stores: &Stores,
    tenant: &TenantId,
    listing: &Listing,
    names: &KeyNames,
) -> anyhow::Result<Vec<Secret>> {
    let mut secrets = vec![Secret::Hash(stores.keys.hash_secret(tenant).await?)];
    for (contact, id) in &names.all {
        secrets.extend(key(&*stores.keys, tenant, *contact, *id).await?);
    }
    let tables = store.tables();
    for (account, _) in &listing.accounts {
        secrets.push(Secret::Account(account.clone(), tables.secrets(account)));
    }
    let people = tables.people().into_iter().filter(|(of, ..)| of == tenant);
    secrets.extend(people.map(|(_, operator, record)| Secret::Person(operator, record)));
    Ok(secrets)
}

/// None: the contact was erased, and stays so.
async fn key(keys: &dyn Keys, tenant: &TenantId, contact: ContactId, id: KeyId) -> anyhow::Result<Option<Secret>> {
    match keys.get(tenant, id).await {
        Ok(key) => Ok(Some(Secret::Key { contact, id: key.id, secret: key.secret })),
        Err(KeyError::Destroyed) => Ok(None),
        Err(error) => Err(error).context("a contact's key"),
    }
}
