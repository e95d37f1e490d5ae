//! Administration and audit.

use reqwest::Method;
use schema::role::Role;
use serde_json::{Value, json};

use super::world::World;

#[tokio::test]
async fn settings_are_read_back_as_they_were_written() {
    let world = World::start().await;
    world.change(Method::PUT, "/v1/admin/tenant", json!({"business_name": "Harbour"})).await;
    let tenant = world.get("/v1/admin/tenant").await;
    assert_eq!((tenant["tenant"].as_str(), tenant["business_name"].as_str()), (Some("demo"), Some("Harbour")));

    world.change(Method::PUT, "/v1/admin/templates/back", json!({"text": "{business} here"})).await;
    assert_eq!(world.get("/v1/admin/templates/back").await["segments"], 1);
    let names: Vec<Value> = rows(&world.get("/v1/admin/templates").await, "template");
    assert_eq!(names, ["back", "demo-hello"]);

    world.change(Method::PUT, "/v1/admin/channels/demo-line/coverage", json!({"coverage": true})).await;
    world.change(Method::PUT, "/v1/admin/channels/demo-line/limits", json!({"number_per_s": 3})).await;
    let line = world.get("/v1/admin/channels/demo-line").await;
    assert_eq!(line["coverage"], true);
    assert_eq!(line["address"], "+15550100001");
    assert_eq!(line["limits"]["number_per_s"], 3);
    assert_eq!(world.get("/v1/admin/channels/demo-line/limits").await["number_per_s"], 3);

    world.change(Method::DELETE, "/v1/admin/templates/back", json!({})).await;
    let gone = world.ask(&world.demo(Role::Admin), Method::GET, "/v1/admin/templates/back", None).await;
    assert_eq!(gone.status, 404);
}

fn rows(listing: &Value, field: &str) -> Vec<Value> {
    listing["rows"].as_array().unwrap().iter().map(|row| row[field].clone()).collect()
}

#[tokio::test]
async fn a_number_belongs_to_one_line_of_one_tenant() {
    let world = World::start().await;
    let admin = world.demo(Role::Admin);
    let line = |address: &str, account: &str| json!({"address": address, "account": account, "coverage": false, "cool_down_s": 60, "answers": {}});
    let mine = line("+15550100003", "demo-account");
    world.change(Method::PUT, "/v1/admin/channels/second", mine.clone()).await;
    assert_eq!(world.get("/v1/admin/channels/second").await["address"], "+15550100003");
    world.change(Method::PUT, "/v1/admin/channels/second", mine).await;
    let cases = [
        ("third", line("+15550100002", "demo-account"), 409, Value::Null),
        ("other-line", line("+15550100004", "demo-account"), 409, Value::Null),
        ("third", line("+15550100005", "other-account"), 400, json!("account")),
        ("third", line("5550100005", "demo-account"), 400, json!("address")),
    ];
    for (id, body, status, field) in cases {
        let answer = world.ask(&admin, Method::PUT, &format!("/v1/admin/channels/{id}"), Some(&body)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["field"]), (status, &field), "{}", answer.body);
    }
    assert_eq!(rows(&world.get("/v1/admin/channels").await, "channel"), ["demo-line", "second"]);
}

