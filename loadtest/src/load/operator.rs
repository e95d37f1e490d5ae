//! Operators on the stream: each reads its inbox from the first event on, comes back with its position after every loss,
//! and, when told to, answers contacts over the same connection.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use schema::role::Role;
use serde_json::json;
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::sleep_until,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

use super::{
    book::{Book, Follower},
    figures::count,
    findings::Kind,
    frame::{Connected, Frame, RpcReply},
    ledger::Promise,
    mark::Mark,
    scenario::OPERATORS_FROM,
    texts::{Shared, contact},
};

/// Time to open a connection and to be let in.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Pauses between connections: random below a bound that doubles from the first to the second, as client libraries do.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Pause before a reply that was not taken is tried again.
const REPLY_AGAIN: Duration = Duration::from_millis(200);
/// Longest text of a reply before its mark, in characters: with it, one segment.
const REPLY_LENGTH: usize = 120;

type Socket = WebSocketStream<TcpStream>;

/// What all operators are told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Control {
    /// Counts the times that sockets were dropped …
    pub drops: u32,
    /// … and the share that the last one hit.
    pub drop_share: f64,
    /// Counts the times that operators stopped reading …
    pub stalls: u32,
    /// … the share that the last one hit …
    pub stall_share: f64,
    /// … and for how long.
    pub stall_for: Duration,
    /// The run is over.
    pub over: bool,
}

/// A reply whose time came.
#[derive(Debug, Clone, Copy)]
pub struct Answering {
    /// When it should have been sent.
    pub due: Instant,
    /// Chooses text and contact.
    pub dice: usize,
}

/// What an operator is made of.
pub struct Operator {
    shared: Arc<Shared>,
    address: SocketAddr,
    tenant: usize,
    /// Its place among all operators.
    place: usize,
    lane: u16,
    follower: Follower,
    arrivals: mpsc::Receiver<Answering>,
    /// Nothing more will be asked of it.
    silent: bool,
    pending: Option<Reply>,
    control: watch::Receiver<Control>,
    known: Control,
    dice: StdRng,
    /// Whether it was ever let in.
    was_live: bool,
    /// When the connection was lost, and what there was to see then.
    lost: Option<(Instant, u64)>,
    retry_for: Duration,
    commands: u32,
}

/// Where an operator sits.
pub struct Seat {
    /// Of the stream.
    pub address: SocketAddr,
    /// Whose, by its place.
    pub tenant: usize,
    /// Its place among all operators.
    pub place: usize,
    /// What it may see.
    pub role: Role,
    /// What it is told.
    pub control: watch::Receiver<Control>,
    /// How long a reply is tried again.
    pub retry_for: Duration,
}

/// A reply under way.
struct Reply {
    mark: Mark,
    due: Instant,
    since: Instant,
    id: u32,
    body: String,
    /// When it is sent again.
    again: Option<Instant>,
}

/// The end of a tenant's feed, as a fresh connection is told.
pub async fn head(address: SocketAddr, token: &str, channel: &str) -> anyhow::Result<u64> {
    let stream = TcpStream::connect(address).await?;
    let request = format!("ws://{address}/v1/stream").into_client_request()?;
    let (mut socket, _) = client_async_with_config(request, stream, None).await?;
    socket.send(Message::text(json!({"id": 1, "connect": {"token": token}}).to_string())).await?;
    let answer = socket.next().await.context("closed before it began")??;
    let frame: Frame<'_> = serde_json::from_str(answer.to_text()?.lines().next().unwrap_or_default())?;
    let connected = frame.connect.context("not let in")?;
    Ok(connected.subs.get(channel).context("let in without its inbox")?.offset)
}

/// Why a connection ended.
enum End {
    Lost,
    Over,
}

impl Operator {
    /// At a seat; not connected yet.
    pub fn new(shared: Arc<Shared>, seat: Seat, arrivals: mpsc::Receiver<Answering>) -> Self {
        let Seat { address, tenant, place, role, control, retry_for } = seat;
        let lane = u16::try_from(place).map_or(u16::MAX, |place| OPERATORS_FROM + place);
        let who = format!("{} {role:?} {place}", shared.tenants[tenant].book.tenant);
        let dice = StdRng::seed_from_u64(super::mark::mix(lane.into()));
        let known = *control.borrow();
        Self {
            follower: Follower::new(role, who),
            silent: role == Role::Viewer,
            pending: None,
            was_live: false,
            lost: None,
            commands: 1,
            shared,
            address,
            tenant,
            place,
            lane,
            arrivals,
            control,
            known,
            dice,
            retry_for,
        }
    }

    fn book(&self) -> &Arc<Book> {
        &self.shared.tenants[self.tenant].book
    }

    fn wrong(&self, kind: Kind, what: &str) {
        self.shared.findings.add(kind, || format!("{}: {what}", self.follower.who));
    }

