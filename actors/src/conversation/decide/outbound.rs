//! What goes out: an operator's texts, the lane's claims, the carrier's answers and receipts.

use std::time::Duration;

use schema::{
    command::{ClaimSend, DeliveryReport, HOLD_MAX_S, SendMessage, SendOutcome, SendWith, SettleSend, TEXT_MAX},
    event::{
        Consent, ConsentChanged, ConsentRecorded, ConsentSource, ContactUnreachable, MessageClaimed, MessageHeld,
        MessageQueued, MessageRequeued, MessageStatus, Personal, Purpose,
    },
    ids::{ChannelId, MessageId},
    message::{CarrierError, ErrorClass, Priority, Status},
    problem::Code,
    time::Stamp,
};

use super::{Decision, Inputs, VALIDITY_MIN};
use crate::{
    conversation::state::{Send, State},
    handle::Refusal,
    outbox::Cause,
};

pub(super) fn send(state: &State, send: &SendMessage, inputs: &Inputs<'_>) -> Result<Decision, Refusal> {
    check_text(&send.text, TEXT_MAX)?;
    check_sendable(state)?;
    let channel = line(state, send.channel.as_ref(), inputs)?;
    let open = state.sends.values().filter(|send| !send.is_done_here()).count();
    if open >= inputs.policy.max_open_sends {
        return Err(Refusal::Full { retry_after: Duration::from_secs(5) });
    }
    let message = MessageId(inputs.fresh[0]);
    let mut decision = Decision { message: Some(message), ..Decision::default() };
    decision.push_personal(
        MessageQueued {
            message,
            channel,
            purpose: Purpose::Reply,
            priority: Priority::Interactive,
            segments: schema::segments::count(&send.text).segments,
            valid_until: inputs.now.plus(inputs.policy.reply_validity),
            template: None,
        },
        Personal::text(send.text.clone()),
    );
    Ok(decision)
}

/// A text that stays here for a while, or to somebody who never wrote nor called: why they may be texted comes first.
pub(super) fn send_with(state: &State, with: &SendWith, inputs: &Inputs<'_>) -> Result<Decision, Refusal> {
    if with.hold_s > HOLD_MAX_S {
        return Err(Refusal::invalid("hold_s", format!("is more than {HOLD_MAX_S} seconds")));
    }
    let sent = send(state, &with.send, inputs)?;
    let mut decision = Decision { message: sent.message, ..Decision::default() };
    if let Some(basis) = &with.basis {
        check_text(&basis.words, TEXT_MAX)
            .map_err(|_| Refusal::invalid("basis.words", "must be 1 to 1600 characters"))?;
        if state.is_stranger() {
            let fact = ConsentRecorded { how: basis.how, given: inputs.now };
            decision.push_personal(fact, Personal::text(basis.words.clone()));
        }
    }
    sent.events.into_iter().for_each(|draft| decision.push(draft));
    if let (Some(message), 1..) = (sent.message, with.hold_s) {
        let until = inputs.now.plus(Duration::from_secs(with.hold_s.into()));
        decision.push(MessageHeld { message, until });
    }
    Ok(decision)
}

/// A text must say something and fit.
pub(super) fn check_text(text: &str, most: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::invalid("text", "is empty"));
    }
    if text.chars().count() > most {
        return Err(Refusal::invalid("text", format!("is longer than {most} characters")));
    }
    Ok(())
}

fn check_sendable(state: &State) -> Result<(), Refusal> {
    if !state.reachable {
        return Err(Refusal::rejected(Code::NoAddress, "the caller hid the number"));
    }
    if state.blocked.is_some() {
        return Err(Refusal::rejected(Code::Blocked, "unblock the contact first"));
    }
    if state.consent == Consent::OptedOut {
        return Err(Refusal::rejected(Code::OptedOut, "only the contact's own START lifts it"));
    }
    if let Some(code) = state.unreachable {
        return Err(Refusal::rejected(Code::Unreachable, format!("carrier error {code}")));
    }
    Ok(())
}

/// The line a text leaves from: the one asked for, the one the contact last used, or the only one there is.
fn line(state: &State, asked: Option<&ChannelId>, inputs: &Inputs<'_>) -> Result<ChannelId, Refusal> {
    let channels = &inputs.settings.channels;
    let only = || (channels.len() == 1).then(|| channels.keys().next()).flatten();
    match asked.or(state.channel.as_ref()).or_else(only) {
        Some(channel) if channels.contains_key(channel) => Ok(channel.clone()),
        Some(_) => Err(Refusal::invalid("channel", "the tenant has no such line")),
        None => Err(Refusal::invalid("channel", "is needed: the contact has not used a line yet")),
    }
}

fn find(state: &State, message: MessageId) -> Result<&Send, Refusal> {
    state.sends.get(&message).ok_or_else(|| Refusal::rejected(Code::NotFound, format!("message {message}")))
}

