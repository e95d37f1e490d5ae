//! What a pause does to a lane: texts stay where they stand, and nothing else changes.

use proptest::prelude::*;
use schema::{message::Priority, pause::Pause, time::Stamp};

use super::*;

fn automatic(number: u64, to: u64) -> Entry {
    Entry { priority: Priority::Automatic, ..entry(number, to) }
}

fn confirmation(number: u64, to: u64) -> Entry {
    Entry { priority: Priority::Confirmation, ..entry(number, to) }
}

/// Everything that goes, each settled at once.
fn drain(lane: &mut Lane, now: Stamp) -> Vec<u64> {
    let mut order = Vec::new();
    while let Next::Send { entry, .. } = lane.next(now, go) {
        lane.settled(entry.message, entry.contact, now);
        order.push(entry.queued.0);
    }
    order
}

#[test]
fn paused_lane_sends_nothing_and_resumes_in_order() {
    let mut lane = lane_of([automatic(1, 5), entry(2, 6), confirmation(3, 7), entry(4, 6)]);
    lane.pause(Pause::All, Stamp(10));
    assert!(drain(&mut lane, Stamp(10)).is_empty());
    lane.insert(entry(5, 8), Stamp(11)).unwrap();
    assert!(drain(&mut lane, Stamp(11)).is_empty(), "what comes later stays too");
    lane.pause(Pause::None, Stamp(12));
    assert_eq!(drain(&mut lane, Stamp(12)), [3, 2, 4, 5, 1]);
    assert!(lane.is_idle());
}

#[test]
fn automatic_pause_lets_persons_and_confirmations_pass_also_before_the_same_contacts_rules() {
    let mut lane = lane_of([automatic(1, 7), entry(2, 7), automatic(3, 8), confirmation(4, 9)]);
    lane.pause(Pause::Automatic, Stamp(10));
    assert_eq!(drain(&mut lane, Stamp(10)), [4, 2], "the reply does not wait for a text that may not leave");
    lane.insert(entry(5, 8), Stamp(11)).unwrap();
    assert_eq!(drain(&mut lane, Stamp(11)), [5]);
    lane.pause(Pause::None, Stamp(12));
    assert_eq!(drain(&mut lane, Stamp(12)), [1, 3]);
    assert!(lane.is_idle());
}

#[test]
fn held_text_expires_and_says_so() {
    for pause in [Pause::All, Pause::Automatic] {
        let mut lane = lane_of([Entry { valid_until: Stamp(100), ..automatic(1, 7) }]);
        lane.pause(pause, Stamp(10));
        assert_eq!(lane.next(Stamp(100), go), Next::WaitUntil(Stamp(101)), "{pause}: wakes when validity ends");
        assert!(matches!(lane.next(Stamp(101), go), Next::Expired(late) if late.message == message(1)), "{pause}");
        assert!(lane.is_idle(), "{pause}");
    }
}

#[test]
fn pause_forgets_neither_unknown_texts_nor_back_off() {
    let mut lane = lane_of([automatic(1, 7), automatic(2, 7), Entry { not_before: Stamp(50), ..automatic(3, 8) }]);
    assert_eq!(sent(lane.next(Stamp(10), go)), Some(1));
    lane.hold(message(1), contact(7), Stamp(100), Stamp(11));
    for pause in [Pause::Automatic, Pause::All, Pause::Automatic, Pause::None] {
        lane.pause(pause, Stamp(12));
        assert!(drain(&mut lane, Stamp(12)).is_empty(), "{pause}");
    }
    assert_eq!(drain(&mut lane, Stamp(50)), [3]);
    assert!(matches!(lane.next(Stamp(100), go), Next::Send { entry, after_unknown: true } if entry.queued.0 == 2));
}

fn any_pause() -> impl Strategy<Value = Pause> {
    prop_oneof![Just(Pause::None), Just(Pause::Automatic), Just(Pause::All)]
}

proptest! {
    /// Whatever is pressed when: what a pause holds never goes, everything goes in the end, once, and per contact and
    /// priority in order.
    #[test]
    fn whatever_is_pressed_nothing_held_leaves_and_nothing_is_lost(
        texts in prop::collection::vec((0_u64..4, 0_u8..3), 1..40),
        pressed in prop::collection::vec((any_pause(), 0_usize..6), 0..20),
    ) {
        let priorities = [Priority::Automatic, Priority::Interactive, Priority::Confirmation];
        let mut waiting = texts.iter().zip(1_u64..).map(|((to, priority), number)| {
            Entry { priority: priorities[usize::from(*priority)], ..entry(number, *to) }
        });
        let mut lane = Lane::new(LaneOptions::default());
        let mut gone: Vec<Entry> = Vec::new();
        let mut step = |lane: &mut Lane, pause: Pause, most: usize| {
            lane.pause(pause, Stamp(1_000));
            for _ in 0..most {
                let Next::Send { entry, .. } = lane.next(Stamp(1_000), go) else { break };
                assert!(!pause.holds(entry.priority), "{pause} let {:?} go", entry.priority);
                lane.settled(entry.message, entry.contact, Stamp(1_000));
                gone.push(entry);
            }
        };
        for (pause, most) in pressed {
            for text in waiting.by_ref().take(3) {
                lane.insert(text, Stamp(1_000)).unwrap();
            }
            step(&mut lane, pause, most);
        }
        waiting.for_each(|text| lane.insert(text, Stamp(1_000)).unwrap());
        step(&mut lane, Pause::None, usize::MAX);
        prop_assert_eq!(gone.len(), texts.len());
        prop_assert!(lane.is_idle());
        for (index, entry) in gone.iter().enumerate() {
            let same = |other: &&Entry| other.contact == entry.contact && other.priority == entry.priority;
            prop_assert!(gone[index + 1..].iter().filter(same).all(|later| later.queued > entry.queued));
        }
    }
}
