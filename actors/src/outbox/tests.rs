//! The lane against a model that scans lists, and its promises by name.

mod pause;

use proptest::prelude::*;
use schema::{
    ids::{ContactId, ConversationId, MessageId},
    message::Priority,
    settings::{LimitSettings, NamedLimit},
    time::Stamp,
};
use uuid::Uuid;

use super::*;
use crate::ports::{Admission, DayPart};

fn message(number: u64) -> MessageId {
    MessageId(Uuid::from_u128(u128::from(number)))
}

fn contact(number: u64) -> ContactId {
    ContactId(Uuid::from_u128(u128::from(number)))
}

/// An interactive text without limits of time; `number` is also its place.
fn entry(number: u64, to: u64) -> Entry {
    Entry {
        message: message(number),
        conversation: ConversationId(Uuid::from_u128(u128::from(to))),
        contact: contact(to),
        priority: Priority::Interactive,
        part: DayPart::Whole,
        segments: 1,
        valid_until: Stamp(u64::MAX - 1),
        not_before: Stamp(0),
        queued: Stamp(number),
        attempt: 1,
    }
}

fn lane_of(entries: impl IntoIterator<Item = Entry>) -> Lane {
    let mut lane = Lane::new(LaneOptions::default());
    for entry in entries {
        lane.insert(entry, Stamp(0)).unwrap();
    }
    lane
}

fn go(_: &Entry) -> Admission {
    Admission::Granted
}

/// The number of what is sent; none: nothing is.
fn sent(next: Next) -> Option<u64> {
    match next {
        Next::Send { entry, .. } => Some(entry.queued.0),
        _ => None,
    }
}

#[test]
fn next_to_a_contact_goes_only_when_the_one_before_is_settled() {
    let mut lane = lane_of([entry(1, 7), entry(2, 7), entry(3, 8)]);
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(1));
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(3), "another contact does not wait");
    assert_eq!(sent(lane.next(Stamp(10), go)), None, "the first is still in flight");
    lane.settled(message(1), contact(7), Stamp(11));
    assert_eq!(sent(lane.next(Stamp(11), go)), Some(2));
}

#[test]
fn confirmation_then_person_then_rule_across_contacts() {
    let of = |number, priority| Entry { priority, ..entry(number, number) };
    let mut lane = lane_of([
        of(1, Priority::Automatic),
        of(2, Priority::Interactive),
        of(3, Priority::Interactive),
        of(4, Priority::Confirmation),
    ]);
    let order: Vec<_> = (0..4).filter_map(|_| sent(lane.next(Stamp(10), go))).collect();
    assert_eq!(order, [4, 2, 3, 1]);
}

#[test]
fn reply_lifts_what_its_contact_has_queued_before_it_and_never_passes_it() {
    let mut lane = lane_of([
        Entry { priority: Priority::Automatic, ..entry(1, 5) },
        Entry { priority: Priority::Automatic, ..entry(2, 7) },
        entry(3, 7),
    ]);
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(2));
    lane.settled(message(2), contact(7), Stamp(10));
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(3));
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(1));
}

#[test]
fn confirmation_does_not_die_behind_a_text_that_backs_off() {
    let mut lane = lane_of([
        Entry { not_before: Stamp(1_000), ..entry(1, 7) },
        Entry { priority: Priority::Confirmation, valid_until: Stamp(500), ..entry(2, 7) },
    ]);
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(2));
}

#[test]
fn expired_text_comes_out_and_is_never_sent() {
    let mut lane = lane_of([Entry { valid_until: Stamp(100), ..entry(1, 7) }, entry(2, 8)]);
    let refuse = |_: &Entry| Admission::NotBefore { at: Stamp(5_000), pair: false };
    assert_eq!(lane.next(Stamp(100), refuse), Next::WaitUntil(Stamp(101)), "wakes when validity ends");
    assert!(matches!(lane.next(Stamp(101), go), Next::Expired(late) if late.message == message(1)));
    assert_eq!(sent(lane.next(Stamp(101), go)), Some(2));
}

