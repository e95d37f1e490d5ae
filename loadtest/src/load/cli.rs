//! `loadtest run`, `loadtest ceiling`, `loadtest scenarios`: arguments, and what is printed and written.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;

use super::{
    ceiling,
    corpus::Corpus,
    proxy::Fault,
    run::{Options, Target, run},
    sampler::Shown,
    scenario::{BUILT_IN, Scenario},
};

/// `loadtest run`.
#[derive(Debug, clap::Args)]
pub struct RunArguments {
    /// A scenario's name (see `loadtest scenarios`), or a TOML file of your own.
    #[arg(default_value = "steady")]
    pub scenario: String,
    /// The engine's binary. It is started on a scratch directory, stopped at the end and made to check itself. Without
    /// it: `deskwire` beside this binary.
    #[arg(long, value_name = "PATH", conflicts_with = "address")]
    pub engine: Option<PathBuf>,
    /// An engine that runs already, in place of one of our own: tenants `load-…` are made in it. Its logs cannot be
    /// read then, so that part of the verdict is left out; it must send to --carrier (twilio.base_url).
    #[arg(long, value_name = "HOST:PORT", requires = "tokens")]
    pub address: Option<SocketAddr>,
    /// Its server.public_url, if it is not http://HOST:PORT.
    #[arg(long, value_name = "URL", requires = "address")]
    pub public_url: Option<String>,
    /// What mints its tokens: a command that takes the arguments of `deskwire token`, for example
    /// "deskwire --config /etc/deskwire.toml token".
    #[arg(long, value_name = "COMMAND", requires = "address")]
    pub tokens: Option<String>,
    /// Where the simulated carrier listens for it.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    pub carrier: SocketAddr,
    /// Its process, if it runs on this machine: CPU and memory are reported.
    #[arg(long, requires = "address")]
    pub pid: Option<u32>,
    /// Real texts, one a line. Without it: sentences put together.
    #[arg(long, value_name = "FILE")]
    pub corpus: Option<PathBuf>,
    /// Writes the report for machines.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Writes the report for a browser: one file, nothing fetched.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Seconds of load instead of the scenario's; what happens at a time moves with it.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<f64>,
    /// So many times the scenario's rates.
    #[arg(long, value_name = "FACTOR")]
    pub times: Option<f64>,
    /// Operators instead of the scenario's.
    #[arg(long)]
    pub operators: Option<usize>,
    /// Tenants instead of the scenario's.
    #[arg(long)]
    pub tenants: Option<usize>,
    /// Repeats the arrivals and choices of another run.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where the engine works and what it leaves; without it a directory that is removed if everything holds.
    #[arg(long, value_name = "PATH")]
    pub directory: Option<PathBuf>,
    /// Does not measure the generator's own ceiling first.
    #[arg(long)]
    pub no_ceiling: bool,
    /// Tries the verdict itself: a proxy before the stream does what an engine must not, once in so many pushes, and the
    /// verdict must be BROKEN. drop, repeat, swap, leak or disguise, as in `drop:1000000`.
    #[arg(long, value_name = "KIND:ONE_IN")]
    pub fault: Option<Fault>,
}

impl RunArguments {
    fn scenario(&self) -> anyhow::Result<Scenario> {
        let mut scenario = Scenario::load(&self.scenario)?;
        if let Some(seconds) = self.seconds {
            scenario.stretch(seconds);
        }
        if let Some(factor) = self.times {
            scenario.speed_up(factor);
        }
        scenario.operators.count = self.operators.unwrap_or(scenario.operators.count);
        scenario.tenants = self.tenants.unwrap_or(scenario.tenants);
        Ok(scenario)
    }

    fn target(&self) -> anyhow::Result<Target> {
        if let (Some(address), Some(tokens)) = (self.address, &self.tokens) {
            return Ok(Target::Running {
                address,
                public_url: self.public_url.clone().unwrap_or_else(|| format!("http://{address}")),
                token_command: tokens.clone(),
                carrier_listen: self.carrier,
                pid: self.pid,
            });
        }
        let binary = match &self.engine {
            Some(binary) => binary.clone(),
            None => std::env::current_exe()?.with_file_name("deskwire"),
        };
        anyhow::ensure!(
            binary.is_file(),
            "{} is missing: cargo build --bin deskwire, or --engine PATH",
            binary.display()
        );
        Ok(Target::Own { binary })
    }
}

/// Plays it, prints the table, writes the files. 0: everything holds; 1: something does not; 2: void.
pub async fn play(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let options = Options {
        scenario: arguments.scenario()?,
        target: arguments.target()?,
        corpus: arguments.corpus.clone(),
        seed: arguments.seed.unwrap_or_else(|| rand::random::<u32>().into()),
        measure_ceiling: !arguments.no_ceiling,
        fault: arguments.fault,
        directory: arguments.directory.clone(),
        shown: Shown::fitting(),
    };
    eprintln!("{}: {}", options.scenario.name, options.scenario.about);
    let report = run(options).await?;
    println!("{}", report.table());
    write(arguments.json.as_deref(), || report.json())?;
    write(arguments.html.as_deref(), || report.html())?;
    Ok(ExitCode::from(report.verdict.exit_code()))
}

fn write(path: Option<&Path>, text: impl FnOnce() -> String) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text()).with_context(|| path.display().to_string())
}

/// `loadtest ceiling`.
pub async fn ceiling(options: ceiling::Options) -> anyhow::Result<()> {
    let ceiling = ceiling::measure(options, Arc::new(Corpus::made(0))).await?;
    println!("{}", serde_json::to_string_pretty(&ceiling)?);
    Ok(())
}

/// `loadtest scenarios`.
pub fn scenarios() -> anyhow::Result<()> {
    for (name, _) in BUILT_IN {
        let scenario = Scenario::load(name)?;
        println!("{name:<16} {:>5.0} s  {}", scenario.duration_s, scenario.about);
    }
    Ok(())
}
