//! The stop button and the queue over REST.

use reqwest::Method;
use schema::role::Role;
use serde_json::{Value, json};

use super::world::{DEADLINE, World, line, tenant};

/// Queues texts of `demo` to as many numbers.
async fn queue(world: &World, from: usize, count: usize) -> Vec<String> {
    let mut messages = Vec::new();
    for number in from..from + count {
        let body = json!({"to": format!("+1212555{number:04}"), "text": "hello", "channel": "demo-line"});
        let reply = world.post("/v1/messages", body).await;
        messages.push(reply["message"].as_str().unwrap().to_owned());
    }
    messages
}

async fn pause(world: &World, what: &str) -> Value {
    world.change(Method::PUT, "/v1/admin/pause", json!({"pause": what})).await
}

async fn listed(world: &World, query: &str) -> Vec<String> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/v1/admin/queue?limit=7{query}{after}")).await;
        rows.extend(page["rows"].as_array().unwrap().iter().map(|row| row["message"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { return rows };
        after = format!("&after={next}");
    }
}

/// Asks until nothing is left to confirm; how many texts were taken back.
async fn confirm(world: &World, preview: &Value) -> (u64, u64) {
    let (mut canceled, mut gone, mut confirm) = (0, 0, preview["confirm"].clone());
    while confirm.is_string() {
        let step = world.post("/v1/admin/queue/cancel", json!({"preview": false, "confirm": confirm})).await;
        canceled += step["texts"].as_u64().unwrap();
        gone += step["gone"].as_u64().unwrap();
        confirm = step["confirm"].clone();
    }
    (canceled, gone)
}

async fn audited(world: &World, kind: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), Some(0));
    while let Some(after) = next {
        let page = world.get(&format!("/v1/audit?after={after}")).await;
        found.extend(page["entries"].as_array().unwrap().iter().filter(|entry| entry["type"] == kind).cloned());
        next = page["next"].as_u64();
    }
    found
}

#[tokio::test]
async fn a_pause_is_read_back_shown_to_operators_and_audited() {
    let world = World::start().await;
    assert_eq!(world.get("/v1/admin/pause").await, json!({"everyone": "none", "tenant": "none", "lines": {}}));
    assert_eq!(world.get("/v1/inbox").await["paused"], Value::Null);
    let reply = pause(&world, "all").await;
    let order = json!({"pause": "automatic", "channel": "demo-line"});
    world.change(Method::PUT, "/v1/admin/pause", order).await;
    let wanted = json!({"everyone": "none", "tenant": "all", "lines": {"demo-line": "automatic"}});
    assert_eq!(world.get("/v1/admin/pause").await, wanted);
    let viewer = world.ask(&world.demo(Role::Viewer), Method::GET, "/v1/inbox", None).await;
    assert_eq!(viewer.body["paused"], wanted);
    let events = audited(&world, "settings.pause").await;
    assert_eq!(events.len(), 2);
    assert_eq!((&events[0]["offset"], &events[0]["by"]), (&reply["offset"], &json!({"operator": "admin"})));
    let message = queue(&world, 0, 1).await.remove(0);
    world.until("/v1/admin/queue", |page| page["totals"]["texts"] == 1).await;
    let shown = world.get(&format!("/v1/messages/{message}")).await;
    assert_eq!(shown["sending"]["queue"], json!({"place": 1, "paused": "all"}));
    for body in [json!({"pause": "half"}), json!({}), json!({"pause": "all", "channel": "nobody"})] {
        let answer = world.ask(&world.demo(Role::Admin), Method::PUT, "/v1/admin/pause", Some(&body)).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{body}: {}", answer.body);
    }
}

#[tokio::test]
async fn only_whoever_runs_the_engine_pauses_everyone_and_every_tenant_is_told() {
    let world = World::start().await;
    let token = |role| world.token("system", "root", role, DEADLINE);
    let everyone = json!({"pause": "all"});
    let refused = world.ask(&token(Role::Operator), Method::PUT, "/v1/admin/pause", Some(&everyone)).await;
    assert_eq!(refused.status, 403);
    let line = json!({"pause": "all", "channel": "demo-line"});
    let refused = world.ask(&token(Role::Admin), Method::PUT, "/v1/admin/pause", Some(&line)).await;
    assert_eq!((refused.status.as_u16(), &refused.body["field"]), (400, &json!("channel")));
    let done = world.ask(&token(Role::Admin), Method::PUT, "/v1/admin/pause", Some(&everyone)).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(world.get("/v1/admin/pause").await["everyone"], "all", "at once");
    world.until("/v1/inbox", |page| page["paused"]["everyone"] == "all").await;
    assert_eq!(audited(&world, "settings.pause").await[0]["by"], "engine");
    pause(&world, "none").await;
    assert_eq!(world.get("/v1/admin/pause").await["everyone"], "all", "a tenant does not lift what is not its own");
    let theirs = world.ask(&token(Role::Admin), Method::GET, "/v1/admin/pause", None).await;
    assert_eq!(theirs.body, json!({"everyone": "all", "tenant": "none", "lines": {}}));
}

