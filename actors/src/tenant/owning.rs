//! Staying the owner, where there are other nodes: it is sure only for a while after its last append or look at its next
//! slot, and a tenant that it lost leaves its readers to whoever has it now. Alone, all of this is nothing.

use std::time::Duration;

use schema::event::Via;

use super::{
    shell::{Shell, Status},
    ticket::Ticket,
};
use crate::{feed::CloseReason, handle::Refusal};

/// How a tenant ends on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It sleeps, or the node stops: readers come back with their position.
    Over,
    /// It was let go, for another node to take.
    Moves,
    /// Another node has taken it.
    Lost,
}

/// To whoever asks an owner that may no longer be one.
pub(super) fn unsure() -> Refusal {
    Refusal::unavailable("it is not certain that this node still owns the tenant")
}

impl Shell {
    /// How the tenant ends when it is told to stop.
    pub(super) fn ending(&self) -> Ending {
        let goes_on = self.context.together.as_ref().is_some_and(|together| together.keeps_readers());
        if goes_on { Ending::Moves } else { Ending::Over }
    }

    /// Readers are told that it ends; where it goes on elsewhere they stay, and are fed from there.
    pub(super) fn let_readers_go(&self, ending: Ending) {
        let shared = &self.context.shared;
        match (&self.context.together, ending) {
            (Some(together), Ending::Moves | Ending::Lost) => {
                if ending == Ending::Lost {
                    let ports = &self.context.ports;
                    together.lost(&self.context.feed.tenant, ports.clock.monotonic(), ports.ids.random());
                }
                shared.vacate();
                together.look_for(&self.context.feed.tenant);
            }
            _ => shared.publisher.close(CloseReason::Stopped),
        }
    }

    /// Before an append: when it began, if that matters.
    pub(super) fn since(&self) -> Option<Duration> {
        self.context.together.is_some().then(|| self.context.ports.clock.monotonic())
    }

    /// After it was stored: this node owned the tenant then.
    pub(super) fn sure(&self, since: Option<Duration>) {
        if let Some(since) = since {
            self.context.shared.confirm(since);
        }
    }

    /// Whether somebody asks who cannot be answered now. What the tenant asks itself ends in an append, which is fenced.
    pub(super) fn is_unsure(&self, ticket: &Ticket) -> bool {
        let Some(together) = &self.context.together else { return false };
        let now = self.context.ports.clock.monotonic();
        let unsure = ticket.request.origin.via != Via::Engine
            && self.context.shared.unconfirmed(now) > together.options.confirm_within;
        if unsure {
            self.look_at_slot();
        }
        unsure
    }

    /// An idle owner looks at its next slot from time to time: that is how it finds out.
    pub(super) fn stay_sure(&self) {
        let Some(together) = &self.context.together else { return };
        let now = self.context.ports.clock.monotonic();
        self.context.shared.presence.expire(now, together.options.confirm_within);
        if self.context.shared.unconfirmed(now) > together.options.confirm_within / 3 {
            self.look_at_slot();
        }
    }

    /// The views hold what this tenant has not written: another node has taken it, or somebody else writes to its store.
    /// Nothing may be decided on that; a look at its next slot ends it.
    pub(super) fn replaced(&self) -> Refusal {
        self.look_at_slot();
        match self.context.together {
            Some(_) => Refusal::Moved,
            None => Refusal::unavailable(format!("{}: somebody else writes to its views", self.context.feed)),
        }
    }

    fn look_at_slot(&self) {
        let is_open = matches!(self.core.borrow().status, Status::Running | Status::Leaving);
        if is_open && !self.appending.get() && !self.checking.replace(true) {
            let shell = self.hold();
            actix::spawn(async move {
                shell.look().await;
                shell.checking.set(false);
            });
        }
    }

    async fn look(&self) {
        let (since, next) = (self.since(), self.core.borrow().next_batch);
        let head = match self.context.ports.log.head(&self.context.feed).await {
            Ok(head) => head,
            Err(error) => return tracing::debug!(feed = %self.context.feed, %error, "the next slot cannot be seen"),
        };
        if self.appending.get() || self.core.borrow().next_batch != next {
            // An append says more.
            return;
        }
        if head.next_batch == next {
            return self.sure(since);
        }
        if self.core.borrow().status != Status::Closed {
            tracing::warn!(feed = %self.context.feed, owner = ?head.owner, "another node has taken this tenant");
            self.leave(Ending::Lost);
        }
    }
}
