//! The stages of a request's way and how they hang together:
//! edge → tenant.submit → log.append → feed.publish → session.push, and outbox.claim → carrier.send → message.status.

use std::sync::atomic::{AtomicU8, Ordering};

use schema::{
    event::{Event, Fact, MessageClaimed, MessageStatus, Origin, Via},
    ids::{MessageId, Offset, RequestId},
    time::Stamp,
};

use super::{Link, Span, Value, is_on, record, span_id, traces};

const SUBMIT: &str = "tenant.submit";
const APPEND: &str = "log.append";
const PUBLISH: &str = "feed.publish";
const PUSH: &str = "session.push";
const CLAIM: &str = "outbox.claim";
const SEND: &str = "carrier.send";
const STATUS: &str = "message.status";

/// Other requests of a batch that its first one's span links to.
const LINKS: usize = 128;
/// Pushes of one batch that are kept: a thousand dashboards make a thousand of them.
const PUSHES: u8 = 8;

/// The name of the first stage, by the door it came through; none: the engine began it.
pub fn parent_of(via: Via) -> Option<&'static str> {
    match via {
        Via::Webhook => Some("webhook.receive"),
        Via::Stream => Some("session.rpc"),
        Via::Rest => Some("api.request"),
        Via::Command | Via::Engine => None,
    }
}

/// The first stage: a door took a request and answered. `caller`: who says that it is part of a trace of theirs.
pub fn edge(request: RequestId, via: Via, (from, to): (Stamp, Stamp), status: u64, caller: Option<Link>) {
    let Some(name) = parent_of(via) else { return };
    let attributes = vec![("status", Value::Number(status))];
    let links = caller.into_iter().collect();
    record(Span { request, id: span_id(request, name, 0), parent: None, name, from, to, attributes, links });
}

/// The tenant was asked and has answered.
pub fn submitted(origin: &Origin, from: Stamp, to: Stamp, outcome: &'static str) {
    let request = origin.request;
    let attributes = vec![("outcome", Value::Text(outcome.to_owned()))];
    let parent = parent_of(origin.via).map(|name| span_id(request, name, 0));
    let id = span_id(request, SUBMIT, 0);
    record(Span { request, id, parent, name: SUBMIT, from, to, attributes, links: Vec::new() });
}

/// One durable batch: the requests in it that are traced. Each has a span of its own for the append; they are linked.
pub struct Batch {
    first: Offset,
    events: usize,
    requests: Vec<(RequestId, Option<u64>)>,
}

impl Batch {
    /// None if nothing in it is traced.
    pub(crate) fn of(first: Offset, events: &[Event]) -> Option<Self> {
        if !is_on() {
            return None;
        }
        let mut requests: Vec<(RequestId, Option<u64>)> = Vec::new();
        for event in events {
            let request = event.header.origin.request;
            if traces(request) && !requests.iter().rev().any(|(known, _)| *known == request) {
                requests.push((request, before_append(event)));
            }
        }
        (!requests.is_empty()).then_some(Self { first, events: events.len(), requests })
    }

    /// It is on stable storage.
    pub(crate) fn appended(&self, from: Stamp, to: Stamp) {
        let link = |(request, _): &(RequestId, Option<u64>)| Link {
            trace: request.0.as_u128(),
            span: span_id(*request, APPEND, self.first.0),
        };
        let lead = self.requests.first().map(link);
        for (place, (request, parent)) in self.requests.iter().enumerate() {
            let links = if place == 0 {
                self.requests.iter().skip(1).take(LINKS).map(link).collect()
            } else {
                lead.into_iter().collect()
            };
            let (request, id) = (*request, span_id(*request, APPEND, self.first.0));
            let attributes = self.attributes();
            record(Span { request, id, parent: *parent, name: APPEND, from, to, attributes, links });
        }
    }

    /// Its frames can be read.
    pub(crate) fn published(&self, from: Stamp, to: Stamp) {
        for (request, _) in &self.requests {
            let (request, which) = (*request, self.first.0);
            let parent = Some(span_id(request, APPEND, which));
            let (id, attributes) = (span_id(request, PUBLISH, which), self.attributes());
            record(Span { request, id, parent, name: PUBLISH, from, to, attributes, links: Vec::new() });
        }
    }

