//! Cross-tenant reads and writes: every route of the OpenAPI document, every place in it that takes an id, a cursor or a
//! key, each with another tenant's. A route that is added is attacked by itself; a kind of id that is not known here
//! fails the test until somebody says what another tenant's would be.

use reqwest::Method;
use schema::{
    command::Command,
    ids::Offset,
    queue::{QueueConfirm, QueueFilter},
    role::Role,
};
use serde_json::{Value, json};

use crate::{
    api::world::{World, body_for, line, tenant},
    support::wait::until,
};

/// Stands in everything that is the other tenant's. One word: search shows what it found in pieces.
const CANARY: &str = "zebracanary";
const THEIR_NUMBER: &str = "+12125550199";

/// A place in a request that takes a value.
#[derive(Debug, Clone)]
struct Place {
    within: &'static str,
    path: Vec<String>,
    kind: String,
}

/// One request of the document.
struct Operation {
    method: String,
    path: String,
    places: Vec<Place>,
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(name) => resolved(document, document.pointer(name.trim_start_matches('#')).expect("a schema")),
        None => schema,
    }
}

/// The name of a schema that stands for an id; none: it is no id.
fn kind(schema: &Value) -> Option<String> {
    let name = schema["$ref"].as_str()?.rsplit('/').next()?;
    name.ends_with("Id").then(|| name.to_owned())
}

/// Every id in a body, and every text that is a key of ours by its name.
fn in_body(document: &Value, schema: &Value, path: &[String], found: &mut Vec<Place>) {
    if let Some(kind) = kind(schema) {
        return found.push(Place { within: "body", path: path.to_vec(), kind });
    }
    if matches!(path.last().map(String::as_str), Some("confirm" | "idempotency_key" | "to")) {
        let kind = path.last().cloned().unwrap_or_default();
        return found.push(Place { within: "body", path: path.to_vec(), kind });
    }
    let schema = resolved(document, schema);
    for choice in ["oneOf", "anyOf", "allOf"] {
        schema[choice].as_array().into_iter().flatten().for_each(|one| in_body(document, one, path, found));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        in_body(document, property, &[path, std::slice::from_ref(name)].concat(), found);
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut places = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap().to_owned();
                let within = match parameter["in"].as_str().unwrap() {
                    "path" => "path",
                    "query" => "query",
                    _ => "header",
                };
                let named = ["cursor", "after", "before", "at_least", "q", "idempotency-key"].contains(&name.as_str());
                let kind = kind(&parameter["schema"]).or_else(|| named.then(|| name.clone()));
                places.extend(kind.map(|kind| Place { within, path: vec![name], kind }));
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            in_body(document, body, &[], &mut places);
            operations.push(Operation { method: method.clone(), path: path.clone(), places });
        }
    }
    operations
}

/// What the other tenant has of each kind.
struct Theirs {
    conversation: String,
    message: String,
    cursor: String,
    head: u64,
}

impl Theirs {
    fn of(&self, kind: &str) -> Value {
        match kind {
            "ConversationId" => json!(self.conversation),
            "MessageId" => json!(self.message),
            "ChannelId" => json!("other-line"),
            "AccountId" => json!("other-account"),
            "TemplateId" => json!("other-hello"),
            "OperatorId" => json!("other-admin"),
            "TenantId" => json!("other"),
            "cursor" => json!(self.cursor),
            "confirm" => json!(preview()),
            "after" | "before" | "at_least" => json!(self.head),
            "idempotency-key" | "idempotency_key" => json!("their-key"),
            "q" => json!(CANARY),
            "to" => json!(THEIR_NUMBER),
            unknown => panic!("a route takes a {unknown}: say here what another tenant's would be"),
        }
    }
}

/// What a preview of their queue gives.
fn preview() -> String {
    let filter = QueueFilter { channel: Some(line("other")), ..QueueFilter::default() };
    QueueConfirm::new(&filter, Offset(1)).to_string()
}

