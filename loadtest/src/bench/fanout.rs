//! Bar 4: one tenant, a thousand dashboards, the server held to one core. What a push costs, how many it can do, what a
//! connection weighs; beside it raw sockets in the same run. Centrifugo's figures are cited: its server is in no package
//! registry that a script could have it from.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    cli::Options,
    figure::{Row, Wanted},
    ingest::{operators, posting, screens},
    post::{Posting, post},
    raw::RawServer,
    stand::{Setup, Stand, seconds},
    watch::{Dashboards, Watching},
};
use crate::load::figures::{to_f64, to_ms};

/// The core that the server keeps to.
const CORE: usize = 0;
/// Who writes to the one tenant.
const CONTACTS: u64 = 500;
/// How often it is looked whether pushes have come to an end, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const REST_WITHIN: Duration = Duration::from_secs(10);
/// Publishes a second of the calm part.
const CALM: f64 = 50.0;
/// Publishes a second that are tried for "saturated, one frame a write".
const RATES: [f64; 7] = [100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0];
/// Above so many publications a message, frames are merged.
const SINGLE: f64 = 1.1;
/// Its own server on one core of a machine like ours: 1,000 readers, 250-byte pushes at 50 publishes/s; 44 KiB each of
/// 10,000 subscribed connections; 168,000 pushes/s saturated, 875,000 in batches of eight.
const CENTRIFUGO_US: f64 = 13.1;
const CENTRIFUGO_KIB: f64 = 44.0;

/// A stretch of pushing.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// Publications a second, over all dashboards.
    pub per_s: f64,
    /// Publications in one message.
    pub per_message: f64,
    /// Microseconds of the server's CPU for each publication.
    pub cpu_us: f64,
    /// Bytes of a publication.
    pub bytes: f64,
}

impl Stretch {
    /// From counters before and after.
    pub fn of(dashboards: &Dashboards, before: super::watch::Seen, since: Instant, cpu: Duration) -> Self {
        let after = dashboards.counts.seen();
        let pushes = to_f64(after.pushes - before.pushes).max(1.0);
        Self {
            per_s: pushes / since.elapsed().as_secs_f64(),
            per_message: pushes / to_f64((after.messages - before.messages).max(1)),
            cpu_us: cpu.as_secs_f64() * 1e6 / pushes,
            bytes: to_f64(after.bytes - before.bytes) / pushes,
        }
    }
}

async fn one_core(options: &Options) -> anyhow::Result<Stand> {
    Setup { binary: options.engine.clone(), tenants: 1, core: Some(CORE), ..Setup::default() }.start().await
}

/// Texts for a while, and what dashboards saw of them.
async fn push(stand: &Stand, dashboards: &Dashboards, posting: Posting) -> anyhow::Result<Stretch> {
    let (before, cpu, since) = (dashboards.counts.seen(), stand.cpu()?, Instant::now());
    let counted = posting.counted;
    dashboards.counts.count_between(since, since + counted);
    let posted = post(posting).await?;
    ensure!(posted.all > 0, "nothing was accepted");
    Ok(Stretch::of(dashboards, before, since, stand.cpu()?.since(&cpu)))
}

/// A stretch at a rate, or as fast as the connections do. `first` keeps ids apart.
fn texts(stand: &Stand, per_s: Option<f64>, connections: u16, counted: f64, first: &mut u64) -> Posting {
    *first += 10_000_000;
    let (warm_up, counted, zero) = (Duration::ZERO, seconds(counted), Instant::now());
    Posting { per_s, connections, contacts: CONTACTS, warm_up, counted, zero, ..posting(stand, *first) }
}

/// The engine's figures of one run.
struct Engine {
    calm: Stretch,
    late_ms: (f64, f64),
    single: Stretch,
    merged: Stretch,
}

async fn engine(options: &Options, dashboards: usize) -> anyhow::Result<Engine> {
    let stand = one_core(options).await?;
    let mut first = 0;
    let zero = Instant::now();
    let watching = screens(&stand, operators(&stand), dashboards, 16, zero).await?;
    // Contacts are made before: what counts is texts, one push each.
    post(Posting { most: CONTACTS, ..texts(&stand, None, 8, 60.0, &mut first) }).await?;
    rest(&watching).await;
    let posting = Posting { zero, ..texts(&stand, Some(CALM), 8, options.full_or_quick(10.0, 0.5), &mut first) };
    let calm = push(&stand, &watching, posting).await?;
    rest(&watching).await;
    let mut single = Stretch { per_s: 0.0, ..calm };
    for rate in &RATES[..options.full_or_quick(RATES.len(), 1)] {
        // Due times that nobody reads: a screen's latency is of the calm part.
        let stretch =
            push(&stand, &watching, texts(&stand, Some(*rate), 32, options.full_or_quick(2.0, 0.3), &mut first))
                .await?;
        rest(&watching).await;
        if stretch.per_message <= SINGLE && stretch.per_s > single.per_s {
            single = stretch;
        }
    }
    let merged = push(&stand, &watching, texts(&stand, None, 256, options.full_or_quick(5.0, 0.3), &mut first)).await?;
    let mut late = None;
    if let Ok(screen) = watching.close().await {
        late = Some((to_ms(screen.value_at_quantile(0.5)), to_ms(screen.value_at_quantile(0.99))));
    }
    options.say(&format!("engine: calm {calm:.2?}"));
    options.say(&format!("engine: single {single:.2?}, merged {merged:.2?}"));
    Ok(Engine { calm, late_ms: late.unwrap_or_default(), single, merged })
}

/// What is under way comes to rest.
async fn rest(watching: &Dashboards) {
    let since = Instant::now();
    let mut last = u64::MAX;
    while since.elapsed() < REST_WITHIN {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = watching.counts.seen().pushes;
        if now == last {
            return;
        }
        last = now;
    }
}

