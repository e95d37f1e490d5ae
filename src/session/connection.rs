//! One connection: waits for whatever comes first, and does it. It holds positions, never a queue.

use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    task::Poll,
};

use actors::{
    feed::{FeedError, Slice},
    presence::ClientId,
    trace,
};
use axum::extract::ws::{Utf8Bytes, WebSocket};
use governor::DefaultDirectRateLimiter;
use schema::{
    codes::{Close, Unsubscribe},
    frame::{BadCommand, Command, PING, Push, Reply},
    time::Stamp,
};
use tokio::{
    sync::watch,
    time::{Instant, Sleep},
};

use super::{
    StreamState,
    desk::{Desk, Events, Others, Turn, or_never},
    lane::Wire,
    limits::rate,
    subscribe,
    transport::{Incoming, Stop, Transport},
};

/// Slices written before the session looks at anything else.
const SLICES_TOGETHER: usize = 16;

/// A command that is being answered elsewhere.
pub(super) type Running = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// One WebSocket and the operator behind it.
pub(super) struct Session {
    pub(super) state: StreamState,
    pub(super) transport: Transport,
    /// Past the transport; none: there is TLS between.
    pub(super) wire: Option<Wire>,
    pub(super) client: ClientId,
    /// After a successful connect.
    pub(super) desk: Option<Box<Desk>>,
    /// Connect was answered with an error: the client will go.
    pub(super) refused: bool,
    /// The command being answered; nothing more is read meanwhile.
    pub(super) running: Option<Running>,
    backlog: Backlog,
    pub(super) rate: DefaultDirectRateLimiter,
    pub(super) strikes: Strikes,
    pub(super) timers: Timers,
    sleep: Pin<Box<Sleep>>,
    drain: watch::Receiver<Option<Instant>>,
}

/// The rest of a frame of several commands, as text: read, 64 KiB of them would be megabytes.
struct Backlog {
    text: Utf8Bytes,
    at: usize,
}

impl Backlog {
    const fn of(text: Utf8Bytes) -> Self {
        Self { text, at: 0 }
    }

    fn next(&mut self) -> Option<Result<Command, BadCommand>> {
        while let Some(rest) = self.text.as_str().get(self.at..).filter(|rest| !rest.is_empty()) {
            let line = rest.split('\n').next().unwrap_or_default();
            self.at += line.len() + 1;
            if !line.trim().is_empty() {
                return Some(Command::parse(line));
            }
        }
        // An idle session keeps nothing of what was said.
        *self = Self::of(Utf8Bytes::from_static(""));
        None
    }
}

/// What a client did wrong, one after the other.
#[derive(Default)]
pub(super) struct Strikes {
    pub(super) bad: u32,
    pub(super) errors: u32,
    pub(super) excess: u32,
}

/// When something must happen by itself.
pub(super) struct Timers {
    /// No connect by then: 3502.
    pub(super) stale: Option<Instant>,
    pub(super) ping: Option<Instant>,
    pong: Option<Instant>,
    /// The token is over, its grace too.
    pub(super) expiry: Option<Instant>,
    /// Our turn to go.
    drain: Option<Instant>,
}

impl Timers {
    fn next(&self) -> Option<Instant> {
        [self.stale, self.ping, self.pong, self.expiry, self.drain].into_iter().flatten().min()
    }
}

pub(super) enum Event {
    Drain,
    Answer(Box<Reply>),
    Timer,
    Incoming(Incoming),
    Desk(Turn),
}

/// What a session wakes for: mostly events, and those on a short way.
pub(super) enum Wake {
    Events(Result<Slice, FeedError>),
    /// The fan-out does no more for it.
    LetGo,
    Other(Event),
}

impl Session {
    pub(super) fn new(state: StreamState, socket: WebSocket, wire: Option<Wire>, client: ClientId) -> Self {
        let limits = &state.0.limits;
        let stale = Instant::now() + limits.connect_within;
        let mut drain = state.0.drain.signal();
        drain.mark_changed();
        metrics::gauge!("deskwire_stream_connections").increment(1);
        Self {
            transport: Transport::new(socket, limits.write_stall),
            wire,
            client,
            desk: None,
            refused: false,
            running: None,
            backlog: Backlog::of(Utf8Bytes::from_static("")),
            rate: rate(limits.commands_per_s),
            strikes: Strikes::default(),
            timers: Timers { stale: Some(stale), ping: None, pong: None, expiry: None, drain: None },
            sleep: Box::pin(tokio::time::sleep_until(stale)),
            drain,
            state,
        }
    }

