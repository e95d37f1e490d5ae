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

#[tokio::test]
async fn a_contacts_own_stop_is_lifted_only_by_an_admin_who_records_what_was_said() {
    let world = World::start().await;
    let base = conversation(&world).await;
    world.receive("demo", "+12125550001", "STOP").await;
    let consent = json!({"how": "phone", "when": 1_700_000_000_000_000_u64, "words": "Do text me about the sink"});
    let operator = world.demo(Role::Operator);
    let lift = world.ask(&operator, Method::POST, &format!("{base}/opt-in"), Some(&json!({}))).await;
    assert_eq!((lift.status.as_u16(), lift.body["code"].as_str()), (403, Some("forbidden")));
    let path = format!("{base}/consent");
    assert_eq!(world.ask(&operator, Method::POST, &path, Some(&consent)).await.status, 403, "not an operator's");
    let wrong = [("when", json!(9_000_000_000_000_000_u64)), ("words", json!(" ")), ("how", json!("hearsay"))];
    for (field, value) in wrong {
        let mut body = consent.clone();
        body[field] = value;
        let answer = world.ask(&world.demo(Role::Admin), Method::POST, &path, Some(&body)).await;
        assert_eq!((answer.status.as_u16(), answer.body["field"].as_str()), (400, Some(field)), "{}", answer.body);
    }
    let reply = world.post(&path, consent).await;
    let now = after(&world, &base, &reply).await;
    assert_eq!((now["consent"].as_str(), now["consent_source"].as_str()), (Some("opted_in"), Some("admin")));
    let page = world.get(&format!("{base}/events")).await;
    let event = page["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&event["type"], &event["text"]), (&json!("consent.recorded"), &json!("Do text me about the sink")));
    assert_eq!(event["data"], json!({"how": "phone", "given": 1_700_000_000_000_000_u64}));
    let audit = world.get("/v1/audit?limit=200").await["entries"].clone();
    let entry = audit.as_array().unwrap().iter().find(|entry| entry["type"] == "consent.recorded").unwrap();
    assert_eq!(entry["by"], json!({"operator": "admin"}));
    world.post(&format!("{base}/messages"), json!({"text": "On our way"})).await;
}

#[tokio::test]
async fn a_plea_for_no_more_texts_is_flagged_until_somebody_decides() {
    let world = World::start().await;
    let base = conversation(&world).await;
    let received = world.receive("demo", "+12125550001", "please stop texting me").await;
    let flagged = world.get(&format!("{base}?at_least={}", received.offset)).await;
    assert_eq!((&flagged["consent_questioned"], &flagged["consent"]), (&json!(true), &json!("implied")));
    let reply = world.post(&format!("{base}/opt-out"), json!({})).await;
    let now = after(&world, &base, &reply).await;
    assert_eq!((&now["consent_questioned"], &now["consent"]), (&Value::Null, &json!("opted_out")));
    assert_eq!(now["consent_source"], "contact", "it was the contact who asked");
}
