//! The process: configuration, then the command. Exit code 64: command line or configuration cannot be used.

use std::process::ExitCode;

use clap::Parser as _;
use deskwire::{
    cli::{self, Cli, Command},
    config::{Config, ConfigError, EXIT_USAGE},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay`, which the bindings do not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Memory that is free goes back to the system after this; the library's second gives pages back that are wanted again at
/// once, and the kernel clears each anew: an eighth of the CPU of a message. `MIMALLOC_PURGE_DELAY` overrides it.
const PURGE_DELAY_MS: std::ffi::c_long = 10_000;

/// Before anything else is allocated.
#[expect(unsafe_code, reason = "the bindings have no safe way to set an option")]
fn keep_free_pages() {
    // SAFETY: sets a number in the library's own table, before there is a second thread.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, PURGE_DELAY_MS) };
}

fn main() -> ExitCode {
    keep_free_pages();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "the bindings have no safe way to read an option")]
    fn the_option_is_the_one_that_is_meant() {
        // SAFETY: reads a number of the library's own table.
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(delay(), 1_000, "the library's default; no option near it has the same");
        keep_free_pages();
        assert_eq!(delay(), PURGE_DELAY_MS);
    }
}