#[test]
fn paced_contact_does_not_block_the_lane() {
    let mut lane = lane_of([entry(1, 7), entry(2, 8)]);
    let pair = |asked: &Entry| {
        if asked.contact == contact(7) {
            Admission::NotBefore { at: Stamp(50), pair: true }
        } else {
            Admission::Granted
        }
    };
    assert_eq!(sent(lane.next(Stamp(10), pair)), Some(2));
    assert_eq!(lane.next(Stamp(10), pair), Next::WaitUntil(Stamp(50)));
    assert_eq!(sent(lane.next(Stamp(50), go)), Some(1));
}

#[test]
fn blocked_lane_asks_again_for_somebody_more_urgent_and_after_a_step_back_of_the_clock() {
    let mut lane = lane_of([Entry { priority: Priority::Automatic, ..entry(1, 7) }]);
    let refuse = |_: &Entry| Admission::NotBefore { at: Stamp(5_000), pair: false };
    assert_eq!(lane.next(Stamp(100), refuse), Next::WaitUntil(Stamp(5_000)));
    assert_eq!(lane.next(Stamp(101), |_| panic!("nothing has changed")), Next::WaitUntil(Stamp(5_000)));
    lane.insert(Entry { priority: Priority::Confirmation, ..entry(2, 8) }, Stamp(102)).unwrap();
    assert_eq!(sent(lane.next(Stamp(102), go)), Some(2));
    assert_eq!(lane.next(Stamp(103), refuse), Next::WaitUntil(Stamp(5_000)));
    assert_eq!(sent(lane.next(Stamp(50), go)), Some(1));
}

#[test]
fn changed_limits_take_effect_at_once() {
    let mut lane = lane_of([entry(1, 7), entry(2, 8)]);
    let tomorrow = |asked: &Entry| Admission::NotBefore { at: Stamp(5_000), pair: asked.contact == contact(7) };
    assert_eq!(lane.next(Stamp(10), tomorrow), Next::WaitUntil(Stamp(5_000)));
    lane.limits_changed(Stamp(11));
    assert_eq!(sent(lane.next(Stamp(11), go)), Some(1));
    assert_eq!(sent(lane.next(Stamp(11), go)), Some(2));
}

#[test]
fn unknown_text_delays_its_contact_not_the_lane_and_then_the_next_goes_marked() {
    let mut lane = lane_of([entry(1, 7), entry(2, 7), entry(3, 8)]);
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(1));
    lane.hold(message(1), contact(7), Stamp(1_000), Stamp(20));
    assert_eq!(sent(lane.next(Stamp(20), go)), Some(3));
    assert_eq!(lane.next(Stamp(20), go), Next::WaitUntil(Stamp(1_000)));
    let next = lane.next(Stamp(1_000), go);
    assert_eq!(next, Next::Send { entry: entry(2, 7), after_unknown: true });

    let mut settled = lane_of([entry(2, 7)]);
    settled.hold(message(1), contact(7), Stamp(1_000), Stamp(20));
    settled.settled(message(1), contact(7), Stamp(30));
    assert_eq!(settled.next(Stamp(30), go), Next::Send { entry: entry(2, 7), after_unknown: false });
}

#[test]
fn full_lane_refuses_new_texts_but_takes_back_its_own() {
    let mut lane = Lane::new(LaneOptions { capacity: 2, in_flight: 8 });
    lane.insert(entry(1, 1), Stamp(0)).unwrap();
    lane.insert(entry(2, 2), Stamp(0)).unwrap();
    assert_eq!(lane.insert(entry(3, 3), Stamp(0)), Err(LaneFull { capacity: 2 }));
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(1));
    lane.insert(entry(4, 4), Stamp(10)).unwrap();
    lane.put_back(Entry { attempt: 2, ..entry(1, 1) }, Stamp(10));
    assert_eq!((lane.queued(), lane.room(), lane.in_flight()), (3, 0, 0));
    assert_eq!(sent(lane.next(Stamp(11), go)), Some(1), "the retry stands where it stood");
}

#[test]
fn no_more_than_the_bound_are_in_flight() {
    let mut lane = Lane::new(LaneOptions { capacity: 10, in_flight: 2 });
    (1..=3).for_each(|number| lane.insert(entry(number, number), Stamp(0)).unwrap());
    assert_eq!(sent(lane.next(Stamp(1), go)), Some(1));
    assert_eq!(sent(lane.next(Stamp(1), go)), Some(2));
    assert_eq!(sent(lane.next(Stamp(1), go)), None);
    lane.settled(message(2), contact(2), Stamp(2));
    assert_eq!(sent(lane.next(Stamp(2), go)), Some(3));
    for number in [1, 3] {
        lane.settled(message(number), contact(number), Stamp(3));
    }
    assert!(lane.is_idle(), "nothing of the past is kept");
}

