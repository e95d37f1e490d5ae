//! Figures in the file format of `loadtest bench`, and the bench's own arguments. That crate knows nothing of the engine's
//! inside, so the shape stands here again; `loadtest bench report` reads it, and refuses what it cannot.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How a bench is run: by `cargo bench`, or small, as a test.
pub struct Run {
    /// The small form: sizes of some seconds in a build that is not optimized.
    pub quick: bool,
    out: Option<PathBuf>,
    bench: &'static str,
    began: Instant,
    rows: Vec<Value>,
}

/// What a figure must be.
pub enum Wanted {
    AtLeast(f64),
    AtMost(f64),
    Nothing,
}

impl Run {
    /// From the command line: `--bench` is cargo's, `--quick` and `--out DIRECTORY` are ours. Without `--bench` a test
    /// runs it.
    pub fn new(bench: &'static str) -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let has = |name: &str| arguments.iter().any(|argument| argument == name);
        let out = arguments.iter().position(|argument| argument == "--out").and_then(|at| arguments.get(at + 1));
        let quick = has("--quick") || !has("--bench");
        Self { quick, out: out.map(PathBuf::from), bench, began: Instant::now(), rows: Vec::new() }
    }

    /// A size in its real and in its small form.
    pub fn full_or_quick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Progress.
    pub fn say(&self, what: &str) {
        eprintln!("  {}: {what}", self.bench);
    }

    /// One figure, of all its runs.
    pub fn row(&mut self, bar: u8, what: &str, unit: &str, mut runs: Vec<f64>, wanted: &Wanted, note: &str) {
        runs.sort_by(f64::total_cmp);
        let last = runs.len() - 1;
        let figure = runs[last / 2];
        assert!(figure.is_finite(), "{what}: {figure}");
        self.say(&format!("{figure:.3} {unit}: {what} ({note})"));
        let wanted = match wanted {
            Wanted::AtLeast(bar) => json!({"at_least": bar}),
            Wanted::AtMost(bar) => json!({"at_most": bar}),
            Wanted::Nothing => Value::Null,
        };
        self.rows.push(json!({"bar": bar, "what": what, "unit": unit, "figure": figure, "least": runs[0],
            "most": runs[last], "runs": runs.len(), "wanted": wanted, "note": note}));
    }

    /// Writes the file, if there is a place for it.
    pub fn end(self) {
        let Some(out) = self.out else { return };
        let at = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
        let document = json!({"bench": self.bench, "command": format!("make bench ARGS={}", self.bench), "at": at,
            "commit": commit(), "quick": self.quick, "seconds": self.began.elapsed().as_secs_f64(), "rows": self.rows});
        std::fs::create_dir_all(&out).expect("the directory can be made");
        let text = serde_json::to_string_pretty(&document).expect("plain values");
        std::fs::write(out.join(format!("{}.json", self.bench)), text + "\n").expect("the figures can be written");
    }
}

/// The commit that is checked out, with `+` if files were changed since.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").args(arguments).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance.md"]);
    format!("{}{}", git(&["rev-parse", "--short=10", "HEAD"]), if changed.is_empty() { "" } else { "+" })
}

/// Milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
