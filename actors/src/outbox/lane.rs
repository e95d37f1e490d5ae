//! The schedule of one sender address: which queued text goes next, and when to ask again. Pure.
//!
//! - **Per contact, in order** of being queued, one in flight at a time: the next leaves when the one before was
//!   accepted or settled. While one is unknown, the contact's next ones wait a configured time, then go, marked.
//!   Only a confirmation passes what its contact has queued: it answers a keyword, has minutes to live by law, and must
//!   not die behind a text that backs off. (After STOP the others fail their claim anyway.)
//! - **Across contacts** confirmations, then interactive, then automatic ones, each by time queued. A contact's queue
//!   counts as its most urgent text, so an operator's reply is not stuck behind its contact's reminder.
//! - **Expired ones come out** as [`Next::Expired`], never as [`Next::Send`]; nothing is dropped in silence.
//! - A contact's own pace delays that contact; every other limit delays the lane.
//! - **A pause** holds texts where they stand. An automatic one sets rules' texts aside: what a person wrote to the same
//!   contact passes them. Held texts expire like others.
//!
//! Every operation is O(log n). Knows nothing of clocks, rates, appends and carriers.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use schema::{
    ids::{ContactId, ConversationId, MessageId},
    message::Priority,
    pause::Pause,
    settings::LimitSettings,
    time::Stamp,
};

use super::ranks::Ranks;
use crate::ports::{Admission, DayPart};

/// The smallest step of time: an answer always lies ahead.
const TICK: Duration = Duration::from_micros(1);

/// One queued text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub message: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// To whom.
    pub contact: ContactId,
    /// Who goes first.
    pub priority: Priority,
    /// What it may use of a day: what may use all of it goes before what may not, and does not wait behind it.
    pub part: DayPart,
    /// Its cost.
    pub segments: u16,
    /// Never sent after this.
    pub valid_until: Stamp,
    /// Not before this: back-off.
    pub not_before: Stamp,
    /// When it was first queued: its place. A retry keeps it, and so its order.
    pub queued: Stamp,
    /// The attempt to come, from 1.
    pub attempt: u16,
}

/// Bounds of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneOptions {
    /// Most texts queued; [`Lane::insert`] refuses more.
    pub capacity: usize,
    /// Most texts claimed and not yet settled.
    pub in_flight: usize,
}

impl Default for LaneOptions {
    fn default() -> Self {
        Self { capacity: 100_000, in_flight: 32 }
    }
}

/// What the lane wants now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Claim and send this one; it is in flight until [`Lane::settled`], [`Lane::hold`] or [`Lane::put_back`].
    Send {
        /// Which.
        entry: Entry,
        /// It waited for an earlier text to its contact whose outcome is unknown even now.
        after_unknown: bool,
    },
    /// Too late: tell its conversation. It has left the lane.
    Expired(Entry),
    /// Ask again then, or after any other call.
    WaitUntil(Stamp),
    /// Nothing is queued.
    Idle,
}

/// The lane holds as much as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("lane is full with {capacity} texts")]
pub struct LaneFull {
    /// Its bound.
    pub capacity: usize,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Texts that go before it, as things stand.
    pub ahead: u64,
    /// Segments of those.
    pub segments_ahead: u64,
    /// When it leaves at the earliest, by the lane's rate.
    pub expected: Stamp,
}

/// Order within a contact: confirmations, then by time queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    contact: ContactId,
    behind: bool,
    queued: Stamp,
    message: MessageId,
}

impl Key {
    fn of(entry: &Entry) -> Self {
        Self {
            contact: entry.contact,
            behind: entry.priority != Priority::Confirmation,
            queued: entry.queued,
            message: entry.message,
        }
    }

    fn first(contact: ContactId) -> Self {
        Self { contact, behind: false, queued: Stamp(0), message: MessageId(uuid::Uuid::nil()) }
    }
}

/// Order across contacts.
type Candidate = (Reverse<Priority>, DayPart, Stamp, ContactId);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// Something is in flight, or nothing is queued that may go.
    Nowhere,
    /// May go.
    Ready(Candidate),
    /// Must wait until then.
    Later(Stamp),
}

#[derive(Debug)]
struct Contact {
    /// Queued texts per priority.
    queued: [u32; 3],
    in_flight: Option<MessageId>,
    /// The latest unknown text, and until when the others wait for it.
    unknown: Option<(MessageId, Stamp)>,
    /// The contact's own pace.
    paced_until: Stamp,
    spot: Spot,
}

