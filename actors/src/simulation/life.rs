//! One engine after the other over the same world: each starts from what the one before left on the disk.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Once},
    time::Duration,
};

use futures_util::FutureExt as _;
use schema::{
    command::{Command, Request, Setting},
    event::{Author, Origin, Via},
    ids::{FeedId, NodeId, Offset, RequestId, TenantId},
    pause::{Pause, PauseScope},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};

use super::{
    carrier::SimulatedCarrier,
    edge::make,
    end::final_look,
    keys::SimulatedKeys,
    log::SimulatedLog,
    plan::{TENANTS, line, registrations, settings, tenant},
    sessions::{self, Doors},
    views::SimulatedViews,
    world::{Happening, SimulatedClock, SimulatedIds, World},
};
use crate::{
    baseline,
    catch_up::{CatchUp, CatchUpOptions},
    directory::SystemDirectory,
    engine::{Engine, Ports, Setup},
    follower::Advances,
    indexer::{Indexer, IndexerConfig},
    memory::{MemorySearch, MemoryViews},
    pace::{LocalLimiter, PaceOptions},
    ports::{Clock as _, Limiter, Views as _},
};

/// After the last trouble, at least: longer than any timer runs.
const CALM: Duration = Duration::from_secs(35);

/// What came of a seed.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) seed: u64,
    /// The promise that was broken.
    pub(super) broken: Option<String>,
    /// Of the whole trace.
    pub(super) hash: u64,
    pub(super) steps: u64,
    pub(super) lives: u32,
    pub(super) checks: u64,
    /// The trace: all of it if that was asked for, else its end.
    pub(super) lines: Vec<String>,
}

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The machine died, or a promise was broken.
    Over,
    /// In order.
    Drained,
    /// There is nothing more to see.
    Finished,
}

thread_local! {
    static SIMULATES: Cell<bool> = const { Cell::new(false) };
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The engine's last panic on this thread, once.
pub(super) fn panicked() -> Option<String> {
    PANIC.take()
}

/// On threads that simulate, a panic is evidence and not noise.
fn listen_to_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if SIMULATES.get() {
                PANIC.set(Some(panic.to_string().replace('\n', " ")));
            } else {
                before(panic);
            }
        }));
    });
    SIMULATES.set(true);
    PANIC.take();
}

/// Plays a seed to its end, or to the first broken promise.
pub(super) fn run(seed: u64, whole: bool) -> Verdict {
    let world = World::of(seed, whole);
    judge(&world, seed, || while live(&world) != End::Finished && !world.is_broken() {})
}

/// What is to be said of a world that was lived in.
pub(super) fn judge(world: &World, seed: u64, lived: impl FnOnce()) -> Verdict {
    listen_to_panics();
    let lived = catch_unwind(AssertUnwindSafe(lived));
    SIMULATES.set(false);
    let state = &mut *world.state();
    if let Some(panic) = panicked() {
        state.convict(format!("the engine panicked: {panic}"));
    } else if lived.is_err() {
        state.convict("the simulation itself panicked".to_owned());
    }
    Verdict {
        seed,
        broken: state.broken.clone(),
        hash: state.trace.hash(),
        steps: state.steps(),
        lives: state.life,
        checks: state.model.checks,
        lines: state.trace.lines.iter().cloned().collect(),
    }
}

fn live(world: &Arc<World>) -> End {
    let (runtime, local) = time_of_its_own();
    local.block_on(&runtime, async {
        let life = world.state().begin();
        let end = tokio::select! {
            biased;
            () = world.is_over(life) => End::Over,
            end = lead(world.clone(), life) => end,
        };
        power_off(world, life, end);
        end
    })
}

/// A thread's worth of tasks, whose clock stands while any of them has something to do.
pub(super) fn time_of_its_own() -> (Runtime, LocalSet) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    (runtime, LocalSet::new())
}

/// What is durable stays; nobody gets an answer any more; and some time passes.
fn power_off(world: &World, life: u32, end: End) {
    let state = &mut *world.state();
    state.tear_logs();
    state.tear_views(end == End::Drained);
    state.hang_up(life);
    let off = match state.dice.below(10) {
        0..=5 => state.dice.delay(2_000),
        6..=8 => state.dice.delay(20_000),
        _ => state.dice.delay(200_000),
    };
    state.end(off);
}

/// Everything an engine runs on, for one life.
pub(super) struct Machine {
    pub(super) world: Arc<World>,
    pub(super) life: u32,
    pub(super) live: Arc<MemoryViews>,
    pub(super) views: Arc<SimulatedViews>,
    pub(super) log: Arc<SimulatedLog>,
    pub(super) search: Arc<MemorySearch>,
}

