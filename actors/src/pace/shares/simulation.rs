//! Several nodes and one server of shared limits in virtual time: answers come late or never, nodes are cut off, the server
//! stalls, is emptied, has its clock set, while every node sends as fast as it may. No window of all of them together may
//! hold more than the limit. Faults planted in the arithmetic must be found. The seed is in each panic's message.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::atomic::{AtomicU64, Ordering},
};

use schema::settings::LimitSettings;

use super::{super::*, Question};
use crate::{
    contracts::limiter::{Asker, named, unlimited, violations},
    memory::GrantTable,
    ports::{Ask, Outcome},
    simulation::{Fault, plant},
};

const SECOND: u64 = 1_000_000;
const NOON: u64 = 1_780_340_400 * SECOND;
const NODES: usize = 3;
const LANES: u32 = 4;
const WITHIN: u64 = SECOND / 2;
/// A question that arrives when its node has long given it up.
const LATE: u64 = u64::MAX;

#[derive(Default)]
struct NodeClock {
    wall: AtomicU64,
    monotonic: AtomicU64,
}

impl Clock for NodeClock {
    fn now(&self) -> Stamp {
        Stamp(self.wall.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.monotonic.load(Ordering::Relaxed))
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// A lane may look.
    Look(usize, u32),
    /// A claimed text is at the door.
    Door(usize, u32, u32, u16),
    /// The keeper looks.
    Keep(usize),
    /// A question arrives at the server.
    Arrive(usize, u32, Box<Question>, (u64, u64)),
    /// Its answer is there, or will not come.
    Answer(usize, u32, Box<Question>, Option<Reply>),
    /// Something happens to the world.
    Fault,
}

struct Queued(u64, u64, Step);

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

struct Node {
    limiter: LocalLimiter,
    clock: Arc<NodeClock>,
    wall_ahead: i64,
    /// Millionths that its monotonic clock runs fast.
    drift: i64,
    cut_until: u64,
    active: bool,
    keep_at: u64,
    process: u32,
    marks: Vec<DayMark>,
}

struct World {
    nodes: Vec<Node>,
    lanes: Vec<Asker>,
    server: GrantTable,
    server_ahead: i64,
    stalled_until: u64,
    steps: BinaryHeap<Reverse<Queued>>,
    random: u64,
    count: u64,
    rough: bool,
    now: u64,
    sent: Vec<(u64, u32)>,
    questions: usize,
}

fn limiter(node: usize, process: u32, clock: &Arc<NodeClock>, marks: Vec<DayMark>) -> LocalLimiter {
    let options = SharedOptions {
        node: format!("node-{node}"),
        holder: format!("process-{node}-{process}"),
        members: NODES as u32,
        slice_max: Duration::from_secs(4),
        answer_within: Duration::from_micros(WITHIN),
    };
    let limiter = LocalLimiter::started_at(PaceOptions::default(), clock.now()).timed_by(clock.clone());
    limiter.shared(options, Some(marks), clock.now())
}

fn ahead(of: u64, by: i64) -> u64 {
    of.saturating_add_signed(by)
}

impl World {
    fn new(seed: u64, rough: bool, limits: &LimitSettings) -> Self {
        let mut world = Self {
            nodes: Vec::new(),
            lanes: (0..LANES).map(|lane| Asker::new(lane, 0, lane, limits.clone())).collect(),
            server: GrantTable::default(),
            server_ahead: 3 * SECOND as i64,
            stalled_until: 0,
            steps: BinaryHeap::new(),
            random: seed,
            count: 0,
            rough,
            now: NOON,
            sent: Vec::new(),
            questions: 0,
        };
        (0..NODES).for_each(|node| world.add(node));
        if rough {
            world.push(NOON + 2 * SECOND, Step::Fault);
        }
        world
    }