    /// Until the run is over: what it saw.
    pub async fn run(mut self) -> Follower {
        let mut bound = AGAIN.0;
        while !self.control.borrow().over {
            let before = self.follower.offset;
            let end = self.connection().await;
            if matches!(end, End::Over) {
                break;
            }
            if self.was_live {
                let head = self.book().head();
                self.lost.get_or_insert((Instant::now(), head));
            }
            let pause = bound.mul_f64(self.dice.random());
            bound = if self.follower.offset > before { AGAIN.0 } else { (bound * 2).min(AGAIN.1) };
            tokio::time::sleep(pause).await;
        }
        if let Some(reply) = self.pending.take() {
            self.book().refused(&reply.mark);
            count(&self.shared.figures.replies.refused);
        }
        self.follower
    }

    async fn connection(&mut self) -> End {
        let opened = tokio::time::timeout(CONNECT_WITHIN, self.open()).await;
        let Ok(Ok(mut socket)) = opened else { return End::Lost };
        let connected = &self.shared.clone().figures.connected;
        connected.fetch_add(1, Ordering::Relaxed);
        let end = self.talk(&mut socket).await;
        connected.fetch_sub(1, Ordering::Relaxed);
        if matches!(end, End::Lost) {
            count(&self.shared.figures.lost);
        }
        end
    }

