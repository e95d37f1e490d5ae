//! Nothing missed while away: at start, after a webhook could not be acknowledged, and every so often, each line's
//! arrivals are read back from its carrier and passed through the same door. Their ids make them once.
//!
//! How far a line has been read is an event of its tenant (`line.caught_up`), so it outlives restarts and rebuilds.

mod gaps;
mod look;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use schema::ids::ChannelId;
use tokio::time::Instant;

pub(crate) use gaps::Gaps;

use crate::{
    engine::Engine,
    handle::Refusal,
    ports::{ChannelEntry, ListError},
};
use look::{LookError, Seen, look};

/// How often it is looked for lines that are due.
const TICK: Duration = Duration::from_secs(1);

/// How often, how far back, how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatchUpOptions {
    /// Between two looks at a line; a tenth more or less, so that lines do not come together.
    pub every: Duration,
    /// After a webhook was not acknowledged the carrier's own tries are given this long.
    pub after_gap: Duration,
    /// A look begins this much before the last one ended: dates of arrivals are the carrier's, and a call is dated by
    /// its beginning.
    pub overlap: Duration,
    /// A look never goes further back than this.
    pub back_max: Duration,
    /// Requests of one look at one line.
    pub requests_max: usize,
    /// Of those, for one stretch of time; what holds more is divided.
    pub window_requests_max: usize,
    /// Lines looked at together.
    pub lines_max: usize,
    /// For one request.
    pub time_out: Duration,
}

impl Default for CatchUpOptions {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(3_600),
            after_gap: Duration::from_secs(30),
            overlap: Duration::from_secs(600),
            back_max: Duration::from_secs(7 * 86_400),
            requests_max: 200,
            window_requests_max: 20,
            lines_max: 4,
            time_out: Duration::from_secs(10),
        }
    }
}

/// The follower of carriers' lists.
pub struct CatchUp {
    engine: Engine,
    options: CatchUpOptions,
    due: HashMap<ChannelId, Due>,
    unable: HashSet<ChannelId>,
}

#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    failures: u32,
    /// This node did not answer the carrier: it looks, also at a line of another node's tenant.
    missed: bool,
}

/// What all looks of a round brought.
#[derive(Default)]
struct Round {
    lines: u32,
    seen: Seen,
    failed: u32,
}

impl CatchUp {
    /// Of an engine's lines.
    pub fn new(engine: Engine, options: CatchUpOptions) -> Self {
        Self { engine, options, due: HashMap::new(), unable: HashSet::new() }
    }

    /// Looks for ever; ends when the engine drains.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let lines = self.due_lines();
            if !lines.is_empty() && self.round(lines).await.is_err() {
                return;
            }
        }
    }

    /// Lines whose time has come. One that is seen for the first time is due at once: the start, or a new line.
    fn due_lines(&mut self) -> Vec<ChannelEntry> {
        let now = Instant::now();
        let gaps = self.engine.gaps().take();
        let lines = self.engine.directory().channels();
        if self.due.len() > lines.len() {
            let known: HashSet<&ChannelId> = lines.iter().map(|line| &line.channel).collect();
            self.due.retain(|channel, _| known.contains(channel));
        }
        let mut due = Vec::new();
        for line in lines {
            let entry = self.due.entry(line.channel.clone()).or_insert(Due { at: now, failures: 0, missed: false });
            if gaps.contains(&line.tenant) {
                entry.at = entry.at.min(now + self.options.after_gap);
                entry.missed = true;
            }
            if entry.at <= now && !self.unable.contains(&line.channel) {
                due.push(line);
            }
        }
        due
    }

    /// `Err`: the engine drains.
    async fn round(&mut self, lines: Vec<ChannelEntry>) -> Result<(), Refusal> {
        let (engine, options) = (&self.engine, &self.options);
        let missed = |line: &ChannelEntry| self.due.get(&line.channel).is_some_and(|due| due.missed);
        let looks = lines.into_iter().map(|line| (missed(&line), line)).map(|(missed, line)| async move {
            let seen = match missed || engine.is_at_home(&line.tenant).await {
                true => look(engine, options, &line).await,
                // Its owner looks.
                false => Ok(Some(Seen::default())),
            };
            (line, seen)
        });
        let looks: Vec<_> = stream::iter(looks).buffer_unordered(options.lines_max.max(1)).collect().await;
        let mut round = Round::default();
        for (line, seen) in looks {
            self.after(&line, seen, &mut round)?;
        }
        round.tell();
        Ok(())
    }

    fn after(
        &mut self,
        line: &ChannelEntry,
        seen: Result<Option<Seen>, LookError>,
        round: &mut Round,
    ) -> Result<(), Refusal> {
        let failures = self.due.get(&line.channel).map_or(0, |due| due.failures);
        let (wait, failures) = match seen {
            Ok(Some(seen)) => {
                round.add(seen);
                (if seen.more { self.options.after_gap } else { self.options.every }, 0)
            }
            // Its number is claimed, its settings are on their way.
            Ok(None) => (TICK, 0),
            Err(LookError::Tenant(Refusal::Draining)) => return Err(Refusal::Draining),
            Err(LookError::List(ListError::Unsupported)) => {
                tracing::warn!(channel = %line.channel, "the line's carrier keeps no list: what it drops while we are away is lost");
                self.unable.insert(line.channel.clone());
                return Ok(());
            }
            Err(error) => {
                tracing::warn!(channel = %line.channel, %error, "a line could not be looked after; it is tried again");
                metrics::counter!("deskwire_catch_up_failures_total").increment(1);
                round.failed += 1;
                (self.again(failures, &error), failures.saturating_add(1))
            }
        };
        let at = Instant::now() + self.about(wait);
        let missed = failures > 0 && self.due.get(&line.channel).is_some_and(|due| due.missed);
        self.due.insert(line.channel.clone(), Due { at, failures, missed });
        Ok(())
    }

    fn again(&self, failures: u32, error: &LookError) -> Duration {
        let asked = match error {
            LookError::List(ListError::Unavailable { retry_after, .. }) => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        self.options.after_gap.saturating_mul(1 << failures.min(10)).min(self.options.every).max(asked)
    }

    /// A tenth more or less.
    fn about(&self, wait: Duration) -> Duration {
        let tenth = u64::try_from(wait.as_micros() / 10).unwrap_or(u64::MAX).max(1);
        let random = self.engine.ports().ids.random() % tenth.saturating_mul(2);
        wait.saturating_sub(Duration::from_micros(tenth)) + Duration::from_micros(random)
    }
}

impl Round {
    fn add(&mut self, seen: Seen) {
        self.lines += 1;
        self.seen.listed += seen.listed;
        self.seen.found += seen.found;
    }

    fn tell(&self) {
        metrics::counter!("deskwire_catch_up_lines_total").increment(u64::from(self.lines));
        metrics::counter!("deskwire_catch_up_listed_total").increment(u64::from(self.seen.listed));
        metrics::counter!("deskwire_catch_up_found_total").increment(u64::from(self.seen.found));
        if self.lines > 0 || self.failed > 0 {
            let Seen { listed, found, .. } = self.seen;
            tracing::info!(lines = self.lines, failed = self.failed, listed, found, "arrivals read back from carriers");
        }
    }
}
