//! All that is not the engine: time, chance, what is durable, the judge, and the step at which the machine dies.

use std::{
    collections::{BTreeMap, VecDeque},
    future::pending,
    hash::{DefaultHasher, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use schema::time::Stamp;
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use super::{carrier::Books, dice::Dice, edge::Net, keys::KeyTable, log::Logs, model::Model, plan::Plan, views::Saved};
use crate::ports::{Clock, Ids};

/// Lines of the trace that are kept for the report of a failing seed.
const KEPT: usize = 60;
/// More steps than any run takes: one that takes more runs in a circle.
const STEPS_MAX: u64 = 400_000;

/// Something that will happen in the world by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// Contacts and operators do something.
    Act,
    /// A webhook is delivered.
    Deliver(usize),
    /// An operator's request is made.
    Ask(usize),
    /// A status callback is delivered.
    Report(usize),
    /// The machine loses power.
    Die,
    /// The process is asked to end.
    Drain,
}

/// The world. One thread; locks are never held over an await.
pub(super) struct World {
    state: Mutex<State>,
    over: Notify,
}

/// Everything in it.
pub(super) struct State {
    pub(super) dice: Dice,
    pub(super) plan: Plan,
    /// Whether nothing goes wrong any more, or not yet.
    pub(super) calm: bool,
    pub(super) life: u32,
    up: bool,
    steps: u64,
    dies_at: Option<u64>,
    began: Option<Instant>,
    before: Duration,
    wall: i64,
    made: u64,
    pub(super) trace: Trace,
    pub(super) broken: Option<String>,
    agenda: BTreeMap<(Duration, u64), Happening>,
    /// The end of this time: of trouble, or of calm.
    pub(super) until: Duration,
    pub(super) model: Model,
    pub(super) logs: Logs,
    pub(super) saved: Saved,
    pub(super) keys: KeyTable,
    pub(super) books: Books,
    pub(super) net: Net,
}

/// What happened, as a hash and as its last lines.
#[derive(Default)]
pub(super) struct Trace {
    hasher: DefaultHasher,
    pub(super) lines: VecDeque<String>,
    pub(super) whole: bool,
}

impl Trace {
    fn add(&mut self, line: String) {
        self.hasher.write(line.as_bytes());
        self.hasher.write_u8(b'\n');
        self.lines.push_back(line);
        if !self.whole && self.lines.len() > KEPT {
            self.lines.pop_front();
        }
    }

    /// For people only: it is not part of what must be the same.
    pub(super) fn aside(&mut self, line: String) {
        self.lines.push_back(line);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.write(bytes);
    }

    pub(super) fn hash(&self) -> u64 {
        self.hasher.finish()
    }
}

impl World {
    pub(super) fn of(seed: u64, whole: bool) -> Arc<Self> {
        let mut dice = Dice::of(seed);
        let plan = Plan::of(&mut dice);
        let model = Model::new(&plan);
        let state = State {
            dice,
            model,
            plan,
            calm: true,
            life: 0,
            up: false,
            steps: 0,
            dies_at: None,
            began: None,
            before: Duration::ZERO,
            wall: 0,
            made: 0,
            trace: Trace { whole, ..Trace::default() },
            broken: None,
            agenda: BTreeMap::new(),
            until: Duration::ZERO,
            logs: Logs::default(),
            saved: Saved::default(),
            keys: KeyTable::default(),
            books: Books::default(),
            net: Net::default(),
        };
        Arc::new(Self { state: Mutex::new(state), over: Notify::new() })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when this life is over: the machine died, or a promise is broken.
    pub(super) async fn is_over(&self) {
        self.over.notified().await;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state().broken.is_some()
    }

    /// The machine loses power now.
    pub(super) fn kill(&self) {
        self.state().die();
        self.over.notify_one();
    }

    /// One step of a life, and what it takes; at one of them the machine dies. A dead machine does nothing more.
    pub(super) async fn step(&self, life: u32, what: &str, most_ms: u64) {
        let wait = {
            let state = &mut *self.state();
            if state.pass(life, what) { Some(state.dice.delay(most_ms)) } else { None }
        };
        match wait {
            None => {
                self.over.notify_one();
                pending().await
            }
            Some(Duration::ZERO) => tokio::task::yield_now().await,
            Some(wait) => tokio::time::sleep(wait).await,
        }
        if !self.state().is_up(life) {
            self.over.notify_one();
            pending().await
        }
    }

    /// Looks at the world and perhaps changes it, in a life that is still lived; a promise that is broken ends it.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut State) -> Result<T, String>) -> Option<T> {
        let state = &mut *self.state();
        match look(state) {
            Ok(seen) => Some(seen),
            Err(broken) => {
                state.convict(broken);
                self.over.notify_one();
                None
            }
        }
    }
}

impl State {
    /// Time since the beginning of the world; it passes also while no engine lives.
    pub(super) fn now(&self) -> Duration {
        self.before + self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }

    /// As every clock but the engine's shows it.
    pub(super) fn true_wall(&self) -> Stamp {
        self.plan.epoch.plus(self.now())
    }

    /// As the engine's machine shows it.
    pub(super) fn wall(&self) -> Stamp {
        Stamp(self.true_wall().0.saturating_add_signed(self.wall))
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn is_up(&self, life: u32) -> bool {
        self.up && self.life == life && self.broken.is_none()
    }

    /// A line of the trace.
    pub(super) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        let line = format!("{:>12.6} {:>2} {:>6} {what}", self.now().as_secs_f64(), self.life, self.steps);
        self.trace.add(line);
    }

    pub(super) fn convict(&mut self, broken: String) {
        if self.broken.is_none() {
            self.note(format_args!("BROKEN {broken}"));
            self.broken = Some(broken);
        }
    }

    /// Takes one step; `false`: the machine is dead.
    fn pass(&mut self, life: u32, what: &str) -> bool {
        if !self.is_up(life) {
            return false;
        }
        self.steps += 1;
        self.note(format_args!("{what}"));
        if self.steps > STEPS_MAX {
            self.convict(format!("after {STEPS_MAX} steps there is no end"));
        }
        if let Some(panic) = super::life::panicked() {
            self.convict(format!("the engine panicked: {panic}"));
        }
        if self.dies_at.is_some_and(|at| self.steps >= at) {
            self.die();
        }
        self.is_up(life)
    }

    pub(super) fn die(&mut self) {
        self.note(format_args!("the machine dies"));
        self.up = false;
        self.dies_at = None;
    }

    /// A machine starts.
    pub(super) fn begin(&mut self) -> u32 {
        self.life += 1;
        self.up = true;
        self.began = Some(Instant::now());
        self.life
    }

    /// From here on things go wrong.
    pub(super) fn unleash(&mut self) {
        self.calm = false;
        let next = (!self.plan.deaths.is_empty()).then(|| self.plan.deaths.remove(0));
        self.dies_at = next.map(|steps| self.steps + steps);
    }

    /// It does not die any more.
    pub(super) fn forgive(&mut self) {
        self.dies_at = None;
    }

    pub(super) fn forget_plans(&mut self, which: impl Fn(&Happening) -> bool) {
        self.agenda.retain(|_, what| !which(what));
    }

    /// The machine is off for a while.
    pub(super) fn end(&mut self, off: Duration) {
        self.before = self.now() + off;
        self.began = None;
        self.up = false;
        self.dies_at = None;
    }

    pub(super) fn step_clock(&mut self, seconds: i64) {
        self.wall = seconds * 1_000_000;
        self.note(format_args!("the clock is {seconds} s off"));
    }

    pub(super) fn plan_at(&mut self, at: Duration, what: Happening) {
        self.made += 1;
        self.agenda.insert((at, self.made), what);
    }

    pub(super) fn plan_in(&mut self, wait: Duration, what: Happening) {
        let at = self.now() + wait;
        self.plan_at(at, what);
    }

    /// What is due, or when the next thing is.
    pub(super) fn due(&mut self) -> Result<Happening, Option<Duration>> {
        let now = self.now();
        match self.agenda.first_entry() {
            Some(entry) if entry.key().0 <= now => Ok(entry.remove()),
            Some(entry) => Err(Some(entry.key().0 - now)),
            None => Err(None),
        }
    }

    /// An id as the system's own would be: ordered by time.
    pub(super) fn uuid(&mut self) -> Uuid {
        self.made += 1;
        let head = (u128::from(self.wall().as_millis()) << 80) | (7 << 76) | (u128::from(self.made & 0xfff) << 64);
        Uuid::from_u128(head | (2 << 62) | u128::from(self.dice.next() >> 2))
    }
}

/// The clock of the engine's machine.
pub(super) struct SimulatedClock(pub(super) Arc<World>);

impl Clock for SimulatedClock {
    fn now(&self) -> Stamp {
        self.0.state().wall()
    }

    fn monotonic(&self) -> Duration {
        self.0.state().now()
    }
}

/// Its randomness.
pub(super) struct SimulatedIds(pub(super) Arc<World>);

impl Ids for SimulatedIds {
    fn uuid(&self) -> Uuid {
        self.0.state().uuid()
    }

    fn random(&self) -> u64 {
        self.0.state().dice.next()
    }
}
