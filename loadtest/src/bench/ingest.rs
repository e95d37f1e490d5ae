//! Bars 1 and 2: signed webhook to durable 200, and through to a live stream; the same on one tenant and on one
//! conversation, to see that neither has a ceiling of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::json;

use super::{
    cli::Options,
    figure::{Row, Wanted},
    post::{Posted, Posting, post},
    stand::{Setup, Stand, seconds},
    watch::{Dashboards, Watching},
};
use crate::load::figures::{to_f64, to_ms};

/// Businesses of the bar.
pub const TENANTS: usize = 64;
/// Connections of the bar.
const CONNECTIONS: u16 = 256;
/// Of the open loop: enough that latency, not their number, is what shows.
const OPEN_CONNECTIONS: u16 = 512;
/// Contacts of each business: the seconds before the counted ones are enough for all of them to be known.
const CONTACTS: u64 = 500;
/// A rate is kept if so much of it is taken in its time, and the last screen is not a second behind.
const KEPT: f64 = 0.99;
const BEHIND_MS: f64 = 1_000.0;
/// Rates that are tried, as shares of what the closed loop does.
const STEPS: [f64; 6] = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/// Screens must have everything this long after the last text.
const CATCH_UP: Duration = Duration::from_secs(20);

/// Posting to a stand.
pub fn posting(stand: &Stand, first: u64) -> Posting {
    Posting {
        address: stand.engine.address(),
        public_url: stand.engine.public_url().to_owned(),
        tenants: stand.tenants.clone(),
        spread: stand.tenants.len(),
        run: stand.run,
        contacts: CONTACTS,
        connections: CONNECTIONS,
        per_s: None,
        warm_up: seconds(2.0),
        counted: seconds(10.0),
        most: u64::MAX,
        first,
        zero: Instant::now(),
    }
}

/// One closed-loop run on a fresh engine.
async fn closed(options: &Options, spread: usize, contacts: u64) -> anyhow::Result<(Posted, f64)> {
    let tenants = options.full_or_quick(TENANTS.max(spread), 4.max(spread).min(8));
    // One table: of the first row's last run.
    let profile = (options.profile && spread > 1).then(|| options.out.join("ingest-perf.txt"));
    let stand = Setup { binary: options.engine.clone(), tenants, profile, ..Setup::default() }.start().await?;
    let posting = Posting {
        spread: spread.min(tenants),
        contacts,
        warm_up: seconds(options.full_or_quick(2.0, 0.2)),
        counted: seconds(options.full_or_quick(8.0, 0.5)),
        ..posting(&stand, 0)
    };
    let (warm_up, profile) = (posting.warm_up, stand.profile()?);
    let running = tokio::spawn(post(posting));
    tokio::time::sleep(warm_up).await;
    let before = stand.cpu()?;
    let posted = running.await??;
    let used = stand.cpu()?.since(&before);
    profile.map(super::stand::Profile::end).transpose()?;
    ensure!(posted.accepted > 0, "nothing was accepted; {} refused", posted.refused);
    Ok((posted.clone(), used.as_secs_f64() * 1e6 / to_f64(posted.accepted)))
}

