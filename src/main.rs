//! The process: configuration, then the command. Exit code 64: command line or configuration cannot be used.

use std::process::ExitCode;

use clap::Parser as _;
use deskwire::{
    cli::{self, Cli, Command},
    config::{Config, ConfigError, EXIT_USAGE},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // What was asked for (help, version) goes to stdout, what is wrong to stderr.
            drop(error.print());
            return if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let config = match load(&cli) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("deskwire: {error}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match run(cli.command, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deskwire: {error:#}");
            if error.is::<ConfigError>() { ExitCode::from(EXIT_USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// `default-config` must work with any environment: it is what one reads to mend it.
fn load(cli: &Cli) -> Result<Config, ConfigError> {
    if matches!(cli.command, Command::DefaultConfig) {
        return Ok(Config::default());
    }
    Config::load(cli.config.as_deref())
}

fn run(command: Command, config: Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(cli::run(command, config));
    runtime.shutdown_background();
    ended
}
