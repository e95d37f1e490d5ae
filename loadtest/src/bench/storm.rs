//! Bar 8: five thousand dashboards of two hundred tenants lose their sockets at once under load. The harness plays it,
//! so its verdict is what says that nobody has a gap.

use anyhow::Context as _;

use super::{
    cli::Options,
    figure::{Row, Wanted},
};
use crate::load::{
    self, Target,
    figures::{Row as Second, to_f64},
    report::Report,
    sampler::Shown,
    scenario::{Action, Scenario, Timed},
    schedule::Rate,
};

/// When the sockets go, and how long the storm's latencies are looked at.
const STORM_S: f64 = 5.0;
/// Seconds at the beginning that do not count as calm: contacts are new.
const SETTLING_S: f64 = 5.0;

fn scenario(options: &Options) -> anyhow::Result<(Scenario, f64)> {
    let mut scenario = Scenario::load("resume-storm")?;
    scenario.duration_s = options.full_or_quick(40.0, 6.0);
    scenario.tenants = options.full_or_quick(200, 3);
    scenario.operators.count = options.full_or_quick(5_000, 12);
    scenario.texts[0].rate = Rate::Constant { per_s: options.full_or_quick(1_000.0, 30.0) };
    scenario.texts[0].contacts = 100;
    // What a busy generator does to latency is seen in the figures; the run still says whether anybody has a gap.
    scenario.generator_lag_max_ms = 2_000;
    let at_s = scenario.duration_s / 2.0;
    scenario.actions = vec![Timed { at_s, times: 1, every_s: 0.0, action: Action::Drop { share: 1.0 } }];
    Ok((scenario, at_s))
}

/// Runs it.
pub async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let (mut live, mut whole, mut ratios, mut words, mut p99s) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..options.runs.min(2) {
        let (scenario, at_s) = scenario(options)?;
        let directory = std::env::temp_dir().join(format!("deskwire-bench-storm-{:08x}", rand::random::<u32>()));
        let played = load::Options {
            scenario,
            target: Target::Own { binary: options.engine.clone() },
            corpus: None,
            seed: 1 + run as u64,
            measure_ceiling: false,
            fault: None,
            directory: Some(directory.clone()),
            shown: Shown::Not,
        };
        let report = load::run(played).await?;
        let (calm, storm) = latencies(&report, at_s).context("the run has no seconds")?;
        options.say(&format!(
            "{}: resume p99 {:.0} ms, max {:.0} ms; 200 p99 {calm:.1} ms calm, {storm:.1} ms in the storm",
            report.word, report.resume.p99_ms, report.resume.max_ms
        ));
        live.push(report.resume.p99_ms / 1e3);
        whole.push(report.resume.max_ms / 1e3);
        ratios.push(storm / calm);
        p99s.push(format!("{storm:.1} ms of {calm:.1} ms"));
        let broken = report.verdict.checks.iter().filter(|check| check.holds == Some(false)).count();
        words.push(to_f64(broken as u64));
        if broken == 0 {
            std::fs::remove_dir_all(&directory)?;
        } else {
            options.say(&format!("{}\nwhat it left: {}", report.table(), directory.display()));
        }
    }
    Ok(vec![
        Row::new(8, "5,000 dashboards of 200 tenants dropped at once under 1,000 texts/s: 99 % live again", "s", live)
            .wants(Wanted::AtMost(5.0)),
        Row::new(8, "… the last one", "s", whole),
        Row::new(8, "… promises of the harness's verdict that did not hold (gaps, order, isolation)", "", words)
            .wants(Wanted::AtMost(0.0)),
        Row::new(8, "… ingest p99 in the five seconds after, of its calm value", "×", ratios)
            .wants(Wanted::AtMost(2.0))
            .note(p99s.join(", ")),
    ])
}

/// Mean of the seconds' p99, before and right after.
fn latencies(report: &Report, at_s: f64) -> Option<(f64, f64)> {
    let settling = SETTLING_S.min(at_s / 3.0);
    let mean = |from: f64, until: f64| {
        let rows: Vec<&Second> = report.course.rows.iter().filter(|row| (from..until).contains(&row.at_s)).collect();
        let count = u32::try_from(rows.len()).ok().filter(|count| *count > 0)?;
        Some(rows.iter().map(|row| row.ack_p99_ms).sum::<f64>() / f64::from(count))
    };
    Some((mean(settling, at_s - 0.5)?, mean(at_s - 0.5, at_s + STORM_S)?))
}
