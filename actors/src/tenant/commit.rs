//! From the batch under assembly to the log, and what follows: publish, answer, project, react.

use std::{rc::Rc, time::Duration};

use schema::{
    event::{AvailabilityChanged, Event, Fact, OperatorConfigured, SealedBatch},
    ids::OperatorId,
    message::Status as MessageStatus,
    time::Stamp,
};

use super::{
    batch::{Completion, Pending},
    owning::Ending,
    route::Routing,
    shell::{Core, Shell, Status},
    supervise::Slot,
    ticket::Ticket,
};
use crate::{
    feed::CloseReason,
    handle::Refusal,
    ports::{AppendError, Checkpoint, ViewWrite, ViewsBatch},
    projector::{self, Projection},
    trace,
};

/// First wait before an append of unknown outcome is repeated; doubles.
const REPEAT_MIN: Duration = Duration::from_millis(20);
/// Longest wait before an append of unknown outcome is repeated.
const REPEAT_MAX: Duration = Duration::from_secs(2);

struct Sealed {
    pending: Pending,
    batch: SealedBatch,
    writes: Vec<ViewWrite>,
    /// As they are after this batch, if it changes them: what is decided ahead of the log may never be stored.
    settings: Option<std::sync::Arc<super::Settings>>,
}

impl Shell {
    /// Starts the appender if it is not running: one append in flight per tenant; meanwhile the next batch collects.
    pub(crate) fn kick(&self) {
        if !self.appending.replace(true) {
            actix::spawn(append_all(self.hold()));
        }
    }

    fn seal(&self) -> Option<Sealed> {
        let core = &mut *self.core.borrow_mut();
        let open = matches!(core.status, Status::Running | Status::Leaving);
        if !open || core.pending.is_empty() {
            return None;
        }
        let mut pending = std::mem::replace(&mut core.pending, self.new_pending(core.next_offset));
        let idle = self.lanes.borrow().is_idle_after(&pending.events);
        let wake_at = wake_at(core, idle, &pending);
        let (batch, mut writes) = pending.seal(&self.context.feed, core.next_batch, &self.context.node, wake_at);
        let settings = pending.settings_changed.then(|| std::sync::Arc::new(core.settings.clone()));
        writes.extend(settings.as_deref().map(projector::settings_write));
        Some(Sealed { pending, batch, writes, settings })
    }

