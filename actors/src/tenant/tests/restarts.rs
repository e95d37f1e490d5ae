//! What a restart must not change.

use super::*;

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
