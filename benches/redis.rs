//! Bar 7 over nodes: three limiters share one account through a real redis-server, two hundred lanes send as fast as they
//! may. How often Redis is asked, how much of the limit is used, and whether any second held more, also while Redis is
//! killed and comes back empty.
#![allow(clippy::disallowed_methods, reason = "a bench has the real time and its own arguments")]

#[path = "support/servers.rs"]
#[allow(dead_code, reason = "tests use the rest of it")]
mod servers;
mod support;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actors::{
    contracts::limiter::{Asker, unlimited, violations},
    memory::SystemClock,
    pace::{Keeper, LocalLimiter, PaceOptions, SharedOptions, Standing},
    ports::{Admission, Ask, Call, Clock as _, Grants, GrantsError, Limiter as _, Reply},
};
use async_trait::async_trait;
use deskwire::limit::{RedisGrants, RedisOptions};
use mimalloc::MiMalloc;
use schema::{settings::LimitSettings, time::Stamp};
use servers::{
    redis::Redis,
    wait::{pace, until_within},
};
use support::figures::{Run, Wanted};
use tokio::task::JoinHandle;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const NODES: u32 = 3;
const LANES: u32 = 200;
/// Segments a second of the account: each lane could send all of it alone.
const LIMIT: u32 = 200;
/// As it ships.
const WITHIN: Duration = Duration::from_millis(500);
const SECOND: u64 = 1_000_000;
/// Stretches of which each is a run.
const RUNS: usize = 3;
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

fn main() {
    let mut run = Run::new("redis");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&mut run));
    run.end();
}

/// Counts questions on their way to Redis.
struct Counting {
    grants: RedisGrants,
    asked: Arc<AtomicU64>,
}

#[async_trait]
impl Grants for Counting {
    async fn ask(&self, call: &Call, ask: &Ask) -> Result<Reply, GrantsError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.grants.ask(call, ask).await
    }
}

/// All nodes, and what has left.
struct Fleet {
    limiters: Vec<Arc<LocalLimiter>>,
    tasks: Vec<JoinHandle<()>>,
    asked: Arc<AtomicU64>,
    sent: Arc<Mutex<Vec<Stamp>>>,
}

impl Fleet {
    fn start(redis: &Redis, slice_max: Duration) -> Self {
        let mut fleet = Self { limiters: Vec::new(), tasks: Vec::new(), asked: Arc::default(), sent: Arc::default() };
        for number in 0..NODES {
            let options = SharedOptions {
                node: format!("node-{number}"),
                holder: format!("process-{number}"),
                members: NODES,
                slice_max,
                answer_within: WITHIN,
            };
            let clock = Arc::new(SystemClock);
            let limiter = LocalLimiter::started_at(PaceOptions::default(), clock.now()).timed_by(clock.clone());
            let limiter = Arc::new(limiter.shared(options, Some(Vec::new()), clock.now()));
            let grants = Counting { grants: grants(redis), asked: fleet.asked.clone() };
            let keeper = Keeper::new(limiter.clone(), Arc::new(grants), clock, WITHIN, Arc::new(|_| Ok(())));
            fleet.tasks.push(tokio::spawn(keeper.run()));
            for lane in (0..LANES).filter(|lane| lane % NODES == number) {
                let limits = LimitSettings { account_per_s: Some(LIMIT), ..unlimited() };
                let asker = Asker::new(number, 0, lane, limits);
                fleet.tasks.push(tokio::spawn(send(limiter.clone(), asker, fleet.sent.clone())));
            }
            fleet.limiters.push(limiter);
        }
        fleet
    }

