//! One tenant's book: what was acknowledged, and what operators saw of it, checked while it happens.
//!
//! The first operator of a role to reach an offset says what stands there; the others must have seen the same, by a
//! checksum over everything from the first offset on, compared at every 256th. Eight bytes for 256 events and role, and
//! what `ledger` and `reading` hold: nothing grows with a text.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hasher as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use schema::role::Role;

use super::{
    findings::{Findings, Kind},
    ledger::{Ledger, Promise},
    mark::{Mark, mix},
    reading::{Event, Reading, Said},
};

/// Offsets between two comparisons.
const BLOCK: u64 = 256;
/// Texts whose push has not been seen, for latency only.
const DUE_MAX: usize = 65_536;
/// Newest offsets whose due time is known, for latency only.
const RECENT: u64 = 1_024;
/// Contacts who wrote last, for replies.
const CONTACTS: usize = 64;

/// What a role has seen, by whoever was first.
#[derive(Debug)]
struct Sight {
    role: Role,
    head: u64,
    chain: u64,
    blocks: Vec<u64>,
    reading: Reading,
}

/// An operator's place in the tenant's events.
#[derive(Debug, Clone)]
pub struct Follower {
    /// What it may see.
    pub role: Role,
    /// For people: tenant and number.
    pub who: String,
    /// The last offset.
    pub offset: u64,
    /// Checksum from the first offset on; none after a gap.
    pub chain: Option<u64>,
}

impl Follower {
    /// Before the first event.
    pub fn new(role: Role, who: String) -> Self {
        Self { role, who, offset: 0, chain: Some(0) }
    }
}

/// What an event comes from: who sent it, and when it was due.
pub type Cause = (u16, Instant);

/// One tenant.
#[derive(Debug)]
pub struct Book {
    /// Its id.
    pub tenant: String,
    /// Its place.
    pub index: u16,
    channel: String,
    run: u32,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    ledger: Ledger,
    sights: [Sight; Role::ALL.len()],
    due: HashMap<(u16, u64), Instant>,
    recent: Vec<(u64, Cause)>,
    contacts: VecDeque<u64>,
}

/// Checksum of what stands at an offset.
fn checksum(offset: u64, data: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write_u64(offset);
    hasher.write(data.as_bytes());
    hasher.finish()
}

fn chained(chain: u64, checksum: u64) -> u64 {
    mix(chain ^ checksum.rotate_left(1))
}

/// Whether a role may see it.
fn may_see(role: Role, said: &Said) -> bool {
    match said {
        Said::Setting => role >= Role::Admin,
        Said::Note => role >= Role::Operator,
        _ => true,
    }
}

