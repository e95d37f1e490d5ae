//! What three nodes cost over one, and how long a tenant is without an owner: real processes over a real CQL server and a real
//! Redis, all on this machine. Two cores under three nodes and a Java server prove no speed: counts and CPU are what to read.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests' own code, by tests' own rules; a bench has the real time and its own arguments"
)]
#![allow(dead_code, reason = "tests use the rest of it")]

#[path = "../tests/it/cql/world.rs"]
pub mod cql_world;
#[path = "support/figures.rs"]
mod figures;
#[path = "../tests/it/cluster/load.rs"]
mod load;
#[path = "../tests/it/cluster/network.rs"]
mod network;
#[path = "../tests/it/support/mod.rs"]
mod support;
#[path = "../tests/it/cluster/world.rs"]
mod world;

/// As tests name it.
mod cql {
    pub use crate::cql_world as world;
}

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use figures::{Run, Wanted, ms};
use futures_util::{StreamExt as _, stream};
use support::wait::{pace, until_within};
use world::World;

/// Until every node serves again, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries of one text.
const AGAIN: Duration = Duration::from_millis(5);
/// Texts under way at once.
const TOGETHER: usize = 16;
/// People who write.
const CONTACTS: u64 = 50;

fn main() {
    let mut run = Run::new("nodes");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&mut run));
    run.end();
}

/// Carriers' texts, each with an id of its own.
struct Texts {
    client: reqwest::Client,
    next: AtomicU64,
}

impl Texts {
    fn new() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(15)).build().unwrap();
        Self { client, next: AtomicU64::new(0) }
    }

    /// One text, until it is taken; how often it was refused.
    async fn one(&self, node: &str) -> u32 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sid, from) = (format!("SM{number:032x}"), format!("+1212555{:04}", number % CONTACTS));
        let mut refused = 0;
        while !load::text(&self.client, node, &sid, &from).await {
            refused += 1;
            pace(AGAIN).await;
        }
        refused
    }

    /// So many, some of them at once, to these nodes in turn.
    async fn many(&self, count: usize, nodes: &[String]) {
        let texts = nodes.iter().cycle().take(count).map(|node| self.one(node));
        stream::iter(texts).buffer_unordered(TOGETHER).for_each(|_| async {}).await;
    }
}

/// What a stretch of texts cost, each text: over all nodes, and CPU on each of them.
struct Cost {
    cpu_us: f64,
    cpu_of_each_us: Vec<f64>,
    statements: f64,
    forwarded: f64,
    redis: f64,
}

impl Cost {
    /// What is no row of its own.
    fn note(&self) -> String {
        let each: Vec<String> = self.cpu_of_each_us.iter().map(|cpu_us| format!("{cpu_us:.0}")).collect();
        let Self { statements, forwarded, redis, .. } = self;
        let each = each.join(" + ");
        format!(
            "by node {each} µs; {statements:.2} statements, {forwarded:.2} forwarded, {redis:.3} questions to Redis"
        )
    }
}

async fn cost(world: &World, texts: &Texts, count: usize, nodes: &[String]) -> Cost {
    texts.many(count / 4, nodes).await;
    let before = counts(world).await;
    texts.many(count, nodes).await;
    // Views are written behind it.
    pace(Duration::from_secs(2)).await;
    let after = counts(world).await;
    let each = |before: f64, after: f64| (after - before) / count as f64;
    let cpu = before.cpu_us.iter().zip(&after.cpu_us).map(|(before, after)| each(*before, *after));
    let cpu_of_each_us: Vec<f64> = cpu.collect();
    Cost {
        cpu_us: cpu_of_each_us.iter().sum(),
        cpu_of_each_us,
        statements: each(before.statements, after.statements),
        forwarded: each(before.forwarded, after.forwarded),
        redis: each(before.redis, after.redis),
    }
}

/// What was counted so far: CPU of each node, the rest of all of them.
#[derive(Default)]
struct Counts {
    cpu_us: Vec<f64>,
    statements: f64,
    forwarded: f64,
    redis: f64,
}

async fn counts(world: &World) -> Counts {
    let mut counts = Counts::default();
    for (id, url) in world.processes() {
        counts.cpu_us.push(cpu_us(id));
        let metrics = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{url}/metrics"));
        let metrics = metrics.send().await.unwrap().text().await.unwrap();
        let sum = |name: &str| {
            let lines = metrics.lines().filter(|line| line.starts_with(name));
            lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>()
        };
        counts.statements += sum("deskwire_cql_statements_total");
        counts.forwarded += sum("deskwire_cluster_forwarded_total");
        counts.redis += sum("deskwire_pace_questions_total");
    }
    counts
}