impl Machine {
    fn boot(world: Arc<World>, life: u32) -> Self {
        let live = world.state().views();
        let at = |feed: &FeedId| {
            let checkpoint = live.checkpoint(feed).now_or_never().expect("memory does not wait");
            checkpoint.expect("memory does not fail").offset
        };
        world.state().look_for_lagging(at);
        Self::over(world, life, live, false)
    }

    /// One of several: views are what all of them have written.
    pub(super) fn beside_others(world: Arc<World>, life: u32) -> Self {
        let live = world.state().shared_views();
        Self::over(world, life, live, true)
    }

    fn over(world: Arc<World>, life: u32, live: Arc<MemoryViews>, shared: bool) -> Self {
        let views = Arc::new(SimulatedViews { world: world.clone(), life, live: live.clone(), shared });
        let log = Arc::new(SimulatedLog { world: world.clone(), life, views: views.clone() });
        Self { world, life, live, views, log, search: Arc::default() }
    }

    pub(super) fn setup(&self, node: &str, limiter: Arc<dyn Limiter>, grown: Vec<Arc<Advances>>) -> Setup {
        let (world, life) = (self.world.clone(), self.life);
        let state = world.state();
        let ports = Ports {
            log: self.log.clone(),
            views: self.views.clone(),
            keys: Arc::new(SimulatedKeys { world: world.clone(), life }),
            limiter,
            carrier: Arc::new(SimulatedCarrier { world: world.clone(), life }),
            clock: Arc::new(SimulatedClock { world: world.clone(), life }),
            ids: Arc::new(SimulatedIds(world.clone())),
        };
        let node = NodeId::new(node).expect("a slug");
        let directory = Arc::<SystemDirectory>::default();
        Setup { node, ports, limits: state.plan.engine(), arbiters: 0, advances: grown, directory }
    }

    async fn engine(&self) -> Engine {
        let grown = Arc::new(Advances::default());
        let engine = loop {
            let limiter = Arc::new(limiter(&self.world, self.life));
            match Engine::start(self.setup("node", limiter, vec![grown.clone()])).await {
                Ok(engine) => break engine,
                Err(_) => self.world.step(self.life, "the engine cannot start", 500).await,
            }
        };
        let (search, vault) = (self.search.clone(), engine.vault().clone());
        let indexer = Indexer::new(self.log.clone(), vault, search, grown, IndexerConfig::default());
        tokio::task::spawn_local(indexer.run());
        self.look_after(&engine);
        engine
    }

    /// What came in while nobody took it is read from the carrier's lists.
    pub(super) fn look_after(&self, engine: &Engine) {
        let is_off = {
            let plan = &self.world.state().plan;
            plan.clock_steps || plan.clocks_apart
        };
        let overlap = Duration::from_secs(if is_off { 700 } else { 60 });
        let options = CatchUpOptions {
            every: Duration::from_secs(30),
            after_gap: Duration::from_secs(3),
            overlap,
            time_out: Duration::from_secs(2),
            ..CatchUpOptions::default()
        };
        tokio::task::spawn_local(CatchUp::new(engine.clone(), options).run());
    }

    /// Between two lives somebody may let go of old events.
    async fn trim(&self) {
        let (feeds, trims) = {
            let state = &mut *self.world.state();
            let trims = state.plan.trims && self.life > 1;
            (state.feeds(), trims && state.dice.permille(500))
        };
        for feed in feeds.into_iter().filter(|feed| trims && feed.tenant != TenantId::system()) {
            let to = Offset(self.world.state().dice.below(120));
            // What fails here is finished by the next trim.
            let _ = baseline::trim(&*self.log, &*self.views, &feed, to).await;
        }
    }

