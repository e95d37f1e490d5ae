//! Webhooks through the whole engine and texts back through the carrier.

use loadtest::{
    carrier::{CallEnd, Calling, DEMO_TOKEN, Fate, Texting},
    signature::{sign, without_fragment},
};
use schema::{
    command::{Command, Recipient, SendMessage},
    event::{Consent, Fact},
    message::Status,
};

use super::world::{CONTACT, World, tenant};
use crate::support::wait::until;

fn missed() -> Calling {
    Calling { from: CONTACT.to_owned(), end: CallEnd::NoAnswer, ..Calling::default() }
}

fn text(body: &str) -> Texting {
    Texting { from: CONTACT.to_owned(), body: body.to_owned(), ..Texting::default() }
}

async fn statuses(world: &World) -> Vec<Status> {
    let facts = world.facts().await;
    let statuses = facts.iter().filter_map(|fact| match fact {
        Fact::MessageStatus(fact) => Some(fact.status),
        _ => None,
    });
    statuses.collect()
}

#[tokio::test]
async fn a_missed_call_is_answered_by_one_text_whose_delivery_is_known() {
    let world = World::start().await;
    let first = world.carrier.call(&missed()).await;
    assert_eq!(first.status, 200, "{}", first.body);
    until("the text-back is delivered", async || statuses(&world).await.contains(&Status::Delivered)).await;
    assert_eq!(world.carrier.redeliver(&first.sid).await.expect("kept").status, 200);
    assert_eq!(world.carrier.call(&missed()).await.status, 200, "another call within the cool-down");
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].to.as_str()), (1, CONTACT));
    assert_eq!((world.count("call.missed").await, world.count("textback.skipped").await), (2, 1));
}

#[tokio::test]
async fn a_redelivered_text_is_one_message() {
    let world = World::start().await;
    let first = world.carrier.text(&text("hello")).await;
    assert_eq!((first.status, first.body.contains("<Response/>")), (200, true));
    let (again, once_more) = tokio::join!(world.carrier.redeliver(&first.sid), world.carrier.redeliver(&first.sid));
    assert!(again.is_some_and(|delivery| delivery.is_ok()) && once_more.is_some_and(|delivery| delivery.is_ok()));
    assert_eq!(world.count("message.received").await, 1);
}

#[tokio::test]
async fn a_text_of_unknown_fate_is_settled_by_its_callback_and_never_sent_again() {
    let world = World::start().await;
    world.carrier.text(&text("hello")).await;
    world.carrier.script(Some(CONTACT), &[Fate::LoseResponse]);
    let to = Recipient::Address(CONTACT.parse().expect("a number"));
    let send = SendMessage { to, channel: None, text: "We are on our way".to_owned() };
    world.submit(&tenant(), Command::Send(send)).await;
    until("it is delivered", async || statuses(&world).await.contains(&Status::Delivered)).await;
    assert_eq!(world.sent().len(), 1, "the carrier had taken it");
    assert_eq!(world.count("message.claimed").await, 1);
}

#[tokio::test]
async fn a_status_that_comes_late_moves_nothing_back() {
    let world = World::start().await;
    world.carrier.call(&missed()).await;
    until("it is delivered", async || statuses(&world).await.contains(&Status::Delivered)).await;
    let before = statuses(&world).await;
    let sent = world.sent().remove(0);
    let url = without_fragment(sent.callback.as_deref().expect("we gave one")).to_owned();
    let form = [("MessageSid", &*sent.sid), ("MessageStatus", "sent")];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let signature = sign(DEMO_TOKEN, &url, &form);
    let client = reqwest::Client::builder().no_proxy().build().expect("the carrier installed a provider");
    let late = client.post(&url).header("X-Twilio-Signature", signature).form(&form).send().await.expect("answered");
    assert_eq!(late.status(), 200, "acknowledged all the same");
    assert_eq!(statuses(&world).await, before);
}

#[tokio::test]
async fn stop_changes_consent_at_once() {
    let world = World::start().await;
    assert_eq!(world.carrier.text(&text("STOP")).await.status, 200);
    let facts = world.facts().await;
    let opted_out = |fact: &Fact| matches!(fact, Fact::ConsentChanged(fact) if fact.consent == Consent::OptedOut);
    assert!(facts.iter().any(opted_out));
    world.carrier.call(&missed()).await;
    assert_eq!(world.count("textback.skipped").await, 1);
    assert!(world.sent().is_empty());
}

#[tokio::test]
async fn a_text_reported_undeliverable_to_a_landline_is_remembered() {
    let world = World::start().await;
    world.carrier.script(Some(CONTACT), &[Fate::Fail(30_006)]);
    world.carrier.call(&missed()).await;
    until("the number is known as a landline", async || world.count("contact.unreachable").await == 1).await;
}
