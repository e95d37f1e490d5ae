//! The report in a terminal: what was offered, what came of it, how late, and what holds.

use std::fmt::Write as _;

use super::{Report, Side, ms, number, rate};

/// Columns of latencies.
const HEAD: [&str; 8] = ["", "offered", "achieved", "refused", "p50", "p99", "p99.9", "max"];

/// As text, lines ended.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    let out = &mut text;
    let line = |out: &mut String, line: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", line.trim_end());
    };
    line(out, format!("{}: {}", report.scenario, report.about));
    let pushes = rate(report.pushes_per_s);
    let Report { seconds, tenants, cores, seed, looked, .. } = report;
    let operators = looked.operators;
    line(
        out,
        format!(
            "{seconds:.0} s, {tenants} tenants, {operators} operators, {pushes} pushes, {cores} cores, seed {seed}"
        ),
    );
    line(out, String::new());
    line(out, columns(&HEAD.map(str::to_owned)));
    report.texts.iter().chain([&report.replies].into_iter().filter(|side| side.offered > 0)).for_each(|side| {
        line(out, columns(&row(side)));
        line(out, columns(&screen(side)));
    });
    if report.resume.count > 0 {
        line(out, columns(&latencies("live again", &report.resume)));
    }
    line(out, String::new());
    facts(report).into_iter().for_each(|fact| line(out, fact));
    line(out, String::new());
    for check in &report.verdict.checks {
        let sign = match check.holds {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "–",
        };
        let said = if check.holds.is_none() { "not looked at" } else { &check.said };
        line(out, format!("{sign} {}: {said}", check.promise));
        check.against.iter().for_each(|against| line(out, format!("    {against}")));
    }
    report.verdict.void.iter().for_each(|why| line(out, format!("! void: {why}")));
    line(out, String::new());
    line(out, format!("VERDICT: {}", report.word));
    text
}

/// What else there is to say, a line each.
pub fn facts(report: &Report) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(server) = &report.server {
        facts.push(format!(
            "server: {:.2} cores, {:.0} µs of CPU a text; memory {:.0} MiB early, {:.0} at the end, {:.0} at most",
            server.cpu,
            server.cpu_us_per_text,
            server.resident_early_mib,
            server.resident_late_mib,
            server.resident_max_mib
        ));
    }
    let generator = &report.generator;
    let ceiling = match &generator.ceiling {
        Some(ceiling) => format!("alone it posts {} (p99 {})", rate(ceiling.per_s), ms(ceiling.p99_ms)),
        None => "its ceiling was not measured".to_owned(),
    };
    facts.push(format!(
        "generator: {ceiling}; offered at most {}; arrivals released {} late (p99); books {:.0} KiB",
        rate(generator.peak_per_s),
        ms(generator.lag_p99_ms),
        generator.books_kib
    ));
    if let Some(knee) = &report.knee {
        facts.push(match (knee.reached, knee.per_s > 0.0) {
            (true, true) => format!("the knee: {} are kept up with", rate(knee.per_s)),
            (true, false) => "the knee lies below the first second: give the ramp more time".to_owned(),
            (false, _) => format!("no knee up to the end of the ramp: {} are kept up with", rate(knee.per_s)),
        });
    }
    let meter = &report.carrier;
    if meter.texts > 0 {
        facts.push(format!(
            "carrier: {} texts taken, {} within the meter's tolerance of {} ms",
            number(super::to_f64(meter.texts)),
            meter.within_tolerance,
            meter.tolerance_ms
        ));
    }
    for side in report.texts.iter().filter(|side| side.shed > 0) {
        facts.push(format!(
            "{}: {} were never sent, the engine did not keep up",
            side.name,
            number(super::to_f64(side.shed))
        ));
    }
    if let Some(planted) = &report.planted {
        let (kind, one_in) = (planted.fault.kind, planted.fault.one_in);
        facts.push(format!("planted on purpose: {} × {kind:?}, one push in {one_in}", planted.count));
    }
    if let Some(kept) = &report.kept {
        facts.push(format!("the engine's directory and log are kept: {kept}"));
    }
    facts
}

fn row(side: &Side) -> [String; 8] {
    let refused = side.refused + side.shed;
    [
        side.name.clone(),
        rate(side.offered_per_s),
        rate(side.achieved_per_s),
        number(super::to_f64(refused)),
        ms(side.latency.p50_ms),
        ms(side.latency.p99_ms),
        ms(side.latency.p999_ms),
        ms(side.latency.max_ms),
    ]
}

/// Until operators saw it.
fn screen(side: &Side) -> [String; 8] {
    latencies("  … on screen", &side.screen)
}

fn latencies(name: &str, of: &super::Quantiles) -> [String; 8] {
    let [p50, p99, p999, max] = [of.p50_ms, of.p99_ms, of.p999_ms, of.max_ms].map(ms);
    let seen = number(super::to_f64(of.count));
    [name.to_owned(), String::new(), seen, String::new(), p50, p99, p999, max]
}

fn columns(cells: &[String; 8]) -> String {
    let [name, rest @ ..] = cells;
    let rest: Vec<String> = rest.iter().map(|cell| format!("{cell:>11}")).collect();
    format!("{name:<16}{}", rest.join(""))
}
