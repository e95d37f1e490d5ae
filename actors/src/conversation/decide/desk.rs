//! What operators do beside writing: notes, assignment, episodes, tags, consent; and timers.

use schema::{
    command::{ChangeTags, Command, NOTE_MAX, RecordConsent, TEXT_MAX},
    event::{
        Author, BlockReason, CallReturned, Consent, ConsentChanged, ConsentRecorded, ConsentSource, ContactBlocked,
        ContactUnblocked, ContactUpdated, ConversationAssigned, ConversationRead, ConversationReleased,
        ConversationReopened, ConversationResolved, ConversationSnoozed, ConversationTagged, ConversationWoken, Fact,
        NoteAdded, Personal, ReturnSet,
    },
    ids::MessageId,
    problem::Code,
    time::Stamp,
};

use super::{Decision, Inputs, call, inbound, outbound::check_text};
use crate::{conversation::state::State, handle::Refusal};

/// Most tags on one conversation.
const TAGS_MAX: usize = 32;
/// Longest name of a contact, in characters.
const NAME_MAX: usize = 200;

pub(super) fn decide(state: &State, command: &Command, inputs: &Inputs<'_>, by: &Author) -> Result<Decision, Refusal> {
    match command {
        Command::Note(note) => {
            check_text(&note.text, NOTE_MAX)?;
            let id = MessageId(inputs.fresh[0]);
            let mut decision = Decision { message: Some(id), ..Decision::default() };
            decision.push_personal(NoteAdded { note: id }, Personal::text(note.text.clone()));
            Ok(decision)
        }
        Command::Assign(assign) => {
            if assign.operator.as_ref().is_some_and(|operator| inputs.settings.is_revoked(operator)) {
                return Err(Refusal::invalid("operator", "was revoked"));
            }
            let change = ConversationAssigned { operator: assign.operator.clone() };
            Ok(when(assign.operator != state.assigned, change))
        }
        Command::LetGo(letting) => {
            let theirs = state.assigned.as_ref() == Some(&letting.operator);
            if theirs && inputs.settings.is_revoked(&letting.operator) {
                return Ok(Decision::one(ConversationAssigned { operator: None }));
            }
            let waits = theirs && state.waiting_since.is_some() && is_left_waiting(state, inputs);
            Ok(when(waits, give_back(inputs)))
        }
        Command::Called(_) => {
            let waits = state.missed_call.is_some() || state.waiting_since.is_some();
            Ok(when(waits, CallReturned {}))
        }
        Command::Resolve(_) => Ok(when(state.open, ConversationResolved { episode: state.episode })),
        Command::Reopen(_) if state.blocked.is_some() => {
            Err(Refusal::rejected(Code::Blocked, "unblock the contact first"))
        }
        Command::Reopen(_) => {
            let mut decision = Decision::nothing();
            begin_episode(state, inputs, &mut decision);
            Ok(decision)
        }
        Command::Snooze(snooze) => {
            if snooze.until <= inputs.now {
                return Err(Refusal::invalid("until", "must lie ahead"));
            }
            if !state.open {
                return Err(Refusal::rejected(Code::WrongState, "a resolved conversation cannot be snoozed"));
            }
            Ok(when(state.snoozed_until != Some(snooze.until), ConversationSnoozed { until: snooze.until }))
        }
        Command::Tag(tags) => change_tags(state, tags),
        Command::MarkRead(read) => mark_read(state, read.up_to, by),
        Command::UpdateContact(update) => update_contact(state, update),
        Command::OptOut(_) => Ok(opt_out(state, None)),
        Command::OptOutBecause(out) => opt_out_because(state, &out.reason),
        Command::Block(block) => Ok(self::block(state, block.why)),
        Command::Unblock(_) => Ok(unblock(state, inputs)),
        Command::OptIn(_) => opt_in(state),
        Command::ConsentRecord(record) => record_consent(record, inputs),
        Command::Release(_) => Ok(when(state.parked, ConversationReleased {})),
        Command::Wake(_) => {
            let due = |at: Option<Stamp>| at.is_some_and(|at| at <= inputs.now);
            Ok(match (due(state.snoozed_until), due(state.return_at)) {
                (true, _) => Decision::one(ConversationWoken {}),
                (false, true) => return_to_nobody(state, inputs),
                (false, false) => call::overdue(state, inputs),
            })
        }
        _ => Err(Refusal::rejected(Code::Internal, "not an operator's command")),
    }
}

/// Whether whoever is on it is away, and nothing is set yet.
pub(super) fn is_left_waiting(state: &State, inputs: &Inputs<'_>) -> bool {
    let away = |operator| inputs.settings.away.contains(operator) && !inputs.settings.is_revoked(operator);
    state.return_at.is_none() && state.assigned.as_ref().is_some_and(away)
}

/// Not at once: whoever is away may look in, and answer.
pub(super) fn give_back(inputs: &Inputs<'_>) -> ReturnSet {
    ReturnSet { at: Some(inputs.now.plus(inputs.policy.away_return)) }
}

/// Its time has come. Whoever is back meanwhile keeps it.
fn return_to_nobody(state: &State, inputs: &Inputs<'_>) -> Decision {
    let away = state.assigned.as_ref().is_some_and(|operator| inputs.settings.away.contains(operator));
    if away { Decision::one(ConversationAssigned { operator: None }) } else { Decision::one(ReturnSet { at: None }) }
}

