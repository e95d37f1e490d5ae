//! What happens at a time: kills, lost sockets, operators who stop reading, a carrier in trouble.

use std::time::Duration;

use anyhow::ensure;

use super::{
    run::Stage,
    scenario::Action,
    texts::{Timing, wait_until},
};

/// Everything on the list, each at its time.
pub(super) async fn run(stage: &Stage, timing: Timing) -> anyhow::Result<()> {
    let mut actions = stage.options.scenario.actions.clone();
    actions.sort_by(|one, other| one.at_s.total_cmp(&other.at_s));
    for timed in actions {
        wait_until(timing.start + Duration::from_secs_f64(timed.at_s)).await;
        act(stage, timed.action).await?;
    }
    Ok(())
}

async fn act(stage: &Stage, action: Action) -> anyhow::Result<()> {
    match action {
        Action::Kill => {
            ensure!(stage.engine.is_own(), "only an engine of our own is killed: give --engine, not --url");
            stage.engine.kill().await?;
            stage.engine.start().await?;
        }
        Action::Drop { share } => stage.control.send_modify(|control| {
            control.drops += 1;
            control.drop_share = share;
        }),
        Action::Stall { share, for_s } => stage.control.send_modify(|control| {
            control.stalls += 1;
            control.stall_share = share;
            control.stall_for = Duration::from_secs_f64(for_s);
        }),
        Action::Faults { faults } => stage.carrier.set_faults(*faults),
    }
    Ok(())
}