#[tokio::test]
async fn a_line_that_is_refused_claims_no_number() {
    let world = World::start().await;
    let admin = world.demo(Role::Admin);
    let line = |more: Value| {
        let mut body =
            json!({"address": "+15550100003", "account": "demo-account", "coverage": false, "cool_down_s": 60});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let put = |id: &'static str, key: &'static str, body: Value| {
        let request = world.request(Method::PUT, &format!("/v1/admin/channels/{id}")).bearer_auth(&admin);
        world.send(request.header("Idempotency-Key", key).json(&body))
    };
    let wrong = [
        (json!({"address": "5550100003"}), "address"),
        (json!({"text_back": "nowhere"}), "text_back"),
        (json!({"voice": {"mode": {"ring": {"phone": "+15550100003", "ring_s": 20}}}}), "voice.mode.ring.phone"),
        (json!({"voice": {"voicemail": {"max_s": 1}}}), "voice.voicemail.max_s"),
    ];
    for (more, field) in wrong {
        let answer = put("first", "a", line(more)).await;
        assert_eq!((answer.status.as_u16(), answer.body["field"].as_str()), (400, Some(field)), "{}", answer.body);
    }
    let directory = world.engine.directory();
    assert_eq!(directory.channel_by_address("+15550100003"), None);
    let made = put("first", "a", line(json!({"address": "+15550100004"}))).await;
    assert_eq!(made.status, 200, "{}", made.body);
    world.get(&format!("/v1/inbox?at_least={}", made.body["offset"])).await;
    let reused = put("second", "a", line(json!({}))).await;
    assert_eq!((reused.status.as_u16(), reused.body["code"].as_str()), (409, Some("key_reused")));
    assert_eq!(directory.channel_by_address("+15550100003"), None, "a key that stands for another line");
    assert_eq!(put("second", "b", line(json!({}))).await.status, 200, "the number is free for who asks rightly");
}

#[tokio::test]
async fn a_line_says_what_becomes_of_its_calls_and_a_wrong_setting_is_named() {
    let world = World::start().await;
    let admin = world.demo(Role::Admin);
    let path = "/v1/admin/channels/demo-line";
    let line = |more: Value| {
        let mut line =
            json!({"address": "+15550100001", "account": "demo-account", "coverage": true, "cool_down_s": 60});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let ring = json!({"mode": {"ring": {"phone": "+12125550111", "confirm": true}}, "voicemail": {"max_s": 60}});
    let whole = line(json!({"number_type": "toll_free", "voice": ring, "staff": ["+12125550112"],
        "carrier_answers": {"stop": true, "start": true, "help": false}, "text_back_abroad": true}));
    world.change(Method::PUT, path, whole).await;
    let read = world.get(path).await;
    assert_eq!(read["voice"]["mode"]["ring"]["ring_s"], 20, "{read}");
    assert_eq!((read["number_type"].as_str(), read["staff"][0].as_str()), (Some("toll_free"), Some("+12125550112")));
    world.change(Method::PUT, path, line(json!({"voice": {"mode": "forwarded"}}))).await;
    assert_eq!(world.get(path).await["voice"], json!({"mode": "forwarded", "greeting": null, "voicemail": null}));

    let rings = |phone: &str, seconds: u32| json!({"voice": {"mode": {"ring": {"phone": phone, "ring_s": seconds}}}});
    let cases = [
        (rings("2125550111", 20), "voice.mode.ring.phone"),
        (rings("72975", 20), "voice.mode.ring.phone"),
        (rings("+15550100001", 20), "voice.mode.ring.phone"),
        (rings("+12125550111", 4), "voice.mode.ring.ring_s"),
        (rings("+12125550111", 121), "voice.mode.ring.ring_s"),
        (json!({"voice": {"mode": {"ring": {}}}}), "voice.mode.ring.phone"),
        (json!({"voice": {"mode": "both"}}), "voice.mode"),
        (json!({"voice": {"greeting": "nowhere"}}), "voice.greeting"),
        (json!({"voice": {"voicemail": {"max_s": 4}}}), "voice.voicemail.max_s"),
        (json!({"number_type": "fax"}), "number_type"),
        (json!({"staff": ["+12125550112", "bob"]}), "staff[1]"),
        (json!({"staff": vec!["+12125550112"; 201]}), "staff"),
        (json!({"carrier_answers": {"stop": true}}), "carrier_answers.start"),
    ];
    for (more, field) in cases {
        let answer = world.ask(&admin, Method::PUT, path, Some(&line(more))).await;
        assert_eq!((answer.status.as_u16(), answer.body["field"].as_str()), (400, Some(field)), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_audit_says_who_did_what_when_and_by_which_request() {
    let world = World::start().await;
    let id = world.receive("demo", "+12125550001", "my number is +12125550001").await.conversation.unwrap();
    let path = format!("/v1/conversations/{id}/assign");
    let body = json!({"operator": "ben"});
    let request = world.request(Method::POST, &path).bearer_auth(world.token(
        "demo",
        "ana",
        Role::Operator,
        std::time::Duration::from_secs(60),
    ));
    let answer = world.send(request.json(&body)).await;
    let mut entries: Vec<Value> = Vec::new();
    let mut next = Some(0);
    while let Some(after) = next {
        let page = world.get(&format!("/v1/audit?limit=3&after={after}")).await;
        entries.extend(page["entries"].as_array().unwrap().iter().cloned());
        next = page["next"].as_u64();
        assert_eq!(page["oldest"], 1);
    }
    let offsets: Vec<u64> = entries.iter().map(|entry| entry["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, (1..=offsets.len() as u64).collect::<Vec<_>>(), "dense, from the beginning");
    let last = entries.iter().find(|entry| entry["type"] == "conversation.assigned").unwrap();
    assert_eq!(last["offset"], answer.body["offset"]);
    assert_eq!(last["by"], json!({"operator": "ana"}));
    assert_eq!(last["via"], "rest");
    assert_eq!(last["request"], answer.headers["x-request-id"].to_str().unwrap());
    assert_eq!(last["conversation"], id.to_string());
    let all = Value::Array(entries).to_string();
    assert!(!all.contains("2125550001"), "nothing personal: {all}");
}
