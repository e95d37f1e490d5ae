//! The report as one page: verdict first, then figures, then charts. Nothing is fetched; light and dark as the reader's
//! system has it.

use super::{
    Quantiles, Report, Side,
    chart::{Across, Chart, Line},
    ms, number, rate,
    table::facts,
};
use crate::load::{
    figures::{Row, to_f64},
    verdict::Check,
};

const STYLE: &str = include_str!("page.css");

/// Text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page.
pub fn page(report: &Report) -> String {
    let Report { scenario, about, began, seconds, tenants, cores, seed, looked, word, .. } = report;
    let operators = looked.operators;
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{scenario}: {word}</title><style>{STYLE}</style></head>\
         <body><main><header><div><h1>{scenario}</h1><p class=\"about\">{about}</p>\
         <p class=\"small\">{began} · {seconds:.0} s · {tenants} tenants · {operators} operators · {cores} cores · \
         seed {seed}</p></div>\
         <p class=\"verdict {class}\">{word}</p></header>{tiles}{void}\
         <section><h2>What must hold</h2><ul class=\"checks\">{checks}</ul></section>\
         <section class=\"charts\">{charts}</section>\
         <section><h2>Latency from the time it was due</h2>{latencies}</section>\
         <section><h2>Beside it</h2><ul class=\"facts\">{facts}</ul></section>\
         <p class=\"small\">Generator and server share this machine. A text is late from when it was due, not from when \
         it left: a slow engine cannot hide behind a patient generator.</p></main></body></html>\n",
        class = word.to_lowercase(),
        scenario = escaped(scenario),
        about = escaped(about),
        tiles = tiles(report),
        void = report
            .verdict
            .void
            .iter()
            .map(|why| format!("<p class=\"void\">Void: {}</p>", escaped(why)))
            .collect::<String>(),
        checks = report.verdict.checks.iter().map(check).collect::<String>(),
        charts = charts(report),
        latencies = latencies(report),
        facts = facts(report).iter().map(|fact| format!("<li>{}</li>", escaped(fact))).collect::<String>(),
    )
}

fn tile(name: &str, figure: &str, beside: &str) -> String {
    format!("<div><dt>{name}</dt><dd>{figure}</dd><p>{beside}</p></div>")
}

fn tiles(report: &Report) -> String {
    let achieved: f64 = report.texts.iter().map(|side| side.achieved_per_s).sum();
    let offered: f64 = report.texts.iter().map(|side| side.offered_per_s).sum();
    let slowest = |of: fn(&Quantiles) -> f64| report.texts.iter().map(|side| of(&side.latency)).fold(0.0, f64::max);
    let seen = |of: fn(&Quantiles) -> f64| report.texts.iter().map(|side| of(&side.screen)).fold(0.0, f64::max);
    let mut tiles = vec![
        tile("Texts taken", &rate(achieved), &format!("of {} offered", rate(offered))),
        tile("Text to 200, p99", &ms(slowest(|of| of.p99_ms)), &format!("half below {}", ms(slowest(|of| of.p50_ms)))),
        tile("Text to screen, p99", &ms(seen(|of| of.p99_ms)), &format!("half below {}", ms(seen(|of| of.p50_ms)))),
        tile("Pushes", &rate(report.pushes_per_s), &format!("{} in all", number(to_f64(report.looked.pushes)))),
    ];
    if let Some(knee) = &report.knee {
        tiles.push(tile(
            "Knee",
            &rate(knee.per_s),
            if knee.reached { "kept up with until then" } else { "not reached" },
        ));
    }
    if report.resume.count > 0 {
        tiles.push(tile("Live again, p99", &ms(report.resume.p99_ms), &format!("{} returns", report.resume.count)));
    }
    if let Some(server) = &report.server {
        tiles.push(tile(
            "Server",
            &format!("{:.2} cores", server.cpu),
            &format!("{:.0} µs a text", server.cpu_us_per_text),
        ));
        let early = format!("{:.0} early", server.resident_early_mib);
        tiles.push(tile("Memory", &format!("{:.0} MiB", server.resident_late_mib), &early));
    }
    format!("<dl class=\"tiles\">{}</dl>", tiles.concat())
}

