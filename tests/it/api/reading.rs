//! Reading: pages with positions, cursors without gaps, one's own writes, what roles see, what erasing leaves.

use std::collections::BTreeSet;

use reqwest::Method;
use schema::{ids::ConversationId, role::Role};
use serde_json::{Value, json};

use super::world::{World, tenant};

fn rows(page: &Value) -> &Vec<Value> {
    page["rows"].as_array().unwrap()
}

fn offsets(page: &Value) -> Vec<u64> {
    page["events"].as_array().unwrap().iter().map(|event| event["offset"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_row_says_who_wrote_what_and_where_to_resume() {
    let world = World::start().await;
    let reply = world.receive("demo", "+12125550001", "is anybody there?").await;
    let page = world.get("/v1/inbox").await;
    let feed = world.engine.tenant(&tenant("demo")).await.unwrap().feed().position();
    assert_eq!(page["epoch"], feed.epoch.to_string());
    assert_eq!(page["offset"], reply.offset.0);
    let row = &rows(&page)[0];
    assert_eq!(row["conversation"], reply.conversation.unwrap().to_string());
    assert_eq!(row["address"], "+12125550001");
    assert_eq!(row["last_message"]["text"], "is anybody there?");
    assert_eq!(row["last_message"]["direction"], "inbound");
    assert_eq!(row["unread"], 1);
    assert_eq!(row["last"], reply.offset.0);
    assert!(row["waiting_since"].is_u64());
    assert!(page.get("next").is_none());
}

#[tokio::test]
async fn pages_of_the_inbox_hold_every_conversation_once() {
    let world = World::start().await;
    for contact in 0..7 {
        world.receive("demo", &format!("+1212555000{contact}"), "hello").await;
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/v1/inbox?limit=3{next}")).await;
        seen.extend(rows(&page).iter().map(|row| row["address"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(seen.first().unwrap(), "+12125550006", "newest activity first");
    assert_eq!(seen.len(), 7);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 7);
}

#[tokio::test]
async fn a_resolved_conversation_moves_to_the_other_list() {
    let world = World::start().await;
    let id = world.receive("demo", "+12125550001", "hello").await.conversation.unwrap();
    let reply = world.post(&format!("/v1/conversations/{id}/resolve"), json!({})).await;
    let open = world.get(&format!("/v1/inbox?at_least={}", reply["offset"])).await;
    assert_eq!(rows(&open).len(), 0);
    assert_eq!(rows(&world.get("/v1/inbox?open=false").await)[0]["conversation"], id.to_string());
}

#[tokio::test]
async fn stretches_of_a_conversation_meet_without_gap_or_overlap() {
    let world = World::start().await;
    let mut id = None;
    for number in 0..10 {
        id = world.receive("demo", "+12125550001", &format!("message {number}")).await.conversation;
        world.receive("demo", "+12125550002", "somebody else").await;
    }
    let base = format!("/v1/conversations/{}/events", id.unwrap());
    let all = offsets(&world.get(&base).await);
    assert_eq!(all.len(), 11, "contact.created and ten messages");

    let mut backwards: Vec<u64> = Vec::new();
    let mut page = world.get(&format!("{base}?limit=4")).await;
    loop {
        backwards.splice(0..0, offsets(&page));
        let Some(before) = page["before"].as_u64() else { break };
        page = world.get(&format!("{base}?limit=4&before={before}")).await;
    }
    assert_eq!(backwards, all);

    let (mut forwards, mut after) = (Vec::new(), Some(0));
    while let Some(offset) = after {
        let page = world.get(&format!("{base}?limit=4&after={offset}")).await;
        forwards.extend(offsets(&page));
        after = page["after"].as_u64();
    }
    assert_eq!(forwards, all);
}

#[tokio::test]
async fn who_writes_something_reads_it() {
    let world = World::start().await;
    let id = world.receive("demo", "+12125550001", "hello").await.conversation.unwrap();
    for number in 0..20 {
        let sent =
            world.post(&format!("/v1/conversations/{id}/notes"), json!({"text": format!("note {number}")})).await;
        let page = world.get(&format!("/v1/conversations/{id}/events?limit=1&at_least={}", sent["offset"])).await;
        assert_eq!(page["events"][0]["text"], format!("note {number}"));
    }
}

#[tokio::test]
async fn a_viewer_reads_no_notes() {
    let world = World::start().await;
    let id = world.receive("demo", "+12125550001", "hello").await.conversation.unwrap();
    let note = world.post(&format!("/v1/conversations/{id}/notes"), json!({"text": "difficult"})).await;
    let path = format!("/v1/conversations/{id}/events?at_least={}", note["offset"]);
    let seen = world.ask(&world.demo(Role::Viewer), Method::GET, &path, None).await;
    assert_eq!(offsets(&seen.body).len(), 2);
    assert!(!seen.body.to_string().contains("difficult"));
    assert!(world.get(&path).await.to_string().contains("difficult"));
}

#[tokio::test]
async fn of_an_erased_contact_nothing_personal_is_left() {
    let world = World::start().await;
    let reply = world.receive("demo", "+12125550001", "my door code is 4711").await;
    let (id, message) = (reply.conversation.unwrap(), reply.message.unwrap());
    erase(&world, id).await;
    for path in [
        "/v1/inbox".to_owned(),
        format!("/v1/conversations/{id}"),
        format!("/v1/conversations/{id}/events"),
        format!("/v1/conversations/{id}/contact"),
        format!("/v1/messages/{message}"),
    ] {
        let body = world.get(&path).await.to_string();
        assert!(!body.contains("4711") && !body.contains("+1212"), "{path}: {body}");
        assert!(body.contains(r#""erased":true"#), "{path}: {body}");
    }
}

async fn erase(world: &World, id: ConversationId) {
    let views = &world.engine.ports().views;
    let stored = views.conversation(&tenant("demo"), id).await.unwrap().unwrap();
    let state = actors::conversation::State::load(&stored).unwrap();
    world.engine.vault().destroy(&tenant("demo"), state.key).await.unwrap();
}

#[tokio::test]
async fn a_contact_shows_its_latest_name_and_notes() {
    let world = World::start().await;
    let id = world.receive("demo", "+12125550001", "hello").await.conversation.unwrap();
    let path = format!("/v1/conversations/{id}/contact");
    world.post(&path, json!({"name": "Ana Maria", "notes": "two dogs"})).await;
    let last = world.post(&path, json!({"notes": "three dogs"})).await;
    let contact = world.get(&format!("{path}?at_least={}", last["offset"])).await;
    assert_eq!(contact["name"], "Ana Maria");
    assert_eq!(contact["notes"], "three dogs");
    assert_eq!(contact["address"], "+12125550001");
    assert_eq!(contact["consent"], "implied");
    assert_eq!(rows(&world.get("/v1/inbox").await)[0]["name"], "Ana Maria");
}
