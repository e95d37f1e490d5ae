//! What an inbound text costs a CQL server: statements by kind, and how many texts a batch carries as load rises. On the
//! server that `DESKWIRE_TEST_CQL` names, or on the one that tests start: counts, not speed.
#![allow(clippy::disallowed_methods, reason = "a bench has the real time and its own arguments")]

#[path = "support/servers.rs"]
#[allow(dead_code, reason = "tests use the rest of it")]
mod servers;
mod support;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use actors::{engine::Engine, memory::SystemClock};
use deskwire::{
    store::cql::{CqlOptions, CqlStore, migrate},
    telemetry::Metrics,
};
use mimalloc::MiMalloc;
use schema::ids::FeedId;
use servers::cassandra;
use support::{
    World,
    figures::{Run, Wanted},
    found, limits, send, start, tenant,
};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Contacts of the one tenant.
const CONTACTS: u64 = 50;
/// Texts under way at once, from one after the other to a flood.
const LOADS: [u64; 4] = [1, 8, 64, 256];
const READS: [&str; 2] = ["read", "serial_read"];

fn main() {
    let mut run = Run::new("cql");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&mut run));
    run.end();
}

fn options() -> CqlOptions {
    CqlOptions {
        in_flight_max: 1_024,
        log_compaction: "{'class': 'SizeTieredCompactionStrategy'}".to_owned(),
        ..cassandra::options(&format!("bench_{}", std::process::id()))
    }
}

/// Statements so far, by kind.
type Counts = BTreeMap<String, f64>;

fn statements(metrics: &Metrics) -> Counts {
    let text = metrics.render();
    let lines = text.lines().filter_map(|line| line.strip_prefix("deskwire_cql_statements_total{kind=\""));
    lines
        .filter_map(|line| line.split_once("\"} "))
        .filter_map(|(kind, n)| Some((kind.to_owned(), n.parse().ok()?)))
        .collect()
}

async fn batches(engine: &Engine) -> u64 {
    let head = engine.ports().log.head(&FeedId::of(&tenant(0))).await;
    head.expect("the log can be read").next_batch.0
}

/// Waits until the views have everything; how often it looked, which costs two reads each time.
async fn settle(engine: &Engine) -> f64 {
    let feed = FeedId::of(&tenant(0));
    let mut looks = 0.0;
    loop {
        looks += 1.0;
        let head = engine.ports().log.head(&feed).await.expect("the log can be read").next_offset;
        let checkpoint = engine.ports().views.checkpoint(&feed).await.expect("the views can be read");
        if checkpoint.offset.next() >= head {
            return looks;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Statements of one kind between two counts.
fn between(before: &Counts, after: &Counts, kinds: &[&str]) -> f64 {
    kinds.iter().map(|kind| after.get(*kind).unwrap_or(&0.0) - before.get(*kind).unwrap_or(&0.0)).sum()
}

/// What an idle node asks each second: the wake index.
async fn idle(run: &mut Run, metrics: &Metrics) -> f64 {
    let before = statements(metrics);
    let length = run.full_or_quick(20, 5);
    tokio::time::sleep(Duration::from_secs(length)).await;
    let each = between(&before, &statements(metrics), &READS) / length as f64;
    let note = "of the wake index, whatever the number of tenants";
    run.row(3, "CQL statements of an idle node each second", "statements", vec![each], &Wanted::Nothing, note);
    each
}

async fn measure(run: &mut Run) {
    let metrics = Metrics::start().expect("nobody else counts");
    let options = options();
    migrate(&options).await.expect("a keyspace of our own");
    let store = CqlStore::open(&options).await.expect("a keyspace of our own");
    let world = World { log: store.log(), views: store.views(), keys: store.keys(), clock: Arc::new(SystemClock) };
    let engine = start(world, limits()).await;
    found(&engine, 1).await;
    // Contacts that are known, and awake: what a new one costs besides is its key.
    send(&engine, CONTACTS, 8, |place| (0, place, place)).await;
    settle(&engine).await;
    let idle = idle(run, &metrics).await;
    let mut number = CONTACTS;
    for load in LOADS {
        let texts = (load * 20).clamp(100, run.full_or_quick(4_000, 200));
        let (before, first, began) = (statements(&metrics), batches(&engine).await, Instant::now());
        let from = number;
        send(&engine, texts, load, move |place| (0, place % CONTACTS, from + place)).await;
        let looks = settle(&engine).await;
        let (after, seconds) = (statements(&metrics), began.elapsed().as_secs_f64());
        number += texts;
        // One read found the first batch.
        let beside = looks * 2.0 + 1.0 + idle * seconds;
        let (texts, batches) = (texts as f64, (batches(&engine).await - first) as f64);
        let (appends, writes) = (between(&before, &after, &["conditional"]), between(&before, &after, &["write"]));
        let reads = (between(&before, &after, &READS) - beside).max(0.0);
        let all = appends + writes + reads;
        let note = format!("{:.1} texts a batch, {:.1} statements a batch", texts / batches, all / batches);
        let what = format!("CQL statements for each inbound text, {load} under way on one tenant");
        run.row(3, &what, "statements", vec![all / texts], &Wanted::Nothing, &note);
        let what = "… conditional ones for each batch";
        run.row(3, what, "statements", vec![appends / batches], &Wanted::AtMost(1.0), "one append");
        let note = "those of an idle node and of the bench itself taken off";
        run.row(3, "… reads for each text", "statements", vec![reads / texts], &Wanted::AtMost(1.0), note);
    }
    engine.drain(Duration::from_secs(30)).await;
    let session = scylla::client::session_builder::SessionBuilder::new().known_node(cassandra::server());
    let session = session.user(cassandra::USER, cassandra::PASSWORD).build().await.expect("the server answers");
    let drop = format!("DROP KEYSPACE {}", options.keyspace);
    session.query_unpaged(drop, ()).await.expect("the keyspace is ours");
}
