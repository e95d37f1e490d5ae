//! Calls: one event each, whatever the carrier tells of them and in which order; the text after a missed one; messages
//! that callers leave.

use std::time::Duration;

use schema::{
    command::{CallOutcome, CallReport, VoicemailReport},
    event::{
        CallAnswered, CallEnded, CallMissed, CallVoicemail, Consent, Personal, Purpose, SkipReason, TextBackSkipped,
    },
    ids::{ChannelId, MessageId},
    message::Priority,
    settings::{ChannelSettings, VoiceMode},
};

use super::{
    Decision, Inputs,
    automatic::{Automatic, Words, queue},
    inbound::reopen,
};
use crate::conversation::state::{OpenCall, State};

/// Calls of one contact that may wait for their verdict; a further one is decided at once.
const OPEN_MAX: usize = 8;

/// One moment of a call. The first that decides makes its event; everything else that is told of it changes nothing.
pub(super) fn call(state: &State, call: &CallReport, inputs: &Inputs<'_>) -> Decision {
    let known = state.call(&call.carrier_id);
    if known.is_some_and(|known| known.open.is_none()) {
        return Decision::nothing();
    }
    let line = inputs.settings.channels.get(&call.channel);
    let no_text = line.and_then(|line| by_number(line, call));
    match call.outcome {
        CallOutcome::Missed => missed(state, &call.carrier_id, &call.channel, no_text, inputs),
        CallOutcome::Answered { duration_s } => answered(&call.carrier_id, &call.channel, duration_s),
        CallOutcome::Begun if rings(line) => Decision::nothing(),
        CallOutcome::Begun => missed(state, &call.carrier_id, &call.channel, no_text, inputs),
        CallOutcome::Ended { .. } if known.is_some() => Decision::nothing(),
        CallOutcome::Ended { duration_s } => {
            let due = inputs.now.plus(inputs.policy.verdict_wait);
            let open = OpenCall { channel: call.channel.clone(), duration_s, due, no_text };
            if state.open_calls().count() >= OPEN_MAX {
                return without_verdict(state, &call.carrier_id, &open, inputs);
            }
            let OpenCall { channel, duration_s, due, no_text } = open;
            Decision::one(CallEnded { carrier_id: call.carrier_id.clone(), channel, duration_s, due, no_text })
        }
    }
}

/// A call that was heard of when it had long been over: no verdict will come any more.
pub(super) fn of_late(state: &State, call: &CallReport, inputs: &Inputs<'_>) -> Decision {
    let CallOutcome::Ended { duration_s } = call.outcome else { return self::call(state, call, inputs) };
    if state.call(&call.carrier_id).is_some() {
        return Decision::nothing();
    }
    let no_text = inputs.settings.channels.get(&call.channel).and_then(|line| by_number(line, call));
    let open = OpenCall { channel: call.channel.clone(), duration_s, due: inputs.now, no_text };
    without_verdict(state, &call.carrier_id, &open, inputs)
}

/// Calls whose verdict has not come in time.
pub(super) fn overdue(state: &State, inputs: &Inputs<'_>) -> Decision {
    let due = state.open_calls().find(|(_, open)| open.due <= inputs.now);
    due.map_or_else(Decision::nothing, |(carrier_id, open)| without_verdict(state, carrier_id, open, inputs))
}

/// The verdict never came: the engine was away, and the carrier did what the line's fallback says. A line that rings is
/// answered (`answerOnBridge`) only when somebody took the call; one that calls are forwarded to is never taken.
fn without_verdict(state: &State, carrier_id: &str, open: &OpenCall, inputs: &Inputs<'_>) -> Decision {
    let shortest = inputs.policy.answered_min;
    let talked = open.duration_s.is_none_or(|seconds| Duration::from_secs(u64::from(seconds)) >= shortest);
    if rings(inputs.settings.channels.get(&open.channel)) && talked {
        answered(carrier_id, &open.channel, open.duration_s)
    } else {
        missed(state, carrier_id, &open.channel, open.no_text, inputs)
    }
}

