//! Calls from the first ring to the last webhook: our TwiML, done by the simulated carrier on both legs.

use loadtest::carrier::{Call, Calling, Desk, Voicemail as Message};
use schema::{
    address::E164,
    command::{Command, Setting},
    settings::{ChannelSettings, Ring, VoiceMode, Voicemail},
};

use super::world::{CONTACT, World, line, tenant};
use crate::support::wait::until;

async fn configure(world: &World, change: impl FnOnce(&mut ChannelSettings)) {
    let settings = world.engine.tenant(&tenant()).await.expect("it runs").settings();
    let mut line_settings = settings.channels[&line()].clone();
    change(&mut line_settings);
    world.submit(&tenant(), Command::Configure(Setting::Channel(line(), line_settings))).await;
}

async fn ringing(confirm: bool) -> World {
    let world = World::start().await;
    let phone = E164::new("+15005550199").expect("a number");
    configure(&world, |line| {
        line.voice.mode = VoiceMode::Ring(Ring { phone, ring_s: 20, confirm });
        line.voice.voicemail = Some(Voicemail { max_s: 60 });
    })
    .await;
    world
}

async fn call(world: &World, desk: Desk, calling: Calling) -> Call {
    let calling = Calling { from: CONTACT.to_owned(), desk: Some(desk), ..calling };
    let delivery = world.carrier.call(&calling).await;
    assert!(delivery.is_ok(), "{delivery:?}");
    let call = world.carrier.call_record(&delivery.sid).expect("kept");
    assert_eq!((call.problems.as_slice(), call.is_over()), (&[][..], true));
    call
}

fn person(presses: &str) -> Desk {
    Desk::Answers { after_s: 5, presses: presses.to_owned(), talks_s: 60 }
}

#[tokio::test]
async fn a_call_that_the_business_takes_is_answered_and_gets_no_text() {
    for confirm in [false, true] {
        let world = ringing(confirm).await;
        let call = call(&world, person("1"), Calling::default()).await;
        assert_eq!((call.status.as_str(), call.rang_nobody), ("completed", false));
        assert_eq!(
            (world.count("call.answered").await, world.count("call.missed").await),
            (1, 0),
            "confirm: {confirm}"
        );
        assert!(world.sent().is_empty());
    }
}

#[tokio::test]
async fn a_call_that_nobody_takes_is_one_missed_call_and_one_text() {
    for desk in [Desk::NoAnswer, Desk::Busy, Desk::Failed, person(""), Desk::Voicemail { after_s: 10, talks_s: 30 }] {
        let world = ringing(true).await;
        let call = call(&world, desk.clone(), Calling::default()).await;
        assert!(
            call.heard.iter().any(|heard| heard.text.contains("Thank you for calling")),
            "{desk:?}: {:?}",
            call.heard
        );
        until("the text-back", async || world.sent().len() == 1).await;
        assert_eq!((world.count("call.answered").await, world.count("call.missed").await), (0, 1), "{desk:?}");
    }
}

#[tokio::test]
async fn a_message_after_the_beep_joins_the_conversation() {
    let world = ringing(true).await;
    let voicemail = Some(Message { seconds: 9, text: "My sink is leaking".to_owned() });
    call(&world, Desk::NoAnswer, Calling { voicemail, ..Calling::default() }).await;
    until("the message", async || world.count("call.voicemail").await == 1).await;
    assert_eq!((world.count("call.missed").await, world.count("contact.created").await), (1, 1));
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_it_rings_was_missed() {
    let world = ringing(true).await;
    let calling = Calling { hangs_up_after_s: Some(8), ..Calling::default() };
    let call = call(&world, Desk::NoAnswer, calling).await;
    assert_eq!(call.status, "canceled");
    until("the text-back", async || world.sent().len() == 1).await;
    assert_eq!(world.count("call.missed").await, 1);
}
