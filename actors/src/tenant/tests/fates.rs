//! Texts whose fate nobody knows, and texts that fail after they were taken, through a tenant.

use schema::{
    command::{DeliveryReport, MessageRef, SendOutcome},
    ids::MessageId,
    message::{CarrierError, ErrorClass},
    time::Stamp,
};

use super::*;
use crate::{
    outbox::{ReconcileOptions, RetryPolicy},
    ports::{Clock, ListedText},
};

/// A world that is as patient as a test.
fn world() -> World {
    let mut world = World::new();
    world.limits.send_deadline = Duration::from_millis(200);
    world.limits.reconcile = ReconcileOptions {
        margin: Duration::from_millis(100),
        again_min: Duration::from_millis(20),
        again_max: Duration::from_millis(100),
        time_out: Duration::from_secs(2),
        interval: Duration::ZERO,
    };
    world.limits.policy.retry =
        RetryPolicy { base: Duration::from_millis(2), shortest: Duration::from_millis(1), ..RetryPolicy::default() };
    world
}

fn listed(id: &str, text: &str, status: Status) -> ListedText {
    let (carrier_id, text) = (id.to_owned(), text.to_owned());
    ListedText { carrier_id, taken: SystemClock.now(), text, media: 0, status, error: None }
}

async fn conversation(tenant: &TenantHandle) -> ConversationId {
    tenant.submit(text("SM-in", CALLER, "hi")).await.expect("stored").conversation.expect("one")
}

