//! The report of a run: figures and verdict, as JSON, as a table in the terminal, as one page of HTML.

mod chart;
mod html;
mod table;

use serde::Serialize;

use super::{
    ceiling::Ceiling,
    figures::{Course, Quantiles, Requests, Row, get, grouped, to_f64},
    proxy::Fault,
    verdict::{Looked, Verdict},
};

/// Everything about a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// What it shows.
    pub about: String,
    /// Repeats its arrivals.
    pub seed: u64,
    /// When it began, in UTC.
    pub began: String,
    /// Cores of this machine, generator and server together.
    pub cores: usize,
    /// Businesses.
    pub tenants: usize,
    /// How long load was offered.
    pub seconds: f64,
    /// The verdict in a word.
    pub word: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// How much was looked at.
    pub looked: Looked,
    /// Texts, by group.
    pub texts: Vec<Side>,
    /// Replies.
    pub replies: Side,
    /// Publications a second, over the time that load was offered.
    pub pushes_per_s: f64,
    /// A lost connection until everything was seen again.
    pub resume: Quantiles,
    /// Of a ramp: the last rate that the engine kept up with.
    pub knee: Option<Knee>,
    /// The generator.
    pub generator: Generator,
    /// The server's process, if it runs here.
    pub server: Option<Server>,
    /// The carrier's meter.
    pub carrier: crate::meter::Report,
    /// What the proxy did, if the verdict itself was tried.
    pub planted: Option<Planted>,
    /// Where an engine of our own was left, if it was.
    pub kept: Option<String>,
    /// What happened when.
    pub moments: Vec<(f64, String)>,
    /// Second by second.
    pub course: Course,
}

/// Requests of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// As the scenario calls them.
    pub name: String,
    /// Arrivals.
    pub offered: u64,
    /// Taken.
    pub acked: u64,
    /// Not taken in their time.
    pub refused: u64,
    /// Never sent: the engine was still busy with those before.
    pub shed: u64,
    /// Tries that were told to come back later, and did.
    pub told_later: u64,
    /// Sent again after they were taken.
    pub repeated: u64,
    /// Arrivals a second.
    pub offered_per_s: f64,
    /// Taken a second.
    pub achieved_per_s: f64,
    /// From when it was due to its acknowledgement.
    pub latency: Quantiles,
    /// From when it was due to each operator's seeing it.
    pub screen: Quantiles,
}

impl Side {
    /// Of requests over so many seconds.
    pub fn of(requests: &Requests, seconds: f64) -> Self {
        let (offered, acked) = (get(&requests.offered), get(&requests.acked));
        Self {
            name: requests.name.clone(),
            offered,
            acked,
            refused: get(&requests.refused),
            shed: get(&requests.shed),
            told_later: get(&requests.told_later),
            repeated: get(&requests.repeated),
            offered_per_s: to_f64(offered) / seconds,
            achieved_per_s: to_f64(acked) / seconds,
            latency: Quantiles::of(&requests.latency.whole()),
            screen: Quantiles::of(&requests.screen.whole()),
        }
    }
}

/// The harness itself.
#[derive(Debug, Clone, Serialize)]
pub struct Generator {
    /// What it can do against a null server; none: not measured.
    pub ceiling: Option<Ceiling>,
    /// The most that the scenario offers.
    pub peak_per_s: f64,
    /// How late arrivals were released: one in a hundred was later.
    pub lag_p99_ms: f64,
    /// Its books, at the end: what the verdict remembers.
    pub books_kib: f64,
}

/// The server's process.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Server {
    /// Cores, on average while load was offered.
    pub cpu: f64,
    /// Microseconds of CPU for each text taken, everything that followed included.
    pub cpu_us_per_text: f64,
    /// At most.
    pub resident_max_mib: f64,
    /// In the second fifth of the run, at most.
    pub resident_early_mib: f64,
    /// In its last fifth, at most.
    pub resident_late_mib: f64,
}

/// Faults on purpose.
#[derive(Debug, Clone, Serialize)]
pub struct Planted {
    /// What, and how often.
    pub fault: Fault,
    /// How many.
    pub count: u64,
}

/// Where a ramp bends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Knee {
    /// Texts a second.
    pub per_s: f64,
    /// Whether it was reached: else the ramp ended first.
    pub reached: bool,
}

/// What "keeps up" means: this share of what is offered …
const KEPT_UP: f64 = 0.95;
/// … and no second whose 99th percentile is beyond this.
const KEPT_UP_MS: f64 = 500.0;
/// So many rows at the end that do not keep up are a bend; one may be a hiccup.
const BENT: usize = 3;

impl Knee {
    /// Of a course whose offered rate rises.
    pub fn of(rows: &[Row]) -> Self {
        let keeps_up = |row: &Row| row.acked >= row.offered * KEPT_UP && row.ack_p99_ms <= KEPT_UP_MS;
        let last = rows.iter().rposition(keeps_up);
        let per_s = rows.iter().filter(|row| keeps_up(row)).map(|row| row.acked).fold(0.0, f64::max);
        let beyond = rows.len() - last.map_or(0, |last| last + 1);
        Self { per_s, reached: beyond >= BENT }
    }
}

impl Server {
    /// From the course, while load was offered.
    pub fn of(rows: &[Row], seconds: f64, acked: u64) -> Option<Self> {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.at_s < seconds && row.resident_mib > 0.0).collect();
        let (last, whole) = (rows.last()?, rows.iter().map(|row| row.for_s).sum::<f64>());
        let used: f64 = rows.iter().map(|row| row.cpu * row.for_s).sum();
        let most = |from: f64, to: f64| {
            let within = rows.iter().filter(|row| (from..=to).contains(&(row.at_s / seconds)));
            within.map(|row| row.resident_mib).fold(0.0, f64::max)
        };
        Some(Self {
            cpu: used / whole.max(1e-9),
            cpu_us_per_text: used * 1e6 / to_f64(acked.max(1)),
            resident_max_mib: rows.iter().map(|row| row.resident_mib).fold(0.0, f64::max),
            resident_early_mib: most(0.2, 0.4),
            resident_late_mib: most(0.8, 1.0).max(last.resident_mib),
        })
    }
}

impl Report {
    /// For machines.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures always encode")
    }

    /// For a terminal.
    pub fn table(&self) -> String {
        table::table(self)
    }

    /// For a browser: one file, nothing fetched.
    pub fn html(&self) -> String {
        html::page(self)
    }
}

/// Milliseconds with as many digits as matter.
fn ms(ms: f64) -> String {
    match ms {
        ms if ms >= 10_000.0 => format!("{:.1} s", ms / 1_000.0),
        ms if ms >= 100.0 => format!("{ms:.0} ms"),
        ms if ms >= 10.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.2} ms"),
    }
}

/// Rounded, with commas.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures for people")]
fn number(number: f64) -> String {
    grouped(number.max(0.0).round() as u64)
}

/// A rate: small ones keep a digit.
fn rate(per_s: f64) -> String {
    if per_s < 100.0 { format!("{per_s:.1}/s") } else { format!("{}/s", number(per_s)) }
}

#[cfg(test)]
mod tests;
