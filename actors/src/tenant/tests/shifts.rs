//! Hours that decide who is away: by a clock that is moved, over restarts, with nobody looking.

use schema::{
    command::{Assign, Availability},
    event::{AvailabilityChanged, ConversationAssigned},
    ids::OperatorId,
    role::Role,
    settings::{HoursSpan, WeekHours, Weekday},
    time::Stamp,
};

use super::*;
use crate::{memory::ManualClock, ports::Clock as _};

const HOUR: Duration = Duration::from_secs(3_600);
/// Monday, the 12th of January 2026, eight o'clock in New York.
const MONDAY_EIGHT: Stamp = Stamp(1_768_222_800_000_000);

fn jo() -> OperatorId {
    OperatorId::new("jo").expect("a slug")
}

/// Nine to five, Monday and Tuesday.
fn hours() -> WeekHours {
    let spans = [Weekday::Monday, Weekday::Tuesday].map(|day| HoursSpan { day, from_min: 540, until_min: 1_020 });
    WeekHours { zone: "America/New_York".to_owned(), spans: spans.to_vec() }
}

fn set(hours: Option<WeekHours>) -> Request {
    ask(Command::Configure(Setting::Hours(jo(), hours)))
}

fn say(availability: Availability) -> Request {
    ask(Command::Configure(Setting::Availability(jo(), availability)))
}

fn at_eight() -> (World, Arc<ManualClock>) {
    let mut world = World::new();
    let clock = Arc::new(ManualClock::at(MONDAY_EIGHT));
    world.ports.clock = clock.clone();
    (world, clock)
}