fn rings(line: Option<&ChannelSettings>) -> bool {
    line.is_some_and(|line| matches!(line.voice.mode, VoiceMode::Ring(_)))
}

fn answered(carrier_id: &str, channel: &ChannelId, duration_s: Option<u32>) -> Decision {
    Decision::one(CallAnswered { carrier_id: carrier_id.to_owned(), channel: channel.clone(), duration_s })
}

fn missed(
    state: &State,
    carrier_id: &str,
    channel: &ChannelId,
    no_text: Option<SkipReason>,
    inputs: &Inputs<'_>,
) -> Decision {
    let mut decision = Decision::default();
    decision.push(CallMissed { carrier_id: carrier_id.to_owned(), channel: channel.clone() });
    reopen(state, inputs, &mut decision);
    text_back(state, channel, no_text, inputs, &mut decision);
    decision
}

/// A message that a caller left, shown like a text of theirs.
pub(super) fn voicemail(state: &State, voicemail: &VoicemailReport, inputs: &Inputs<'_>) -> Decision {
    let mut decision = Decision::default();
    decision.push_personal(
        CallVoicemail {
            carrier_id: voicemail.carrier_id.clone(),
            call: voicemail.call.clone(),
            channel: voicemail.channel.clone(),
            duration_s: voicemail.duration_s,
        },
        Personal { media: vec![voicemail.recording.clone()], ..Personal::default() },
    );
    reopen(state, inputs, &mut decision);
    decision
}

fn text_back(
    state: &State,
    channel: &ChannelId,
    no_text: Option<SkipReason>,
    inputs: &Inputs<'_>,
    decision: &mut Decision,
) {
    let skipped = |reason| TextBackSkipped { channel: channel.clone(), reason };
    let Some(line) = inputs.settings.channels.get(channel) else {
        return decision.push(skipped(SkipReason::NoTemplate));
    };
    if let Some(reason) = why_not(state, channel, line, no_text, inputs) {
        return decision.push(skipped(reason));
    }
    let Some(words) = line.text_back.as_ref().and_then(|template| Words::of(template, inputs)) else {
        return decision.push(skipped(SkipReason::NoTemplate));
    };
    let order = Automatic {
        message: MessageId(inputs.fresh[0]),
        channel,
        words,
        purpose: Purpose::TextBack,
        priority: Priority::Automatic,
        validity: inputs.policy.text_back_validity,
    };
    decision.message = Some(order.message);
    queue(order, inputs, decision);
}

/// What the caller's number says against a text.
fn by_number(line: &ChannelSettings, call: &CallReport) -> Option<SkipReason> {
    let caller = call.from.phone()?;
    if !line.text_back_staff && line.is_staff(caller) {
        Some(SkipReason::Staff)
    } else if !line.text_back_abroad && line.is_abroad(caller) {
        Some(SkipReason::Abroad)
    } else {
        None
    }
}

fn why_not(
    state: &State,
    channel: &ChannelId,
    line: &ChannelSettings,
    no_text: Option<SkipReason>,
    inputs: &Inputs<'_>,
) -> Option<SkipReason> {
    let window = Duration::from_secs(u64::from(line.cool_down_s));
    let lately = !planted!(SecondTextBack)
        && state.text_backs.iter().any(|(known, at)| known == channel && at.plus(window) > inputs.now);
    if !line.coverage {
        Some(SkipReason::CoverageOff)
    } else if !state.reachable {
        Some(SkipReason::Anonymous)
    } else if state.blocked.is_some() {
        Some(SkipReason::Blocked)
    } else if no_text.is_some() {
        no_text
    } else if state.consent == Consent::OptedOut {
        Some(SkipReason::OptedOut)
    } else if state.consent_questioned {
        Some(SkipReason::ConsentQuestioned)
    } else if state.unreachable.is_some() {
        Some(SkipReason::Unreachable)
    } else if lately {
        Some(SkipReason::CoolDown)
    } else {
        None
    }
}
