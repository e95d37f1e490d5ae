//! A conversation whose decisions panic. The binary of tests knows a text that does it (feature `contracts` of `actors`, which
//! a release never has; `make prove` looks), and another one that mends the bug.

use std::time::Instant;

use actors::conversation::{CURE, POISON};
use loadtest::carrier::Chance;
use serde_json::Value;

use super::{log, metric, text};
use crate::{crash::world::World, support::wait::until};

const CALLER: &str = "+13125552001";
const NEIGHBOUR: &str = "+13125552002";

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_panics_is_parked_its_texts_are_kept_and_replayed_and_its_neighbours_never_notice() {
    let (world, mut server) = World::start(&Chance::new(71)).await;
    text(&world, CALLER, "hello").await;
    let began = Instant::now();
    let (poisoned, waited) = tokio::join!(text(&world, CALLER, POISON), async {
        let began = Instant::now();
        text(&world, NEIGHBOUR, "and me").await;
        began.elapsed()
    });
    eprintln!("parked after {:.0?}, its neighbour waited {waited:.0?}", began.elapsed());
    text(&world, CALLER, "is anybody there?").await;
    assert_eq!(metric(server.address(), "deskwire_conversations_parked_total", "") as u64, 1);
    let crashes = metric(server.address(), "deskwire_conversation_crashes_total", "");
    assert!(crashes >= 3.0, "started again before it was parked: {crashes}");
    // The carrier never heard of it and tries again: it is kept once.
    assert!(world.carrier.redeliver(&poisoned).await.unwrap().is_ok());
    // A kill changes nothing.
    tokio::task::block_in_place(|| server.kill());
    server = world.spawn();
    tokio::task::block_in_place(|| server.wait_until_ready());
    text(&world, NEIGHBOUR, CURE).await;
    let parked: Value = serde_json::from_str(&world.command(&["parked", "list", "--tenant", "demo"])).unwrap();
    let conversation = parked["conversation"].as_str().expect("one is parked").to_owned();
    world.command(&["parked", "retry", "--tenant", "demo", &conversation]);
    until("nothing to be parked", async || {
        !world.command(&["parked", "list", "--tenant", "demo"]).contains(&conversation)
    })
    .await;
    text(&world, CALLER, "thank you").await;
    assert!(tokio::task::block_in_place(|| server.terminate()).success());
    let events = log(&world);
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((count("conversation.parked"), count("message.unprocessed"), count("message.replayed")), (1, 2, 2));
    let received = events.iter().filter(|event| event["type"] == "message.received");
    let texts: Vec<&str> = received.filter_map(|event| event["text"].as_str()).collect();
    assert_eq!(texts, ["hello", "and me", CURE, POISON, "is anybody there?", "thank you"], "each once, in order");
    world.command(&["verify"]);
}
