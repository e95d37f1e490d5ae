//! What happens at a time: kills, lost sockets, operators who stop reading, a carrier in trouble or away, and whatever a
//! command can do to the engine's disk, clock or process.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{
    run::Stage,
    scenario::Action,
    texts::{Timing, wait_until},
};
use crate::carrier::{Absence, Rest};

/// Everything on the list, each at its time.
pub(super) async fn run(stage: &Stage, timing: Timing) -> anyhow::Result<()> {
    let actions = stage.options.scenario.actions.iter();
    let mut actions: Vec<_> = actions.flat_map(|timed| timed.moments().map(move |at_s| (at_s, timed))).collect();
    actions.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let mut ended = timing.start;
    for (at_s, timed) in actions {
        // On a slow machine a start takes longer than the time between two kills: without a breath nothing would happen
        // between them.
        let breath = Duration::from_secs_f64(timed.every_s / 2.0);
        wait_until((timing.start + Duration::from_secs_f64(at_s)).max(ended + breath)).await;
        act(stage, &timed.action).await?;
        ended = Instant::now();
    }
    Ok(())
}

async fn act(stage: &Stage, action: &Action) -> anyhow::Result<()> {
    match action {
        Action::Kill => {
            ensure!(stage.engine.is_own(), "only an engine of our own is killed: give --engine, not --url");
            stage.engine.kill().await?;
            stage.engine.start().await?;
        }
        Action::Drop { share } => stage.control.send_modify(|control| {
            control.drops += 1;
            control.drop_share = *share;
        }),
        Action::Stall { share, for_s } => stage.control.send_modify(|control| {
            control.stalls += 1;
            control.stall_share = *share;
            control.stall_for = Duration::from_secs_f64(*for_s);
        }),
        Action::Faults { faults } => stage.carrier.set_faults(faults.as_ref().clone()),
        Action::Away { for_s } => {
            stage.carrier.set_absence(Absence { rest: Rest::Refuse, ..Absence::default() });
            tokio::time::sleep(Duration::from_secs_f64(*for_s)).await;
            stage.carrier.set_absence(Absence::default());
        }
        Action::Run { command, word } => run_command(stage, command, word).await?,
    }
    Ok(())
}

async fn run_command(stage: &Stage, command: &str, word: &str) -> anyhow::Result<()> {
    let pid = stage.engine.pid().context("commands are run beside an engine of our own")?;
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(&stage.directory).env("DESKWIRE_PID", pid.to_string());
    shell.stdin(Stdio::null()).stdout(Stdio::null());
    let status = tokio::task::spawn_blocking(move || shell.status()).await??;
    ensure!(status.success(), "{word}: the command ends with {status}: {command}");
    Ok(())
}
