//! Texts whose fate nobody knows: the carrier's list is asked for them, late enough, ever more rarely, until their
//! validity ends. What it proves goes through the door like a status callback; what it does not prove changes nothing.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use schema::{
    command::{Command, DeliveryReport},
    ids::{ConversationId, MessageId},
    message::Status,
    time::Stamp,
};

use super::{
    calls::{address, words},
    shell::{Shell, Status as TenantStatus},
};
use crate::{
    conversation::{Send, State},
    handle::Refusal,
    outbox::{Found, Wanted, find, same},
    ports::{ListError, ListedText, LookUp},
};

/// Texts to be asked for, by time. As many as are open at the lanes.
#[derive(Default)]
pub(crate) struct Reconciler {
    due: BTreeSet<(Stamp, MessageId)>,
    jobs: HashMap<MessageId, Job>,
    busy: bool,
}

#[derive(Clone, Copy)]
struct Job {
    conversation: ConversationId,
    attempt: u16,
    looks: u32,
    due: Stamp,
    last: Stamp,
}

impl Reconciler {
    fn put(&mut self, message: MessageId, job: Job) {
        self.drop_job(message);
        self.due.insert((job.due, message));
        self.jobs.insert(message, job);
    }

    fn drop_job(&mut self, message: MessageId) -> Option<Job> {
        let job = self.jobs.remove(&message)?;
        self.due.remove(&(job.due, message));
        Some(job)
    }

    fn take_due(&mut self, now: Stamp) -> Option<(MessageId, Job)> {
        let (_, message) = *self.due.first().filter(|(due, _)| *due <= now)?;
        self.drop_job(message).map(|job| (message, job))
    }

    pub(crate) fn clear(&mut self) {
        self.due.clear();
        self.jobs.clear();
    }
}

impl Shell {
    /// A text's fate is unknown from now on, or was so when the tenant started. Past its validity nobody asks.
    pub(crate) fn reconcile_later(&self, conversation: ConversationId, message: MessageId, send: &Send) {
        let options = &self.context.limits.reconcile;
        let due = options.first(send.deadline, self.context.limits.send_deadline);
        let last = options.last(due, send.valid_until);
        if self.now() > last {
            return self.lane_forgotten(message);
        }
        let job = Job { conversation, attempt: send.attempt, looks: 0, due, last };
        self.reconciler.borrow_mut().put(message, job);
    }

    /// The same, when only its event is at hand.
    pub(crate) fn reconcile_unknown(&self, conversation: ConversationId, message: MessageId) {
        let shell = self.hold();
        actix::spawn(async move {
            if let Some(state) = shell.insist_on_state(conversation).await
                && let Some(send) = state.sends.get(&message).filter(|send| send.status == Status::Unknown)
            {
                shell.reconcile_later(conversation, message, send);
            }
        });
    }

    /// Asks for those whose time has come, one after the other.
    pub(crate) fn reconcile_due(&self) {
        let now = self.now();
        let begins = {
            let reconciler = &mut *self.reconciler.borrow_mut();
            let due = reconciler.due.first().is_some_and(|(due, _)| *due <= now);
            due && !std::mem::replace(&mut reconciler.busy, true)
        };
        if begins {
            actix::spawn(run(self.hold()));
        }
    }
}

async fn run(shell: Rc<Shell>) {
    loop {
        if shell.core.borrow().status != TenantStatus::Running {
            break;
        }
        let next = shell.reconciler.borrow_mut().take_due(shell.now());
        let Some((message, job)) = next else { break };
        let verdict = ask(&shell, message, &job).await;
        metrics::counter!("deskwire_reconciliations_total", "verdict" => verdict.label()).increment(1);
        match verdict {
            Verdict::Over => {}
            Verdict::Proof(report) => shell.insist(Command::Receipt(*report)).await,
            Verdict::Never => shell.lane_forgotten(message),
            Verdict::Open { asked } => again(&shell, message, job, asked),
        }
    }
    shell.reconciler.borrow_mut().busy = false;
}

fn again(shell: &Rc<Shell>, message: MessageId, job: Job, asked: Option<Duration>) {
    let looks = job.looks.saturating_add(1);
    let random = shell.context.ports.ids.random();
    match shell.context.limits.reconcile.next(looks, shell.now(), job.last, asked, random) {
        Some(due) => shell.reconciler.borrow_mut().put(message, Job { looks, due, ..job }),
        // It stays unknown until a person decides.
        None => shell.lane_forgotten(message),
    }
}

/// What one question brought.
enum Verdict {
    /// It is not unknown any more, or another attempt is under way.
    Over,
    /// The carrier has it.
    Proof(Box<DeliveryReport>),
    /// Nobody knows still.
    Open {
        /// When the carrier wants to be asked again.
        asked: Option<Duration>,
    },
    /// This carrier keeps no list, or the contact was erased.
    Never,
}

impl Verdict {
    fn label(&self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Proof(_) => "found",
            Self::Open { .. } => "open",
            Self::Never => "never",
        }
    }
}

