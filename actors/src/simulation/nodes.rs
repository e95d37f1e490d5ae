//! Several nodes over one world: each dies at any step, stands still without knowing it, is cut off, has a clock of its own
//! that is off, gives its tenants away, and comes back under its name. The store and the pace are what they share, as CQL and Redis are.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use schema::{
    ids::{AccountId, NodeId},
    queue::PaceStanding,
    settings::LimitSettings,
    time::Stamp,
};
use tokio::sync::Notify;

use super::{
    edge::make,
    end::{everything_ends, views_hold_what_the_log_says},
    life::{Machine, Verdict, judge, limiter, play, time_of_its_own},
    links::Links,
    plan::TENANTS,
    sessions::{self, Doors},
    world::{Happening, World},
};
use crate::{
    cluster::{ClusterOptions, Joined},
    engine::Engine,
    pace::LocalLimiter,
    ports::{Admission, DayUse, Limiter, PaceRequest},
};

/// Nodes of every such world.
const NODES: usize = 3;
/// Longer than it takes to start and to register two tenants while nothing goes wrong.
const FURNISHED_WITHIN: Duration = Duration::from_secs(300);
/// Until a node that is given nothing asks again.
const LATER: Duration = Duration::from_secs(1);
/// How far a node's clock may be off, either way, in seconds.
const SKEW_S: u64 = 300;
/// For a node to give its tenants away.
const GIVEN_WITHIN: Duration = Duration::from_secs(10);

/// Plays a seed over several nodes.
pub(super) fn run(seed: u64, whole: bool) -> Verdict {
    let world = World::of_nodes(seed, whole);
    judge(&world, seed, || {
        let (runtime, local) = time_of_its_own();
        local.block_on(&runtime, lead(&world));
    })
}

async fn lead(world: &Arc<World>) {
    // A life of the world's own: it ends when a promise is broken.
    let life = world.state().begin();
    let fleet = Rc::new(Fleet::new(world.clone(), life));
    tokio::select! {
        biased;
        () = world.is_over(life) => {}
        () = fleet.lead() => {}
    }
}

fn name(number: usize) -> NodeId {
    NodeId::new(&format!("node-{number}")).expect("a slug")
}

/// The nodes, and who sees to them.
struct Fleet {
    world: Arc<World>,
    /// Nobody's: it stands for the judge.
    life: u32,
    links: Arc<Links>,
    doors: Doors,
    pace: Arc<LocalLimiter>,
    leave: [Notify; NODES],
    /// Nobody comes back any more.
    closing: Cell<bool>,
}

impl Fleet {
    fn new(world: Arc<World>, life: u32) -> Self {
        let pace = Arc::new(limiter(&world, life));
        let links = Links::new(world.clone());
        Self { world, life, links, doors: Doors::default(), pace, leave: Default::default(), closing: Cell::default() }
    }

    async fn lead(self: Rc<Self>) {
        for number in 0..NODES {
            tokio::task::spawn_local(self.clone().keep(number));
        }
        let judges = Machine::beside_others(self.world.clone(), self.life);
        if tokio::time::timeout(FURNISHED_WITHIN, self.furnish(&judges)).await.is_err() {
            let never = "P8: what is asked for in calm is never done".to_owned();
            self.world.with(|_| Err::<(), _>(never));
            return;
        }
        self.world.state().open_for_nodes();
        let happens = |what| self.clone().happens(what);
        play(&self.world, happens).await;
        self.world.state().calm_down();
        self.world.state().go_on();
        self.links.heal();
        self.world.state().note(format_args!("it is calm"));
        judges.unpause(&self.doors).await;
        self.world.state().note(format_args!("nothing is held back"));
        play(&self.world, happens).await;
        everything_ends(&self.world, happens).await;
        self.closing.set(true);
        for (_, engine) in self.doors.all() {
            engine.drain(Duration::from_secs(30)).await;
        }
        for number in 0..TENANTS {
            let looked = views_hold_what_the_log_says(&judges, number).await;
            self.world.with(|_| looked);
        }
    }

