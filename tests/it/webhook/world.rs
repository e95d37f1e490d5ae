//! An engine in memory behind a real door, and a simulated carrier that knows its one line.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actors::{
    directory::SystemDirectory,
    engine::{Engine, Limits, Ports, Setup},
    memory::{MemoryKeys, MemoryLog, MemoryViews, SystemClock, SystemIds},
    pace::LocalLimiter,
    ports::{Ids as _, Log as _},
};
use deskwire::{
    channels::{
        Secret, SecretSource,
        twilio::{TwilioCarrier, TwilioInbound, TwilioInboundSettings, TwilioSettings},
    },
    webhook::{self, WebhookSettings, WebhookState},
};
use loadtest::carrier::{CarrierConfig, CarrierHandle, CarrierServer, DEMO_ACCOUNT, DEMO_ADDRESS, DEMO_TOKEN, Latency};
use schema::{
    command::{Command, Registration, Reply, Request, Setting},
    event::{Author, Fact, Origin, Via},
    ids::{AccountId, ChannelId, FeedId, NodeId, Offset, TemplateId, TenantId},
    settings::{ChannelSettings, LimitSettings, TemplateSettings},
};
use tokio::net::TcpListener;

pub const CONTACT: &str = "+14155550100";

pub struct World {
    pub engine: Engine,
    pub log: Arc<MemoryLog>,
    pub carrier: CarrierHandle,
    pub address: SocketAddr,
}

pub fn tenant() -> TenantId {
    TenantId::new("demo").unwrap()
}

pub fn account() -> AccountId {
    AccountId::new("demo-account").unwrap()
}

pub fn line() -> ChannelId {
    ChannelId::new("demo-line").unwrap()
}

/// The auth token of the demo's account.
pub fn secrets() -> SecretSource {
    Arc::new(|account: &AccountId| match account.as_str() {
        "demo-account" => Arc::from([Secret::new(DEMO_TOKEN)]),
        _ => Arc::from([]),
    })
}

/// A simulated carrier without delays.
pub async fn carrier() -> CarrierHandle {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let (latency, webhook_retry_ms, call_speed) = (Latency::none(), 10, 1_000.0);
    let config = CarrierConfig { listen, latency, webhook_retry_ms, call_speed, ..CarrierConfig::default() };
    CarrierServer::start(config).await.unwrap()
}

impl World {
    pub async fn start() -> Self {
        Self::with(WebhookSettings::default()).await
    }

    pub async fn with(settings: WebhookSettings) -> Self {
        Self::on(carrier().await, settings).await
    }

    /// At a carrier of the test's own.
    pub async fn on(carrier: CarrierHandle, settings: WebhookSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let public_url = format!("http://{address}");
        carrier.set_engine(&public_url, &public_url);
        let (engine, log, directory) = engine(&carrier, &public_url).await;
        let inbound = TwilioInboundSettings { public_url, answered_min_s: 5 };
        let inbound = Arc::new(TwilioInbound::new(&inbound, directory, secrets()));
        let router = webhook::router(WebhookState::new(engine.clone(), inbound, settings));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let world = Self { engine, log, carrier, address };
        world.found().await;
        world
    }

    async fn found(&self) {
        let (channel, account) = (line(), account());
        let address = DEMO_ADDRESS.to_owned();
        let registrations = [
            Registration::Tenant(tenant()),
            Registration::Account { account: account.clone(), tenant: tenant(), carrier_id: DEMO_ACCOUNT.to_owned() },
            Registration::Channel {
                channel: channel.clone(),
                tenant: tenant(),
                account: account.clone(),
                address: address.clone(),
            },
        ];
        for registration in registrations {
            self.submit(&TenantId::system(), Command::Register(registration)).await;
        }
        let template = TemplateId::new("text-back").unwrap();
        let text = TemplateSettings { text: "Sorry we missed your call. How can we help?".to_owned() };
        let settings = ChannelSettings {
            coverage: true,
            text_back: Some(template.clone()),
            cool_down_s: 600,
            ..ChannelSettings::new(address, account)
        };
        let fast = LimitSettings { number_per_s: Some(1_000), ..LimitSettings::default() };
        for setting in [
            Setting::Template(template, Some(text)),
            Setting::Channel(channel.clone(), settings),
            Setting::Limits(channel, fast),
        ] {
            self.submit(&tenant(), Command::Configure(setting)).await;
        }
    }

    pub async fn submit(&self, tenant: &TenantId, command: Command) -> Reply {
        let origin = Origin { by: Author::Engine, via: Via::Command, request: SystemIds.request() };
        self.engine.submit(tenant, Request { command, origin, key: None }).await.unwrap()
    }

    /// Every fact that is durable.
    pub async fn facts(&self) -> Vec<Fact> {
        let feed = FeedId::of(&tenant());
        let batches = self.log.read(&feed, Offset(1), usize::MAX).await.unwrap();
        batches.iter().flat_map(|batch| batch.events().map(|event| event.unwrap().fact)).collect()
    }

    /// How many durable facts have this name.
    pub async fn count(&self, name: &str) -> usize {
        self.facts().await.iter().filter(|fact| fact.name() == name).count()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Texts that the carrier took from us.
    pub fn sent(&self) -> Vec<loadtest::carrier::Message> {
        self.carrier.messages().into_iter().filter(|message| !message.inbound).collect()
    }
}

async fn engine(carrier: &CarrierHandle, public_url: &str) -> (Engine, Arc<MemoryLog>, Arc<SystemDirectory>) {
    let directory: Arc<SystemDirectory> = Arc::default();
    let log = Arc::new(MemoryLog::default());
    let sender =
        TwilioCarrier::new(sending(&carrier.url(), public_url), directory.clone(), secrets(), Arc::new(SystemClock));
    let ports = Ports {
        log: log.clone(),
        views: Arc::new(MemoryViews::default()),
        keys: Arc::new(MemoryKeys::default()),
        limiter: Arc::new(LocalLimiter::default()),
        carrier: Arc::new(sender.unwrap()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    };
    let setup = Setup {
        node: NodeId::new("one").unwrap(),
        ports,
        limits: Limits::default(),
        arbiters: 1,
        advances: vec![],
        directory: directory.clone(),
    };
    (Engine::start(setup).await.unwrap(), log, directory)
}

/// The way out, to a carrier at this base.
pub fn sending(base_url: &str, public_url: &str) -> TwilioSettings {
    TwilioSettings {
        base_url: base_url.to_owned(),
        public_url: public_url.to_owned(),
        connect_timeout: Duration::from_secs(2),
        idle_connections: 4,
    }
}