impl Contact {
    fn new() -> Self {
        Self { queued: [0; 3], in_flight: None, unknown: None, paced_until: Stamp(0), spot: Spot::Nowhere }
    }

    fn urgency(&self) -> Priority {
        [Priority::Confirmation, Priority::Interactive]
            .into_iter()
            .find(|priority| self.queued[*priority as usize] > 0)
            .unwrap_or(Priority::Automatic)
    }

    /// Nothing of it is queued or in flight.
    fn is_over(&self) -> bool {
        self.in_flight.is_none() && self.queued == [0; 3]
    }

    fn held_until(&self) -> Stamp {
        self.unknown.map_or(Stamp(0), |(_, until)| until)
    }
}

/// Why the lane does not ask.
#[derive(Debug, Clone, Copy)]
struct Blocked {
    /// The text that was refused; another one at the front is worth a question.
    message: MessageId,
    asked: Stamp,
    until: Stamp,
}

/// The schedule of one sender address.
#[derive(Debug)]
pub struct Lane {
    options: LaneOptions,
    entries: BTreeMap<Key, Entry>,
    keys: HashMap<MessageId, Key>,
    expiry: BTreeSet<(Stamp, MessageId)>,
    contacts: HashMap<ContactId, Contact>,
    ready: BTreeSet<Candidate>,
    later: BTreeSet<(Stamp, ContactId)>,
    in_flight: HashMap<MessageId, ContactId>,
    blocked: Option<Blocked>,
    ranks: [Ranks; 3],
    pause: Pause,
}

impl Lane {
    /// An empty lane.
    pub fn new(options: LaneOptions) -> Self {
        Self {
            options,
            entries: BTreeMap::new(),
            keys: HashMap::new(),
            expiry: BTreeSet::new(),
            contacts: HashMap::new(),
            ready: BTreeSet::new(),
            later: BTreeSet::new(),
            in_flight: HashMap::new(),
            blocked: None,
            ranks: Default::default(),
            pause: Pause::None,
        }
    }

    /// Queues a new text. A message that is queued already keeps its place. Ask [`Lane::next`] afterwards.
    pub fn insert(&mut self, entry: Entry, now: Stamp) -> Result<(), LaneFull> {
        if self.room() == 0 && !self.knows(entry.message) {
            return Err(LaneFull { capacity: self.options.capacity });
        }
        self.put_back(entry, now);
        Ok(())
    }

    /// Queues what was accepted before and is never refused: a text of the log at start, one whose claim failed, or the
    /// next attempt of one in flight. It stands where it was queued first. A text queued under this id is replaced.
    pub fn put_back(&mut self, entry: Entry, now: Stamp) {
        self.take(entry.message, now);
        self.release(entry.message);
        self.decided(entry.message, entry.contact);
        let key = Key::of(&entry);
        self.keys.insert(entry.message, key);
        self.entries.insert(key, entry);
        self.expiry.insert((entry.valid_until, entry.message));
        self.ranks[entry.priority as usize].insert(entry.queued, entry.message, entry.segments);
        self.contacts.entry(entry.contact).or_insert_with(Contact::new).queued[entry.priority as usize] += 1;
        self.place_contact(entry.contact, now);
    }

    /// Takes a queued text out (canceled); none: it is not queued here, perhaps in flight.
    pub fn remove(&mut self, message: MessageId, now: Stamp) -> Option<Entry> {
        self.take(message, now)
    }

    /// A text in flight, or an unknown one, is done with: accepted, refused for good, or its claim was refused.
    /// Its contact's next one may go.
    pub fn settled(&mut self, message: MessageId, contact: ContactId, now: Stamp) {
        self.release(message);
        self.decided(message, contact);
        self.place_contact(contact, now);
    }

    /// Nobody knows what became of a text: its contact's next ones wait until then, or until it is settled.
    /// Of several unknown texts the last counts. Also called at start, for claims without a result.
    pub fn hold(&mut self, message: MessageId, contact: ContactId, until: Stamp, now: Stamp) {
        self.release(message);
        let state = self.contacts.entry(contact).or_insert_with(Contact::new);
        state.unknown = Some((message, until.max(state.held_until())));
        self.place_contact(contact, now);
    }

