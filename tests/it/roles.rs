//! Role by operation: docs/roles.md says who may do what, and every cell of it is tried on the real edges.
//!
//! The rows come from where operations are made: the OpenAPI document, the list of RPC methods, the stream's commands. One
//! that is missing in the page, or stands there and does not exist, fails.

use std::{collections::BTreeMap, path::Path};

use deskwire::session::RPC_METHODS;
use reqwest::Method;
use schema::role::Role;
use serde_json::{Value, json};

use crate::{api::world as rest, stream::world as stream};

const ID: &str = "0190b2e4-7d1a-7000-8000-000000000000";
/// What every role is let in to, with no token at all.
const EVERYBODY: &str = "everybody";
/// Only with a token of tenant `system`.
const SYSTEM: &str = "system";

/// What the page says: operation, then a word for each role from least to most.
fn table() -> BTreeMap<String, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/roles.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        let operation = cells.next().unwrap().trim_matches('`').to_owned();
        let roles: Vec<String> = cells.take(Role::ALL.len()).collect();
        assert_eq!(roles.len(), Role::ALL.len(), "{line}");
        (operation, roles)
    })
    .collect()
}

/// The stream's own commands, with what they take.
fn commands() -> Vec<(String, &'static str, Value)> {
    let of = |name: &str, method, body| (format!("stream {name}"), method, body);
    vec![
        of("connect", "connect", json!({})),
        of("refresh", "refresh", json!({})),
        of("subscribe inbox", "subscribe", json!({"channel": "inbox:demo"})),
        of("subscribe conversation", "subscribe", json!({"channel": format!("conversation:{ID}")})),
        of("subscribe operator (one's own)", "subscribe", json!({"channel": "operator:self"})),
        of("subscribe operator (another's)", "subscribe", json!({"channel": "operator:somebody"})),
        of("subscribe presence", "subscribe", json!({"channel": "presence:demo"})),
        of("history", "history", json!({"channel": "inbox:demo", "limit": 1})),
        of("presence", "presence", json!({"channel": "presence:demo"})),
        of("presence_stats", "presence_stats", json!({"channel": "presence:demo"})),
        of("publish", "publish", json!({"channel": "inbox:demo", "data": {}})),
    ]
}

/// What a REST operation says to a role: `yes`, `no`, or a word of its own.
async fn asked(world: &rest::World, role: Role, name: &str, path: &str) -> &'static str {
    let id = if path.contains("/admin/") { "demo-line" } else { ID };
    let (method, url): (Method, _) = (name.to_uppercase().parse().unwrap(), path.replace("{id}", id));
    let body = rest::body_for(path, name);
    let bare = world.send(world.request(method.clone(), &url)).await;
    if bare.status != 401 {
        return EVERYBODY;
    }
    let answer = world.ask(&world.demo(role), method.clone(), &url, body.as_ref()).await;
    assert!(answer.status != 401 && answer.status.as_u16() < 500, "{name} {path} as {role:?}: {}", answer.body);
    if answer.status != 403 {
        return "yes";
    }
    let hour = std::time::Duration::from_secs(3_600);
    let theirs = world.token("system", "root", role, hour);
    let answer = world.ask(&theirs, method, &url, body.as_ref()).await;
    if answer.status == 403 { "no" } else { SYSTEM }
}

async fn over_rest() -> BTreeMap<String, Vec<String>> {
    let world = rest::World::start().await;
    let document = world.send(world.request(Method::GET, "/v1/openapi.json")).await.body;
    let mut seen = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for name in item.as_object().unwrap().keys() {
            let mut cells = Vec::new();
            for role in Role::ALL {
                cells.push(asked(&world, role, name, path).await.to_owned());
            }
            seen.insert(format!("{} {path}", name.to_uppercase()), cells);
        }
    }
    seen
}

/// The error's code; 0: none. Each on a connection of its own, for errors in a row end one.
async fn code(world: &stream::World, role: Role, method: &str, body: Value) -> u64 {
    let mut client = world.dial().await;
    let connected = client.call("connect", json!({"token": world.token("self", role)})).await;
    if method == "connect" {
        return connected["error"]["code"].as_u64().unwrap_or(0);
    }
    let body = if method == "refresh" { json!({"token": world.token("self", role)}) } else { body };
    client.call(method, body).await["error"]["code"].as_u64().unwrap_or(0)
}

async fn over_the_stream() -> BTreeMap<String, Vec<String>> {
    let world = stream::World::start().await;
    let mut operations = commands();
    for (method, _) in RPC_METHODS {
        let body = json!({"method": method, "data": {"conversation": ID}});
        operations.push((format!("rpc {method}"), "rpc", body));
    }
    let mut seen = BTreeMap::new();
    for (operation, method, body) in operations {
        let mut cells = Vec::new();
        for role in Role::ALL {
            let code = code(&world, role, method, body.clone()).await;
            assert!(![100, 101, 104, 107].contains(&code), "{operation} as {role:?}: {code}");
            cells.push(if code == 103 { "no" } else { "yes" }.to_owned());
        }
        seen.insert(operation, cells);
    }
    seen
}

#[tokio::test]
async fn every_role_may_do_over_rest_and_stream_what_the_table_says_and_nothing_else() {
    let mut seen = over_rest().await;
    seen.extend(over_the_stream().await);
    assert!(seen.len() > 70, "{} operations", seen.len());
    let said = table();
    let mut wrong = Vec::new();
    for operation in seen.keys().chain(said.keys()).collect::<std::collections::BTreeSet<_>>() {
        if seen.get(operation) != said.get(operation) {
            let row = seen.get(operation).map(|cells| format!("| `{operation}` | {} |", cells.join(" | ")));
            wrong.push(row.unwrap_or_else(|| format!("there is no `{operation}`")));
        }
    }
    assert!(wrong.is_empty(), "docs/roles.md and the engine differ; the engine says:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn only_an_owner_makes_and_unmakes_owners_or_touches_their_passwords() {
    let world = rest::World::start().await;
    let (admin, owner) = (world.demo(Role::Admin), world.demo(Role::Owner));
    let put = |token: String, role: Value| {
        let world = &world;
        async move {
            let body = json!({"role": role});
            world.ask(&token, Method::PUT, "/v1/admin/operators/olga", Some(&body)).await.status.as_u16()
        }
    };
    let invite = json!({"operator": "olga", "email": "olga@desk.example", "role": "owner"});
    let invited = |token: String| {
        let (world, invite) = (&world, &invite);
        async move { world.ask(&token, Method::POST, "/v1/admin/invitations", Some(invite)).await.status.as_u16() }
    };
    assert_eq!(invited(admin.clone()).await, 403);
    assert_eq!(put(admin.clone(), json!("owner")).await, 403);
    assert_eq!(invited(owner.clone()).await, 200);
    let reset = |token: String| {
        let world = &world;
        async move { world.ask(&token, Method::POST, "/v1/admin/operators/olga/reset", None).await.status.as_u16() }
    };
    assert_eq!((reset(admin.clone()).await, reset(owner.clone()).await), (403, 200));
    for less in [json!("admin"), Value::Null] {
        assert_eq!(put(admin.clone(), less.clone()).await, 403);
        assert_eq!(put(owner.clone(), less).await, 409, "the last owner");
    }
    let listed = world.get("/v1/admin/operators").await;
    let row = &listed["rows"][0];
    assert_eq!((row["email"].as_str(), row["sign_in"].as_str()), (Some("olga@desk.example"), Some("invited")));
    let log = world.get("/v1/audit").await.to_string();
    assert!(log.contains("settings.credential") && !log.contains("olga@desk.example"), "{log}");
}
