//! A conversation whose decisions panic: it starts again, is parked in the end, and loses nothing that was sent to it.

use super::*;
use crate::conversation::POISON;

#[tokio::test]
async fn a_conversation_that_keeps_crashing_is_parked_and_its_texts_are_kept_and_replayed() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(text("SM1", CALLER, "hi")).await.expect("stored").conversation.expect("one");
    tenant.submit(text("SM2", CALLER, POISON)).await.expect("kept, not processed");
    tenant.submit(text("SM3", CALLER, "still there?")).await.expect("kept, not processed");
    let neighbour = tenant.submit(text("SM4", "+14155550101", "me too")).await.expect("the neighbour never notices");
    assert_ne!(neighbour.conversation, Some(conversation));
    let names = world.names(&tenant).await;
    assert_eq!(names.iter().filter(|name| **name == "conversation.parked").count(), 1, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "message.unprocessed").count(), 2, "{names:?}");
    let refused = tenant.submit(reply(conversation, "hello")).await;
    assert!(matches!(refused, Err(Refusal::Rejected { code: Code::Parked, .. })), "{refused:?}");
    // The same webhook again is still the same text.
    tenant.submit(text("SM3", CALLER, "still there?")).await.expect("known");
    let unprocessed = world.names(&tenant).await.iter().filter(|name| **name == "message.unprocessed").count();
    assert_eq!(unprocessed, 2);
}

#[tokio::test]
async fn what_stands_behind_a_crash_is_neither_refused_nor_lost() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    tenant.submit(text("SM1", CALLER, "hi")).await.expect("stored");
    let poisoned = ["before", POISON, "behind", "and behind"];
    let texts =
        poisoned.iter().zip(2..).map(|(words, number)| tenant.submit(text(&format!("SM{number}"), CALLER, words)));
    for answer in futures_util::future::join_all(texts).await {
        answer.expect("taken, or kept");
    }
    let names = world.names(&tenant).await;
    assert_eq!(names.iter().filter(|name| **name == "message.received").count(), 2, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "message.unprocessed").count(), 3, "{names:?}");
}

#[tokio::test]
async fn what_a_parked_conversation_kept_is_played_again_on_release() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let conversation = tenant.submit(text("SM1", CALLER, "hi")).await.expect("stored").conversation.expect("one");
    tenant.submit(text("SM2", CALLER, POISON)).await.expect("kept");
    tenant.submit(text("SM3", CALLER, "after")).await.expect("kept");
    world.limits.policy.poison.cure();
    tenant.submit(ask(Command::Release(ConversationRef { conversation }))).await.expect("released");
    world
        .until(&tenant, "replayed", |events| {
            events.iter().filter(|event| event.fact.name() == "message.replayed").count() == 2
        })
        .await;
    let received = world.names(&tenant).await.iter().filter(|name| **name == "message.received").count();
    assert_eq!(received, 3);
}