    /// The next thing to do. Asks `admit` for at most one text that may go, and for contacts with a pace of their own
    /// until one may; what it grants is in flight.
    pub fn next(&mut self, now: Stamp, mut admit: impl FnMut(&Entry) -> Admission) -> Next {
        if let Some(entry) = self.expired(now) {
            return Next::Expired(entry);
        }
        self.wake_contacts(now);
        if self.pause == Pause::All || self.in_flight.len() >= self.options.in_flight {
            return self.wait(None);
        }
        while let Some(contact) = self.ready.first().map(|(.., contact)| *contact) {
            let entry = *self.head(contact).expect("a ready contact has a queued text");
            if let Some(until) = self.blocked_until(entry.message, now) {
                return self.wait(Some(until));
            }
            match admit(&entry) {
                Admission::Granted => return self.launch(entry, now),
                Admission::NotBefore { at, pair: true } => self.pace_contact(contact, at, now),
                Admission::NotBefore { at, pair: false } => {
                    let until = at.max(now.plus(TICK));
                    self.blocked = Some(Blocked { message: entry.message, asked: now, until });
                    return self.wait(Some(until));
                }
            }
        }
        self.wait(self.later.first().map(|(until, _)| *until))
    }

    /// The limits have changed: what the limiter said before no longer counts. Ask [`Lane::next`] afterwards.
    pub fn limits_changed(&mut self, now: Stamp) {
        self.blocked = None;
        let paced: Vec<ContactId> = self.later.iter().map(|(_, contact)| *contact).collect();
        for contact in paced {
            if let Some(state) = self.contacts.get_mut(&contact) {
                state.paced_until = Stamp(0);
            }
            self.place_contact(contact, now);
        }
    }

    /// What is held back from here on. Ask [`Lane::next`] afterwards.
    pub fn pause(&mut self, pause: Pause, now: Stamp) {
        let before = std::mem::replace(&mut self.pause, pause);
        // A full pause only keeps `next` from asking: contacts stay where they are.
        if before != pause && (before == Pause::Automatic || pause == Pause::Automatic) {
            let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
            contacts.into_iter().for_each(|contact| self.place_contact(contact, now));
        }
    }

    /// Where a queued text stands, and when it leaves by these limits; none: it is not queued here.
    /// Order within contacts and their own pace may shift it a little.
    pub fn place(&self, message: MessageId, limits: &LimitSettings, now: Stamp) -> Option<Place> {
        let entry = self.entries.get(self.keys.get(&message)?)?;
        let (mut ahead, mut segments_ahead) = self.ranks[entry.priority as usize].before(entry.queued, message);
        for more_urgent in &self.ranks[entry.priority as usize + 1..] {
            let (texts, segments) = more_urgent.total();
            ahead += texts;
            segments_ahead += segments;
        }
        let start = self.blocked.map_or(now, |blocked| blocked.until.max(now));
        let expected = start.plus(time_for(segments_ahead, limits)).max(entry.not_before);
        Some(Place { ahead, segments_ahead, expected })
    }

    /// How many more texts [`Lane::insert`] takes.
    pub fn room(&self) -> usize {
        self.options.capacity.saturating_sub(self.entries.len())
    }

    /// Texts queued.
    pub fn queued(&self) -> usize {
        self.entries.len()
    }

    /// Texts claimed and not yet settled.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether nothing is queued, in flight or waited for: the lane may be dropped.
    pub fn is_idle(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Whether the message is queued or in flight here.
    pub fn knows(&self, message: MessageId) -> bool {
        self.keys.contains_key(&message) || self.in_flight.contains_key(&message)
    }
}

// The parts of `next`.
impl Lane {
    fn expired(&mut self, now: Stamp) -> Option<Entry> {
        let (valid_until, message) = *self.expiry.first()?;
        if now > valid_until { self.take(message, now) } else { None }
    }

    fn wake_contacts(&mut self, now: Stamp) {
        while let Some((until, contact)) = self.later.first().copied()
            && until <= now
        {
            self.place_contact(contact, now);
        }
    }

    /// Until when this text need not ask. A clock that stepped back since is worth a question.
    fn blocked_until(&self, message: MessageId, now: Stamp) -> Option<Stamp> {
        let blocked = self.blocked.filter(|b| b.message == message && b.asked <= now && now < b.until)?;
        Some(blocked.until)
    }

