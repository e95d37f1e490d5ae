//! What a tenant does without being asked: ring timers, let idle conversations go, end when nobody needs it.

use std::{rc::Rc, sync::Arc, time::Duration};

use schema::{
    command::{Command, ReplayArrival, Setting},
    event::{Content, Fact, StoredEvent},
    ids::{ConversationId, Offset, OperatorId, TenantId},
    message::Status as MessageStatus,
};

use super::{
    handle::Stats,
    owning::Ending,
    route::Routing,
    shell::{Core, Shell, Status},
    supervise::Slot,
    ticket::{ReplyTo, Ticket},
};
use crate::{conversation::State, handle::Refusal};

/// Timers kept in memory.
const TIMERS: usize = 10_000;
/// Between two looks at what is still under way at the end.
const WIND_UP_LOOK: Duration = Duration::from_millis(20);
/// Wait between two attempts of the tenant's own work when the tenant is busy.
const AGAIN: Duration = Duration::from_millis(200);

impl Shell {
    pub(crate) fn housekeeping(&self) {
        self.ring_timers();
        self.keep_hours();
        self.tell_pause();
        self.pump_all();
        self.reconcile_due();
        self.count_waiting_for_day();
        self.let_idle_go();
        self.stay_sure();
    }

    /// People whose hours say something else by now.
    fn keep_hours(&self) {
        let now = self.now();
        let due: Vec<OperatorId> = {
            let core = self.core.borrow();
            let due = core.settings.until.iter().filter(|(_, until)| until.at <= now);
            due.map(|(operator, _)| operator.clone()).collect()
        };
        for operator in due {
            let request = self.own_request(Command::Configure(Setting::HoursDue(operator)));
            self.route(Ticket::own(request, ReplyTo::Nobody));
        }
    }

    /// Conversations that nobody needs leave memory, once the views hold their last event.
    fn let_idle_go(&self) {
        let viewed = self.context.shared.viewed.offset();
        let now = self.context.ports.clock.monotonic();
        let idle = self.context.limits.conversation_idle;
        let core = &mut *self.core.borrow_mut();
        let Core { conversations, routes, .. } = core;
        conversations.retain(|_, slot| {
            let Slot::Ready(ready) = slot else { return true };
            let tracked = ready.tracked.borrow();
            let needed = now.saturating_sub(ready.used) < idle
                || tracked.state.last > viewed
                // On its way to the door: what the contact says meanwhile must be known there at once.
                || tracked.state.sends.values().any(|send| send.status == MessageStatus::Claimed)
                || Rc::strong_count(&ready.tracked) > 2;
            if !needed {
                routes.remove(&tracked.state.address);
            }
            needed
        });
        routes.retain(|_, routing| match routing {
            Routing::Known(conversation) => conversations.contains_key(conversation),
            Routing::Loading(_) => true,
        });
        metrics::gauge!("deskwire_conversations_in_memory").set(count(conversations.len()));
    }

    /// Whether the tenant is at its end, or may end because nobody needs it.
    pub(crate) fn is_over(&self) -> bool {
        if self.core.borrow().status == Status::Closed {
            return true;
        }
        let now = self.context.ports.clock.monotonic();
        if !self.is_idle() {
            self.idle_since.set(now);
        }
        let over = now.saturating_sub(self.idle_since.get()) >= self.context.limits.tenant_idle;
        if over {
            self.leave(Ending::Over);
        }
        over
    }

    /// Nobody holds the tenant but the engine, nothing is in memory, nothing is under way or due soon.
    fn is_idle(&self) -> bool {
        let core = self.core.borrow();
        let soon = self.now().plus(self.context.limits.tenant_idle);
        Arc::strong_count(&self.context.shared) <= 2
            && core.conversations.is_empty()
            && core.pending.is_empty()
            && core.timers.first().is_none_or(|(due, _)| *due > soon)
            && core.settings.hours_due().is_none_or(|due| due > soon)
            && !self.appending.get()
            && self.lanes.borrow().is_idle()
            && self.context.feed.tenant != TenantId::system()
            && self.context.shared.viewed.offset() >= core.durable
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats { conversations: self.core.borrow().conversations.len(), open_texts: self.lanes.borrow().open() }
    }

    /// Ends in order: nothing new is taken, appends and carrier calls under way come to their end.
    pub(crate) async fn wind_up(self: Rc<Self>) {
        {
            let core = &mut *self.core.borrow_mut();
            core.ends = true;
            if core.status == Status::Running {
                core.status = Status::Leaving;
            }
        }
        while self.is_busy() {
            tokio::time::sleep(WIND_UP_LOOK).await;
        }
        self.leave(self.ending());
    }

    fn is_busy(&self) -> bool {
        let core = self.core.borrow();
        let open = core.status != Status::Closed;
        open && (self.appending.get() || !core.pending.is_empty() || self.is_calling())
    }

    pub(crate) fn is_calling(&self) -> bool {
        self.lanes.borrow().calls() > 0
    }

    /// Takes no more commands; what is under way ends by itself.
    pub(crate) fn leave(&self, ending: Ending) {
        if self.core.borrow().status != Status::Closed {
            // Also those who wait for a conversation's state: nobody else would answer them.
            let refusal = if ending == Ending::Over { Refusal::Draining } else { Refusal::Moved };
            self.sweep(Vec::new(), &refusal, Some(Status::Closed));
            self.close(&refusal, ending);
        }
    }

