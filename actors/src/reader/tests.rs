//! What only long conversations and failures show; the rest is tested over HTTP.

use std::sync::Arc;

use schema::{
    address::Address,
    event::{
        Author, ContactCreated, Fact, Header, MessageClaimed, MessageQueued, MessageRequeued, MessageStatus, Origin,
        Personal, Purpose, Via,
    },
    ids::{
        AddressHash, BatchNumber, ChannelId, ContactId, ConversationId, Epoch, KeyId, MessageId, NodeId, Offset,
        RequestId, TenantId,
    },
    message::{Priority, Status},
    time::Stamp,
};
use uuid::Uuid;

use super::*;
use crate::{
    memory::{MemoryKeys, MemoryLog, MemoryViews},
    ports::{MessageRow, ViewError, ViewWrite, ViewsBatch},
    vault::seal_part,
};

/// One conversation, written event by event as the projector would.
struct Desk {
    reader: Reader,
    views: Arc<MemoryViews>,
    tenant: TenantId,
    key: crate::ports::ContactKey,
    state: Option<State>,
}

const CONVERSATION: ConversationId = ConversationId(Uuid::from_u128(1));
const CONTACT: ContactId = ContactId(Uuid::from_u128(2));

impl Desk {
    async fn new() -> Self {
        let tenant = TenantId::new("acme").expect("a slug");
        let views = Arc::new(MemoryViews::default());
        let vault = Vault::new(Arc::new(MemoryKeys::default()));
        let key = vault.create(&tenant, CONTACT).await.expect("memory");
        let reader = Reader::new(Arc::new(MemoryLog::default()), views.clone(), vault);
        let mut desk = Self { reader, views, tenant, key, state: None };
        let address = AddressHash([7; 16]);
        let fact = ContactCreated { contact: CONTACT, key: desk.key.id, address, reachable: true };
        let number = Address::from_carrier("+12125550001").expect("a number");
        let personal = Personal { address: Some(number), name: Some("Ana".to_owned()), ..Personal::default() };
        desk.happen(fact.into(), Some(personal)).await;
        desk
    }

    fn next(&self) -> Offset {
        self.state.as_ref().map_or(Offset(1), |state| state.last.next())
    }

    async fn happen(&mut self, fact: Fact, personal: Option<Personal>) -> Offset {
        let offset = self.next();
        let origin = Origin { by: Author::Engine, via: Via::Engine, request: RequestId(Uuid::from_u128(3)) };
        let header = Header {
            offset,
            stamp: Stamp(offset.0 * 1_000),
            conversation: Some(CONVERSATION),
            previous: Offset(offset.0 - 1),
            origin,
            accepted: None,
        };
        if let Fact::ContactCreated(created) = &fact {
            self.state = Some(State::fresh(CONVERSATION, created));
        }
        let previous_activity = (offset > Offset(1)).then(|| self.state.as_ref().map(|state| state.activity)).flatten();
        let state = self.state.as_mut().expect("the contact comes first");
        state.apply(&header, &fact);
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&offset.0.to_le_bytes());
        let parts = personal.map(|personal| seal_part(&self.key, CONTACT, &personal, nonce)).into_iter().collect();
        let mut bytes = Vec::new();
        let message = match &fact {
            Fact::MessageQueued(queued) => Some(queued.message),
            _ => None,
        };
        StoredEvent { header, fact, parts }.encode(&mut bytes).expect("it is small");
        let mut writes = vec![ViewWrite::Timeline { conversation: CONVERSATION, offset, event: bytes.into() }];
        let (stored, activity) = (state.store(), Some(state.activity));
        writes.push(ViewWrite::Conversation {
            conversation: CONVERSATION,
            stored,
            activity,
            previous_activity,
            open: true,
            previous_open: true,
        });
        writes.extend(
            message
                .map(|message| ViewWrite::Message { message, row: MessageRow { conversation: CONVERSATION, offset } }),
        );
        let checkpoint = Checkpoint { offset, batch: BatchNumber(offset.0) };
        let batch = ViewsBatch { feed: FeedId::of(&self.tenant), stamp: Stamp(offset.0), checkpoint, writes };
        self.views.write(vec![batch]).await.expect("memory");
        offset
    }

    async fn queue(&mut self, id: u128) -> MessageId {
        let message = MessageId(Uuid::from_u128(id));
        let fact = MessageQueued {
            message,
            channel: ChannelId::new("line").expect("a slug"),
            purpose: Purpose::Reply,
            priority: Priority::Interactive,
            segments: 1,
            valid_until: Stamp(1),
            template: None,
        };
        self.happen(fact.into(), Some(Personal::text(format!("text {id}")))).await;
        message
    }

    async fn status(&mut self, message: MessageId, attempt: u16, status: Status) {
        let carrier_id = Some(format!("SM{attempt}"));
        let fact = MessageStatus { message, attempt, status, carrier_id, error: None };
        self.happen(fact.into(), None).await;
    }

    async fn claim(&mut self, message: MessageId, attempt: u16) {
        let node = NodeId::new("one").expect("a slug");
        let fact = MessageClaimed { message, attempt, node, deadline: Stamp(0), segments: 1, after_unknown: false };
        self.happen(fact.into(), None).await;
    }
}