/// Statuses of a message, in order, with their attempts.
fn fate(events: &[Event], message: MessageId) -> Vec<(u16, Status)> {
    let of = |event: &Event| match &event.fact {
        Fact::MessageStatus(fact) if fact.message == message => Some((fact.attempt, fact.status)),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[tokio::test]
async fn late_news_of_an_earlier_attempt_leaves_the_text_in_its_lane_also_over_a_restart() {
    let mut world = world();
    world.limits.policy.retry.base = Duration::from_secs(60);
    world.limits.policy.retry.shortest = Duration::from_secs(30);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    let message = tenant.submit(reply(conversation, "on our way")).await.expect("stored").message.expect("a message");
    world.until(&tenant, "sent", |events| has_status(events, Status::Sent)).await;
    let report = |status, error| DeliveryReport {
        conversation,
        message,
        attempt: 1,
        channel: None,
        carrier_id: "SM1".to_owned(),
        status,
        error,
    };
    let passing = CarrierError { code: 30003, class: ErrorClass::Transient };
    tenant.submit(ask(Command::Receipt(report(Status::Failed, Some(passing))))).await.expect("stored");
    let late = tenant.submit(ask(Command::Receipt(report(Status::Delivered, None)))).await.expect("stored");
    tenant.viewed(late.offset).await.expect("viewed");
    assert!(tenant.place(message).await.expect("told").is_some(), "attempt 2 waits in its lane");
    let open = world.views.outbox(&acme(), None, 10).await.expect("readable");
    assert_eq!(open, [(message, conversation)], "the next start finds it");
    let rebuilt = MemoryViews::default();
    crate::projector::catch_up(&*world.log, &rebuilt, &FeedId::of(&acme())).await.expect("rebuilt");
    assert_eq!(rebuilt.outbox(&acme(), None, 10).await.expect("readable"), open);
}

/// Lets texts be claimed and keeps them at the door until it is opened.
#[derive(Default)]
struct Door(std::sync::atomic::AtomicBool);

impl Limiter for Door {
    fn admit(&self, _: &PaceRequest<'_>, _: Stamp) -> Admission {
        Admission::Granted
    }
    fn depart(&self, _: &PaceRequest<'_>, now: Stamp) -> Admission {
        match self.0.load(std::sync::atomic::Ordering::SeqCst) {
            true => Admission::Granted,
            false => Admission::NotBefore { at: now.plus(Duration::from_millis(1)), pair: false },
        }
    }
    fn restore(&self, _: &PaceRequest<'_>, _: Stamp) {}
}

#[tokio::test]
async fn a_text_that_waits_at_the_door_does_not_leave_after_its_contact_said_stop() {
    let mut world = World::new();
    let door = Arc::new(Door::default());
    world.ports.limiter = door.clone();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    let message = tenant.submit(reply(conversation, "on our way")).await.expect("stored").message.expect("a message");
    world.until(&tenant, "claimed", |events| !claims(events, message).is_empty()).await;
    tenant.submit(text("SM-stop", CALLER, "STOP")).await.expect("stored");
    door.0.store(true, std::sync::atomic::Ordering::SeqCst);
    world.until(&tenant, "taken back", |events| fate(events, message).contains(&(2, Status::Canceled))).await;
    assert!(world.carrier.sent().iter().all(|sent| sent.message != message), "it left after STOP");
}

fn claims(events: &[Event], message: MessageId) -> Vec<(u16, bool)> {
    let of = |event: &Event| match &event.fact {
        Fact::MessageClaimed(fact) if fact.message == message => Some((fact.attempt, fact.after_unknown)),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[tokio::test]
async fn an_unknown_text_that_the_list_shows_is_settled_by_it_and_was_sent_once() {
    let world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    world.carrier.answer(SendOutcome::Unknown);
    world.carrier.list(vec![
        listed("SM-other", "something else", Status::Sent),
        listed("SM-ours", "on our way", Status::Delivered),
    ]);
    let message = tenant.submit(reply(conversation, "on our way")).await.expect("stored").message.expect("a message");
    world.until(&tenant, "delivered", |events| has_status(events, Status::Delivered)).await;
    assert_eq!(fate(&world.events(&tenant).await, message), [(1, Status::Unknown), (1, Status::Delivered)]);
    assert_eq!(world.carrier.sent().len(), 1);
    let asked = &world.carrier.asked()[0];
    assert_eq!((asked.to.as_str(), asked.from.as_str()), (CALLER, "+14155550199"));
}

#[tokio::test]
async fn an_unknown_text_found_at_a_restart_is_looked_up_and_settled() {
    let world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    world.carrier.hold();
    tenant.submit(reply(conversation, "on our way")).await.expect("stored");
    world.until(&tenant, "claimed", |events| events.iter().any(|event| event.fact.name() == "message.claimed")).await;
    drop((engine, tenant));
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    world.carrier.list(vec![listed("SM-ours", "on our way", Status::Sent)]);
    world.until(&tenant, "settled", |events| has_status(events, Status::Sent)).await;
    // Again: this time it was known to be unknown before the start.
    world.carrier.release();
    assert_eq!(world.carrier.sent().len(), 1);
}

#[tokio::test]
async fn absence_and_twins_prove_nothing_and_after_its_validity_a_person_decides() {
    let mut world = world();
    world.limits.policy.reply_validity = Duration::from_millis(1_200);
    world.limits.unknown_hold = Duration::from_millis(1);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    world.carrier.answer(SendOutcome::Unknown);
    world.carrier.list(Vec::new());
    let message = tenant.submit(reply(conversation, "hello")).await.expect("stored").message.expect("a message");
    // The tenant's book of open texts is closed when nobody asks any more.
    let over = async {
        while tenant.stats().await.expect("it runs").open_texts > 0 || world.carrier.asked().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("the questions end");
    let asked = world.carrier.asked().len();
    assert!((1..30).contains(&asked), "{asked} questions");
    assert_eq!(fate(&world.events(&tenant).await, message), [(1, Status::Unknown)]);
    assert_eq!(world.carrier.sent().len(), 1);
    world.carrier.answer(SendOutcome::Unknown);
    world.carrier.list(vec![listed("SM1x", "hello", Status::Sent), listed("SM2x", "hello", Status::Sent)]);
    let twin = tenant.submit(reply(conversation, "hello")).await.expect("stored").message.expect("a message");
    world.until(&tenant, "unknown too", |events| fate(events, twin) == [(1, Status::Unknown)]).await;
    let reference = MessageRef { conversation, message };
    tenant.submit(ask(Command::Retry(reference.clone()))).await.expect("a person says so");
    world.until(&tenant, "sent again", |events| fate(events, message).contains(&(2, Status::Sent))).await;
    assert_eq!(world.carrier.sent().len(), 3);
    assert_eq!(fate(&world.events(&tenant).await, twin), [(1, Status::Unknown)], "nobody can tell them apart");
}

#[tokio::test]
async fn a_list_that_cannot_be_read_harms_no_send_and_is_asked_again() {
    let world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    world.carrier.answer(SendOutcome::Unknown);
    let ours = vec![listed("SM-ours", "lost", Status::Sent)];
    let lost = tenant.submit(reply(conversation, "lost")).await.expect("stored").message.expect("a message");
    let other = tenant.submit(text("SM-2", "+14155550102", "me")).await.expect("stored").conversation.expect("one");
    let asked = async {
        while world.carrier.asked().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("asked again");
    let sent = tenant.submit(reply(other, "of course")).await.expect("stored").message.expect("a message");
    world.until(&tenant, "sent", |events| fate(events, sent) == [(1, Status::Sent)]).await;
    world.carrier.list(ours);
    world.until(&tenant, "settled", |events| fate(events, lost).contains(&(1, Status::Sent))).await;
}

#[tokio::test]
async fn later_texts_to_a_contact_wait_for_an_unknown_one_and_then_go_marked() {
    let mut world = world();
    world.limits.unknown_hold = Duration::from_millis(400);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    world.carrier.answer(SendOutcome::Unknown);
    let first = tenant.submit(reply(conversation, "one")).await.expect("stored").message.expect("a message");
    let second = tenant.submit(reply(conversation, "two")).await.expect("stored").message.expect("a message");
    let other = tenant.submit(text("SM-2", "+14155550102", "me")).await.expect("stored").conversation.expect("one");
    tenant.submit(reply(other, "at once")).await.expect("stored");
    world.until(&tenant, "the second", |events| fate(events, second) == [(1, Status::Sent)]).await;
    let events = world.events(&tenant).await;
    assert_eq!((claims(&events, first), claims(&events, second)), (vec![(1, false)], vec![(1, true)]));
    let stamp = |wanted: &dyn Fn(&Fact) -> bool| {
        events.iter().find(|event| wanted(&event.fact)).map(|event| event.header.stamp).expect("it happened")
    };
    let unknown = stamp(&|fact| matches!(fact, Fact::MessageStatus(fact) if fact.status == Status::Unknown));
    let claimed = stamp(&|fact| matches!(fact, Fact::MessageClaimed(fact) if fact.message == second));
    assert!(claimed.since(unknown) >= Duration::from_millis(390), "{:?}", claimed.since(unknown));
    let texts: Vec<String> = world.carrier.sent().into_iter().map(|text| text.text).collect();
    assert_eq!(texts, ["one", "at once", "two"], "only that contact waited");
}

#[tokio::test]
async fn a_handset_out_of_reach_is_tried_twice_more_and_an_error_without_a_cause_never() {
    let world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    let report = |message, attempt: u16, code, class| {
        ask(Command::Receipt(DeliveryReport {
            conversation,
            message,
            attempt,
            carrier_id: format!("SM{code}-{attempt}"),
            status: Status::Failed,
            error: Some(CarrierError { code, class }),
            channel: None,
        }))
    };
    let message = tenant.submit(reply(conversation, "hello")).await.expect("stored").message.expect("a message");
    for attempt in 1..=3 {
        let sent = |events: &[Event]| fate(events, message).contains(&(attempt, Status::Sent));
        world.until(&tenant, "the attempt", sent).await;
        tenant.submit(report(message, attempt, 30_003, ErrorClass::Transient)).await.expect("told");
    }
    let expected: Vec<_> = (1..=3).flat_map(|attempt| [(attempt, Status::Sent), (attempt, Status::Failed)]).collect();
    assert_eq!(fate(&world.events(&tenant).await, message), expected);
    let message = tenant.submit(reply(conversation, "again")).await.expect("stored").message.expect("a message");
    world.until(&tenant, "sent", |events| fate(events, message) == [(1, Status::Sent)]).await;
    tenant.submit(report(message, 1, 30_008, ErrorClass::Ambiguous)).await.expect("told");
    let last = tenant.submit(reply(conversation, "and more")).await.expect("stored").message.expect("a message");
    world.until(&tenant, "the next", |events| fate(events, last) == [(1, Status::Sent)]).await;
    assert_eq!(claims(&world.events(&tenant).await, message).len(), 1);
    assert_eq!(world.carrier.sent().len(), 5);
}

#[tokio::test]
async fn a_stamp_of_the_claim_bounds_what_is_asked_for() {
    let world = world();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = conversation(&tenant).await;
    let old = ListedText { taken: Stamp(1_000_000), ..listed("SM-old", "on our way", Status::Delivered) };
    world.carrier.answer(SendOutcome::Unknown);
    world.carrier.list(vec![old]);
    let ours = vec![listed("SM-ours", "on our way", Status::Sent)];
    let message = tenant.submit(reply(conversation, "on our way")).await.expect("stored").message.expect("a message");
    let asked = async {
        while world.carrier.asked().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("asked");
    world.carrier.list(ours);
    world.until(&tenant, "settled", |events| fate(events, message).contains(&(1, Status::Sent))).await;
    let ids: Vec<_> = world
        .events(&tenant)
        .await
        .into_iter()
        .filter_map(|event| match event.fact {
            Fact::MessageStatus(fact) => fact.carrier_id,
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["SM-ours"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_between_claim_and_answer_double_nothing_and_leave_no_fate_untold() {
    const KILLS: usize = 100;
    let mut world = world();
    // Long enough that nobody is asked for before the last kill.
    world.limits.reconcile.margin = Duration::from_secs(3);
    world.limits.reconcile.again_min = Duration::from_secs(2);
    world.limits.reconcile.again_max = Duration::from_secs(2);
    let engine = world.engine().await;
    world.tenant(&engine).await;
    drop(engine);
    world.carrier.hold();
    let mut taken = Vec::new();
    for kill in 0..KILLS {
        let engine = world.engine().await;
        let tenant = engine.tenant(&acme()).await.expect("it runs");
        let to = Recipient::Address(Address::from_carrier(&format!("+1415557{kill:04}")).expect("an address"));
        let words = format!("text {kill}");
        let send = SendMessage { to, channel: Some(line()), text: words.clone() };
        tenant.submit(ask(Command::Send(send))).await.expect("stored");
        let called = async {
            while world.carrier.sent().len() <= kill {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, called).await.expect("the carrier has it");
        // Every other one is lost on its way.
        if kill % 2 == 0 {
            taken.push(listed(&format!("SM-{kill}"), &words, Status::Delivered));
        }
        drop((engine, tenant));
    }
    world.carrier.list(taken);
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    // Facts only: opening every text at each look would starve whoever is looked at.
    let count = async |wanted: Status| {
        let batches = world.log.read(&FeedId::of(&acme()), Offset(1), usize::MAX).await.expect("readable");
        let facts = batches.iter().flat_map(|batch| batch.events().map(|event| event.expect("decodes").fact));
        facts.filter(|fact| matches!(fact, Fact::MessageStatus(fact) if fact.status == wanted)).count()
    };
    let settled = async {
        while count(Status::Delivered).await < KILLS / 2 {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(3 * PATIENCE, settled).await.is_err() {
        let (unknown, delivered) = (count(Status::Unknown).await, count(Status::Delivered).await);
        let (asked, stats) = (world.carrier.asked().len(), tenant.stats().await);
        panic!("{unknown} unknown, {delivered} of {} delivered after {asked} questions; {stats:?}", KILLS / 2);
    }
    assert_eq!(count(Status::Delivered).await, KILLS / 2);
    assert_eq!(count(Status::Unknown).await, KILLS, "each was shown as what it was");
    let sent: std::collections::HashSet<MessageId> = world.carrier.sent().iter().map(|text| text.message).collect();
    assert_eq!((sent.len(), world.carrier.sent().len()), (KILLS, KILLS), "nothing twice");
}
