//! Texts of contacts, and what follows from a keyword.

use schema::{
    command::ReceiveMessage,
    event::{
        Consent, ConsentChanged, ConsentSource, ConversationReopened, ConversationWoken, Keyword, MessageReceived,
        MessageStatus, Personal, Purpose,
    },
    ids::{ChannelId, MessageId},
    message::{Priority, Status},
};

use super::{
    Decision, Inputs,
    automatic::{Automatic, Words, queue},
};
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
pub(super) fn reopen(state: &State, decision: &mut Decision) {
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
    let Some(words) = settings.answers.of(word).and_then(|template| Words::of(template, inputs)) else { return };
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
