//! The protocol's own clients, unmodified: npm `centrifuge` and PyPI `centrifuge-python` prove connect, resume and
//! verdicts.

use std::time::Duration;

use actors::engine::Limits;
use deskwire::session::StreamLimits;
use schema::{command::Setting, role::Role};
use serde_json::{Value, json};

use crate::{
    stream::world::{World, assert_dense, channel, limits, operator, tenant},
    support::clients::{Driver, INBOX, Language},
};

fn options(world: &World, data: Option<(&str, u64)>) -> Value {
    let data = data.map(|(epoch, offset)| json!({"inbox": {"epoch": epoch, "offset": offset}}));
    json!({"url": world.url(), "token": world.token("ana", Role::Admin), "data": data})
}

async fn first_load_and_live(language: Language) {
    let world = World::start().await;
    world.receive_many(1, 5).await;
    let (epoch, seen) = (world.epoch().await, world.head().await);
    world.receive_many(1, 20).await;
    let mut client = Driver::connect(language, options(&world, Some((&epoch, seen)))).await;
    assert_eq!(client.subscribed(INBOX).await["recovered"], true);
    let loaded = world.head().await;
    assert_dense(&client.offsets(INBOX, loaded).await, seen, loaded);
    world.receive(1, "live").await;
    let live = client.wait("publication").await;
    assert_eq!((&live["offset"], &live["text"]), (&json!(loaded + 1), &json!("live")));
}

async fn drop_and_resume(language: Language, missed: usize) {
    let feed = actors::feed::FeedConfig { ring_events: 2_000, ..Default::default() };
    let world = World::with(limits(), Limits { feed, ..Limits::default() }).await;
    let mut client = Driver::connect(language, options(&world, None)).await;
    client.subscribed(INBOX).await;
    let seen = world.head().await;
    world.receive_many(1, 3).await;
    let mut got = client.offsets(INBOX, world.head().await).await;
    client.order(json!({"do": "drop"}));
    client.wait("connecting").await;
    if missed == 1 {
        world.receive(1, "missed").await;
    } else {
        world.receive_many(1, missed).await;
    }
    client.order(json!({"do": "release"}));
    let back = client.subscribed(INBOX).await;
    assert_eq!((&back["recovered"], &back["was_recovering"]), (&json!(true), &json!(true)));
    let head = world.head().await;
    got.extend(client.offsets(INBOX, head).await);
    assert_dense(&got, seen, head);
}

async fn epoch_mismatch(language: Language) {
    let world = World::start().await;
    world.receive_many(1, 10).await;
    let mut client = Driver::connect(language, options(&world, Some(("1", 3)))).await;
    let subscribed = client.subscribed(INBOX).await;
    assert_eq!((&subscribed["recovered"], &subscribed["was_recovering"]), (&json!(false), &json!(true)));
    let head = world.head().await;
    assert_eq!((&subscribed["offset"], &subscribed["epoch"]), (&json!(head), &json!(world.epoch().await)));
    world.receive(1, "live").await;
    assert_eq!(client.wait("publication").await["offset"], head + 1, "nothing old, and nothing new is missing");
}

/// Two short tokens after each other, and no reconnect between.
async fn token_refresh(language: Language) {
    let soon = StreamLimits { expiry_grace: Duration::from_millis(900), ..limits() };
    let world = World::with(soon, Limits::default()).await;
    let token = || world.token_for(&tenant(), "ana", Role::Admin, Duration::from_millis(2_200));
    let start = json!({"url": world.url(), "token": token(), "refresh": true});
    let mut client = Driver::connect(language, start).await;
    client.subscribed(INBOX).await;
    for _ in 0..2 {
        loop {
            let event = client.next().await;
            assert_ne!(event["event"], "connecting", "{event}");
            assert_ne!(event["event"], "disconnected", "{event}");
            if event["event"] == "token_wanted" {
                break;
            }
        }
        client.order(json!({"do": "token", "token": token()}));
    }
    world.receive(1, "live").await;
    client.offsets(INBOX, world.head().await).await;
}

