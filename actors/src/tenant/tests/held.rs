//! Texts that stay here for a while before they leave, texts to strangers, and calls that were returned.

use schema::{
    command::{ConsentBasis, SendWith},
    event::ConsentMethod,
    ids::MessageId,
};

use super::*;

const NUMBER: &str = "+14155550101";

fn write(words: &str, hold_s: u16, basis: Option<&str>) -> Request {
    let to = Recipient::Address(Address::from_carrier(NUMBER).expect("an address"));
    let send = SendMessage { to, channel: Some(line()), text: words.to_owned() };
    let basis = basis.map(|words| ConsentBasis { how: ConsentMethod::Phone, words: words.to_owned() });
    ask(SendWith::command(send, Some(hold_s), basis))
}

async fn names(world: &World, tenant: &TenantHandle) -> Vec<&'static str> {
    world
        .events(tenant)
        .await
        .iter()
        .filter(|event| event.header.conversation.is_some())
        .map(|event| event.fact.name())
        .collect()
}

/// The texts that the carrier was given.
fn left(world: &World) -> Vec<String> {
    world.carrier.sent().iter().map(|send| send.text.clone()).collect()
}

fn reference(reply: &Reply) -> (ConversationId, MessageId) {
    (reply.conversation.expect("a conversation"), reply.message.expect("a message"))
}

#[tokio::test]
async fn a_held_text_leaves_when_its_time_has_come_and_not_before_also_after_a_restart() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let reply = tenant.submit(write("one moment", 1, None)).await.expect("stored");
    tenant.viewed(reply.offset).await.expect("viewed");
    let until = world.events(&tenant).await.iter().find_map(|event| match &event.fact {
        Fact::MessageHeld(held) => Some(held.until),
        _ => None,
    });
    let until = until.expect("it says until when");
    engine.drain(Duration::from_secs(5)).await;
    assert!(world.carrier.sent().is_empty(), "nothing left before");
    let engine = world.node("one").await;
    let tenant = engine.tenant(&acme()).await.expect("it runs");
    world.until(&tenant, "it leaves", |_| left(&world) == ["one moment"]).await;
    let claimed = world.events(&tenant).await.into_iter().find(|event| matches!(event.fact, Fact::MessageClaimed(_)));
    assert!(claimed.expect("claimed").header.stamp >= until);
}

#[tokio::test]
async fn a_held_text_can_be_taken_back_and_what_was_written_after_it_keeps_its_place() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let first = tenant.submit(write("first", 30, None)).await.expect("stored");
    tenant.submit(write("second", 0, None)).await.expect("stored");
    let (conversation, message) = reference(&first);
    let reference = schema::command::MessageRef { conversation, message };
    tenant.submit(ask(Command::Cancel(reference))).await.expect("taken back");
    world.until(&tenant, "the second leaves", |_| left(&world) == ["second"]).await;
    let names = names(&world, &tenant).await;
    let place = |wanted: &str| names.iter().position(|name| *name == wanted).expect("it is there");
    assert!(place("message.status") < place("message.claimed"), "the second waited behind the first: {names:?}");
    let long = tenant.submit(write("third", 31, None)).await;
    assert!(matches!(long, Err(Refusal::Rejected { code: Code::Invalid, .. })), "{long:?}");
}

#[tokio::test]
async fn why_a_stranger_may_be_texted_is_kept_once_and_lifts_no_opt_out() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let reply = tenant.submit(write("your part is in", 0, Some("text me then"))).await.expect("stored");
    tenant.submit(write("come by", 0, Some("again"))).await.expect("stored");
    let recorded = names(&world, &tenant).await.into_iter().filter(|name| *name == "consent.recorded").count();
    assert_eq!(recorded, 1, "whoever has said so is no stranger");
    tenant.submit(text("SM1", NUMBER, "STOP")).await.expect("stored");
    let refused = tenant.submit(write("but you said", 0, Some("text me then"))).await;
    assert!(matches!(refused, Err(Refusal::Rejected { code: Code::OptedOut, .. })), "{refused:?}");
    assert!(reply.conversation.is_some());
}

#[tokio::test]
async fn a_missed_call_that_was_returned_waits_no_longer() {
    let world = World::new();
    let engine = world.engine().await;
    let tenant = world.tenant(&engine).await;
    let reply = tenant.submit(missed("CA1", NUMBER)).await.expect("stored");
    let conversation = reply.conversation.expect("a conversation");
    let called = ask(Command::Called(ConversationRef { conversation }));
    let reply = tenant.submit(called.clone()).await.expect("stored");
    tenant.viewed(reply.offset).await.expect("viewed");
    let stored = world.views.conversation(&acme(), conversation).await.expect("readable").expect("it exists");
    let state = State::load(&stored).expect("it decodes");
    assert_eq!((state.waiting_since, state.missed_call), (None, None));
    tenant.submit(called).await.expect("twice changes nothing");
    let returned = names(&world, &tenant).await.into_iter().filter(|name| *name == "call.returned").count();
    assert_eq!(returned, 1);
}
