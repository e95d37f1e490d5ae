//! Calls to the carrier: a claimed text is read, waits at the door for its pace, leaves once, and its result comes
//! back through the tenant's door. Nothing is ever retried here.

use std::{cell::RefCell, rc::Rc, time::Duration};

use schema::{
    address::E164,
    command::{Command, SendOutcome, SettleSend},
    event::{Consent, Content, Event, Fact, MediaRef, MessageClaimed, Purpose, StoredEvent},
    ids::{ContactId, ConversationId, Offset},
    time::Stamp,
};

use super::{
    shell::Shell,
    supervise::{Slot, Tracked},
};
use crate::{
    conversation::{Send, State, VALIDITY_MIN},
    handle::Refusal,
    ports::{Admission, DayPart, OutgoingText, PaceRequest},
};

/// One call to the carrier, within the claim's deadline.
pub(super) async fn call(shell: Rc<Shell>, conversation: ConversationId, claim: MessageClaimed) {
    let deadline = shell.context.ports.clock.monotonic() + shell.time_left(&claim);
    let outcome = match tokio::time::timeout(shell.time_left(&claim), prepare(&shell, conversation, &claim)).await {
        Ok(Ok((text, ref send, consent))) if bars(consent, send) => {
            tracing::info!(message = %text.message, "its contact opted out after the claim; it stays");
            SendOutcome::Held
        }
        Ok(Ok((mut text, Send { valid_until, .. }, _))) => {
            let left = deadline.saturating_sub(shell.context.ports.clock.monotonic());
            text.time_out = left;
            // After every wait, right before the call: what is left of it is what the carrier may keep it for.
            text.validity = valid_until.since(shell.now());
            match text.validity {
                _ if left.is_zero() => NOT_SENT,
                validity if validity < VALIDITY_MIN && !planted!(ExpiredSent) => SendOutcome::TooLate,
                _ => send(&shell, text, left).await,
            }
        }
        Ok(Err(refusal)) => {
            tracing::warn!(message = %claim.message, %refusal, "a claimed text could not be read");
            NOT_SENT
        }
        Err(_) => NOT_SENT,
    };
    count_outcome(&outcome);
    let settle = SettleSend { conversation, message: claim.message, attempt: claim.attempt, outcome };
    shell.insist(Command::Settle(settle)).await;
}

/// Consent is looked at once more after every wait: the way from the claim to the door may take seconds, and STOP comes in
/// between. What is held goes back to its lane, whose next claim takes it back for good.
fn bars(consent: Consent, send: &Send) -> bool {
    let confirms = matches!(send.purpose, Purpose::Confirmation(_));
    consent == Consent::OptedOut && !confirms && !planted!(SentAfterOptOut)
}

const NOT_SENT: SendOutcome = SendOutcome::NotSent { retry_after_s: None };

/// Reads the text, then waits at the door: a slow append gathers texts that were admitted one by one, and they must
/// not leave together.
async fn prepare(
    shell: &Shell,
    conversation: ConversationId,
    claim: &MessageClaimed,
) -> Result<(OutgoingText, Send, Consent), Refusal> {
    let (mut text, contact, queued) = outgoing(shell, conversation, claim).await?;
    let limits = shell.context.shared.settings.load().limits(&text.channel);
    let request = PaceRequest {
        tenant: &shell.context.feed.tenant,
        account: &text.account,
        channel: &text.channel,
        contact,
        segments: claim.segments,
        priority: queued.priority,
        part: DayPart::of(&queued.purpose),
        limits: &limits,
    };
    loop {
        let generation = shell.core.borrow().generation;
        let stored = shell.state_of(conversation).await?.map(|state| state.consent);
        text.departs = loop {
            let now = shell.now();
            match shell.context.ports.limiter.depart(&request, now) {
                Admission::Granted => break now,
                Admission::NotBefore { at, .. } => {
                    tokio::time::sleep(at.since(now).max(Duration::from_millis(1))).await;
                }
            }
        };
        // From the door to the first byte nothing waits: what would have to be read now was read before. A conversation with
        // a claim leaves memory only where a batch failed; then it is read, and the door is asked, once more.
        let newest = shell.newest_consent(conversation);
        if newest.is_some() || shell.is_generation(generation) {
            // Nobody knows: it stays, too.
            return Ok((text, queued, newest.or(stored).unwrap_or(Consent::OptedOut)));
        }
    }
}

impl Shell {
    fn time_left(&self, claim: &MessageClaimed) -> Duration {
        claim.deadline.since(self.now()).min(self.context.limits.send_deadline)
    }
}

/// Sends on the shared runtime; past the deadline the call is dropped and nobody knows what became of it.
async fn send(shell: &Shell, text: OutgoingText, left: Duration) -> SendOutcome {
    // Between the claim and now somebody may have pressed the button.
    if shell.is_held(text.message) {
        return SendOutcome::Held;
    }
    let (message, attempt, began) = (text.message, text.attempt, shell.now());
    let carrier = shell.context.ports.carrier.clone();
    let mut task = shell.context.runtime.spawn(async move { carrier.send(text).await });
    let outcome = match tokio::time::timeout(left, &mut task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => SendOutcome::Unknown,
        Err(_) => {
            task.abort();
            if planted!(UnknownSentAgain) { NOT_SENT } else { SendOutcome::Unknown }
        }
    };
    shell.trace_sent(message, attempt, began, label(&outcome));
    outcome
}

