//! Days, validity and priority through a tenant: what the log's claims say after a kill, what is kept, what is too late.

mod shared;

use std::sync::atomic::{AtomicBool, Ordering};

use schema::{
    command::SendOutcome,
    ids::MessageId,
    settings::{NamedLimit, NetworkLimit},
    time::Stamp,
};

use super::*;
use crate::{
    pace::{LocalLimiter, PaceOptions},
    ports::Clock,
    tenant::QueuePlace,
};

/// With the real limiter.
fn world() -> World {
    let mut world = World::new();
    world.ports.limiter = Arc::new(LocalLimiter::default());
    world.limits.policy.max_open_sends = 10_000;
    world.limits.lane.in_flight = 1_000;
    world
}

/// As after a kill: nothing but the log knows what left.
fn forget(world: &mut World) {
    world.ports.limiter = Arc::new(LocalLimiter::started_at(PaceOptions::default(), SystemClock.now()));
}

async fn limit(tenant: &TenantHandle, limits: LimitSettings) {
    tenant.submit(ask(Command::Configure(Setting::Limits(line(), limits)))).await.expect("configured");
}

fn brand(limit: u32) -> LimitSettings {
    let brand_per_day = Some(NamedLimit { name: "brand".to_owned(), limit });
    LimitSettings { number_per_s: None, brand_per_day, ..LimitSettings::default() }
}

fn to(number: usize, words: &str) -> Request {
    let to = Recipient::Address(Address::from_carrier(&format!("+1415556{number:04}")).expect("an address"));
    ask(Command::Send(SendMessage { to, channel: Some(line()), text: words.to_owned() }))
}

async fn send(tenant: &TenantHandle, number: usize) -> MessageId {
    tenant.submit(to(number, "hello")).await.expect("stored").message.expect("a message")
}

