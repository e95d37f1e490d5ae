//! The inbox: dense, in order, resumed without a gap from wherever the client was.

use actors::engine::Limits;
use schema::{ids::FeedId, role::Role};
use serde_json::json;

use super::world::{World, assert_dense, limits, offsets, short_ring, tenant};

const INBOX: &str = "inbox:demo";

#[tokio::test]
async fn a_dashboard_is_live_after_one_round_trip() {
    let world = World::start().await;
    let mut client = world.dial().await;
    let reply = client.call("connect", json!({"token": world.token("ana", Role::Operator)})).await;
    let connect = &reply["connect"];
    assert_eq!(
        (connect["expires"].clone(), connect["pong"].clone(), connect["ping"].clone()),
        (json!(true), json!(true), json!(25))
    );
    assert!(connect["ttl"].as_u64().unwrap() > 3_500 && connect["client"].is_string() && connect["node"] == "one");
    let inbox = &connect["subs"][INBOX];
    assert_eq!(inbox["offset"].as_u64().unwrap_or(0), world.head().await);
    assert_eq!((&inbox["recoverable"], &inbox["positioned"]), (&json!(true), &json!(true)));
    assert!(inbox["recovered"].is_null() && inbox["publications"].is_null());

    let before = world.head().await;
    world.receive(1, "is anybody there?").await;
    let first = client.push(INBOX).await;
    assert_eq!(first["pub"]["offset"], before + 1);
    let mut texts = vec![first["pub"]["data"]["text"].clone()];
    for _ in before + 1..world.head().await {
        texts.push(client.push(INBOX).await["pub"]["data"]["text"].clone());
    }
    assert!(texts.contains(&json!("is anybody there?")), "{texts:?}");
}

#[tokio::test]
async fn a_client_that_returns_gets_exactly_what_it_missed() {
    let world = World::start().await;
    world.receive_many(1, 20).await;
    let (epoch, seen) = (world.epoch().await, world.head().await);
    world.receive(1, "one more").await;
    let (mut client, inbox) = world.resume(&epoch, seen).await;
    assert_eq!((&inbox["recovered"], &inbox["was_recovering"]), (&json!(true), &json!(true)));
    assert_eq!(offsets(&inbox), [seen + 1]);
    assert_eq!(inbox["offset"], seen + 1);
    world.receive(1, "and live").await;
    assert_eq!(client.push(INBOX).await["pub"]["offset"], seen + 2, "live goes on where the reply ended");

    let (_, nothing_new) = world.resume(&epoch, seen + 2).await;
    assert_eq!(nothing_new["recovered"], true);
    assert!(nothing_new["publications"].is_null());
}

#[tokio::test]
async fn after_ten_thousand_events_the_reply_is_a_page_and_the_rest_follows_in_order() {
    let feed = actors::feed::FeedConfig { ring_events: 1_000, ..Default::default() };
    let engine_limits = Limits { feed, ..Limits::default() };
    let world = World::with(limits(), engine_limits).await;
    let (epoch, seen) = (world.epoch().await, world.head().await);
    world.receive_many(1, 10_000).await;
    let head = world.head().await;
    let (mut client, inbox) = world.resume(&epoch, seen).await;
    let mut got = offsets(&inbox);
    assert_eq!(inbox["recovered"], true);
    assert_eq!(got.len(), limits().page_events);
    assert_eq!(inbox["offset"], *got.last().unwrap(), "the head would be a gap waiting to happen");
    got.extend(client.offsets(INBOX, head).await);
    assert_dense(&got, seen, head);
}

#[tokio::test]
async fn a_connection_that_drops_while_catching_up_skips_and_repeats_nothing() {
    let world = World::start().await;
    let (epoch, start) = (world.epoch().await, world.head().await);
    world.receive_many(1, 3_000).await;
    let head = world.head().await;
    let (mut position, mut got) = (start, Vec::new());
    let mut drops = 0;
    while position < head {
        let (mut client, inbox) = world.resume(&epoch, position).await;
        assert_eq!(inbox["recovered"], true);
        got.extend(offsets(&inbox));
        // A few pushes of the rest, then the line breaks.
        for _ in 0..300 {
            if got.last() == Some(&head) {
                break;
            }
            got.push(client.push(INBOX).await["pub"]["offset"].as_u64().unwrap());
        }
        position = *got.last().unwrap();
        drops += 1;
    }
    assert!(drops > 2, "it did drop on the way");
    assert_dense(&got, start, head);
}

#[tokio::test]
async fn the_position_of_the_first_load_goes_into_connects_data() {
    let world = World::start().await;
    let (epoch, seen) = (world.epoch().await, world.head().await);
    world.receive_many(1, 3).await;
    let head = world.head().await;
    let mut client = world.dial().await;
    let data = json!({"inbox": {"epoch": epoch, "offset": seen}});
    let token = world.token("ana", Role::Operator);
    let reply = client.call("connect", json!({"token": token, "data": data})).await;
    let inbox = &reply["connect"]["subs"][INBOX];
    assert_eq!(inbox["recovered"], true);
    assert_eq!(offsets(inbox), (seen + 1..=head).collect::<Vec<_>>());

    let mut client = world.dial().await;
    let subs = json!({INBOX: {"recover": true, "epoch": epoch, "offset": head - 1}});
    let reply = client.call("connect", json!({"token": token, "data": data, "subs": subs})).await;
    assert_eq!(offsets(&reply["connect"]["subs"][INBOX]), [head], "a position in subs wins");
}

