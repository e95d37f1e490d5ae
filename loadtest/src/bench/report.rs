//! The tables: docs/performance.md with every figure, README.md with those that have a bar. What people wrote around them
//! stays; only what is between the markers is made.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, ensure};

use super::{
    cli::read,
    figure::{Document, Row, Wanted},
    machine::Machine,
};
use crate::load::figures::grouped;

const BEGIN: &str = "<!-- made by `make bench`: begin -->";
const END: &str = "<!-- made by `make bench`: end -->";

/// Writes the tables of all figures in a directory.
pub fn write(directory: &Path, tables: &[std::path::PathBuf]) -> anyhow::Result<()> {
    let documents = Document::read_all(directory)?;
    ensure!(!documents.is_empty(), "there are no figures in {}: make bench", directory.display());
    let machine = Machine::look(directory)?;
    for path in tables {
        let text = read(path)?;
        let is_readme = path.file_name().is_some_and(|name| name == "README.md");
        let made = if is_readme { short(&documents) } else { long(&documents, &machine) };
        fs::write(path, replaced(&text, &made).with_context(|| path.display().to_string())?)?;
        eprintln!("{} is written", path.display());
    }
    Ok(())
}

/// The text with what is between its markers replaced.
fn replaced(text: &str, made: &str) -> anyhow::Result<String> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("no line {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("no line {END}"))?;
    Ok(format!("{before}{BEGIN}\n{made}{END}{after}"))
}

fn long(documents: &[Document], machine: &Machine) -> String {
    let mut text = String::new();
    let Machine { cores, cpu, memory_gib, kernel, sync_p50_ms, sync_p99_ms, load } = machine;
    let _ = writeln!(
        text,
        "{cores} cores ({cpu}), {memory_gib:.0} GiB, {kernel}; a 4 KiB append with fdatasync takes \
         {sync_p50_ms:.2} ms (p99 {sync_p99_ms:.2} ms); load average at the end {load:.1}. Generator beside the server.\n"
    );
    if documents.iter().any(|document| document.quick) {
        text += "**Made with QUICK=1: these figures mean nothing.**\n\n";
    }
    text += "| bar | what | figure | of runs | wanted | | beside it | command |\n|---|---|---:|---|---:|---|---|---|\n";
    for (document, row) in rows(documents) {
        let Row { bar, what, note, .. } = row;
        let bar = if *bar == 0 { String::new() } else { bar.to_string() };
        let _ = writeln!(
            text,
            "| {bar} | {what} | {} | {} | {} | {} | {note} | `{}` |",
            figure(row, row.figure),
            spread(row),
            wanted(row),
            word(row),
            document.command
        );
    }
    text.push('\n');
    for document in documents {
        let Document { bench, at, commit, seconds, .. } = document;
        let _ = writeln!(text, "- `{bench}`: commit `{commit}`, {at}, {seconds:.0} s");
    }
    text
}

fn short(documents: &[Document]) -> String {
    let mut text = "| what | figure | bar | command |\n|---|---:|---|---|\n".to_owned();
    for (document, row) in rows(documents).into_iter().filter(|(_, row)| row.wanted.is_some()) {
        let (figure, wanted) = (figure(row, row.figure), wanted(row));
        let _ = writeln!(text, "| {} | {figure} | {wanted}: {} | `{}` |", row.what, word(row), document.command);
    }
    text
}

/// In order of the bars; what belongs to one row and begins with `…` stays behind it.
fn rows(documents: &[Document]) -> Vec<(&Document, &Row)> {
    let mut rows: Vec<(&Document, &Row)> =
        documents.iter().flat_map(|document| document.rows.iter().map(move |row| (document, row))).collect();
    rows.sort_by_key(|(_, row)| row.bar);
    rows
}

/// As a terminal shows it.
pub fn terminal(document: &Document) -> String {
    let mut text = format!("{} ({:.0} s)\n", document.bench, document.seconds);
    for row in &document.rows {
        let (figure, wanted, word) = (figure(row, row.figure), wanted(row), word(row));
        let note = if row.note.is_empty() { String::new() } else { format!("  ({})", row.note) };
        let _ = writeln!(text, "  {figure:>18}  {:<6} {wanted:<14} {}{note}", word.replace('*', ""), row.what);
    }
    text
}

fn word(row: &Row) -> &'static str {
    match row.is_met() {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "",
    }
}

fn wanted(row: &Row) -> String {
    match row.wanted {
        Some(Wanted::AtLeast(bar)) => format!("≥ {}", figure(row, bar)),
        Some(Wanted::AtMost(bar)) => format!("≤ {}", figure(row, bar)),
        None => String::new(),
    }
}

fn spread(row: &Row) -> String {
    match row.runs {
        0 | 1 => "1".to_owned(),
        runs => format!("{runs}: {}–{}", number(row.least), number(row.most)),
    }
}

fn figure(row: &Row, value: f64) -> String {
    let space = if row.unit.is_empty() || row.unit.starts_with('/') { "" } else { " " };
    format!("{}{space}{}", number(value), row.unit)
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value {
        value if !value.is_finite() => "–".to_owned(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded for people")]
        value if value >= 100.0 => grouped(value.round() as u64),
        value if value == value.round() => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let rows = vec![
            Row::new(4, "push", "µs", vec![6.0, 7.5, 6.5]).wants(Wanted::AtMost(7.0)).note("one core"),
            Row::new(1, "webhooks", "/s", vec![12_345.6]).wants(Wanted::AtLeast(50_000.0)),
            Row::new(1, "… CPU", "µs", vec![20.0]),
        ];
        let (command, at) = ("make bench ARGS=x".to_owned(), "today".to_owned());
        Document { bench: "x".to_owned(), command, at, commit: "0".to_owned(), quick: false, seconds: 9.0, rows }
    }

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let again = replaced(&text, "new\n").unwrap();
        assert_eq!(again, format!("before\n{BEGIN}\nnew\n{END}\nafter\n"));
        assert_eq!(replaced(&again, "new\n").unwrap(), again);
        assert!(replaced("no markers", "new").is_err());
    }

    #[test]
    fn rows_stand_in_order_of_their_bars_with_what_they_wanted() {
        let short = short(&[document()]);
        let lines: Vec<&str> = short.lines().skip(2).collect();
        assert_eq!(lines[0], "| webhooks | 12,346/s | ≥ 50,000/s: **missed** | `make bench ARGS=x` |");
        assert_eq!(lines[1], "| push | 6.50 µs | ≤ 7 µs: met | `make bench ARGS=x` |");
        assert_eq!(lines.len(), 2, "what has no bar is not in the short table");
        assert!(terminal(&document()).contains("one core"));
    }
}