    /// Until one side ends it.
    pub(super) async fn run(mut self: Box<Self>) {
        let stop = loop {
            if let Err(stop) = self.turn().await {
                break stop;
            }
        };
        self.desk = None;
        metrics::gauge!("deskwire_stream_connections").decrement(1);
        let code = match stop {
            Stop::Gone => Close::Normal,
            Stop::Close(close) => close,
        };
        metrics::counter!("deskwire_stream_closes_total", "code" => code.reason()).increment(1);
        if let Stop::Close(close) = stop {
            tracing::debug!(client = %self.client.0, code = close.code(), reason = close.reason(), "stream closed");
            Box::pin(self.transport.close(close, self.state.0.limits.close_within)).await;
        }
    }

    async fn turn(&mut self) -> Result<(), Stop> {
        self.set_alarm();
        self.park().await?;
        let wake = self.wait().await;
        self.take_back().await?;
        match wake {
            Wake::Events(slice) => self.write(slice).await,
            Wake::LetGo => Ok(()),
            Wake::Other(event) => Box::pin(self.handle(event)).await,
        }
    }

    /// Leaves events to the fan-out where nothing else is to be written for them.
    async fn park(&mut self) -> Result<(), Stop> {
        if self.desk.as_ref().is_none_or(|desk| !desk.may_park()) {
            return Ok(());
        }
        // What the WebSocket has to say by itself, a pong, must not come to stand within another frame.
        self.transport.flush().await?;
        let Some(desk) = &mut self.desk else { return Ok(()) };
        desk.park(self.state.0.limits.write_stall).await
    }

    /// From here on the session writes.
    async fn take_back(&mut self) -> Result<(), Stop> {
        let Some(desk) = &mut self.desk else { return Ok(()) };
        desk.take_back(self.state.0.limits.write_stall).await
    }

    /// Everything is looked at before it sleeps. What wakes it is mostly events: those leave before the rest, which
    /// takes longer to ask, is looked at again; once, so that nothing starves.
    async fn wait(&mut self) -> Wake {
        let Self { transport, desk, running, sleep, drain, .. } = self;
        let idle = running.is_none();
        let (events, others) = desk.as_mut().map(|desk| desk.waits()).unzip();
        let mut events = pin!(or_never(events.map(Events::next)));
        let mut rest = pin!(async {
            tokio::select! {
                biased;
                // The signal lives as long as the state that we hold.
                _ = drain.changed() => Event::Drain,
                reply = or_never(running.as_mut()) => Event::Answer(Box::new(reply)),
                () = sleep.as_mut() => Event::Timer,
                incoming = transport.recv(), if idle => Event::Incoming(incoming),
                turn = or_never(others.map(Others::next)) => Event::Desk(turn),
            }
        });
        let mut woken = false;
        poll_fn(|context| {
            if mem::replace(&mut woken, true)
                && let Poll::Ready(wake) = events.as_mut().poll(context)
            {
                return Poll::Ready(wake);
            }
            match rest.as_mut().poll(context) {
                Poll::Pending => events.as_mut().poll(context),
                Poll::Ready(event) => Poll::Ready(Wake::Other(event)),
            }
        })
        .await
    }