#[tokio::test]
async fn the_queue_is_listed_in_pages_with_sums_and_without_anything_personal() {
    let world = World::start().await;
    pause(&world, "all").await;
    let messages = queue(&world, 0, 20).await;
    world.until("/v1/admin/queue", |page| page["totals"]["texts"] == 20).await;
    assert_eq!(listed(&world, "").await, messages, "in the order they were queued");
    assert_eq!(listed(&world, "&channel=demo-line").await.len(), 20);
    for nothing in ["&channel=other-line", "&template=demo-hello", "&older_than_s=3600"] {
        assert!(listed(&world, nothing).await.is_empty(), "{nothing}");
    }
    let page = world.get("/v1/admin/queue").await;
    assert_eq!(page["totals"]["segments"], 20);
    assert_eq!(page["totals"]["lines"], json!([{"channel": "demo-line", "texts": 20, "segments": 20}]));
    assert_eq!(page["totals"]["templates"], json!([{"template": null, "texts": 20, "segments": 20}]));
    assert_eq!(page["paused"]["tenant"], "all");
    let text = page.to_string();
    assert!(!text.contains("hello") && !text.contains("1212555"), "{text}");
    let eve = world.token("other", "eve", Role::Admin, DEADLINE);
    let theirs = world.ask(&eve, Method::GET, "/v1/admin/queue", None).await;
    assert_eq!(theirs.body["totals"]["texts"], 0, "another tenant sees nothing of it");
}

#[tokio::test]
async fn what_is_canceled_is_what_was_previewed_and_each_has_an_author() {
    let world = World::start().await;
    pause(&world, "all").await;
    let before = queue(&world, 0, 30).await;
    let preview = world.post("/v1/admin/queue/cancel", json!({"channel": "demo-line"})).await;
    assert_eq!((&preview["preview"], &preview["texts"], &preview["segments"]), (&json!(true), &json!(30), &json!(30)));
    world.until("/v1/admin/queue", |page| page["totals"]["texts"] == 30).await;
    let after = queue(&world, 100, 5).await;
    let one = format!("/v1/messages/{}/cancel", before[3]);
    world.post(&one, json!({})).await;
    world.until("/v1/admin/queue", |page| page["totals"]["texts"] == 34).await;
    assert_eq!(confirm(&world, &preview).await, (29, 0));
    world.until("/v1/admin/queue", |page| page["totals"]["texts"] == 5).await;
    assert_eq!(listed(&world, "").await, after, "what was queued since is left alone");
    assert_eq!(confirm(&world, &preview).await.0, 0, "again takes nothing back twice");
    let ordered = audited(&world, "queue.cancel_ordered").await;
    assert_eq!(ordered.len(), 1, "one order, however often it was confirmed");
    assert_eq!(ordered[0]["by"], json!({"operator": "admin"}));
    let canceled = audited(&world, "message.status").await;
    assert_eq!(canceled.len(), 30);
    assert!(canceled.iter().all(|event| event["by"] == json!({"operator": "admin"})), "{canceled:?}");
    pause(&world, "none").await;
    world.until(&format!("/v1/messages/{}", after[0]), |message| message["sending"]["status"] == "sent").await;
    let sent: Vec<_> = world.carrier.sent().iter().map(|text| text.message.0.to_string()).collect();
    assert!(before.iter().all(|message| !sent.contains(message)), "nothing that was taken back leaves");
}

#[tokio::test]
async fn nothing_is_canceled_without_a_preview_of_this_tenant() {
    let world = World::start().await;
    pause(&world, "all").await;
    queue(&world, 0, 3).await;
    let preview = world.post("/v1/admin/queue/cancel", json!({})).await;
    let token = &preview["confirm"];
    let bodies = [
        (json!({"preview": false}), "confirm"),
        (json!({"preview": false, "channel": "demo-line"}), "confirm"),
        (json!({"preview": false, "channel": "demo-line", "confirm": token}), "confirm"),
        (json!({"preview": true, "confirm": token}), "preview"),
        (json!({"preview": false, "confirm": "00ff"}), "confirm"),
        (json!({"preview": false, "confirm": "not hex"}), "confirm"),
        (json!({"older_than_s": -1}), "older_than_s"),
    ];
    for (body, field) in bodies {
        let admin = world.demo(Role::Admin);
        let answer = world.ask(&admin, Method::POST, "/v1/admin/queue/cancel", Some(&body)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["field"]), (400, &json!(field)), "{body}: {}", answer.body);
    }
    let eve = world.token("other", "eve", Role::Admin, DEADLINE);
    let body = json!({"preview": false, "confirm": token});
    let theirs = world.ask(&eve, Method::POST, "/v1/admin/queue/cancel", Some(&body)).await;
    assert!(theirs.status == 400 || theirs.body["texts"] == 0, "{}", theirs.body);
    assert_eq!(world.get("/v1/admin/queue").await["totals"]["texts"], 3, "all of it still waits");
}

#[tokio::test]
async fn a_long_queue_is_canceled_in_steps_while_others_are_served() {
    let world = World::start().await;
    pause(&world, "all").await;
    let texts = 1_200;
    for start in (0..texts).step_by(60) {
        let some = (start..start + 60).map(|number| queue(&world, number, 1));
        futures_util::future::join_all(some).await;
    }
    let preview = world.post("/v1/admin/queue/cancel", json!({})).await;
    assert_eq!(preview["texts"], texts);
    let first = json!({"preview": false, "confirm": preview["confirm"]});
    let (step, reply) = tokio::join!(
        world.post("/v1/admin/queue/cancel", first),
        world.receive("demo", "+13125550001", "is anybody there?")
    );
    assert!(reply.conversation.is_some());
    let done = step["texts"].as_u64().unwrap();
    assert!((1..texts as u64).contains(&done), "a step is bounded: {done}");
    // Whoever lost the answer confirms the first one again: the rest goes, nothing twice.
    let (rest, _) = confirm(&world, &preview).await;
    assert_eq!(done + rest, texts as u64);
    world.until("/v1/admin/queue", |page| page["totals"]["texts"] == 0).await;
    let stats = world.engine.tenant(&tenant("demo")).await.unwrap().stats().await.unwrap();
    assert_eq!(stats.open_texts, 0, "the lane of {} is empty", line("demo"));
}