fn count_outcome(outcome: &SendOutcome) {
    metrics::counter!("deskwire_carrier_sends_total", "outcome" => label(outcome)).increment(1);
}

fn label(outcome: &SendOutcome) -> &'static str {
    match outcome {
        SendOutcome::Accepted { .. } => "accepted",
        SendOutcome::Refused(_) => "refused",
        SendOutcome::NotSent { .. } => "not_sent",
        SendOutcome::Unknown => "unknown",
        SendOutcome::Held => "held",
        SendOutcome::TooLate => "too_late",
    }
}

/// Reads what is to be sent: text and address are sealed in the events that brought them.
async fn outgoing(
    shell: &Shell,
    conversation: ConversationId,
    claim: &MessageClaimed,
) -> Result<(OutgoingText, ContactId, Send), Refusal> {
    let gone = |what: &str| Refusal::unavailable(format!("{what} of message {} is gone", claim.message));
    let state = shell.state_of(conversation).await?.ok_or_else(|| gone("conversation"))?;
    let send = state.sends.get(&claim.message).ok_or_else(|| gone("record"))?.clone();
    let settings = shell.context.shared.settings.load();
    let line = settings.channels.get(&send.channel).ok_or_else(|| gone("line"))?;
    let (text, media) = words(shell, conversation, send.queued_at).await?.ok_or_else(|| gone("text"))?;
    let to = address(shell, conversation, state.address_at).await?.ok_or_else(|| gone("address"))?;
    let text = OutgoingText {
        account: line.account.clone(),
        channel: send.channel.clone(),
        from: line.address.clone(),
        to,
        text,
        media,
        conversation,
        message: claim.message,
        attempt: claim.attempt,
        departs: Stamp(0),
        validity: Duration::ZERO,
        time_out: Duration::ZERO,
    };
    Ok((text, state.contact, send))
}

pub(super) async fn words(
    shell: &Shell,
    conversation: ConversationId,
    offset: Offset,
) -> Result<Option<(String, Vec<MediaRef>)>, Refusal> {
    let event = shell.read_event(conversation, offset).await?;
    Ok(event.and_then(|event| {
        let personal = event.personal()?;
        matches!(event.fact, Fact::MessageQueued(_)).then(|| ())?;
        Some((personal.text.clone()?, personal.media.clone()))
    }))
}

pub(super) async fn address(
    shell: &Shell,
    conversation: ConversationId,
    offset: Offset,
) -> Result<Option<E164>, Refusal> {
    let event = shell.read_event(conversation, offset).await?;
    Ok(event.and_then(|event| {
        event.parts.iter().find_map(|part| match &part.content {
            Content::Open(personal) => personal.address.as_ref()?.phone().cloned(),
            Content::Shredded => None,
        })
    }))
}

impl Shell {
    /// What a conversation in memory knows of its contact's consent. A change that is decided and not stored yet may be
    /// rolled back: until then it lets nothing out.
    fn newest_consent(&self, conversation: ConversationId) -> Option<Consent> {
        let core = self.core.borrow();
        let Some(Slot::Ready(ready)) = core.conversations.get(&conversation) else { return None };
        let state = &ready.tracked.borrow().state;
        Some(if state.consent_at > core.durable { Consent::OptedOut } else { state.consent })
    }

    /// One event of a conversation, opened; from memory if it is recent, else from the views.
    async fn read_event(&self, conversation: ConversationId, offset: Offset) -> Result<Option<Event>, Refusal> {
        if let Some(event) = self.context.shared.feed.recent(offset) {
            return Ok(Some(event));
        }
        let tenant = &self.context.feed.tenant;
        self.wait_viewed(offset).await?;
        let away = |error: &dyn std::fmt::Display| Refusal::unavailable(error.to_string());
        let bytes = self.context.ports.views.event(tenant, conversation, offset).await.map_err(|error| away(&error))?;
        let Some(stored) = bytes.and_then(|bytes| StoredEvent::decode(&bytes).ok()) else { return Ok(None) };
        let event = self.context.vault.open(tenant, stored).await.map_err(|error| away(&error))?;
        Ok(Some(event))
    }

    /// A conversation's newest state: from memory, else from the views.
    pub(crate) async fn state_of(&self, conversation: ConversationId) -> Result<Option<State>, Refusal> {
        let tracked: Option<Rc<RefCell<Tracked>>> = {
            let core = self.core.borrow();
            match core.conversations.get(&conversation) {
                Some(Slot::Ready(ready)) => Some(ready.tracked.clone()),
                _ => None,
            }
        };
        match tracked {
            Some(tracked) => Ok(Some(tracked.borrow().state.clone())),
            None => Ok(self.read_state(conversation).await?.map(|tracked| tracked.state)),
        }
    }
}