/// Bar 1's first half, and bar 2.
pub async fn webhooks(options: &Options) -> anyhow::Result<Vec<Row>> {
    let (mut rates, mut p99, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    let (mut one_tenant, mut one_conversation) = (Vec::new(), Vec::new());
    for run in 0..options.runs {
        let (all, used) = closed(options, TENANTS, CONTACTS).await?;
        options.say(&format!("run {run}: {:.0}/s over {TENANTS} tenants, p99 {:.1} ms", all.per_s, all.ms(0.99)));
        let (tenant, _) = closed(options, 1, CONTACTS).await?;
        let (conversation, _) = closed(options, 1, 1).await?;
        options
            .say(&format!("run {run}: one tenant {:.0}/s, one conversation {:.0}/s", tenant.per_s, conversation.per_s));
        rates.push(all.per_s);
        p99.push(all.ms(0.99));
        cpu.push(used);
        one_tenant.push(tenant.per_s / all.per_s);
        one_conversation.push(conversation.per_s / all.per_s);
    }
    let shown = |shares: &[f64]| {
        let rates = shares.iter().zip(&rates).map(|(share, all)| format!("{:.0}", share * all));
        format!("{}/s, beside the first row's runs", rates.collect::<Vec<_>>().join(", "))
    };
    let (of_tenant, of_conversation) = (shown(&one_tenant), shown(&one_conversation));
    Ok(vec![
        Row::new(1, "signed webhook → fsynced → 200, 256 connections, 64 tenants, closed loop", "/s", rates.clone())
            .wants(Wanted::AtLeast(50_000.0)),
        Row::new(1, "… its p99", "ms", p99).wants(Wanted::AtMost(25.0)),
        Row::new(1, "… CPU of the engine for each", "µs", cpu),
        Row::new(2, "one tenant receives everything, of the figure over 64", "×", one_tenant)
            .wants(Wanted::AtLeast(0.7))
            .note(of_tenant),
        Row::new(2, "one conversation receives everything, of the figure over 64", "×", one_conversation)
            .wants(Wanted::AtLeast(0.5))
            .note(of_conversation),
    ])
}

/// What an open loop at a rate came to.
#[derive(Debug, Clone)]
struct Streamed {
    offered: f64,
    achieved: f64,
    ack_p99: f64,
    p50: f64,
    p99: f64,
    refused: u64,
    /// Every text that was taken was on its screen in the end.
    complete: bool,
}

impl Streamed {
    fn is_kept(&self) -> bool {
        self.achieved >= self.offered * KEPT && self.refused == 0 && self.complete && self.p99 < BEHIND_MS
    }
}

/// Dashboards, each with the next of these tokens.
pub async fn screens(
    stand: &Stand,
    tokens: Vec<String>,
    count: usize,
    timed_one_in: usize,
    zero: Instant,
) -> anyhow::Result<Dashboards> {
    let hello = move |place: usize| json!({"id": 1, "connect": {"token": tokens[place % tokens.len()]}}).to_string();
    let (address, path, answers) = (stand.engine.address(), "/v1/stream", 1);
    Dashboards::open(Watching { address, path, hello: Arc::new(hello), answers, timed_one_in }, count, zero).await
}

/// An operator's token of each tenant.
pub fn operators(stand: &Stand) -> Vec<String> {
    stand.tenants.iter().map(|tenant| tenant.operator.clone()).collect()
}

/// The open loop at a rate, on an engine of its own.
async fn stream(options: &Options, per_s: f64, counted: f64) -> anyhow::Result<Streamed> {
    let tenants = options.full_or_quick(TENANTS, 4);
    let stand = Setup { binary: options.engine.clone(), tenants, ..Setup::default() }.start().await?;
    let zero = Instant::now();
    let dashboards = screens(&stand, operators(&stand), tenants, 1, zero).await?;
    // Contacts come one after the other in the first seconds, as they do not in life: those seconds do not count.
    let warm_up = seconds(options.full_or_quick(4.0, 0.2));
    let from = Instant::now() + warm_up;
    dashboards.counts.count_between(from, from + seconds(counted));
    let posting = Posting {
        per_s: Some(per_s),
        connections: options.full_or_quick(OPEN_CONNECTIONS, 32),
        warm_up,
        counted: seconds(counted),
        zero,
        ..posting(&stand, 0)
    };
    let posted = post(posting).await?;
    let late = posted.from.elapsed().as_secs_f64();
    let complete = dashboards.until(posted.all, CATCH_UP).await;
    let screen = dashboards.close().await?;
    let streamed = Streamed {
        offered: per_s,
        achieved: to_f64(posted.accepted) / late.max(counted),
        ack_p99: posted.ms(0.99),
        p50: to_ms(screen.value_at_quantile(0.5)),
        p99: to_ms(screen.value_at_quantile(0.99)),
        refused: posted.refused,
        complete: complete && screen.len() == posted.accepted,
    };
    let Streamed { achieved, p50, p99, refused, complete, .. } = streamed;
    options.say(&format!(
        "open loop at {per_s:.0}/s: {achieved:.0}/s, p50 {p50:.1} ms, p99 {p99:.1} ms, {refused} refused, complete: {complete}"
    ));
    Ok(streamed)
}

/// Bar 1's second half: the highest rate that is kept for a minute, and latencies at four fifths of it.
pub async fn live(options: &Options) -> anyhow::Result<Vec<Row>> {
    let (ceiling, _) = closed(options, TENANTS, CONTACTS).await?;
    let mut best = ceiling.per_s * STEPS[0];
    for step in &STEPS[..options.full_or_quick(STEPS.len(), 1)] {
        let streamed = stream(options, ceiling.per_s * step, options.full_or_quick(6.0, 0.5)).await?;
        if !streamed.is_kept() {
            break;
        }
        best = streamed.offered;
    }
    let minute = options.full_or_quick(60.0, 0.5);
    let mut kept = stream(options, best, minute).await?;
    for _ in 0..options.full_or_quick(3, 0) {
        if kept.is_kept() {
            break;
        }
        best *= 0.9;
        kept = stream(options, best, minute).await?;
    }
    let sustained = if kept.is_kept() { kept.achieved } else { 0.0 };
    let mut calm = Vec::new();
    for _ in 0..options.runs {
        calm.push(stream(options, best * 0.8, minute / 4.0).await?);
    }
    let of = |part: fn(&Streamed) -> f64| calm.iter().map(part).collect::<Vec<_>>();
    let whole = calm.iter().all(|run| run.complete);
    let note = if whole { "every text taken was on its tenant's screen" } else { "TEXTS WERE MISSING ON SCREENS" };
    Ok(vec![
        Row::new(
            1,
            "webhook → live stream, open loop, 64 tenants: highest rate kept for a minute",
            "/s",
            vec![sustained],
        )
        .wants(Wanted::AtLeast(30_000.0))
        .note(format!("p99 there {:.0} ms; the closed loop of this run did {:.0}/s", kept.p99, ceiling.per_s)),
        Row::new(1, "… p50 at 80 % of it, due time → frame", "ms", of(|run| run.p50)).wants(Wanted::AtMost(5.0)),
        Row::new(1, "… p99 at 80 % of it, due time → frame", "ms", of(|run| run.p99))
            .wants(Wanted::AtMost(50.0))
            .note(note),
        Row::new(1, "… p99 at 80 % of it, due time → 200", "ms", of(|run| run.ack_p99)),
    ])
}
