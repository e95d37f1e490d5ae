//! Bars 6 and 9: what a store of many messages costs. A history page, a search, a start, and the same load on an empty
//! store, a large one and, on request, a very large one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use rand::Rng as _;

use super::{
    cli::Options,
    figure::{Row, Wanted},
    ingest::posting,
    post::{Posting, post},
    rest::get_bytes,
    stand::{Setup, Stand, seconds},
};
use crate::load::{
    figures::{grouped, to_f64, to_ms},
    http::Connection,
};

/// Businesses that share the messages.
const TENANTS: usize = 16;
/// Conversations of each: hundreds of messages in one when the store is large.
const CONTACTS: u64 = 1_000;
/// Pages and searches that count, and who asks at the same time.
const PAGES: usize = 20_000;
const SEARCHES: usize = 2_000;
const ASKING: usize = 4;
/// The search index follows the log; this much time for a million messages.
const INDEX_WITHIN_S: f64 = 600.0;
/// Of a text on disk: log, views and index.
const BYTES_OF_TEXT: u64 = 2_048;

/// What a store of a size gave.
#[derive(Debug, Default)]
struct Store {
    stored: u64,
    pages_p99_ms: f64,
    pages_p50_ms: f64,
    search_p99_ms: f64,
    start_s: f64,
    start_killed_s: f64,
    cpu_us: f64,
    per_s: f64,
    index_lag_s: f64,
}

/// Runs it.
pub async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let sizes = match options.messages {
        Some(messages) => vec![0, messages / 10, messages],
        None => vec![0, options.full_or_quick(1_000_000, 2_000)],
    };
    let mut stores = Vec::new();
    for size in sizes {
        stores.push(store(options, size).await?);
    }
    let (empty, full) = (&stores[0], stores.last().context("a size")?);
    let held = grouped(full.stored);
    let size = |what: &str| format!("{what}, {held} messages stored");
    let mut rows = vec![
        Row::new(6, &size("history page of 50, four asking at once: p99"), "ms", vec![full.pages_p99_ms])
            .wants(Wanted::AtMost(2.0))
            .note(format!("p50 {:.2} ms", full.pages_p50_ms)),
        Row::new(6, &size("search, four asking at once: p99"), "ms", vec![full.search_p99_ms])
            .wants(Wanted::AtMost(50.0))
            .note(format!("the index was {:.0} s behind the log after the store was filled", full.index_lag_s)),
        Row::new(6, &size("start after a drain until it is ready"), "s", vec![full.start_s]).wants(Wanted::AtMost(2.0)),
        Row::new(6, &size("start after kill -9 until it is ready"), "s", vec![full.start_killed_s])
            .wants(Wanted::AtMost(2.0)),
    ];
    for store in &stores[1..] {
        let ratio = store.cpu_us / empty.cpu_us;
        let what = format!("CPU of a webhook at {} stored messages, of that at none", grouped(store.stored));
        let note =
            format!("{:.1} and {:.1} µs; {:.0} and {:.0}/s", store.cpu_us, empty.cpu_us, store.per_s, empty.per_s);
        rows.push(Row::new(9, &what, "×", vec![ratio]).wants(Wanted::AtMost(1.25)).note(note));
        let what = format!("rate of webhooks at {} stored messages, of that at none", grouped(store.stored));
        rows.push(Row::new(9, &what, "×", vec![store.per_s / empty.per_s]).wants(Wanted::AtLeast(0.8)));
    }
    Ok(rows)
}

/// An engine with so many messages; what it is asked and how it goes on.
async fn store(options: &Options, messages: u64) -> anyhow::Result<Store> {
    let tenants = options.full_or_quick(TENANTS, 2);
    let stand = Setup { binary: options.engine.clone(), tenants, ..Setup::default() }.start().await?;
    let room = stand.free_bytes() / BYTES_OF_TEXT;
    ensure!(room > messages, "{messages} messages want {} GiB of disk", (messages * BYTES_OF_TEXT) >> 30);
    let mut store = Store::default();
    let since = Instant::now();
    fill(&stand, messages).await?;
    store.stored = messages;
    options.say(&format!("{} messages stored in {:.0} s", grouped(messages), since.elapsed().as_secs_f64()));
    if messages > 0 {
        store.index_lag_s = indexed(&stand, messages).await?;
        options.say(&format!("indexed {:.1} s later", store.index_lag_s));
    }
    // The same run, on whatever is stored.
    measure_ingest(options, &stand, messages, &mut store).await?;
    if messages > 0 {
        stand.engine.terminate().await?;
        store.start_s = start(&stand).await?;
        stand.engine.kill().await?;
        store.start_killed_s = start(&stand).await?;
        (store.pages_p50_ms, store.pages_p99_ms) = pages(options, &stand).await?;
        store.search_p99_ms = searches(options, &stand).await?;
    }
    options.say(&format!("{store:.2?}, {} MiB on disk", stand.stored_bytes() >> 20));
    Ok(store)
}

/// Through the engine's own door: what is measured afterwards is what a year of business leaves.
async fn fill(stand: &Stand, messages: u64) -> anyhow::Result<()> {
    let long = seconds(3_600.0);
    let filling =
        Posting { contacts: CONTACTS, warm_up: Duration::ZERO, counted: long, most: messages, ..posting(stand, 0) };
    let posted = post(filling).await?;
    ensure!(posted.all == messages, "{} of {messages} were stored, {} refused", posted.all, posted.refused);
    Ok(())
}

