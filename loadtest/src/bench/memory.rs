//! Bar 3's second half: the engine's memory over minutes of full load is flat.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::{
    cli::Options,
    figure::{Row, Wanted},
    ingest::{TENANTS, posting},
    post::{Posting, post},
    stand::{Setup, seconds},
};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Of a text on disk, log, views and index, at most: the run ends before the disk is full.
const BYTES_OF_TEXT: u64 = 2_048;
/// Free bytes that are left alone.
const LEFT_ALONE: u64 = 4 << 30;
/// Caches fill and tables reach their size in this part of a run; what comes after counts.
const FILLING: f64 = 0.2;
/// Flat: the last fifth is at most so much above the fifth after the filling.
const FLAT: f64 = 1.1;

/// Runs it.
pub async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let tenants = options.full_or_quick(TENANTS, 4);
    let stand = Setup { binary: options.engine.clone(), tenants, ..Setup::default() }.start().await?;
    let most = stand.free_bytes().saturating_sub(LEFT_ALONE) / BYTES_OF_TEXT;
    ensure!(most > 10_000, "the disk is too full for a run under full load");
    let wanted = options.seconds.unwrap_or(options.full_or_quick(600.0, 2.0));
    let posting = Posting { warm_up: Duration::ZERO, counted: seconds(wanted), most, ..posting(&stand, 0) };
    let since = Instant::now();
    let running = tokio::spawn(post(posting));
    let mut seen = Vec::new();
    while !running.is_finished() {
        tokio::time::sleep(EVERY.min(seconds(wanted / 20.0))).await;
        seen.push((since.elapsed().as_secs_f64(), stand.resident_mib()?));
        if seen.len().is_multiple_of(30) {
            options.say(&format!("{:.0} s: {:.0} MiB", since.elapsed().as_secs_f64(), stand.resident_mib()?));
        }
    }
    let (posted, took) = (running.await??, since.elapsed().as_secs_f64());
    let most_in = |from: f64, until: f64| {
        let within = seen.iter().filter(|(at, _)| (from * took..=until * took).contains(at));
        within.map(|(_, mib)| *mib).fold(0.0, f64::max)
    };
    let (early, late) = (most_in(FILLING, FILLING * 2.0), most_in(1.0 - FILLING, 1.0));
    let ended = if took < wanted * 0.95 { ", ended early: the disk has no room for more" } else { "" };
    let note = format!(
        "{early:.0} MiB in the second fifth, {late:.0} MiB in the last; {} texts at {:.0}/s, {:.0} bytes of disk each{ended}",
        posted.all,
        posted.per_s,
        crate::load::figures::to_f64(stand.stored_bytes() / posted.all.max(1)),
    );
    let what = format!("memory over {took:.0} s of full load, its last fifth of its second");
    Ok(vec![
        Row::new(3, &what, "×", vec![late / early.max(1.0)]).wants(Wanted::AtMost(FLAT)).note(note),
        Row::new(3, "… at most", "MiB", vec![most_in(0.0, 1.0)]),
    ])
}
