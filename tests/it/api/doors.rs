//! Doors are shut by default; nothing of a tenant is reached by another; roles and rates hold.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use actors::memory::MemorySearch;
use deskwire::api::{self, ApiLimits};
use reqwest::Method;
use schema::role::Role;
use serde_json::Value;

use super::world::{World, body_for, limits};

/// What may be asked without a token.
const OPEN: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/v1/openapi.json"];

/// Every (method, path) of the document.
async fn documented(world: &World) -> Vec<(String, String)> {
    let answer = world.send(world.request(Method::GET, "/v1/openapi.json")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body["openapi"].as_str().unwrap().starts_with("3.1"), "{}", answer.body["openapi"]);
    let mut operations = Vec::new();
    for (path, item) in answer.body["paths"].as_object().unwrap() {
        operations.extend(item.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    assert!(operations.len() > 35, "the document holds only {} operations", operations.len());
    operations
}

fn method(name: &str) -> Method {
    name.to_uppercase().parse().unwrap()
}

fn filled(path: &str, id: &str) -> String {
    path.replace("{id}", id)
}

fn some_id(path: &str) -> &'static str {
    if path.contains("/admin/") { "demo-line" } else { "0190b2e4-7d1a-7000-8000-000000000000" }
}

#[tokio::test]
async fn every_route_without_a_token_answers_401() {
    let world = World::start().await;
    for (name, path) in documented(&world).await {
        let url = filled(&path, some_id(&path));
        let bare = world.send(world.request(method(&name), &url)).await;
        if OPEN.contains(&path.as_str()) {
            assert_eq!(bare.status, 200, "{name} {path}");
            continue;
        }
        assert_eq!(bare.status, 401, "{name} {path}: {}", bare.body);
        assert_eq!(bare.body["code"], "unauthorized", "{name} {path}");
        assert_eq!(bare.headers["www-authenticate"], "Bearer");
        let wrong = world.ask("not.a.token", method(&name), &url, body_for(&path, &name).as_ref()).await;
        assert_eq!(wrong.status, 401, "{name} {path}: {}", wrong.body);
    }
}

#[test]
fn the_document_says_which_routes_need_a_token() {
    let document = serde_json::to_value(api::document()).unwrap();
    assert_eq!(document["security"][0]["token"], Value::Array(vec![]));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (name, operation) in item.as_object().unwrap() {
            let open = OPEN.contains(&path.as_str());
            let says_open = operation["security"] == serde_json::json!([{}]);
            assert_eq!(open, says_open, "{name} {path}: {}", operation["security"]);
        }
    }
}

#[tokio::test]
async fn a_viewer_changes_nothing_but_how_they_want_their_desk_and_an_operator_administrates_nothing() {
    let world = World::start().await;
    let head = || async { world.engine.tenant(&super::world::tenant("demo")).await.unwrap().feed().position().offset };
    let before = head().await;
    for (name, path) in documented(&world).await {
        // How one wants one's own desk is everybody's business.
        if OPEN.contains(&path.as_str()) || path == "/v1/me/preferences" {
            continue;
        }
        let (url, body) = (filled(&path, some_id(&path)), body_for(&path, &name));
        let is_admins = path.starts_with("/v1/admin") || path == "/v1/audit" || path.ends_with("/consent");
        if is_admins {
            let answer = world.ask(&world.demo(Role::Operator), method(&name), &url, body.as_ref()).await;
            assert_eq!(answer.status, 403, "{name} {path}: {}", answer.body);
        }
        if is_admins || name != "get" {
            let answer = world.ask(&world.demo(Role::Viewer), method(&name), &url, body.as_ref()).await;
            assert_eq!(answer.status, 403, "{name} {path}: {}", answer.body);
            assert_eq!(answer.body["code"], "forbidden");
        }
    }
    assert_eq!(head().await, before, "nothing was stored");
}

