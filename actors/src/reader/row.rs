//! Rows: a conversation's state with what is personal read from the events that hold it.

use schema::{
    event::{Content, Event, Fact},
    ids::TenantId,
    message::{Direction, Status},
    page::{InboxRow, LastMessage},
};

use super::{ReadError, Reader};
use crate::conversation::State;

/// Characters of the last message that a row shows.
const PREVIEW_MAX: usize = 140;

/// What is known of a contact by name.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) name: Option<String>,
    pub(super) address: Option<String>,
    pub(super) erased: bool,
}

impl Reader {
    /// Name and address, from the events that hold them.
    pub(super) async fn person(&self, tenant: &TenantId, state: &State) -> Result<Person, ReadError> {
        let mut person = Person::default();
        if let Some(event) = self.event(tenant, state.conversation, state.address_at).await? {
            person.erased = is_shredded(&event);
            if let Some(personal) = event.personal() {
                person.address = personal.address.as_ref().map(|address| address.as_str().to_owned());
                person.name.clone_from(&personal.name);
            }
        }
        if state.name_at != state.address_at {
            let named = self.event(tenant, state.conversation, state.name_at).await?;
            person.name = named.as_ref().and_then(Event::personal).and_then(|personal| personal.name.clone());
        }
        Ok(person)
    }

    /// A conversation as lists show it.
    pub(super) async fn row(&self, tenant: &TenantId, state: &State) -> Result<InboxRow, ReadError> {
        let person = self.person(tenant, state).await?;
        let last = self.event(tenant, state.conversation, state.last_text_at).await?;
        let last_message = last.and_then(|event| last_message(state, &event));
        Ok(InboxRow {
            conversation: state.conversation,
            contact: state.contact,
            last: state.last,
            name: person.name,
            address: person.address,
            reachable: state.reachable,
            erased: person.erased,
            channel: state.channel.clone(),
            open: state.open,
            episode: state.episode,
            assigned: state.assigned.clone(),
            tags: state.tags.clone(),
            unread: state.unread,
            read_up_to: state.read_up_to,
            last_inbound: state.last_inbound_at,
            missed_call: state.missed_call,
            waiting_since: state.waiting_since,
            activity: state.activity,
            snoozed_until: state.snoozed_until,
            consent: state.consent,
            consent_source: state.consent_source,
            consent_questioned: state.consent_questioned,
            unreachable: state.unreachable,
            blocked: state.blocked.map(|block| block.why),
            last_message,
            parked: state.parked,
            unprocessed: state.unprocessed.len(),
            merged_into: state.merged_into,
        })
    }
}

/// Whether a part of it was erased.
pub(super) fn is_shredded(event: &Event) -> bool {
    event.parts.iter().any(|part| part.content == Content::Shredded)
}

fn last_message(state: &State, event: &Event) -> Option<LastMessage> {
    let (message, direction, status) = match &event.fact {
        Fact::MessageReceived(fact) => (fact.message, Direction::Inbound, None),
        Fact::MessageQueued(fact) => {
            let status = state.sends.get(&fact.message).map_or(Status::Queued, |send| send.status);
            (fact.message, Direction::Outbound, Some(status))
        }
        _ => return None,
    };
    let personal = event.personal();
    Some(LastMessage {
        message,
        offset: event.header.offset,
        at: event.header.stamp,
        direction,
        text: personal.and_then(|personal| personal.text.as_deref()).map(preview),
        media: personal.map_or(0, |personal| personal.media.len()),
        status,
    })
}

fn preview(text: &str) -> String {
    match text.char_indices().nth(PREVIEW_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