/// What was said of who is there: away, by hand, hours from eight o'clock until it changes.
fn said(events: &[Event]) -> Vec<(bool, bool, Option<u64>)> {
    let of = |event: &Event| match &event.fact {
        Fact::AvailabilityChanged(AvailabilityChanged { away, by_hand, until, .. }) => {
            let hours = |at: Stamp| at.since(MONDAY_EIGHT).as_secs() / HOUR.as_secs();
            Some((*away, *by_hand, until.map(hours)))
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

async fn until_said(world: &World, tenant: &TenantHandle, count: usize) -> Vec<(bool, bool, Option<u64>)> {
    world.until(tenant, "the hours' next word", |events| said(events).len() >= count).await;
    said(&world.events(tenant).await)
}

#[tokio::test]
async fn hours_decide_at_once_and_at_each_change_and_a_word_by_hand_lasts_until_the_next() {
    let (world, clock) = at_eight();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(set(Some(hours()))).await.expect("set");
    assert_eq!(said(&world.events(&tenant).await), [(true, false, Some(1))]);
    assert!(tenant.settings().away.contains(&jo()));
    tenant.submit(say(Availability::Available)).await.expect("early");
    assert_eq!(said(&world.events(&tenant).await)[1..], [(false, true, Some(1))]);
    clock.advance(HOUR);
    assert_eq!(until_said(&world, &tenant, 3).await[2..], [(false, false, Some(9))], "said, though all stays as it is");
    tenant.submit(say(Availability::Away)).await.expect("lunch");
    tenant.submit(say(Availability::Available)).await.expect("and back");
    let lunch = [(true, true, Some(9)), (false, false, Some(9))];
    assert_eq!(said(&world.events(&tenant).await)[3..], lunch, "back is what the hours say, too");
    clock.advance(HOUR * 8);
    assert_eq!(until_said(&world, &tenant, 6).await[5..], [(true, false, Some(25))]);
    tenant.submit(set(None)).await.expect("no hours");
    assert_eq!(said(&world.events(&tenant).await)[6..], [(true, true, None)], "as it was, until somebody says more");
    let settings = tenant.settings();
    assert!(settings.hours.is_empty() && settings.until.is_empty() && settings.away.contains(&jo()));
}

#[tokio::test]
async fn hours_are_kept_over_a_restart_and_what_changed_meanwhile_is_said_at_the_start_with_nobody_asking() {
    let (world, clock) = at_eight();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(set(Some(hours()))).await.expect("set");
    engine.drain(PATIENCE).await;
    drop((engine, tenant));
    // From Monday at eight to Tuesday at ten: in at nine, out at five, in again.
    clock.advance(HOUR * 26);
    let engine = world.engine().await;
    let feed = FeedId::of(&acme());
    let woken = async {
        loop {
            let batches = world.log.batches(&feed);
            let last = batches.last().expect("it has a log");
            let events = last.events().map(|event| event.expect("decodes"));
            let back = |fact: &Fact| matches!(fact, Fact::AvailabilityChanged(fact) if !fact.away && !fact.by_hand);
            if events.into_iter().any(|event| back(&event.fact)) {
                return last.header.wake_at;
            }
            tokio::task::yield_now().await;
        }
    };
    let wake_at = tokio::time::timeout(PATIENCE, woken).await.expect("nobody asks, and it wakes all the same");
    assert_eq!(wake_at, Some(MONDAY_EIGHT.plus(HOUR * 33)), "five o'clock on Tuesday: it may sleep until then");
    assert_eq!(engine.tenant(&acme()).await.expect("it runs").settings().hours[&jo()], hours());
}

#[tokio::test]
async fn who_writes_to_somebody_whose_hours_are_over_goes_back_to_nobody() {
    let (mut world, clock) = at_eight();
    world.limits.policy.away_return = Duration::from_secs(300);
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(set(Some(hours()))).await.expect("set");
    clock.advance(HOUR);
    until_said(&world, &tenant, 2).await;
    let reply = tenant.submit(text("SM1", CALLER, "hello")).await.expect("stored");
    let conversation = reply.conversation.expect("a conversation");
    let to = Command::Assign(Assign { conversation, operator: Some(jo()) });
    tenant.submit(ask(to)).await.expect("assigned");
    tenant.submit(ask(Command::Called(ConversationRef { conversation }))).await.expect("nobody waits");
    clock.advance(HOUR * 8);
    until_said(&world, &tenant, 3).await;
    tenant.submit(text("SM2", CALLER, "and thursday?")).await.expect("stored");
    assert!(world.names(&tenant).await.contains(&"conversation.return_set"));
    clock.advance(Duration::from_secs(301));
    let nobody = Fact::from(ConversationAssigned { operator: None });
    world.until(&tenant, "it is nobody's", |events| events.iter().any(|event| event.fact == nobody)).await;
}

#[tokio::test]
async fn hours_that_make_no_sense_are_refused_by_field_and_a_revoked_operator_has_none() {
    let (world, clock) = at_eight();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let span = |from_min, until_min| HoursSpan { day: Weekday::Monday, from_min, until_min };
    let week = |zone: &str, spans| WeekHours { zone: zone.to_owned(), spans };
    for (wrong, named) in [
        (week("Mars/Olympus", vec![]), "zone"),
        (week("", vec![]), "zone"),
        (week("UTC", vec![span(60, 60)]), "spans"),
        (week("UTC", vec![span(60, 1_441)]), "spans"),
        (week("UTC", vec![span(0, 1); WeekHours::SPANS_MAX + 1]), "spans"),
    ] {
        let refused = tenant.submit(set(Some(wrong))).await;
        assert!(
            matches!(&refused, Err(Refusal::Rejected { field: Some(field), .. }) if *field == named),
            "{refused:?}"
        );
    }
    tenant.submit(set(Some(hours()))).await.expect("set");
    for role in [Some(Role::Operator), None] {
        tenant.submit(ask(Command::Configure(Setting::Operator(jo(), role)))).await.expect("configured");
    }
    assert!(tenant.settings().until.is_empty() && tenant.settings().hours.is_empty());
    assert!(clock.now() >= MONDAY_EIGHT);
}
