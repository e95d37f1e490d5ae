//! What bad input gets: a problem with a stable code, the field that is wrong, the request's id, and nothing of what
//! was sent.

use std::{sync::Arc, time::Duration};

use actors::memory::MemorySearch;
use deskwire::api::ApiLimits;
use reqwest::Method;
use schema::role::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::world::{Answer, World, limits};

fn is_problem(answer: &Answer, status: u16, code: &str, field: Option<&str>) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["code"], code, "{}", answer.body);
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["field"].as_str(), field, "{}", answer.body);
    assert_eq!(answer.body["request"].as_str().unwrap(), answer.headers["x-request-id"].to_str().unwrap());
}

#[tokio::test]
async fn a_body_that_is_wrong_names_the_field_and_repeats_nothing_of_it() {
    let world = World::start().await;
    let conversation = world.receive("demo", "+12125550001", "hi").await.conversation.unwrap();
    let token = world.demo(Role::Operator);
    let base = format!("/v1/conversations/{conversation}");
    let long = "x".repeat(1_601);
    let cases = [
        ("messages", json!({}), Some("text")),
        ("messages", json!({"text": 4_155_550_100_u64}), Some("text")),
        ("messages", json!({"text": ""}), Some("text")),
        ("messages", json!({"text": long}), Some("text")),
        ("messages", json!({"text": "hi", "idempotencyKey": "+14155550100"}), Some("idempotencyKey")),
        ("messages", json!({"text": "hi", "idempotency_key": ""}), Some("idempotency_key")),
        ("messages", json!({"text": "hi", "channel": "no such line!"}), Some("channel")),
        ("tags", json!({"add": ["fine", "+1 415 555 0100"]}), Some("add[1]")),
        ("snooze", json!({"until": 1}), Some("until")),
        ("snooze", json!({}), Some("until")),
        ("contact", json!({}), Some("name")),
        ("read", json!({"up_to": -1}), Some("up_to")),
        ("assign", json!([]), Some("body")),
    ];
    for (route, body, field) in cases {
        let answer = world.ask(&token, Method::POST, &format!("{base}/{route}"), Some(&body)).await;
        is_problem(&answer, 400, "invalid", field);
        let text = answer.body.to_string();
        assert!(!text.contains("555") || answer.body["request"].as_str().unwrap().contains("555"), "{text}");
    }
    let to = json!({"to": "not a number", "text": "x"});
    is_problem(&world.ask(&token, Method::POST, "/v1/messages", Some(&to)).await, 400, "invalid", Some("to"));
}

#[tokio::test]
async fn what_cannot_be_read_at_all_is_malformed() {
    let world = World::start().await;
    let token = world.demo(Role::Operator);
    for body in ["{", "nonsense", "{\"to\":\"+12125550001\",\"text\":\"x\"} {}"] {
        let request = world.request(Method::POST, "/v1/messages").bearer_auth(&token).body(body);
        is_problem(&world.send(request).await, 400, "malformed", None);
    }
    let form = world.request(Method::POST, "/v1/messages").bearer_auth(&token).header("content-type", "text/plain");
    is_problem(&world.send(form.body("{}")).await, 400, "malformed", None);
}

#[tokio::test]
async fn paths_and_queries_that_are_wrong_name_the_field() {
    let world = World::start().await;
    let token = world.demo(Role::Admin);
    let id = world.receive("demo", "+12125550001", "hi").await.conversation.unwrap();
    let cases = [
        ("/v1/conversations/7".to_owned(), "id"),
        ("/v1/messages/%FF".to_owned(), "id"),
        ("/v1/admin/templates/a%20b".to_owned(), "id"),
        ("/v1/inbox?limit=0".to_owned(), "limit"),
        ("/v1/inbox?limit=201".to_owned(), "limit"),
        ("/v1/inbox?limit=x".to_owned(), "limit"),
        ("/v1/inbox?cursor=abc".to_owned(), "cursor"),
        ("/v1/inbox?page=2".to_owned(), "page"),
        (format!("/v1/conversations/{id}/events?before=3&after=1"), "after"),
        (format!("/v1/conversations/{id}/events?before=-1"), "before"),
        ("/v1/search".to_owned(), "q"),
        ("/v1/search?q=%3F".to_owned(), "q"),
        (format!("/v1/search?q={}", "a".repeat(201)), "q"),
    ];
    for (path, field) in cases {
        is_problem(&world.ask(&token, Method::GET, &path, None).await, 400, "invalid", Some(field));
    }
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_problems_too() {
    let world = World::start().await;
    let token = world.demo(Role::Admin);
    for path in ["/", "/v1", "/v2/inbox", "/v1/inbox/", "/v1/conversations"] {
        is_problem(&world.ask(&token, Method::GET, path, None).await, 404, "not_found", None);
    }
    is_problem(&world.ask(&token, Method::DELETE, "/v1/inbox", None).await, 405, "method_not_allowed", None);
    let missing = "/v1/messages/0190b2e4-7d1a-7000-8000-000000000000";
    is_problem(&world.ask(&token, Method::GET, missing, None).await, 404, "not_found", None);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_kept() {
    let world = World::start().await;
    let body = json!({"to": "+12125550001", "text": "x".repeat(140_000)});
    let answer = world.ask(&world.demo(Role::Operator), Method::POST, "/v1/messages", Some(&body)).await;
    is_problem(&answer, 413, "too_large", None);
}

#[tokio::test]
async fn the_longest_note_fits_however_a_client_spells_it() {
    let world = World::start().await;
    let id = world.receive("demo", "+12125550001", "hello").await.conversation.unwrap();
    let body = format!(r#"{{"text":"{}"}}"#, r"\ud83d\ude00".repeat(10_000));
    let request = world.request(Method::POST, &format!("/v1/conversations/{id}/notes"));
    let request = request.bearer_auth(world.demo(Role::Operator)).header("content-type", "application/json").body(body);
    let answer = world.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_body_that_never_ends_gets_408() {
    let short = ApiLimits { body_within: Duration::from_millis(100), ..limits() };
    let world = World::with(short, Arc::new(MemorySearch::default())).await;
    let mut socket = tokio::net::TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 100\r\n\r\n{{",
        world.demo(Role::Operator)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = tokio::time::timeout(super::world::DEADLINE, socket.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn an_offset_beyond_the_log_is_not_waited_for() {
    let world = World::start().await;
    let token = world.demo(Role::Viewer);
    for at_least in ["1000000", "9007199254740992"] {
        let answer = world.ask(&token, Method::GET, &format!("/v1/inbox?at_least={at_least}"), None).await;
        is_problem(&answer, 400, "invalid", Some("at_least"));
    }
}
