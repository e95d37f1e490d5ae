//! A server with the tenant `demo`, and a client that speaks the protocol by hand.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use actors::{
    engine::{Engine, Limits, Ports, Setup},
    memory::{MemoryKeys, MemoryLog, MemoryViews, RecordingCarrier, SystemClock, SystemIds},
    pace::LocalLimiter,
    ports::Clock as _,
};
use deskwire::{
    auth::{Authenticator, Claims, Key},
    session::{self, StreamLimits, StreamState},
};
use futures_util::{SinkExt as _, StreamExt as _};
use schema::{
    address::Address,
    command::{Command, ReceiveMessage, Registration, Reply, Request, Setting},
    event::{Author, Origin, Via},
    ids::{AccountId, ChannelId, ConversationId, NodeId, OperatorId, TenantId},
    role::Role,
    settings::ChannelSettings,
    time::Stamp,
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

/// Longest wait for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A running server. The engine's arbiters end with the process.
pub struct World {
    pub engine: Engine,
    pub state: StreamState,
    pub address: SocketAddr,
    pub log: Arc<MemoryLog>,
    pub views: Arc<MemoryViews>,
    auth: Arc<Authenticator>,
    ports: Ports,
    server: JoinHandle<()>,
}

pub fn tenant() -> TenantId {
    TenantId::new("demo").unwrap()
}

pub fn operator(name: &str) -> OperatorId {
    OperatorId::new(name).unwrap()
}

fn line() -> ChannelId {
    ChannelId::new("demo-line").unwrap()
}

fn origin() -> Origin {
    use actors::ports::Ids as _;
    Origin { by: Author::Engine, via: Via::Command, request: SystemIds.request() }
}

/// A feed whose tail in memory is as short as can be.
pub fn short_ring() -> Limits {
    let feed = actors::feed::FeedConfig { ring_events: 1, reread_bytes: 0, ..Default::default() };
    Limits { feed, ..Limits::default() }
}

/// Short times, so that tests need not wait.
pub fn limits() -> StreamLimits {
    StreamLimits { drain_over: Duration::from_millis(400), ..StreamLimits::default() }
}

impl World {
    pub async fn start() -> Self {
        Self::with(limits(), Limits::default()).await
    }

    pub async fn with(limits: StreamLimits, engine_limits: Limits) -> Self {
        let log = Arc::new(MemoryLog::default());
        let views = Arc::new(MemoryViews::default());
        let ports = Ports {
            log: log.clone(),
            views: views.clone(),
            keys: Arc::new(MemoryKeys::default()),
            limiter: Arc::new(LocalLimiter::default()),
            carrier: Arc::new(RecordingCarrier::default()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let engine = start(&ports, engine_limits).await;
        let auth = Arc::new(Authenticator::new(&[Key::Hs256(vec![7; 32])]).unwrap());
        let world = Self::serve(engine, auth, ports, (log, views), limits, "127.0.0.1:0").await;
        world.found("demo", "+15550100001").await;
        world
    }

    async fn serve(
        engine: Engine,
        auth: Arc<Authenticator>,
        ports: Ports,
        (log, views): (Arc<MemoryLog>, Arc<MemoryViews>),
        limits: StreamLimits,
        at: &str,
    ) -> Self {
        let origins = vec!["https://desk.example".to_owned()];
        let state = StreamState::new(engine.clone(), auth.clone(), limits, origins);
        let listener = tokio::net::TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = session::router(state.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { engine, state, address, log, views, auth, ports, server }
    }

    /// The process dies and another starts on the same store and address.
    pub async fn restart(self) -> Self {
        self.server.abort();
        // The aborted task gives its listener back.
        let _ = self.server.await;
        self.state.drain().await;
        self.engine.drain(Duration::from_secs(5)).await;
        let engine = start(&self.ports, Limits::default()).await;
        Self::serve(engine, self.auth, self.ports, (self.log, self.views), limits(), &self.address.to_string()).await
    }

    /// A tenant with one line.
    pub async fn found(&self, name: &str, number: &str) {
        let tenant = TenantId::new(name).unwrap();
        let account = AccountId::new(&format!("{name}-account")).unwrap();
        let channel = ChannelId::new(&format!("{name}-line")).unwrap();
        let carrier_id = format!("AC{name}");
        let registrations = [
            Registration::Tenant(tenant.clone()),
            Registration::Account { account: account.clone(), tenant: tenant.clone(), carrier_id },
            Registration::Channel {
                channel: channel.clone(),
                tenant: tenant.clone(),
                account: account.clone(),
                address: number.to_owned(),
            },
        ];
        for registration in registrations {
            self.submit_to(&TenantId::system(), Command::Register(registration)).await;
        }
        let settings = ChannelSettings { cool_down_s: 60, ..ChannelSettings::new(number, account) };
        self.submit_to(&tenant, Command::Configure(Setting::Channel(channel, settings))).await;
    }

    pub async fn submit_to(&self, tenant: &TenantId, command: Command) -> Reply {
        let request = Request { command, origin: origin(), key: None };
        self.engine.submit(tenant, request).await.unwrap()
    }

    pub async fn configure(&self, setting: Setting) -> Reply {
        self.submit_to(&tenant(), Command::Configure(setting)).await
    }

    /// Contact number `contact` writes.
    pub async fn receive(&self, contact: u32, text: &str) -> Reply {
        let message = self.message(contact, text);
        self.submit_to(&tenant(), message).await
    }

    fn message(&self, contact: u32, text: &str) -> Command {
        use actors::ports::Ids as _;
        Command::Receive(ReceiveMessage {
            channel: line(),
            from: Address::from_carrier(&format!("+1212555{contact:04}")).unwrap(),
            carrier_id: format!("SM{}", SystemIds.uuid()),
            text: text.to_owned(),
            media: vec![],
            segments: 1,
            carrier_keyword: None,
        })
    }

    /// `count` messages of one contact, each in a batch of its own.
    pub async fn receive_each(&self, contact: u32, count: usize) {
        for number in 0..count {
            self.receive(contact, &format!("message {number}")).await;
        }
    }

    /// `count` messages of one contact, together.
    pub async fn receive_many(&self, contact: u32, count: usize) {
        self.receive(contact, "first").await;
        let messages = (1..count).map(|number| self.message(contact, &format!("message {number}")));
        let requests = messages.map(|command| Request { command, origin: origin(), key: None });
        let engine = &self.engine;
        futures_util::stream::iter(requests)
            .for_each_concurrent(100, |request| async move {
                engine.submit(&tenant(), request).await.unwrap();
            })
            .await;
    }

    pub async fn head(&self) -> u64 {
        self.engine.tenant(&tenant()).await.unwrap().feed().position().offset.0
    }

    pub async fn epoch(&self) -> String {
        self.engine.tenant(&tenant()).await.unwrap().feed().position().epoch.to_string()
    }

    pub fn token(&self, name: &str, role: Role) -> String {
        self.token_for(&tenant(), name, role, Duration::from_secs(3_600))
    }

    pub fn token_for(&self, tenant: &TenantId, name: &str, role: Role, ttl: Duration) -> String {
        let expires: Stamp = SystemClock.now().plus(ttl);
        self.auth.mint(&Claims { tenant: tenant.clone(), operator: operator(name), role, expires }).unwrap()
    }

    pub fn url(&self) -> String {
        format!("ws://{}/v1/stream", self.address)
    }

    /// A socket, nothing said yet.
    pub async fn dial(&self) -> Client {
        let (socket, _) = tokio_tungstenite::connect_async(self.url()).await.unwrap();
        Client { socket, next: 0, waiting: VecDeque::new(), pings: 0, pong: true }
    }

    /// An operator at work, live from now on.
    pub async fn connect(&self, name: &str, role: Role) -> Client {
        let mut client = self.dial().await;
        let reply = client.call("connect", json!({"token": self.token(name, role)})).await;
        assert!(reply["connect"].is_object(), "{reply}");
        client
    }

    /// An operator who comes back to a position.
    pub async fn resume(&self, epoch: &str, offset: u64) -> (Client, Value) {
        let mut client = self.dial().await;
        let subs = json!({"inbox:demo": {"recover": true, "epoch": epoch, "offset": offset}});
        let reply = client.call("connect", json!({"token": self.token("ana", Role::Admin), "subs": subs})).await;
        let inbox = reply["connect"]["subs"]["inbox:demo"].clone();
        assert!(inbox.is_object(), "{reply}");
        (client, inbox)
    }
}

async fn start(ports: &Ports, limits: Limits) -> Engine {
    let setup = Setup {
        node: NodeId::new("one").unwrap(),
        ports: ports.clone(),
        limits,
        arbiters: 1,
        advances: vec![],
        directory: Arc::default(),
    };
    Engine::start(setup).await.unwrap()
}

/// A client that speaks the protocol by hand.
pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u32,
    waiting: VecDeque<Value>,
    /// Pings seen.
    pub pings: usize,
    /// Whether it answers them.
    pub pong: bool,
}

impl Client {
    pub async fn send(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends a command and returns its id.
    pub async fn ask(&mut self, method: &str, body: Value) -> u32 {
        self.next += 1;
        self.send(json!({"id": self.next, method: body}).to_string()).await;
        self.next
    }

    /// Sends a command and waits for its reply; pushes meanwhile are kept.
    pub async fn call(&mut self, method: &str, body: Value) -> Value {
        let id = self.ask(method, body).await;
        self.reply(id).await
    }

    pub async fn rpc(&mut self, method: &str, data: Value) -> Value {
        self.call("rpc", json!({"method": method, "data": data})).await
    }

    /// The code of the error that a command gets.
    pub async fn error(&mut self, method: &str, body: Value) -> u64 {
        let reply = self.call(method, body).await;
        reply["error"]["code"].as_u64().unwrap_or_else(|| panic!("no error: {reply}"))
    }

    pub async fn reply(&mut self, id: u32) -> Value {
        loop {
            if let Some(place) = self.waiting.iter().position(|frame| frame["id"] == id) {
                return self.waiting.remove(place).unwrap();
            }
            self.read().await;
        }
    }

    /// The next push on a channel.
    pub async fn push(&mut self, channel: &str) -> Value {
        loop {
            let wanted = |frame: &Value| frame["push"]["channel"] == channel;
            if let Some(place) = self.waiting.iter().position(wanted) {
                return self.waiting.remove(place).unwrap()["push"].take();
            }
            self.read().await;
        }
    }

    /// Offsets of the next publications on a channel, up to and including `last`.
    pub async fn offsets(&mut self, channel: &str, last: u64) -> Vec<u64> {
        let mut offsets = Vec::new();
        while offsets.last() != Some(&last) {
            offsets.push(self.push(channel).await["pub"]["offset"].as_u64().unwrap());
        }
        offsets
    }

    /// Waits for one message and takes it apart.
    pub async fn read(&mut self) {
        let message = tokio::time::timeout(DEADLINE, self.socket.next()).await.expect("something comes in time");
        match message {
            Some(Ok(Message::Text(text))) => {
                for line in text.split('\n') {
                    let frame: Value = serde_json::from_str(line).unwrap();
                    if frame == json!({}) {
                        self.pings += 1;
                        if self.pong {
                            self.send("{}").await;
                        }
                    } else {
                        self.waiting.push_back(frame);
                    }
                }
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => panic!("the connection ended: {other:?}"),
        }
    }

    /// Reads to the end; code and reason of the close frame.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            let message = tokio::time::timeout(DEADLINE, self.socket.next()).await.expect("it closes in time");
            match message {
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    return (code.into(), reason.to_string());
                }
                Some(Ok(Message::Text(text))) if text.as_str() == "{}" && self.pong => self.send("{}").await,
                Some(Ok(_)) => {}
                other => panic!("no close frame: {other:?}"),
            }
        }
    }

    /// Only the code.
    pub async fn close_code(&mut self) -> u16 {
        self.closed().await.0
    }

    pub async fn subscribe(&mut self, channel: &str) -> Value {
        let reply = self.call("subscribe", json!({"channel": channel})).await;
        assert!(reply["subscribe"].is_object(), "{reply}");
        reply["subscribe"].clone()
    }

    pub async fn subscribe_from(&mut self, channel: &str, epoch: &str, offset: u64) -> Value {
        let body = json!({"channel": channel, "recover": true, "epoch": epoch, "offset": offset});
        let reply = self.call("subscribe", body).await;
        assert!(reply["subscribe"].is_object(), "{reply}");
        reply["subscribe"].clone()
    }
}

/// Offsets of a reply's publications.
pub fn offsets(result: &Value) -> Vec<u64> {
    let publications = result["publications"].as_array().cloned().unwrap_or_default();
    publications.iter().map(|publication| publication["offset"].as_u64().unwrap()).collect()
}

/// The channel of a conversation.
pub fn channel(conversation: Option<ConversationId>) -> String {
    format!("conversation:{}", conversation.unwrap())
}

/// Every offset after `from` up to and including `to`, once and in order.
pub fn assert_dense(got: &[u64], from: u64, to: u64) {
    let wrong = got.iter().zip(from + 1..).position(|(got, want)| *got != want);
    if let Some(place) = wrong {
        panic!("after {from}, at place {place}: {:?}", &got[place.saturating_sub(3)..got.len().min(place + 3)]);
    }
    assert_eq!(got.len() as u64, to - from, "from {from} to {to}");
}