    /// All nodes serve, and their tenants are there.
    async fn furnish(&self, judges: &Machine) {
        while self.doors.all().len() < NODES {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        sessions::start(&self.world, &self.doors);
        judges.furnish(&self.doors).await;
    }

    /// One node, life after life.
    async fn keep(self: Rc<Self>, number: usize) {
        while !self.closing.get() && !self.world.is_broken() {
            let life = self.world.state().begin();
            tokio::select! {
                biased;
                () = self.world.is_over(life) => {}
                () = self.serve(number, life) => {}
            }
            self.doors.close(life);
            self.links.leave(&name(number));
            let off = {
                let state = &mut *self.world.state();
                state.tear_node(&name(number));
                state.die(life);
                state.hang_up(life);
                if !state.calm {
                    state.arm();
                }
                let most = if state.dice.permille(800) { 3_000 } else { 15_000 };
                state.dice.delay(most)
            };
            tokio::time::sleep(off).await;
        }
    }

    async fn serve(&self, number: usize, life: u32) {
        self.clock_is_off(life);
        let machine = Machine::beside_others(self.world.clone(), life);
        let pace = SharedPace { world: self.world.clone(), life, pace: self.pace.clone() };
        let setup = machine.setup(name(number).as_str(), Arc::new(pace), Vec::new());
        let options = ClusterOptions {
            confirm_within: Duration::from_secs(2),
            suspect_after: Duration::from_millis(500),
            answer_within: Duration::from_secs(5),
            wake_every: Duration::from_millis(500),
            settle_after: Duration::from_secs(3),
            moves_per_s: 10,
            ..ClusterOptions::default()
        };
        let joined = Joined { cluster: self.links.join(&name(number), life), options };
        let engine = Engine::join(setup, joined).expect("no thread is needed");
        self.links.open(&name(number), life, engine.clone());
        while engine.begin().await.is_err() {
            self.world.step(life, "the engine cannot start", 500).await;
        }
        machine.look_after(&engine);
        self.doors.open(life, engine.clone());
        self.leave[number].notified().await;
        engine.hand_over(GIVEN_WITHIN).await;
        self.doors.close(life);
        engine.drain(GIVEN_WITHIN).await;
    }

    /// A node's clock steps, or was off before it started.
    fn clock_is_off(&self, life: u32) {
        let state = &mut *self.world.state();
        if state.plan.clocks_apart && !state.calm {
            let seconds = state.dice.below(2 * SKEW_S + 1).cast_signed() - SKEW_S.cast_signed();
            state.skew(life, seconds);
        }
    }

    fn happens(self: Rc<Self>, what: Happening) {
        match what {
            Happening::Act => self.world.state().keep_acting(),
            Happening::Trouble => self.trouble(),
            Happening::Heal => self.links.heal(),
            Happening::Die | Happening::Drain => {}
            what => {
                let door = self.doors.any(&mut self.world.state().dice);
                match door {
                    Some((life, engine)) => {
                        drop(tokio::task::spawn_local(make(self.world.clone(), life, engine, what)));
                    }
                    // Nobody is there: whoever asks comes back.
                    None => self.world.state().plan_in(Duration::from_millis(500), what),
                }
            }
        }
    }

    /// Something befalls a node, or what is between nodes.
    fn trouble(&self) {
        let (one, other, kind, time, next) = {
            let dice = &mut self.world.state().dice;
            let (one, other) = (dice.index(NODES), dice.index(NODES));
            (one, other, dice.below(10), dice.delay(7_000), dice.delay(5_000))
        };
        match kind {
            0..=2 => {
                let lives = self.doors.all();
                if let Some((life, _)) = lives.get(one) {
                    self.world.state().stand_still(*life, time);
                }
            }
            3 | 4 if one != other => self.links.cut(&name(one), &name(other)),
            3..=6 => {
                for other in (0..NODES).filter(|other| *other != one) {
                    self.links.cut(&name(one), &name(other));
                    self.links.cut(&name(other), &name(one));
                }
            }
            7 => self.leave[one].notify_one(),
            8 => {
                let lives = self.doors.all();
                if let Some((life, _)) = lives.get(one) {
                    self.world.kill(*life);
                }
            }
            9 => {
                let lives = self.doors.all();
                if let Some((life, _)) = lives.get(one) {
                    self.clock_is_off(*life);
                }
            }
            _ => {}
        }
        let state = &mut *self.world.state();
        if (3..=6).contains(&kind) {
            state.plan_in(time, Happening::Heal);
        }
        state.plan_in(next, Happening::Trouble);
    }
}

/// The pace that nodes share, as one life sees it.
struct SharedPace {
    world: Arc<World>,
    life: u32,
    pace: Arc<LocalLimiter>,
}

impl SharedPace {
    /// Asks by the store's clock. Whoever is dead, or stands still, is given nothing.
    fn ask(&self, now: Stamp, question: impl FnOnce(&LocalLimiter, Stamp) -> Admission) -> Admission {
        let store = {
            let state = self.world.state();
            let is_there = state.is_up(self.life) && state.stands_for(self.life).is_zero();
            is_there.then(|| state.wall())
        };
        let Some(store) = store else { return Admission::NotBefore { at: now.plus(LATER), pair: false } };
        match question(&self.pace, store) {
            Admission::Granted => Admission::Granted,
            Admission::NotBefore { at, pair } => Admission::NotBefore { at: now.plus(at.since(store)), pair },
        }
    }
}

impl Limiter for SharedPace {
    fn admit(&self, request: &PaceRequest<'_>, now: Stamp) -> Admission {
        self.ask(now, |pace, store| pace.admit(request, store))
    }

    fn depart(&self, request: &PaceRequest<'_>, now: Stamp) -> Admission {
        self.ask(now, |pace, store| pace.depart(request, store))
    }

    /// It knows what all of them have sent, and does not forget.
    fn restore(&self, _: &PaceRequest<'_>, _: Stamp) {}

    fn shared_standing(&self, account: &AccountId, limits: &LimitSettings, _: Stamp) -> Option<PaceStanding> {
        let store = self.world.state().wall();
        self.pace.shared_standing(account, limits, store)
    }

    fn days(&self, limits: &LimitSettings, _: Stamp) -> Vec<DayUse> {
        let store = self.world.state().wall();
        self.pace.days(limits, store)
    }
}

impl super::world::State {
    /// Trouble begins for nodes.
    fn open_for_nodes(&mut self) {
        self.until = self.now() + self.plan.chaos;
        self.plan_in(Duration::ZERO, Happening::Act);
        let wait = self.dice.delay(5_000);
        self.plan_in(wait, Happening::Trouble);
        self.unleash();
    }
}
