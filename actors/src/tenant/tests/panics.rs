//! A panic in the engine's own code around an append: nobody is left waiting at a tenant that is no more.

use super::*;
use crate::feed::FeedError;

#[tokio::test]
async fn whoever_follows_a_tenant_whose_appender_panicked_is_told_and_the_next_start_goes_on() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let mut follower = tenant.feed().tail();
    world.log.fail_next(1, Failure::Panic);
    let refused = engine.submit(&acme(), text("SM1", CALLER, "hi")).await;
    assert!(refused.is_err(), "not stored, not acknowledged: {refused:?}");
    let told = tokio::time::timeout(PATIENCE, follower.next()).await.expect("it is told, though it is still held");
    assert!(matches!(told, Err(FeedError::Closed(_))), "the feed ends");
    // The handle of the old tenant is still held, as sessions do. Until it is seen to be gone the carrier is told to wait.
    let taken = tokio::time::timeout(PATIENCE, async {
        while engine.submit(&acme(), text("SM1", CALLER, "hi")).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    taken.await.expect("stored by the next start");
    let again = engine.tenant(&acme()).await.expect("it runs");
    assert_eq!(world.names(&again).await.iter().filter(|name| **name == "message.received").count(), 1);
    drop(tenant);
}
