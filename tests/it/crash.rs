//! kill -9 of the real binary under load, again and again: nothing acknowledged is lost, nothing happens twice, nobody is
//! sent to too fast, and a dashboard that comes back misses nothing. `make prove` kills more often.

mod check;
pub mod follower;
mod load;
pub mod world;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::future::join_all;
use loadtest::carrier::{Chance, Faults};

use self::{
    check::{Evidence, Log},
    follower::Follower,
    load::{CALLERS, Ledger, Maker, OPERATORS, TEXTERS},
    world::{World, faults},
};
use crate::support::{
    process::{Server, short_or_long},
    wait::{pace, until, until_within},
};

/// Kills in any moment, half of them between a carrier's acceptance and our record of it; and with `make prove`.
const ANYWHERE: (usize, usize) = (20, 50);
/// Kills in that moment only.
const BETWEEN: (usize, usize) = (6, 100);
/// Kills on a store that is not the default one.
const ELSEWHERE: (usize, usize) = (3, 30);
/// A round runs until so many things were acknowledged in it, at random.
const ACKED: (usize, usize) = (5, 150);
/// A start is killed within this.
const START_MS: usize = 400;
/// A callback that met several kills comes back after some seconds.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);
/// Nothing new in so long: everything has been seen.
const STILL: Duration = Duration::from_millis(200);

/// `CRASH_SEED=… cargo test --test it crash` throws the same dice again.
fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let given = option_env!("CRASH_SEED").and_then(|seed| seed.parse().ok());
    given.unwrap_or(u64::try_from(now).unwrap())
}

/// When the process is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// In ordinary work.
    Work,
    /// The carrier has texts that we do not know it has.
    Taken,
    /// While it reads back what the last kill left.
    Start,
}