async fn sent(world: &World, count: usize) {
    let all = async {
        while world.carrier.sent().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(4 * PATIENCE, all)
        .await
        .unwrap_or_else(|_| panic!("{} of {count}", world.carrier.sent().len()));
}

/// Until the log says so: nothing of this process is under way any more.
async fn told(world: &World, tenant: &TenantHandle, count: usize) {
    let is_sent = |event: &&Event| matches!(&event.fact, Fact::MessageStatus(fact) if fact.status == Status::Sent);
    world.until(tenant, "told", |events| events.iter().filter(is_sent).count() == count).await;
}

/// Until the lane has refused it because the day is used up.
async fn waits_for_the_day(tenant: &TenantHandle, message: MessageId) -> QueuePlace {
    let waits = async {
        loop {
            if let Some(place) = tenant.place(message).await.expect("it runs")
                && place.day_ends.is_some()
            {
                return place;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("it waits for the day to end")
}

#[tokio::test]
async fn a_kill_at_1999_of_2000_a_day_leaves_one() {
    let mut world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    limit(&tenant, brand(2_000)).await;
    for number in 0..1_998 {
        send(&tenant, number % 100).await;
    }
    sent(&world, 1_998).await;
    // The last of them dies between its claim and its answer: it counts, for it may have left.
    world.carrier.hold();
    send(&tenant, 200).await;
    sent(&world, 1_999).await;
    drop((engine, tenant));
    forget(&mut world);
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    let last = send(&tenant, 201).await;
    sent(&world, 2_000).await;
    let surplus = send(&tenant, 202).await;
    let place = waits_for_the_day(&tenant, surplus).await;
    assert!(place.day_ends.expect("it ends") > SystemClock.now());
    assert_eq!(place.estimate.as_secs(), place.day_ends.expect("it ends").since(SystemClock.now()).as_secs());
    let queue = tenant.queue(line()).await.expect("it runs");
    assert_eq!((queue.waiting, queue.days[0].used, queue.days[0].kept), (1, 2_000, 400));
    assert!(world.carrier.sent().iter().all(|text| text.message != surplus), "and not one more");
    assert!(world.carrier.sent().iter().any(|text| text.message == last));
}

#[tokio::test]
async fn a_tenant_that_slept_and_woke_in_the_same_process_counts_nothing_twice() {
    let mut world = world();
    world.limits.conversation_idle = Duration::ZERO;
    world.limits.tenant_idle = Duration::ZERO;
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    limit(&tenant, brand(3)).await;
    for number in 0..2 {
        send(&tenant, number).await;
    }
    sent(&world, 2).await;
    drop(tenant);
    let asleep = async {
        while engine.running(&acme()).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asleep).await.expect("it leaves memory");
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    send(&tenant, 3).await;
    sent(&world, 3).await;
    let surplus = send(&tenant, 4).await;
    waits_for_the_day(&tenant, surplus).await;
}

#[tokio::test]
async fn every_networks_cap_counts_and_the_smallest_ends_the_day() {
    let mut world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let cap = |network: &str, limit| NetworkLimit { network: network.to_owned(), brand: "brand".to_owned(), limit };
    let networks_per_day = vec![cap("t-mobile", 2), cap("other", 100)];
    limit(&tenant, LimitSettings { networks_per_day, ..brand(1_000) }).await;
    for number in 0..2 {
        send(&tenant, number).await;
    }
    told(&world, &tenant, 2).await;
    drop((engine, tenant));
    forget(&mut world);
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    let surplus = send(&tenant, 3).await;
    waits_for_the_day(&tenant, surplus).await;
    let queue = tenant.queue(line()).await.expect("it runs");
    let used: Vec<_> = queue.days.iter().map(|day| (day.network.as_deref(), day.used)).collect();
    assert_eq!(used, [(None, 2), (Some("t-mobile"), 2), (Some("other"), 2)]);
}

#[tokio::test]
async fn a_contacts_own_pace_outlives_a_kill() {
    let mut world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    limit(&tenant, LimitSettings { number_per_s: None, pair_interval_s: Some(600), ..LimitSettings::default() }).await;
    send(&tenant, 1).await;
    told(&world, &tenant, 1).await;
    drop((engine, tenant));
    forget(&mut world);
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    let same = send(&tenant, 1).await;
    send(&tenant, 2).await;
    sent(&world, 2).await;
    assert!(world.carrier.sent().iter().all(|text| text.message != same), "the interval has not passed");
}

/// Lets texts in at once and out when it is told to.
#[derive(Default)]
struct Doors {
    entry: AtomicBool,
    exit: AtomicBool,
}

impl Doors {
    fn of(shut: &AtomicBool, now: Stamp) -> Admission {
        if shut.load(Ordering::SeqCst) {
            return Admission::NotBefore { at: now.plus(Duration::from_millis(20)), pair: false };
        }
        Admission::Granted
    }
}

impl Limiter for Doors {
    fn admit(&self, _: &PaceRequest<'_>, now: Stamp) -> Admission {
        Self::of(&self.entry, now)
    }
    fn depart(&self, _: &PaceRequest<'_>, now: Stamp) -> Admission {
        Self::of(&self.exit, now)
    }
    fn restore(&self, _: &PaceRequest<'_>, _: Stamp) {}
}

#[tokio::test]
async fn a_text_that_waited_too_long_at_the_door_is_too_late_and_never_sent() {
    let mut world = World::new();
    let doors = Arc::new(Doors::default());
    world.ports.limiter = doors.clone();
    world.limits.policy.text_back_validity = Duration::from_millis(1_500);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    doors.exit.store(true, Ordering::SeqCst);
    tenant.submit(missed("CA1", CALLER)).await.expect("stored");
    world.until(&tenant, "claimed", |events| events.iter().any(|event| event.fact.name() == "message.claimed")).await;
    let claimed = SystemClock.now();
    let late = async {
        while SystemClock.now().since(claimed) < Duration::from_millis(700) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, late).await.expect("time passes");
    doors.exit.store(false, Ordering::SeqCst);
    world.until(&tenant, "too late", |events| has_status(events, Status::Expired)).await;
    assert!(world.carrier.sent().is_empty());
    assert_eq!(Status::Expired.shown(), "Not sent: too late");
}

#[tokio::test]
async fn the_carrier_keeps_a_text_no_longer_than_what_is_left_of_it() {
    let mut world = World::new();
    let doors = Arc::new(Doors::default());
    world.ports.limiter = doors.clone();
    world.limits.policy.text_back_validity = Duration::from_secs(8);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    doors.exit.store(true, Ordering::SeqCst);
    tenant.submit(missed("CA1", CALLER)).await.expect("stored");
    world.until(&tenant, "claimed", |events| events.iter().any(|event| event.fact.name() == "message.claimed")).await;
    doors.exit.store(false, Ordering::SeqCst);
    sent(&world, 1).await;
    let events = world.events(&tenant).await;
    let valid_until = events.iter().find_map(|event| match &event.fact {
        Fact::MessageQueued(fact) => Some(fact.valid_until),
        _ => None,
    });
    let left = world.carrier.sent()[0].validity;
    let after = valid_until.expect("queued").since(SystemClock.now());
    assert!(left < Duration::from_secs(8) && left + Duration::from_millis(10) > after, "{left:?}, {after:?}");
}

#[tokio::test]
async fn hours_without_a_carrier_let_no_late_text_out_and_say_so() {
    let mut world = World::new();
    world.limits.policy.text_back_validity = Duration::from_millis(1_300);
    world.limits.policy.retry.base = Duration::from_millis(50);
    (0..200).for_each(|_| world.carrier.answer(SendOutcome::NotSent { retry_after_s: None }));
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    for number in 0..5 {
        tenant.submit(missed(&format!("CA{number}"), &format!("+1415555020{number}"))).await.expect("stored");
    }
    let expired = |events: &[Event]| {
        let expired =
            |event: &&Event| matches!(&event.fact, Fact::MessageStatus(fact) if fact.status == Status::Expired);
        events.iter().filter(expired).count()
    };
    world.until(&tenant, "all are too late", |events| expired(events) == 5).await;
    assert!(!has_status(&world.events(&tenant).await, Status::Sent));
    let asked = world.carrier.sent();
    assert!(asked.iter().all(|text| text.validity >= Duration::from_secs(1)));
}

#[tokio::test]
async fn a_confirmation_goes_before_a_person_and_a_person_before_a_rule() {
    let mut world = World::new();
    let doors = Arc::new(Doors::default());
    world.ports.limiter = doors.clone();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let stop = TemplateId::new("stop").expect("a slug");
    let template = Setting::Template(stop.clone(), Some(TemplateSettings { text: "You are out".to_owned() }));
    tenant.submit(ask(Command::Configure(template))).await.expect("configured");
    let mut channel = tenant.settings().channels[&line()].clone();
    channel.answers.stop = Some(stop);
    channel.number_type = schema::settings::NumberType::ShortCode;
    tenant.submit(ask(Command::Configure(Setting::Channel(line(), channel)))).await.expect("configured");
    doors.entry.store(true, Ordering::SeqCst);
    tenant.submit(missed("CA1", "+14155550201")).await.expect("stored");
    tenant.submit(missed("CA2", "+14155550202")).await.expect("stored");
    send(&tenant, 3).await;
    let stopped = tenant.submit(text("SM1", "+14155550204", "STOP")).await.expect("stored");
    assert!(stopped.offset > Offset(0));
    let open = async {
        while tenant.queue(line()).await.expect("it runs").waiting < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, open).await.expect("all are in the lane");
    doors.entry.store(false, Ordering::SeqCst);
    sent(&world, 4).await;
    let texts: Vec<String> = world.carrier.sent().into_iter().map(|text| text.text).collect();
    assert_eq!(texts, ["You are out", "hello", "Acme missed you", "Acme missed you"]);
}