#[test]
fn canceled_text_never_leaves_and_one_in_flight_cannot_be_canceled() {
    let mut lane = lane_of([entry(1, 7), entry(2, 7)]);
    assert_eq!(sent(lane.next(Stamp(1), go)), Some(1));
    assert_eq!(lane.remove(message(1), Stamp(1)), None);
    assert_eq!(lane.remove(message(2), Stamp(1)), Some(entry(2, 7)));
    lane.settled(message(1), contact(7), Stamp(2));
    assert_eq!(lane.next(Stamp(2), go), Next::Idle);
}

#[test]
fn text_that_a_person_sends_again_does_not_wait_for_itself() {
    let mut lane = lane_of([entry(1, 7), entry(2, 7)]);
    assert_eq!(sent(lane.next(Stamp(1), go)), Some(1));
    lane.hold(message(1), contact(7), Stamp(1_000), Stamp(2));
    assert_eq!(sent(lane.next(Stamp(3), go)), None, "the next one waits");
    lane.put_back(Entry { attempt: 2, ..entry(1, 7) }, Stamp(4));
    assert_eq!(sent(lane.next(Stamp(4), go)), Some(1));
}

#[test]
fn place_counts_who_goes_before_and_when_by_the_tightest_rate() {
    let mut lane = lane_of((1..=2_000).map(|number| Entry { segments: 2, ..entry(number, number) }));
    lane.insert(Entry { priority: Priority::Automatic, ..entry(3_000, 3_000) }, Stamp(0)).unwrap();
    let limits = LimitSettings {
        account_per_s: Some(100),
        campaign_per_min: Some(NamedLimit { name: "c".into(), limit: 240 }),
        number_per_s: Some(10),
        ..LimitSettings::default()
    };
    let of = |number, lane: &Lane| lane.place(message(number), &limits, Stamp(0)).unwrap();
    assert_eq!(of(1, &lane), Place { ahead: 0, segments_ahead: 0, expected: Stamp(0) });
    assert_eq!(of(1_001, &lane), Place { ahead: 1_000, segments_ahead: 2_000, expected: Stamp(500_000_000) });
    assert_eq!(of(3_000, &lane).ahead, 2_000, "everybody more urgent goes first");
    lane.remove(message(5), Stamp(0)).unwrap();
    assert_eq!(of(1_001, &lane).ahead, 999);
    assert_eq!(lane.place(message(5), &limits, Stamp(0)), None);
}

#[test]
fn hundred_thousand_texts_drain_in_order() {
    let count = 100_000;
    let mut lane = lane_of((0..count).map(|number| entry(number, number % 5_000)));
    let mut last = vec![None; 5_000];
    for step in 0..count {
        let Next::Send { entry, .. } = lane.next(Stamp(count + step), go) else { panic!("stopped at {step}") };
        let to = entry.contact.0.as_u128() as usize;
        assert!(last[to] < Some(entry.queued), "in order per contact");
        last[to] = Some(entry.queued);
        lane.settled(entry.message, entry.contact, Stamp(count + step));
    }
    assert_eq!(lane.next(Stamp(3 * count), go), Next::Idle);
    assert!(lane.is_idle());
}

#[derive(Debug, Clone)]
enum Step {
    Insert(Entry),
    Remove(u64),
    PutBack(usize, u64),
    Settle(usize),
    Hold(usize, u64),
    Next(Verdict),
    Pass(u64),
}

#[derive(Debug, Clone, Copy)]
enum Verdict {
    Go,
    Lane(u64),
    OddContacts(u64),
}