async fn ask(shell: &Rc<Shell>, message: MessageId, job: &Job) -> Verdict {
    match look(shell, message, job).await {
        Ok(verdict) => verdict,
        Err(refusal) => {
            tracing::warn!(%message, %refusal, "an unknown text could not be looked up; it is asked for again");
            Verdict::Open { asked: None }
        }
    }
}

async fn look(shell: &Rc<Shell>, message: MessageId, job: &Job) -> Result<Verdict, Refusal> {
    let Some(state) = shell.state_of(job.conversation).await? else { return Ok(Verdict::Over) };
    let Some(send) = waits(&state, message, job) else { return Ok(Verdict::Over) };
    let Some(((text, media), query)) = question(shell, &state, send).await? else { return Ok(Verdict::Never) };
    // Of two texts with the same words nobody can tell which of them the carrier has.
    if has_twin(shell, &state, message, send, &text).await? {
        return Ok(Verdict::Open { asked: None });
    }
    let (since, until) = (query.since, query.until);
    let listed = match listed(shell, query).await {
        Ok(listed) => listed,
        Err(ListError::Unsupported) => return Ok(Verdict::Never),
        Err(ListError::Unavailable { retry_after, .. }) => return Ok(Verdict::Open { asked: retry_after }),
    };
    // Callbacks may have come meanwhile: what is known is what is known now.
    let Some(state) = shell.state_of(job.conversation).await? else { return Ok(Verdict::Over) };
    if waits(&state, message, job).is_none() {
        return Ok(Verdict::Over);
    }
    let known: HashSet<&str> = state.sends.values().flat_map(Send::carrier_ids).collect();
    let wanted = Wanted { text: &text, media, since, until };
    Ok(match find(wanted, &listed, &known) {
        Found::One(found) => Verdict::Proof(Box::new(report(job, message, found))),
        Found::Nothing | Found::Several => Verdict::Open { asked: None },
    })
}

fn waits<'s>(state: &'s State, message: MessageId, job: &Job) -> Option<&'s Send> {
    state.sends.get(&message).filter(|send| send.status == Status::Unknown && send.attempt == job.attempt)
}

fn report(job: &Job, message: MessageId, found: &ListedText) -> DeliveryReport {
    DeliveryReport {
        conversation: job.conversation,
        message,
        attempt: job.attempt,
        carrier_id: found.carrier_id.clone(),
        status: found.status,
        error: found.error.clone(),
        channel: None,
    }
}

type Question = ((String, usize), LookUp);

/// What to ask; `None`: the contact was erased, or the line is gone.
async fn question(shell: &Rc<Shell>, state: &State, send: &Send) -> Result<Option<Question>, Refusal> {
    let line = shell.context.shared.settings.load().channels.get(&send.channel).cloned();
    let said = words(shell, state.conversation, send.queued_at).await?;
    let to = address(shell, state.conversation, state.address_at).await?;
    let (Some(line), Some((text, media)), Some(to)) = (line, said, to) else { return Ok(None) };
    let limits = &shell.context.limits;
    // The carrier's dates are whole seconds.
    let margin = limits.reconcile.margin + Duration::from_secs(1);
    let query = LookUp {
        account: line.account,
        from: line.address,
        to,
        since: Stamp(send.claimed.0.saturating_sub(u64::try_from(margin.as_micros()).unwrap_or(u64::MAX))),
        until: limits.reconcile.first(send.deadline, limits.send_deadline),
        time_out: limits.reconcile.time_out,
    };
    Ok(Some(((text, media.len()), query)))
}

/// Whether another text of the contact with the same words has no id yet.
async fn has_twin(
    shell: &Rc<Shell>,
    state: &State,
    message: MessageId,
    send: &Send,
    text: &str,
) -> Result<bool, Refusal> {
    for (id, other) in &state.sends {
        let open = matches!(other.status, Status::Claimed | Status::Unknown);
        if *id == message || !open || other.channel != send.channel {
            continue;
        }
        let said = words(shell, state.conversation, other.queued_at).await?;
        if said.is_some_and(|(words, _)| same(&words, text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Asks the carrier, on the shared runtime, when it is this account's turn.
async fn listed(shell: &Rc<Shell>, query: LookUp) -> Result<Vec<ListedText>, ListError> {
    let mut turn = shell.context.listings.turn(&query.account).await;
    let carrier = shell.context.ports.carrier.clone();
    let within = query.time_out;
    let asked = shell.context.runtime.spawn(async move { tokio::time::timeout(within, carrier.look_up(query)).await });
    let answer = match asked.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(ListError::unavailable("no answer in time")),
        Err(_) => Err(ListError::unavailable("the question was not asked to its end")),
    };
    if let Err(ListError::Unavailable { retry_after, reason }) = &answer {
        tracing::warn!(reason, "the carrier's list could not be read; unknown texts stay unknown meanwhile");
        retry_after.iter().for_each(|pause| turn.pause(*pause));
    }
    answer
}