/// Our tenant and theirs, what they have, and a conversation of ours.
async fn worlds() -> (World, Theirs, String) {
    let world = World::start().await;
    let mine = world.receive("demo", "+12125550001", "mine").await.conversation.unwrap().to_string();
    let received = world.receive("other", THEIR_NUMBER, CANARY).await;
    let token = theirs(&world);
    let conversation = received.conversation.unwrap().to_string();
    let path = format!("/v1/conversations/{conversation}");
    for (way, body) in [
        ("notes", json!({"text": CANARY})),
        ("contact", json!({"name": CANARY, "notes": CANARY})),
        ("tags", json!({"add": [CANARY]})),
    ] {
        let answer = world.ask(&token, Method::POST, &format!("{path}/{way}"), Some(&body)).await;
        assert_eq!(answer.status, 200, "{way}: {}", answer.body);
    }
    let sent = world.request(Method::POST, &format!("{path}/messages")).bearer_auth(&token);
    let sent = world.send(sent.header("idempotency-key", "their-key").json(&json!({"text": CANARY}))).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    let head = sent.body["offset"].as_u64().unwrap();
    world.engine.tenant(&tenant("other")).await.unwrap().viewed(Offset(head)).await.unwrap();
    // Found by themselves, so that a search that finds nothing proves something.
    let found = async || world.ask(&token, Method::GET, &format!("/v1/search?q={CANARY}"), None).await.body;
    until("their text to be found", async || found().await["hits"].as_array().is_some_and(|hits| !hits.is_empty()))
        .await;
    let cursor = format!("{:016x}{}", u64::MAX, conversation.replace('-', ""));
    let message = sent.body["message"].as_str().unwrap().to_owned();
    (world, Theirs { conversation, message, cursor, head }, mine)
}

fn theirs(world: &World) -> String {
    world.token("other", "other-admin", Role::Admin, std::time::Duration::from_secs(3_600))
}

async fn head(world: &World, of: &str) -> u64 {
    world.engine.tenant(&tenant(of)).await.unwrap().feed().position().offset.0
}

/// One request with another tenant's value in one place, everything else our own.
async fn attack(
    (world, token): (&World, &str),
    operation: &Operation,
    place: &Place,
    value: &Value,
    mine: &str,
) -> (u16, String) {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let own = if operation.path.contains("/conversations/") { mine } else { "demo-line" };
    let id = if place.within == "path" { text.as_str() } else { own };
    let mut body = body_for(&operation.path, &operation.method);
    if place.within == "body" {
        let pointer = place.path.iter().fold(body.get_or_insert_with(|| json!({})), |at, name| &mut at[name]);
        *pointer = value.clone();
    }
    let mut path = operation.path.replace("{id}", id);
    if place.within == "query" {
        path = format!("{path}?{}={}", place.path[0], text.replace('+', "%2B"));
    }
    let method: Method = operation.method.to_uppercase().parse().unwrap();
    let mut request = world.request(method, &path).bearer_auth(token);
    if place.within == "header" {
        request = request.header(place.path[0].as_str(), text.as_str());
    }
    if let Some(body) = &body {
        request = request.json(body);
    }
    let answer = world.send(request).await;
    (answer.status.as_u16(), format!("{} {:?}", answer.body, answer.headers))
}

#[tokio::test]
async fn no_place_of_any_route_leads_to_another_tenant() {
    let (world, theirs, mine) = worlds().await;
    let document = world.get("/v1/openapi.json").await;
    let before = head(&world, "other").await;
    let (mut attacks, mut paths, token) = (0, 0, world.demo(Role::Admin));
    for operation in operations(&document) {
        for place in &operation.places {
            let value = theirs.of(&place.kind);
            let (status, answer) = attack((&world, &token), &operation, place, &value, &mine).await;
            let what = format!("{} {} with their {} in {}", operation.method, operation.path, place.kind, place.within);
            assert!(status < 500, "{what}: {status} {answer}");
            for secret in [CANARY, THEIR_NUMBER, "Hello from other", &theirs.conversation, &theirs.message] {
                // An error may repeat the id that was asked for.
                let is_asked = value.as_str() == Some(secret) && secret.len() == 36;
                assert!(is_asked || !answer.contains(secret), "{what} shows {secret}: {answer}");
            }
            // What names something by an id that only they have finds nothing.
            if matches!(place.kind.as_str(), "ConversationId" | "MessageId") && place.within == "path" {
                assert_eq!(status, 404, "{what}: {answer}");
                paths += 1;
            }
            // A preview of a line that is not there is empty; everything else that names one is refused.
            if place.kind == "ChannelId" && operation.method != "get" && !operation.path.ends_with("/cancel") {
                assert!(status >= 400, "{what}: {status} {answer}");
            }
            attacks += 1;
        }
    }
    assert!(attacks > 80 && paths > 15, "only {attacks} attacks, {paths} of them on ids in paths");
    assert_eq!(head(&world, "other").await, before, "something of ours was written to their log");
}

#[tokio::test]
async fn the_same_attacks_with_their_own_token_show_what_is_theirs() {
    let (world, mine_of_theirs, _) = worlds().await;
    let document = world.get("/v1/openapi.json").await;
    let (token, mut seen) = (theirs(&world), Vec::new());
    for operation in operations(&document).iter().filter(|operation| operation.method == "get") {
        for place in &operation.places {
            let value = mine_of_theirs.of(&place.kind);
            let own = &mine_of_theirs.conversation;
            let (_, answer) = attack((&world, &token), operation, place, &value, own).await;
            if [CANARY, THEIR_NUMBER, "Hello from other"].iter().any(|secret| answer.contains(secret)) {
                seen.push(operation.path.clone());
            }
        }
    }
    for path in
        ["/v1/conversations/{id}", "/v1/conversations/{id}/events", "/v1/messages/{id}", "/v1/search", "/v1/inbox"]
    {
        assert!(
            seen.iter().any(|seen| seen == path),
            "{path} shows nothing even to its owner: the attack proves nothing; {seen:?}"
        );
    }
}