/// All that runs beside the process that is killed.
struct Run {
    world: World,
    ledger: Ledger,
    followers: [Follower; 2],
    chance: Chance,
    /// On a store that is not the default one.
    is_elsewhere: bool,
    loading_ends: AtomicBool,
    /// Nobody says anything more.
    loaded: AtomicBool,
    following_ends: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_under_load_lose_nothing_double_nothing_and_leave_no_gap() {
    let moments = [Moment::Work, Moment::Taken, Moment::Taken, Moment::Start];
    killed(moments.into_iter().cycle().take(short_or_long(ANYWHERE)).collect(), Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_between_the_carriers_acceptance_and_our_record_double_nothing_and_lose_nothing() {
    killed(vec![Moment::Taken; short_or_long(BETWEEN)], Vec::new()).await;
}

/// The same with what the process is told beside the usual: another store.
pub async fn some_kills_on(beside: Vec<(String, String)>) {
    let moments = [Moment::Work, Moment::Taken, Moment::Start];
    killed(moments.into_iter().cycle().take(short_or_long(ELSEWHERE)).collect(), beside).await;
}

/// A run with these kills, and what must be true after it.
async fn killed(moments: Vec<Moment>, beside: Vec<(String, String)>) {
    let seed = seed();
    eprintln!("CRASH_SEED={seed}");
    let chance = Chance::new(seed);
    let is_elsewhere = !beside.is_empty();
    let (world, server) = World::start_with(&chance, beside).await;
    let run = Arc::new(Run {
        world,
        ledger: Ledger::default(),
        followers: [Follower::new(true, seed), Follower::new(false, seed + 1)],
        chance,
        is_elsewhere,
        loading_ends: AtomicBool::new(false),
        loaded: AtomicBool::new(false),
        following_ends: AtomicBool::new(false),
    });
    let spawn = |seed: Option<u64>| {
        let run = run.clone();
        tokio::spawn(async move {
            match seed {
                Some(seed) => run.load(seed).await,
                None => run.follow().await,
            }
        })
    };
    let following = spawn(None);
    until("the followers' first position", async || run.followers.iter().all(Follower::is_connected)).await;
    let loading = spawn(Some(seed));
    let began = Instant::now();
    run.rounds(server, &moments).await;
    tokio::try_join!(loading, following).unwrap();
    eprintln!("{} kills in {:.0?}", moments.len(), began.elapsed());
    run.check(moments.len());
}

impl Run {
    async fn follow(&self) {
        let Self { world, followers: [first, second], following_ends, .. } = self;
        let (nodes, token) = (std::slice::from_ref(&world.url), &world.token);
        tokio::join!(first.follow(nodes, token, following_ends), second.follow(nodes, token, following_ends));
    }

    async fn load(&self, seed: u64) {
        let Self { world, ledger, loading_ends: stop, .. } = self;
        let maker = |number: usize, kind: u64| {
            let chance = Chance::new(seed.wrapping_add(kind * 1_000 + number as u64));
            Maker { world, ledger, stop, chance, number }
        };
        let texters = join_all((0..TEXTERS).map(|number| maker(number, 1).texts()));
        let callers = join_all((0..CALLERS).map(|number| maker(number, 2).calls()));
        let operators = join_all((0..OPERATORS).map(|number| maker(number, 3).sends()));
        tokio::join!(texters, callers, operators);
        self.loaded.store(true, Ordering::Relaxed);
    }

    async fn rounds(&self, mut server: Server, moments: &[Moment]) {
        for moment in moments {
            match moment {
                Moment::Work => self.anywhere().await,
                Moment::Taken => self.between_claim_and_answer().await,
                Moment::Start => server = self.in_the_middle_of_a_start(server).await,
            }
            server = self.killed(server);
            tokio::task::block_in_place(|| server.wait_until_ready());
            self.world.carrier.set_faults(faults());
        }
        self.anywhere().await;
        self.loading_ends.store(true, Ordering::Relaxed);
        self.world.carrier.set_faults(Faults::default());
        self.settled().await;
        let ended = tokio::task::block_in_place(|| server.terminate());
        self.following_ends.store(true, Ordering::Relaxed);
        assert!(ended.success(), "{ended}");
    }

    /// kill -9, and up again at once on the same directory.
    fn killed(&self, server: Server) -> Server {
        tokio::task::block_in_place(|| server.kill());
        self.world.spawn()
    }

    /// At some point of ordinary work.
    async fn anywhere(&self) {
        let acked = self.ledger.acked() + ACKED.0 + self.chance.below(ACKED.1 - ACKED.0);
        until("more to be acknowledged", async || self.ledger.acked() >= acked).await;
    }

    /// The carrier has taken texts and holds its answers back: whoever sent them dies without knowing.
    async fn between_claim_and_answer(&self) {
        self.anywhere().await;
        let taken = self.world.carrier.meter().texts;
        self.world.carrier.set_faults(Faults { stall: 1.0, too_many: 0.0, lose_response: 0.0, ..faults() });
        let more = 1 + self.chance.below(4) as u64;
        until("texts to be held by the carrier", async || self.world.carrier.meter().texts >= taken + more).await;
    }

    /// While it reads back what the last kill left.
    async fn in_the_middle_of_a_start(&self, mut server: Server) -> Server {
        self.anywhere().await;
        for _ in 0..2 {
            server = self.killed(server);
            pace(Duration::from_millis(self.chance.below(START_MS) as u64)).await;
        }
        server
    }

    /// Everything was said, every text has met its fate, and the followers have seen all of it: nothing more comes.
    async fn settled(&self) {
        until_within(SETTLED_WITHIN, "everything to be said", async || self.loaded.load(Ordering::Relaxed)).await;
        let mut before = 0;
        until_within(SETTLED_WITHIN, "every text to meet its fate", async || {
            let carrier = self.world.carrier.messages();
            let [first, second] = &self.followers;
            let seen = first.look(|view| Log::new(&view.events).is_settled(&carrier).then(|| view.position()));
            let Some(position) = seen.filter(|position| second.look(|view| view.position() >= *position)) else {
                return false;
            };
            pace(STILL).await;
            std::mem::replace(&mut before, position) == position
        })
        .await;
    }

    fn check(&self, kills: usize) {
        let verified = self.world.command(&["verify"]);
        let inspected = self.world.command(&["inspect", "--tenant", "demo", "--personal"]);
        let events: Vec<_> = inspected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let carrier = self.world.carrier.messages();
        let evidence = Evidence { log: Log::new(&events), ledger: &self.ledger, carrier: &carrier };
        let mut wrong = evidence.wrong();
        // On servers a start takes longer, and with few kills the carrier's callback may settle each claim before it.
        if !self.is_elsewhere && !evidence.has_unknowns() {
            wrong.push("no kill came between a claim and its answer".to_owned());
        }
        for follower in &self.followers {
            wrong.extend(follower.look(|view| check::view(view, &events, kills)));
        }
        let meter = self.world.carrier.meter();
        eprintln!("{verified}\n{}\n{meter:?}", evidence.summary());
        wrong.extend(meter.described.iter().map(|violation| format!("too fast: {violation:?}")));
        let departed = self.world.carrier.departures();
        assert_eq!(departed.texts, meter.texts, "all say when they were let go");
        wrong.extend(departed.described.iter().map(|violation| format!("let go too early: {violation:?}")));
        let shown: Vec<_> = wrong.iter().take(20).collect();
        assert!(wrong.is_empty(), "{} findings, the first: {shown:#?}", wrong.len());
        self.check_trimmed(events.len());
    }

    /// The same store with half of its log gone: baseline and log still say what the views say.
    fn check_trimmed(&self, events: usize) {
        let half = (events / 2).to_string();
        eprintln!("{}", self.world.command(&["trim", "--recent", "--tenant", "demo", "--to", &half]));
        let verified = self.world.command(&["verify", "--tenant", "demo"]);
        self.world.command(&["rebuild", "--tenant", "demo"]);
        assert_eq!(self.world.command(&["verify", "--tenant", "demo"]), verified);
        assert!(verified.contains("the baseline and the log from offset"), "{verified}");
        eprintln!("{verified}");
    }
}
