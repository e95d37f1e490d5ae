//! `conversation:<id>` and `operator:<id>`: parts of the log, with the log's own positions.

use schema::role::Role;
use serde_json::{Value, json};

use super::world::{World, channel, limits, offsets, short_ring};

/// Offsets and `prev` tags: each publication names the one before.
fn chain(publications: &[Value]) -> Vec<(u64, u64)> {
    let prev = |publication: &Value| publication["tags"]["prev"].as_str().unwrap().parse().unwrap();
    publications.iter().map(|publication| (publication["offset"].as_u64().unwrap(), prev(publication))).collect()
}

fn assert_chain(publications: &[Value]) {
    let chain = chain(publications);
    for pair in chain.windows(2) {
        assert_eq!(pair[1].1, pair[0].0, "{chain:?}");
    }
}

#[tokio::test]
async fn a_conversation_shows_its_own_events_and_names_the_one_before() {
    let world = World::start().await;
    let mine = channel(world.receive(1, "mine").await.conversation);
    world.receive(2, "another's").await;
    let mut ana = world.connect("ana", Role::Operator).await;
    let result = ana.subscribe(&mine).await;
    assert_eq!((&result["recoverable"], &result["offset"]), (&json!(true), &json!(world.head().await)));
    let mut pushed = Vec::new();
    for number in 0..3 {
        world.receive(2, "another's").await;
        world.receive(1, &format!("mine {number}")).await;
        pushed.push(ana.push(&mine).await["pub"].take());
        assert_eq!(pushed[number]["data"]["text"], format!("mine {number}"));
    }
    assert_chain(&pushed);
}

#[tokio::test]
async fn a_conversation_is_recovered_from_wherever_the_client_was() {
    let world = World::with(limits(), short_ring()).await;
    let first = world.receive(1, "mine").await;
    let mine = channel(first.conversation);
    for number in 0..30 {
        world.receive(1, &format!("mine {number}")).await;
        world.receive(2, "another's").await;
    }
    let epoch = world.epoch().await;
    let mut ana = world.connect("ana", Role::Operator).await;
    let result = ana.subscribe_from(&mine, &epoch, first.offset.0).await;
    assert_eq!((&result["recovered"], &result["was_recovering"]), (&json!(true), &json!(true)));
    let publications = result["publications"].as_array().unwrap();
    assert_eq!(publications.len(), 30);
    assert_chain(publications);
    assert_eq!(chain(publications)[0].1, first.offset.0, "nothing lies between what it had and what it got");
    world.receive(1, "and live").await;
    let live = ana.push(&mine).await["pub"].take();
    assert_eq!(live["data"]["text"], "and live");
    assert_chain(&[publications[29].clone(), live]);
}

#[tokio::test]
async fn a_long_conversation_is_recovered_by_pages_in_order_while_it_goes_on() {
    let world = World::with(limits(), short_ring()).await;
    let first = world.receive(1, "first").await;
    let mine = channel(first.conversation);
    world.receive_many(1, 6_000).await;
    let epoch = world.epoch().await;
    let mut ana = world.connect("ana", Role::Operator).await;
    let result = ana.subscribe_from(&mine, &epoch, first.offset.0).await;
    assert_eq!(result["recovered"], true);
    let mut publications = result["publications"].as_array().unwrap().clone();
    assert!(publications.len() < 6_000, "a reply is a page");
    assert_eq!(result["offset"], publications.last().unwrap()["offset"]);
    let last = world.receive(1, "the last").await.offset.0;
    while publications.last().unwrap()["offset"] != last {
        publications.push(ana.push(&mine).await["pub"].take());
    }
    assert_eq!(publications.len(), 6_001);
    assert_chain(&publications);
}

#[tokio::test]
async fn what_the_views_do_not_have_yet_comes_from_the_log() {
    let world = World::start().await;
    let first = world.receive(1, "first").await;
    let mine = channel(first.conversation);
    let epoch = world.epoch().await;
    let mut ana = world.connect("ana", Role::Operator).await;
    world.engine.tenant(&super::world::tenant()).await.unwrap().viewed(first.offset).await.unwrap();
    world.views.fail_next(usize::MAX);
    let mut last = first.clone();
    for number in 0..5 {
        last = world.receive(1, &format!("mine {number}")).await;
    }
    ana.offsets("inbox:demo", last.offset.0).await;
    let result = ana.subscribe_from(&mine, &epoch, first.offset.0).await;
    assert_eq!(offsets(&result).len(), 5, "{result}");
    world.views.fail_next(0);
}

#[tokio::test]
async fn a_conversation_of_another_log_is_not_recovered() {
    let world = World::start().await;
    let mine = channel(world.receive(1, "mine").await.conversation);
    let (epoch, head) = (world.epoch().await, world.head().await);
    for (epoch, offset) in [("1", 1), (epoch.as_str(), head + 100)] {
        let mut ana = world.connect("ana", Role::Operator).await;
        let result = ana.subscribe_from(&mine, epoch, offset).await;
        assert_eq!(result["was_recovering"], true);
        assert!(result["recovered"].is_null() && result["publications"].is_null(), "{result}");
    }
}

