//! What a caller's telephone really receives after STOP, START and HELP: from the carrier or from us, never from both and
//! never from nobody. Our lines and the carrier's agree on the number's type; the handset is what counts.

use loadtest::carrier::{CarrierConfig, CarrierServer, DEMO_ADDRESS, Latency, NumberType as Kind, Texting};
use schema::{
    command::{Command, Setting},
    settings::{CarrierAnswers, NumberType},
};

use super::world::{CONTACT, World, line, tenant};
use crate::support::wait::until;

/// A line of this type at a carrier that answers keywords, or was told not to.
async fn world(kind: Kind, keeps_opt_outs: bool) -> World {
    let mut config = CarrierConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        latency: Latency::none(),
        call_speed: 1_000.0,
        keeps_opt_outs,
        ..CarrierConfig::default()
    };
    config.lines[0].number_type = kind;
    let world = World::on(CarrierServer::start(config).await.unwrap(), Default::default()).await;
    let mut settings = world.engine.tenant(&tenant()).await.unwrap().settings().channels[&line()].clone();
    settings.number_type = match kind {
        Kind::LongCode => NumberType::LongCode,
        Kind::TollFree => NumberType::TollFree,
        Kind::ShortCode => NumberType::ShortCode,
    };
    let network = kind == Kind::TollFree;
    if !keeps_opt_outs {
        settings.carrier_answers = Some(CarrierAnswers { stop: network, start: network, help: false });
    }
    world.submit(&tenant(), Command::Configure(Setting::Channel(line(), settings))).await;
    world
}

#[tokio::test]
async fn a_caller_gets_exactly_one_answer_to_each_keyword_on_each_number_type() {
    let cases = [
        (Kind::LongCode, true, [true, true, true]),
        (Kind::LongCode, false, [false, false, false]),
        (Kind::TollFree, true, [true, true, true]),
        (Kind::TollFree, false, [false, true, true]),
        (Kind::ShortCode, true, [false, false, false]),
    ];
    for (kind, keeps, by_carrier) in cases {
        let world = world(kind, keeps).await;
        for (index, word) in ["HELP", "STOP", "START"].into_iter().enumerate() {
            let texting = Texting { from: CONTACT.to_owned(), body: word.to_owned(), ..Texting::default() };
            assert!(world.carrier.text(&texting).await.is_ok(), "{word}");
            let what = format!("{kind:?}, keeps: {keeps}: one answer to {word}");
            until(&what, async || world.carrier.received(CONTACT).len() == index + 1).await;
            assert_eq!(world.carrier.received(CONTACT)[index].by_carrier, by_carrier[index], "{what}");
        }
        // Whatever else was to be said would have been queued before the webhook's 200.
        let ours = by_carrier.iter().filter(|carrier| !**carrier).count();
        assert_eq!(world.count("message.queued").await, ours, "{kind:?}, keeps: {keeps}");
        assert!(world.carrier.received(CONTACT).iter().all(|received| received.from == DEMO_ADDRESS));
    }
}
