//! `loadtest`: scenarios with a verdict, the simulated carrier by itself (Ctrl-C ends it), and the benchmarks.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use loadtest::{
    bench,
    carrier::{CarrierConfig, CarrierServer},
    demo::{self, DemoConfig},
    load::{ceiling, cli as load},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "loadtest", about = "What the engine can take, seen from outside", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays a scenario against the engine and gives a verdict: contacts who text, operators who watch and answer, the
    /// carrier. Exit status 0 only if every promise held; 1: one did not; 2: the figures mean nothing.
    Run(Box<load::RunArguments>),
    /// Lists the project's scenarios and what each shows.
    Scenarios,
    /// What the generator itself can do on this machine: signed texts to a server that does nothing.
    Ceiling(ceiling::Options),
    /// A simulated carrier: Twilio's REST, signed webhooks, TwiML, keywords, faults, a strict meter, and a telephone.
    #[command(after_help = CARRIER_HELP)]
    Carrier(CarrierArguments),
    /// The project's bars, one at a time: `make bench` runs all of them and writes docs/performance.md.
    Bench(Box<bench::Arguments>),
}

/// What it serves; README.md ("The simulated carrier") has its configuration.
const CARRIER_HELP: &str = "\
It serves, on the address that it listens on:
  /phone                      a telephone: call a line, text it, answer as the business
  /2010-04-01/Accounts/...    Twilio's REST, with the accounts' credentials
  /meter, /meter/reset        how fast it was sent to
  /control/inbound            POST a contact's text
  /control/call               POST a scripted call, answered when it is over
  /control/calls              POST a call that waits for /control/calls/{sid}/act; GET the records (?rang_nobody=true)
  /control/messages           GET the texts it keeps
  /control/handsets           POST a telephone: off, landline, network; GET /{number}, /{number}/received
  /control/absence            POST {rest: here|error|refuse, webhooks, for_s}: hours of absence
  /control/faults, /script    what goes wrong, by share or for the next requests
/control, /meter and /phone are for this machine only, and for no page but its own.";

#[derive(Args)]
struct CarrierArguments {
    /// Where it listens.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Where the engine is; also the base of the URLs it signs unless --public-url differs.
    #[arg(long)]
    engine: Option<String>,
    /// The engine's public base, as configured there.
    #[arg(long)]
    public_url: Option<String>,
    /// A TOML file: accounts, lines, networks, latency, faults. Only the keys that differ; README.md lists them.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Play callers against the first line until stopped.
    #[arg(long)]
    demo: bool,
    /// An operator's token of the demo tenant: somebody at the desk answers whoever waits.
    #[arg(long, value_name = "TOKEN", env = "DEMO_OPERATOR_TOKEN", hide_env_values = true)]
    operator_token: Option<String>,
    /// Callers of the demo at the same time.
    #[arg(long, default_value_t = 2)]
    demo_callers: usize,
    /// Seconds between two callers of the demo.
    #[arg(long, default_value_t = 12)]
    demo_pause_s: u64,
}

impl CarrierArguments {
    fn config(&self) -> anyhow::Result<CarrierConfig> {
        let mut figment = Figment::from(Serialized::defaults(CarrierConfig::default()));
        if let Some(path) = &self.config {
            figment = figment.merge(Toml::file_exact(path));
        }
        let mut config: CarrierConfig = figment.extract().context("the carrier's configuration")?;
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        if let Some(engine) = &self.engine {
            config.engine_url.clone_from(engine);
        }
        config.public_url = self.public_url.clone().or(config.public_url);
        Ok(config)
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_env_filter(filter()).with_writer(std::io::stderr).init();
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into())
}

#[tokio::main]
async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        // What it started ends with it.
        Command::Run(arguments) => tokio::select! {
            played = load::play(*arguments) => return played,
            () = stopped() => Err(anyhow::anyhow!("interrupted: no verdict")),
        },
        Command::Scenarios => load::scenarios(),
        Command::Ceiling(options) => load::ceiling(options).await,
        Command::Carrier(arguments) => carrier(arguments).await,
        // What it started ends with it.
        Command::Bench(arguments) => tokio::select! {
            measured = bench::run(*arguments) => measured.map(drop),
            () = stopped() => Err(anyhow::anyhow!("interrupted")),
        },
    }
    .map(|()| ExitCode::SUCCESS)
}

async fn carrier(arguments: CarrierArguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let engine = config.engine_url.clone();
    let carrier = Arc::new(CarrierServer::start(config).await?);
    tracing::info!(url = %carrier.url(), %engine, "the simulated carrier listens");
    let demo = DemoConfig {
        callers: arguments.demo_callers,
        pause: Duration::from_secs(arguments.demo_pause_s),
        ..DemoConfig::default()
    };
    let callers = async {
        if arguments.demo {
            demo::run(carrier.clone(), demo).await;
        }
        std::future::pending::<()>().await;
    };
    let desk = async {
        if let Some(token) = &arguments.operator_token {
            demo::desk::run(&carrier, &engine, token, 1).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = callers => {}
        () = desk => {}
        () = stopped() => {}
    }
    Ok(())
}

/// Ctrl-C, or SIGTERM from whoever started us.
async fn stopped() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