#[tokio::test]
async fn a_text_of_long_ago_still_shows_its_last_attempt_and_status() {
    let mut desk = Desk::new().await;
    let first = desk.queue(100).await;
    desk.claim(first, 1).await;
    desk.status(first, 1, Status::Failed).await;
    let fact = MessageRequeued { message: first, attempt: 2, not_before: Stamp(0), valid_until: Stamp(9), error: None };
    desk.happen(fact.into(), None).await;
    desk.claim(first, 2).await;
    desk.status(first, 1, Status::Sent).await;
    desk.status(first, 2, Status::Delivered).await;
    desk.status(first, 2, Status::Sent).await;
    for id in 200..280 {
        let later = desk.queue(id).await;
        desk.status(later, 1, Status::Delivered).await;
    }
    assert!(!desk.state.as_ref().expect("there").sends.contains_key(&first), "the state has forgotten it");
    let view = desk.reader.message(&desk.tenant, first).await.expect("it is there");
    let sending = view.sending.expect("it is outbound");
    assert_eq!((sending.attempt, sending.status, sending.valid_until), (2, Status::Delivered, Stamp(9)));
    assert_eq!(view.carrier_id.as_deref(), Some("SM2"));
    assert_eq!(view.text.as_deref(), Some("text 100"));
}

#[tokio::test]
async fn a_row_shows_name_number_and_the_last_text_with_its_status() {
    let mut desk = Desk::new().await;
    let message = desk.queue(100).await;
    desk.status(message, 1, Status::Sent).await;
    let page = desk.reader.inbox(&desk.tenant, true, None, 10).await.expect("memory");
    let [row] = page.rows.as_slice() else { panic!("one row, not {}", page.rows.len()) };
    assert_eq!((row.name.as_deref(), row.address.as_deref()), (Some("Ana"), Some("+12125550001")));
    let last = row.last_message.as_ref().expect("a text was sent");
    assert_eq!((last.text.as_deref(), last.status), (Some("text 100"), Some(Status::Sent)));
    assert_eq!(page.position.offset, row.last);
    assert_ne!(page.position.epoch.0, Epoch(0));
}

#[test]
fn what_cannot_be_read_now_may_be_asked_again_and_what_is_damaged_may_not() {
    let status = |error: ReadError| crate::handle::Refusal::from(error).problem().status;
    assert_eq!(status(ViewError::Unavailable("away".to_owned()).into()), 503);
    assert_eq!(status(ViewError::Damaged("bytes".to_owned()).into()), 500);
    assert_eq!(status(ReadError::NotFound("conversation".to_owned())), 404);
}

#[tokio::test]
async fn a_key_that_is_gone_leaves_the_row_without_the_person() {
    let desk = Desk::new().await;
    let id: KeyId = desk.key.id;
    desk.reader.vault.destroy(&desk.tenant, id).await.expect("memory");
    let view = desk.reader.summary(&desk.tenant, CONVERSATION).await.expect("the row stays");
    assert_eq!((view.row.name, view.row.address, view.row.erased), (None, None, true));
}
