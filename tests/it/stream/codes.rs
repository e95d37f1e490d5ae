//! Every error and close code: what a client did, and the verdict it gets.

use std::{num::NonZeroU32, time::Duration};

use deskwire::session::StreamLimits;
use futures_util::SinkExt as _;
use schema::{command::Setting, ids::TenantId, role::Role};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest as _, http::StatusCode};

use super::world::{Client, World, limits, operator, tenant};
use actors::engine::Limits;

const NOBODY: &str = "conversation:0190b2e4-7d1a-7000-8000-000000000000";

async fn with(limits: StreamLimits) -> World {
    World::with(limits, Limits::default()).await
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tokio::test]
async fn a_connect_without_a_good_token_is_answered_by_its_code() {
    let world = World::start().await;
    let mut client = world.dial().await;
    assert_eq!(client.error("connect", json!({})).await, 101, "no token");

    let mut client = world.dial().await;
    client.ask("connect", json!({"token": "not.a.token"})).await;
    assert_eq!(client.closed().await, (3500, "invalid token".into()));

    let expired = world.token_for(&tenant(), "ana", Role::Operator, Duration::ZERO);
    let mut client = world.dial().await;
    assert_eq!(client.error("connect", json!({"token": expired})).await, 109, "token expired");

    let nobody = TenantId::new("nobody").unwrap();
    let stranger = world.token_for(&nobody, "ana", Role::Operator, Duration::from_secs(60));
    let mut client = world.dial().await;
    assert_eq!(client.error("connect", json!({"token": stranger})).await, 103, "unknown tenant");
    client.ask("presence", json!({"channel": "presence:demo"})).await;
    assert_eq!(client.close_code().await, 3501, "a refused connection does nothing more");
}

#[tokio::test]
async fn commands_in_the_frame_of_a_refused_connect_do_not_hide_the_refusal() {
    let world = World::start().await;
    let mut client = world.dial().await;
    let expired = world.token_for(&tenant(), "ana", Role::Operator, Duration::ZERO);
    let connect = json!({"id": 1, "connect": {"token": expired}});
    let subscribe = json!({"id": 2, "subscribe": {"channel": "presence:demo"}});
    client.send(format!("{connect}\n{subscribe}")).await;
    assert_eq!(client.reply(1).await["error"]["code"], 109);
}

#[tokio::test]
async fn what_is_not_the_protocol_is_closed_as_bad_request() {
    let world = World::start().await;
    for first in [r#"{"id":1,"presence":{"channel":"presence:demo"}}"#, "{}", "nonsense", r#"{"id":1}"#] {
        let mut client = world.dial().await;
        client.send(first).await;
        assert_eq!(client.closed().await, (3501, "bad request".into()), "{first}");
    }
    let mut client = world.connect("ana", Role::Operator).await;
    client.ask("connect", json!({"token": world.token("ana", Role::Operator)})).await;
    assert_eq!(client.close_code().await, 3501, "a second connect");
}

