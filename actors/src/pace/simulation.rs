//! Two hundred lanes in virtual time, with slow claims and a carrier that counts: is the allowed rate reached, and
//! never exceeded? The seed is in the panic message of whatever fails.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use schema::{
    ids::{ContactId, ConversationId, MessageId},
    message::Priority,
    settings::LimitSettings,
    time::Stamp,
};
use uuid::Uuid;

use super::*;
use crate::{
    contracts::limiter::{Asker, named, unlimited, violations},
    outbox::{Entry, Lane, LaneOptions, Next},
    ports::DayPart,
};

const SECOND: u64 = 1_000_000;
const NOON: u64 = 1_780_340_400 * SECOND;
/// What a strict meter at the carrier forgives.
const TOLERANCE: u64 = 50_000;
/// Segments per second of numbers with an account of their own.
const OWN_RATES: [u32; 4] = [1, 3, 10, 20];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Look at the lane.
    Look(usize),
    /// The claim of a text is durable: out of the door.
    Door(usize, MessageId, ContactId, u16),
    /// The carrier has answered.
    Answer(usize, MessageId, ContactId),
}

struct World {
    limiter: LocalLimiter,
    lanes: Vec<(Asker, Lane)>,
    steps: BinaryHeap<Reverse<(u64, u64, Step)>>,
    looks: HashMap<usize, u64>,
    /// What arrives at the carrier: when, segments, lane.
    arrived: Vec<(u64, u32, usize)>,
    random: u64,
    count: u64,
}

impl World {
    fn new(seed: u64, lanes: Vec<Asker>) -> Self {
        let lanes = lanes.into_iter().map(|asker| (asker, Lane::new(LaneOptions::default()))).collect();
        let limiter = LocalLimiter::default();
        let (steps, looks) = (BinaryHeap::new(), HashMap::new());
        Self { limiter, lanes, steps, looks, arrived: Vec::new(), random: seed, count: 0 }
    }

    /// Uniform below `end` (splitmix64).
    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn fill(&mut self, lane: usize, texts: u64, segments: impl Fn(u64) -> u16) {
        for _ in 0..texts {
            self.count += 1;
            let number = self.below(1_000_000);
            let entry = Entry {
                message: MessageId(Uuid::from_u128(u128::from(self.count))),
                conversation: ConversationId(Uuid::from_u128(u128::from(number))),
                contact: ContactId(Uuid::from_u128(u128::from(number))),
                priority: if number.is_multiple_of(3) { Priority::Automatic } else { Priority::Interactive },
                part: DayPart::Whole,
                segments: segments(number),
                valid_until: Stamp(u64::MAX - 1),
                not_before: Stamp(0),
                queued: Stamp(self.count),
                attempt: 1,
            };
            self.lanes[lane].1.insert(entry, Stamp(NOON)).expect("room for all");
        }
        self.look(lane, NOON);
    }

    fn push(&mut self, at: u64, step: Step) {
        self.count += 1;
        self.steps.push(Reverse((at, self.count, step)));
    }

    fn look(&mut self, lane: usize, at: u64) {
        if self.looks.get(&lane).is_none_or(|known| at < *known) {
            self.looks.insert(lane, at);
            self.push(at, Step::Look(lane));
        }
    }

    fn run(&mut self, until: u64) {
        while let Some(Reverse((now, _, step))) = self.steps.pop()
            && now < until
        {
            match step {
                Step::Look(lane) => self.launch(lane, now),
                Step::Door(lane, message, contact, segments) => self.leave(lane, message, contact, segments, now),
                Step::Answer(lane, message, contact) => {
                    self.lanes[lane].1.settled(message, contact, Stamp(now));
                    self.look(lane, now);
                }
            }
        }
    }

