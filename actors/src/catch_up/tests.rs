//! The follower over memory ports: once, in order, from where it was, and no text for a call of hours ago.

use std::sync::Arc;

use schema::{
    address::Address,
    command::{CallOutcome, CallReport, Command, ReceiveMessage, Registration, Request, Setting},
    event::{Author, Fact, Origin, SkipReason, Via},
    ids::{AccountId, ChannelId, FeedId, NodeId, Offset, TemplateId, TenantId},
    message::Status,
    settings::{ChannelSettings, LimitSettings, TemplateSettings},
    time::Stamp,
};
use tokio::task::JoinHandle;

use super::*;
use crate::{
    engine::{Limits, Ports, Setup},
    memory::{Failure, MemoryKeys, MemoryLog, MemoryViews, RecordingCarrier, SystemClock, SystemIds},
    pace::LocalLimiter,
    ports::{Clock as _, Ids as _, Log as _, PastArrival},
};

struct World {
    engine: Engine,
    log: Arc<MemoryLog>,
    carrier: Arc<RecordingCarrier>,
}

fn acme() -> TenantId {
    TenantId::new("acme").expect("a slug")
}

fn line() -> ChannelId {
    ChannelId::new("acme-line").expect("a slug")
}

fn ago(seconds: u64) -> Stamp {
    Stamp(SystemClock.now().0 - seconds * 1_000_000)
}

fn text(id: &str, seconds: u64) -> PastArrival {
    let command = Command::Receive(ReceiveMessage {
        channel: line(),
        from: Address::from_carrier("+14155550100").expect("an address"),
        carrier_id: id.to_owned(),
        text: id.to_owned(),
        media: Vec::new(),
        segments: 1,
        carrier_keyword: None,
    });
    PastArrival { at: ago(seconds), command }
}

fn missed(id: &str, from: &str, seconds: u64) -> PastArrival {
    let command = Command::Call(CallReport {
        channel: line(),
        from: Address::from_carrier(from).expect("an address"),
        carrier_id: id.to_owned(),
        outcome: CallOutcome::Missed,
        name: None,
    });
    PastArrival { at: ago(seconds), command }
}

fn options() -> CatchUpOptions {
    CatchUpOptions {
        after_gap: Duration::from_millis(50),
        overlap: Duration::from_secs(86_400),
        ..CatchUpOptions::default()
    }
}

