//! Another owner's durable batches, into what this node's readers hold of a tenant.

use std::{sync::Arc, time::Duration};

use schema::{
    command::Reply,
    event::{Event, SealedBatch, StoredEvent},
    ids::{FeedId, Offset, TenantId},
};
use tokio::time::timeout;

use super::on_its_way;
use crate::{
    engine::Node,
    feed::CloseReason,
    handle::Refusal,
    projector,
    tenant::{handle::Shared, start::share},
};

/// Bytes of log read at once.
const READ_BYTES: usize = 1 << 20;
/// Longest wait until what was answered is also shown here.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// What readers on this node hold of a tenant that another owns, or that is about to start here.
pub(super) async fn open(node: &Node, tenant: &TenantId) -> Result<Arc<Shared>, Refusal> {
    let (feed, ports) = (FeedId::of(tenant), &node.ports);
    let anchor = ports.log.anchor(&feed).await.map_err(on_its_way)?;
    // Read first: settings that are read next are at least as new, and folding them again changes nothing.
    let checkpoint = ports.views.checkpoint(&feed).await.map_err(on_its_way)?;
    let settings = projector::load_settings(&*ports.views, tenant).await.map_err(on_its_way)?;
    let mut head = ports.log.head(&feed).await.map_err(on_its_way)?;
    head.next_offset = match &node.together {
        Some(together) if *tenant == TenantId::system() => together.directory_at().next(),
        _ => checkpoint.offset.next(),
    };
    let shared = Arc::new(share(node, &feed, &anchor, &head, settings, checkpoint));
    bring_up(node, &shared).await?;
    // Nobody here was told of what was written while nobody read it here.
    node.advances.iter().for_each(|advances| advances.mark(&feed));
    Ok(shared)
}

/// Shows everything that the log holds beyond what was shown.
pub(crate) async fn bring_up(node: &Node, shared: &Shared) -> Result<(), Refusal> {
    let feed = shared.feed.id();
    let anchor = node.ports.log.anchor(feed).await.map_err(on_its_way)?;
    if anchor.epoch != shared.feed.position().epoch {
        // Another log altogether: readers have to begin anew.
        shared.publisher.close(CloseReason::Moved);
        return Err(Refusal::Moved);
    }
    loop {
        let from = shared.feed.position().offset.next();
        let batches = node.ports.log.read(feed, from, READ_BYTES).await.map_err(on_its_way)?;
        if batches.is_empty() {
            return Ok(());
        }
        for batch in batches {
            show(node, shared, &batch).await?;
        }
    }
}

/// Whoever reads next on this node finds what was answered.
pub(super) async fn shown(shared: &Shared, reply: &Reply) {
    if timeout(SHOWN_WITHIN, shared.feed.reach(reply.offset)).await.is_err() {
        tracing::debug!(feed = %shared.feed.id(), "a reply overtook its events");
    }
}

/// Shows one durable batch: settings first, then the feed, then those who are told that it has grown.
pub(super) async fn show(node: &Node, shared: &Shared, batch: &SealedBatch) -> Result<(), Refusal> {
    let tenant = &shared.feed.id().tenant;
    let next = shared.feed.position().offset.next();
    if batch.header.last() < next {
        return Ok(());
    }
    let events = open_events(node, tenant, batch, next).await?;
    if events.first().is_none_or(|event| event.header.offset != next) {
        return Err(Refusal::Moved);
    }
    if events.iter().any(|event| projector::is_setting(&event.fact)) {
        let mut settings = (*shared.settings.load_full()).clone();
        events.iter().for_each(|event| settings.apply(&event.fact));
        shared.settings.store(Arc::new(settings));
    }
    if *tenant == TenantId::system() {
        events.iter().for_each(|event| node.directory.apply(&event.fact));
        if let Some(together) = &node.together {
            together.directory_is_at(batch.header.last());
        }
    }
    shared.publish(next, events);
    node.advances.iter().for_each(|advances| advances.mark(shared.feed.id()));
    Ok(())
}

async fn open_events(node: &Node, tenant: &TenantId, batch: &SealedBatch, from: Offset) -> Result<Vec<Event>, Refusal> {
    let stored: Result<Vec<StoredEvent>, _> = batch.events().collect();
    let mut events = Vec::new();
    for event in stored.map_err(on_its_way)?.into_iter().filter(|event| event.header.offset >= from) {
        events.push(node.vault.open(tenant, event).await.map_err(on_its_way)?);
    }
    Ok(events)
}