/// User and system time of a process; a tick is 10 ms. As loadtest reads it, which benches of the inside do not import.
fn cpu_us(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) * 10_000.0
}

async fn measure(run: &mut Run) {
    let texts = Texts::new();
    let count = run.full_or_quick(2_000, 40);
    let one = alone(run, &texts, count).await;
    let mut world = World::start("nodes").await;
    costs(run, &world, &texts, count, &one).await;
    takeovers(run, &mut world, &texts).await;
    drains(run, &mut world, &texts).await;
    world.end();
}

async fn alone(run: &mut Run, texts: &Texts, count: usize) -> Cost {
    let mut world = World::start_alone("one").await;
    let cost = cost(&world, texts, count, &world.urls()).await;
    run.row(0, "CPU of one node for each inbound text", "µs", vec![cost.cpu_us], &Wanted::Nothing, &cost.note());
    let note = "views and the idle questions of the wake index included";
    run.row(0, "CQL statements of one node for each", "statements", vec![cost.statements], &Wanted::Nothing, note);
    world.end();
    cost
}

async fn costs(run: &mut Run, world: &World, texts: &Texts, count: usize, one: &Cost) {
    let owner = world.owner();
    let urls = world.urls();
    let others: Vec<String> =
        urls.iter().enumerate().filter(|(at, _)| *at != owner).map(|(_, url)| url.clone()).collect();
    let local = cost(world, texts, count, &urls[owner..=owner]).await;
    let passed_on = cost(world, texts, count, &others).await;
    let note = format!("{}; {:.2} × of one node alone", local.note(), local.cpu_us / one.cpu_us);
    let what = "CPU of three nodes together for each text, all sent to its owner";
    run.row(0, what, "µs", vec![local.cpu_us], &Wanted::Nothing, &note);
    run.row(0, "… all sent to the others", "µs", vec![passed_on.cpu_us], &Wanted::Nothing, &passed_on.note());
    let ratio = passed_on.cpu_us / local.cpu_us;
    run.row(0, "a forwarded text, of one that its owner got: CPU", "×", vec![ratio], &Wanted::Nothing, "in this run");
}

/// From kill -9 of its owner until the tenant takes a text again.
async fn takeovers(run: &mut Run, world: &mut World, texts: &Texts) {
    let mut times = Vec::new();
    for _ in 0..run.full_or_quick(10, 1) {
        let owner = world.owner();
        let other = world.urls()[(owner + 1) % 3].clone();
        texts.one(&other).await;
        let since = Instant::now();
        world.kill(owner);
        texts.one(&other).await;
        times.push(ms(since.elapsed()));
        run.say(&format!("taken over in {:.0} ms", times[times.len() - 1]));
        world.revive(owner);
        settled(world).await;
    }
    let what = "kill -9 of a tenant's owner until another node takes its texts";
    run.row(0, what, "ms", times, &Wanted::AtMost(3_000.0), "one text tried again every 5 ms");
}

/// SIGTERM: how long a text may wait while its tenant is given away, and whether any is refused.
async fn drains(run: &mut Run, world: &mut World, texts: &Texts) {
    let (mut waits, mut refused) = (Vec::new(), 0);
    for _ in 0..run.full_or_quick(5, 1) {
        let owner = world.owner();
        let other = world.urls()[(owner + 1) % 3].clone();
        texts.many(20, std::slice::from_ref(&other)).await;
        let draining = world.begin_to_terminate(owner);
        let mut longest = Duration::ZERO;
        while !draining.is_finished() {
            let since = Instant::now();
            refused += texts.one(&other).await;
            longest = longest.max(since.elapsed());
        }
        assert!(draining.join().expect("it drains").success());
        waits.push(ms(longest));
        run.say(&format!("given away; a text waited {:.0} ms at most", ms(longest)));
        world.revive(owner);
        settled(world).await;
    }
    let note = format!("{refused} refused");
    run.row(0, "SIGTERM of the owner: the longest a text waits", "ms", waits, &Wanted::AtMost(200.0), &note);
}

/// Every node says that all serve.
async fn settled(world: &World) {
    until_within(PATIENCE, "three nodes to serve", async || world.all_serve()).await;
}
