//! The tenant over memory ports: durability before answers, once, one order, crashes, unknown appends.

mod calls;
mod crashes;
mod days;
mod fates;
mod held;
mod hours;
mod leavers;
mod panics;
mod pause;
mod restarts;
mod room;
mod shifts;

use std::{sync::Arc, time::Duration};

use schema::{
    address::Address,
    command::{
        CallOutcome, CallReport, Command, ConversationRef, ReceiveMessage, Recipient, Registration, Reply, Request,
        SendMessage, Setting,
    },
    event::{Author, Event, Fact, Origin, Via},
    ids::{AccountId, ChannelId, ConversationId, FeedId, NodeId, Offset, RequestId, TemplateId, TenantId},
    message::Status,
    problem::Code,
    settings::{ChannelSettings, LimitSettings, TemplateSettings, TenantSettings},
};

use crate::{
    conversation::State,
    engine::{Engine, Limits, Ports, Setup},
    handle::Refusal,
    memory::{Failure, MemoryKeys, MemoryLog, MemoryViews, RecordingCarrier, SystemClock, SystemIds},
    ports::{Admission, Ids, Limiter, Log, PaceRequest, Views},
    tenant::TenantHandle,
};

struct Unlimited;

impl Limiter for Unlimited {
    fn admit(&self, _: &PaceRequest<'_>, _: schema::time::Stamp) -> Admission {
        Admission::Granted
    }
    fn restore(&self, _: &PaceRequest<'_>, _: schema::time::Stamp) {}
}

/// One process over stores that outlive it.
pub(crate) struct World {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) views: Arc<MemoryViews>,
    pub(crate) carrier: Arc<RecordingCarrier>,
    ports: Ports,
    limits: Limits,
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

impl World {
    pub(crate) fn new() -> Self {
        let log = Arc::new(MemoryLog::default());
        let views = Arc::new(MemoryViews::default());
        let carrier = Arc::new(RecordingCarrier::default());
        let ports = Ports {
            log: log.clone(),
            views: views.clone(),
            keys: Arc::new(MemoryKeys::default()),
            limiter: Arc::new(Unlimited),
            carrier: carrier.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        Self { log, views, carrier, ports, limits: Limits::default() }
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports.clone()
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits.clone()
    }

    pub(crate) async fn engine(&self) -> Engine {
        self.node("one").await
    }

    async fn node(&self, name: &str) -> Engine {
        let setup = Setup {
            node: NodeId::new(name).expect("a slug"),
            ports: self.ports.clone(),
            limits: self.limits.clone(),
            arbiters: 1,
            advances: Vec::new(),
            directory: Arc::default(),
        };
        Engine::start(setup).await.expect("it starts")
    }

    /// A tenant with one line that answers missed calls.
    pub(crate) async fn tenant(&self, engine: &Engine) -> TenantHandle {
        let tenant = acme();
        let system = TenantId::system();
        let registrations = [
            Registration::Tenant(tenant.clone()),
            Registration::Account { account: account(), tenant: tenant.clone(), carrier_id: "AC1".to_owned() },
            Registration::Channel {
                channel: line(),
                tenant: tenant.clone(),
                account: account(),
                address: "+14155550199".to_owned(),
            },
        ];
        for registration in registrations {
            engine.submit(&system, ask(Command::Register(registration))).await.expect("registered");
        }
        for setting in settings() {
            engine.submit(&tenant, ask(Command::Configure(setting))).await.expect("configured");
        }
        engine.tenant(&tenant).await.expect("it runs")
    }

    async fn events(&self, tenant: &TenantHandle) -> Vec<Event> {
        let feed = FeedId::of(tenant.id());
        let mut events = Vec::new();
        for batch in self.log.read(&feed, Offset(1), usize::MAX).await.expect("readable") {
            for event in batch.events() {
                let event = event.expect("decodes");
                events.push(tenant.shared.vault.open(tenant.id(), event).await.expect("opens"));
            }
        }
        events
    }

    async fn names(&self, tenant: &TenantHandle) -> Vec<&'static str> {
        self.events(tenant).await.iter().map(|event| event.fact.name()).collect()
    }