#[tokio::test]
async fn an_account_names_no_path_of_its_carrier() {
    let world = World::start().await;
    for carrier_id in ["../../x", "AC1/Messages.json?x=", "AC1\r\nX: y", "AC 1", "AC1@evil.example"] {
        let body = json!({"carrier_id": carrier_id, "auth_token": "secret"});
        let path = "/v1/admin/accounts/demo-account";
        let answer = world.ask(&world.demo(Role::Admin), Method::PUT, path, Some(&body)).await;
        assert_eq!((answer.status.as_u16(), answer.body["field"].as_str()), (400, Some("carrier_id")), "{carrier_id}");
    }
}

#[tokio::test]
async fn no_command_or_channel_of_the_stream_leads_to_another_tenant() {
    let world = crate::stream::world::World::start().await;
    world.found("other", "+15550100002").await;
    let other = schema::ids::TenantId::new("other").unwrap();
    let message = schema::command::ReceiveMessage {
        channel: line("other"),
        from: schema::address::Address::from_carrier(THEIR_NUMBER).unwrap(),
        carrier_id: "SM1".to_owned(),
        text: CANARY.to_owned(),
        media: vec![],
        segments: 1,
        carrier_keyword: None,
    };
    let received = world.submit_to(&other, Command::Receive(message)).await;
    let (conversation, message) = (received.conversation.unwrap().to_string(), received.message.unwrap().to_string());
    let their_head = async || world.engine.tenant(&other).await.unwrap().feed().position().offset;
    let before = their_head().await;
    let mut client = world.connect("ana", Role::Admin).await;

    let mut replies = Vec::new();
    for channel in [
        "inbox:other".to_owned(),
        "presence:other".to_owned(),
        "operator:other-admin".to_owned(),
        format!("conversation:{conversation}"),
    ] {
        for method in ["subscribe", "unsubscribe", "history", "presence", "presence_stats", "publish", "sub_refresh"] {
            let position = json!({"channel": channel, "recover": true, "epoch": "1", "offset": 1, "limit": -1});
            replies.push((method, client.call(method, position).await));
        }
    }
    for method in METHODS {
        let data = json!({
            "conversation": conversation, "message": message, "to": {"conversation": conversation}, "text": "x",
            "operator": "other-admin", "until": u64::MAX / 4, "add": ["x"], "up_to": 1, "name": "x", "how": "phone",
            "when": 1, "words": "x", "why": "spam", "reason": "x", "typing": true, "channel": "other-line", "idempotency_key": format!("{method}-key"),
            "after": format!("{:016x}{}", u64::MAX, conversation.replace('-', "")),
        });
        replies.push((method, client.rpc(method, data).await));
    }
    for (method, reply) in &replies {
        assert!(!reply.to_string().contains(CANARY), "{method}: {reply}");
        let is_harmless = ["unsubscribe", "inbox.page", "typing.set"].contains(method);
        assert!(is_harmless || reply["error"].is_object(), "{method}: {reply}");
    }
    assert_eq!(their_head().await, before, "something of ours was written to their log");

    let mut other_door = world.dial().await;
    let subs = json!({"inbox:other": {"recover": true, "epoch": "1", "offset": 0}});
    let token = world.token("ana", Role::Admin);
    assert_eq!(other_door.error("connect", json!({"token": token, "subs": subs})).await, 103);
}

/// Every method of the stream.
const METHODS: [&str; 19] = [
    "message.send",
    "message.retry",
    "message.cancel",
    "note.add",
    "conversation.assign",
    "conversation.resolve",
    "conversation.reopen",
    "conversation.snooze",
    "conversation.tag",
    "conversation.mark_read",
    "conversation.called",
    "contact.update",
    "contact.opt_out",
    "contact.opt_in",
    "contact.block",
    "contact.unblock",
    "contact.record_consent",
    "inbox.page",
    "typing.set",
];

#[test]
fn every_method_of_the_stream_is_attacked() {
    for file in ["src/session/rpc.rs"] {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let arms = code.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => "));
        let methods: Vec<&str> = arms.map(|(method, _)| method).collect();
        assert!(methods.len() >= METHODS.len(), "only {methods:?} were found");
        for method in methods {
            assert!(METHODS.contains(&method), "{method} is attacked by nobody");
        }
    }
}