#[tokio::test]
async fn a_bad_frame_is_told_and_closed_when_repeated() {
    let world = World::start().await;
    let mut client = world.connect("ana", Role::Operator).await;
    client.send(r#"{"id":7,"subscribe":5}"#).await;
    assert_eq!(client.reply(7).await["error"]["code"], 107);
    client.send(r#"{"id":8,"rpc":5}"#).await;
    assert_eq!(client.reply(8).await["error"]["code"], 107);
    client.send("nonsense").await;
    assert_eq!(client.close_code().await, 3501);
}

#[tokio::test]
async fn each_mistake_has_its_error_code() {
    let world = World::start().await;
    world.found("other", "+15550100002").await;
    let mut client = world.connect("ana", Role::Operator).await;
    let on = |channel: &str| json!({"channel": channel});
    let cases: [(&str, Value, u64); 20] = [
        ("subscribe", on("nonsense"), 102),
        ("subscribe", on(NOBODY), 102),
        ("subscribe", on("inbox:demo"), 105),
        ("subscribe", on("inbox:other"), 103),
        ("subscribe", on("presence:other"), 103),
        ("subscribe", on("operator:bob"), 103),
        ("unsubscribe", on("nonsense"), 102),
        ("unsubscribe", on("inbox:demo"), 108),
        ("publish", json!({"channel": "inbox:demo", "data": {}}), 103),
        ("publish", on("nonsense"), 102),
        ("presence", on("inbox:demo"), 108),
        ("presence_stats", on("presence:other"), 103),
        ("history", on("presence:demo"), 108),
        ("history", on("inbox:other"), 103),
        ("history", on(NOBODY), 102),
        ("history", json!({"channel": "inbox:demo", "since": {"epoch": "1", "offset": 1}}), 112),
        ("sub_refresh", json!({"channel": "inbox:demo", "token": "t"}), 104),
        ("sub_refresh", on("nonsense"), 102),
        ("rpc", json!({"method": "nonsense"}), 104),
        ("nonsense", json!({}), 104),
    ];
    for (method, body, code) in cases {
        assert_eq!(client.error(method, body.clone()).await, code, "{method} {body}");
    }
    client.subscribe("presence:demo").await;
    assert_eq!(client.error("subscribe", on("presence:demo")).await, 105);
    let mut vic = world.connect("vic", Role::Viewer).await;
    let note = json!({"method": "note.add", "data": {"conversation": &NOBODY[13..], "text": "x"}});
    assert_eq!(vic.error("rpc", note).await, 103, "viewers look");
}

#[tokio::test]
async fn a_position_may_be_asked_to_be_recovered_or_refused() {
    let world = World::start().await;
    let conversation = world.receive(1, "hello").await.conversation;
    let channel = super::world::channel(conversation);
    let mut client = world.connect("ana", Role::Operator).await;
    let body = json!({"channel": channel, "recover": true, "epoch": "1", "offset": 1, "flag": 2});
    assert_eq!(client.error("subscribe", body).await, 112);
}

#[tokio::test]
async fn a_full_connection_is_told_that_a_limit_is_reached() {
    let world = with(StreamLimits { channels: 1, ..limits() }).await;
    let mut client = world.connect("ana", Role::Operator).await;
    client.subscribe("presence:demo").await;
    assert_eq!(client.error("subscribe", json!({"channel": "operator:ana"})).await, 106);

    let mut client = world.dial().await;
    let position = json!({"recover": true, "epoch": "1", "offset": 1});
    let subs = json!({"inbox:demo": position, "inbox:other": position});
    client.ask("connect", json!({"token": world.token("ana", Role::Operator), "subs": subs})).await;
    assert_eq!(client.close_code().await, 3505);
}

#[tokio::test]
async fn whoever_floods_is_slowed_down_and_then_cut_off() {
    let one = NonZeroU32::MIN;
    let world = with(StreamLimits { commands_per_s: one, excess: 3, ..limits() }).await;
    let mut client = world.connect("ana", Role::Operator).await;
    let mut codes = Vec::new();
    for _ in 0..12 {
        let reply = client.call("ping", json!({})).await;
        codes.push(reply["error"]["code"].as_u64());
    }
    assert_eq!(codes[..10], [None; 10]);
    assert_eq!(codes[10..], [Some(111), Some(111)]);
    client.ask("ping", json!({})).await;
    assert_eq!(client.closed().await, (3013, "too many requests".into()));

    let world = with(StreamLimits { operator_commands_per_s: one, ..limits() }).await;
    let (mut one, mut two) = (world.connect("ana", Role::Operator).await, world.connect("ana", Role::Operator).await);
    for _ in 0..5 {
        for client in [&mut one, &mut two] {
            assert_eq!(client.error("rpc", json!({"method": "nonsense"})).await, 104);
        }
    }
    assert_eq!(one.error("rpc", json!({"method": "nonsense"})).await, 111, "all connections of an operator together");
}

#[tokio::test]
async fn endless_errors_end_the_connection() {
    let world = with(StreamLimits { errors: 3, ..limits() }).await;
    let mut client = world.connect("ana", Role::Operator).await;
    for _ in 0..2 {
        client.error("nonsense", json!({})).await;
    }
    client.ask("nonsense", json!({})).await;
    assert_eq!(client.closed().await, (3509, "too many errors".into()));
}

#[tokio::test]
async fn an_operator_has_so_many_connections_and_no_more() {
    let world = with(StreamLimits { operator_connections: 1, ..limits() }).await;
    let first = world.connect("ana", Role::Operator).await;
    let mut second = world.dial().await;
    second.ask("connect", json!({"token": world.token("ana", Role::Operator)})).await;
    assert_eq!(second.closed().await, (3504, "connection limit".into()));
    drop(first);
    while world.state.connections() > 0 {
        tokio::task::yield_now().await;
    }
    world.connect("ana", Role::Operator).await;
}

#[tokio::test]
async fn a_frame_that_is_too_large_or_not_text_ends_the_connection() {
    let world = World::start().await;
    let mut client = world.connect("ana", Role::Operator).await;
    client.send(" ".repeat(limits().frame_bytes + 1)).await;
    assert_eq!(client.closed().await, (1009, "message size limit exceeded".into()));

    let mut client = world.connect("ana", Role::Operator).await;
    client.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(client.closed().await, (3506, "inappropriate protocol".into()));
}

#[tokio::test]
async fn who_says_nothing_is_stale() {
    let world = with(StreamLimits { connect_within: ms(50), ..limits() }).await;
    assert_eq!(world.dial().await.closed().await, (3502, "stale".into()));
}

#[tokio::test]
async fn pings_want_pongs() {
    let world = with(StreamLimits { ping_every: ms(40), pong_within: ms(30), ..limits() }).await;
    let mut client = world.connect("ana", Role::Operator).await;
    while client.pings < 5 {
        client.read().await;
    }
    client.pong = false;
    assert_eq!(client.closed().await, (3012, "no pong".into()));
}

#[tokio::test]
async fn a_token_that_is_not_refreshed_ends_the_connection() {
    let world = with(StreamLimits { expiry_grace: ms(10), ..limits() }).await;
    let short = world.token_for(&tenant(), "ana", Role::Operator, Duration::from_millis(1_100));
    let mut client = world.dial().await;
    let reply = client.call("connect", json!({"token": short})).await;
    assert_eq!(reply["connect"]["ttl"], 1);
    assert_eq!(client.closed().await, (3005, "connection expired".into()));
}

#[tokio::test]
async fn a_token_can_be_refreshed_by_its_own_operator_only() {
    let world = with(StreamLimits { expiry_grace: ms(10), ..limits() }).await;
    let short = world.token_for(&tenant(), "ana", Role::Operator, Duration::from_millis(1_500));
    let connect = async |world: &World| -> Client {
        let mut client = world.dial().await;
        client.call("connect", json!({"token": short})).await;
        client
    };
    let mut client = connect(&world).await;
    let expired = world.token_for(&tenant(), "ana", Role::Operator, Duration::ZERO);
    assert_eq!(client.error("refresh", json!({"token": expired})).await, 109);
    let reply = client.call("refresh", json!({"token": world.token("ana", Role::Operator)})).await;
    assert!(reply["refresh"]["ttl"].as_u64().unwrap() > 3_000, "{reply}");

    let mut other = connect(&world).await;
    other.ask("refresh", json!({"token": world.token("bob", Role::Operator)})).await;
    assert_eq!(other.close_code().await, 3500);
    let mut other = connect(&world).await;
    other.ask("refresh", json!({"token": world.token("ana", Role::Admin)})).await;
    assert_eq!(other.close_code().await, 3014, "another role sees other things");
}

#[tokio::test]
async fn a_revoked_operator_is_closed_at_once_and_stays_out() {
    let world = World::start().await;
    let mut ana = world.connect("ana", Role::Operator).await;
    let mut bob = world.connect("bob", Role::Operator).await;
    world.configure(Setting::Operator(operator("bob"), None)).await;
    assert_eq!(bob.closed().await, (3507, "permission denied".into()));
    let mut again = world.dial().await;
    again.ask("connect", json!({"token": world.token("bob", Role::Operator)})).await;
    assert_eq!(again.close_code().await, 3507);
    assert!(ana.call("ping", json!({})).await["ping"].is_object(), "nobody else is touched");
}

#[tokio::test]
async fn a_changed_role_makes_the_dashboard_start_anew() {
    let world = World::start().await;
    let mut bob = world.connect("bob", Role::Operator).await;
    world.configure(Setting::Operator(operator("bob"), Some(Role::Admin))).await;
    assert_eq!(bob.closed().await, (3014, "state invalidated".into()));
    let mut again = world.dial().await;
    let reply = again.call("connect", json!({"token": world.token("bob", Role::Operator)})).await;
    assert_eq!(reply["connect"]["data"]["role"], "admin", "what the tenant configured wins over the token");
}

#[tokio::test]
async fn only_listed_origins_and_the_own_one_may_open_a_stream() {
    let world = World::start().await;
    let dial = async |origin: Option<&str>| {
        let mut request = world.url().into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        tokio_tungstenite::connect_async(request).await
    };
    let own = format!("http://{}", world.address);
    for good in [None, Some("https://desk.example"), Some(own.as_str())] {
        assert!(dial(good).await.is_ok(), "{good:?}");
    }
    for bad in ["https://evil.example", "null", "https://desk.example.evil.example", "http://desk.example"] {
        let Err(Error::Http(response)) = dial(Some(bad)).await else { panic!("{bad} was let in") };
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_full_node_refuses_before_the_upgrade() {
    let world = with(StreamLimits { connections: 1, ..limits() }).await;
    let _first = world.connect("ana", Role::Operator).await;
    let Err(Error::Http(response)) = tokio_tungstenite::connect_async(world.url()).await else { panic!("let in") };
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(response.headers().contains_key("retry-after"));
}
