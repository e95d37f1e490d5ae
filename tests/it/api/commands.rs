//! Commands: each route does its own, once, and says where to read it.

use reqwest::Method;
use schema::role::Role;
use serde_json::{Value, json};

use super::world::World;

async fn conversation(world: &World) -> String {
    let reply = world.receive("demo", "+12125550001", "hello").await;
    format!("/v1/conversations/{}", reply.conversation.unwrap())
}

async fn after(world: &World, base: &str, reply: &Value) -> Value {
    world.get(&format!("{base}?at_least={}", reply["offset"])).await
}

#[tokio::test]
async fn every_command_of_a_conversation_does_what_it_says() {
    let world = World::start().await;
    let base = conversation(&world).await;
    let until = 4_000_000_000_000_000_u64;
    let steps: [(&str, Value, &str, Value); 10] = [
        ("assign", json!({"operator": "ana"}), "assigned", json!("ana")),
        ("assign", json!({"operator": null}), "assigned", Value::Null),
        ("tags", json!({"add": ["vip", "late"]}), "tags", json!(["late", "vip"])),
        ("tags", json!({"remove": ["late"]}), "tags", json!(["vip"])),
        ("snooze", json!({"until": until}), "snoozed_until", json!(until)),
        ("read", json!({"up_to": 1_000}), "unread", json!(0)),
        ("resolve", json!({}), "open", json!(false)),
        ("reopen", json!({}), "episode", json!(2)),
        ("opt-out", json!({}), "consent", json!("opted_out")),
        ("opt-in", json!({}), "consent", json!("opted_in")),
    ];
    for (route, body, field, wanted) in steps {
        let reply = world.post(&format!("{base}/{route}"), body).await;
        let now = after(&world, &base, &reply).await;
        assert_eq!(now[field], wanted, "{route}: {now}");
    }
    let bare = world.request(Method::POST, &format!("{base}/release")).bearer_auth(world.demo(Role::Operator));
    assert_eq!(world.send(bare).await.status, 200, "a body may be left out");
}

#[tokio::test]
async fn a_text_goes_to_the_carrier_and_its_status_comes_back() {
    let world = World::start().await;
    let base = conversation(&world).await;
    let reply = world.post(&format!("{base}/messages"), json!({"text": "on our way"})).await;
    let path = format!("/v1/messages/{}", reply["message"].as_str().unwrap());
    let sent = world.until(&path, |message| message["sending"]["status"] == "sent").await;
    assert_eq!(sent["direction"], "outbound");
    assert_eq!(sent["text"], "on our way");
    assert_eq!(sent["by"]["operator"], "admin");
    assert_eq!(sent["sending"]["attempt"], 1);
    assert_eq!(world.carrier.sent().len(), 1);
    let late = world.ask(&world.demo(Role::Operator), Method::POST, &format!("{path}/cancel"), None).await;
    assert_eq!((late.status.as_u16(), late.body["code"].as_str()), (409, Some("wrong_state")));
}

#[tokio::test]
async fn a_queued_text_says_its_place_and_can_be_taken_back() {
    let world = World::start().await;
    let base = conversation(&world).await;
    world.carrier.hold();
    let mut last = Value::Null;
    for number in 0..4 {
        last = world.post(&format!("{base}/messages"), json!({"text": format!("text {number}")})).await;
    }
    let path = format!("/v1/messages/{}", last["message"].as_str().unwrap());
    let queued = world.get(&format!("{path}?at_least={}", last["offset"])).await;
    assert_eq!(queued["sending"]["status"], "queued");
    assert!(queued["sending"]["queue"]["place"].as_u64().unwrap() >= 1, "{queued}");
    assert!(queued["sending"]["queue"]["estimate_ms"].is_u64());
    let canceled = world.post(&format!("{path}/cancel"), json!({})).await;
    let now = world.get(&format!("{path}?at_least={}", canceled["offset"])).await;
    assert_eq!(now["sending"]["status"], "canceled");
    assert!(now["sending"]["queue"].is_null());
    world.carrier.release();
}

#[tokio::test]
async fn the_same_key_gives_the_same_reply_and_one_message() {
    let world = World::start().await;
    let base = conversation(&world).await;
    let token = world.demo(Role::Operator);
    let send = |key: &'static str, text: &'static str| {
        let request = world.request(Method::POST, &format!("{base}/messages")).bearer_auth(&token);
        world.send(request.header("idempotency-key", key).json(&json!({"text": text})))
    };
    let first = send("k1", "hello").await;
    let second = send("k1", "hello").await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body, second.body);
    let other = send("k1", "other words").await;
    assert_eq!((other.status.as_u16(), other.body["code"].as_str()), (409, Some("key_reused")));
    let in_body = json!({"text": "hello", "idempotency_key": "k1"});
    let third = world.ask(&token, Method::POST, &format!("{base}/messages"), Some(&in_body)).await;
    assert_eq!(third.body, first.body, "the field is the same key as the header");
}

#[tokio::test]
async fn a_text_to_a_number_joins_the_conversation_of_that_number() {
    let world = World::start().await;
    let known = world.receive("demo", "+12125550001", "hello").await.conversation.unwrap();
    let joined = world.post("/v1/messages", json!({"to": "+12125550001", "text": "hi", "channel": "demo-line"})).await;
    assert_eq!(joined["conversation"], known.to_string());
    let fresh = world.post("/v1/messages", json!({"to": "+12125550002", "text": "hi", "channel": "demo-line"})).await;
    assert_ne!(fresh["conversation"], known.to_string());
}

#[tokio::test]
async fn a_contact_who_opted_out_is_not_texted() {
    let world = World::start().await;
    let base = conversation(&world).await;
    world.post(&format!("{base}/opt-out"), json!({})).await;
    let token = world.demo(Role::Operator);
    let refused = world.ask(&token, Method::POST, &format!("{base}/messages"), Some(&json!({"text": "hi"}))).await;
    assert_eq!((refused.status.as_u16(), refused.body["code"].as_str()), (409, Some("opted_out")));
}
