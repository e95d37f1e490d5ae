//! One message: what it says, and for an outbound one where its current attempt is.

use schema::{
    event::{Event, Fact, MessageQueued, StoredEvent},
    ids::{ConversationId, MessageId, Offset, TenantId},
    message::{CarrierError, Direction, Status},
    page::{MessageView, Sending},
};

use super::{ReadError, Reader, row::is_shredded};
use crate::conversation::State;

/// Events read at once when a message's later events are looked through.
const SCAN_PAGE: usize = 256;
/// Events looked through at most: a text's fate is known long before.
const SCAN_MAX: usize = 4_096;

impl Reader {
    /// The conversation of a message.
    pub async fn conversation_of(&self, tenant: &TenantId, id: MessageId) -> Result<ConversationId, ReadError> {
        let row = self.views.message(tenant, id).await?;
        row.map(|row| row.conversation).ok_or_else(|| ReadError::NotFound(format!("message {id}")))
    }

    /// One message. Its place in the queue is not in the views: whoever holds the tenant's handle adds it.
    pub async fn message(&self, tenant: &TenantId, id: MessageId) -> Result<MessageView, ReadError> {
        let position = self.position(tenant).await?;
        let missing = || ReadError::NotFound(format!("message {id}"));
        let row = self.views.message(tenant, id).await?.ok_or_else(missing)?;
        let event = self.event(tenant, row.conversation, row.offset).await?.ok_or_else(missing)?;
        let mut view = view(position, row.conversation, &event).ok_or_else(missing)?;
        if let Fact::MessageQueued(fact) = &event.fact {
            let fate = self.fate(tenant, row.conversation, row.offset, fact).await?;
            view.carrier_id = fate.carrier_id;
            view.sending = Some(Sending {
                purpose: fact.purpose.clone(),
                priority: fact.priority,
                template: fact.template.clone(),
                attempt: fate.attempt,
                status: fate.status,
                shown: fate.status.shown(),
                error: fate.error,
                valid_until: fate.valid_until,
                queue: None,
            });
        }
        Ok(view)
    }

    /// Where an outbound text is: from the conversation's state, which forgets settled ones after a while, else from
    /// the events that followed.
    async fn fate(
        &self,
        tenant: &TenantId,
        conversation: ConversationId,
        queued_at: Offset,
        fact: &MessageQueued,
    ) -> Result<Fate, ReadError> {
        let state: State = self.state(tenant, conversation).await?;
        if let Some(send) = state.sends.get(&fact.message) {
            return Ok(Fate {
                attempt: send.attempt,
                status: send.status,
                carrier_id: send.carrier_id.clone(),
                error: send.error.clone(),
                valid_until: send.valid_until,
            });
        }
        let mut fate = Fate::queued(fact);
        let mut after = queued_at;
        for _ in 0..SCAN_MAX / SCAN_PAGE {
            let page = self.views.timeline_after(tenant, conversation, after, SCAN_PAGE).await?;
            for bytes in &page.rows {
                let event = StoredEvent::decode(bytes)?;
                fate.apply(fact.message, &event.fact);
                after = event.header.offset;
            }
            if !page.more {
                break;
            }
        }
        Ok(fate)
    }
}

fn view(position: schema::page::Position, conversation: ConversationId, event: &Event) -> Option<MessageView> {
    let (message, direction, channel, segments) = match &event.fact {
        Fact::MessageReceived(fact) => (fact.message, Direction::Inbound, &fact.channel, fact.segments),
        Fact::MessageQueued(fact) => (fact.message, Direction::Outbound, &fact.channel, fact.segments),
        _ => return None,
    };
    let (carrier_id, keyword) = match &event.fact {
        Fact::MessageReceived(fact) => (Some(fact.carrier_id.clone()), fact.keyword),
        _ => (None, None),
    };
    let personal = event.personal();
    Some(MessageView {
        position,
        message,
        conversation,
        made_at: event.header.offset,
        at: event.header.stamp,
        by: event.header.origin.by.clone(),
        direction,
        channel: channel.clone(),
        text: personal.and_then(|personal| personal.text.clone()),
        media: personal.map_or_else(Vec::new, |personal| personal.media.clone()),
        segments,
        carrier_id,
        keyword,
        sending: None,
        erased: is_shredded(event),
    })
}

/// What became of an outbound text.
struct Fate {
    attempt: u16,
    status: Status,
    carrier_id: Option<String>,
    error: Option<CarrierError>,
    valid_until: schema::time::Stamp,
}

impl Fate {
    fn queued(fact: &MessageQueued) -> Self {
        Self { attempt: 1, status: Status::Queued, carrier_id: None, error: None, valid_until: fact.valid_until }
    }

    /// The same fold as the conversation's.
    fn apply(&mut self, message: MessageId, fact: &Fact) {
        match fact {
            Fact::MessageClaimed(claim) if claim.message == message => {
                self.attempt = claim.attempt;
                self.status = Status::Claimed;
            }
            Fact::MessageRequeued(again) if again.message == message => {
                self.attempt = again.attempt;
                self.status = Status::Queued;
                self.valid_until = again.valid_until;
                self.error.clone_from(&again.error);
                self.carrier_id = None;
            }
            Fact::MessageStatus(step) if step.message == message && step.attempt == self.attempt => {
                self.status = self.status.join(step.status);
                self.carrier_id = step.carrier_id.clone().or(self.carrier_id.take());
                self.error = step.error.clone().or(self.error.take());
            }
            _ => {}
        }
    }
}