fn check(check: &Check) -> String {
    let (class, sign, word) = match check.holds {
        Some(true) => ("held", "✓", "holds"),
        Some(false) => ("broken", "✗", "does not hold"),
        None => ("unseen", "–", "not looked at"),
    };
    let said = if check.holds.is_none() { "not looked at" } else { &check.said };
    let against: String = check.against.iter().map(|against| format!("<li>{}</li>", escaped(against))).collect();
    let against = if against.is_empty() { String::new() } else { format!("<ul>{against}</ul>") };
    format!(
        "<li class=\"{class}\"><span class=\"sign\" title=\"{word}\">{sign}</span><div>{}<span class=\"said\">{}</span>\
         {against}</div></li>",
        escaped(check.promise),
        escaped(said)
    )
}

fn over_time<'a>(rows: &[Row], name: &'a str, class: &'a str, of: fn(&Row) -> f64) -> Line<'a> {
    Line { name, class, points: rows.iter().map(|row| (row.at_s + row.for_s, of(row))).collect() }
}

fn charts(report: &Report) -> String {
    let rows: Vec<Row> = report.course.rows.clone();
    let line = |name, class, of| over_time(&rows, name, class, of);
    let mut marks = report.moments.clone();
    marks.push((report.seconds, "load ends".to_owned()));
    let chart = |title, unit, lines| Chart { title, unit, across: Across::Time, marks: &marks, lines }.svg();
    let curve = |name, class, of: &Quantiles| Line { name, class, points: of.curve.clone() };
    let mut curves: Vec<Line<'_>> = Vec::new();
    let screens: Vec<String> = report.texts.iter().map(|side| format!("{} on screen", side.name)).collect();
    for (side, class) in report.texts.iter().zip(["c1", "c3"]) {
        curves.push(curve(&side.name, class, &side.latency));
    }
    // Of a second group, a flood, nobody asks when it is on a screen.
    if let Some((side, name)) = report.texts.iter().zip(&screens).next() {
        curves.push(curve(name, "c2", &side.screen));
    }
    if report.replies.acked > 0 {
        curves.push(curve("replies", "c4", &report.replies.latency));
    }
    let percentiles =
        Chart { title: "Latency by percentile", unit: "ms", across: Across::Percentile, marks: &[], lines: curves };
    [
        chart(
            "Texts",
            "a second",
            vec![
                line("offered", "c3", |row| row.offered),
                line("taken", "c1", |row| row.acked),
                line("refused", "c4", |row| row.refused),
            ],
        ),
        chart("Pushes to dashboards", "a second", vec![line("pushes", "c2", |row| row.pushes)]),
        chart(
            "Text to 200",
            "ms",
            vec![line("p99", "c1", |row| row.ack_p99_ms), line("p50", "c3", |row| row.ack_p50_ms)],
        ),
        chart(
            "Text to screen",
            "ms",
            vec![line("p99", "c2", |row| row.push_p99_ms), line("p50", "c3", |row| row.push_p50_ms)],
        ),
        percentiles.svg(),
        chart("Dashboards connected", "", vec![line("connected", "c4", |row| row.connected)]),
        chart("Server CPU", "cores", vec![line("server", "c1", |row| row.cpu)]),
        chart(
            "Memory",
            "MiB",
            vec![line("server", "c1", |row| row.resident_mib), line("harness", "c3", |row| row.own_mib)],
        ),
    ]
    .concat()
}

fn latencies(report: &Report) -> String {
    let head = ["", "offered", "achieved", "refused", "p50", "p90", "p99", "p99.9", "max"];
    let head: String = head.iter().map(|cell| format!("<th>{cell}</th>")).collect();
    let side = |side: &Side| {
        let counts = [rate(side.offered_per_s), rate(side.achieved_per_s), number(to_f64(side.refused + side.shed))];
        let seen = [String::new(), number(to_f64(side.screen.count)), String::new()];
        row(&side.name, counts, &side.latency) + &row("… on screen", seen, &side.screen)
    };
    let mut rows: String = report.texts.iter().map(side).collect();
    if report.replies.offered > 0 {
        rows += &side(&report.replies);
    }
    if report.resume.count > 0 {
        rows += &row("live again", [String::new(), number(to_f64(report.resume.count)), String::new()], &report.resume);
    }
    format!("<div class=\"scroll\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")
}

fn row(name: &str, counts: [String; 3], of: &Quantiles) -> String {
    let latencies = [of.p50_ms, of.p90_ms, of.p99_ms, of.p999_ms, of.max_ms].map(ms);
    let cells: String = counts.iter().chain(&latencies).map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr><th>{}</th>{cells}</tr>", escaped(name))
}