async fn slow_reader(language: Language) {
    let feed = actors::feed::FeedConfig { ring_events: 500, ..Default::default() };
    let world = World::with(limits(), Limits { feed, ..Limits::default() }).await;
    let mut client = Driver::connect(language, options(&world, None)).await;
    client.subscribed(INBOX).await;
    let seen = world.head().await;
    client.order(json!({"do": "pause"}));
    world.receive_many(1, 10_000).await;
    client.order(json!({"do": "resume"}));
    let head = world.head().await;
    assert_dense(&client.offsets(INBOX, head).await, seen, head);
}

async fn server_restart(language: Language) {
    let world = World::start().await;
    let mut client = Driver::connect(language, options(&world, None)).await;
    client.subscribed(INBOX).await;
    let seen = world.head().await;
    world.receive_many(1, 5).await;
    let mut got = client.offsets(INBOX, world.head().await).await;
    let world = world.restart().await;
    world.receive_many(2, 5).await;
    let head = world.head().await;
    got.extend(client.offsets(INBOX, head).await);
    assert_dense(&got, seen, head);
}

async fn verdicts(language: Language) {
    let world = World::start().await;
    let mut start = options(&world, None);
    start["token"] = json!(world.token("bob", Role::Operator));
    let mut client = Driver::connect(language, start).await;
    client.subscribed(INBOX).await;
    world.configure(Setting::Operator(operator("bob"), None)).await;
    assert_eq!(client.wait("disconnected").await["code"], 3507, "it does not come back by itself");

    let mut nobody = Driver::connect(language, json!({"url": world.url(), "token": "nonsense"})).await;
    assert_eq!(nobody.wait("disconnected").await["code"], 3500);
}

async fn desk(language: Language) {
    let world = World::start().await;
    let first = world.receive(1, "hello").await;
    let mine = channel(first.conversation);
    let mut client = Driver::connect(language, options(&world, None)).await;
    client.subscribed(INBOX).await;
    let note = json!({"conversation": first.conversation, "text": "a note", "idempotency_key": "k"});
    let reply = client.reply(json!({"do": "rpc", "method": "note.add", "data": note})).await;
    let offset = reply["data"]["offset"].as_u64().unwrap_or_else(|| panic!("{reply}"));
    let since = json!({"epoch": world.epoch().await, "offset": first.offset});
    client.order(json!({"do": "subscribe", "channel": mine, "since": since}));
    assert_eq!(client.subscribed(&mine).await["recovered"], true);
    assert_eq!(client.offsets(&mine, offset).await, [offset]);
    world.receive(1, "live").await;
    let head = world.head().await;
    assert_eq!(client.offsets(&mine, head).await, [head]);

    let wrong = client.reply(json!({"do": "rpc", "method": "nonsense", "data": {}})).await;
    assert_eq!(wrong["error"]["code"], 104);
    let history = client.reply(json!({"do": "history", "channel": INBOX, "limit": 3})).await;
    assert_eq!(history["data"], json!({"offset": head, "offsets": [1, 2, 3]}));
    client.order(json!({"do": "subscribe", "channel": "presence:demo"}));
    client.subscribed("presence:demo").await;
    let online = client.reply(json!({"do": "presence", "channel": "presence:demo"})).await;
    assert_eq!(online["data"], json!(["ana"]));
}

macro_rules! both {
    ($($name:ident => $scenario:expr;)*) => {
        mod javascript {
            use super::*;
            $( #[tokio::test(flavor = "multi_thread")] async fn $name() { ($scenario)(Language::JavaScript).await } )*
        }
        mod python {
            use super::*;
            $( #[tokio::test(flavor = "multi_thread")] async fn $name() { ($scenario)(Language::Python).await } )*
        }
    };
}

both! {
    the_first_load_and_the_stream_after_it_leave_no_gap => first_load_and_live;
    a_client_resumes_after_one_missed_event => |language| drop_and_resume(language, 1);
    a_client_resumes_after_ten_thousand_missed_events => |language| drop_and_resume(language, 10_000);
    a_client_of_another_log_is_told_to_start_anew => epoch_mismatch;
    a_client_refreshes_its_token_without_reconnecting => token_refresh;
    a_client_that_reads_slowly_misses_nothing => slow_reader;
    a_client_survives_a_restart_of_the_server_without_a_gap => server_restart;
    a_client_obeys_the_verdict_of_a_close_code => verdicts;
    a_client_works_at_a_conversation => desk;
}