/// Raw sockets at the calm rate and as fast as they go, with frames as long as the engine's.
async fn raw(options: &Options, dashboards: usize, bytes: usize) -> anyhow::Result<(Stretch, Stretch)> {
    let server = RawServer::start(CORE).await?;
    let hello = Arc::new(|_| r#"{"id":1,"connect":{}}"#.to_owned());
    let watching = Watching { address: server.address, path: "/", hello, answers: 1, timed_one_in: 0 };
    let watching = Dashboards::open(watching, dashboards, Instant::now()).await?;
    let mut stretches = Vec::new();
    for (per_s, counted) in [(50, options.full_or_quick(10.0, 0.5)), (u64::MAX, options.full_or_quick(4.0, 0.3))] {
        server.push(bytes, per_s);
        tokio::time::sleep(LOOK_EVERY).await;
        let (before, done, since) = (watching.counts.seen(), server.done()?, Instant::now());
        tokio::time::sleep(seconds(counted)).await;
        let after = server.done()?;
        stretches.push(Stretch::of(&watching, before, since, after.cpu.saturating_sub(done.cpu)));
        ensure!(after.pushed > done.pushed, "the raw server pushed nothing");
    }
    server.push(bytes, 0);
    options.say(&format!("raw sockets: {stretches:.2?}, {} cut", server.cut()));
    drop(server);
    drop(watching.close().await);
    Ok((stretches[0], stretches[1]))
}

/// KiB of the engine for each of many subscribed, idle connections.
async fn weight(options: &Options) -> anyhow::Result<f64> {
    let count = options.full_or_quick(10_000, 100);
    let stand = one_core(options).await?;
    // One operator may have 10,000 connections, and these are a few more.
    let admin = stand.engine.token(&stand.tenants[0].book.tenant, "admin").await?;
    let tokens: Vec<String> = operators(&stand).into_iter().chain([admin]).collect();
    // What the first connections make once for all.
    let first = screens(&stand, tokens.clone(), 50, 0, Instant::now()).await?;
    let before = stand.cpu()?.resident_kib;
    let others = screens(&stand, tokens, count, 0, Instant::now()).await?;
    // Longer than free pages are kept for the next who need them (README, memory): what stays is the connections'.
    tokio::time::sleep(seconds(options.full_or_quick(15.0, 0.2))).await;
    let kib = to_f64(stand.cpu()?.resident_kib.saturating_sub(before)) / to_f64(count as u64);
    options.say(&format!("{count} connections: {kib:.2} KiB each"));
    // The server goes first: ten thousand closings are not what is measured.
    stand.engine.kill().await?;
    drop((others, first));
    Ok(kib)
}

/// Runs it.
pub async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let dashboards = options.full_or_quick(1_000, 50);
    let (mut engines, mut raws) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        let engine = engine(options, dashboards).await?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of some hundred bytes")]
        raws.push(raw(options, dashboards, engine.calm.bytes as usize).await?);
        engines.push(engine);
    }
    let mut weights = Vec::new();
    for _ in 0..options.runs.min(2) {
        weights.push(weight(options).await?);
    }
    Ok(rows(&engines, &raws, weights))
}

fn rows(engines: &[Engine], raws: &[(Stretch, Stretch)], weights: Vec<f64>) -> Vec<Row> {
    let of = |part: fn(&Engine) -> f64| engines.iter().map(part).collect::<Vec<_>>();
    let against = engines.iter().zip(raws).map(|(engine, raw)| engine.calm.cpu_us / raw.0.cpu_us).collect();
    let of_centrifugo = engines.iter().map(|engine| engine.calm.cpu_us / CENTRIFUGO_US).collect();
    let merged = engines.iter().map(|engine| format!("{:.1}", engine.merged.per_message)).collect::<Vec<_>>();
    vec![
        Row::new(4, "push to 1,000 dashboards at 50 publishes/s, one core: CPU", "µs", of(|run| run.calm.cpu_us))
            .wants(Wanted::AtMost(7.0))
            .note(format!(
                "{:.0} bytes a push, {:.2} pushes a message, the texts' own cost included",
                engines[0].calm.bytes, engines[0].calm.per_message
            )),
        Row::new(4, "… raw sockets, same run, same frames", "µs", raws.iter().map(|raw| raw.0.cpu_us).collect()),
        Row::new(4, "… of raw sockets", "×", against).wants(Wanted::AtMost(1.15)),
        Row::new(4, "… of Centrifugo's server", "×", of_centrifugo)
            .wants(Wanted::AtMost(0.5))
            .note(format!("{CENTRIFUGO_US} µs, cited, not run here")),
        Row::new(4, "… p50, due time → frame", "ms", of(|run| run.late_ms.0)),
        Row::new(4, "… p99, due time → frame", "ms", of(|run| run.late_ms.1)),
        Row::new(4, "saturated, one frame a write", "pushes/s", of(|run| run.single.per_s))
            .wants(Wanted::AtLeast(250_000.0))
            .note(format!("at most {SINGLE} publications a message")),
        Row::new(4, "… raw sockets, same run", "pushes/s", raws.iter().map(|raw| raw.1.per_s).collect()),
        Row::new(4, "saturated, merged", "pushes/s", of(|run| run.merged.per_s))
            .wants(Wanted::AtLeast(1_500_000.0))
            .note(format!("{} publications a message", merged.join(", "))),
        Row::new(4, "memory of a subscribed connection, at 10,000", "KiB", weights)
            .wants(Wanted::AtMost(8.0))
            .note(format!("Centrifugo {CENTRIFUGO_KIB} KiB, cited")),
    ]
}