    fn all(&self) -> Vec<Stamp> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sent(&self) -> u64 {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    fn is_everybody(&self, standing: Standing) -> bool {
        self.limiters.iter().all(|limiter| limiter.standing() == Some(standing))
    }

    /// Every node is answered, and together they use the whole rate.
    async fn settle(&self) {
        until_within(SETTLED_WITHIN, "every node to be answered", async || self.is_everybody(Standing::Here)).await;
        until_within(SETTLED_WITHIN, "the whole rate", async || self.stretch(Duration::from_secs(2)).await.used > 0.9)
            .await;
    }

    async fn stretch(&self, length: Duration) -> Stretch {
        let (asked, sent, began) = (self.asked.load(Ordering::Relaxed), self.sent(), SystemClock.now());
        pace(length).await;
        let (asked, sent) = (self.asked.load(Ordering::Relaxed) - asked, self.sent() - sent);
        let allowed = f64::from(LIMIT) * SystemClock.now().since(began).as_secs_f64();
        Stretch { calls: asked as f64 / sent.max(1) as f64, used: sent as f64 / allowed }
    }

    fn violations(&self) -> usize {
        let mut all: Vec<(u64, u32)> = self.all().into_iter().map(|at| (at.0, 1)).collect();
        all.sort_unstable();
        violations(&all, SECOND, LIMIT)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What a stretch of time was like.
struct Stretch {
    /// Questions for each text.
    calls: f64,
    /// Texts, of what the limit allows.
    used: f64,
}

fn grants(redis: &Redis) -> RedisGrants {
    let options = RedisOptions {
        url: redis.url(),
        sentinel_tls: false,
        authorities: None,
        sentinels: Vec::new(),
        service: "deskwire".to_owned(),
        user: String::new(),
        password: String::new(),
        prefix: "bench".to_owned(),
        answer_within: WITHIN,
        replicas: 0,
    };
    RedisGrants::new(&options).expect("an address of our own")
}

/// A lane that always has a text: admitted, then at the door, stamped as it leaves.
async fn send(limiter: Arc<LocalLimiter>, asker: Asker, sent: Arc<Mutex<Vec<Stamp>>>) {
    for contact in 0.. {
        while let Admission::NotBefore { at, .. } = limiter.admit(&asker.text(contact, 1), SystemClock.now()) {
            pace(at.since(SystemClock.now()).clamp(Duration::from_millis(1), Duration::from_secs(1))).await;
        }
        loop {
            let now = SystemClock.now();
            match limiter.depart(&asker.text(contact, 1), now) {
                Admission::Granted => {
                    sent.lock().unwrap_or_else(PoisonError::into_inner).push(now);
                    break;
                }
                Admission::NotBefore { at, .. } => pace(at.since(now).max(Duration::from_millis(1))).await,
            }
        }
    }
}

async fn measure(run: &mut Run) {
    let mut redis = Redis::start();
    let slice_max = run.full_or_quick(Duration::from_secs(10), Duration::from_secs(1));
    let fleet = Fleet::start(&redis, slice_max);
    fleet.settle().await;
    run.say("settled");
    let length = run.full_or_quick(Duration::from_secs(20), Duration::from_secs(2));
    let (mut calls, mut used) = (Vec::new(), Vec::new());
    for _ in 0..run.full_or_quick(RUNS, 1) {
        let stretch = fleet.stretch(length).await;
        calls.push(stretch.calls);
        used.push(stretch.used * 100.0);
    }
    let texts = fleet.sent();
    let what = "questions to Redis for each text, 200 lanes of 3 nodes on one account of 200/s";
    run.row(7, what, "calls", calls, &Wanted::AtMost(1.0 / 50.0), "slices as they ship; a question is one script");
    run.row(7, "… texts of all nodes, of what the account allows", "%", used, &Wanted::AtLeast(97.0), "");
    let steady = fleet.violations() as f64;
    run.row(7, "… seconds that held more", "windows", vec![steady], &Wanted::AtMost(0.0), &format!("{texts} texts"));

    run.say("Redis is killed, and comes back empty");
    redis.kill();
    until_within(SETTLED_WITHIN, "every node to notice", async || fleet.is_everybody(Standing::Away)).await;
    // Longer than slices and promises last: by its own part each.
    pace(slice_max * 2 + Duration::from_secs(2)).await;
    let without = fleet.stretch(length.min(Duration::from_secs(10))).await;
    redis.restart();
    fleet.settle().await;
    let texts = fleet.sent() - texts;
    let note = format!("{texts} texts from the kill until the whole rate is used again");
    let more = fleet.violations() as f64;
    run.row(
        7,
        "… the same while Redis is killed and started empty",
        "windows",
        vec![more],
        &Wanted::AtMost(0.0),
        &note,
    );
    let note = "each node sends by its part, without a server";
    run.row(
        7,
        "… texts of all nodes without Redis, of what the account allows",
        "%",
        vec![without.used * 100.0],
        &Wanted::Nothing,
        note,
    );
}