    fn launch(&mut self, lane: usize, now: u64) {
        if self.looks.get(&lane) == Some(&now) {
            self.looks.remove(&lane);
        }
        loop {
            let (asker, schedule) = &mut self.lanes[lane];
            let limiter = &self.limiter;
            let ask = |entry: &Entry| {
                let mut request = asker.text(0, entry.segments);
                request.contact = entry.contact;
                limiter.admit(&request, Stamp(now))
            };
            match schedule.next(Stamp(now), ask) {
                Next::Send { entry, .. } => {
                    // An append of a few milliseconds; sometimes a disk that thinks.
                    let stall = if self.below(200) == 0 { 400_000 } else { 1_000 + self.below(9_000) };
                    self.push(now + stall, Step::Door(lane, entry.message, entry.contact, entry.segments));
                }
                Next::WaitUntil(at) => {
                    // Timers are late by up to three milliseconds.
                    let late = self.below(3_000);
                    return self.look(lane, at.0.min(now + 3_600 * SECOND) + late);
                }
                Next::Expired(_) => unreachable!("nothing ends"),
                Next::Idle => return,
            }
        }
    }

    fn leave(&mut self, lane: usize, message: MessageId, contact: ContactId, segments: u16, now: u64) {
        let mut request = self.lanes[lane].0.text(0, segments);
        request.contact = contact;
        match self.limiter.depart(&request, Stamp(now)) {
            Admission::NotBefore { at, .. } => self.push(at.0, Step::Door(lane, message, contact, segments)),
            Admission::Granted => {
                let there = now + 5_000 + self.below(20_000);
                self.arrived.push((there, u32::from(segments), lane));
                let answer = there + 20_000 + self.below(60_000);
                self.push(answer, Step::Answer(lane, message, contact));
            }
        }
    }

    /// What arrived from these lanes, in order.
    fn from(&self, lanes: impl Fn(usize) -> bool) -> Vec<(u64, u32)> {
        let mut of: Vec<_> =
            self.arrived.iter().filter(|(_, _, lane)| lanes(*lane)).map(|(at, s, _)| (*at, *s)).collect();
        of.sort_unstable();
        of
    }

    /// Checks a level's window, and returns the share of its rate that was used in the time.
    fn level(&self, lanes: impl Fn(usize) -> bool, window: u64, limit: u32, time: u64) -> f64 {
        let arrived = self.from(lanes);
        assert_eq!(violations(&arrived, window - TOLERANCE, limit), 0, "limit {limit} in {window} µs");
        let segments: u64 = arrived.iter().map(|(_, segments)| u64::from(*segments)).sum();
        segments as f64 / (f64::from(limit) * time as f64 / window as f64)
    }
}

/// Lanes 0..80: four kinds of numbers, each with an account of its own. 80..140: three accounts of 20 lanes, of 20 a
/// second. 140..200: three campaigns of 20 lanes, of 1,200 a minute, on one account of 1,000 a second.
fn limits_of(lane: usize) -> (usize, LimitSettings) {
    let number = |limit| LimitSettings { number_per_s: Some(limit), ..unlimited() };
    match lane {
        0..80 => (lane, number(OWN_RATES[lane % 4])),
        80..140 => (1_000 + lane % 3, LimitSettings { account_per_s: Some(20), ..number(10) }),
        _ => {
            let campaign_per_min = named(&format!("campaign-{}", lane % 3), 1_200);
            (2_000, LimitSettings { account_per_s: Some(1_000), campaign_per_min, ..number(10) })
        }
    }
}

#[test]
fn two_hundred_lanes_reach_the_allowed_rate_and_never_exceed_it() {
    let seed = 0x5eed;
    let askers = (0..200_u32).map(|lane| {
        let (account, limits) = limits_of(lane as usize);
        Asker::new(lane, account as u32, lane, limits)
    });
    let mut world = World::new(seed, askers.collect());
    let time = 75 * SECOND;
    for lane in 0..200 {
        let rate = world.lanes[lane].0.text(0, 1).limits.number_per_s.unwrap_or(10);
        world.fill(lane, u64::from(rate) * 80, |_| 1);
    }
    world.run(NOON + time);
    let mut shares = Vec::new();
    for lane in 0..80 {
        shares.push(world.level(|of| of == lane, SECOND, OWN_RATES[lane % 4], time));
    }
    for group in 0..3 {
        shares.push(world.level(|of| (80..140).contains(&of) && of % 3 == group, SECOND, 20, time));
        shares.push(world.level(|of| of >= 140 && of % 3 == group, 60 * SECOND, 1_200, time));
    }
    for lane in 80..200 {
        world.level(|of| of == lane, SECOND, 10, time);
    }
    let least = shares.iter().copied().fold(f64::MAX, f64::min);
    assert!(least >= 0.97, "a level used {least:.3} of its rate: {shares:.3?}; seed {seed:#x}");
}