/// A new episode, unless one is open. Whoever was revoked since is not on it.
pub(super) fn begin_episode(state: &State, inputs: &Inputs<'_>, decision: &mut Decision) {
    if state.open {
        return;
    }
    decision.push(ConversationReopened { episode: state.episode + 1 });
    if state.assigned.as_ref().is_some_and(|operator| inputs.settings.is_revoked(operator)) {
        decision.push(ConversationAssigned { operator: None });
    }
}

fn when(change: bool, fact: impl Into<Fact>) -> Decision {
    if change { Decision::one(fact.into()) } else { Decision::nothing() }
}

fn change_tags(state: &State, change: &ChangeTags) -> Result<Decision, Refusal> {
    let mut tags: Vec<_> = state.tags.iter().filter(|tag| !change.remove.contains(tag)).cloned().collect();
    tags.extend(change.add.iter().cloned());
    tags.sort();
    tags.dedup();
    if tags.len() > TAGS_MAX {
        return Err(Refusal::invalid("add", format!("a conversation has at most {TAGS_MAX} tags")));
    }
    Ok(when(tags != state.tags, ConversationTagged { tags: tags.clone() }))
}

fn mark_read(state: &State, up_to: schema::ids::Offset, by: &Author) -> Result<Decision, Refusal> {
    let Author::Operator(operator) = by else {
        return Err(Refusal::rejected(Code::Forbidden, "only a person reads"));
    };
    let up_to = up_to.min(state.last);
    Ok(when(up_to > state.read_up_to, ConversationRead { up_to, operator: operator.clone() }))
}

fn update_contact(state: &State, update: &schema::command::UpdateContact) -> Result<Decision, Refusal> {
    if update.name.as_ref().is_some_and(|name| name.chars().count() > NAME_MAX) {
        return Err(Refusal::invalid("name", format!("is longer than {NAME_MAX} characters")));
    }
    if update.notes.as_ref().is_some_and(|notes| notes.chars().count() > NOTE_MAX) {
        return Err(Refusal::invalid("notes", format!("is longer than {NOTE_MAX} characters")));
    }
    let personal = Personal { name: update.name.clone(), text: update.notes.clone(), ..Personal::default() };
    if personal.is_empty() {
        return Err(Refusal::invalid("name", "name or notes is needed"));
    }
    let mut decision = Decision::default();
    let (named, noted) = (update.name.is_some(), update.notes.is_some());
    decision.push_personal(ContactUpdated { contact: state.contact, named, noted }, personal);
    Ok(decision)
}

/// An operator who confirms what a contact seemed to ask for records the contact's own opt-out.
fn opt_out(state: &State, reason: Option<&str>) -> Decision {
    if state.consent == Consent::OptedOut {
        return Decision::nothing();
    }
    let source = if state.consent_questioned { ConsentSource::Contact } else { ConsentSource::Operator };
    let fact = ConsentChanged { consent: Consent::OptedOut, source, channel: None };
    let mut decision = Decision::nothing();
    decision.push_personal(fact, Personal { text: reason.map(str::to_owned), ..Personal::default() });
    decision
}

fn opt_out_because(state: &State, reason: &str) -> Result<Decision, Refusal> {
    if reason.trim().is_empty() || reason.chars().count() > TEXT_MAX {
        return Err(Refusal::invalid("reason", format!("must be 1 to {TEXT_MAX} characters")));
    }
    Ok(opt_out(state, Some(reason)))
}

/// Nothing more leaves for the contact, and nobody waits for it. A block for another reason changes the reason alone.
fn block(state: &State, why: BlockReason) -> Decision {
    let before = state.blocked;
    if before.is_some_and(|block| block.why == why) {
        return Decision::nothing();
    }
    let open = before.map_or(state.open, |block| block.was_open);
    let mut decision = Decision::one(ContactBlocked { why, open });
    inbound::cancel_queued(state, |_| true, &mut decision);
    if state.open {
        decision.push(ConversationResolved { episode: state.episode });
    }
    decision
}

/// Undoes a block: an episode that it ended begins again.
fn unblock(state: &State, inputs: &Inputs<'_>) -> Decision {
    let Some(block) = state.blocked else { return Decision::nothing() };
    let mut decision = Decision::one(ContactUnblocked {});
    if block.was_open {
        begin_episode(state, inputs, &mut decision);
    }
    decision
}

/// An operator lifts only what an operator set, and the doubt whether a contact meant it: the contact's own STOP, and the
/// carrier's, are the contact's to lift.
fn opt_in(state: &State) -> Result<Decision, Refusal> {
    if state.opted_out_by_contact() {
        let only = "only the contact's own START lifts this opt-out, or an admin who records new consent";
        return Err(Refusal::rejected(Code::Forbidden, only));
    }
    let fact = ConsentChanged { consent: Consent::OptedIn, source: ConsentSource::Operator, channel: None };
    Ok(when(state.consent == Consent::OptedOut || state.consent_questioned, fact))
}

/// Lifts any opt-out of ours. Kept as a fact of its own, with the words sealed: consent must be provable for years.
fn record_consent(record: &RecordConsent, inputs: &Inputs<'_>) -> Result<Decision, Refusal> {
    let length = record.words.chars().count();
    if record.words.trim().is_empty() || length > TEXT_MAX {
        return Err(Refusal::invalid("words", format!("must be 1 to {TEXT_MAX} characters")));
    }
    if record.when > inputs.now {
        return Err(Refusal::invalid("when", "must not lie ahead"));
    }
    let mut decision = Decision::default();
    let fact = ConsentRecorded { how: record.how, given: record.when };
    decision.push_personal(fact, Personal::text(record.words.clone()));
    Ok(decision)
}
