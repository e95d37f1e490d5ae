//! Texts of contacts, and what follows from a keyword.

use schema::{
    command::ReceiveMessage,
    event::{
        Consent, ConsentChanged, ConsentQuestioned, ConsentSource, ConversationWoken, Keyword, MessageReceived,
        MessageStatus, Personal, Purpose,
    },
    ids::{ChannelId, MessageId},
    message::{Priority, Status},
    settings::ChannelSettings,
};

use super::{
    Decision, Inputs,
    automatic::{Automatic, Words, queue},
    desk,
};
use crate::conversation::{
    keyword,
    state::{Send, State},
};

pub(super) fn receive(state: &State, message: &ReceiveMessage, inputs: &Inputs<'_>) -> Decision {
    let id = MessageId(inputs.fresh[0]);
    let word = word_of(state, message);
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
    if let Some(word) = word {
        answer_keyword(state, message, word, inputs, &mut decision);
        return decision;
    }
    reopen(state, inputs, &mut decision);
    let asked = state.consent == Consent::OptedOut || state.consent_questioned || state.blocked.is_some();
    if !asked && keyword::pleads_to_stop(&message.text) {
        decision.push(ConsentQuestioned { message: id });
        cancel_queued(state, |send| send.priority == Priority::Automatic, &mut decision);
    }
    decision
}

/// The keyword it is: the carrier's verdict, else ours, which is wider. YES to a question is an answer, whatever the
/// carrier takes it for.
fn word_of(state: &State, message: &ReceiveMessage) -> Option<Keyword> {
    let opted_out = state.consent == Consent::OptedOut;
    match message.carrier_keyword {
        Some(Keyword::Start) if !opted_out && keyword::is_yes(&message.text) => None,
        Some(word) => Some(word),
        None => keyword(&message.text, opted_out),
    }
}

/// A contact who writes or calls is shown again, whatever was decided about the last episode; but for one who is blocked.
pub(super) fn reopen(state: &State, inputs: &Inputs<'_>, decision: &mut Decision) {
    if state.blocked.is_some() {
        return;
    }
    if !state.open {
        desk::begin_episode(state, inputs, decision);
    } else if state.snoozed_until.is_some() {
        decision.push(ConversationWoken {});
    }
    if desk::is_left_waiting(state, inputs) {
        decision.push(desk::give_back(inputs));
    }
}

fn answer_keyword(
    state: &State,
    message: &ReceiveMessage,
    word: Keyword,
    inputs: &Inputs<'_>,
    decision: &mut Decision,
) {
    let settled = |consent| state.consent == consent && !state.consent_questioned;
    let change = match word {
        Keyword::Stop if !state.opted_out_by_contact() => Some(Consent::OptedOut),
        Keyword::Start if !settled(Consent::OptedIn) => Some(Consent::OptedIn),
        _ => None,
    };
    if let Some(consent) = change {
        let (source, channel) = (ConsentSource::Contact, Some(message.channel.clone()));
        decision.push(ConsentChanged { consent, source, channel });
        // What waits for a contact who just opted out never leaves, but for the help that was asked for.
        let help = Purpose::Confirmation(Keyword::Help);
        let out = consent == Consent::OptedOut && !planted!(SentAfterOptOut);
        cancel_queued(state, |send| out && send.purpose != help, decision);
    }
    let Some(line) = inputs.settings.channels.get(&message.channel).filter(|_| state.blocked.is_none()) else { return };
    if (change.is_some() || is_help_due(state, line, word)) && state.reachable && !is_answered(line, message, word) {
        confirm(line, &message.channel, word, inputs, decision);
    }
}

/// HELP is answered also after STOP, as short codes must (CTIA). Where the carrier keeps the contact's STOP it answers
/// no HELP after it, and would refuse ours (21610; support.twilio.com 360058144374).
fn is_help_due(state: &State, line: &ChannelSettings, word: Keyword) -> bool {
    word == Keyword::Help && !(state.opted_out_by_contact() && line.carrier_answers().stop)
}

/// Two answers are one too many (complaint 34). The carrier has answered if it says that it recognised the word, or if
/// it is one that this line's carrier answers and that it recognises: single words only.
fn is_answered(line: &ChannelSettings, message: &ReceiveMessage, word: Keyword) -> bool {
    let recognised = keyword::carriers(&message.text, line.number_type) == Some(word);
    message.carrier_keyword.is_some() || (recognised && line.carrier_answers().has(word))
}

pub(super) fn cancel_queued(state: &State, which: impl Fn(&Send) -> bool, decision: &mut Decision) {
    for (message, send) in state.sends.iter().filter(|(_, send)| send.status == Status::Queued && which(send)) {
        decision.push(MessageStatus {
            message: *message,
            attempt: send.attempt,
            status: Status::Canceled,
            carrier_id: None,
            error: None,
        });
    }
}

/// The template's words, else the engine's own: both name the business.
fn confirm(line: &ChannelSettings, channel: &ChannelId, word: Keyword, inputs: &Inputs<'_>, decision: &mut Decision) {
    let template = line.answers.of(word).and_then(|template| Words::of(template, inputs));
    let words = template.unwrap_or_else(|| Words::own(line.confirmation(word, &inputs.settings.tenant)));
    let order = Automatic {
        message: MessageId(inputs.fresh[1]),
        channel,
        words,
        purpose: Purpose::Confirmation(word),
        priority: Priority::Confirmation,
        validity: inputs.policy.confirmation_validity,
    };
    queue(order, inputs, decision);
}
