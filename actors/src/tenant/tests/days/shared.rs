//! Levels that tenants share by name, after a kill: counted from all of them, whoever is woken first.

use async_trait::async_trait;
use schema::event::SealedBatch;

use super::*;
use crate::ports::{Anchor, AppendError, Head, LogError, WakeEntry};

/// A second tenant with one line, whose limits say the same names.
async fn neighbour(engine: &Engine) -> TenantHandle {
    let slug = |name: &str| ChannelId::new(name).expect("a slug");
    let (tenant, account) = (TenantId::new("bolt").expect("a slug"), AccountId::new("bolt-account").expect("a slug"));
    let address = "+14155550188".to_owned();
    let channel =
        Registration::Channel { channel: slug("bolt-line"), tenant: tenant.clone(), account: account.clone(), address };
    let registrations = [
        Registration::Tenant(tenant.clone()),
        Registration::Account { account: account.clone(), tenant: tenant.clone(), carrier_id: "AC2".to_owned() },
        channel,
    ];
    for registration in registrations {
        engine.submit(&TenantId::system(), ask(Command::Register(registration))).await.expect("registered");
    }
    let line = Setting::Channel(slug("bolt-line"), ChannelSettings::new("+14155550188", account));
    for setting in [line, Setting::Limits(slug("bolt-line"), brand(2_000))] {
        engine.submit(&tenant, ask(Command::Configure(setting))).await.expect("configured");
    }
    engine.tenant(&tenant).await.expect("it runs")
}

async fn send_from_neighbour(tenant: &TenantHandle, number: usize) -> MessageId {
    let mut request = to(number, "hello");
    if let Command::Send(send) = &mut request.command {
        send.channel = None;
    }
    tenant.submit(request).await.expect("stored").message.expect("a message")
}

#[tokio::test]
async fn a_day_that_tenants_share_is_counted_from_all_of_them_though_one_alone_is_woken() {
    let mut world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    limit(&tenant, brand(2_000)).await;
    let other = neighbour(&engine).await;
    for number in 0..1_000 {
        send(&tenant, number % 100).await;
    }
    for number in 0..999 {
        send_from_neighbour(&other, number % 100).await;
    }
    sent(&world, 1_999).await;
    let bolt = other.id().clone();
    engine.drain(PATIENCE).await;
    // The last of this process that writes views: what it wrote later would stand beside what is cleared.
    other.viewed(other.feed().position().offset).await.expect("projected");
    drop((engine, tenant, other));
    forget(&mut world);
    // As after a kill in the middle of work: the neighbour's views are behind its log, settings and all.
    world.views.clear(&FeedId::of(&bolt)).await.expect("cleared");
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    send(&tenant, 201).await;
    sent(&world, 2_000).await;
    let surplus = send(&tenant, 202).await;
    let place = waits_for_the_day(&tenant, surplus).await;
    assert!(place.day_ends.expect("it ends") > SystemClock.now());
    assert!(engine.running(&bolt).is_none(), "nobody has touched the neighbour");
    assert_eq!(tenant.queue(line()).await.expect("it runs").days[0].used, 2_000);
    // It counts nothing twice when it comes.
    let other = engine.tenant(&bolt).await.expect("it runs");
    let late = send_from_neighbour(&other, 301).await;
    waits_for_the_day(&other, late).await;
    assert_eq!(tenant.queue(line()).await.expect("it runs").days[0].used, 2_000);
    assert_eq!(world.carrier.sent().len(), 2_000);
}

/// A log whose one feed cannot be read for a while.
struct Shut {
    log: Arc<MemoryLog>,
    feed: FeedId,
    shut: AtomicBool,
}

#[async_trait]
impl Log for Shut {
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError> {
        self.log.anchor(feed).await
    }
    async fn head(&self, feed: &FeedId) -> Result<Head, LogError> {
        if *feed == self.feed && self.shut.load(Ordering::SeqCst) {
            return Err(LogError::Unavailable { reason: "as the test asked".to_owned() });
        }
        self.log.head(feed).await
    }
    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        self.log.append(batch).await
    }
    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        self.log.read(feed, from, max_bytes).await
    }
    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        self.log.trim(feed, oldest).await
    }
    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        self.log.due(until, limit).await
    }
    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError> {
        self.log.feeds(after, limit).await
    }
}

#[tokio::test]
async fn nothing_leaves_under_a_shared_limit_while_a_sharer_cannot_be_counted() {
    let mut world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    limit(&tenant, brand(2)).await;
    let other = neighbour(&engine).await;
    send_from_neighbour(&other, 1).await;
    sent(&world, 1).await;
    let feed = FeedId::of(other.id());
    engine.drain(PATIENCE).await;
    drop((engine, tenant, other));
    forget(&mut world);
    let shut = Arc::new(Shut { log: world.log.clone(), feed, shut: AtomicBool::new(true) });
    world.ports.log = shut.clone();
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    for number in 2..5 {
        send(&tenant, number).await;
    }
    let waits = async {
        while tenant.queue(line()).await.expect("it runs").waiting < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("they are in the lane");
    // Several looks of the lane later.
    let later = SystemClock.now().plus(Duration::from_millis(300));
    while SystemClock.now() < later {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.carrier.sent().len(), 1, "nobody knows what the neighbour has sent");
    shut.shut.store(false, Ordering::SeqCst);
    sent(&world, 2).await;
    let used = async {
        while tenant.queue(line()).await.expect("it runs").days[0].used < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, used).await.expect("counted");
    assert_eq!(world.carrier.sent().len(), 2, "one of the day was left");
}