pub(super) fn retry(state: &State, message: MessageId, inputs: &Inputs<'_>) -> Result<Decision, Refusal> {
    let send = find(state, message)?;
    if !matches!(send.status, Status::Failed | Status::Unknown | Status::Expired) {
        return Err(Refusal::rejected(Code::WrongState, "only a failed, expired or unknown message can be retried"));
    }
    check_sendable(state)?;
    Ok(Decision::one(MessageRequeued {
        message,
        attempt: send.attempt.saturating_add(1),
        not_before: inputs.now,
        valid_until: inputs.now.plus(inputs.policy.reply_validity),
        error: None,
    }))
}

pub(super) fn cancel(state: &State, message: MessageId) -> Result<Decision, Refusal> {
    let send = find(state, message)?;
    match send.status {
        Status::Canceled => Ok(Decision::nothing()),
        Status::Queued => Ok(Decision::one(step(message, send, Status::Canceled, None))),
        // Given up by a person; if the carrier did deliver it, its word still counts.
        Status::Unknown => Ok(Decision::one(step(message, send, Status::Failed, None))),
        _ => Err(Refusal::rejected(Code::WrongState, "only a queued or unknown message can be canceled")),
    }
}

/// One of many: nobody has looked at it again, so it goes only if it is still what the preview showed.
pub(super) fn cancel_queued(state: &State, message: MessageId) -> Result<Decision, Refusal> {
    match find(state, message)?.status {
        Status::Queued => cancel(state, message),
        _ => Err(Refusal::rejected(Code::WrongState, "it is not queued any more")),
    }
}

fn step(message: MessageId, send: &Send, status: Status, error: Option<CarrierError>) -> MessageStatus {
    MessageStatus { message, attempt: send.attempt, status, carrier_id: None, error }
}

/// The lane's question, asked at the moment of send: validity and consent are checked again here.
pub(super) fn claim(state: &State, claim: &ClaimSend, inputs: &Inputs<'_>) -> Result<Decision, Refusal> {
    let send = find(state, claim.message)?;
    if send.status != Status::Queued || send.attempt != claim.attempt {
        return Err(Refusal::rejected(Code::WrongState, "it is not queued any more"));
    }
    let exempt = matches!(send.purpose, Purpose::Confirmation(_)) && !planted!(ConfirmationBlocked);
    let opted_out = state.consent == Consent::OptedOut && !exempt && !planted!(SentAfterOptOut);
    if !planted!(ExpiredSent) && inputs.now.plus(VALIDITY_MIN) > send.valid_until {
        return Ok(Decision::one(step(claim.message, send, Status::Expired, None)));
    }
    let held = state.consent_questioned && send.priority == Priority::Automatic;
    if opted_out || held || state.blocked.is_some() || !state.reachable {
        return Ok(Decision::one(step(claim.message, send, Status::Canceled, None)));
    }
    if let Some(code) = state.unreachable {
        let error = CarrierError { code, class: ErrorClass::Landline };
        return Ok(Decision::one(step(claim.message, send, Status::Failed, Some(error))));
    }
    Ok(Decision::one(MessageClaimed {
        message: claim.message,
        attempt: claim.attempt,
        node: inputs.node.clone(),
        deadline: claim.deadline,
        segments: send.segments,
        after_unknown: claim.after_unknown || after_unknown(state, claim.message, send),
    }))
}

/// Whether nobody knows what became of an earlier text to this contact. The lane forgets it when its wait is over, or
/// with a restart; the state does not.
fn after_unknown(state: &State, message: MessageId, send: &Send) -> bool {
    let earlier = |other: &Send| other.status == Status::Unknown && other.queued < send.queued;
    state.sends.iter().any(|(id, other)| *id != message && earlier(other))
}

/// What the carrier's REST answered, or that it did not.
pub(super) fn settle(state: &State, settle: &SettleSend, inputs: &Inputs<'_>) -> Decision {
    let Some(send) = state.sends.get(&settle.message) else { return Decision::nothing() };
    if send.attempt != settle.attempt || !matches!(send.status, Status::Claimed | Status::Unknown | Status::Sent) {
        return Decision::nothing();
    }
    match &settle.outcome {
        SendOutcome::Accepted { carrier_id } => accepted(settle.message, send, carrier_id),
        SendOutcome::Unknown if send.status == Status::Claimed => {
            Decision::one(step(settle.message, send, Status::Unknown, None))
        }
        SendOutcome::Refused(error) if send.status == Status::Claimed => {
            refused(state, settle.message, send, error, inputs)
        }
        SendOutcome::TooLate if send.status == Status::Claimed => {
            Decision::one(step(settle.message, send, Status::Expired, None))
        }
        SendOutcome::NotSent { retry_after_s } if send.status == Status::Claimed => {
            requeue(settle.message, send, *retry_after_s, None, inputs)
        }
        SendOutcome::Held if send.status == Status::Claimed => Decision::one(MessageRequeued {
            message: settle.message,
            attempt: send.attempt.saturating_add(1),
            not_before: inputs.now,
            valid_until: send.valid_until,
            error: None,
        }),
        _ => Decision::nothing(),
    }
}

