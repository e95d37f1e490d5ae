//! What a bench leaves: rows with a figure, its spread over the runs, and the bar it is held against.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What a figure must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Wanted {
    /// Whether a figure meets it.
    pub fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(bar) => figure >= bar,
            Self::AtMost(bar) => figure <= bar,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Of the nine bars, which; 0: none, shown beside them.
    pub bar: u8,
    /// What was measured.
    pub what: String,
    /// In what.
    pub unit: String,
    /// The median of the runs.
    pub figure: f64,
    /// The least of them.
    pub least: f64,
    /// The most of them.
    pub most: f64,
    /// How many.
    pub runs: usize,
    /// What it must be; none: shown for comparison.
    pub wanted: Option<Wanted>,
    /// What is worth knowing beside it.
    pub note: String,
}

impl Row {
    /// Of the figures of all runs; the median of an even number is the lower of the two in the middle.
    pub fn new(bar: u8, what: &str, unit: &str, mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        let at = |place: usize| runs.get(place).copied().unwrap_or(f64::NAN);
        let last = runs.len().saturating_sub(1);
        Self {
            bar,
            what: what.to_owned(),
            unit: unit.to_owned(),
            figure: at(last / 2),
            least: at(0),
            most: at(last),
            runs: runs.len(),
            wanted: None,
            note: String::new(),
        }
    }

    /// Held against a bar.
    #[must_use]
    pub fn wants(self, wanted: Wanted) -> Self {
        Self { wanted: Some(wanted), ..self }
    }

    /// With something worth knowing.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Met, missed, or nothing to be met.
    pub fn is_met(&self) -> Option<bool> {
        self.wanted.map(|wanted| wanted.is_met(self.figure))
    }
}

/// What one bench found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Which.
    pub bench: String,
    /// How it is had again.
    pub command: String,
    /// When it ended, in UTC.
    pub at: String,
    /// Of which commit, with `+` if files were changed since.
    #[serde(default)]
    pub commit: String,
    /// A small form, to see that it works: its figures mean nothing.
    pub quick: bool,
    /// How long it took.
    pub seconds: f64,
    /// What it found.
    pub rows: Vec<Row>,
}

impl Document {
    /// Writes it to `<directory>/<bench>.json`.
    pub fn write(&self, directory: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        let path = directory.join(format!("{}.json", self.bench));
        fs::write(&path, serde_json::to_string_pretty(self)? + "\n").with_context(|| path.display().to_string())
    }

    /// All that are in a directory, in order of their benches' names.
    pub fn read_all(directory: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths: Vec<_> = fs::read_dir(directory)
            .with_context(|| directory.display().to_string())?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let text = fs::read_to_string(path)?;
            serde_json::from_str(&text).with_context(|| path.display().to_string())
        };
        paths.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_median_of_its_runs_and_says_their_spread() {
        let row = Row::new(1, "texts", "/s", vec![30.0, 10.0, 20.0]).wants(Wanted::AtLeast(20.0));
        assert_eq!((row.figure, row.least, row.most, row.runs), (20.0, 10.0, 30.0, 3));
        assert_eq!(row.is_met(), Some(true));
        assert_eq!(Row::new(1, "texts", "/s", vec![20.1]).wants(Wanted::AtMost(20.0)).is_met(), Some(false));
        assert!(Row::new(1, "texts", "/s", Vec::new()).wants(Wanted::AtLeast(0.0)).is_met() == Some(false));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let rows = vec![Row::new(4, "push", "µs", vec![6.5]).note("on one core")];
        let (bench, command, at) = ("fan-out".to_owned(), "make bench".to_owned(), "now".to_owned());
        let document = Document { bench, command, at, commit: "0".to_owned(), quick: true, seconds: 1.0, rows };
        document.write(directory.path()).unwrap();
        assert_eq!(Document::read_all(directory.path()).unwrap(), vec![document]);
    }
}
