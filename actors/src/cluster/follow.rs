//! Serving a follower: from its position out of the log, then batch by batch as they become durable.

use std::{sync::Arc, time::Duration};

use schema::{
    event::SealedBatch,
    ids::{NodeId, Offset},
};
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        mpsc,
    },
    time::{Instant, sleep_until},
};

use crate::{
    engine::Node,
    ports::{Follow, Followed, Stands},
    tenant::TenantHandle,
};

/// Bytes of log read at once.
const READ_BYTES: usize = 1 << 20;
/// Between two confirmations of an owner at rest.
const CONFIRM_EVERY: Duration = Duration::from_millis(500);
/// Between two tellings of who is online, at least.
const PRESENT_AGAIN: Duration = Duration::from_millis(200);
/// What is under way to one follower; more waits at the owner as a position, not as a queue.
pub(super) const UNDER_WAY: usize = 16;

/// One node that follows one tenant of this one.
pub(super) struct Served {
    node: Arc<Node>,
    tenant: TenantHandle,
    follower: NodeId,
    next: Offset,
    to: mpsc::Sender<Followed>,
}

/// The follower has gone, or this node no longer owns the tenant.
struct Ends;

impl Served {
    pub(super) fn new(node: Arc<Node>, tenant: TenantHandle, follow: &Follow, to: mpsc::Sender<Followed>) -> Self {
        let from = if planted!(FollowedFromNowOn) { tenant.feed().position().offset } else { follow.offset };
        Self { node, tenant, follower: follow.from.clone(), next: from.next(), to }
    }

    /// Until the follower goes, or the tenant does.
    pub(super) async fn run(mut self) {
        let batches = self.tenant.shared.batches();
        let Err(Ends) = self.serve(batches).await;
        // Whoever was online there is not any more, as far as this node knows.
        self.tenant.presence().gone(&self.follower);
    }

    async fn serve(&mut self, mut batches: Receiver<SealedBatch>) -> Result<std::convert::Infallible, Ends> {
        let mut tick = tokio::time::interval(CONFIRM_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut changes = self.tenant.shared.presence.changes();
        let mut viewed = self.tenant.shared.viewed.offset();
        let mut present_at = Some(Instant::now());
        loop {
            self.catch_up().await?;
            self.stand().await?;
            tokio::select! {
                biased;
                batch = batches.recv() => match batch {
                    Ok(batch) => self.pass(batch).await?,
                    // The log has what was missed.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(Ends),
                },
                () = self.tenant.shared.viewed.reach(viewed.next()) => viewed = self.tenant.shared.viewed.offset(),
                // Typing changes often: what has changed meanwhile is told together.
                _ = changes.changed() => drop(present_at.get_or_insert_with(|| Instant::now() + PRESENT_AGAIN)),
                () = or_never(present_at.map(sleep_until)) => {
                    present_at = None;
                    self.present().await?;
                }
                _ = tick.tick() => {}
                () = self.to.closed() => return Err(Ends),
            }
        }
    }

    /// The next batch, if it is the next; else the log is read.
    async fn pass(&mut self, batch: SealedBatch) -> Result<(), Ends> {
        if batch.header.first == self.next {
            self.next = batch.header.end();
            return self.send(Followed::Batch(batch)).await;
        }
        Ok(())
    }

    /// What is durable and was not told. Batches that come meanwhile wait.
    async fn catch_up(&mut self) -> Result<(), Ends> {
        let feed = self.tenant.feed();
        while self.next <= feed.position().offset {
            let batches = self.node.ports.log.read(feed.id(), self.next, READ_BYTES).await.map_err(|_| Ends)?;
            if batches.is_empty() {
                return Ok(());
            }
            for batch in batches {
                self.next = batch.header.end();
                self.send(Followed::Batch(batch)).await?;
            }
        }
        Ok(())
    }

    /// Says where the owner stands; nothing while it is not sure that it is the owner.
    async fn stand(&self) -> Result<(), Ends> {
        let shared = &self.tenant.shared;
        if !self.tenant.is_here() {
            return Err(Ends);
        }
        let within = self.node.together.as_ref().map_or(Duration::MAX, |together| together.options.confirm_within);
        if shared.unconfirmed(self.node.ports.clock.monotonic()) > within {
            return Ok(());
        }
        let (head, viewed) = (shared.feed.position().offset, shared.viewed.offset());
        self.send(Followed::Stands(Stands { head, viewed })).await
    }

    async fn present(&self) -> Result<(), Ends> {
        let online = self.tenant.shared.presence.besides(&self.follower);
        self.send(Followed::Present(online)).await
    }

    async fn send(&self, followed: Followed) -> Result<(), Ends> {
        self.to.send(followed).await.map_err(|_| Ends)
    }
}

async fn or_never<F: Future>(future: Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
