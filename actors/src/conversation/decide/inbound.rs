//! What comes in: texts and calls of contacts.

use std::time::Duration;

use schema::{
    command::{CallOutcome, CallReport, ReceiveMessage},
    event::{
        CallAnswered, CallMissed, Consent, ConsentChanged, ConsentSource, ConversationReopened, ConversationWoken,
        Keyword, MessageQueued, MessageReceived, MessageStatus, Personal, Purpose, SkipReason, TextBackSkipped,
    },
    ids::{ChannelId, MessageId, TemplateId},
    message::{Priority, Status},
};

use super::{Decision, Inputs};
use crate::conversation::{keyword, state::State};

pub(super) fn receive(state: &State, message: &ReceiveMessage, inputs: &Inputs<'_>) -> Decision {
    let id = MessageId(inputs.fresh[0]);
    let word = message.carrier_keyword.or_else(|| keyword(&message.text, state.consent == Consent::OptedOut));
    let mut decision = Decision { message: Some(id), ..Decision::default() };
    decision.push_personal(
        MessageReceived {
            message: id,
            channel: message.channel.clone(),
            carrier_id: message.carrier_id.clone(),
            segments: message.segments,
            media: u8::try_from(message.media.len()).unwrap_or(u8::MAX),
            keyword: word,
        },
        Personal { text: Some(message.text.clone()), media: message.media.clone(), ..Personal::default() },
    );
    match word {
        Some(word) => answer_keyword(state, message, word, inputs, &mut decision),
        None => reopen(state, &mut decision),
    }
    decision
}

/// A contact who writes or calls is shown again, whatever was decided about the last episode.
fn reopen(state: &State, decision: &mut Decision) {
    if !state.open {
        decision.push(ConversationReopened { episode: state.episode + 1 });
    } else if state.snoozed_until.is_some() {
        decision.push(ConversationWoken {});
    }
}

fn answer_keyword(
    state: &State,
    message: &ReceiveMessage,
    word: Keyword,
    inputs: &Inputs<'_>,
    decision: &mut Decision,
) {
    let change = match word {
        Keyword::Stop if state.consent != Consent::OptedOut || !state.opted_out_by_contact() => Some(Consent::OptedOut),
        Keyword::Start if state.consent == Consent::OptedOut => Some(Consent::OptedIn),
        _ => None,
    };
    if let Some(consent) = change {
        decision.push(ConsentChanged {
            consent,
            source: ConsentSource::Contact,
            channel: Some(message.channel.clone()),
        });
    }
    if word == Keyword::Stop {
        cancel_queued(state, decision);
    }
    // The carrier says that it recognised the word: it has answered already, and two answers are one too many
    // (complaint 34).
    let answers_itself = message.carrier_keyword.is_none();
    let worth_it = change.is_some() || word == Keyword::Help;
    if answers_itself && worth_it && state.reachable {
        confirm(&message.channel, word, inputs, decision);
    }
}

/// What waits in a lane for a contact who just opted out never leaves.
fn cancel_queued(state: &State, decision: &mut Decision) {
    for (message, send) in &state.sends {
        let confirms = matches!(send.purpose, Purpose::Confirmation(_));
        if send.status == Status::Queued && !confirms {
            decision.push(MessageStatus {
                message: *message,
                attempt: send.attempt,
                status: Status::Canceled,
                carrier_id: None,
                error: None,
            });
        }
    }
}

fn confirm(channel: &ChannelId, word: Keyword, inputs: &Inputs<'_>, decision: &mut Decision) {
    let Some(settings) = inputs.settings.channels.get(channel) else { return };
    let template = match word {
        Keyword::Stop => &settings.answers.stop,
        Keyword::Start => &settings.answers.start,
        Keyword::Help => &settings.answers.help,
    };
    let Some(template) = template else { return };
    let order = Automatic {
        message: MessageId(inputs.fresh[1]),
        channel,
        template,
        purpose: Purpose::Confirmation(word),
        priority: Priority::Confirmation,
        validity: inputs.policy.confirmation_validity,
    };
    queue_template(order, inputs, decision);
}

struct Automatic<'a> {
    message: MessageId,
    channel: &'a ChannelId,
    template: &'a TemplateId,
    purpose: Purpose,
    priority: Priority,
    validity: Duration,
}

/// Queues a text from a template; `false`: there is no such template.
fn queue_template(order: Automatic<'_>, inputs: &Inputs<'_>, decision: &mut Decision) -> bool {
    let Some(template) = inputs.settings.templates.get(order.template) else { return false };
    let text = template.render(&inputs.settings.tenant);
    decision.push_personal(
        MessageQueued {
            message: order.message,
            channel: order.channel.clone(),
            purpose: order.purpose,
            priority: order.priority,
            segments: schema::segments::count(&text).segments,
            valid_until: inputs.now.plus(order.validity),
            template: Some(order.template.clone()),
        },
        Personal::text(text),
    );
    true
}

pub(super) fn call(state: &State, call: &CallReport, inputs: &Inputs<'_>) -> Decision {
    let mut decision = Decision::default();
    match call.outcome {
        CallOutcome::Answered { duration_s } => decision.push(CallAnswered {
            carrier_id: call.carrier_id.clone(),
            channel: call.channel.clone(),
            duration_s,
        }),
        CallOutcome::Missed => {
            decision.push(CallMissed { carrier_id: call.carrier_id.clone(), channel: call.channel.clone() });
            reopen(state, &mut decision);
            text_back(state, &call.channel, inputs, &mut decision);
        }
    }
    decision
}

fn text_back(state: &State, channel: &ChannelId, inputs: &Inputs<'_>, decision: &mut Decision) {
    let skipped = |reason| TextBackSkipped { channel: channel.clone(), reason };
    if let Some(reason) = why_not(state, channel, inputs) {
        return decision.push(skipped(reason));
    }
    let template = inputs.settings.channels.get(channel).and_then(|settings| settings.text_back.as_ref());
    let Some(template) = template else { return decision.push(skipped(SkipReason::NoTemplate)) };
    let message = MessageId(inputs.fresh[0]);
    let order = Automatic {
        message,
        channel,
        template,
        purpose: Purpose::TextBack,
        priority: Priority::Automatic,
        validity: inputs.policy.text_back_validity,
    };
    if queue_template(order, inputs, decision) {
        decision.message = Some(message);
    } else {
        decision.push(skipped(SkipReason::NoTemplate));
    }
}

fn why_not(state: &State, channel: &ChannelId, inputs: &Inputs<'_>) -> Option<SkipReason> {
    let settings = inputs.settings.channels.get(channel)?;
    let window = Duration::from_secs(u64::from(settings.cool_down_s));
    let lately = state.text_backs.iter().any(|(known, at)| known == channel && at.plus(window) > inputs.now);
    if !settings.coverage {
        Some(SkipReason::CoverageOff)
    } else if !state.reachable {
        Some(SkipReason::Anonymous)
    } else if state.consent == Consent::OptedOut {
        Some(SkipReason::OptedOut)
    } else if state.unreachable.is_some() {
        Some(SkipReason::Unreachable)
    } else if lately {
        Some(SkipReason::CoolDown)
    } else {
        None
    }
}