impl Verdict {
    fn of(self, entry: &Entry, now: Stamp) -> Admission {
        match self {
            Self::Lane(wait) => Admission::NotBefore { at: Stamp(now.0 + wait), pair: false },
            Self::OddContacts(wait) if entry.contact.0.as_u128() % 2 == 1 => {
                Admission::NotBefore { at: Stamp(now.0 + wait), pair: true }
            }
            _ => Admission::Granted,
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let priority = prop_oneof![Just(Priority::Automatic), Just(Priority::Interactive), Just(Priority::Confirmation)];
    let insert = (0_u64..60, 0_u64..6, priority, 1_u16..4, 0_u64..400, 0_u64..60).prop_map(
        |(number, to, priority, segments, valid, later)| {
            Step::Insert(Entry {
                priority,
                segments,
                valid_until: Stamp(valid),
                not_before: Stamp(later),
                ..entry(number, to)
            })
        },
    );
    let verdict = prop_oneof![
        4 => Just(Verdict::Go),
        1 => (1_u64..30).prop_map(Verdict::Lane),
        1 => (1_u64..30).prop_map(Verdict::OddContacts)
    ];
    let step = prop_oneof![
        4 => insert,
        1 => (0_u64..60).prop_map(Step::Remove),
        1 => (0_usize..4, 0_u64..60).prop_map(|(which, wait)| Step::PutBack(which, wait)),
        3 => (0_usize..4).prop_map(Step::Settle),
        1 => (0_usize..4, 0_u64..60).prop_map(|(which, wait)| Step::Hold(which, wait)),
        6 => verdict.prop_map(Step::Next),
        2 => (1_u64..20).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 1..120)
}

/// The same rules, by scanning lists.
#[derive(Default)]
struct Model {
    queued: Vec<Entry>,
    in_flight: Vec<Entry>,
    unknown: Vec<(MessageId, ContactId, Stamp)>,
    paced: Vec<(ContactId, Stamp)>,
    blocked: Option<(MessageId, Stamp)>,
}

impl Model {
    const BOUND: usize = 3;

    fn insert(&mut self, new: Entry) {
        self.unknown.retain(|(which, of, _)| (*which, *of) != (new.message, new.contact));
        self.queued.push(new);
    }

    fn held(&self, to: ContactId) -> Option<Stamp> {
        self.unknown.iter().find(|(_, of, _)| *of == to).map(|(_, _, until)| *until)
    }

    /// When waits and paces of contacts end.
    fn ends(&self) -> impl Iterator<Item = Stamp> {
        self.unknown.iter().map(|(_, _, until)| *until).chain(self.paced.iter().map(|(_, until)| *until))
    }

    fn head(&self, to: ContactId) -> Entry {
        let of = self.queued.iter().filter(|entry| entry.contact == to);
        *of.min_by_key(|entry| (entry.priority != Priority::Confirmation, entry.queued)).unwrap()
    }

    fn free_at(&self, to: ContactId) -> Stamp {
        let paced = self.paced.iter().find(|(of, _)| *of == to).map_or(Stamp(0), |(_, until)| *until);
        self.head(to).not_before.max(paced).max(self.held(to).unwrap_or_default())
    }

    /// Contacts with nothing in flight, the most urgent first.
    fn contacts(&self) -> Vec<ContactId> {
        let mut all: Vec<_> = self.queued.iter().map(|entry| entry.contact).collect();
        all.retain(|to| self.in_flight.iter().all(|entry| entry.contact != *to));
        let urgency = |to| self.queued.iter().filter(|e| e.contact == to).map(|e| e.priority).max();
        all.sort_by_key(|to| (std::cmp::Reverse(urgency(*to)), self.head(*to).queued, *to));
        all.dedup();
        all
    }

    fn next(&mut self, now: Stamp, verdict: Verdict) -> Next {
        let Some(first) = self.queued.iter().min_by_key(|e| (e.valid_until, e.message)).copied() else {
            return Next::Idle;
        };
        if now > first.valid_until {
            self.queued.retain(|entry| entry.message != first.message);
            return Next::Expired(first);
        }
        let expires = Stamp(first.valid_until.0 + 1);
        if self.in_flight.len() >= Self::BOUND {
            return Next::WaitUntil(expires);
        }
        for to in self.contacts() {
            let head = self.head(to);
            if self.free_at(to) > now {
                continue;
            }
            if let Some((who, until)) = self.blocked
                && who == head.message
                && now < until
            {
                return Next::WaitUntil(until.min(expires));
            }
            match verdict.of(&head, now) {
                Admission::Granted => {
                    self.blocked = None;
                    self.queued.retain(|entry| entry.message != head.message);
                    self.in_flight.push(head);
                    return Next::Send { entry: head, after_unknown: self.held(to).is_some() };
                }
                Admission::NotBefore { at, pair: true } => {
                    self.paced.retain(|(of, _)| *of != to);
                    self.paced.push((to, at));
                }
                Admission::NotBefore { at, pair: false } => {
                    self.blocked = Some((head.message, at));
                    return Next::WaitUntil(at.min(expires));
                }
            }
        }
        let idle = self.contacts().into_iter().map(|to| self.free_at(to));
        Next::WaitUntil(idle.chain([expires]).min().unwrap())
    }
}

fn empty(lane: &mut Lane, mut now: Stamp) {
    while lane.queued() > 0 {
        match lane.next(now, |entry| Verdict::Go.of(entry, now)) {
            Next::Send { entry, .. } => lane.settled(entry.message, entry.contact, now),
            Next::Expired(_) => {}
            Next::WaitUntil(until) if until > now => now = until,
            stuck => panic!("{stuck:?} at {now} with texts queued"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn lane_keeps_its_rules_and_loses_nothing(steps in steps()) {
        let mut lane = Lane::new(LaneOptions { capacity: 1_000, in_flight: Model::BOUND });
        let mut model = Model::default();
        let mut now = Stamp(0);
        let (mut put_in, mut came_out) = (0_usize, 0_usize);
        for step in steps {
            match step {
                Step::Insert(new) if lane.knows(new.message) => {}
                Step::Insert(new) => {
                    put_in += 1;
                    lane.insert(new, now).unwrap();
                    model.insert(new);
                }
                Step::Remove(number) => {
                    let known = model.queued.iter().position(|entry| entry.message == message(number));
                    let expected = known.map(|at| model.queued.swap_remove(at));
                    came_out += usize::from(expected.is_some());
                    prop_assert_eq!(lane.remove(message(number), now), expected);
                }
                Step::PutBack(which, wait) if which < model.in_flight.len() => {
                    let mut back = model.in_flight.remove(which);
                    back.not_before = Stamp(now.0 + wait);
                    back.attempt += 1;
                    lane.put_back(back, now);
                    model.queued.push(back);
                    came_out -= 1;
                }
                Step::Settle(which) if which < model.in_flight.len() => {
                    let done = model.in_flight.remove(which);
                    lane.settled(done.message, done.contact, now);
                }
                Step::Hold(which, wait) if which < model.in_flight.len() => {
                    let lost = model.in_flight.remove(which);
                    let until = Stamp(now.0 + wait).max(model.held(lost.contact).unwrap_or_default());
                    lane.hold(lost.message, lost.contact, Stamp(now.0 + wait), now);
                    model.unknown.retain(|(_, of, _)| *of != lost.contact);
                    model.unknown.push((lost.message, lost.contact, until));
                }
                Step::Next(verdict) => {
                    let next = lane.next(now, |entry| verdict.of(entry, now));
                    let mut expected = model.next(now, verdict);
                    // It also wakes to forget a contact's pace or wait when nothing is queued behind it.
                    if let (Next::WaitUntil(until), Next::WaitUntil(at)) = (next, expected)
                        && until < at
                    {
                        prop_assert!(until > now && model.ends().any(|end| end == until), "{} before {}", until, at);
                        expected = next;
                    }
                    if let (Next::Send { after_unknown, .. }, Next::Send { entry, after_unknown: model_says }) = (next, expected) {
                        // The mark is kept while somebody waits for the unknown text, no longer.
                        prop_assert!(!after_unknown || model_says);
                        expected = Next::Send { entry, after_unknown };
                    }
                    prop_assert_eq!(next, expected, "at {}", now);
                    came_out += usize::from(matches!(next, Next::Send { .. } | Next::Expired(_)));
                }
                Step::Pass(time) => now = Stamp(now.0 + time),
                Step::PutBack(..) | Step::Settle(_) | Step::Hold(..) => {}
            }
            prop_assert_eq!(lane.queued(), model.queued.len());
            prop_assert_eq!(lane.in_flight(), model.in_flight.len());
            prop_assert_eq!(lane.queued(), put_in - came_out, "each comes out exactly once");
        }
        for done in model.in_flight.drain(..) {
            lane.settled(done.message, done.contact, now);
        }
        empty(&mut lane, now);
        let _ = lane.next(Stamp(1_000), go);
        prop_assert!(lane.is_idle(), "nothing of the past is kept");
    }
}