    fn attributes(&self) -> Vec<(&'static str, Value)> {
        let (events, requests) = (self.events as u64, self.requests.len() as u64);
        vec![
            ("batch.first_offset", Value::Number(self.first.0)),
            ("batch.events", Value::Number(events)),
            ("batch.traced_requests", Value::Number(requests)),
        ]
    }
}

/// What an event's append comes after.
fn before_append(event: &Event) -> Option<u64> {
    let Origin { via, request, .. } = &event.header.origin;
    match (&event.fact, via) {
        (Fact::MessageClaimed(fact), Via::Engine) => Some(id_of(*request, CLAIM, fact.message, fact.attempt)),
        (Fact::MessageStatus(fact), Via::Engine) => Some(id_of(*request, STATUS, fact.message, fact.attempt)),
        _ => Some(span_id(*request, SUBMIT, 0)).filter(|_| parent_of(*via).is_some()),
    }
}

/// One dashboard was written to. `told`: how many pushes of the batch were kept.
pub fn pushed<'a>(
    (first, told): (Offset, &AtomicU8),
    events: impl Iterator<Item = &'a Event>,
    which: u64,
    (from, to): (Stamp, Stamp),
) {
    if told.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |told| (told < PUSHES).then_some(told + 1)).is_err() {
        return;
    }
    let mut before = None;
    for event in events {
        let request = event.header.origin.request;
        if before.replace(request) == Some(request) || !traces(request) {
            continue;
        }
        let attributes = vec![("offset", Value::Number(event.header.offset.0))];
        let parent = Some(span_id(request, PUBLISH, first.0));
        let id = span_id(request, PUSH, which ^ event.header.offset.0.rotate_left(32));
        record(Span { request, id, parent, name: PUSH, from, to, attributes, links: Vec::new() });
    }
}

/// A text is durably claimed for the carrier.
pub(crate) fn claimed(event: &Event, claim: &MessageClaimed, now: Stamp) {
    let request = event.header.origin.request;
    let parent = Some(span_id(request, SUBMIT, 0));
    outbox((request, CLAIM, parent), (claim.message, claim.attempt), (event.header.stamp, now), None);
}

/// The carrier was asked, and this came of it.
pub(crate) fn sent(request: RequestId, text: (MessageId, u16), times: (Stamp, Stamp), outcome: &'static str) {
    let parent = Some(id_of(request, CLAIM, text.0, text.1));
    outbox((request, SEND, parent), text, times, Some(outcome.to_owned()));
}

/// A text's status is durable.
pub(crate) fn status(event: &Event, fact: &MessageStatus, now: Stamp) {
    let (via, request) = (event.header.origin.via, event.header.origin.request);
    if !traces(request) {
        return;
    }
    let parent = match via {
        Via::Engine => id_of(request, SEND, fact.message, fact.attempt),
        _ => span_id(request, SUBMIT, 0),
    };
    let (text, times) = ((fact.message, fact.attempt), (event.header.stamp, now));
    outbox((request, STATUS, Some(parent)), text, times, Some(format!("{:?}", fact.status).to_lowercase()));
}

fn outbox(
    (request, name, parent): (RequestId, &'static str, Option<u64>),
    (message, attempt): (MessageId, u16),
    (from, to): (Stamp, Stamp),
    outcome: Option<String>,
) {
    if !traces(request) {
        return;
    }
    let mut attributes =
        vec![("message", Value::Text(message.to_string())), ("attempt", Value::Number(u64::from(attempt)))];
    attributes.extend(outcome.map(|outcome| ("outcome", Value::Text(outcome))));
    let id = id_of(request, name, message, attempt);
    record(Span { request, id, parent, name, from, to, attributes, links: Vec::new() });
}

fn id_of(request: RequestId, name: &str, message: MessageId, attempt: u16) -> u64 {
    let message = message.0.as_u128();
    let folded = u64::try_from(message >> 64).unwrap_or(0) ^ u64::try_from(message & u128::from(u64::MAX)).unwrap_or(0);
    span_id(request, name, folded ^ u64::from(attempt))
}
