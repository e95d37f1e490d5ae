//! What each subcommand does: reads its part of the configuration, calls app, prints.

use std::{io::Write as _, sync::Arc};

use anyhow::Context as _;
use schema::{ids::Offset, time::Stamp};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Command, KeysCommand, ParkedCommand, TailArguments, TenantCommand, TokenArguments, cluster, operator, stop, tail,
};
use crate::{
    app::{self, offline::TrimUntil},
    config::Config,
    telemetry,
};

/// Does what was asked.
pub async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    match command {
        Command::Serve => serve(config).await,
        Command::Token(arguments) => print(&token(&config, &arguments)?),
        Command::Tail(arguments) => follow(&config, &arguments).await,
        Command::Inspect(arguments) => {
            app::offline::inspect(&config, &arguments.tenant, arguments.from, arguments.personal).await
        }
        Command::Verify(arguments) => app::verify::verify(&config, arguments.tenant.as_ref()).await,
        Command::Rebuild(arguments) => app::offline::rebuild(&config, arguments.tenant.as_ref()).await,
        Command::Trim(arguments) => {
            let until = match (arguments.until.to, arguments.until.before) {
                (Some(offset), _) => TrimUntil::Offset(Offset(offset)),
                (None, Some(time)) => TrimUntil::Time(Stamp(u64::try_from(time.as_microsecond()).unwrap_or(0))),
                (None, None) => anyhow::bail!("--to or --before is needed"),
            };
            app::offline::trim(&config, &arguments.tenant, until, arguments.recent).await
        }
        Command::Export(arguments) => {
            app::transfer::export(&config, &arguments.tenant, &arguments.to, &arguments.key).await
        }
        Command::Import(arguments) => app::transfer::import(&config, &arguments.from, &arguments.key).await,
        Command::Keys(command) => keys(&config, &command),
        Command::Tenant(command) => tenant(&config, command).await,
        Command::Operator(command) => operator::run(&config, command).await,
        Command::Parked(command) => parked(&config, command).await,
        Command::Pause(arguments) => stop::pause(&config, &arguments).await,
        Command::Resume(arguments) => stop::resume(&config, &arguments).await,
        Command::Queue(command) => stop::queue(&config, command).await,
        Command::Cluster(command) => cluster::run(&config, command).await,
        Command::Migrate => {
            let applied = app::migrate(&config).await?;
            let keyspace = &config.cql.keyspace;
            print(&match applied.from == applied.to {
                true => format!("keyspace {keyspace} has format {} already", applied.to),
                false => format!("keyspace {keyspace}: format {} to {}", applied.from, applied.to),
            })
        }
        Command::CheckConfig => {
            app::Tls::load(&config)?;
            print("the configuration can be used")
        }
        Command::DefaultConfig => print(Config::default_toml().trim_end()),
        Command::Openapi => print(&app::openapi()?),
    }
}

/// One line, or many; a reader that goes away early (`| head`) is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("stdout"),
        _ => Ok(()),
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anything is opened or made.
    app::Tls::load(&config)?;
    telemetry::start_logs(&config.telemetry)?;
    let metrics = telemetry::Metrics::start()?;
    let traces = telemetry::Traces::start(&config.telemetry).context("traces cannot start")?;
    let upkeep = tokio::spawn(metrics.clone().upkeep());
    // Before the first socket: a signal that comes during the start is not lost.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let store = app::Opened::of(&config, app::Access::Serve).await?;
    let rendered = metrics.clone();
    let running = app::start(&config, store.stores(), Arc::new(move || rendered.render())).await?;
    let listen = running.address();
    tracing::info!(%listen, demo = config.demo.enabled, "serving");
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("interrupted: draining"),
        () = store.lost() => tracing::error!("the store is no longer this node's: draining, to be started anew"),
    }
    let deadline = config.stream.drain_spread_ms.duration()
        + config.server.drain_ms.duration() * 2
        + config.cluster.hand_over_ms.duration();
    if tokio::time::timeout(deadline, running.drain()).await.is_err() {
        tracing::warn!("the drain took too long; ending now. Nothing acknowledged is lost");
    }
    if let Some(traces) = traces {
        traces.flush().await;
    }
    upkeep.abort();
    store.close().await?;
    tracing::info!("ended");
    Ok(())
}

fn token(config: &Config, arguments: &TokenArguments) -> anyhow::Result<String> {
    let configured = config.auth.token_ttl_s.duration();
    let valid = arguments.ttl.map_or(configured, |seconds| std::time::Duration::from_secs(seconds.get()));
    app::token(config, &arguments.tenant, &arguments.operator, arguments.role.into(), valid)
}

async fn follow(config: &Config, arguments: &TailArguments) -> anyhow::Result<()> {
    let operator = "tail".parse().context("the operator of this terminal")?;
    let valid = config.auth.token_ttl_s.duration();
    let token = app::token(config, &arguments.tenant, &operator, schema::role::Role::Admin, valid)?;
    let url = app::remote::base(config, arguments.server.url.as_deref()).replacen("http", "ws", 1) + "/v1/stream";
    let trust = app::client::trust(config, arguments.server.url.as_deref())?;
    tokio::select! {
        ended = tail::tail(&url, trust, &token, arguments.from) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn keys(config: &Config, command: &KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Rotate { sealing: true, .. } => {
            let count = app::keys::reseal(config)?;
            print(&format!("{count} keys and secrets are sealed with a new master key; back up keys/ anew"))
        }
        KeysCommand::Rotate { overlap, .. } => {
            let rotated = app::keys::rotate(config, overlap.map(std::time::Duration::from_secs))?;
            let until = rotated.until.map_or("no longer".to_owned(), |until| format!("until {}", date(Some(until))));
            print(&format!("{} signs from now on; tokens of {} are good {until}", rotated.id, rotated.before))
        }
        KeysCommand::List => {
            print(&format!("{:<18}{:<25}{:<14}GOOD UNTIL", "ID", "KIND", "AGE"))?;
            app::keys::list(config)?.iter().try_for_each(|key| {
                let age = key.age.map_or("-".to_owned(), age);
                print(&format!("{:<18}{:<25}{age:<14}{}", key.id, key.kind, date(key.until)))
            })
        }
    }
}

fn date(stamp: Option<Stamp>) -> String {
    stamp.and_then(app::date).unwrap_or_else(|| "-".to_owned())
}

fn age(age: std::time::Duration) -> String {
    let minutes = age.as_secs() / 60;
    format!("{}d {:02}h {:02}m", minutes / 1_440, minutes / 60 % 24, minutes % 60)
}

async fn tenant(config: &Config, command: TenantCommand) -> anyhow::Result<()> {
    match command {
        TenantCommand::Create { tenant, business, server } => {
            app::remote::create_tenant(config, server.url.as_deref(), &tenant, business.as_deref()).await
        }
        TenantCommand::List { server } => app::remote::list_tenants(config, server.url.as_deref()).await,
    }
}

async fn parked(config: &Config, command: ParkedCommand) -> anyhow::Result<()> {
    match command {
        ParkedCommand::List { tenant, server } => {
            app::remote::list_parked(config, server.url.as_deref(), &tenant).await
        }
        ParkedCommand::Show { tenant, conversation, server } => {
            app::remote::show_parked(config, server.url.as_deref(), &tenant, conversation).await
        }
        ParkedCommand::Retry { tenant, conversation, server } => {
            app::remote::retry_parked(config, server.url.as_deref(), &tenant, conversation).await
        }
    }
}
