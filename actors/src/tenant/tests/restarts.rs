//! What a restart must not change.

use schema::command::Snooze;

use super::*;
use crate::ports::Clock as _;

#[tokio::test]
async fn views_after_a_restart_equal_views_that_were_never_interrupted() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(missed("CA1", CALLER)).await.expect("stored").conversation.expect("one");
    world.until(&tenant, "sent", |events| has_status(events, Status::Sent)).await;
    let last = tenant.submit(reply(conversation, "on our way")).await.expect("stored");
    world.until(&tenant, "both sent", |_| world.carrier.sent().len() == 2).await;
    tenant.viewed(last.offset).await.expect("viewed");
    drop((engine, tenant));
    let feed = FeedId::of(&acme());
    let rebuilt = MemoryViews::default();
    crate::projector::catch_up(&*world.log, &rebuilt, &feed).await.expect("rebuilt");
    crate::projector::catch_up(&*world.log, &*world.views, &feed).await.expect("caught up");
    assert_eq!(world.views.dump(&acme()), rebuilt.dump(&acme()));
}

#[tokio::test]
async fn a_timer_that_could_not_be_read_at_the_start_rings_all_the_same() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(text("SM1", CALLER, "hi")).await.expect("stored").conversation.expect("one");
    let until = SystemClock.now().plus(Duration::from_millis(300));
    tenant.submit(ask(Command::Snooze(Snooze { conversation, until }))).await.expect("stored");
    engine.drain(PATIENCE).await;
    drop((engine, tenant));
    world.views.fail_timers(2);
    let engine = world.engine().await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    let woken = |events: &[Event]| events.iter().any(|event| event.fact.name() == "conversation.woken");
    world.until(&tenant, "woken", woken).await;
}