    pub(crate) async fn until(&self, tenant: &TenantHandle, what: &str, met: impl Fn(&[Event]) -> bool) {
        let all = async {
            while !met(&self.events(tenant).await) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
}

pub(crate) fn acme() -> TenantId {
    TenantId::new("acme").expect("a slug")
}

pub(crate) fn line() -> ChannelId {
    ChannelId::new("acme-line").expect("a slug")
}

fn account() -> AccountId {
    AccountId::new("acme-account").expect("a slug")
}

fn settings() -> Vec<Setting> {
    let template = TemplateId::new("textback").expect("a slug");
    let channel = ChannelSettings {
        coverage: true,
        text_back: Some(template.clone()),
        cool_down_s: 3600,
        ..ChannelSettings::new("+14155550199", account())
    };
    let limits = LimitSettings { number_per_s: None, ..LimitSettings::default() };
    vec![
        Setting::Tenant(TenantSettings { business_name: "Acme".to_owned() }),
        Setting::Template(template, Some(TemplateSettings { text: "{business} missed you".to_owned() })),
        Setting::Channel(line(), channel),
        Setting::Limits(line(), limits),
    ]
}

pub(crate) fn ask(command: Command) -> Request {
    let operator = Author::Operator(schema::ids::OperatorId::new("ana").expect("a slug"));
    Request {
        command,
        origin: Origin { by: operator, via: Via::Rest, request: RequestId(SystemIds.uuid()) },
        key: None,
    }
}

pub(crate) fn text(id: &str, from: &str, words: &str) -> Request {
    ask(Command::Receive(ReceiveMessage {
        channel: line(),
        from: Address::from_carrier(from).expect("an address"),
        carrier_id: id.to_owned(),
        text: words.to_owned(),
        media: Vec::new(),
        segments: 1,
        carrier_keyword: None,
    }))
}

pub(crate) fn missed(id: &str, from: &str) -> Request {
    ask(Command::Call(CallReport {
        channel: line(),
        from: Address::from_carrier(from).expect("an address"),
        carrier_id: id.to_owned(),
        outcome: CallOutcome::Missed,
        name: None,
    }))
}

pub(crate) fn reply(conversation: ConversationId, words: &str) -> Request {
    let to = Recipient::Conversation(conversation);
    ask(Command::Send(SendMessage { to, channel: Some(line()), text: words.to_owned() }))
}

pub(crate) const CALLER: &str = "+14155550100";

fn has_status(events: &[Event], wanted: Status) -> bool {
    events.iter().any(|event| matches!(&event.fact, Fact::MessageStatus(fact) if fact.status == wanted))
}

#[tokio::test]
async fn a_missed_call_becomes_a_text_at_the_carrier() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(missed("CA1", CALLER)).await.expect("stored");
    world.until(&tenant, "sent", |events| has_status(events, Status::Sent)).await;
    let sent = world.carrier.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].text.as_str(), sent[0].to.as_str()), ("Acme missed you", CALLER));
    let offsets: Vec<u64> = world.events(&tenant).await.iter().map(|event| event.header.offset.0).collect();
    assert!(offsets.iter().copied().eq(1..=offsets.len() as u64), "offsets are dense: {offsets:?}");
}

#[tokio::test]
async fn nobody_is_answered_before_the_batch_is_durable() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let before = tenant.feed().position().offset;
    world.log.hold();
    let mut pending = Box::pin(tenant.submit(text("SM1", CALLER, "hello")));
    let early = tokio::time::timeout(Duration::from_millis(200), &mut pending).await;
    assert!(early.is_err(), "answered before it was stored");
    assert_eq!(tenant.feed().position().offset, before, "shown before it was stored");
    world.log.release();
    pending.await.expect("stored");
    assert!(tenant.feed().position().offset > before);
}

#[tokio::test]
async fn the_same_webhook_twice_at_once_and_later_is_one_message() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let (first, second) =
        tokio::join!(tenant.submit(text("SM1", CALLER, "hello")), tenant.submit(text("SM1", CALLER, "hello")),);
    let (first, second) = (first.expect("stored"), second.expect("stored"));
    assert_eq!(first, second, "the same reply");
    assert_eq!(tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored"), first);
    let received = world.names(&tenant).await.iter().filter(|name| **name == "message.received").count();
    assert_eq!(received, 1);
}

