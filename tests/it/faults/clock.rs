//! A wall clock that steps: order, pace and positions hold; and one that runs two hours ahead while the carrier is away.

use std::time::Duration;

use loadtest::{
    carrier::{Absence, Calling, Chance, Rest},
    load::{
        scenario::{Action, toml_value::Scalar},
        schedule::Rate,
    },
};
use schema::{event::Purpose, message::Status};

use super::{
    ask, assert_holds,
    disk::{at, run},
    log,
    preload::{Faults, Slot},
    text,
};
use crate::{
    crash::world::World,
    load::{play_in, short},
    support::wait::{pace, until, until_within},
};

const MINUTES_5_US: i64 = 300_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn clock_steps_of_five_minutes_change_no_order_and_let_nobody_send_faster() {
    let faults = Faults::new();
    let mut scenario = short("steady", 14.0);
    scenario.environment = faults.environment().into();
    scenario.zipf = 0.0;
    let texts = &mut scenario.texts[0];
    (texts.rate, texts.retry_s, texts.calls) = (texts.rate.times(0.5), 30.0, 0.0);
    // Few contacts, each answered again before its time: a limit that a step forgets is seen at once.
    texts.contacts = 10;
    scenario.replies.as_mut().unwrap().rate = Rate::Constant { per_s: 4.0 };
    scenario.carrier.limits.pair_interval_s = Some(8);
    scenario.engine.insert("outbox.unknown_hold_s".to_owned(), Scalar::Number(2));
    scenario.settle_s = 40.0;
    scenario.actions = vec![
        run(3.0, "+5 min", faults.command(Slot::ClockOffsetUs, MINUTES_5_US)),
        run(6.0, "-5 min", faults.command(Slot::ClockOffsetUs, -MINUTES_5_US)),
        // Whoever comes back shows a token of another time.
        at(7.0, Action::Drop { share: 1.0 }),
        at(9.0, Action::Kill),
        run(11.0, "right again", faults.command(Slot::ClockOffsetUs, 0)),
    ];
    let directory = tempfile::tempdir().unwrap();
    let report = play_in(directory.path(), scenario, 31, None).await;
    assert_holds(&report);
    assert_eq!((report.texts[0].refused, report.replies.refused), (0, 0), "all were taken");
    // The kill leaves a few of unknown fate, which nobody sends again.
    let (taken, acked) = (report.looked.taken, report.replies.acked);
    eprintln!("{acked} answers, {taken} left");
    assert!(taken + 6 >= acked, "none waits for a clock to catch up: {taken} of {acked} left");
}

/// How far the clock runs ahead at a time, and how often.
const STEP_US: i64 = 60_000_000;
const STEPS: i64 = 120;
const CALLERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn two_hours_without_a_carrier_send_nothing_that_expired_and_lose_nothing_that_came_in() {
    let faults = Faults::new();
    let (world, server) = World::start_with(&Chance::new(41), faults.environment().into()).await;
    world.carrier.set_faults(loadtest::carrier::Faults::default());
    world.carrier.set_absence(Absence { rest: Rest::Refuse, ..Absence::default() });
    let client = world.client();
    let mut sids = Vec::new();
    for caller in 0..CALLERS {
        let from = format!("+13125550{caller:03}");
        assert!(world.carrier.call(&Calling { from: from.clone(), ..Calling::default() }).await.is_ok());
        let body = serde_json::json!({"to": from, "text": format!("answer {caller}"), "channel": "demo-line"});
        let request = client.post(format!("{}/v1/messages", world.url)).bearer_auth(&world.token);
        let sent = request.header("Idempotency-Key", format!("k{caller}")).json(&body).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }
    for step in 1..=STEPS {
        faults.set(Slot::ClockOffsetUs, step * STEP_US);
        if step % 10 == 0 {
            sids.push(text(&world, &format!("+13125550{:03}", step % 7), &format!("still there, minute {step}")).await);
        }
        pace(Duration::from_millis(40)).await;
    }
    assert!(outgoing(&world).is_empty(), "the carrier is away");
    world.carrier.set_absence(Absence::default());
    until("the answers, which are worth sending for four hours", async || outgoing(&world).len() >= CALLERS).await;
    until_within(super::BACK_WITHIN, "their delivery", async || {
        let queue = ask(&world, "/v1/admin/channels/demo-line/queue").await;
        let told = world.carrier.messages().iter().filter(|message| message.status == "delivered").count();
        told >= CALLERS && queue["waiting"] == 0
    })
    .await;
    assert!(tokio::task::block_in_place(|| server.terminate()).success());
    let events = log(&world);
    let of = |kind: &str| -> Vec<_> { events.iter().filter(|event| event["type"] == kind).collect() };
    let text_backs: Vec<_> = of("message.queued")
        .into_iter()
        .filter(|event| {
            serde_json::from_value::<Purpose>(event["data"]["purpose"].clone()).unwrap() == Purpose::TextBack
        })
        .collect();
    assert_eq!(text_backs.len(), CALLERS, "each caller's, queued while it was away");
    for queued in &text_backs {
        let of_it = |event: &&&serde_json::Value| event["data"]["message"] == queued["data"]["message"];
        let statuses = of("message.status");
        let last = statuses.iter().rfind(of_it).expect("it met its fate");
        assert_eq!(
            serde_json::from_value::<Status>(last["data"]["status"].clone()).unwrap(),
            Status::Expired,
            "{last}"
        );
    }
    let sent = outgoing(&world);
    assert!(sent.iter().all(|body| body.starts_with("answer ")), "no text-back left: {sent:?}");
    assert_eq!(sent.len(), CALLERS, "each answer once");
    let received: Vec<_> =
        of("message.received").into_iter().map(|event| event["data"]["carrier_id"].clone()).collect();
    assert_eq!(received, sids, "everything that came in meanwhile, once, in order");
}

/// What the carrier took from us.
fn outgoing(world: &World) -> Vec<String> {
    let messages = world.carrier.messages();
    messages.into_iter().filter(|message| !message.inbound).map(|message| message.body).collect()
}
