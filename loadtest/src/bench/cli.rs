//! `loadtest bench NAME`: what can be asked for, and what all benches share.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::ensure;
use clap::ValueEnum;

use super::{fanout, figure::Document, figure::Row, history, ingest, machine, memory, outbound, queue, report, storm};

/// Runs of each figure where a bench repeats itself.
const RUNS: usize = 3;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Bench {
    /// Bars 1 and 2: signed webhook to durable 200; one tenant and one conversation receiving everything.
    Ingest,
    /// Bar 1: through to a live stream, open loop.
    Live,
    /// Bar 3: memory over minutes of full load.
    Memory,
    /// Bar 4: what a push costs, how many there can be, what a connection weighs.
    FanOut,
    /// Bars 6 and 9: pages, searches, starts and load on a large store.
    History,
    /// Bar 7: two hundred lanes at mixed limits.
    Outbound,
    /// Bar 7: a queue of a hundred thousand texts drains in order.
    Queue,
    /// Bar 8: every dashboard loses its socket at once.
    Storm,
    /// Makes the tables of docs/performance.md and README.md from what is there.
    Report,
}

impl Bench {
    /// As on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// All that measure.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied().filter(|bench| *bench != Self::Report)
    }
}

/// `loadtest bench`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// What to measure.
    #[arg(value_enum)]
    pub bench: Bench,
    /// The engine's binary; without it `deskwire` beside this one.
    #[arg(long, value_name = "PATH")]
    pub engine: Option<PathBuf>,
    /// Where the figures go, as JSON.
    #[arg(long, value_name = "DIRECTORY", default_value = "target/bench")]
    pub out: PathBuf,
    /// A small form of some seconds, to see that it works. Its figures mean nothing.
    #[arg(long)]
    pub quick: bool,
    /// Runs of each figure; the median counts.
    #[arg(long)]
    pub runs: Option<usize>,
    /// Of `memory`: how long.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Of `history`: messages of the largest store; one of a tenth is measured too.
    #[arg(long)]
    pub messages: Option<u64>,
    /// Of `ingest`: `perf record` the engine, and write a table of its functions.
    #[arg(long)]
    pub profile: bool,
    /// Of `report`: the files whose tables are written.
    #[arg(long, value_name = "FILE", default_values = ["docs/performance.md", "README.md"])]
    pub tables: Vec<PathBuf>,
}

/// What a bench is run with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The engine's binary.
    pub engine: PathBuf,
    /// Where figures and profiles go.
    pub out: PathBuf,
    /// The small form.
    quick: bool,
    /// Runs of each figure.
    pub runs: usize,
    /// See [`Arguments`].
    pub seconds: Option<f64>,
    /// See [`Arguments`].
    pub messages: Option<u64>,
    /// See [`Arguments`].
    pub profile: bool,
    bench: String,
}

impl Options {
    /// A size in its real and in its small form.
    pub fn full_or_quick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Progress, for whoever waits.
    pub fn say(&self, what: &str) {
        eprintln!("  {}: {what}", self.bench);
    }
}

/// Measures, or makes the tables. What it found is also returned.
pub async fn run(arguments: Arguments) -> anyhow::Result<Document> {
    let Arguments { bench, out, .. } = &arguments;
    if *bench == Bench::Report {
        report::write(out, &arguments.tables)?;
        return Ok(document(&arguments, 0.0, Vec::new()));
    }
    let options = options(&arguments)?;
    let since = Instant::now();
    let rows = measure(*bench, &options).await?;
    let document = document(&arguments, since.elapsed().as_secs_f64(), rows);
    document.write(out)?;
    eprintln!("{}", report::terminal(&document));
    Ok(document)
}

async fn measure(bench: Bench, options: &Options) -> anyhow::Result<Vec<Row>> {
    match bench {
        Bench::Ingest => Box::pin(ingest::webhooks(options)).await,
        Bench::Live => Box::pin(ingest::live(options)).await,
        Bench::Memory => Box::pin(memory::run(options)).await,
        Bench::FanOut => Box::pin(fanout::run(options)).await,
        Bench::History => Box::pin(history::run(options)).await,
        Bench::Outbound => Box::pin(outbound::run(options)).await,
        Bench::Queue => Box::pin(queue::run(options)).await,
        Bench::Storm => Box::pin(storm::run(options)).await,
        Bench::Report => Ok(Vec::new()),
    }
}

fn options(arguments: &Arguments) -> anyhow::Result<Options> {
    let engine = match &arguments.engine {
        Some(engine) => engine.clone(),
        None => std::env::current_exe()?.with_file_name("deskwire"),
    };
    ensure!(engine.is_file(), "{} is missing: cargo build --release --bin deskwire", engine.display());
    let runs = arguments.runs.unwrap_or(if arguments.quick { 1 } else { RUNS });
    ensure!((1..=100).contains(&runs), "--runs must be 1 to 100");
    Ok(Options {
        engine,
        out: arguments.out.clone(),
        quick: arguments.quick,
        runs,
        seconds: arguments.seconds,
        messages: arguments.messages,
        profile: arguments.profile,
        bench: arguments.bench.name(),
    })
}

fn document(arguments: &Arguments, seconds: f64, rows: Vec<Row>) -> Document {
    // A store of a size that was asked for is a bench of its own: neither takes the other's place in the table.
    let is_big = arguments.bench == Bench::History && arguments.messages.is_some();
    let bench = if is_big { "big".to_owned() } else { arguments.bench.name() };
    let at = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string();
    let command = format!("make bench ARGS={bench}");
    Document { command, at, commit: machine::commit(), quick: arguments.quick, seconds, rows, bench }
}

/// Reads a file that must be there to be written to.
pub fn read(path: &Path) -> anyhow::Result<String> {
    use anyhow::Context as _;
    fs::read_to_string(path).with_context(|| path.display().to_string())
}