#[tokio::test]
async fn a_repetition_after_a_restart_is_still_one_message() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let first = tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored");
    drop((engine, tenant));
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    assert_eq!(tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored"), first);
}

#[tokio::test]
async fn two_first_webhooks_of_a_caller_make_one_conversation() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let (call, words) = tokio::join!(tenant.submit(missed("CA1", CALLER)), tenant.submit(text("SM1", CALLER, "hi")));
    assert_eq!(call.expect("stored").conversation, words.expect("stored").conversation);
    let created = world.names(&tenant).await.iter().filter(|name| **name == "contact.created").count();
    assert_eq!(created, 1);
}

#[tokio::test]
async fn the_same_key_gives_the_same_reply_and_other_content_is_a_conflict() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(text("SM1", CALLER, "hi")).await.expect("stored").conversation.expect("one");
    let keyed = |words: &str| Request { key: Some("k1".to_owned()), ..reply(conversation, words) };
    let first = tenant.submit(keyed("one")).await.expect("stored");
    assert_eq!(tenant.submit(keyed("one")).await.expect("stored"), first);
    let conflict = tenant.submit(keyed("two")).await;
    assert!(matches!(conflict, Err(Refusal::Rejected { code: Code::KeyReused, .. })), "{conflict:?}");
    world.until(&tenant, "sent", |events| has_status(events, Status::Sent)).await;
    assert_eq!(world.carrier.sent().len(), 1);
}

#[tokio::test]
async fn an_append_of_unknown_outcome_is_repeated_until_it_is_certain() {
    for failure in [Failure::UnknownStored, Failure::UnknownLost] {
        let world = World::new();
        let engine = world.engine().await;
        let tenant = world.tenant(&engine).await;
        world.log.fail_next(3, failure);
        tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored in the end");
        let received = world.names(&tenant).await.iter().filter(|name| **name == "message.received").count();
        assert_eq!(received, 1, "{failure:?}");
    }
}

#[tokio::test]
async fn a_failed_append_tells_its_callers_and_loses_nothing_else() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(text("SM1", CALLER, "one")).await.expect("stored").conversation;
    world.log.fail_next(1, Failure::Unavailable);
    let refused = tenant.submit(text("SM2", CALLER, "two")).await;
    assert!(matches!(refused, Err(Refusal::Unavailable { .. })), "{refused:?}");
    let again = tenant.submit(text("SM2", CALLER, "two")).await.expect("the carrier tries again");
    assert_eq!(again.conversation, conversation);
    let texts: Vec<String> =
        world.events(&tenant).await.iter().filter_map(|event| event.personal()?.text.clone()).collect();
    assert_eq!(texts, ["one", "two"]);
}

#[tokio::test]
async fn an_owner_that_another_has_fenced_writes_nothing_more() {
    let world = World::new();
    let first = world.node("one").await;
    let tenant = world.tenant(&first).await;
    tenant.submit(text("SM1", CALLER, "one")).await.expect("stored");
    let second = world.node("two").await;
    let taken = second.tenant(&acme()).await.expect("it runs");
    taken.submit(text("SM2", CALLER, "two")).await.expect("stored");
    let late = tenant.submit(text("SM3", CALLER, "three")).await;
    assert!(matches!(late, Err(Refusal::Unavailable { .. })), "{late:?}");
    let names = world.names(&taken).await;
    assert_eq!(names.iter().filter(|name| **name == "message.received").count(), 2, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "feed.taken").count(), 2);
}

