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
    /// Something befalls a node, or what is between nodes.
    Trouble,
    /// Every node reaches every other again.
    Heal,
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
    /// The newest life.
    pub(super) life: u32,
    /// Lives that are lived, and until when each of them stands still.
    up: BTreeMap<u32, Duration>,
    /// How far a life's own clock is off, in seconds.
    skews: BTreeMap<u32, i64>,
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
    /// With one node after the other.
    pub(super) fn of(seed: u64, whole: bool) -> Arc<Self> {
        let mut dice = Dice::of(seed);
        let plan = Plan::of(&mut dice);
        Self::planned(plan, dice, whole)
    }

    /// With several nodes at once.
    pub(super) fn of_nodes(seed: u64, whole: bool) -> Arc<Self> {
        let mut dice = Dice::of(seed);
        let plan = Plan::of(&mut dice).of_nodes(&mut dice);
        Self::planned(plan, dice, whole)
    }

    fn planned(plan: Plan, dice: Dice, whole: bool) -> Arc<Self> {
        let model = Model::new(&plan);
        let state = State {
            dice,
            model,
            plan,
            calm: true,
            life: 0,
            up: BTreeMap::new(),
            skews: BTreeMap::new(),
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
    pub(super) async fn is_over(&self, life: u32) {
        loop {
            let over = self.over.notified();
            if !self.state().is_up(life) {
                return;
            }
            over.await;
        }
    }

    /// Returns when this life does not stand still.
    pub(super) async fn moves(&self, life: u32) {
        loop {
            let left = self.state().stands_for(life);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state().broken.is_some()
    }

    /// A machine loses power now.
    pub(super) fn kill(&self, life: u32) {
        self.state().die(life);
        self.over.notify_waiters();
    }

    /// One step of a life, and what it takes; at one of them the machine dies. A dead machine does nothing more.
    pub(super) async fn step(&self, life: u32, what: &str, most_ms: u64) {
        let wait = {
            let state = &mut *self.state();
            if state.pass(life, what) { Some(state.dice.delay(most_ms)) } else { None }
        };
        match wait {
            None => {
                self.over.notify_waiters();
                pending().await
            }
            Some(Duration::ZERO) => tokio::task::yield_now().await,
            Some(wait) => tokio::time::sleep(wait).await,
        }
        self.moves(life).await;
        if !self.state().is_up(life) {
            self.over.notify_waiters();
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
                self.over.notify_waiters();
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

    /// As the machine of one life shows it.
    pub(super) fn wall_of(&self, life: u32) -> Stamp {
        let skew = self.skews.get(&life).map_or(0, |seconds| seconds * 1_000_000);
        Stamp(self.wall().0.saturating_add_signed(skew))
    }

    /// From here on the clock of one life's machine is off.
    pub(super) fn skew(&mut self, life: u32, seconds: i64) {
        self.skews.insert(life, seconds);
        self.note_of(life, format_args!("its clock is {seconds} s off"));
    }

    /// Every clock is right again.
    pub(super) fn set_clocks(&mut self) {
        self.skews.clear();
        self.step_clock(0);
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn is_up(&self, life: u32) -> bool {
        self.up.contains_key(&life) && self.broken.is_none()
    }

    /// It does nothing for a while, and does not know it.
    pub(super) fn stand_still(&mut self, life: u32, time: Duration) {
        let until = self.now() + time;
        if let Some(stands) = self.up.get_mut(&life) {
            *stands = until;
            self.note(format_args!("life {life} stands still for {time:?}"));
        }
    }

    /// Nobody stands still any more.
    pub(super) fn go_on(&mut self) {
        self.up.values_mut().for_each(|until| *until = Duration::ZERO);
    }

    pub(super) fn stands_for(&self, life: u32) -> Duration {
        self.up.get(&life).map_or(Duration::ZERO, |until| until.saturating_sub(self.now()))
    }

    /// A line of the trace.
    pub(super) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.note_of(self.life, what);
    }

    fn note_of(&mut self, life: u32, what: std::fmt::Arguments<'_>) {
        let line = format!("{:>12.6} {life:>2} {:>6} {what}", self.now().as_secs_f64(), self.steps);
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
        self.note_of(life, format_args!("{what}"));
        if self.steps > STEPS_MAX {
            self.convict(format!("after {STEPS_MAX} steps there is no end"));
        }
        if let Some(panic) = super::life::panicked() {
            self.convict(format!("the engine panicked: {panic}"));
        }
        if self.dies_at.is_some_and(|at| self.steps >= at) {
            self.die(life);
        }
        self.is_up(life)
    }

    pub(super) fn die(&mut self, life: u32) {
        if self.up.remove(&life).is_some() {
            self.note_of(life, format_args!("the machine dies"));
            self.dies_at = None;
        }
    }

    /// A machine starts.
    pub(super) fn begin(&mut self) -> u32 {
        self.life += 1;
        self.up.insert(self.life, Duration::ZERO);
        self.began.get_or_insert_with(Instant::now);
        self.life
    }

    /// From here on things go wrong.
    pub(super) fn unleash(&mut self) {
        self.calm = false;
        self.arm();
    }

    /// The next death, if there is one left.
    pub(super) fn arm(&mut self) {
        let next = (!self.plan.deaths.is_empty()).then(|| self.plan.deaths.remove(0));
        self.dies_at = next.map(|steps| self.steps + steps);
    }

    /// It does not die any more.
    pub(super) fn forgive(&mut self) {
        self.dies_at = None;
        self.plan.deaths.clear();
    }

    pub(super) fn forget_plans(&mut self, which: impl Fn(&Happening) -> bool) {
        self.agenda.retain(|_, what| !which(what));
    }

    /// The machine is off for a while.
    pub(super) fn end(&mut self, off: Duration) {
        self.before = self.now() + off;
        self.began = None;
        self.up.clear();
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
pub(super) struct SimulatedClock {
    pub(super) world: Arc<World>,
    pub(super) life: u32,
}

impl Clock for SimulatedClock {
    fn now(&self) -> Stamp {
        self.world.state().wall_of(self.life)
    }

    fn monotonic(&self) -> Duration {
        self.world.state().now()
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