    /// Appends until it is certain. An empty slot proves nothing: the same bytes go to the same number again.
    async fn append(&self, batch: &SealedBatch) -> Result<(), AppendError> {
        let mut wait = REPEAT_MIN;
        let mut frozen = false;
        loop {
            match self.context.ports.log.append(batch.clone()).await {
                Err(AppendError::Unknown { .. }) if planted!(UnknownTakenForStored) => return Ok(()),
                Err(AppendError::Unknown { reason }) if planted!(UnknownTakenForFailed) => {
                    let head = self.context.ports.log.head(&self.context.feed).await;
                    if head.is_ok_and(|head| head.next_batch <= batch.header.number) {
                        return Err(AppendError::Unavailable { retry_after: REPEAT_MAX, reason });
                    }
                }
                Err(AppendError::Fenced { .. }) if planted!(FenceIgnored) => return Ok(()),
                Err(AppendError::Unknown { reason }) => {
                    tracing::warn!(feed = %self.context.feed, batch = %batch.header.number, %reason, "append repeated");
                    self.core.borrow_mut().status = Status::Frozen;
                    frozen = true;
                }
                // After an unknown outcome, "not stored" is no answer either.
                Err(AppendError::Unavailable { .. }) if frozen => {}
                result => {
                    let core = &mut *self.core.borrow_mut();
                    if core.status == Status::Frozen {
                        core.status = if core.ends { Status::Leaving } else { Status::Running };
                    }
                    return result;
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(REPEAT_MAX);
        }
    }

    /// The batch is on stable storage: only now does anybody hear of it.
    async fn committed(self: &Rc<Self>, sealed: Sealed, began: Stamp) {
        let Sealed { mut pending, batch, writes, settings } = sealed;
        self.context.shared.tell_followers(&batch);
        let header = batch.header;
        let riders = {
            let core = &mut *self.core.borrow_mut();
            core.durable = header.last();
            core.next_batch = header.number.next();
            core.recents.forget(self.context.shared.viewed.offset());
            if let Some(settings) = settings {
                self.context.shared.settings.store(settings);
            }
            std::mem::take(&mut core.riders)
        };
        let events = std::mem::take(&mut pending.events);
        if let Some(directory) = &self.context.directory {
            events.iter().for_each(|event| directory.apply(&event.fact));
        }
        let traced = trace::Batch::of(header.first, &events);
        let stored = self.now();
        self.remember_requests(&events);
        self.react(&events);
        if pending.settings_changed {
            self.limits_changed();
        }
        let publishing = self.now();
        self.context.shared.publish(header.first, events);
        if let Some(traced) = traced {
            traced.appended(began, stored);
            traced.published(publishing, self.now());
        }
        for completion in pending.completions.into_iter().chain(riders) {
            completion.send(Ok(()));
        }
        metrics::counter!("deskwire_log_batches_total").increment(1);
        metrics::counter!("deskwire_log_events_total").increment(u64::from(header.count));
        self.context.advances.iter().for_each(|advances| advances.mark(&self.context.feed));
        let checkpoint = Checkpoint { offset: header.last(), batch: header.number };
        let batch = ViewsBatch { feed: self.context.feed.clone(), stamp: header.stamp, checkpoint, writes };
        self.context.projector.send(Projection { batch, viewed: self.context.shared.viewed.clone() }).await;
        self.resume_stalled();
    }

    /// The batch certainly is not stored: everything decided on top of it is void, its callers are told.
    fn failed(&self, pending: Pending, error: &AppendError) {
        metrics::counter!("deskwire_log_append_failures_total").increment(1);
        tracing::warn!(feed = %self.context.feed, %error, "append failed; what was decided ahead is dropped");
        let (refusal, ending) = match error {
            AppendError::Unavailable { retry_after, reason } => {
                (Refusal::Unavailable { retry_after: *retry_after, reason: reason.clone() }, None)
            }
            AppendError::Fenced { .. } if self.context.together.is_some() => (Refusal::Moved, Some(Ending::Lost)),
            other => (Refusal::unavailable(other.to_string()), Some(Ending::Over)),
        };
        self.sweep(pending.completions, &refusal, ending.map(|_| Status::Closed));
        match ending {
            Some(ending) => self.close(&refusal, ending),
            None => self.load_timers(),
        }
    }

    /// Everything that is not durable is void: whoever waits for it, or for its state, is told.
    pub(super) fn sweep(&self, completions: Vec<Completion>, refusal: &Refusal, status: Option<Status>) {
        let (completions, waiting) = {
            let core = &mut *self.core.borrow_mut();
            let mut completions = completions;
            completions.append(&mut core.riders);
            completions
                .append(&mut std::mem::replace(&mut core.pending, self.new_pending(core.durable.next())).completions);
            let waiting = roll_back(core, &self.context.shared.settings.load());
            core.directory = self.context.directory.as_ref().map(|directory| directory.copy());
            core.status = status.unwrap_or(core.status);
            (completions, waiting)
        };
        waiting.into_iter().for_each(|ticket| self.refuse(ticket, refusal.clone()));
        self.answer_all(completions, refusal);
    }

    fn answer_all(&self, completions: Vec<Completion>, refusal: &Refusal) {
        for completion in completions {
            if let super::ticket::ReplyTo::Lane(message) = completion.to {
                self.claim_refused(message);
            } else {
                completion.send(Err(refusal.clone()));
            }
        }
    }

    /// What a durable event sets in motion.
    fn react(self: &Rc<Self>, events: &[Event]) {
        // Together: at the end of a shift many go at once, and each look is at every open conversation.
        if let Some(last) = events.last() {
            self.let_go(events.iter().filter_map(|event| leaver(&event.fact)).collect(), last.header.offset);
        }
        for event in events {
            let Some(conversation) = event.header.conversation else { continue };
            match &event.fact {
                Fact::MessageQueued(fact) => self.lane_insert(conversation, fact.message),
                Fact::MessageRequeued(fact) => self.lane_insert(conversation, fact.message),
                Fact::MessageClaimed(fact) => self.call_carrier(conversation, fact.clone()),
                Fact::MessageStatus(fact) if fact.status == MessageStatus::Unknown => {
                    self.lane_unknown(fact.message);
                    self.reconcile_unknown(conversation, fact.message);
                }
                Fact::MessageStatus(fact) if fact.status.rank() >= MessageStatus::Sent.rank() => {
                    self.lane_settled(fact.message, fact.attempt);
                }
                Fact::ConversationReleased(_) => self.replay(conversation),
                _ => {}
            }
        }
    }
}

/// Whoever is revoked by it, or away.
fn leaver(fact: &Fact) -> Option<OperatorId> {
    match fact {
        Fact::OperatorConfigured(OperatorConfigured { operator, role: None })
        | Fact::AvailabilityChanged(AvailabilityChanged { operator, away: true, .. }) => Some(operator.clone()),
        _ => None,
    }
}

/// A tenant whose appender panicked must not go on: the next start reads what is stored.
struct CloseOnPanic(Rc<Shell>);

impl Drop for CloseOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(mut core) = self.0.core.try_borrow_mut()
        {
            core.status = Status::Closed;
            // Sessions hold on to this tenant: without a word they would wait here while another one serves.
            self.0.context.shared.publisher.close(CloseReason::Restarted);
        }
    }
}