    /// Opens a socket and asks to go on where it was.
    async fn open(&self) -> anyhow::Result<Socket> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let request = format!("ws://{}/v1/stream", self.address).into_client_request()?;
        let config = WebSocketConfig::default().read_buffer_size(8 * 1024).write_buffer_size(0);
        let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
        let tenant = &self.shared.tenants[self.tenant];
        let token = if self.follower.role == Role::Viewer { &tenant.viewer } else { &tenant.operator };
        let data = json!({"inbox": {"epoch": tenant.epoch, "offset": self.follower.offset}});
        let connect = json!({"id": 1, "connect": {"token": token, "name": "loadtest", "data": data}});
        socket.send(Message::text(connect.to_string())).await?;
        Ok(socket)
    }

    /// Everything on one connection.
    async fn talk(&mut self, socket: &mut Socket) -> End {
        let mut admitted = false;
        loop {
            let again = self.pending.as_ref().and_then(|reply| reply.again);
            let may_ask = admitted && !self.silent && self.pending.is_none();
            let done = tokio::select! {
                biased;
                _ = self.control.changed() => match self.told().await {
                    Some(end) => return end,
                    None => Ok(()),
                },
                message = socket.next() => match message {
                    Some(Ok(message)) => self.message(socket, message, &mut admitted).await,
                    Some(Err(_)) | None => Err(End::Lost),
                },
                arrival = self.arrivals.recv(), if may_ask => {
                    self.silent = arrival.is_none();
                    self.begin(arrival);
                    self.send(socket).await
                }
                () = sleep_until(again.unwrap_or_else(Instant::now).into()), if again.is_some() && admitted => {
                    self.send(socket).await
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// What the run wants of it.
    async fn told(&mut self) -> Option<End> {
        let told = *self.control.borrow_and_update();
        let known = std::mem::replace(&mut self.known, told);
        if told.over {
            return Some(End::Over);
        }
        if told.drops != known.drops && self.dice.random::<f64>() < told.drop_share {
            return Some(End::Lost);
        }
        if told.stalls != known.stalls && self.dice.random::<f64>() < told.stall_share {
            tokio::time::sleep(told.stall_for).await;
        }
        None
    }

    async fn message(&mut self, socket: &mut Socket, message: Message, admitted: &mut bool) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(close) => return Err(self.closed(close.map_or(0, |close| close.code.into()))),
            _ => return Ok(()),
        };
        for line in text.as_str().split('\n').filter(|line| !line.is_empty()) {
            if line == "{}" {
                socket.send(Message::text("{}")).await.map_err(|_| End::Lost)?;
                continue;
            }
            let Ok(frame) = serde_json::from_str::<Frame<'_>>(line) else {
                self.wrong(Kind::Refused, "a frame that is no reply and no push");
                continue;
            };
            self.frame(frame, admitted)?;
            // What it was answering when the last connection was lost goes again, under its key.
            if *admitted && self.pending.as_ref().is_some_and(|reply| reply.id == 0) {
                self.send(socket).await?;
            }
        }
        Ok(())
    }

    fn closed(&self, code: u16) -> End {
        if (3_500..4_000).contains(&code) {
            self.wrong(Kind::Refused, &format!("closed for good with {code}"));
        }
        End::Lost
    }

    fn frame(&mut self, frame: Frame<'_>, admitted: &mut bool) -> Result<(), End> {
        if let Some(push) = frame.push {
            match push.publication {
                Some(publication) => self.see(&push.channel, publication.offset, publication.data.get()),
                None if self.book().is_own(&push.channel) => self.wrong(Kind::Refused, "its inbox was taken away"),
                None => {}
            }
        } else if let Some(connected) = frame.connect {
            self.connected(&connected)?;
            *admitted = true;
        } else if let Some(error) = frame.error {
            let is_reply = self.pending.as_ref().is_some_and(|reply| reply.id == frame.id && frame.id > 1);
            if is_reply {
                self.unanswered(error.temporary || matches!(error.code, 111 | 429 | 503));
            } else if frame.id == 1 {
                if !error.temporary {
                    self.wrong(Kind::Refused, &format!("not let in: error {}", error.code));
                }
                return Err(End::Lost);
            }
        } else if let Some(reply) = frame.rpc {
            self.answered(frame.id, &reply.data);
        }
        Ok(())
    }

    fn connected(&mut self, connected: &Connected<'_>) -> Result<(), End> {
        let tenant = &self.shared.tenants[self.tenant];
        let Some(inbox) = connected.subs.get(tenant.book.channel()) else {
            self.wrong(Kind::Refused, "let in without its inbox");
            return Err(End::Lost);
        };
        if connected.subs.len() > 1 {
            self.wrong(Kind::Foreign, "let in with inboxes of others");
        }
        if !inbox.recovered || inbox.epoch != tenant.epoch {
            let what = format!("offset {} could not be continued", self.follower.offset);
            self.wrong(Kind::Refused, &what);
            self.follower.offset = inbox.offset;
            self.follower.chain = None;
        }
        let channel = tenant.book.channel().to_owned();
        for publication in &inbox.publications {
            self.see(&channel, publication.offset, publication.data.get());
        }
        if inbox.offset != self.follower.offset {
            let what = format!("a resume ends at {}, its publications at {}", inbox.offset, self.follower.offset);
            self.wrong(Kind::Gap, &what);
        }
        self.was_live = true;
        self.live();
        // Whatever was under way is sent again.
        if let Some(reply) = &mut self.pending {
            reply.id = 0;
        }
        Ok(())
    }

    fn see(&mut self, channel: &str, offset: u64, data: &str) {
        let shared = self.shared.clone();
        let book = &shared.tenants[self.tenant].book;
        count(&shared.figures.pushes);
        let before = self.follower.offset;
        if let Some((lane, due)) = book.seen(&mut self.follower, (channel, offset, data), &shared.findings)
            && self.lost.is_none()
        {
            shared.requests_of(lane).screen.record(usize::from(self.lane), due.elapsed());
        }
        if before != self.follower.offset {
            shared.places[self.place].store(self.follower.offset, Ordering::Relaxed);
        }
        self.live();
    }

    /// Whether it has seen again what there was when the connection was lost.
    fn live(&mut self) {
        if let Some((since, head)) = self.lost
            && self.follower.offset >= head
        {
            self.shared.figures.resume.record(usize::from(self.lane), since.elapsed());
            self.lost = None;
        }
    }

    fn begin(&mut self, arrival: Option<Answering>) {
        let Some(Answering { due, dice }) = arrival else { return };
        let shared = self.shared.clone();
        let tenant = &shared.tenants[self.tenant];
        let Some(to) = tenant.book.recent_contact(dice) else {
            count(&shared.figures.replies.shed);
            return;
        };
        let mark = tenant.book.begin(self.lane, due);
        let text: String = shared.corpus.text(dice).chars().filter(char::is_ascii).take(REPLY_LENGTH).collect();
        let data = json!({"to": {"address": contact(to)}, "channel": tenant.line, "text": mark.sign(&text),
            "idempotency_key": mark.sid()});
        let body = json!({"method": "message.send", "data": data}).to_string();
        self.pending = Some(Reply { mark, due, since: Instant::now(), id: 0, body, again: None });
    }

    async fn send(&mut self, socket: &mut Socket) -> Result<(), End> {
        let Some(reply) = &mut self.pending else { return Ok(()) };
        self.commands = self.commands.wrapping_add(1).max(2);
        (reply.id, reply.again) = (self.commands, None);
        let command = format!(r#"{{"id":{},"rpc":{}}}"#, reply.id, reply.body);
        socket.send(Message::text(command)).await.map_err(|_| End::Lost)
    }

    fn answered(&mut self, id: u32, answer: &RpcReply) {
        let Some(reply) = self.pending.take_if(|reply| reply.id == id) else { return };
        let promise = answer.message.map(|message| Promise { offset: answer.offset, message: message.as_u128() });
        if promise.is_none() {
            self.wrong(Kind::OtherReply, "a reply that names no message");
        }
        self.book().acked(&reply.mark, promise, None);
        self.shared.figures.replies.latency.record(usize::from(self.lane), reply.due.elapsed());
        count(&self.shared.figures.replies.acked);
    }

    /// The engine refused: for now, or for good.
    fn unanswered(&mut self, temporary: bool) {
        let retry_for = self.retry_for;
        if let Some(reply) = &mut self.pending
            && temporary
            && reply.since.elapsed() < retry_for
        {
            reply.again = Some(Instant::now() + REPLY_AGAIN);
        } else if let Some(reply) = self.pending.take() {
            self.book().refused(&reply.mark);
            count(&self.shared.figures.replies.refused);
        }
    }
}