fn accepted(message: MessageId, send: &Send, carrier_id: &str) -> Decision {
    if send.status.join(Status::Sent) == send.status && send.carrier_id.is_some() {
        return Decision::nothing();
    }
    let carrier_id = Some(carrier_id.to_owned());
    Decision::one(MessageStatus { message, attempt: send.attempt, status: Status::Sent, carrier_id, error: None })
}

fn refused(state: &State, message: MessageId, send: &Send, error: &CarrierError, inputs: &Inputs<'_>) -> Decision {
    match error.class {
        ErrorClass::Pace | ErrorClass::Transient => requeue(message, send, None, Some(error.clone()), inputs),
        _ => {
            let mut decision = Decision::one(step(message, send, Status::Failed, Some(error.clone())));
            learn(state, Some(&send.channel), error, &mut decision);
            decision
        }
    }
}

/// What a carrier's error teaches about the contact, by REST or by callback alike (complaint 34).
fn learn(state: &State, channel: Option<&ChannelId>, error: &CarrierError, decision: &mut Decision) {
    match error.class {
        ErrorClass::OptOut if !state.opted_out_by_contact() => decision.push(ConsentChanged {
            consent: Consent::OptedOut,
            source: ConsentSource::Carrier,
            channel: channel.cloned(),
        }),
        ErrorClass::Landline if state.unreachable.is_none() => decision.push(ContactUnreachable { code: error.code }),
        _ => {}
    }
}

/// Whether the contact has consented since this text left, so that the carrier's late word tells of a time before that.
/// If the carrier still refuses, it says so of the next text. A text that is forgotten left when its id was made, or later.
fn consented_since(state: &State, message: MessageId) -> bool {
    let left = match state.sends.get(&message) {
        Some(send) => Some(send.claimed),
        None => message.0.get_timestamp().map(|at| {
            let (seconds, nanos) = at.to_unix();
            Stamp(seconds.saturating_mul(1_000_000).saturating_add(u64::from(nanos) / 1_000))
        }),
    };
    let own = state.consent == Consent::OptedIn && state.consent_source != Some(ConsentSource::Operator);
    own && left.is_some_and(|left| left < state.consented)
}

/// Back to the lane as a new attempt, with a growing, jittered wait; or over, when that would be too late or too often.
fn requeue(
    message: MessageId,
    send: &Send,
    retry_after_s: Option<u32>,
    error: Option<CarrierError>,
    inputs: &Inputs<'_>,
) -> Decision {
    match next_attempt(message, send, retry_after_s, error.as_ref(), inputs) {
        Some(again) => Decision::one(again),
        None if error.is_some() => Decision::one(step(message, send, Status::Failed, error)),
        None => Decision::one(step(message, send, Status::Expired, None)),
    }
}

/// The attempt that may follow; none: it is over.
fn next_attempt(
    message: MessageId,
    send: &Send,
    retry_after_s: Option<u32>,
    error: Option<&CarrierError>,
    inputs: &Inputs<'_>,
) -> Option<MessageRequeued> {
    let cause = error.map_or(Cause::NotSent, |error| Cause::Refused(error.class));
    let asked = retry_after_s.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let policy = &inputs.policy.retry;
    let at = policy.retry_at(cause, send.attempt, asked, inputs.random, inputs.now, send.valid_until);
    at.map(|not_before| MessageRequeued {
        message,
        attempt: send.attempt.saturating_add(1),
        not_before,
        valid_until: send.valid_until,
        error: error.cloned(),
    })
}

/// What the carrier says of a text, by callback or from its list. Late, repeated and reordered words change nothing: a
/// status only moves up. A failure that may pass, or that says "too fast", makes another attempt, within validity.
pub(super) fn receipt(state: &State, report: &DeliveryReport, inputs: &Inputs<'_>) -> Decision {
    let fact = MessageStatus {
        message: report.message,
        attempt: report.attempt,
        status: report.status,
        carrier_id: Some(report.carrier_id.clone()),
        error: report.error.clone(),
    };
    let known = state.sends.get(&report.message);
    let current = known.filter(|send| send.attempt == report.attempt);
    let moves = current.is_none_or(|send| send.status.join(report.status) != send.status);
    let moves = moves || planted!(StatusOverwritten);
    let mut decision = if moves { Decision::one(fact) } else { Decision::nothing() };
    let Some(error) = &report.error else { return decision };
    // Also of a text that was given up or is forgotten: what it teaches is about the contact.
    if !consented_since(state, report.message) {
        learn(state, known.map(|send| &send.channel).or(report.channel.as_ref()), error, &mut decision);
    }
    if let Some(send) = current.filter(|_| moves && report.status == Status::Failed)
        && let Some(again) = next_attempt(report.message, send, None, Some(error), inputs)
    {
        decision.push(again);
    }
    decision
}