    fn set_alarm(&mut self) {
        if let Some(next) = self.timers.next().filter(|next| *next != self.sleep.deadline()) {
            self.sleep.as_mut().reset(next);
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), Stop> {
        match event {
            Event::Drain => {
                self.timers.drain = self.state.0.drain.turn_of(self.client);
                Ok(())
            }
            Event::Answer(reply) => {
                self.running = None;
                // Pongs were not read meanwhile.
                self.timers.pong = self.timers.pong.map(|_| Instant::now() + self.state.0.limits.pong_within);
                self.reply(*reply).await?;
                self.work().await
            }
            Event::Timer => self.alarm().await,
            Event::Incoming(Incoming::Text(text)) => {
                if text.as_str().trim().is_empty() {
                    return self.unasked();
                }
                self.backlog = Backlog::of(text);
                self.work().await
            }
            Event::Incoming(Incoming::Control) => self.unasked(),
            Event::Incoming(Incoming::Garbled) => Err(Close::ProtocolError.into()),
            Event::Incoming(Incoming::NotUtf8) => Err(Close::NotUtf8.into()),
            Event::Incoming(Incoming::Binary(_)) => Err(Close::InappropriateProtocol.into()),
            Event::Incoming(Incoming::TooBig) => Err(Close::TooBig.into()),
            Event::Incoming(Incoming::Gone) => {
                // A goodbye is answered; then it is gone all the same.
                let _ = self.transport.flush().await;
                Err(Stop::Gone)
            }
            Event::Desk(Turn::Rights) => self.desk.as_ref().map_or(Ok(()), |desk| desk.check_rights()),
            Event::Desk(Turn::Keys) => self.check_key(),
            Event::Desk(Turn::Presence(news)) => self.tell_presence(news).await,
            Event::Desk(Turn::CatchUp) => self.catch_up().await,
        }
    }

    /// A session is worth no more than the key of its token.
    fn check_key(&self) -> Result<(), Stop> {
        let Some(desk) = &self.desk else { return Ok(()) };
        let now = self.state.0.engine.ports().clock.now();
        if self.state.0.auth.trusts(desk.grant, now) { Ok(()) } else { Err(Close::InvalidToken.into()) }
    }

    /// What asks for nothing (an empty message, a ping, a pong that nobody waits for) costs like a command.
    fn unasked(&mut self) -> Result<(), Stop> {
        if self.rate.check().is_err() {
            self.strikes.excess += 1;
            if self.strikes.excess >= self.state.0.limits.excess {
                return Err(Close::TooManyRequests.into());
            }
        }
        Ok(())
    }

    /// Does the commands of a frame one after the other.
    async fn work(&mut self) -> Result<(), Stop> {
        while self.running.is_none() {
            match self.backlog.next() {
                None => return Ok(()),
                Some(Err(bad)) => self.bad_command(bad.id).await?,
                Some(Ok(command)) if command.is_pong() => {
                    if self.desk.is_none() && !self.refused {
                        return Err(Close::BadRequest.into());
                    }
                    if self.timers.pong.take().is_none() {
                        self.unasked()?;
                    }
                }
                Some(Ok(command)) => self.command(command).await?,
            }
            if self.refused {
                self.backlog = Backlog::of(Utf8Bytes::from_static(""));
            }
        }
        Ok(())
    }

    /// Something is due by itself.
    async fn alarm(&mut self) -> Result<(), Stop> {
        let now = Instant::now();
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.timers.drain) {
            return Err(Close::Shutdown.into());
        }
        if due(self.timers.stale) {
            return Err(Close::Stale.into());
        }
        if due(self.timers.expiry) {
            return Err(Close::Expired.into());
        }
        if due(self.timers.pong) && self.running.is_none() {
            return Err(Close::NoPong.into());
        }
        if due(self.timers.pong) {
            self.timers.pong = Some(now + self.state.0.limits.pong_within);
        }
        if due(self.timers.ping) {
            self.timers.ping = Some(now + self.state.0.limits.ping_every);
            self.timers.pong = self.timers.pong.or(Some(now + self.state.0.limits.pong_within));
            self.check_position().await?;
            self.transport.send(PING).await?;
        }
        Ok(())
    }

    /// What was pushed and what the log holds must not disagree for long.
    async fn check_position(&mut self) -> Result<(), Stop> {
        let Some(desk) = &self.desk else { return Ok(()) };
        let now = self.state.0.engine.ports().clock.monotonic();
        let lag = desk.tenant.feed().lag(now, self.state.0.limits.ping_every / 2).await;
        if lag > self.state.0.limits.position_lag { Err(Close::InsufficientState.into()) } else { Ok(()) }
    }

