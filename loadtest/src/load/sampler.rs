//! Once a second: the course of the run, and a line about it for whoever watches.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::sync::watch;

use super::{
    engine::Engine,
    figures::{Course, Figures, Row, get, to_f64, to_ms},
    texts::{Shared, Timing},
};
use crate::bench::CpuTime;

const EVERY: Duration = Duration::from_secs(1);
/// Without a terminal, a line every so many seconds.
const LINE_EVERY: u64 = 10;

/// Counters as they were.
#[derive(Default, Clone, Copy)]
struct Counts {
    offered: u64,
    acked: u64,
    refused: u64,
    replies: u64,
    pushes: u64,
}

impl Counts {
    fn of(figures: &Figures) -> Self {
        let sum = |of: fn(&super::figures::Requests) -> u64| figures.texts.iter().map(of).sum();
        Self {
            offered: sum(|texts| get(&texts.offered)),
            acked: sum(|texts| get(&texts.acked)),
            refused: sum(|texts| get(&texts.refused) + get(&texts.shed)),
            replies: get(&figures.replies.acked),
            pushes: get(&figures.pushes),
        }
    }
}

/// CPU time of a process that may be another one after a restart.
#[derive(Default)]
struct Server {
    last: Option<(u32, CpuTime)>,
}

impl Server {
    /// CPU seconds since the last look, and MiB.
    fn look(&mut self, pid: Option<u32>) -> (f64, f64) {
        let Some(now) = pid.and_then(|pid| Some((pid, CpuTime::of(pid).ok()?))) else {
            self.last = None;
            return (0.0, 0.0);
        };
        let before = self.last.replace(now);
        let same = before.filter(|(pid, _)| *pid == now.0);
        let used = same.map_or(0.0, |(_, before)| now.1.since(&before).as_secs_f64());
        (used, to_f64(now.1.resident_kib) / 1_024.0)
    }
}

/// Whether and how the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Not at all.
    Not,
    /// One line that changes.
    Live,
    /// A line now and then.
    Lines,
}

impl Shown {
    /// As fits where the messages go.
    pub fn fitting() -> Self {
        if std::io::stderr().is_terminal() { Self::Live } else { Self::Lines }
    }
}

/// Until the run is over.
pub async fn run(
    shared: Arc<Shared>,
    engine: Arc<Engine>,
    server: Option<u32>,
    timing: Timing,
    shown: Shown,
    mut over: watch::Receiver<bool>,
) -> Course {
    let (mut course, mut before) = (Course::default(), Counts::of(&shared.figures));
    let (mut process, mut own) = (Server::default(), Server::default());
    process.look(engine.pid().or(server));
    tokio::time::sleep_until(timing.start.into()).await;
    let mut last = Instant::now();
    for second in 1.. {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = over.wait_for(|over| *over) => {}
        }
        let (now, counts) = (Instant::now(), Counts::of(&shared.figures));
        let for_s = (now - last).as_secs_f64().max(1e-3);
        let rate = |now: u64, before: u64| to_f64(now.saturating_sub(before)) / for_s;
        let (ack, push) = latencies(&shared.figures);
        let (cpu, resident_mib) = process.look(engine.pid().or(server));
        let quantile = |of: &Histogram<u64>, quantile: f64| to_ms(of.value_at_quantile(quantile));
        let row = Row {
            at_s: ((now - timing.start).as_secs_f64() - for_s).max(0.0),
            for_s,
            offered: rate(counts.offered, before.offered),
            acked: rate(counts.acked, before.acked),
            refused: rate(counts.refused, before.refused),
            replies: rate(counts.replies, before.replies),
            pushes: rate(counts.pushes, before.pushes),
            ack_p50_ms: quantile(&ack, 0.5),
            ack_p99_ms: quantile(&ack, 0.99),
            push_p50_ms: quantile(&push, 0.5),
            push_p99_ms: quantile(&push, 0.99),
            cpu: cpu / for_s,
            resident_mib,
            own_mib: own.look(Some(std::process::id())).1,
            connected: connected(&shared.figures),
        };
        (before, last) = (counts, now);
        course.push(row);
        show(shown, second, &row, shared.findings.total());
        if *over.borrow() {
            break;
        }
    }
    if shown == Shown::Live {
        eprintln!();
    }
    course.finish();
    course
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn connected(figures: &Figures) -> f64 {
    figures.connected.load(Ordering::Relaxed) as f64
}

/// Turns all latencies over; those of texts and of pushes.
fn latencies(figures: &Figures) -> (Histogram<u64>, Histogram<u64>) {
    figures.lag.turn();
    figures.resume.turn();
    figures.replies.latency.turn();
    figures.replies.screen.turn();
    let mut ack = Histogram::new(3).expect("the precision is valid");
    let mut push = Histogram::new(3).expect("the precision is valid");
    for texts in &figures.texts {
        let _ = push.add(texts.screen.turn());
        let _ = ack.add(texts.latency.turn());
    }
    (ack, push)
}

fn show(shown: Shown, second: u64, row: &Row, wrong: u64) {
    let Row { offered, acked, replies, pushes, ack_p99_ms, push_p99_ms, cpu, resident_mib, connected, .. } = row;
    let wrong = if wrong == 0 { String::new() } else { format!("  WRONG: {wrong}") };
    let line = format!(
        "{second:>5} s  texts {acked:.0} of {offered:.0}/s  200 p99 {ack_p99_ms:.1} ms  screen p99 {push_p99_ms:.1} ms  \
         pushes {pushes:.0}/s  replies {replies:.0}/s  {connected:.0} dashboards  cpu {cpu:.2}  {resident_mib:.0} MiB{wrong}"
    );
    // Who watches may have gone.
    match shown {
        Shown::Live => drop(write!(std::io::stderr(), "\r\x1b[2K{line}")),
        Shown::Lines if second.is_multiple_of(LINE_EVERY) => drop(writeln!(std::io::stderr(), "{line}")),
        Shown::Lines | Shown::Not => {}
    }
}