impl World {
    async fn new() -> Self {
        let (log, carrier) = (Arc::new(MemoryLog::default()), Arc::new(RecordingCarrier::default()));
        let ports = Ports {
            log: log.clone(),
            views: Arc::new(MemoryViews::default()),
            keys: Arc::new(MemoryKeys::default()),
            limiter: Arc::new(LocalLimiter::default()),
            carrier: carrier.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let setup = Setup {
            node: NodeId::new("one").expect("a slug"),
            ports,
            limits: Limits::default(),
            arbiters: 1,
            advances: Vec::new(),
            directory: Arc::default(),
        };
        let world = Self { engine: Engine::start(setup).await.expect("it starts"), log, carrier };
        world.found().await;
        world
    }

    async fn found(&self) {
        let (account, address) = (AccountId::new("account").expect("a slug"), "+14155550199".to_owned());
        let (tenant, carrier_id) = (acme(), "AC1".to_owned());
        for registration in [
            Registration::Tenant(tenant.clone()),
            Registration::Account { account: account.clone(), tenant: tenant.clone(), carrier_id },
            Registration::Channel { channel: line(), tenant, account: account.clone(), address: address.clone() },
        ] {
            self.ask(&TenantId::system(), Command::Register(registration)).await;
        }
        let template = TemplateId::new("textback").expect("a slug");
        let settings = ChannelSettings {
            coverage: true,
            text_back: Some(template.clone()),
            cool_down_s: 3_600,
            ..ChannelSettings::new(&address, account)
        };
        for setting in [
            Setting::Template(template, Some(TemplateSettings { text: "we missed you".to_owned() })),
            Setting::Channel(line(), settings),
            Setting::Limits(line(), LimitSettings { number_per_s: None, ..LimitSettings::default() }),
        ] {
            self.ask(&acme(), Command::Configure(setting)).await;
        }
    }

    async fn ask(&self, tenant: &TenantId, command: Command) {
        self.try_ask(tenant, command, Via::Rest).await.expect("accepted");
    }

    async fn try_ask(&self, tenant: &TenantId, command: Command, via: Via) -> Result<(), Refusal> {
        let origin = Origin { by: Author::Engine, via, request: SystemIds.request() };
        self.engine.submit(tenant, Request { command, origin, key: None }).await.map(drop)
    }

    fn follow(&self) -> JoinHandle<()> {
        tokio::spawn(CatchUp::new(self.engine.clone(), options()).run())
    }

    async fn facts(&self) -> Vec<Fact> {
        let batches = self.log.read(&FeedId::of(&acme()), Offset(1), usize::MAX).await.expect("readable");
        batches.iter().flat_map(|batch| batch.events().map(|event| event.expect("decodes").fact)).collect()
    }

    async fn until(&self, what: &str, met: impl Fn(&[Fact]) -> bool) {
        let all = async {
            while !met(&self.facts().await) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), all).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
}

fn received(facts: &[Fact]) -> Vec<String> {
    let of = |fact: &Fact| match fact {
        Fact::MessageReceived(fact) => Some(fact.carrier_id.clone()),
        Fact::CallMissed(fact) => Some(fact.carrier_id.clone()),
        _ => None,
    };
    facts.iter().filter_map(of).collect()
}

fn looks(facts: &[Fact]) -> usize {
    facts.iter().filter(|fact| matches!(fact, Fact::LineCaughtUp(_))).count()
}

#[tokio::test]
async fn what_was_missed_is_there_once_in_order_and_what_was_taken_is_not_there_again() {
    let world = World::new().await;
    world.carrier.remember(vec![text("SM0", 86_000)]);
    let following = world.follow();
    world.until("the first look", |facts| looks(facts) == 1).await;
    following.abort();
    assert!(received(&world.facts().await).is_empty(), "what came before the line was ours is not ours");
    world.ask(&acme(), text("SM2", 0).command).await;
    world.carrier.remember(vec![text("SM1", 30), text("SM2", 20), missed("CA1", "+14155550101", 10), text("SM3", 5)]);
    let following = world.follow();
    world.until("the second look", |facts| looks(facts) == 2).await;
    following.abort();
    assert_eq!(received(&world.facts().await), ["SM2", "SM1", "CA1", "SM3"]);
    let found = world.facts().await.into_iter().filter_map(|fact| match fact {
        Fact::LineCaughtUp(fact) => Some(fact.found),
        _ => None,
    });
    assert_eq!(found.collect::<Vec<_>>(), [0, 3]);
    // A late webhook of something that the list told of is the same arrival.
    world.ask(&acme(), text("SM3", 0).command).await;
    assert_eq!(received(&world.facts().await).len(), 4);
}

#[tokio::test]
async fn a_call_of_hours_ago_gets_no_text_and_the_next_call_still_does() {
    let world = World::new().await;
    let following = world.follow();
    world.carrier.remember(Vec::new());
    world.until("the first look", |facts| looks(facts) == 1).await;
    following.abort();
    world.carrier.remember(vec![missed("CA1", "+14155550101", 7_200), missed("CA2", "+14155550102", 60)]);
    let following = world.follow();
    world.until("both", |facts| received(facts).len() == 2 && looks(facts) == 2).await;
    following.abort();
    let skipped = |facts: &[Fact]| {
        let too_late = |fact: &&Fact| matches!(fact, Fact::TextBackSkipped(fact) if fact.reason == SkipReason::TooLate);
        facts.iter().filter(too_late).count()
    };
    assert_eq!(skipped(&world.facts().await), 1);
    world
        .until("the one of a minute ago", |facts| {
            facts.iter().any(|fact| matches!(fact, Fact::MessageStatus(fact) if fact.status == Status::Sent))
        })
        .await;
    let sent = world.carrier.sent();
    assert_eq!((sent.len(), sent[0].to.as_str()), (1, "+14155550102"));
    assert!(sent[0].validity <= Duration::from_secs(540), "a minute of it is over: {:?}", sent[0].validity);
    world.ask(&acme(), missed("CA3", "+14155550101", 0).command).await;
    world
        .until("the next call", |facts| facts.iter().filter(|fact| matches!(fact, Fact::MessageQueued(_))).count() == 2)
        .await;
}

#[tokio::test]
async fn a_webhook_that_could_not_be_acknowledged_is_read_back_soon() {
    let world = World::new().await;
    world.carrier.remember(Vec::new());
    let following = world.follow();
    world.until("the first look", |facts| looks(facts) == 1).await;
    world.log.fail_next(1, Failure::Unavailable);
    let refused = world.try_ask(&acme(), text("SM1", 0).command, Via::Webhook).await;
    assert!(matches!(refused, Err(Refusal::Unavailable { .. })), "{refused:?}");
    world.carrier.remember(vec![text("SM1", 1)]);
    world.until("read back", |facts| received(facts) == ["SM1"]).await;
    following.abort();
}

#[tokio::test]
async fn a_carrier_without_a_list_is_left_alone_and_its_lines_work() {
    let world = World::new().await;
    let following = world.follow();
    world.until("the line's first mark", |facts| looks(facts) == 1).await;
    following.abort();
    let following = world.follow();
    world.ask(&acme(), text("SM1", 0).command).await;
    world.until("taken", |facts| received(facts) == ["SM1"]).await;
    assert!(!following.is_finished());
    following.abort();
}
