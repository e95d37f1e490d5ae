//! The stop button and the queue on the command line: what is asked, and what is printed.

use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use schema::{
    ids::{ChannelId, TemplateId, TenantId},
    time::Stamp,
};
use serde_json::Value;

use super::{ServerArguments, commands::print};
use crate::{
    app::remote::{self, Canceling, Texts, Which},
    config::Config,
};

/// Whose texts.
#[derive(Debug, Args)]
pub struct PauseArguments {
    /// One tenant's; every tenant's if not given.
    #[arg(long)]
    pub tenant: Option<TenantId>,
    /// One line's.
    #[arg(long, requires = "tenant")]
    pub line: Option<ChannelId>,
    /// Only what rules wrote: text-backs and their like. Persons' texts and confirmations leave. With `resume`: lifts
    /// such a pause and leaves a full one alone.
    #[arg(long)]
    pub automatic_only: bool,
    /// Prints what is held back afterwards as JSON.
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What to do with queued texts.
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// Lists texts that wait to leave, oldest first, with sums by line and template. Ids only.
    List {
        /// Which.
        #[command(flatten)]
        which: QueueArguments,
        /// Most rows that are printed.
        #[arg(long, default_value_t = 50, value_name = "ROWS")]
        limit: usize,
    },
    /// Takes queued texts back, for good: shows what would go, asks, and takes back those and none that came since.
    Cancel {
        /// Which; all of the tenant's if nothing is named.
        #[command(flatten)]
        which: QueueArguments,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Which queued texts.
#[derive(Debug, Args)]
pub struct QueueArguments {
    /// Which tenant.
    #[arg(long)]
    pub tenant: TenantId,
    /// Of one line.
    #[arg(long)]
    pub line: Option<ChannelId>,
    /// Made from one template.
    #[arg(long)]
    pub template: Option<TemplateId>,
    /// Queued at least so long ago: 90s, 10m, 2h.
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<jiff::SignedDuration>,
    /// Prints JSON: a row or a step a line.
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub server: ServerArguments,
}

impl QueueArguments {
    fn which(&self) -> anyhow::Result<Which> {
        let seconds = |age: jiff::SignedDuration| u32::try_from(age.as_secs());
        let older_than_s = self.older_than.map(seconds).transpose().context("--older-than must be 0s to 136 years")?;
        Ok(Which { channel: self.line.clone(), template: self.template.clone(), older_than_s })
    }
}

pub(super) async fn pause(config: &Config, arguments: &PauseArguments) -> anyhow::Result<()> {
    let (url, texts) = (arguments.server.url.as_deref(), texts(arguments));
    say_paused(arguments, &remote::pause(config, url, &texts).await?)
}

pub(super) async fn resume(config: &Config, arguments: &PauseArguments) -> anyhow::Result<()> {
    let (url, texts) = (arguments.server.url.as_deref(), texts(arguments));
    say_paused(arguments, &remote::resume(config, url, &texts).await?)
}

fn texts(arguments: &PauseArguments) -> Texts {
    let PauseArguments { tenant, line, automatic_only, .. } = arguments;
    Texts { tenant: tenant.clone(), line: line.clone(), automatic_only: *automatic_only }
}

/// What is held back from here on, each hand's order in its own line.
fn say_paused(arguments: &PauseArguments, paused: &Value) -> anyhow::Result<()> {
    if arguments.json {
        return print(&paused.to_string());
    }
    hands(arguments.tenant.as_ref(), paused).iter().try_for_each(|(line, _)| print(line))
}

/// Each hand's order in words, and whether it holds anything back.
fn hands(tenant: Option<&TenantId>, paused: &Value) -> Vec<(String, bool)> {
    let said = |whose: String, what: &Value| match what.as_str() {
        Some("all") => (format!("{whose}: paused"), true),
        Some("automatic") => (format!("{whose}: automatic texts paused"), true),
        _ => (format!("{whose}: not paused"), false),
    };
    let mut hands = vec![said("every tenant".to_owned(), &paused["everyone"])];
    if let Some(tenant) = tenant {
        hands.push(said(format!("tenant {tenant}"), &paused["tenant"]));
        let lines = paused["lines"].as_object().into_iter().flatten();
        hands.extend(lines.map(|(line, what)| said(format!("line {line}"), what)));
    }
    hands
}

pub(super) async fn queue(config: &Config, command: QueueCommand) -> anyhow::Result<()> {
    match command {
        QueueCommand::List { which, limit } => list(config, &which, limit).await,
        QueueCommand::Cancel { which, yes } => cancel(config, &which, yes).await,
    }
}

async fn list(config: &Config, arguments: &QueueArguments, limit: usize) -> anyhow::Result<()> {
    let url = arguments.server.url.as_deref();
    let listing = remote::list_queued(config, url, &arguments.tenant, &arguments.which()?, limit).await?;
    if arguments.json {
        listing.rows.iter().try_for_each(|row| print(&row.to_string()))?;
        return print(&serde_json::json!({"totals": listing.totals, "paused": listing.paused}).to_string());
    }
    if !listing.rows.is_empty() {
        print(&row(
            ["MESSAGE", "LINE", "TEMPLATE", "PRIORITY", "SEGMENTS", "QUEUED", "VALID UNTIL"].map(str::to_owned)
        ))?;
    }
    for text in &listing.rows {
        let word = |field: &str| text[field].as_str().unwrap_or("-").to_owned();
        let cells = [word("message"), word("channel"), word("template"), word("priority")];
        let [message, line, template, priority] = cells;
        let segments = text["segments"].to_string();
        print(&row([message, line, template, priority, segments, time(&text["queued"]), time(&text["valid_until"])]))?;
    }
    sums(&listing.totals)?;
    let held = hands(Some(&arguments.tenant), &listing.paused).into_iter().filter(|(_, holds)| *holds);
    held.map(|(line, _)| line).try_for_each(|line| print(&line))
}

fn row([message, line, template, priority, segments, queued, valid_until]: [String; 7]) -> String {
    let row =
        format!("{message:36}  {line:16}  {template:16}  {priority:12}  {segments:>8}  {queued:20}  {valid_until}");
    row.trim_end().to_owned()
}

/// As 2026-08-01T10:00:00Z.
fn time(stamp: &Value) -> String {
    let Stamp(micros) = Stamp(stamp.as_u64().unwrap_or_default());
    let at = jiff::Timestamp::from_microsecond(i64::try_from(micros).unwrap_or(i64::MAX));
    at.map_or_else(|_| "-".to_owned(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn sums(totals: &Value) -> anyhow::Result<()> {
    for (field, name, what) in [("lines", "channel", "line"), ("templates", "template", "template")] {
        for sum in totals[field].as_array().into_iter().flatten() {
            let name = sum[name].as_str().unwrap_or("(none)");
            print(&format!("{what} {name}: {} texts, {} segments", sum["texts"], sum["segments"]))?;
        }
    }
    let (texts, segments, away) = (&totals["texts"], &totals["segments"], &totals["on_their_way"]);
    print(&format!("in all: {texts} texts, {segments} segments; {away} more on their way"))
}

async fn cancel(config: &Config, arguments: &QueueArguments, yes: bool) -> anyhow::Result<()> {
    let url = arguments.server.url.as_deref();
    let preview = remote::preview_queued(config, url, &arguments.tenant, &arguments.which()?).await?;
    if arguments.json {
        print(&preview.to_string())?;
    } else {
        sums(&preview)?;
    }
    let Some(confirm) = preview["confirm"].as_str() else { return Ok(()) };
    if !yes && !is_confirmed()? {
        return print(if arguments.json { r#"{"canceled":false}"# } else { "nothing was canceled" });
    }
    let progress = |step: &Canceling| {
        if arguments.json {
            return print(&step.last.to_string());
        }
        if std::io::stderr().is_terminal() {
            eprint!("\r{} of {} canceled", step.canceled, preview["texts"]);
        }
        Ok(())
    };
    let done = remote::cancel_queued(config, url, &arguments.tenant, confirm, progress).await?;
    if arguments.json {
        return Ok(());
    }
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    let Canceling { canceled, segments, gone, parked, .. } = done;
    print(&format!("canceled {canceled} texts, {segments} segments; {gone} had left or ended meanwhile"))?;
    if parked > 0 {
        print(&format!("{parked} wait in parked conversations: see `deskwire parked list`"))?;
    }
    Ok(())
}

/// Asks a person; whoever is none must say --yes.
fn is_confirmed() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        eprintln!("this is a preview; --yes takes them back");
        return Ok(false);
    }
    eprint!("Take these back for good? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