    fn add(&mut self, node: usize) {
        let clock = Arc::new(NodeClock::default());
        let drift = self.below(400) as i64 - 200;
        let (wall_ahead, keep_at) = (self.below(2 * SECOND) as i64 - SECOND as i64, u64::MAX);
        clock.wall.store(ahead(NOON, wall_ahead), Ordering::Relaxed);
        let limiter = limiter(node, 0, &clock, Vec::new());
        self.nodes.push(Node {
            limiter,
            clock,
            wall_ahead,
            drift,
            cut_until: 0,
            active: true,
            keep_at,
            process: 0,
            marks: Vec::new(),
        });
        self.push(NOON, Step::Keep(node));
        (0..LANES).for_each(|lane| self.push(NOON + u64::from(lane), Step::Look(node, lane)));
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn push(&mut self, at: u64, step: Step) {
        self.count += 1;
        self.steps.push(Reverse(Queued(at, self.count, step)));
    }

    /// The node's clocks at this moment; its wall clock is returned.
    fn tick(&self, node: usize) -> Stamp {
        let node = &self.nodes[node];
        let passed = self.now - NOON;
        let monotonic = ahead(passed, passed as i64 * node.drift / 1_000_000);
        node.clock.monotonic.store(monotonic, Ordering::Relaxed);
        node.clock.wall.store(ahead(self.now, node.wall_ahead), Ordering::Relaxed);
        node.clock.now()
    }

    fn run(&mut self, until: u64) {
        while self.steps.peek().is_some_and(|Reverse(next)| next.0 < until) {
            let Some(Reverse(Queued(now, _, step))) = self.steps.pop() else { return };
            self.now = now;
            match step {
                Step::Look(node, lane) => self.look(node, lane),
                Step::Door(node, process, lane, segments) if process == self.nodes[node].process => {
                    self.door(node, lane, segments);
                }
                Step::Keep(node) => self.keep(node),
                Step::Arrive(node, process, question, back) => self.arrive((node, process), question, back),
                Step::Answer(node, process, question, reply) if process == self.nodes[node].process => {
                    self.answer(node, &question, reply);
                }
                Step::Door(..) | Step::Answer(..) => {}
                Step::Fault => self.fault(),
            }
        }
    }

    fn answer(&mut self, node: usize, question: &Question, reply: Option<Reply>) {
        let wall = self.tick(node);
        if let (Ask::Day(ask), Some(Outcome::Part { had, .. })) = (&question.ask, reply.map(|reply| reply.outcome)) {
            let marks = &mut self.nodes[node].marks;
            marks.retain(|mark| mark.key != ask.key);
            marks.push(DayMark { key: ask.key.clone(), begins: ask.begins, ends: ask.ends, had });
        }
        self.nodes[node].limiter.answered(question, reply, wall);
        self.plan(node);
    }

    /// Killed, and started at once.
    fn restart(&mut self, node: usize) {
        self.nodes[node].process += 1;
        let Node { process, clock, marks, .. } = &self.nodes[node];
        self.nodes[node].limiter = limiter(node, *process, clock, marks.clone());
        self.plan(node);
    }

    /// How long a node's clock needs to get to `at`, at most a second.
    fn wait(&self, node: usize, at: Stamp) -> u64 {
        at.0.saturating_sub(self.nodes[node].clock.now().0).clamp(1_000, SECOND)
    }

    fn look(&mut self, node: usize, lane: u32) {
        let wall = self.tick(node);
        if !self.nodes[node].active {
            return self.push(self.now + SECOND, Step::Look(node, lane));
        }
        let segments = if self.rough { [1, 1, 2, 1, 5, 1][self.below(6) as usize] } else { 1 };
        let contact = self.count;
        let admitted = self.nodes[node].limiter.admit(&self.lanes[lane as usize].text(contact, segments), wall);
        self.plan(node);
        match admitted {
            Admission::Granted => {
                let append = 1_000 + self.below(if self.rough { 300_000 } else { 8_000 });
                let process = self.nodes[node].process;
                self.push(self.now + append, Step::Door(node, process, lane, segments));
                self.push(self.now + 100, Step::Look(node, lane));
            }
            Admission::NotBefore { at, .. } => {
                let late = self.below(3_000);
                self.push(self.now + self.wait(node, at) + late, Step::Look(node, lane));
            }
        }
    }

    fn door(&mut self, node: usize, lane: u32, segments: u16) {
        let wall = self.tick(node);
        match self.nodes[node].limiter.depart(&self.lanes[lane as usize].text(self.count, segments), wall) {
            Admission::Granted => self.sent.push((self.now, u32::from(segments))),
            Admission::NotBefore { at, .. } => {
                let process = self.nodes[node].process;
                self.push(self.now + self.wait(node, at), Step::Door(node, process, lane, segments));
            }
        }
        self.plan(node);
    }

    /// The keeper looks when something is due.
    fn plan(&mut self, node: usize) {
        let wall = self.tick(node);
        let (_, next) = self.nodes[node].limiter.due(wall, 0);
        let at = self.now + (next.as_micros() as u64).min(SECOND);
        if at < self.nodes[node].keep_at {
            self.nodes[node].keep_at = at;
            self.push(at, Step::Keep(node));
        }
    }

    fn keep(&mut self, node: usize) {
        let wall = self.tick(node);
        self.nodes[node].keep_at = u64::MAX;
        let (questions, _) = self.nodes[node].limiter.due(wall, 64);
        self.questions += questions.len();
        for question in questions {
            let slow = if self.rough && self.below(20) == 0 { WITHIN } else { 3_000 };
            let (there, back) = (300 + self.below(slow), 300 + self.below(slow));
            let process = self.nodes[node].process;
            self.push(self.now + there, Step::Arrive(node, process, Box::new(question), (self.now, back)));
        }
        self.plan(node);
    }

    fn arrive(&mut self, (node, process): (usize, u32), question: Box<Question>, (asked, back): (u64, u64)) {
        if self.now < self.stalled_until {
            let at = self.stalled_until + self.below(1_000);
            return self.push(at, Step::Arrive(node, process, question, (asked, back)));
        }
        if back == LATE {
            // It lay about somewhere, and nobody counts on it any more.
            self.server.ask(&question.call, &question.ask, ahead(self.now, self.server_ahead));
            return;
        }
        let lost = self.rough && self.below(50) == 0;
        let cut = self.now < self.nodes[node].cut_until;
        let given_up = asked + WITHIN;
        if cut && self.below(2) == 0 {
            let late = self.now + self.below(15 * SECOND);
            self.push(late, Step::Arrive(node, process, question.clone(), (asked, LATE)));
        }
        if cut || (lost && self.below(2) == 0) {
            return self.push(given_up.max(self.now), Step::Answer(node, process, question, None));
        }
        let reply = self.server.ask(&question.call, &question.ask, ahead(self.now, self.server_ahead));
        // An answer within the time is heard, any other is not.
        let heard = self.now + back <= given_up && !lost;
        let (at, reply) = if heard { (self.now + back, Some(reply)) } else { (given_up.max(self.now), None) };
        self.push(at, Step::Answer(node, process, question, reply));
    }

    fn fault(&mut self) {
        let node = self.below(NODES as u64) as usize;
        let time = SECOND / 2 + self.below(25 * SECOND);
        if !self.rough {
            return;
        }
        match self.below(9) {
            0 | 1 => self.nodes[node].cut_until = self.now + time,
            2 => self.stalled_until = self.now + time,
            3 => self.server.forget(),
            4 => self.nodes[node].wall_ahead += self.below(600 * SECOND) as i64 - 300 * SECOND as i64,
            5 => self.restart(node),
            6 if self.below(3) == 0 => self.server_ahead += self.below(40 * SECOND) as i64 - 20 * SECOND as i64,
            _ => self.nodes[node].active = !self.nodes[node].active,
        }
        let next = SECOND + self.below(12 * SECOND);
        self.push(self.now + next, Step::Fault);
    }
}

fn account() -> LimitSettings {
    LimitSettings { account_per_s: Some(20), ..unlimited() }
}

fn campaign() -> LimitSettings {
    LimitSettings { campaign_per_min: named("campaign", 240), ..unlimited() }
}

/// Windows of all nodes together that hold too much.
fn found(world: &World, limits: &LimitSettings) -> usize {
    let mut sent = world.sent.clone();
    sent.sort_unstable();
    let per_s = limits.account_per_s.map_or(0, |limit| violations(&sent, SECOND, limit));
    let per_min = limits.campaign_per_min.as_ref();
    per_s + per_min.map_or(0, |named| violations(&sent, 60 * SECOND, named.limit))
}

/// A life with faults, and then a calm one.
fn rough(seed: u64, limits: &LimitSettings, time: u64, calm: u64) -> World {
    let mut world = World::new(seed, true, limits);
    world.run(NOON + time);
    world.rough = false;
    world.stalled_until = 0;
    world.nodes.iter_mut().for_each(|node| (node.active, node.cut_until) = (true, 0));
    world.run(NOON + time + calm);
    world
}

/// Segments sent from here to there, of what the limit allows.
fn used(world: &World, from: u64, until: u64, per_s: f64) -> f64 {
    let sent = world.sent.iter().filter(|(at, _)| (NOON + from..NOON + until).contains(at));
    sent.map(|(_, segments)| f64::from(*segments)).sum::<f64>() / (per_s * (until - from) as f64 / SECOND as f64)
}

#[test]
fn three_nodes_use_an_account_and_a_campaign_whole_and_no_window_holds_more() {
    for (limits, per_s, from, until) in [(account(), 20.0, 20, 120), (campaign(), 4.0, 90, 390)] {
        let mut world = World::new(1, false, &limits);
        world.run(NOON + until * SECOND);
        assert_eq!(found(&world, &limits), 0);
        let used = used(&world, from * SECOND, until * SECOND, per_s);
        assert!(used >= 0.97, "{used:.3} of {limits:?}");
        if limits.account_per_s.is_some() {
            let before = world.questions;
            world.run(NOON + (until + 60) * SECOND);
            // With slices of 4 s; longer ones ask less.
            let texts = 1_200 / (world.questions - before).max(1);
            assert!(texts >= 15, "{} questions for 1,200 texts", world.questions - before);
        }
    }
}

#[test]
fn whatever_happens_to_nodes_and_server_no_window_holds_more_than_its_limit_and_calm_brings_it_back() {
    for seed in 0..40 {
        for (limits, per_s, time, calm, last) in [(account(), 20.0, 120, 30, 15), (campaign(), 4.0, 400, 200, 60)] {
            let world = rough(seed, &limits, time * SECOND, calm * SECOND);
            assert_eq!(found(&world, &limits), 0, "seed {seed}, {limits:?}");
            let end = time + calm;
            let used = used(&world, (end - last) * SECOND, end * SECOND, per_s);
            assert!(used > 0.8, "seed {seed}: {used:.3} of {limits:?} in calm");
        }
    }
}

fn brand() -> LimitSettings {
    LimitSettings { brand_per_day: named("brand", 400), account_per_s: Some(20), ..unlimited() }
}

#[test]
fn a_day_is_given_once_whatever_happens_and_all_of_it_in_the_end() {
    for seed in 0..60 {
        let world = rough(seed, &brand(), 60 * SECOND, 100 * SECOND);
        let sent: u64 = world.sent.iter().map(|(_, segments)| u64::from(*segments)).sum();
        assert!(sent <= 400, "seed {seed}: {sent} of 400");
        // What a killed process had is lost with it, and so is what no answer came for.
        assert!(sent >= 100, "seed {seed}: only {sent} of 400");
    }
    let mut world = World::new(3, false, &brand());
    world.run(NOON + 60 * SECOND);
    assert!(world.sent.len() >= 396, "{} of 400 in calm", world.sent.len());
}

#[test]
fn every_fault_planted_in_shared_pace_is_found() {
    let faults = [
        Fault::SliceFromArrival,
        Fault::MinorityTakesAll,
        Fault::AbsentFloorsLent,
        Fault::UnusedHandedBack,
        Fault::FloorAtOnce,
        Fault::LateCarriedOut,
        Fault::ServerClockTrusted,
    ];
    for fault in faults {
        plant(Some(fault));
        let convicted = (0..200).find(|seed| found(&rough(*seed, &account(), 120 * SECOND, 0), &account()) > 0);
        plant(None);
        assert!(convicted.is_some(), "{fault:?} was not found in 200 lives");
    }
    plant(Some(Fault::DayGivenTwice));
    let sent = |world: World| world.sent.iter().map(|(_, segments)| u64::from(*segments)).sum::<u64>();
    let convicted = (0..200).find(|seed| sent(rough(*seed, &brand(), 60 * SECOND, 100 * SECOND)) > 400);
    plant(None);
    assert!(convicted.is_some(), "a day given twice was not found in 200 lives");
}
