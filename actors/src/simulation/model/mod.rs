//! The judge: what must be true of the log, of what left, of what was answered and shown, by design.md's promises.
//!
//! It keeps maps of its own over the events as they land on the disk, and calls nothing of the engine's. Each rule is a
//! sentence that begins with its promise.

mod end;
mod outside;
mod texts;

use std::{collections::BTreeMap, time::Duration};

use schema::{
    command::Reply,
    event::{Consent, Fact, SealedBatch, StoredEvent},
    ids::{AddressHash, BatchNumber, ConversationId, DedupeKey, MessageId, Offset, TenantId},
    settings::LimitSettings,
    time::Stamp,
};

use self::texts::Text;
use super::{
    dice::Dice,
    plan::{CONTACTS, Plan, TENANTS, tenant},
    sessions::Seat,
};

/// Everything the judge knows.
pub(super) struct Model {
    feeds: BTreeMap<TenantId, Feed>,
    limits: LimitSettings,
    departures: Vec<Departure>,
    seats: Vec<[Seat; 2]>,
    /// Where the logs ended when it became calm.
    heads: Vec<Offset>,
    /// Conversations as the outside knows them, from answers.
    known: BTreeMap<(usize, usize), ConversationId>,
    /// Answers by what was asked.
    replies: BTreeMap<String, Reply>,
    /// Questions that were put to the judge.
    pub(super) checks: u64,
}

/// One tenant's log, folded.
#[derive(Default)]
struct Feed {
    events: Vec<StoredEvent>,
    batch: BatchNumber,
    stamp: Stamp,
    oldest: Offset,
    accepted: BTreeMap<DedupeKey, Offset>,
    received: BTreeMap<String, Offset>,
    calls: BTreeMap<String, Call>,
    addresses: BTreeMap<AddressHash, ConversationId>,
    talks: BTreeMap<ConversationId, Talk>,
    texts: BTreeMap<MessageId, Text>,
}

/// One conversation, folded.
#[derive(Default)]
struct Talk {
    last: Offset,
    consent: Consent,
    /// Since when the log says what `consent` is.
    consent_at: Duration,
    text_back: Option<Stamp>,
    snoozed_until: Option<Stamp>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// It has its verdict by then.
    Open(Stamp),
    Decided,
}

/// A text that left.
struct Departure {
    tenant: TenantId,
    contact: String,
    at: Duration,
    wall: Stamp,
    segments: u32,
}

impl Model {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            feeds: BTreeMap::new(),
            limits: plan.pace(0),
            departures: Vec::new(),
            heads: vec![Offset(0); TENANTS],
            seats: vec![[Seat::default(); 2]; TENANTS],
            known: BTreeMap::new(),
            replies: BTreeMap::new(),
            checks: 0,
        }
    }

    /// A batch has landed.
    pub(super) fn stored(&mut self, batch: &SealedBatch, now: Duration) -> Result<(), String> {
        let header = &batch.header;
        let feed = self.feeds.entry(header.feed.tenant.clone()).or_default();
        let place = format!("{} of {}", header.number, header.feed.tenant);
        let events: Result<Vec<StoredEvent>, _> = batch.events().collect();
        let events = events.map_err(|error| format!("P1: batch {place} cannot be read: {error}"))?;
        if header.number != feed.batch.next() || header.first != feed.next() || events.len() != header.count as usize {
            return Err(format!("P3: batch {place} begins at {} where {} is next", header.first, feed.next()));
        }
        feed.batch = header.number;
        for event in events {
            self.checks += 1;
            feed.event(&event, now)?;
            feed.events.push(event);
        }
        Ok(())
    }

    /// Events before `oldest` are gone for good.
    pub(super) fn trimmed(&mut self, tenant: &TenantId, oldest: Offset) {
        self.feed(tenant).oldest = oldest;
    }

    pub(super) fn is_trimmed(&self, number: usize, offset: Offset) -> bool {
        self.feeds.get(&tenant(number)).is_some_and(|feed| offset < feed.oldest)
    }

    /// Where a tenant's log ends.
    pub(super) fn head(&self, number: usize) -> Offset {
        self.feeds.get(&tenant(number)).map_or(Offset(0), |feed| Offset(feed.next().0 - 1))
    }

    /// It is calm from now on: every dashboard must get this far.
    pub(super) fn remember_heads(&mut self) {
        self.heads = (0..TENANTS).map(|number| self.head(number)).collect();
    }

    pub(super) fn seat(&self, tenant: usize, seat: usize) -> Seat {
        self.seats[tenant][seat]
    }

    pub(super) fn seat_mut(&mut self, tenant: usize, seat: usize) -> &mut Seat {
        &mut self.seats[tenant][seat]
    }

    /// The conversation of a contact, if an answer has named it.
    pub(super) fn conversation_of(&self, tenant: usize, contact: usize) -> Option<ConversationId> {
        self.known.get(&(tenant, contact)).copied()
    }

    /// Some text of a tenant.
    pub(super) fn some_text(&self, number: usize, dice: &mut Dice) -> Option<(ConversationId, MessageId)> {
        let texts = &self.feeds.get(&tenant(number))?.texts;
        let (message, text) = texts.iter().nth(dice.index(texts.len().max(1)))?;
        Some((text.conversation, *message))
    }

    /// Where the log says a text is.
    pub(super) fn text(&self, number: usize, message: MessageId) -> Option<(u16, schema::message::Status)> {
        self.feeds.get(&tenant(number))?.texts.get(&message).map(|text| (text.attempt, text.status))
    }

    /// Whether a line was read back once: from then on nothing that comes in may be missed.
    pub(super) fn is_looked_after(&self, number: usize) -> bool {
        let read = |event: &StoredEvent| matches!(event.fact, Fact::LineCaughtUp(_));
        self.feeds.get(&tenant(number)).is_some_and(|feed| feed.events.iter().any(read))
    }

    fn feed(&mut self, tenant: &TenantId) -> &mut Feed {
        self.feeds.entry(tenant.clone()).or_default()
    }

    fn contact_of(address: &schema::address::Address) -> usize {
        let found = (0..CONTACTS).find(|number| super::plan::contact(*number) == *address);
        found.expect("only these contacts exist")
    }
}