impl Book {
    /// An empty one.
    pub fn new(run: u32, index: u16, tenant: String) -> Self {
        let sight = |role| Sight { role, head: 0, chain: 0, blocks: Vec::new(), reading: Reading::new(run, index) };
        let inner = Inner {
            ledger: Ledger::default(),
            sights: Role::ALL.map(sight),
            due: HashMap::new(),
            recent: Vec::new(),
            contacts: VecDeque::with_capacity(CONTACTS),
        };
        Self { channel: format!("inbox:{tenant}"), tenant, index, run, inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A text begins: its mark. `due` is when it should have been sent.
    pub fn begin(&self, lane: u16, due: Instant) -> Mark {
        let mut inner = self.lock();
        let number = inner.ledger.begin(lane);
        if inner.due.len() < DUE_MAX {
            inner.due.insert((lane, number), due);
        }
        Mark { run: self.run, tenant: self.index, lane, number }
    }

    /// It was acknowledged.
    pub fn acked(&self, mark: &Mark, promise: Option<Promise>, contact: Option<u64>) {
        let mut inner = self.lock();
        inner.ledger.acked(mark.lane, mark.number, promise);
        if let Some(contact) = contact {
            if inner.contacts.len() == CONTACTS {
                inner.contacts.pop_front();
            }
            inner.contacts.push_back(contact);
        }
    }

    /// It was given up: it may be there, or not.
    pub fn refused(&self, mark: &Mark) {
        let mut inner = self.lock();
        inner.due.remove(&(mark.lane, mark.number));
        inner.ledger.refused(mark.lane, mark.number);
    }

    /// One of the contacts who wrote last.
    pub fn recent_contact(&self, dice: usize) -> Option<u64> {
        let inner = self.lock();
        let place = dice.checked_rem(inner.contacts.len())?;
        inner.contacts.get(place).copied()
    }

    /// Messages to contacts whose end is not known yet.
    pub fn open(&self) -> usize {
        self.lock().sights.iter().map(|sight| sight.reading.statuses().open()).max().unwrap_or(0)
    }

    /// Statuses no longer compared because newer ones took their place.
    pub fn forgotten(&self) -> u64 {
        self.lock().sights.iter().map(|sight| sight.reading.statuses().forgotten()).sum()
    }

    /// The furthest offset that anybody saw.
    pub fn head(&self) -> u64 {
        self.lock().sights.iter().map(|sight| sight.head).max().unwrap_or(0)
    }

    /// Bytes it holds, about.
    pub fn bytes(&self) -> usize {
        let inner = self.lock();
        let sights: usize = inner.sights.iter().map(|sight| sight.blocks.capacity() * 8 + sight.reading.bytes()).sum();
        let due = inner.due.capacity() * 48 + inner.recent.capacity() * 32;
        size_of::<Self>() + inner.ledger.bytes() + sights + due
    }

    /// An operator sees something on a channel. Gives its cause, if that is known.
    pub fn seen(
        &self,
        follower: &mut Follower,
        (channel, offset, data): (&str, u64, &str),
        findings: &Findings,
    ) -> Option<Cause> {
        if channel != self.channel {
            findings.add(Kind::Foreign, || format!("{}: a push of another channel at offset {offset}", follower.who));
            return None;
        }
        if offset <= follower.offset {
            let at = follower.offset;
            findings.add(Kind::Repeated, || format!("{}: offset {offset} after {at}", follower.who));
            return None;
        }
        let mut inner = self.lock();
        let inner = &mut *inner;
        if offset > follower.offset + 1 {
            let at = follower.offset;
            findings.add(Kind::Gap, || format!("{}: offset {offset} after {at}", follower.who));
            (follower.offset, follower.chain) = (offset, None);
            return None;
        }
        follower.offset = offset;
        let sight = &mut inner.sights[follower.role.index()];
        if let Some(chain) = follower.chain {
            let next = chained(chain, checksum(offset, data));
            follower.chain = Some(next);
            if offset == sight.head + 1 && chain == sight.chain {
                let mark = sight.extend(offset, next, data, &inner.ledger, findings, &follower.who);
                inner.note_due(offset, mark);
            }
        }
        inner.sights[follower.role.index()].compare(follower, findings);
        inner.due_at(offset)
    }

    /// Where an operator's channel says it is on a reply.
    pub fn is_own(&self, channel: &str) -> bool {
        channel == self.channel
    }

    /// The name of the tenant's channel.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Compares all that operators saw with all that was acknowledged, by those who reached the furthest.
    pub fn compare(&self, findings: &Findings) {
        let inner = self.lock();
        for sight in inner.sights.iter().filter(|sight| sight.head > 0) {
            let who = format!("{}, seen by {:?}s", self.tenant, sight.role);
            sight.reading.compare(&inner.ledger, Kind::Behind, findings, &who);
        }
    }

    /// Begins to read the tenant's log.
    pub fn walk(&self, followers: &[Follower]) -> Walk {
        let mut wanted: HashMap<u64, Vec<Follower>> = HashMap::new();
        for follower in followers {
            wanted.entry(follower.offset).or_default().push(follower.clone());
        }
        Walk { offset: 0, chains: [0; Role::ALL.len()], reading: Reading::new(self.run, self.index), wanted }
    }

    /// The next line of the log, as an admin sees it.
    pub fn line(&self, walk: &mut Walk, line: &str, findings: &Findings) {
        let Some(event) = Event::parse(line) else {
            findings.add(Kind::Store, || format!("{}: the log has no event after {}", self.tenant, walk.offset));
            return;
        };
        let offset = event.offset.unwrap_or(walk.offset + 1);
        if offset != walk.offset + 1 {
            let after = walk.offset;
            findings.add(Kind::Store, || format!("{}: the log has offset {offset} after {after}", self.tenant));
        }
        walk.offset = offset;
        for role in Role::ALL {
            let data = if may_see(role, &event.said) { line } else { schema::wire::HIDDEN };
            let chain = &mut walk.chains[role.index()];
            *chain = chained(*chain, checksum(offset, data));
        }
        let who = format!("{}, log", self.tenant);
        walk.reading.event(offset, &event.said, &self.lock().ledger, findings, &who);
        for follower in walk.wanted.remove(&offset).unwrap_or_default() {
            if follower.chain.is_some_and(|chain| chain != walk.chains[follower.role.index()]) {
                findings.add(Kind::Differs, || format!("{}: saw something else than the log has", follower.who));
            }
        }
    }

    /// The log's end: everything acknowledged is in it, and nobody saw beyond it.
    pub fn end(&self, walk: &Walk, findings: &Findings) {
        for follower in walk.wanted.values().flatten().filter(|follower| follower.offset > walk.offset) {
            let (offset, last) = (follower.offset, walk.offset);
            findings.add(Kind::Lost, || format!("{}: saw offset {offset}, the log ends at {last}", follower.who));
        }
        walk.reading.compare(&self.lock().ledger, Kind::Lost, findings, &format!("{}, log", self.tenant));
    }
}

/// A log that is being read.
#[derive(Debug)]
pub struct Walk {
    offset: u64,
    chains: [u64; Role::ALL.len()],
    reading: Reading,
    wanted: HashMap<u64, Vec<Follower>>,
}

impl Walk {
    /// Events read.
    pub fn events(&self) -> u64 {
        self.offset
    }

    /// Texts and replies of ours among them.
    pub fn texts(&self) -> u64 {
        self.reading.texts()
    }
}

impl Inner {
    fn note_due(&mut self, offset: u64, mark: Option<Mark>) {
        let due = |mark: Mark| self.due.remove(&(mark.lane, mark.number)).map(|due| (mark.lane, due));
        let Some(cause) = mark.and_then(due) else { return };
        if self.recent.is_empty() {
            self.recent = vec![(0, cause); usize::try_from(RECENT).unwrap_or(0)];
        }
        let place = usize::try_from(offset % RECENT).unwrap_or(0);
        self.recent[place] = (offset, cause);
    }

    fn due_at(&self, offset: u64) -> Option<Cause> {
        let place = usize::try_from(offset % RECENT).unwrap_or(0);
        self.recent.get(place).filter(|(at, _)| *at == offset).map(|(_, cause)| *cause)
    }
}

impl Sight {
    fn advance(&mut self, offset: u64, chain: u64) {
        (self.head, self.chain) = (offset, chain);
        if offset.is_multiple_of(BLOCK) {
            self.blocks.push(chain);
        }
    }

    fn extend(
        &mut self,
        offset: u64,
        chain: u64,
        data: &str,
        ledger: &Ledger,
        findings: &Findings,
        who: &str,
    ) -> Option<Mark> {
        self.advance(offset, chain);
        let Some(event) = Event::parse(data) else {
            findings.add(Kind::Differs, || format!("{who}: no event at offset {offset}"));
            return None;
        };
        if event.offset.is_some_and(|own| own != offset) {
            findings.add(Kind::Differs, || format!("{who}: offset {offset} holds another event"));
        }
        if !may_see(self.role, &event.said) {
            findings.add(Kind::Foreign, || format!("{who}: offset {offset} is not for a {:?}", self.role));
        }
        self.reading.event(offset, &event.said, ledger, findings, who)
    }

    /// Whether a follower saw what the others saw; if not, it goes on with theirs.
    fn compare(&self, follower: &mut Follower, findings: &Findings) {
        let block = usize::try_from(follower.offset / BLOCK).unwrap_or(usize::MAX);
        let known = match follower.offset {
            at if at == self.head => Some(self.chain),
            at if at.is_multiple_of(BLOCK) => block.checked_sub(1).and_then(|place| self.blocks.get(place).copied()),
            _ => None,
        };
        let Some(known) = known else { return };
        if follower.chain.is_some_and(|chain| chain != known) {
            let at = follower.offset;
            findings.add(Kind::Differs, || format!("{}: at or before offset {at}, from others", follower.who));
        }
        follower.chain = Some(known);
    }
}

#[cfg(test)]
mod tests;
