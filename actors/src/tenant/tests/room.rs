//! A tenant's memory is bounded, also against contacts whom nobody has seen before.

use super::*;

#[tokio::test]
async fn newcomers_beyond_the_room_for_conversations_are_told_to_come_back() {
    let mut world = World::new();
    world.limits.conversations = 1;
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(text("SM1", "+14155550101", "hello")).await.expect("there is room");
    let second = tenant.submit(text("SM2", "+14155550102", "hello too")).await;
    assert!(matches!(second, Err(Refusal::Full { .. })), "{second:?}");
    tenant.submit(text("SM3", "+14155550101", "still here")).await.expect("whoever is in stays in");
}
