//! Two hours without a carrier, by a clock that is moved, with the durations that configuration has by default.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use schema::{command::SendOutcome, event::Purpose, ids::MessageId, settings::NumberType, time::Stamp};

use super::*;
use crate::{
    catch_up::{CatchUp, CatchUpOptions},
    memory::ManualClock,
    ports::{Carrier, Clock as _, History, HistoryQuery, ListError, ListedText, LookUp, OutgoingText, PastArrival},
};

const MINUTE: Duration = Duration::from_secs(60);
const MINUTES: usize = 120;

/// A carrier that is away: nothing reaches it. It remembers what was tried, and when.
struct Absent {
    away: AtomicBool,
    tried: Mutex<Vec<(Stamp, MessageId)>>,
    clock: Arc<ManualClock>,
    carrier: Arc<RecordingCarrier>,
}

#[async_trait]
impl Carrier for Absent {
    async fn send(&self, text: OutgoingText) -> SendOutcome {
        self.tried.lock().expect("whole").push((self.clock.now(), text.message));
        if self.away.load(Ordering::SeqCst) {
            return SendOutcome::NotSent { retry_after_s: None };
        }
        self.carrier.send(text).await
    }
    async fn look_up(&self, query: LookUp) -> Result<Vec<ListedText>, ListError> {
        self.carrier.look_up(query).await
    }
    async fn history(&self, query: HistoryQuery) -> Result<History, ListError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(ListError::unavailable("away"));
        }
        self.carrier.history(query).await
    }
}

/// Every lane looks again: their own sleepers know nothing of this clock.
async fn look_again(tenant: &TenantHandle, round: usize) {
    let number_per_s = Some(u32::try_from(1_000 + round % 2).expect("small"));
    let limits = LimitSettings { number_per_s, ..LimitSettings::default() };
    tenant.submit(ask(Command::Configure(Setting::Limits(line(), limits)))).await.expect("configured");
    let calm = async {
        while tenant.queue(line()).await.expect("it runs").in_flight > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, calm).await.expect("what was tried has its answer");
}

/// Looks at the carrier's lists once.
async fn catch_up(world: &World, engine: &Engine, tenant: &TenantHandle) {
    let looks = |events: &[Event]| events.iter().filter(|event| event.fact.name() == "line.caught_up").count();
    let before = looks(&world.events(tenant).await);
    let following = tokio::spawn(CatchUp::new(engine.clone(), CatchUpOptions::default()).run());
    world.until(tenant, "a look", |events| looks(events) > before).await;
    following.abort();
}

fn last_status(events: &[Event], message: MessageId) -> Option<Status> {
    let of = |event: &Event| match &event.fact {
        Fact::MessageStatus(fact) if fact.message == message => Some(fact.status),
        _ => None,
    };
    events.iter().rev().find_map(of)
}

/// Two hours: what still reaches us comes in, what does not is what the carrier will tell of; ids of both.
async fn live(tenant: &TenantHandle, clock: &ManualClock) -> (Vec<PastArrival>, Vec<String>) {
    let (mut unheard, mut heard) = (Vec::new(), Vec::new());
    for minute in 0..MINUTES {
        if minute % 10 == 0 {
            // What still reaches us: a call that is missed, and a keyword that we answer.
            tenant.submit(missed(&format!("CA{minute}"), &format!("+14155553{minute:03}"))).await.expect("stored");
            let (id, from) = (format!("SMheard{minute}"), format!("+14155554{minute:03}"));
            tenant.submit(text(&id, &from, "HELP")).await.expect("stored");
            heard.push(id);
        }
        // What does not: the carrier cannot reach us either.
        let id = format!("SMunheard{minute}");
        let command = text(&id, &format!("+14155555{:03}", minute % 7), "are you there?").command;
        unheard.push(PastArrival { at: clock.now(), command });
        look_again(tenant, minute).await;
        clock.advance(MINUTE);
    }
    (unheard, heard)
}

#[tokio::test]
async fn after_two_hours_without_a_carrier_no_expired_text_leaves_and_every_inbound_text_is_there_once() {
    let mut world = World::new();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let carrier = world.carrier.clone();
    let absent = Arc::new(Absent {
        away: AtomicBool::new(false),
        tried: Mutex::default(),
        clock: clock.clone(),
        carrier: carrier.clone(),
    });
    (world.ports.clock, world.ports.carrier) = (clock.clone(), absent.clone());
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let mut channel = tenant.settings().channels[&line()].clone();
    channel.number_type = NumberType::ShortCode;
    tenant.submit(ask(Command::Configure(Setting::Channel(line(), channel)))).await.expect("configured");
    carrier.remember(Vec::new());
    catch_up(&world, &engine, &tenant).await;

    absent.away.store(true, Ordering::SeqCst);
    let (unheard, heard) = live(&tenant, &clock).await;
    look_again(&tenant, MINUTES).await;
    carrier.remember(unheard.clone());
    absent.away.store(false, Ordering::SeqCst);
    look_again(&tenant, MINUTES + 1).await;
    catch_up(&world, &engine, &tenant).await;
    tenant.submit(missed("CAback", "+14155550999")).await.expect("stored");
    // Stamps run a little ahead of a clock that stands still.
    clock.advance(Duration::from_secs(1));
    look_again(&tenant, MINUTES + 2).await;
    world.until(&tenant, "the text of who calls now", |events| has_status(events, Status::Sent)).await;

    let events = world.events(&tenant).await;
    let queued: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::MessageQueued(fact) => Some((event.header.stamp, fact)),
            _ => None,
        })
        .collect();
    assert_eq!(queued.len(), 2 * 12 + 1);
    for (at, fact) in &queued {
        let validity = if matches!(fact.purpose, Purpose::Confirmation(_)) { 300.0 } else { 600.0 };
        assert_eq!(fact.valid_until.since(*at).as_secs_f64().round(), validity, "the defaults");
    }
    let tried = absent.tried.lock().expect("whole").clone();
    assert!(tried.len() > 2 * 24, "it was tried again: {}", tried.len());
    for (at, message) in &tried {
        let (_, fact) = queued.iter().find(|(_, fact)| fact.message == *message).expect("one of ours");
        assert!(*at < fact.valid_until, "tried when it was too late");
    }
    assert_eq!(carrier.sent().len(), 1, "only who calls now is texted");
    let expired = |message| matches!(last_status(&events, message), Some(Status::Expired));
    let late: Vec<_> = queued[..queued.len() - 1].iter().filter(|(_, fact)| !expired(fact.message)).collect();
    assert!(late.is_empty(), "{late:?}");
    let mut received: Vec<String> = events
        .iter()
        .filter_map(|event| match &event.fact {
            Fact::MessageReceived(fact) => Some(fact.carrier_id.clone()),
            _ => None,
        })
        .collect();
    let mut wanted: Vec<String> = (0..MINUTES).map(|minute| format!("SMunheard{minute}")).chain(heard).collect();
    received.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(received, wanted, "each once");
}
