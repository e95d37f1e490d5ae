//! Traces as a collector gets them: real OTLP from the real binary.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use futures_util::{SinkExt as _, StreamExt as _};
use loadtest::carrier::{CallEnd, Calling, CarrierConfig, CarrierHandle, CarrierServer, Latency, Spread, Texting};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as Any,
    trace::v1::{ResourceSpans, Span},
};
use prost::Message as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    process::{Server, free_port, run},
    wait::{DEADLINE, until},
};

const CONTACT: &str = "+14155550100";

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ResourceSpans>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let kept = collector.clone();
        let take = move |body: Bytes| {
            let decoded = ExportTraceServiceRequest::decode(body).expect("protobuf");
            kept.0.lock().unwrap().extend(decoded.resource_spans);
            std::future::ready(StatusCode::OK)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (collector, url)
    }

    fn spans(&self) -> Vec<Span> {
        let kept = self.0.lock().unwrap();
        let scopes = kept.iter().flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// The spans of a request.
    fn trace(&self, request: &str) -> Trace {
        let id = hex::decode(request.replace('-', "")).unwrap();
        Trace(self.spans().into_iter().filter(|span| span.trace_id == id).collect())
    }
}

struct Trace(Vec<Span>);

impl Trace {
    fn named(&self, name: &str) -> Vec<&Span> {
        self.0.iter().filter(|span| span.name == name).collect()
    }

    /// The names from a span up to the first.
    fn way_to(&self, span: &Span) -> Vec<&str> {
        let mut way = vec![];
        let mut next = self.0.iter().find(|other| other.span_id == span.span_id);
        while let Some(span) = next {
            way.push(span.name.as_str());
            next = self.0.iter().find(|other| other.span_id == span.parent_span_id);
            assert!(next.is_some() || span.parent_span_id.is_empty(), "{} has a parent that is not there", span.name);
        }
        way.reverse();
        way
    }

    /// The way to each span of this name.
    fn ways(&self, name: &str) -> Vec<String> {
        let mut ways: Vec<String> = self.named(name).iter().map(|span| self.way_to(span).join(" > ")).collect();
        ways.sort();
        ways.dedup();
        ways
    }
}

struct World {
    server: Server,
    carrier: CarrierHandle,
    directory: TempDir,
    client: reqwest::Client,
}

impl World {
    async fn start(collector: &str, more: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let carrier_url = format!("http://{listen}");
        let mut environment = vec![
            ("DESKWIRE__DEMO__ENABLED", "true"),
            ("DESKWIRE__DEMO__CARRIER_URL", &carrier_url),
            ("DESKWIRE__TELEMETRY__OTLP_ENDPOINT", collector),
            ("DESKWIRE__TELEMETRY__OTLP_INTERVAL_MS", "50"),
            ("DESKWIRE__STREAM__DRAIN_SPREAD_MS", "50"),
        ];
        environment.extend_from_slice(more);
        let server = Server::start_in(directory.path(), &environment);
        let file = Toml::file_exact(directory.path().join("data/demo-carrier.toml"));
        let config: CarrierConfig =
            Figment::from(Serialized::defaults(CarrierConfig::default())).merge(file).extract().unwrap();
        // Callbacks come after the answer: they are requests of their own.
        let latency = Latency { sent: Spread::exactly(500.0), delivered: Spread::exactly(500.0), ..Latency::none() };
        let config = CarrierConfig { listen, latency, call_speed: 1_000.0, ..config };
        let carrier = CarrierServer::start(config).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { server, carrier, directory, client }
    }

