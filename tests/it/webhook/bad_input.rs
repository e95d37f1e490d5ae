//! What bad input gets, line by line; and that nothing of it is stored.

use std::time::Duration;

use actors::memory::Failure;
use deskwire::webhook::WebhookSettings;
use loadtest::{
    carrier::{DEMO_ACCOUNT, DEMO_ADDRESS, DEMO_TOKEN},
    signature::sign,
};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::world::{CONTACT, World};

const SMS: &str = "/webhooks/twilio/demo-line/sms";

fn form(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let base = [("AccountSid", DEMO_ACCOUNT), ("To", DEMO_ADDRESS), ("MessageSid", "SM1"), ("From", CONTACT)];
    base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn client() -> Client {
    Client::builder().no_proxy().build().expect("the carrier installed a provider")
}

async fn post(world: &World, path: &str, form: &[(String, String)], signature: &str) -> Response {
    let request = client().post(world.url(path)).header("X-Twilio-Signature", signature).form(form);
    request.send().await.expect("answered")
}

async fn signed(world: &World, path: &str, form: &[(String, String)]) -> Response {
    let signature = sign(DEMO_TOKEN, &world.url(path), form);
    post(world, path, form, &signature).await
}

/// Status and stable code of a problem; its request id stands in body and header.
async fn problem(response: Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    assert_eq!(header("content-type").as_deref(), Some("application/problem+json"));
    let (id, retry_after) = (header("x-request-id"), header("retry-after"));
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["request"].as_str(), id.as_deref());
    assert_eq!(body["retry_after_s"].as_u64().map(|seconds| seconds.to_string()), retry_after);
    (status, body["code"].as_str().unwrap_or_default().to_owned(), body)
}

#[tokio::test]
async fn an_unsigned_or_wrongly_signed_webhook_is_refused_and_not_stored() {
    let world = World::start().await;
    let before = world.facts().await.len();
    let form = form(&[("Body", "hi")]);
    for signature in [String::new(), "bm9uc2Vuc2U=".to_owned(), sign("wrong", &world.url(SMS), &form)] {
        let (status, code, _) = problem(post(&world, SMS, &form, &signature).await).await;
        assert_eq!((status, code.as_str()), (403, "bad_signature"));
    }
    assert_eq!(world.facts().await.len(), before);
    assert_eq!(signed(&world, SMS, &form).await.status(), 200, "the same, rightly signed");
}

#[tokio::test]
async fn an_unknown_line_or_hook_is_not_found() {
    let world = World::start().await;
    for path in ["/webhooks/twilio/nobody/sms", "/webhooks/twilio/demo-line/fax", "/webhooks/twilio/%ff/sms"] {
        let (status, code, _) = problem(signed(&world, path, &form(&[])).await).await;
        assert_eq!((status, code.as_str()), (404, "not_found"), "{path}");
    }
    let (status, code, _) = problem(client().get(world.url(SMS)).send().await.expect("answered")).await;
    assert_eq!((status, code.as_str()), (405, "method_not_allowed"));
}

#[tokio::test]
async fn a_malformed_webhook_names_the_field() {
    let world = World::start().await;
    let before = world.facts().await.len();
    let cases = [
        (SMS, form(&[("Body", "hi"), ("NumMedia", "x")]), "NumMedia"),
        (SMS, form(&[("Body", "hi"), ("NumMedia", "1")]), "MediaUrl0"),
        ("/webhooks/twilio/demo-line/voice", form(&[("CallStatus", "no-answer")]), "CallSid"),
        ("/webhooks/twilio/demo-line/status", form(&[("MessageStatus", "sent")]), "c"),
    ];
    for (path, form, field) in cases {
        let (status, code, body) = problem(signed(&world, path, &form).await).await;
        assert_eq!((status, code.as_str(), body["field"].as_str()), (400, "invalid", Some(field)));
    }
    assert_eq!(world.facts().await.len(), before);
}

#[tokio::test]
async fn an_over_large_webhook_is_refused_before_it_is_read() {
    let world = World::with(WebhookSettings { body_max: 2_000, ..WebhookSettings::default() }).await;
    let large = form(&[("Body", &"x".repeat(3_000))]);
    let (status, code, _) = problem(signed(&world, SMS, &large).await).await;
    assert_eq!((status, code.as_str()), (413, "too_large"));
    let mut socket = TcpStream::connect(world.address).await.expect("listens");
    let head = format!("POST {SMS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("taken");
    let chunk = format!("{:x}\r\n{}\r\n", 3_000, "x".repeat(3_000));
    socket.write_all(chunk.as_bytes()).await.expect("taken");
    assert!(answer(&mut socket).await.starts_with("HTTP/1.1 413"), "also when it does not say its length");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let body_timeout = Duration::from_millis(50);
    let world = World::with(WebhookSettings { body_timeout, ..WebhookSettings::default() }).await;
    let mut socket = TcpStream::connect(world.address).await.expect("listens");
    let head = format!("POST {SMS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nMessage");
    socket.write_all(head.as_bytes()).await.expect("taken");
    assert!(answer(&mut socket).await.starts_with("HTTP/1.1 408"));
}

async fn answer(socket: &mut TcpStream) -> String {
    let mut answer = vec![0; 64];
    let reading = tokio::time::timeout(Duration::from_secs(10), socket.read_exact(&mut answer)).await;
    reading.expect("in time").expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_flood_is_refused_with_a_time_to_come_back() {
    let settings = WebhookSettings { line_per_s: 1, line_burst: 2, ..WebhookSettings::default() };
    let world = World::with(settings).await;
    let forms: Vec<_> = (0..4).map(|number| form(&[("Body", "hi"), ("X", &number.to_string())])).collect();
    let mut answers = Vec::new();
    for form in &forms {
        answers.push(signed(&world, SMS, form).await);
    }
    let refused = answers.pop().expect("four");
    assert_eq!(answers[0].status(), 200);
    let (status, code, _) = problem(refused).await;
    assert_eq!((status, code.as_str()), (429, "too_many_requests"));
}

#[tokio::test]
async fn nothing_is_acknowledged_while_the_store_is_away() {
    let world = World::start().await;
    world.log.fail_next(1, Failure::Unavailable);
    let form = form(&[("Body", "hi")]);
    let (status, code, _) = problem(signed(&world, SMS, &form).await).await;
    assert_eq!((status, code.as_str()), (503, "unavailable"));
    assert_eq!(world.count("message.received").await, 0);
    assert_eq!(signed(&world, SMS, &form).await.status(), 200, "the carrier's retry");
    assert_eq!(world.count("message.received").await, 1);
}

#[tokio::test]
async fn bytes_of_any_kind_get_an_answer() {
    let world = World::start().await;
    let before = world.facts().await.len();
    let bodies: [&[u8]; 5] = [b"", b"\xff\xfe\x00", b"%%%&&&===", b"{\"a\":", b"From=%ff%fe&From"];
    for body in bodies {
        for content_type in ["application/x-www-form-urlencoded", "application/json", "text/plain", "\u{1}"] {
            let request = client().post(world.url(SMS)).body(body).header("X-Twilio-Signature", "x");
            let request = if content_type == "\u{1}" { request } else { request.header("Content-Type", content_type) };
            let (status, code, _) = problem(request.send().await.expect("answered")).await;
            assert_eq!((status, code.as_str()), (403, "bad_signature"));
        }
    }
    assert_eq!(world.facts().await.len(), before);
}