    /// Until somebody takes it.
    async fn ask(&self, doors: &Doors, tenant: TenantId, command: Command) {
        loop {
            let (request, door) = {
                let state = &mut *self.world.state();
                (RequestId(state.uuid()), doors.any(&mut state.dice))
            };
            let origin = Origin { by: Author::Engine, via: Via::Command, request };
            let request = Request { command: command.clone(), origin, key: None };
            if let Some((life, engine)) = door {
                tokio::select! {
                    biased;
                    () = self.world.is_over(life) => {}
                    answer = engine.submit(&tenant, request) => if answer.is_ok() { return },
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whatever somebody holds back goes on.
    pub(super) async fn unpause(&self, doors: &Doors) {
        for number in 0..TENANTS {
            let none = Command::Configure(Setting::Pause(PauseScope::Line(line(number)), Pause::None));
            self.ask(doors, tenant(number), none).await;
        }
    }

    /// Tenants with one line each, looked after once: from here on nothing may be missed.
    pub(super) async fn furnish(&self, doors: &Doors) {
        for number in 0..TENANTS {
            let limits = self.world.state().plan.pace(number);
            for registration in registrations(number) {
                self.ask(doors, TenantId::system(), Command::Register(registration)).await;
            }
            for setting in settings(number, &limits) {
                self.ask(doors, tenant(number), Command::Configure(setting)).await;
            }
        }
        while (0..TENANTS).any(|number| !self.world.state().model.is_looked_after(number)) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The pace of one process.
pub(super) fn limiter(world: &Arc<World>, life: u32) -> LocalLimiter {
    let departs_within = world.state().plan.engine().send_deadline;
    let pace = PaceOptions { departs_within, ..PaceOptions::default() };
    let clock = Arc::new(SimulatedClock { world: world.clone(), life });
    LocalLimiter::started_at(pace, clock.now()).timed_by(clock)
}

async fn lead(world: Arc<World>, life: u32) -> End {
    let machine = Machine::boot(world.clone(), life);
    machine.trim().await;
    let engine = machine.engine().await;
    let doors = Doors::from_iter([(life, engine.clone())]);
    sessions::start(&world, &doors);
    if life == 1 {
        machine.furnish(&doors).await;
        world.state().open();
    }
    world.state().unleash();
    let happens = |what| happen(&world, life, &engine, what);
    if play(&world, happens).await == End::Drained {
        engine.drain(Duration::from_secs(10)).await;
        return End::Drained;
    }
    world.state().calm_down();
    let has_stopped = world.state().log_has_stopped();
    if has_stopped {
        // Nothing can be stored before the restart that is on its way.
        play(&world, happens).await;
    }
    machine.unpause(&doors).await;
    play(&world, happens).await;
    final_look(&machine, &engine, happens).await;
    End::Finished
}

/// What happens in the world, until it is calm, or has been for long enough.
pub(super) async fn play(world: &World, happens: impl Fn(Happening)) -> End {
    loop {
        let (due, left) = {
            let state = &mut *world.state();
            let left = state.left();
            if left.is_zero() {
                // What is due stays planned: it may be the restart that a stopped log waits for.
                return End::Finished;
            }
            (state.due(), left)
        };
        match due {
            Ok(Happening::Drain) => return End::Drained,
            Ok(what) => happens(what),
            Err(wait) => tokio::time::sleep(wait.unwrap_or(left).min(left).max(Duration::from_millis(1))).await,
        }
    }
}

fn happen(world: &Arc<World>, life: u32, engine: &Engine, what: Happening) {
    match what {
        Happening::Act => world.state().keep_acting(),
        Happening::Die => world.kill(life),
        Happening::Drain | Happening::Trouble | Happening::Heal => {}
        what => drop(tokio::task::spawn_local(make(world.clone(), life, engine.clone(), what))),
    }
}

impl super::world::State {
    /// Trouble begins.
    fn open(&mut self) {
        self.until = self.now() + self.plan.chaos;
        self.plan_in(Duration::ZERO, Happening::Act);
        if self.dice.permille(300) {
            let wait = self.dice.between(Duration::ZERO, self.plan.chaos);
            self.plan_in(wait, Happening::Drain);
        }
        // With nobody who writes or calls afterwards, all that is due comes from what the disk remembers.
        if self.dice.permille(500) {
            self.plan_in(self.plan.chaos - Duration::from_millis(2), Happening::Die);
        }
    }

    /// Contacts and operators do something, and will again.
    pub(super) fn keep_acting(&mut self) {
        self.act();
        let wait = self.dice.delay(2_500);
        self.plan_in(wait, Happening::Act);
    }

    /// Trouble ends.
    pub(super) fn calm_down(&mut self) {
        self.calm = true;
        self.forgive();
        self.set_clocks();
        self.until = self.now() + CALM;
        self.model.remember_heads();
        // A log that has stopped still gets the restart that alone helps it.
        let owed = self.log_has_stopped();
        self.forget_plans(|what| match what {
            Happening::Act | Happening::Drain | Happening::Trouble => true,
            Happening::Die => !owed,
            _ => false,
        });
    }

    /// This time lasts longer.
    pub(super) fn prolong(&mut self, by: Duration) {
        self.until = self.now() + by;
    }

    /// How long this time lasts.
    fn left(&self) -> Duration {
        self.until.saturating_sub(self.now())
    }
}
