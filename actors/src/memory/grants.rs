//! Shared pace in memory: what the script in Redis does, in Rust. Simulations run on it, and a test holds both against
//! each other question by question (tests/it/pace). For several nodes of one process; it keeps nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::lock;
use crate::ports::{Ask, Call, Clock, DayAsk, Grants, GrantsError, Outcome, RateAsk, Reply, SLACK};

/// Members that have not been heard of for so long are not counted as members of their own any more.
const FORGET: u64 = 3_600_000_000;
/// A day may be asked for so long before it begins.
const AHEAD: u64 = 600_000_000;
/// Shortest and longest wait before more may be asked for.
const AGAIN: (u64, u64) = (50_000, 1_000_000);

#[derive(Debug, Clone, Copy, Default)]
struct Member {
    since: u64,
    until: u64,
    marked: u64,
}

#[derive(Debug, Clone, Default)]
struct Holder {
    node: String,
    want: u64,
    need: u64,
    need_since: u64,
    asked: u64,
    sequence: u64,
    keep: u64,
    /// Question, share, end.
    slices: Vec<(u64, u64, u64)>,
    /// Segments, end.
    used: Vec<(u64, u64)>,
}

impl Holder {
    fn forget(&mut self, now: u64, window: u64) {
        self.slices.retain(|(_, _, until)| until + window + SLACK > now);
        self.used.retain(|(_, until)| until + SLACK > now);
    }

    fn occupied(&self) -> u64 {
        let slices = self.slices.iter().map(|(_, share, _)| *share).max().unwrap_or(0);
        slices.max(self.used.iter().map(|(segments, _)| *segments).sum())
    }

    /// Ends of what it occupies.
    fn ends(&self, window: u64) -> impl Iterator<Item = u64> {
        let slices = self.slices.iter().map(move |(_, _, until)| until + window + SLACK);
        slices.chain(self.used.iter().map(|(_, until)| until + SLACK))
    }
}

/// All that a server of shared limits knows.
#[derive(Debug, Default)]
pub struct GrantTable {
    generation: u64,
    members: BTreeMap<String, Member>,
    rates: BTreeMap<String, BTreeMap<String, Holder>>,
    days: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What others leave of a limit.
struct Room {
    /// Segments nobody else occupies, or may occupy.
    free: u64,
    /// Segments that are not kept for members who are not here.
    capacity: u64,
    /// The first end of a promise that somebody's floor is lent by.
    lent_until: u64,
    /// When more will be free.
    more_at: u64,
}

impl GrantTable {
    /// Answers at this time.
    pub fn ask(&mut self, call: &Call, ask: &Ask, now: u64) -> Reply {
        if self.generation == 0 || matches!(ask, Ask::Beat { reset: true, .. }) {
            self.generation = now;
            self.members.clear();
            // What was granted before is over when anything is granted again; days are never over.
            self.rates.clear();
        }
        let reply = |outcome| Reply { now, generation: self.generation, outcome };
        let other = call.generation != 0 && call.generation != self.generation;
        let late = other || call.between.is_some_and(|(from, until)| now < from || now > until);
        if late && !planted!(LateCarriedOut) {
            return reply(Outcome::Late);
        }
        let settled = self.generation + call.settle + if let Ask::Rate(rate) = ask { rate.window } else { 0 } + SLACK;
        if call.promise > 0 && now >= self.generation + call.settle + SLACK {
            let member = self.members.entry(call.node.clone()).or_default();
            member.since = if member.until < now { now } else { member.since };
            member.until = member.until.max(now + call.promise);
            if let Ask::Beat { marked, .. } = ask {
                member.marked = *marked;
            }
        }
        if now < settled {
            return reply(Outcome::Unsettled { left: settled - now });
        }
        let outcome = match ask {
            Ask::Beat { .. } => Outcome::Here,
            _ if call.promise == 0 => Outcome::Late,
            Ask::Rate(rate) => self.rate(call, rate, now),
            Ask::Day(day) => self.day(call, day, now),
        };
        Reply { now, generation: self.generation, outcome }
    }