    fn token(&self) -> String {
        let data = self.directory.path().join("data").display().to_string();
        let arguments = ["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"];
        let output = run(&arguments, &[("DESKWIRE__DATA__DIRECTORY", &data)]);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn text(&self) {
        let text = Texting { from: CONTACT.to_owned(), body: "hello".to_owned(), ..Texting::default() };
        assert_eq!(self.carrier.text(&text).await.status, 200);
    }
}

/// Reads a dashboard's pushes up to one of this type; all of them.
async fn follow(world: &World, act: impl AsyncFnOnce(), last: impl Fn(&Value) -> bool) -> Vec<Value> {
    let url = format!("{}/v1/stream", world.server.url().replacen("http", "ws", 1));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let connect = json!({"id": 1, "connect": {"token": world.token()}});
    socket.send(Message::text(connect.to_string())).await.unwrap();
    let first = socket.next().await.unwrap().unwrap();
    assert!(first.to_text().unwrap().contains("\"connect\""), "{first}");
    act().await;
    let mut events = Vec::new();
    let reading = async {
        while !events.last().is_some_and(&last) {
            let message = socket.next().await.expect("the stream is open").unwrap();
            let lines = message.to_text().unwrap_or_default().lines();
            let values = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            events.extend(values.map(|value| value["push"]["pub"]["data"].clone()).filter(Value::is_object));
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.expect("the last event is pushed");
    events
}

#[tokio::test]
async fn one_trace_leads_from_the_webhook_to_the_push_and_to_the_carrier_and_its_id_is_in_the_events() {
    let (collector, url) = Collector::start().await;
    let world = World::start(&url, &[]).await;
    let missed = Calling { from: CONTACT.to_owned(), end: CallEnd::NoAnswer, ..Calling::default() };
    let call = async || assert_eq!(world.carrier.call(&missed).await.status, 200);
    let is_sent = |event: &Value| event["type"] == "message.status" && event["data"]["status"] == "sent";
    let events = follow(&world, call, is_sent).await;
    let request = |kind: &str| {
        let event = events.iter().find(|event| event["type"] == kind).unwrap_or_else(|| panic!("{kind}: {events:?}"));
        event["request"].as_str().unwrap_or_else(|| panic!("no request: {event}")).to_owned()
    };
    let id = request("call.missed");
    for kind in ["message.queued", "message.claimed", "message.status"] {
        assert_eq!(request(kind), id, "{kind}");
    }
    until("the status's push to be exported", async || collector.trace(&id).named("session.push").len() >= 3).await;
    let trace = collector.trace(&id);
    let submit = "webhook.receive > tenant.submit";
    let claim = format!("{submit} > outbox.claim");
    let status = format!("{claim} > carrier.send > message.status");
    assert_eq!(trace.ways("carrier.send"), [format!("{claim} > carrier.send")]);
    let after = |end: &str| {
        let mut ways = [submit, &claim, &status].map(|way| format!("{way} > log.append{end}"));
        ways.sort();
        ways
    };
    assert_eq!(trace.ways("log.append"), after(""));
    assert_eq!(trace.ways("feed.publish"), after(" > feed.publish"));
    assert_eq!(trace.ways("session.push"), after(" > feed.publish > session.push"));
    assert_eq!(trace.named("webhook.receive").len(), 1);
    for span in &trace.0 {
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano && span.start_time_unix_nano > 0, "{span:?}");
        assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
    }
    nothing_personal(&collector);
}

/// No name, number or text of a contact, and nothing that names the tenant.
fn nothing_personal(collector: &Collector) {
    for resource in collector.0.lock().unwrap().iter() {
        let attributes = &resource.resource.as_ref().unwrap().attributes;
        let service = attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
        assert_eq!(service.value.as_ref().unwrap().value, Some(Any::StringValue("deskwire".to_owned())));
    }
    for span in collector.spans() {
        let said = format!("{:?} {:?}", span.attributes, span.events);
        for word in ["4155550100", "demo", "hello", "missed your call", "Harbour"] {
            assert!(!said.contains(word), "{}: {said}", span.name);
        }
    }
}

#[tokio::test]
async fn a_command_over_rest_is_traced_by_its_request_id_and_links_to_its_callers_trace() {
    let (collector, url) = Collector::start().await;
    let world = World::start(&url, &[]).await;
    let token = world.token();
    let text = json!({"to": CONTACT, "text": "hello", "channel": "demo-line"});
    let sent = world.client.post(format!("{}/v1/messages", world.server.url())).bearer_auth(&token).json(&text);
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let sent = sent.header("idempotency-key", "once").header("traceparent", caller).send().await.unwrap();
    let id = sent.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    until("the text to be sent", async || !collector.trace(&id).named("carrier.send").is_empty()).await;
    let trace = collector.trace(&id);
    assert_eq!(trace.ways("carrier.send"), ["api.request > tenant.submit > outbox.claim > carrier.send"]);
    let links = &trace.named("api.request")[0].links;
    assert_eq!(hex::encode(&links[0].trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex::encode(&links[0].span_id), "00f067aa0ba902b7");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_exported_yet_is_at_the_drain() {
    let (collector, url) = Collector::start().await;
    let world = World::start(&url, &[("DESKWIRE__TELEMETRY__OTLP_INTERVAL_MS", "60000")]).await;
    world.text().await;
    assert!(world.server.terminate().success());
    let names: Vec<String> = collector.spans().into_iter().map(|span| span.name).collect();
    assert!(names.iter().any(|name| name == "webhook.receive"), "{names:?}");
}

#[tokio::test]
async fn a_collector_that_is_dead_harms_nothing_and_the_lost_spans_are_counted() {
    let dead = format!("http://127.0.0.1:{}", free_port());
    let world = World::start(&dead, &[("DESKWIRE__TELEMETRY__OTLP_QUEUE_MAX", "64")]).await;
    for _ in 0..50 {
        world.text().await;
    }
    let counted = async |reason: &str| {
        let metrics = world.client.get(format!("{}/metrics", world.server.url())).send().await.unwrap();
        metrics.text().await.unwrap().contains(&format!("deskwire_trace_spans_dropped_total{{reason=\"{reason}\"}}"))
    };
    until("the lost spans to be counted", async || counted("collector").await).await;
    assert_eq!(world.server.log().matches("traces are dropped").count(), 1, "{}", world.server.log());
    assert!(world.server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_sampled_leaves_no_span() {
    let (collector, url) = Collector::start().await;
    let world = World::start(&url, &[("DESKWIRE__TELEMETRY__OTLP_SAMPLE_RATIO", "0.0")]).await;
    world.text().await;
    assert!(world.server.terminate().success());
    assert!(collector.spans().is_empty());
}
