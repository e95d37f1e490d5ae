//! This node's parts of limits that several nodes send under: what it holds, when it asks for more, and what it may send
//! when nobody answers. Pure: the questions are asked, and the answers brought, by `keeper`.
//!
//! - **Here**: the server answers. The node sends by its slices, and has promised not to use its floors.
//! - **Away**: no answer. It sends by its slices until they end, and by what it was told it may keep. When its last promise
//!   is over by any clock, and a window after it, it sends by its floors: the limit divided by the configured members.
//!
//! Knows nothing of meters, lanes and Redis.

mod days;
mod lease;
#[cfg(test)]
mod simulation;

use std::{collections::HashMap, time::Duration};

use schema::{ids::AccountId, queue::PaceStanding, time::Stamp};
use sha2::{Digest, Sha256};

use crate::ports::{Ask, Call, Outcome, Reply, SLACK};

pub use days::DayMark;
pub(super) use days::{DayLevel, DayNeed, DayParts};
use lease::Lease;
pub(super) use lease::Used;

/// Waits between questions whether the server is there, microseconds.
const PROBE: (u64, u64) = (100_000, 1_000_000);
/// While nobody answers a lane looks again after this.
const LOOK_AWAY: u64 = 250_000;
/// By how much two clocks may have drifted apart before one was set: a thousandth, and this.
const STEP: u64 = 10_000;

/// How limits are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedOptions {
    /// This node, the same after a restart.
    pub node: String,
    /// This process.
    pub holder: String,
    /// Configured members.
    pub members: u32,
    /// Longest slice.
    pub slice_max: Duration,
    /// An answer that takes longer is none.
    pub answer_within: Duration,
}

impl SharedOptions {
    fn slice(&self) -> u64 {
        u64::try_from(self.slice_max.as_micros()).unwrap_or(u64::MAX / 8)
    }

    fn within(&self) -> u64 {
        u64::try_from(self.answer_within.as_micros()).unwrap_or(u64::MAX / 8)
    }

    /// For so long a node promises not to use its floors.
    fn promise(&self) -> u64 {
        self.slice() * 3 / 2
    }
}

/// A level that nodes share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum LevelKey {
    Account(AccountId),
    Campaign(String),
}

impl LevelKey {
    /// What it is called at the server: an id of ours, or a hash of the name.
    fn name(&self) -> String {
        match self {
            Self::Account(account) => format!("account:{account}"),
            Self::Campaign(name) => format!("campaign:{}", hashed(&[name])),
        }
    }
}

fn hashed(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What a question was about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    Nothing { promised: bool },
    Rate(LevelKey, u64),
    Day(Option<DayLevel>),
}

/// A question to be asked now.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) call: Call,
    pub(super) ask: Ask,
    pub(super) asked: u64,
    about: About,
}

/// How this node stands with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It answers.
    Here,
    /// It does not, or knows too little: slices run out, then floors.
    Away,
}

/// What the last answer said of the server's clock.
#[derive(Debug, Clone, Copy)]
struct Link {
    server: u64,
    asked: u64,
    received: u64,
    generation: u64,
}

impl Link {
    /// The server's time is in between.
    fn between(&self, from: u64, until: u64) -> (u64, u64) {
        let drift = |passed: u64| passed / 1_000 + STEP;
        let long = until.saturating_sub(self.asked);
        // Questions overlap: this one may have been answered before that.
        let before = self.received.saturating_sub(from);
        let short = from.saturating_sub(self.received);
        let least = (self.server + short).saturating_sub(before + drift(short.max(before)));
        (least, self.server + long + drift(long))
    }
}