#[tokio::test]
async fn another_tenants_ids_are_not_found_through_any_route() {
    let world = World::start().await;
    let theirs = world.receive("other", "+12125550001", "secret of the other").await;
    let (conversation, message) = (theirs.conversation.unwrap().to_string(), theirs.message.unwrap().to_string());
    let token = world.demo(Role::Admin);
    for (name, path) in documented(&world).await {
        // Settings that a tenant may name as it likes hold no id of another.
        let own_names = name == "put" && (path.ends_with("/templates/{id}") || path.contains("/operators/{id}"));
        if !path.contains("{id}") || own_names {
            continue;
        }
        let id = match path.split('/').nth(2).unwrap() {
            "conversations" => conversation.as_str(),
            "messages" => message.as_str(),
            _ if path.contains("/templates/") => "other-hello",
            _ if path.contains("/accounts/") => "other-account",
            _ => "other-line",
        };
        let answer = world.ask(&token, method(&name), &filled(&path, id), body_for(&path, &name).as_ref()).await;
        let claims = name == "put" && (path.ends_with("/channels/{id}") || path.ends_with("/accounts/{id}"));
        assert_eq!(answer.status, if claims { 409 } else { 404 }, "{name} {path}: {}", answer.body);
        assert!(!answer.body.to_string().contains("secret"), "{name} {path}");
    }
    let mine = world.get("/v1/inbox").await;
    assert_eq!(mine["rows"].as_array().unwrap().len(), 0);
    let found = world.get("/v1/search?q=secret").await;
    assert_eq!(found["hits"].as_array().unwrap().len(), 0);
    let by_number = world.get("/v1/search?q=%2B12125550001").await;
    assert!(by_number["contact"].is_null());
}

#[tokio::test]
async fn a_token_that_expired_or_is_of_no_tenant_is_refused() {
    let world = World::start().await;
    let expired = world.token("demo", "ana", Role::Admin, Duration::ZERO);
    let answer = world.ask(&expired, Method::GET, "/v1/inbox", None).await;
    assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (401, Some("token_expired")));
    let nobodys = world.token("nobody", "ana", Role::Admin, Duration::from_secs(60));
    let answer = world.ask(&nobodys, Method::GET, "/v1/inbox", None).await;
    assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (401, Some("unauthorized")));
}

#[tokio::test]
async fn what_the_tenant_configured_for_an_operator_wins_over_the_token() {
    let world = World::start().await;
    let ana = world.token("demo", "ana", Role::Admin, Duration::from_secs(60));
    assert_eq!(world.ask(&ana, Method::GET, "/v1/audit", None).await.status, 200);
    world.change(Method::PUT, "/v1/admin/operators/ana", serde_json::json!({"role": "viewer"})).await;
    assert_eq!(world.ask(&ana, Method::GET, "/v1/audit", None).await.status, 403);
    assert_eq!(world.ask(&ana, Method::GET, "/v1/inbox", None).await.status, 200);
    world.change(Method::PUT, "/v1/admin/operators/ana", serde_json::json!({"role": null})).await;
    let answer = world.ask(&ana, Method::GET, "/v1/inbox", None).await;
    assert_eq!(answer.status, 403, "revoked: {}", answer.body);
}

#[tokio::test]
async fn an_operator_over_the_rate_waits_and_others_do_not() {
    let few = NonZeroU32::new(3).unwrap();
    let slow = ApiLimits { requests_per_s: NonZeroU32::MIN, requests_burst: few, ..limits() };
    let world = World::with(slow, Arc::new(MemorySearch::default())).await;
    let ana = world.token("demo", "ana", Role::Viewer, Duration::from_secs(60));
    for _ in 0..3 {
        assert_eq!(world.ask(&ana, Method::GET, "/v1/inbox", None).await.status, 200);
    }
    let answer = world.ask(&ana, Method::GET, "/v1/inbox", None).await;
    assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (429, Some("too_many_requests")));
    assert_eq!(answer.headers["retry-after"], "1");
    let ben = world.token("demo", "ben", Role::Viewer, Duration::from_secs(60));
    assert_eq!(world.ask(&ben, Method::GET, "/v1/inbox", None).await.status, 200);
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_not_for_a_proxys_clients() {
    let world = World::start().await;
    let near = world.send(world.request(Method::GET, "/metrics")).await;
    assert_eq!((near.status.as_u16(), near.body), (200, Value::String("deskwire_up 1\n".to_owned())));
    let through = world.request(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(world.send(through).await.status, 403);
}

#[tokio::test]
async fn only_known_pages_may_call_from_a_browser() {
    let world = World::start().await;
    let ask = |origin: &'static str| {
        world
            .request(Method::OPTIONS, "/v1/inbox")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
    };
    let known = world.send(ask("https://desk.example")).await;
    assert_eq!(known.status, 204);
    assert_eq!(known.headers["access-control-allow-origin"], "https://desk.example");
    let unknown = world.send(ask("https://evil.example")).await;
    assert!(!unknown.headers.contains_key("access-control-allow-origin"));
    assert!(unknown.status.is_client_error());
}
