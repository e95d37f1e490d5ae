//! One look at one line: what came in since the last one goes through the same door as webhooks, oldest first.

use std::time::Duration;

use schema::{
    command::{CaughtUp, Command, LateArrival, Request},
    event::{Author, Origin, Via},
    time::Stamp,
};

use super::CatchUpOptions;
use crate::{
    engine::Engine,
    handle::Refusal,
    ports::{ChannelEntry, History, HistoryQuery, ListError, PastArrival},
    tenant::TenantHandle,
};

/// A shorter time is not divided further, however much came in.
const WINDOW_MIN: Duration = Duration::from_secs(2);
/// How often an arrival is offered to a tenant that is busy, and the wait between.
const OFFERS: usize = 20;
const OFFER_AGAIN: Duration = Duration::from_millis(500);

/// What a look brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Arrivals that the carrier told of.
    pub(super) listed: u32,
    /// Of those, what had been missed.
    pub(super) found: u32,
    /// There is more: look again soon.
    pub(super) more: bool,
}

/// Why a look came to nothing. What was found until then is stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    Tenant(#[from] Refusal),
}

/// `None`: the line is not configured yet.
pub(super) async fn look(
    engine: &Engine,
    options: &CatchUpOptions,
    line: &ChannelEntry,
) -> Result<Option<Seen>, LookError> {
    let tenant = engine.tenant(&line.tenant).await?;
    let settings = tenant.settings();
    if !settings.channels.contains_key(&line.channel) {
        return Ok(None);
    }
    let now = engine.ports().clock.now();
    let Some(caught_up) = settings.caught_up.get(&line.channel).copied() else {
        // What came in before this line was ours is not ours.
        record(engine, line, now, 0).await?;
        return Ok(Some(Seen::default()));
    };
    let back =
        |span: Duration, from: Stamp| Stamp(from.0.saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)));
    let since = back(options.overlap, caught_up).max(back(options.back_max, now));
    let mut look = Look { engine, options, line, tenant, seen: Seen::default(), requests: options.requests_max };
    look.all(since, now).await?;
    Ok(Some(look.seen))
}

async fn record(engine: &Engine, line: &ChannelEntry, up_to: Stamp, found: u32) -> Result<(), Refusal> {
    let command = Command::CaughtUp(CaughtUp { channel: line.channel.clone(), up_to, found });
    let origin = Origin { by: Author::Engine, via: Via::Engine, request: engine.ports().ids.request() };
    engine.submit(&line.tenant, Request { command, origin, key: None }).await.map(drop)
}

struct Look<'e> {
    engine: &'e Engine,
    options: &'e CatchUpOptions,
    line: &'e ChannelEntry,
    tenant: TenantHandle,
    seen: Seen,
    requests: usize,
}

impl Look<'_> {
    /// From the oldest on: lists come newest first, so a time that holds too much is halved until it is read whole.
    async fn all(&mut self, since: Stamp, now: Stamp) -> Result<(), LookError> {
        let (mut from, mut until) = (since, now);
        while from < now {
            if self.requests == 0 {
                self.seen.more = true;
                return Ok(());
            }
            let history = self.history(from, until).await?;
            self.requests = self.requests.saturating_sub(history.requests.max(1));
            let span = until.since(from);
            if !history.complete && span > WINDOW_MIN {
                until = from.plus(span / 2);
                continue;
            }
            let before = self.seen.found;
            for arrival in history.arrivals {
                self.pass(arrival).await?;
            }
            record(self.engine, self.line, until, self.seen.found - before).await?;
            (from, until) = (until, now);
        }
        Ok(())
    }

    async fn history(&self, since: Stamp, until: Stamp) -> Result<History, ListError> {
        let mut turn = self.engine.listings().turn(&self.line.account).await;
        let query = HistoryQuery {
            account: self.line.account.clone(),
            channel: self.line.channel.clone(),
            address: self.line.address.clone(),
            since,
            until,
            requests_max: self.requests.min(self.options.window_requests_max),
            time_out: self.options.time_out,
        };
        let answer = self.engine.ports().carrier.history(query).await;
        if let Err(ListError::Unavailable { retry_after: Some(pause), .. }) = &answer {
            turn.pause(*pause);
        }
        answer
    }

    /// Through the door, until the tenant takes it. One that is refused for good would be refused from its webhook too.
    async fn pass(&mut self, PastArrival { at, command }: PastArrival) -> Result<(), Refusal> {
        self.seen.listed += 1;
        let command = Command::Late(Box::new(LateArrival { at, arrival: command }));
        let before = self.tenant.feed().position().offset;
        for offer in 1.. {
            let origin = Origin { by: Author::Contact, via: Via::Engine, request: self.engine.ports().ids.request() };
            let request = Request { command: command.clone(), origin, key: None };
            match self.engine.submit(&self.line.tenant, request).await {
                Ok(reply) => {
                    self.seen.found += u32::from(reply.offset > before);
                    return Ok(());
                }
                Err(Refusal::Rejected { code, .. }) => {
                    tracing::warn!(channel = %self.line.channel, code = code.as_str(), "a late arrival was rejected");
                    return Ok(());
                }
                Err(Refusal::Draining) => return Err(Refusal::Draining),
                Err(refusal) if offer >= OFFERS => return Err(refusal),
                Err(_) => tokio::time::sleep(OFFER_AGAIN).await,
            }
        }
        Ok(())
    }
}
