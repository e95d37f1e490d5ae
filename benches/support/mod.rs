//! What the benches inside the process share: an engine without HTTP, texts for it, and the figures' file.
#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(missing_docs, reason = "not a library")]

pub mod counting;
pub mod figures;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actors::{
    directory::SystemDirectory,
    engine::{Engine, Limits, Ports, Setup},
    feed::FeedConfig,
    handle::Refusal,
    memory::{RecordingCarrier, SystemClock, SystemIds},
    pace::LocalLimiter,
    ports::{Clock, Ids as _, Keys, Log, Views},
};
use deskwire::store::{StoreOptions, embedded::EmbeddedStore};
use schema::{
    address::Address,
    command::{Command, ReceiveMessage, Registration, Request, Setting},
    event::{Author, Origin, Via},
    ids::{AccountId, ChannelId, NodeId, TenantId},
    settings::ChannelSettings,
    time::Stamp,
};

/// A year: nothing falls asleep by itself.
pub const NEVER: Duration = Duration::from_secs(365 * 86_400);
const FILLER: &str = "Hello, my kitchen sink is leaking again and the water is all over the floor by now. Can you come \
    today? Any time after three works, the bell is broken so please knock. Thank you!";

/// The system's clock, which can be sent ahead.
#[derive(Default)]
pub struct Ahead(AtomicU64);

impl Ahead {
    /// By so much more.
    pub fn skip(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    fn by(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Clock for Ahead {
    fn now(&self) -> Stamp {
        SystemClock.now().plus(self.by())
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic() + self.by()
    }
}

/// The ports that a bench may choose.
pub struct World {
    pub log: Arc<dyn Log>,
    pub views: Arc<dyn Views>,
    pub keys: Arc<dyn Keys>,
    pub clock: Arc<dyn Clock>,
}

impl World {
    /// Of a store, with the system's clock.
    pub fn of(store: &EmbeddedStore) -> Self {
        Self { log: store.log(), views: store.views(), keys: store.keys(), clock: Arc::new(SystemClock) }
    }
}

/// Bounds as they ship, but that nothing falls asleep, and with next to no feed: nobody watches.
pub fn limits() -> Limits {
    let feed = FeedConfig { ring_events: 16, ring_bytes: 65_536, reread_bytes: 65_536, ..FeedConfig::default() };
    Limits { conversation_idle: NEVER, tenant_idle: NEVER, feed, ..Limits::default() }
}

/// The store with its least caches: they would be counted as something else.
pub fn least_store(directory: &Path) -> EmbeddedStore {
    let options = StoreOptions {
        log_cache_bytes: 1 << 20,
        view_cache_bytes: 1 << 20,
        view_memtable_bytes: 1 << 20,
        view_journal_bytes: 64 << 20,
        ..StoreOptions::default()
    };
    EmbeddedStore::open(directory, &options).expect("a scratch directory can be opened")
}

/// The store as it ships.
pub fn shipped_store(directory: &Path) -> EmbeddedStore {
    EmbeddedStore::open(directory, &StoreOptions::default()).expect("a scratch directory can be opened")
}

/// An engine on a world.
pub async fn start(world: World, limits: Limits) -> Engine {
    let ports = Ports {
        log: world.log,
        views: world.views,
        keys: world.keys,
        limiter: Arc::new(LocalLimiter::default()),
        carrier: Arc::new(RecordingCarrier::default()),
        clock: world.clock,
        ids: Arc::new(SystemIds),
    };
    let (node, directory) = (NodeId::new("bench").expect("a slug"), Arc::<SystemDirectory>::default());
    let arbiters = std::thread::available_parallelism().map_or(1, usize::from);
    let setup = Setup { node, ports, limits, arbiters, advances: Vec::new(), directory };
    Engine::start(setup).await.expect("the engine starts")
}

pub fn tenant(place: usize) -> TenantId {
    TenantId::new(&format!("tenant-{place}")).expect("a slug")
}

fn line(place: usize) -> ChannelId {
    ChannelId::new(&format!("line-{place}")).expect("a slug")
}

fn request(command: Command) -> Request {
    let origin = Origin { by: Author::Engine, via: Via::Command, request: SystemIds.request() };
    Request { command, origin, key: None }
}

/// Tenants with a line each.
pub async fn found(engine: &Engine, tenants: usize) {
    for place in 0..tenants {
        let account = AccountId::new(&format!("account-{place}")).expect("a slug");
        let address = format!("+1212{:07}", 2_000_000 + place);
        let registrations = [
            Registration::Tenant(tenant(place)),
            Registration::Account {
                account: account.clone(),
                tenant: tenant(place),
                carrier_id: format!("AC{place:032x}"),
            },
            Registration::Channel {
                channel: line(place),
                tenant: tenant(place),
                account: account.clone(),
                address: address.clone(),
            },
        ];
        for registration in registrations {
            let registered = engine.submit(&TenantId::system(), request(Command::Register(registration))).await;
            registered.expect("a fresh directory takes a tenant");
        }
        let setting = Setting::Channel(line(place), ChannelSettings::new(address, account));
        let configured = engine.submit(&tenant(place), request(Command::Configure(setting))).await;
        configured.expect("a fresh tenant takes a line");
    }
}

/// A contact's text; the same number is the same text.
pub fn text(tenant: usize, contact: u64, number: u64) -> Request {
    let from = Address::from_carrier(&format!("+1{:010}", 2_200_000_000 + contact)).expect("a number");
    let message = ReceiveMessage {
        channel: line(tenant),
        from,
        carrier_id: format!("SM{number:032x}"),
        text: format!("{FILLER} word{}", number % 100_000),
        media: Vec::new(),
        segments: 2,
        carrier_keyword: None,
    };
    request(Command::Receive(message))
}

/// Sends `count` texts, `together` at a time, the n-th as `of(n)` says: tenant, contact, number. Panics if one is refused for good.
pub async fn send(
    engine: &Engine,
    count: u64,
    together: u64,
    of: impl Fn(u64) -> (usize, u64, u64) + Send + Sync + 'static,
) {
    let (next, of) = (Arc::new(AtomicU64::new(0)), Arc::new(of));
    let tasks: Vec<_> = (0..together)
        .map(|_| {
            let (engine, next, of) = (engine.clone(), next.clone(), of.clone());
            tokio::spawn(async move {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= count {
                        return;
                    }
                    let (owner, contact, number) = of(place);
                    let text = text(owner, contact, number);
                    while let Err(refusal) = engine.submit(&tenant(owner), text.clone()).await {
                        // A busy machine: the views lag, and new contacts wait, as a carrier would.
                        let Refusal::Full { retry_after } = refusal else { panic!("a text was refused: {refusal}") };
                        tokio::time::sleep(retry_after).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no text was refused");
    }
}

/// Waits until the views of so many tenants have everything.
pub async fn viewed(engine: &Engine, tenants: usize) {
    for place in 0..tenants {
        let feed = schema::ids::FeedId::of(&tenant(place));
        loop {
            let head = engine.ports().log.head(&feed).await.expect("the log can be read").next_offset;
            let checkpoint = engine.ports().views.checkpoint(&feed).await.expect("the views can be read");
            if checkpoint.offset.next() >= head {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