#[tokio::test]
async fn a_viewer_of_a_conversation_sees_that_something_is_hidden_and_no_gap() {
    let world = World::start().await;
    let first = world.receive(1, "mine").await;
    let mine = channel(first.conversation);
    let mut ana = world.connect("ana", Role::Operator).await;
    let mut vic = world.connect("vic", Role::Viewer).await;
    vic.subscribe(&mine).await;
    ana.rpc("note.add", json!({"conversation": first.conversation, "text": "a secret"})).await;
    world.receive(1, "next").await;
    let pushed = [vic.push(&mine).await["pub"].take(), vic.push(&mine).await["pub"].take()];
    assert_eq!(pushed[0]["data"], json!({"type": "hidden"}));
    assert_eq!(pushed[1]["data"]["text"], "next");
    assert_chain(&pushed);
    let epoch = world.epoch().await;
    let mut later = world.connect("vic", Role::Viewer).await;
    let result = later.subscribe_from(&mine, &epoch, first.offset.0).await;
    assert_eq!(result["publications"], json!(pushed), "recovered as it was live");
}

#[tokio::test]
async fn an_operator_is_told_what_is_meant_for_it_live_and_after_coming_back() {
    let world = World::start().await;
    let first = world.receive(1, "mine").await;
    let id = first.conversation;
    let mut bob = world.connect("bob", Role::Operator).await;
    let mut ana = world.connect("ana", Role::Operator).await;
    bob.subscribe("operator:bob").await;
    ana.rpc("note.add", json!({"conversation": id, "text": "@bob have a look"})).await;
    ana.rpc("note.add", json!({"conversation": id, "text": "not for you"})).await;
    ana.rpc("conversation.assign", json!({"conversation": id, "operator": "bob"})).await;
    let told = [bob.push("operator:bob").await["pub"].take(), bob.push("operator:bob").await["pub"].take()];
    assert_eq!(told[0]["data"]["text"], "@bob have a look");
    assert_eq!(told[1]["data"]["type"], "conversation.assigned");
    assert_chain(&told);

    let epoch = world.epoch().await;
    let mut again = world.connect("bob", Role::Operator).await;
    let result = again.subscribe_from("operator:bob", &epoch, first.offset.0).await;
    assert_eq!(result["recovered"], true);
    let recovered = result["publications"].as_array().unwrap();
    assert_eq!(
        recovered.iter().map(|one| &one["data"]).collect::<Vec<_>>(),
        told.iter().map(|one| &one["data"]).collect::<Vec<_>>()
    );
    assert_chain(recovered);
}

#[tokio::test]
async fn what_lies_too_far_back_for_an_operator_is_not_recovered_in_part() {
    let near = deskwire::session::StreamLimits { scan_events: 5, ..limits() };
    let world = World::with(near, actors::engine::Limits::default()).await;
    let first = world.receive(1, "mine").await;
    world.receive_each(1, 10).await;
    let mut ana = world.connect("ana", Role::Operator).await;
    let result = ana.subscribe_from("operator:ana", &world.epoch().await, first.offset.0).await;
    assert!(result["recovered"].is_null() && result["was_recovering"] == true, "{result}");
}

#[tokio::test]
async fn history_of_a_conversation_reads_in_both_directions() {
    let world = World::start().await;
    let first = world.receive(1, "mine 0").await;
    let mine = channel(first.conversation);
    let mut all = vec![first.offset.0];
    for number in 1..10 {
        world.receive(2, "another's").await;
        all.push(world.receive(1, &format!("mine {number}")).await.offset.0);
    }
    let (epoch, head) = (world.epoch().await, world.head().await);
    world.engine.tenant(&super::world::tenant()).await.unwrap().viewed(schema::ids::Offset(head)).await.unwrap();
    let mut ana = world.connect("ana", Role::Operator).await;
    let since = |offset: u64| json!({"epoch": epoch, "offset": offset});
    let ask = json!({"channel": mine, "limit": 3, "since": since(all[4])});
    let reply = ana.call("history", ask).await;
    assert_eq!(offsets(&reply["history"]), all[5..8]);
    assert_eq!(reply["history"]["offset"], head);
    let ask = json!({"channel": mine, "limit": 3, "since": since(all[4]), "reverse": true});
    let reply = ana.call("history", ask).await;
    assert_eq!(offsets(&reply["history"]), [all[3], all[2], all[1]]);
    let reply = ana.call("history", json!({"channel": mine})).await;
    assert!(reply["history"]["publications"].is_null());
}

#[tokio::test]
async fn an_ended_subscription_is_silent_and_can_begin_again() {
    let world = World::start().await;
    let mine = channel(world.receive(1, "mine").await.conversation);
    let mut ana = world.connect("ana", Role::Operator).await;
    ana.subscribe(&mine).await;
    ana.call("unsubscribe", json!({"channel": mine})).await;
    world.receive(1, "unseen").await;
    ana.subscribe(&mine).await;
    world.receive(1, "seen").await;
    assert_eq!(ana.push(&mine).await["pub"]["data"]["text"], "seen");
}