    fn launch(&mut self, entry: Entry, now: Stamp) -> Next {
        self.blocked = None;
        self.detach(&entry);
        self.in_flight.insert(entry.message, entry.contact);
        let contact = self.contacts.get_mut(&entry.contact).expect("a contact with a queued text is known");
        contact.in_flight = Some(entry.message);
        let after_unknown = contact.unknown.is_some();
        self.place_contact(entry.contact, now);
        Next::Send { entry, after_unknown }
    }

    fn pace_contact(&mut self, contact: ContactId, at: Stamp, now: Stamp) {
        if let Some(state) = self.contacts.get_mut(&contact) {
            state.paced_until = at.max(now.plus(TICK));
        }
        self.place_contact(contact, now);
    }

    /// Waits for `until`, but never past the next text's end of validity.
    fn wait(&self, until: Option<Stamp>) -> Next {
        let Some((valid_until, _)) = self.expiry.first() else { return Next::Idle };
        let expires = valid_until.plus(TICK);
        Next::WaitUntil(until.map_or(expires, |until| until.min(expires)))
    }
}

// Keeping the indexes in step.
impl Lane {
    /// The contact's first text that is not set aside.
    fn head(&self, contact: ContactId) -> Option<&Entry> {
        let aside = |entry: &Entry| self.pause == Pause::Automatic && self.pause.holds(entry.priority);
        let of_contact = self.entries.range(Key::first(contact)..).take_while(|(key, _)| key.contact == contact);
        of_contact.map(|(_, entry)| entry).find(|entry| !aside(entry))
    }

    fn take(&mut self, message: MessageId, now: Stamp) -> Option<Entry> {
        let entry = *self.entries.get(self.keys.get(&message)?)?;
        self.detach(&entry);
        self.place_contact(entry.contact, now);
        Some(entry)
    }

    /// Removes a queued text from everything but its contact's spot.
    fn detach(&mut self, entry: &Entry) {
        self.keys.remove(&entry.message);
        self.entries.remove(&Key::of(entry));
        self.expiry.remove(&(entry.valid_until, entry.message));
        self.ranks[entry.priority as usize].remove(entry.queued, entry.message, entry.segments);
        if let Some(contact) = self.contacts.get_mut(&entry.contact) {
            contact.queued[entry.priority as usize] -= 1;
        }
    }

    /// Takes a text out of flight.
    fn release(&mut self, message: MessageId) {
        let Some(contact) = self.in_flight.remove(&message) else { return };
        if let Some(state) = self.contacts.get_mut(&contact) {
            state.in_flight = None;
        }
    }

    /// Nobody waits for this text any more: its fate is known, or a person sends it again and must not wait for itself.
    fn decided(&mut self, message: MessageId, contact: ContactId) {
        if let Some(state) = self.contacts.get_mut(&contact)
            && state.unknown.is_some_and(|(unknown, _)| unknown == message)
        {
            state.unknown = None;
        }
    }

    /// Puts a contact where it belongs now, or forgets it when there is nothing to remember.
    fn place_contact(&mut self, id: ContactId, now: Stamp) {
        let head = self.head(id).copied();
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        match contact.spot {
            Spot::Nowhere => {}
            Spot::Ready(candidate) => drop(self.ready.remove(&candidate)),
            Spot::Later(until) => drop(self.later.remove(&(until, id))),
        }
        let until = contact.held_until().max(contact.paced_until).max(head.map_or(Stamp(0), |head| head.not_before));
        contact.spot = match head {
            _ if contact.in_flight.is_some() => Spot::Nowhere,
            _ if until > now => Spot::Later(until),
            Some(head) => Spot::Ready((Reverse(contact.urgency()), head.part, head.queued, id)),
            None => Spot::Nowhere,
        };
        match contact.spot {
            Spot::Ready(candidate) => drop(self.ready.insert(candidate)),
            Spot::Later(until) => drop(self.later.insert((until, id))),
            Spot::Nowhere if contact.is_over() => drop(self.contacts.remove(&id)),
            Spot::Nowhere => {}
        }
    }
}

/// How long a lane takes for so many segments, by its tightest rate.
fn time_for(segments: u64, limits: &LimitSettings) -> Duration {
    let per_minute = [
        limits.number_per_s.map(|limit| u64::from(limit) * 60),
        limits.account_per_s.map(|limit| u64::from(limit) * 60),
        limits.campaign_per_min.as_ref().map(|named| u64::from(named.limit)),
    ];
    let tightest = per_minute.into_iter().flatten().min();
    tightest.map_or(Duration::ZERO, |rate| Duration::from_millis(segments.saturating_mul(60_000) / rate.max(1)))
}