#[test]
fn lanes_on_one_account_get_equal_shares_however_many_texts_wait() {
    let limits = LimitSettings { account_per_s: Some(20), ..unlimited() };
    let mut world = World::new(7, (0..10).map(|lane| Asker::new(lane, 0, lane, limits.clone())).collect());
    (0..10).for_each(|lane| world.fill(lane, 300 * (1 + lane as u64), |_| 1));
    world.run(NOON + 100 * SECOND);
    let counts: Vec<usize> = (0..10).map(|lane| world.from(|of| of == lane).len()).collect();
    assert!(counts.iter().all(|count| (180..=220).contains(count)), "{counts:?}");
    assert_eq!(violations(&world.from(|_| true), SECOND - TOLERANCE, 20), 0);
}

#[test]
fn small_tenant_is_served_within_a_few_turns_beside_a_large_queue() {
    let limits = LimitSettings { account_per_s: Some(10), ..unlimited() };
    let mut world = World::new(11, (0..2).map(|lane| Asker::new(lane, 0, lane, limits.clone())).collect());
    world.fill(0, 10_000, |_| 1);
    world.run(NOON + 20 * SECOND);
    let before = world.arrived.len();
    world.fill(1, 10, |_| 1);
    world.look(1, NOON + 20 * SECOND);
    world.run(NOON + 30 * SECOND);
    let lanes: Vec<usize> = world.arrived[before..].iter().map(|(_, _, lane)| *lane).collect();
    let last = lanes.iter().rposition(|lane| *lane == 1).expect("the small one was served");
    assert_eq!(lanes.iter().filter(|lane| **lane == 1).count(), 10);
    assert!(last <= 30, "its ten texts took {last} turns");
}

#[test]
fn texts_of_many_sizes_share_an_account_without_a_violation_or_starvation() {
    let limits = LimitSettings { account_per_s: Some(12), number_per_s: Some(6), ..unlimited() };
    let mut world = World::new(13, (0..8).map(|lane| Asker::new(lane, 0, lane, limits.clone())).collect());
    // Lane 0 sends texts larger than the whole account's second.
    world.fill(0, 500, |_| 15);
    (1..8).for_each(|lane| world.fill(lane, 2_000, |number| [1, 1, 2, 4][number as usize % 4]));
    world.run(NOON + 200 * SECOND);
    assert_eq!(violations(&world.from(|_| true), SECOND - TOLERANCE, 12), 0);
    let of: Vec<u32> = (0..8).map(|lane| world.from(|of| of == lane).iter().map(|(_, s)| s).sum()).collect();
    let all: u32 = of.iter().sum();
    assert!(of.iter().all(|sum| sum * 16 > all), "fair by segments: {of:?}");
    assert!(all > 12 * 200 * 3 / 4, "{all} of 2400");
}

#[test]
fn lanes_that_wait_for_their_campaign_do_not_keep_the_account_waiting() {
    let limits = |campaign| LimitSettings { account_per_s: Some(20), campaign_per_min: campaign, ..unlimited() };
    let slow = (0..6).map(|lane| Asker::new(1, 0, lane, limits(named("slow", 120))));
    let fast = (6..8).map(|lane| Asker::new(2, 0, lane, limits(None)));
    let mut world = World::new(17, slow.chain(fast).collect());
    (0..8).for_each(|lane| world.fill(lane, 2_000, |_| 1));
    world.run(NOON + 100 * SECOND);
    let used = world.level(|_| true, SECOND, 20, 100 * SECOND);
    let slow = world.level(|lane| lane < 6, 60 * SECOND, 120, 100 * SECOND);
    assert!(used >= 0.96 && slow >= 0.96, "{used:.3} of the account, {slow:.3} of the campaign");
}