/// All of it.
#[derive(Debug)]
pub(super) struct Shares {
    options: SharedOptions,
    standing: Standing,
    link: Option<Link>,
    /// The next question that is about nothing else.
    beat_at: u64,
    beating: bool,
    probe_wait: u64,
    /// The clock of the server was set: the next question says so.
    reset: bool,
    /// When the last question with a promise was asked; at first: when this process started, for the one before it.
    promised: u64,
    sequence: u64,
    /// The generation that the node was last here in.
    generation: u64,
    hurried: bool,
    levels: HashMap<LevelKey, Lease>,
    days: DayParts,
    sweep_at: usize,
}

impl Shares {
    pub(super) fn new(options: SharedOptions, now: u64) -> Self {
        Self {
            options,
            standing: Standing::Away,
            link: None,
            beat_at: now,
            beating: false,
            probe_wait: PROBE.0,
            reset: false,
            promised: now,
            sequence: 0,
            generation: 0,
            hurried: false,
            levels: HashMap::new(),
            days: DayParts::default(),
            sweep_at: 1_024,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    /// How some levels stand together: the worst of them counts.
    pub(super) fn standing_of(&self, keys: &[LevelKey], now: u64) -> PaceStanding {
        if self.standing == Standing::Away {
            return PaceStanding::Degraded;
        }
        let used: Vec<&Lease> = keys.iter().filter_map(|key| self.levels.get(key)).filter(|it| !it.idle(now)).collect();
        match used.as_slice() {
            [] => PaceStanding::Idle,
            used if used.iter().any(|lease| lease.share(0, now) == 0) => PaceStanding::Waiting,
            _ => PaceStanding::Granted,
        }
    }

    /// Levels in use: granted, waiting, degraded.
    pub(super) fn census(&self, now: u64) -> [usize; 3] {
        let used = self.levels.values().filter(|lease| !lease.idle(now));
        let (granted, waiting): (Vec<&Lease>, Vec<&Lease>) = used.partition(|lease| lease.share(0, now) > 0);
        match self.standing {
            Standing::Here => [granted.len(), waiting.len(), 0],
            Standing::Away => [0, 0, granted.len() + waiting.len()],
        }
    }

    pub(super) fn days(&mut self) -> &mut DayParts {
        &mut self.days
    }

    /// Segments of a day that anybody may have sent, as last heard.
    pub(super) fn used_of_day(&self, level: &DayLevel) -> u64 {
        self.days.used(level)
    }

    /// Whether what was had before this process is known.
    pub(super) fn days_are_counted(&self) -> bool {
        self.days.is_counted()
    }

    /// Segments in a window of this level that may leave now; and when to look again if that is too little.
    pub(super) fn share(&mut self, key: &LevelKey, limit: u32, window: u64, now: u64) -> (u32, u64) {
        let floor = self.floor(limit, window, now);
        let lease = match self.levels.get_mut(key) {
            Some(lease) => lease,
            None => self.levels.entry(key.clone()).or_insert_with(|| Lease::new(limit, window, now)),
        };
        self.hurried |= lease.touch(limit, window, now);
        let look_at = if self.standing == Standing::Away { now + LOOK_AWAY } else { lease.look_at(now) };
        (lease.share(floor, now), look_at)
    }

    /// A text of this level was refused for want of a larger share.
    pub(super) fn refuse(&mut self, key: &LevelKey, need: u32) {
        if let Some(lease) = self.levels.get_mut(key) {
            self.hurried |= lease.refuse(need);
        }
    }

    /// Whether a question has come nearer since this was asked.
    pub(super) fn take_hurried(&mut self) -> bool {
        std::mem::take(&mut self.hurried)
    }

    /// Whether so much of a day may leave; else when to look again, none: it is used up.
    pub(super) fn day_fits(&mut self, level: &DayLevel, need: DayNeed, now: u64) -> Result<(), Option<u64>> {
        let fits = self.days.fits(level, need, now);
        self.hurried |= fits.is_err();
        match self.standing {
            Standing::Here => fits,
            Standing::Away => fits.map_err(|at| at.map(|at| at.max(now + LOOK_AWAY))),
        }
    }

    /// What may be sent without a word from the server; nothing while another may have it.
    fn floor(&self, limit: u32, window: u64, now: u64) -> u32 {
        let over = self.promised + self.options.within() + self.options.promise() * 1_002 / 1_000 + window + SLACK;
        match self.standing {
            Standing::Here => 0,
            Standing::Away if now < over && !planted!(FloorAtOnce) => 0,
            Standing::Away if planted!(MinorityTakesAll) => limit,
            Standing::Away => limit / self.options.members.max(1),
        }
    }

    /// Whether, when it asks, a level has what it may use of the server's time; the date of days.
    pub(super) fn wall(&self, now: u64) -> Option<Stamp> {
        let link = self.link?;
        Some(Stamp(link.server + now.saturating_sub(link.received)))
    }

    /// The questions to be asked now, of rates at most so many. `used` says what has left of a level.
    pub(super) fn due(&mut self, now: u64, most: usize, mut used: impl FnMut(&LevelKey, u64) -> Used) -> Vec<Question> {
        if self.standing == Standing::Away {
            return self.probe(now).into_iter().collect();
        }
        let mut questions = Vec::new();
        let due: Vec<LevelKey> =
            self.levels.iter().filter(|(_, lease)| is_due(lease, now)).map(|(key, _)| key.clone()).take(most).collect();
        for key in due {
            self.sequence += 1;
            let (sequence, members, slice) = (self.sequence, self.options.members, self.options.slice());
            let Some(lease) = self.levels.get_mut(&key) else { continue };
            let ask = lease.ask(key.name(), members, slice, used(&key, lease.window), (sequence, now));
            questions.push(self.question(Ask::Rate(ask), About::Rate(key, sequence), now));
        }
        let generation = self.link.map_or(0, |link| link.generation);
        for (level, ask) in self.days.due(generation, now) {
            questions.push(self.question(Ask::Day(ask), About::Day(level), now));
        }
        let mark = self.days.mark(generation);
        if !self.beating && (now >= self.beat_at || mark.is_some()) {
            let marked = mark.unwrap_or_else(|| self.days.marked());
            self.beating = true;
            questions.push(self.question(Ask::Beat { marked, reset: false }, About::Nothing { promised: true }, now));
        }
        self.sweep(now);
        questions
    }

    /// When [`Shares::due`] has something next.
    pub(super) fn next_due(&self) -> u64 {
        if self.standing == Standing::Away {
            return if self.beating { u64::MAX } else { self.beat_at };
        }
        let beat = if self.beating { u64::MAX } else { self.beat_at };
        let levels = self.levels.values().filter(|lease| !lease.in_flight).map(|lease| lease.ask_at);
        levels.chain([beat, self.days.next_due()]).min().unwrap_or(u64::MAX)
    }

    /// An answer, or that none came in time.
    pub(super) fn answered(&mut self, question: &Question, reply: Option<Reply>, now: u64) {
        if let About::Nothing { .. } = question.about {
            self.beating = false;
        }
        let late = now.saturating_sub(question.asked) > self.options.within() && !planted!(SliceFromArrival);
        let Some(reply) = reply.filter(|_| !late) else {
            self.left_alone(question, now);
            return;
        };
        if self.stepped(question, &reply, now) {
            self.reset = true;
            self.link = None;
            self.left_alone(question, now);
            return;
        }
        let before = self.link.replace(Link {
            server: reply.now,
            asked: question.asked,
            received: now,
            generation: reply.generation,
        });
        match &question.about {
            About::Nothing { promised } => self.beaten(*promised, reply.outcome, now),
            About::Rate(key, sequence) => {
                if let Some(lease) = self.levels.get_mut(key) {
                    lease.answered(*sequence, reply.outcome, question.asked, now);
                }
            }
            About::Day(level) => {
                let Ask::Day(ask) = &question.ask else { return };
                let over = question.asked + ask.ends.saturating_sub(reply.now);
                self.days.answered(level.as_ref(), ask, reply, over, now);
            }
        }
        if before.is_some_and(|before| before.generation != reply.generation) {
            self.standing = Standing::Away;
            self.beat_at = now;
        }
    }

    fn beaten(&mut self, promised: bool, outcome: Outcome, now: u64) {
        match outcome {
            Outcome::Here if !promised => {
                // From here on the floors are others', and what may be kept is only what the server still knows of.
                self.standing = Standing::Here;
                let generation = self.link.map_or(0, |link| link.generation);
                let same = std::mem::replace(&mut self.generation, generation) == generation;
                let known = if same { now.saturating_sub(self.options.promise() / 2) } else { u64::MAX };
                self.levels.values_mut().for_each(|lease| lease.resume(known, now));
                (self.beat_at, self.probe_wait) = (now, PROBE.0);
            }
            Outcome::Here => self.beat_at = now + self.options.promise() / 2,
            Outcome::Unsettled { left } => {
                self.standing = Standing::Away;
                self.beat_at = now + left.min(PROBE.1);
            }
            _ => self.beat_at = now + PROBE.0,
        }
    }

    fn left_alone(&mut self, question: &Question, now: u64) {
        // Until it is known to have been heard, it is said again: or slices would be counted by a clock that was set.
        self.reset |= matches!(question.ask, Ask::Beat { reset: true, .. });
        match &question.about {
            About::Rate(key, _) => {
                if let Some(lease) = self.levels.get_mut(key) {
                    lease.lost(now);
                }
            }
            About::Day(level) => {
                if let Ask::Day(ask) = &question.ask {
                    self.days.lost(level.as_ref(), ask, now);
                }
            }
            About::Nothing { .. } => {}
        }
        if self.standing == Standing::Here {
            (self.standing, self.probe_wait) = (Standing::Away, PROBE.0);
        }
        self.beat_at = now + self.probe_wait;
        self.probe_wait = (self.probe_wait * 2).min(PROBE.1);
    }

    /// Asks whether the server is there, without a promise: who promises while nobody answers never gets to its floors.
    fn probe(&mut self, now: u64) -> Option<Question> {
        if self.beating || now < self.beat_at {
            return None;
        }
        self.beating = true;
        let ask = Ask::Beat { marked: 0, reset: std::mem::take(&mut self.reset) };
        let mut question = self.question(ask, About::Nothing { promised: false }, now);
        question.call.promise = 0;
        Some(question)
    }

    fn question(&mut self, ask: Ask, about: About, now: u64) -> Question {
        let promised = !matches!(about, About::Nothing { promised: false });
        if promised {
            self.promised = now;
            self.beat_at = now + self.options.promise() / 2;
        }
        // So that a question that lies about somewhere is not carried out when nobody counts on it any more.
        let between = self.link.filter(|_| promised).map(|link| {
            let (from, _) = link.between(now, now);
            (from, from + self.options.within())
        });
        let call = Call {
            node: self.options.node.clone(),
            holder: self.options.holder.clone(),
            between,
            generation: self.link.filter(|_| promised).map_or(0, |link| link.generation),
            promise: self.options.promise(),
            settle: self.options.promise() + self.options.within(),
            members: self.options.members,
        };
        Question { call, ask, asked: now, about }
    }

    /// Whether the server's clock does not show what it should.
    fn stepped(&self, question: &Question, reply: &Reply, now: u64) -> bool {
        self.link.is_some_and(|link| {
            let (from, until) = link.between(question.asked, now);
            !(from..=until).contains(&reply.now) && !planted!(ServerClockTrusted)
        })
    }

    fn sweep(&mut self, now: u64) {
        if self.levels.len() >= self.sweep_at {
            self.levels.retain(|_, lease| !lease.is_over(now));
            self.sweep_at = (self.levels.len() * 2).max(1_024);
        }
    }
}

fn is_due(lease: &Lease, now: u64) -> bool {
    !lease.in_flight && now >= lease.ask_at
}