impl Feed {
    fn next(&self) -> Offset {
        Offset(self.events.len() as u64 + 1)
    }

    /// What is true of every event, then what is true of its kind.
    fn event(&mut self, event: &StoredEvent, now: Duration) -> Result<(), String> {
        let header = &event.header;
        let (next, name) = (self.next(), event.fact.name());
        if header.offset != next {
            return Err(format!("P3: {name} is at {} where {next} is next", header.offset));
        }
        if header.stamp <= self.stamp {
            return Err(format!("P3: {name} at {next} is stamped {} after {}", header.stamp, self.stamp));
        }
        self.stamp = header.stamp;
        if let Some(accepted) = &header.accepted
            && let Some(first) = self.accepted.insert(accepted.key, next)
        {
            return Err(format!("P2: {name} at {next} was accepted at {first} already"));
        }
        if let Some(conversation) = header.conversation {
            let talk = self.talks.entry(conversation).or_default();
            if header.previous != talk.last {
                return Err(format!("P3: {name} at {next} follows {} instead of {}", header.previous, talk.last));
            }
            talk.last = next;
            self.fact(conversation, event, now)?;
        }
        Ok(())
    }

    fn fact(&mut self, id: ConversationId, event: &StoredEvent, now: Duration) -> Result<(), String> {
        let at = event.header.offset;
        let talk = self.talks.entry(id).or_default();
        match &event.fact {
            Fact::ContactCreated(fact) => {
                if let Some(first) = self.addresses.insert(fact.address, id) {
                    return Err(format!("P2: one contact has two conversations, {first} and {id}"));
                }
            }
            Fact::MessageReceived(fact) => {
                if let Some(first) = self.received.insert(fact.carrier_id.clone(), at) {
                    return Err(format!("P2: {} is at {first} and at {at}", fact.carrier_id));
                }
            }
            Fact::CallMissed(fact) => return self.decided(&fact.carrier_id, at),
            Fact::CallAnswered(fact) => return self.decided(&fact.carrier_id, at),
            Fact::CallEnded(fact) => {
                if self.calls.insert(fact.carrier_id.clone(), Call::Open(fact.due)).is_some() {
                    return Err(format!("P2: call {} ends again at {at}", fact.carrier_id));
                }
            }
            Fact::ConversationSnoozed(fact) => talk.snoozed_until = Some(fact.until),
            Fact::ConversationWoken(_) | Fact::ConversationResolved(_) => talk.snoozed_until = None,
            Fact::ConsentChanged(fact) => (talk.consent, talk.consent_at) = (fact.consent, now),
            Fact::ConsentRecorded(_) => (talk.consent, talk.consent_at) = (Consent::OptedIn, now),
            _ => return self.text(id, event),
        }
        Ok(())
    }

    fn decided(&mut self, call: &str, at: Offset) -> Result<(), String> {
        match self.calls.insert(call.to_owned(), Call::Decided) {
            Some(Call::Decided) => Err(format!("P2: call {call} has a second verdict at {at}")),
            _ => Ok(()),
        }
    }
}
