//! The batch under assembly: events that are decided and not yet on their way to disk.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use bytes::Bytes;
use schema::{
    command::Reply,
    event::{BatchHeader, Content, Event, Part, SealedBatch, StoredEvent},
    ids::{BatchId, BatchNumber, ConversationId, FeedId, NodeId, Offset},
    time::Stamp,
};

use super::{
    supervise::Tracked,
    ticket::{Answer, ReplyTo},
};
use crate::{
    handle::Refusal,
    ports::{ContactKey, ViewWrite},
    projector,
    vault::seal_part,
};

/// Somebody who is answered when the batch is durable.
pub(crate) struct Completion {
    pub(crate) reply: Reply,
    pub(crate) to: ReplyTo,
}

impl Completion {
    pub(crate) fn send(self, result: Result<(), Refusal>) {
        if let ReplyTo::Caller(to) | ReplyTo::Call(to) = self.to {
            // Whoever asked may have gone away: what is stored stays stored.
            let _ = to.send(Answer::Done(result.map(|()| self.reply)));
        }
    }
}

/// Events of one batch, from the first decision to the append.
pub(crate) struct Pending {
    pub(crate) id: BatchId,
    pub(crate) first: Offset,
    body: Vec<u8>,
    stored: Vec<StoredEvent>,
    ends: Vec<usize>,
    pub(crate) events: Vec<Event>,
    pub(crate) completions: Vec<Completion>,
    pub(crate) touched: BTreeMap<ConversationId, Rc<RefCell<Tracked>>>,
    pub(crate) settings_changed: bool,
    pub(crate) stamp: Stamp,
}

impl Pending {
    pub(crate) fn new(id: BatchId, first: Offset) -> Self {
        Self {
            id,
            first,
            body: Vec::new(),
            stored: Vec::new(),
            ends: Vec::new(),
            events: Vec::new(),
            completions: Vec::new(),
            touched: BTreeMap::new(),
            settings_changed: false,
            stamp: Stamp(0),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Adds an event; seals its parts with the contact's key.
    pub(crate) fn push(&mut self, event: Event, key: Option<&ContactKey>) {
        let place = u32::try_from(self.events.len()).expect("a batch holds fewer than 2^32 events");
        let parts = event.parts.iter().enumerate().map(|(index, part)| {
            let key = key.expect("whoever adds a personal part brings its key");
            let Content::Open(personal) = &part.content else { unreachable!("new parts are open") };
            seal_part(key, part.subject, personal, self.nonce(place, index))
        });
        let parts = parts.collect();
        let stored = StoredEvent { header: event.header.clone(), fact: event.fact.clone(), parts };
        stored.encode(&mut self.body).expect("commands are bounded far below what the codec can hold");
        self.ends.push(self.body.len());
        self.settings_changed |= projector::is_setting(&event.fact);
        self.stamp = event.header.stamp;
        self.stored.push(stored);
        self.events.push(event);
    }

    /// Never the same twice: the batch's random id and the part's place in it.
    fn nonce(&self, place: u32, part: usize) -> [u8; 24] {
        let mut nonce = [0; 24];
        nonce[..16].copy_from_slice(self.id.0.as_bytes());
        nonce[16..20].copy_from_slice(&place.to_le_bytes());
        nonce[20] = u8::try_from(part).expect("an event has few parts");
        nonce
    }

    /// Closes the batch: what goes to the log, and the view writes that follow once it is there.
    pub(crate) fn seal(
        &mut self,
        feed: &FeedId,
        number: BatchNumber,
        node: &NodeId,
        wake_at: Option<Stamp>,
    ) -> (SealedBatch, Vec<ViewWrite>) {
        let body = Bytes::from(std::mem::take(&mut self.body));
        let mut writes = Vec::with_capacity(self.stored.len() * 3);
        let mut start = 0;
        for (event, end) in self.stored.drain(..).zip(self.ends.drain(..)) {
            let tracked = event.header.conversation.and_then(|id| self.touched.get(&id)).map(|it| it.borrow());
            let state = tracked.as_ref().map(|tracked| &tracked.state);
            projector::event_writes(&event, body.slice(start..end), state, &mut writes);
            start = end;
        }
        for tracked in self.touched.values() {
            let tracked = &mut *tracked.borrow_mut();
            projector::state_writes(&tracked.state, &mut tracked.indexed, &mut tracked.timer, &mut writes);
        }
        let header = BatchHeader {
            feed: feed.clone(),
            number,
            id: self.id,
            first: self.first,
            count: u32::try_from(self.events.len()).expect("a batch holds fewer than 2^32 events"),
            stamp: self.stamp,
            node: node.clone(),
            wake_at,
        };
        (SealedBatch { header, body }, writes)
    }
}

/// A personal part of a new event.
pub(crate) fn open_part(key: &ContactKey, subject: schema::ids::ContactId, personal: schema::event::Personal) -> Part {
    Part { subject, key: key.id, content: Content::Open(personal) }
}
