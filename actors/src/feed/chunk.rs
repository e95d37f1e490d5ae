//! A chunk: one durable batch with its frames, encoded once per role when the first reader of that role comes.

use std::{
    ops::Range,
    sync::{Arc, OnceLock, atomic::AtomicU8},
};

use bytes::Bytes;
use schema::{
    event::{Event, Fact},
    ids::{ConversationId, Offset, OperatorId},
    role::Role,
    time::Stamp,
    wire::{self, WireEvent},
};

use crate::trace;

/// What an event and its frames cost in memory beside its text, estimated.
const EVENT_WEIGHT: usize = 1_024;

/// One durable batch. Offsets in it are dense.
pub struct Chunk {
    first: Offset,
    channel: String,
    events: Vec<Event>,
    entries: Vec<Entry>,
    /// Every role sees the same: one encoding serves all.
    uniform: bool,
    weight: usize,
    /// Writes to dashboards that were traced.
    told: AtomicU8,
    frames: [OnceLock<Frames>; Role::ALL.len()],
}

/// What filters need to know of an event without decoding it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its position.
    pub offset: Offset,
    /// The conversation it belongs to.
    pub conversation: Option<ConversationId>,
    /// Offset of that conversation's event before.
    pub previous: Offset,
    /// Operators it is meant for: assigned, or named in a note (`@ana`).
    pub meant_for: Vec<OperatorId>,
}

/// All frames of a chunk for one role, joined by `\n`, and where each one's parts are.
struct Frames {
    all: Bytes,
    spans: Vec<Span>,
}

struct Span {
    /// The whole frame, without the `\n` after it.
    frame: Range<u32>,
    /// The publication in it: `{"data":…,"offset":7}`.
    publication: Range<u32>,
    /// What the publication carries.
    data: Range<u32>,
}

impl Chunk {
    /// The event at an offset.
    pub(super) fn event(&self, offset: Offset) -> Option<&Event> {
        self.events.get(usize::try_from(offset.0.checked_sub(self.first.0)?).ok()?)
    }

    /// None if there are no events.
    pub(super) fn new(channel: &str, events: Vec<Event>) -> Option<Self> {
        let first = events.first()?.header.offset;
        let dense = events.iter().zip(first.0..).all(|(event, offset)| event.header.offset.0 == offset);
        assert!(dense, "offsets of a batch are dense");
        let texts: usize = events.iter().filter_map(|event| event.personal()?.text.as_ref().map(String::len)).sum();
        let uniform = events.iter().all(|event| {
            let lowest = wire::is_visible(&event.fact, Role::ALL[0]);
            Role::ALL.iter().all(|role| wire::is_visible(&event.fact, *role) == lowest)
        });
        Some(Self {
            first,
            channel: channel.to_owned(),
            entries: events.iter().map(Entry::of).collect(),
            uniform,
            weight: events.len() * EVENT_WEIGHT + texts * 3,
            events,
            told: AtomicU8::new(0),
            frames: Default::default(),
        })
    }

    /// Offset of its first event.
    pub fn first(&self) -> Offset {
        self.first
    }