    /// Writes events to the inbox and to the subscriptions that want them.
    async fn write(&mut self, slice: Result<Slice, FeedError>) -> Result<(), Stop> {
        let Some(desk) = &mut self.desk else { return Ok(()) };
        let message_bytes = self.state.0.limits.message_bytes;
        let first = slice.map_err(|error| ended(&error))?;
        let mut pushes = Pushes::begin(&self.state);
        write_slice(&mut self.transport, desk, &first, message_bytes).await?;
        pushes.add(first);
        for _ in 1..SLICES_TOGETHER {
            let Some(slice) = desk.cursor.buffered() else { break };
            write_slice(&mut self.transport, desk, &slice, message_bytes).await?;
            pushes.add(slice);
        }
        self.transport.flush().await?;
        pushes.end(&self.state, self.client);
        Ok(())
    }

    /// One step of a subscription that is behind.
    async fn catch_up(&mut self) -> Result<(), Stop> {
        let Some(desk) = &mut self.desk else { return Ok(()) };
        let Some(place) = desk.filters.iter().position(|filter| !filter.is_live()) else { return Ok(()) };
        let mut filter = desk.filters.swap_remove(place);
        match filter.step(desk, &self.state).await {
            Ok(publications) => {
                for message in publications.into_pushes(filter.channel(), self.state.0.limits.message_bytes) {
                    self.transport.feed(message).await?;
                }
                desk.filters.push(filter);
            }
            Err(error) => {
                tracing::debug!(client = %self.client.0, %error, "a subscription cannot catch up");
                subscribe::look(desk, &filter, false);
                let push = Push::unsubscribe(filter.channel(), Unsubscribe::InsufficientState);
                self.transport.feed(push.encode()).await?;
            }
        }
        self.transport.flush().await
    }
}

/// What one flush pushes, for its traces; nothing while there are none.
struct Pushes {
    began: Stamp,
    slices: Vec<Slice>,
    is_on: bool,
}

impl Pushes {
    fn begin(state: &StreamState) -> Self {
        let is_on = trace::is_on();
        let began = if is_on { state.0.engine.ports().clock.now() } else { Stamp(0) };
        Self { began, slices: Vec::new(), is_on }
    }

    fn add(&mut self, slice: Slice) {
        if self.is_on {
            self.slices.push(slice);
        }
    }

    fn end(self, state: &StreamState, client: ClientId) {
        if self.is_on {
            let (which, times) = (client.0.as_u64_pair().0, (self.began, state.0.engine.ports().clock.now()));
            self.slices.iter().for_each(|slice| slice.trace_push(which, times));
        }
    }
}

/// A server-side subscription is never ended by an unsubscribe push, which would make clients forget their position.
fn ended(error: &FeedError) -> Stop {
    tracing::debug!(%error, "the feed cannot go on");
    Close::InsufficientState.into()
}

async fn write_slice(
    transport: &mut Transport,
    desk: &mut Desk,
    slice: &Slice,
    message_bytes: usize,
) -> Result<(), Stop> {
    for frames in slice.pieces(desk.role, 0, message_bytes) {
        transport.feed(frames).await?;
    }
    let (operator, role) = (&desk.operator, desk.role);
    for filter in desk.filters.iter_mut().filter(|filter| filter.is_live()) {
        let publications = filter.pick(slice, operator, role);
        for message in publications.into_pushes(filter.channel(), message_bytes) {
            transport.feed(message).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_commands_is_read_one_at_a_time_and_let_go() {
        let mut backlog = Backlog::of("{}\n \nnonsense\n{\"id\":7,\"ping\":{}}\n".into());
        assert!(backlog.next().unwrap().unwrap().is_pong());
        assert_eq!(backlog.next().unwrap().unwrap_err().id, 0);
        assert_eq!(backlog.next().unwrap().unwrap().id, 7);
        assert!(backlog.next().is_none() && backlog.text.is_empty(), "an idle session keeps nothing of it");
        let many = "{}\n".repeat(20_000);
        let read = many.len() / 3 * size_of::<Command>();
        assert!(read > 4 << 20 && size_of::<Backlog>() <= 64, "{read} bytes, were they read at once");
        let mut backlog = Backlog::of(many.into());
        assert_eq!(std::iter::from_fn(|| backlog.next()).count(), 20_000);
    }

    #[test]
    fn an_idle_session_is_small() {
        let bytes = size_of::<Session>() + size_of::<Desk>();
        assert!(bytes <= 1_536, "{bytes} bytes before buffers");
    }
}