async fn measure_ingest(options: &Options, stand: &Stand, messages: u64, store: &mut Store) -> anyhow::Result<()> {
    // Conversations are there in every size: the first of an empty store would be dearer.
    let first = messages + 1_000;
    let known = CONTACTS * stand.tenants.len() as u64;
    post(Posting {
        warm_up: Duration::ZERO,
        counted: seconds(60.0),
        most: known,
        contacts: CONTACTS,
        ..posting(stand, first)
    })
    .await?;
    let counted = options.full_or_quick(8.0, 0.3);
    let (mut cpu, mut rates) = (Vec::new(), Vec::new());
    for run in 0..options.runs {
        let first = first + known + 100_000_000 * (run as u64 + 1);
        let (warm_up, counted) = (Duration::ZERO, seconds(counted));
        let before = stand.cpu()?;
        let posted = post(Posting { warm_up, counted, contacts: CONTACTS, ..posting(stand, first) }).await?;
        ensure!(posted.all > 0, "nothing was accepted");
        // Of ticks: a short run may have used none.
        cpu.push(stand.cpu()?.since(&before).as_secs_f64().max(0.01) * 1e6 / to_f64(posted.all));
        rates.push(posted.per_s);
    }
    store.cpu_us = Row::new(9, "", "", cpu).figure;
    store.per_s = Row::new(9, "", "", rates).figure;
    Ok(())
}

/// Seconds until every tenant's newest text is found.
async fn indexed(stand: &Stand, messages: u64) -> anyhow::Result<f64> {
    let since = Instant::now();
    let within = INDEX_WITHIN_S * (1.0 + to_f64(messages) / 1e6);
    for tenant in 0..stand.tenants.len() {
        let rest = stand.operator(tenant)?;
        loop {
            let head = rest.get("/v1/inbox?limit=1").await?["offset"].as_u64().context("an inbox has an offset")?;
            let at = rest.get("/v1/search?q=kitchen&limit=1").await?["offset"].as_u64().unwrap_or(0);
            if at >= head {
                break;
            }
            ensure!(since.elapsed() < seconds(within), "the index is at {at} of {head} after {within:.0} s");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(since.elapsed().as_secs_f64())
}

/// Seconds from the start of the process until it says that it is ready.
async fn start(stand: &Stand) -> anyhow::Result<f64> {
    let since = Instant::now();
    stand.engine.start().await?;
    Ok(since.elapsed().as_secs_f64())
}

async fn pages(options: &Options, stand: &Stand) -> anyhow::Result<(f64, f64)> {
    let mut requests = Vec::new();
    for (tenant, named) in stand.tenants.iter().enumerate() {
        let inbox = stand.operator(tenant)?.get("/v1/inbox?limit=200").await?;
        for row in inbox["rows"].as_array().context("an inbox of conversations")? {
            let id = row["conversation"].as_str().or(row["id"].as_str()).context("a conversation's id")?;
            requests.push(get_bytes(&format!("/v1/conversations/{id}/events?limit=50"), &named.operator));
        }
    }
    let latencies = ask(stand, requests, options.full_or_quick(PAGES, 50)).await?;
    Ok((to_ms(latencies.value_at_quantile(0.5)), to_ms(latencies.value_at_quantile(0.99))))
}

async fn searches(options: &Options, stand: &Stand) -> anyhow::Result<f64> {
    // A rare word, one that everybody wrote, both, and one only begun.
    let words = ["word4242", "kitchen", "kitchen%20word77", "word999", "leaking%20floor", "wat"];
    let requests = stand.tenants.iter().flat_map(|tenant| {
        words.iter().map(|word| get_bytes(&format!("/v1/search?q={word}&limit=50"), &tenant.operator))
    });
    let latencies = ask(stand, requests.collect(), options.full_or_quick(SEARCHES, 20)).await?;
    Ok(to_ms(latencies.value_at_quantile(0.99)))
}

/// So many of these requests, drawn at random, some at the same time; in microseconds.
async fn ask(stand: &Stand, requests: Vec<Vec<u8>>, count: usize) -> anyhow::Result<Histogram<u64>> {
    let (requests, address) = (Arc::new(requests), stand.engine.address());
    let all = Arc::new(Mutex::new(Histogram::<u64>::new(3)?));
    let asking = (0..ASKING).map(|_| {
        let (requests, all) = (requests.clone(), all.clone());
        tokio::spawn(async move {
            let (mut connection, mut own) = (Connection::new(address), Histogram::<u64>::new(3)?);
            for _ in 0..count / ASKING {
                let request = &requests[rand::rng().random_range(0..requests.len())];
                let since = Instant::now();
                let status = connection.exchange(request).await?.status;
                ensure!(status == 200, "a page or search got {status}");
                own.record(u64::try_from(since.elapsed().as_micros())?)?;
            }
            all.lock().unwrap_or_else(PoisonError::into_inner).add(own)?;
            Ok(())
        })
    });
    for asked in futures_util::future::join_all(asking).await {
        asked??;
    }
    let all = all.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(all)
}