    /// Offset of its last event.
    pub fn last(&self) -> Offset {
        Offset(self.first.0 + self.entries.len() as u64 - 1)
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never: a batch has events.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Its estimated cost in bytes, frames included.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn holds(&self, offset: Offset) -> bool {
        self.first <= offset && offset <= self.last()
    }

    fn frames(&self, role: Role) -> &Frames {
        let slot = if self.uniform { 0 } else { role.index() };
        self.frames[slot].get_or_init(|| Frames::encode(&self.channel, &self.events, role))
    }
}

impl Entry {
    fn of(event: &Event) -> Self {
        Self {
            offset: event.header.offset,
            conversation: event.header.conversation,
            previous: event.header.previous,
            meant_for: meant_for(event),
        }
    }
}

/// Whom an event concerns in person.
fn meant_for(event: &Event) -> Vec<OperatorId> {
    match &event.fact {
        Fact::ConversationAssigned(fact) => fact.operator.iter().cloned().collect(),
        Fact::NoteAdded(_) => event.personal().and_then(|personal| personal.text.as_deref()).map_or(vec![], mentions),
        _ => vec![],
    }
}

/// Operators named in a note: `@ana`, also at the end of a sentence (`@ana.`).
fn mentions(text: &str) -> Vec<OperatorId> {
    let mut named = Vec::new();
    for (at, _) in text.match_indices('@') {
        if text[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
            continue; // the middle of an e-mail address
        }
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-_@".contains(c))).unwrap_or(rest.len());
        if let Ok(operator) = OperatorId::new(rest[..end].trim_end_matches(['.', '-', '_', '@']))
            && !named.contains(&operator)
        {
            named.push(operator);
        }
    }
    named
}

impl Frames {
    fn encode(channel: &str, events: &[Event], role: Role) -> Self {
        let mut all = Vec::with_capacity(events.len() * 384);
        let mut spans = Vec::with_capacity(events.len());
        for event in events {
            if !all.is_empty() {
                all.push(b'\n');
            }
            spans.push(Span::write(&mut all, channel, event, role));
        }
        Self { all: all.into(), spans }
    }
}

impl Span {
    /// `{"push":{"channel":"inbox:demo","pub":{"data":{…},"offset":7}}}`
    fn write(all: &mut Vec<u8>, channel: &str, event: &Event, role: Role) -> Self {
        let here = |all: &Vec<u8>| u32::try_from(all.len()).expect("a batch is far below 4 GiB");
        let frame_start = here(all);
        all.extend_from_slice(b"{\"push\":{\"channel\":\"");
        all.extend_from_slice(channel.as_bytes());
        all.extend_from_slice(b"\",\"pub\":");
        let publication_start = here(all);
        all.extend_from_slice(b"{\"data\":");
        let data_start = here(all);
        match WireEvent::of(event, role) {
            Some(shown) => serde_json::to_writer(&mut *all, &shown).expect("plain values always encode"),
            None => all.extend_from_slice(wire::HIDDEN.as_bytes()),
        }
        let data_end = here(all);
        all.extend_from_slice(b",\"offset\":");
        all.extend_from_slice(event.header.offset.0.to_string().as_bytes());
        all.push(b'}');
        let publication_end = here(all);
        all.extend_from_slice(b"}}");
        Self {
            frame: frame_start..here(all),
            publication: publication_start..publication_end,
            data: data_start..data_end,
        }
    }
}

/// Part of a chunk: what a cursor hands out.
#[derive(Clone)]
pub struct Slice {
    chunk: Arc<Chunk>,
    range: Range<usize>,
}

impl Slice {
    /// From `first` to the end of the chunk. The chunk holds `first`.
    pub(super) fn from(chunk: Arc<Chunk>, first: Offset) -> Self {
        let start = usize::try_from(first.0 - chunk.first.0).expect("a chunk is far below 2^32 events");
        let range = start..chunk.len();
        Self { chunk, range }
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Offset of its last event. It must not be empty.
    pub fn last(&self) -> Offset {
        self.chunk.entries[self.range.end - 1].offset
    }

    /// It was written to a dashboard; `which` tells that one from others.
    pub fn trace_push(&self, which: u64, times: (Stamp, Stamp)) {
        let events = self.chunk.events[self.range.clone()].iter();
        trace::pushed((self.chunk.first, &self.chunk.told), events, which, times);
    }

    /// What filters need to know of each event.
    pub fn entries(&self) -> &[Entry] {
        &self.chunk.entries[self.range.clone()]
    }

    /// Inbox frames of the events from `start` on, joined by `\n`: at least one, then as many as fit into
    /// `max_bytes`. Returns how many they are. UTF-8; shares the chunk's memory.
    pub fn frames(&self, role: Role, start: usize, max_bytes: usize) -> (Bytes, usize) {
        let frames = self.chunk.frames(role);
        let spans = &frames.spans[self.range.clone()][start..];
        let Some(first) = spans.first() else { return (Bytes::new(), 0) };
        let from = first.frame.start as usize;
        let fit = spans.partition_point(|span| span.frame.end as usize - from <= max_bytes).max(1);
        (frames.all.slice(from..spans[fit - 1].frame.end as usize), fit)
    }

    /// All inbox frames of the events from `start` on, in pieces of at most `max_bytes` where one frame is not longer.
    pub fn pieces(&self, role: Role, mut start: usize, max_bytes: usize) -> impl Iterator<Item = Bytes> {
        std::iter::from_fn(move || {
            let (frames, count) = self.frames(role, start, max_bytes);
            start += count;
            (count > 0).then_some(frames)
        })
    }

    /// The publication of one event as the inbox has it: `{"data":…,"offset":7}`.
    pub fn publication(&self, role: Role, index: usize) -> &[u8] {
        let frames = self.chunk.frames(role);
        let span = &frames.spans[self.range.start + index];
        &frames.all[span.publication.start as usize..span.publication.end as usize]
    }

    /// What an event says to this role, as JSON; [`wire::HIDDEN`] if it may not see it.
    pub fn data(&self, role: Role, index: usize) -> &[u8] {
        let frames = self.chunk.frames(role);
        let span = &frames.spans[self.range.start + index];
        &frames.all[span.data.start as usize..span.data.end as usize]
    }

    /// Whether a role may see an event.
    pub fn is_visible(&self, role: Role, index: usize) -> bool {
        wire::is_visible(&self.chunk.events[self.range.start + index].fact, role)
    }
}