    fn rate(&mut self, call: &Call, ask: &RateAsk, now: u64) -> Outcome {
        self.members.retain(|_, member| member.until + FORGET > now);
        let holders = self.rates.entry(ask.key.clone()).or_default();
        let mine = holders.entry(call.holder.clone()).or_default();
        if ask.sequence <= mine.sequence {
            return Outcome::Late;
        }
        let live_from = if planted!(UnusedHandedBack) { u64::MAX } else { ask.live_from };
        mine.slices.retain(|(sequence, _, _)| *sequence >= live_from);
        mine.used = ask.used.iter().map(|(segments, left)| (u64::from(*segments), now + left)).collect();
        mine.need_since = if mine.need == 0 { now } else { mine.need_since };
        (mine.node, mine.asked, mine.sequence) = (call.node.clone(), now, ask.sequence);
        (mine.want, mine.need) = (u64::from(ask.want), u64::from(ask.need));
        for (name, holder) in holders.iter_mut() {
            holder.forget(now, ask.window);
            // A process before this one may have sent by what it kept until just now.
            if holder.node == call.node && *name != call.holder && holder.keep > 0 {
                holder.used.push((holder.keep.max(holder.occupied()), now + ask.window));
                holder.keep = 0;
            }
        }
        let stale = |holder: &Holder| holder.asked + call.promise.max(ask.window) + SLACK < now;
        holders.retain(|_, holder| holder.occupied() > 0 || !stale(holder));
        let holders = &self.rates[&ask.key];
        let room = self.room(call, ask, holders, now);
        let target = target(call, ask, holders, room.capacity, now);
        let share = target.min(room.free);
        let floor = u64::from(ask.limit / call.members.max(1));
        let length = match share {
            0 => 0,
            share if share <= floor => ask.slice_max,
            share => {
                let long = (ask.window * 100 / share).clamp(ask.slice_max / 5, ask.slice_max);
                long.min(room.lent_until.saturating_sub(now))
            }
        };
        let again = if share < target { room.more_at.saturating_sub(now).clamp(AGAIN.0, AGAIN.1) } else { 0 };
        let mine = self.rates.get_mut(&ask.key).and_then(|holders| holders.get_mut(&call.holder));
        let mine = mine.expect("it was inserted above");
        let (keep, length) = (u64::from(ask.keep).min(floor), if share == 0 { 0 } else { length });
        mine.keep = mine.keep.min(keep).max(keep.min(share));
        if share > 0 {
            mine.slices.push((ask.sequence, share, now + length));
        }
        let narrow = |segments: u64| u32::try_from(segments).unwrap_or(u32::MAX);
        Outcome::Slice { share: narrow(share), length, keep: narrow(mine.keep), again }
    }

    fn room(&self, call: &Call, ask: &RateAsk, holders: &BTreeMap<String, Holder>, now: u64) -> Room {
        let (limit, floor) = (u64::from(ask.limit), u64::from(ask.limit / call.members.max(1)));
        let fresh = |holder: &Holder| holder.want > 0 && holder.asked + call.promise >= now;
        let (mut taken, mut kept, mut lent_until, mut known) = (0, 0, u64::MAX, 0);
        let mut nodes: BTreeMap<&str, (u64, u64, bool)> = BTreeMap::new();
        let mut more_at = u64::MAX;
        for (name, holder) in holders.iter().filter(|(name, _)| **name != call.holder) {
            let node = nodes.entry(&holder.node).or_default();
            node.0 += holder.occupied();
            node.1 += holder.keep;
            node.2 |= fresh(holder);
            more_at = holder.ends(ask.window).filter(|end| *end > now).fold(more_at, u64::min);
            debug_assert_ne!(*name, call.holder);
        }
        for (name, member) in self.members.iter().filter(|(name, _)| **name != call.node) {
            known += 1;
            let (occupied, keep, wants) = nodes.remove(name.as_str()).unwrap_or_default();
            let lends = member.until > now && member.since + ask.window + SLACK <= now;
            if lends || planted!(AbsentFloorsLent) {
                taken += occupied.max(keep);
                lent_until = lent_until.min(member.until);
                continue;
            }
            taken += occupied.max(keep).max(floor);
            more_at = if member.until > now { more_at.min(member.since + ask.window + SLACK) } else { more_at };
            kept += if wants { 0 } else { floor };
        }
        let (own, _, _) = nodes.remove(call.node.as_str()).unwrap_or_default();
        let unheard = nodes.values().map(|(occupied, keep, _)| *occupied.max(keep)).sum::<u64>();
        let unknown = u64::from(call.members).saturating_sub(1).saturating_sub(known) * floor;
        let unknown = if planted!(AbsentFloorsLent) { 0 } else { unknown };
        let free = limit.saturating_sub(taken + own + unheard.max(unknown));
        Room { free, capacity: limit.saturating_sub(kept + unknown), lent_until, more_at }
    }