async fn append_all(shell: Rc<Shell>) {
    let _guard = CloseOnPanic(shell.clone());
    while let Some(sealed) = shell.seal() {
        let (began, since) = (shell.now(), shell.since());
        match shell.append(&sealed.batch).await {
            Ok(()) => {
                shell.sure(since);
                shell.committed(sealed, began).await;
            }
            Err(error) => shell.failed(sealed.pending, &error),
        }
    }
    shell.appending.set(false);
    // A command may have come in between the last look and now.
    let more = {
        let core = shell.core.borrow();
        matches!(core.status, Status::Running | Status::Leaving) && !core.pending.is_empty()
    };
    if more {
        shell.kick();
    }
}

/// Back to what is durable: conversations are read again when somebody asks for them. Gives back who waited.
fn roll_back(core: &mut Core, settings: &super::Settings) -> Vec<Ticket> {
    core.generation += 1;
    core.next_offset = core.durable.next();
    core.recents.roll_back(core.durable);
    core.settings = settings.clone();
    core.timers.clear();
    let mut waiting: Vec<Ticket> = core.stalled.drain(..).collect();
    if planted!(FailedBatchKept) {
        return waiting;
    }
    for slot in in_order(core.conversations.drain()) {
        if let Slot::Loading(behind) | Slot::Backoff(behind) = slot {
            waiting.extend(behind);
        }
    }
    for routing in in_order(core.routes.drain()) {
        if let Routing::Loading(behind) = routing {
            waiting.extend(behind);
        }
    }
    waiting
}

/// A hash map's own order is another one in each process: a run could not be repeated from its seed.
fn in_order<K: Ord, V>(entries: impl Iterator<Item = (K, V)>) -> impl Iterator<Item = V> {
    let mut entries: Vec<(K, V)> = entries.collect();
    entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    entries.into_iter().map(|(_, value)| value)
}

/// When this tenant must be awake next: at once while a text is open, else at its first timer.
fn wake_at(core: &Core, lanes_idle: bool, pending: &Pending) -> Option<Stamp> {
    let opens = pending
        .events
        .iter()
        .any(|event| matches!(event.fact, Fact::MessageQueued(_) | Fact::MessageRequeued(_) | Fact::MessageClaimed(_)));
    if opens || !lanes_idle {
        return Some(pending.stamp);
    }
    core.timers.first().map(|(due, _)| *due).into_iter().chain(core.settings.hours_due()).min()
}