#[tokio::test]
async fn a_claim_without_a_result_found_at_start_is_unknown_and_not_sent_again() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(text("SM1", CALLER, "hi")).await.expect("stored").conversation.expect("one");
    // The carrier takes the text, and the process dies before it can write down that it did.
    world.carrier.hold();
    let reply = tenant.submit(reply(conversation, "answer")).await.expect("stored");
    world.until(&tenant, "claimed", |events| events.iter().any(|event| event.fact.name() == "message.claimed")).await;
    drop((engine, tenant));
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    world.until(&tenant, "unknown", |events| has_status(events, Status::Unknown)).await;
    // Only now does the carrier answer: the process that asked is gone.
    world.carrier.release();
    assert_eq!(world.carrier.sent().len(), 1);
    assert!(reply.message.is_some());
}

#[tokio::test]
async fn an_idle_conversation_leaves_memory_and_comes_back_as_it_was() {
    let mut world = World::new();
    world.limits.conversation_idle = Duration::ZERO;
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let first = tenant.submit(text("SM1", CALLER, "one")).await.expect("stored");
    tokio::time::timeout(PATIENCE, async {
        while tenant.stats().await.expect("it runs").conversations > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it leaves memory");
    let second = tenant.submit(text("SM2", CALLER, "two")).await.expect("stored");
    assert_eq!(first.conversation, second.conversation);
    tenant.viewed(second.offset).await.expect("viewed");
    let id = first.conversation.expect("one");
    let stored = world.views.conversation(&acme(), id).await.expect("readable").expect("there");
    assert_eq!(State::load(&stored).expect("loads").unread, 2);
}

#[tokio::test]
async fn an_idle_tenant_leaves_memory_and_is_started_again_when_asked() {
    let mut world = World::new();
    world.limits.conversation_idle = Duration::ZERO;
    world.limits.tenant_idle = Duration::ZERO;
    let engine = world.engine().await;
    drop(world.tenant(&engine).await);
    tokio::time::timeout(PATIENCE, async {
        while engine.running(&acme()).is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it leaves memory");
    let stored: Reply = engine.submit(&acme(), text("SM1", CALLER, "hello")).await.expect("stored");
    assert!(stored.offset > Offset(0));
}

#[tokio::test]
async fn a_drain_ends_what_is_under_way_and_refuses_what_is_new() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(text("SM1", CALLER, "hi")).await.expect("stored").conversation.expect("one");
    world.carrier.hold();
    tenant.submit(reply(conversation, "on our way")).await.expect("stored");
    world.until(&tenant, "at the carrier", |_| world.carrier.waiting() == 1).await;
    let drained = tokio::spawn({
        let engine = engine.clone();
        async move { engine.drain(PATIENCE).await }
    });
    let refused = tokio::time::timeout(PATIENCE, async {
        loop {
            match tenant.submit(text("SM2", CALLER, "too late")).await {
                Err(refusal) => return refusal,
                Ok(_) => tokio::task::yield_now().await,
            }
        }
    });
    assert_eq!(refused.await.expect("refused in the end"), Refusal::Draining);
    world.carrier.release();
    drained.await.expect("drained");
    assert!(has_status(&world.events(&tenant).await, Status::Sent), "the carrier's answer was written down");
}

#[tokio::test]
async fn an_unknown_tenant_and_a_taken_address_are_refused() {
    let world = World::new();
    let engine = world.engine().await;
    world.tenant(&engine).await;
    let nobody = engine.tenant(&TenantId::new("nobody").expect("a slug")).await;
    assert!(matches!(nobody.err(), Some(Refusal::Rejected { code: Code::NotFound, .. })));
    let (other, system) = (TenantId::new("other").expect("a slug"), TenantId::system());
    engine.submit(&system, ask(Command::Register(Registration::Tenant(other.clone())))).await.expect("registered");
    let own = AccountId::new("other-account").expect("a slug");
    let account = Registration::Account { account: own.clone(), tenant: other.clone(), carrier_id: "AC2".to_owned() };
    engine.submit(&system, ask(Command::Register(account))).await.expect("registered");
    let claim = Registration::Channel {
        channel: ChannelId::new("other-line").expect("a slug"),
        tenant: other,
        account: own,
        address: "+14155550199".to_owned(),
    };
    let taken = engine.submit(&system, ask(Command::Register(claim))).await;
    assert!(matches!(taken, Err(Refusal::Rejected { code: Code::Taken, .. })), "{taken:?}");
}