    fn day(&mut self, call: &Call, ask: &DayAsk, now: u64) -> Outcome {
        if now + AHEAD < ask.begins || now >= ask.ends {
            return Outcome::Late;
        }
        let had = self.days.entry(ask.key.clone()).or_default();
        let mine = had.entry(call.node.clone()).or_default();
        *mine = (*mine).max(ask.had);
        let marked = self.members.values().filter(|member| member.marked == self.generation).count();
        let whole = self.generation + AHEAD < ask.begins || marked >= call.members as usize || planted!(DayGivenTwice);
        let used: u64 = had.values().sum();
        let left = u64::from(ask.limit).saturating_sub(used);
        let open_left = u64::from(ask.open).saturating_sub(used).min(left);
        let (want, need) = (u64::from(ask.want), u64::from(ask.need));
        // Near the end parts become small, so that nobody sits on what another needs.
        let part = want.min(left / (4 * u64::from(call.members.max(1)))).max(need);
        let of = if ask.open_only { open_left } else { left };
        let alone = need > u64::from(ask.limit) && used == 0 && ask.limit > 0;
        let granted = match part {
            _ if !whole || want == 0 => 0,
            _ if alone => need,
            part if part > of => 0,
            part => part,
        };
        let mine = had.entry(call.node.clone()).or_default();
        *mine += granted;
        let narrow = |segments: u64| u32::try_from(segments).unwrap_or(u32::MAX);
        let (granted, open) = (narrow(granted), narrow(granted.min(open_left)));
        Outcome::Part { granted, open, had: *mine, used: used + u64::from(granted), whole }
    }

    /// All is lost, as after a restart of an empty server.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Every holder's share of a level at this time, the server's reading.
    pub fn occupied(&self, key: &str) -> u64 {
        self.rates.get(key).map_or(0, |holders| holders.values().map(Holder::occupied).sum())
    }
}

/// What this holder should have: equal parts, and what some do not want for the others. A text that is larger than its
/// part goes first, the one that has waited longest.
fn target(call: &Call, ask: &RateAsk, holders: &BTreeMap<String, Holder>, capacity: u64, now: u64) -> u64 {
    let mut wants: Vec<(u64, &str)> = holders
        .iter()
        .filter(|(_, holder)| holder.asked + call.promise >= now)
        .map(|(name, holder)| (holder.want.max(holder.need).min(u64::from(ask.limit)), name.as_str()))
        .collect();
    wants.sort_unstable();
    let even = parts(&wants, capacity);
    let needy = holders
        .iter()
        .filter(|(name, holder)| even.iter().any(|(part, other)| other == name && holder.need.min(capacity) > *part));
    let Some((name, holder)) = needy.min_by_key(|(name, holder)| (holder.need_since, *name)) else {
        return part_of(&even, &call.holder);
    };
    let need = holder.need.min(capacity);
    if *name == call.holder {
        return need;
    }
    wants.retain(|(_, other)| other != name);
    part_of(&parts(&wants, capacity - need), &call.holder)
}

fn part_of(parts: &[(u64, &str)], holder: &str) -> u64 {
    parts.iter().find(|(_, name)| *name == holder).map_or(0, |(part, _)| *part)
}

fn parts<'n>(wants: &[(u64, &'n str)], mut left: u64) -> Vec<(u64, &'n str)> {
    let count = wants.len() as u64;
    let part = |(at, (want, name)): (usize, &(u64, &'n str))| {
        let part = (*want).min(left / (count - at as u64));
        left -= part;
        (part, *name)
    };
    wants.iter().enumerate().map(part).collect()
}

/// A server of shared limits in this process.
pub struct MemoryGrants {
    table: Mutex<GrantTable>,
    clock: Arc<dyn Clock>,
}

impl MemoryGrants {
    /// Knows nothing yet. Its time is this clock's.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { table: Mutex::default(), clock }
    }
}

#[async_trait]
impl Grants for MemoryGrants {
    async fn ask(&self, call: &Call, ask: &Ask) -> Result<Reply, GrantsError> {
        Ok(lock(&self.table).ask(call, ask, self.clock.now().0))
    }
}