    /// Everybody who follows the feed is told that it ends here, unless it goes on elsewhere.
    pub(crate) fn close(&self, refusal: &Refusal, ending: Ending) {
        tracing::info!(feed = %self.context.feed, %refusal, "tenant closes");
        self.let_readers_go(ending);
        self.context.charged.of(&self.context.feed.tenant).closes(self.core.borrow().durable);
        self.lanes.borrow_mut().clear();
        self.reconciler.borrow_mut().clear();
    }

    /// Commands that waited for room in the batch go on.
    pub(crate) fn resume_stalled(&self) {
        let stalled: Vec<Ticket> = self.core.borrow_mut().stalled.drain(..).collect();
        stalled.into_iter().for_each(|ticket| self.route(ticket));
    }

    /// Reads the earliest timers from the views, until they can be read: one that was not would never ring.
    pub(crate) fn load_timers(&self) {
        actix::spawn(load_timers(self.hold()));
    }

    async fn read_timers(&self) -> Result<(), Refusal> {
        let (durable, far) = (self.core.borrow().durable, schema::time::Stamp(u64::MAX));
        self.wait_viewed(durable).await?;
        let timers = self.context.ports.views.timers(&self.context.feed.tenant, far, TIMERS).await;
        let timers = timers.map_err(|error| Refusal::unavailable(error.to_string()))?;
        let core = &mut *self.core.borrow_mut();
        core.more_timers = timers.len() == TIMERS;
        core.timers.extend(timers);
        Ok(())
    }

    /// Plays what arrived for a parked conversation through the door again, in order.
    pub(crate) fn replay(&self, conversation: ConversationId) {
        actix::spawn(replay_all(self.hold(), conversation));
    }

    /// The newest state of a conversation with an open text: read until it can be read, for a text whose state was not
    /// read would wait for the next start. None: there is none, or the tenant has closed.
    pub(crate) async fn insist_on_state(&self, conversation: ConversationId) -> Option<State> {
        loop {
            match self.state_of(conversation).await {
                Ok(state) => return state,
                Err(_) if self.core.borrow().status == Status::Closed => return None,
                Err(refusal) => tracing::warn!(%conversation, %refusal, "open texts cannot be read; trying again"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// A command of the tenant's own that must not get lost: again until the door takes it.
    pub(crate) async fn insist(&self, command: Command) {
        loop {
            let (to, answer) = tokio::sync::oneshot::channel();
            if self.core.borrow().status == Status::Closed {
                return;
            }
            self.route(Ticket::own(self.own_request(command.clone()), ReplyTo::Call(to)));
            match answer.await {
                Ok(super::ticket::Answer::Done(Ok(_))) => return,
                Ok(super::ticket::Answer::Done(Err(Refusal::Rejected { code, detail, .. }))) => {
                    return tracing::warn!(code = code.as_str(), detail, "the tenant's own command was rejected");
                }
                _ => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

async fn load_timers(shell: Rc<Shell>) {
    let generation = shell.core.borrow().generation;
    while let Err(refusal) = shell.read_timers().await {
        tracing::warn!(feed = %shell.context.feed, %refusal, "timers could not be read; trying again");
        tokio::time::sleep(AGAIN).await;
        // Whoever has raised the generation reads them anew.
        if !shell.is_generation(generation) || shell.core.borrow().status == Status::Closed {
            return;
        }
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

async fn replay_all(shell: Rc<Shell>, conversation: ConversationId) {
    let waiting: Vec<Offset> = match shell.core.borrow().conversations.get(&conversation) {
        Some(Slot::Ready(ready)) => ready.tracked.borrow().state.unprocessed.clone(),
        _ => return,
    };
    for unprocessed in waiting {
        match read_arrival(&shell, conversation, unprocessed).await {
            Ok(Some((command, origin))) => {
                let replay = ReplayArrival { conversation, unprocessed, command };
                let mut request = shell.own_request(Command::Replay(Box::new(replay)));
                request.origin.by = origin;
                let (to, answer) = tokio::sync::oneshot::channel();
                shell.route(Ticket::own(request, ReplyTo::Call(to)));
                let done = matches!(answer.await, Ok(super::ticket::Answer::Done(Ok(_))));
                if !done {
                    return tracing::warn!(%conversation, %unprocessed, "an arrival could not be replayed; it stays");
                }
            }
            Ok(None) => tracing::warn!(%conversation, %unprocessed, "an arrival cannot be read any more"),
            Err(refusal) => return tracing::warn!(%conversation, %refusal, "replay is put off"),
        }
    }
}

type Arrival = (Command, schema::event::Author);

async fn read_arrival(shell: &Shell, conversation: ConversationId, offset: Offset) -> Result<Option<Arrival>, Refusal> {
    let tenant = &shell.context.feed.tenant;
    shell.wait_viewed(offset).await?;
    let away = |error: &dyn std::fmt::Display| Refusal::unavailable(error.to_string());
    let bytes = shell.context.ports.views.event(tenant, conversation, offset).await.map_err(|error| away(&error))?;
    let Some(stored) = bytes.and_then(|bytes| StoredEvent::decode(&bytes).ok()) else { return Ok(None) };
    if !matches!(stored.fact, Fact::MessageUnprocessed(_)) {
        return Ok(None);
    }
    let event = shell.context.vault.open(tenant, stored).await.map_err(|error| away(&error))?;
    let raw = event.parts.first().and_then(|part| match &part.content {
        Content::Open(personal) => personal.text.as_deref(),
        Content::Shredded => None,
    });
    let command = raw.and_then(|raw| serde_json::from_str(raw).ok());
    Ok(command.map(|command| (command, event.header.origin.by)))
}