#[tokio::test]
async fn a_position_that_cannot_be_continued_is_told_and_never_half_continued() {
    let world = World::with(limits(), short_ring()).await;
    world.receive_each(1, 10).await;
    let (epoch, head) = (world.epoch().await, world.head().await);
    world.log.trim_for_test(head - 2).await;
    let cases = [("7", head - 1), ("", head - 1), ("not a number", head), (&epoch, head + 100), (&epoch, 0)];
    for (epoch, offset) in cases {
        let (mut client, inbox) = world.resume(epoch, offset).await;
        assert_eq!(inbox["was_recovering"], true);
        assert!(inbox["recovered"].is_null() && inbox["publications"].is_null(), "{epoch} {offset}: {inbox}");
        assert_eq!(inbox["offset"], world.head().await);
        assert_eq!(inbox["epoch"], world.epoch().await);
        let before = world.head().await;
        world.receive(1, "live").await;
        assert_eq!(client.push(INBOX).await["pub"]["offset"], before + 1, "it is live all the same");
    }
}

#[tokio::test]
async fn a_connect_reply_answers_every_subscription_the_client_named_or_refuses() {
    let world = World::start().await;
    world.found("other", "+15550100002").await;
    for channel in ["inbox:other", "conversation:0190b2e4-7d1a-7000-8000-000000000000", "nonsense"] {
        let mut client = world.dial().await;
        let subs = json!({channel: {"recover": true, "epoch": "1", "offset": 1}});
        let code = client.error("connect", json!({"token": world.token("ana", Role::Admin), "subs": subs})).await;
        assert_eq!(code, 103, "{channel}");
    }
}

#[tokio::test]
async fn each_role_gets_a_dense_inbox_with_what_it_may_not_see_hidden() {
    let world = World::start().await;
    let conversation = world.receive(1, "hello").await.conversation.unwrap();
    let mut viewer = world.connect("vic", Role::Viewer).await;
    let mut ana = world.connect("ana", Role::Operator).await;
    let note = json!({"conversation": conversation, "text": "a secret"});
    let reply = ana.rpc("note.add", note).await;
    let offset = reply["rpc"]["data"]["offset"].as_u64().unwrap();
    assert_eq!(ana.push(INBOX).await["pub"]["data"]["text"], "a secret");
    let hidden = viewer.push(INBOX).await;
    assert_eq!((&hidden["pub"]["offset"], &hidden["pub"]["data"]), (&json!(offset), &json!({"type": "hidden"})));
}

#[tokio::test]
async fn history_reads_pages_of_the_inbox_in_both_directions() {
    let world = World::with(limits(), short_ring()).await;
    world.receive_each(1, 20).await;
    let (epoch, head) = (world.epoch().await, world.head().await);
    let mut client = world.connect("ana", Role::Admin).await;
    let only_position = client.call("history", json!({"channel": INBOX})).await;
    assert_eq!(only_position["history"], json!({"epoch": epoch, "offset": head}));
    let ask = |since: Option<u64>, limit: i32, reverse: bool| {
        let since = since.map(|offset| json!({"epoch": epoch, "offset": offset}));
        json!({"channel": INBOX, "limit": limit, "since": since, "reverse": reverse})
    };
    for (since, limit, reverse, want) in [
        (None, 3, false, vec![1, 2, 3]),
        (Some(5), 2, false, vec![6, 7]),
        (Some(head - 1), 10, false, vec![head]),
        (Some(head), 10, false, vec![]),
        (None, 2, true, vec![head, head - 1]),
        (Some(5), 3, true, vec![4, 3, 2]),
        (Some(2), 10, true, vec![1]),
        (None, -1, false, (1..=head).collect()),
    ] {
        let reply = client.call("history", ask(since, limit, reverse)).await;
        assert_eq!(offsets(&reply["history"]), want, "{since:?} {limit} {reverse}: {reply}");
    }
    let wrong = json!({"channel": INBOX, "limit": 1, "since": {"epoch": "1", "offset": 1}});
    assert_eq!(client.error("history", wrong).await, 112);
    world.log.trim_for_test(10).await;
    assert_eq!(client.error("history", ask(Some(3), 5, false)).await, 112);
    let oldest = client.call("history", ask(None, 1, false)).await;
    assert_eq!(offsets(&oldest["history"]), [10]);
}

/// What retention does.
trait Trim {
    async fn trim_for_test(&self, oldest: u64);
}

impl Trim for actors::memory::MemoryLog {
    async fn trim_for_test(&self, oldest: u64) {
        use actors::ports::Log as _;
        self.trim(&FeedId::of(&tenant()), schema::ids::Offset(oldest)).await.unwrap();
    }
}
