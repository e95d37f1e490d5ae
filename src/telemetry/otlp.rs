//! Traces leave by OTLP: protobuf over HTTP, in batches, behind a bounded queue. A collector that is away or slow costs
//! spans, which are counted, and nothing else.

use std::time::Duration;

use actors::trace::{Link, Span, Value};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{self as otlp, ResourceSpans, ScopeSpans, span::SpanKind},
};
use prost::Message as _;
use tokio::{
    sync::{mpsc::Receiver, oneshot},
    task::JoinHandle,
};

use crate::config::Telemetry;

/// Spans of one export: some hundred bytes each.
const BATCH: usize = 512;
/// Exports of the same batch before it is dropped.
const ATTEMPTS: u32 = 3;
/// First wait before another attempt; doubles.
const AGAIN: Duration = Duration::from_millis(500);

/// The exporter, running.
pub struct Traces {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    within: Duration,
}

struct Exporter {
    client: reqwest::Client,
    url: String,
    resource: Resource,
    interval: Duration,
    /// The collector failed last time: said once.
    is_away: bool,
}

/// Why a batch did not arrive.
enum Failure {
    /// Another attempt may help.
    Passing(String),
    /// It would fail again.
    Lasting(String),
}

impl Traces {
    /// Begins to trace, if the configuration names a collector. Once per process.
    pub fn start(telemetry: &Telemetry) -> Result<Option<Self>, reqwest::Error> {
        if telemetry.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let within = telemetry.otlp_timeout_ms.duration();
        // The first to come installs it; a provider that is there already will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().timeout(within).build()?;
        let url = format!("{}/v1/traces", telemetry.otlp_endpoint.trim_end_matches('/'));
        let exporter = Exporter {
            client,
            url,
            resource: resource(&telemetry.otlp_service_name),
            interval: telemetry.otlp_interval_ms.duration(),
            is_away: false,
        };
        let spans = actors::trace::start(telemetry.otlp_sample_ratio, telemetry.otlp_queue_max);
        Ok(spans.map(|spans| {
            let (stop, stopping) = oneshot::channel();
            Self { stop, task: tokio::spawn(exporter.run(spans, stopping)), within }
        }))
    }

    /// Exports what is left, for no longer than one export may take.
    pub async fn flush(self) {
        drop(self.stop);
        if tokio::time::timeout(self.within, self.task).await.is_err() {
            tracing::warn!("the last traces could not be exported in time");
        }
    }
}

impl Exporter {
    async fn run(mut self, mut spans: Receiver<Span>, mut stop: oneshot::Receiver<()>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let is_last = tokio::select! {
                () = gather(&mut spans, &mut batch, self.interval) => false,
                _ = &mut stop => true,
            };
            if is_last {
                break;
            }
            self.export(&batch, ATTEMPTS).await;
            batch.clear();
        }
        loop {
            while batch.len() < BATCH
                && let Ok(span) = spans.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            self.export(&batch, 1).await;
            batch.clear();
        }
    }

    async fn export(&mut self, batch: &[Span], attempts: u32) {
        let body = self.encode(batch);
        let mut wait = AGAIN;
        for attempt in 1..=attempts {
            match self.post(body.clone()).await {
                Ok(()) => {
                    self.is_away = false;
                    metrics::counter!("deskwire_trace_spans_exported_total").increment(batch.len() as u64);
                    return;
                }
                Err(Failure::Passing(_)) if attempt < attempts && !self.is_away => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Err(Failure::Passing(why) | Failure::Lasting(why)) => {
                    if !std::mem::replace(&mut self.is_away, true) {
                        tracing::warn!(%why, "traces are dropped until the collector takes them again");
                    }
                    break;
                }
            }
        }
        metrics::counter!("deskwire_trace_spans_dropped_total", "reason" => "collector").increment(batch.len() as u64);
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), Failure> {
        let request = self.client.post(&self.url).header("content-type", "application/x-protobuf").body(body);
        let answer = request.send().await.map_err(|error| Failure::Passing(error.without_url().to_string()))?;
        let status = answer.status();
        let why = || format!("the collector answered {status}");
        // What may be tried again: OTLP/HTTP, "Failures".
        match status.as_u16() {
            200..300 => Ok(()),
            429 | 502..=504 => Err(Failure::Passing(why())),
            _ => Err(Failure::Lasting(why())),
        }
    }

    fn encode(&self, batch: &[Span]) -> Vec<u8> {
        let scope = InstrumentationScope { name: "deskwire".to_owned(), ..InstrumentationScope::default() };
        let spans = batch.iter().map(span).collect();
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
        let resource = Some(self.resource.clone());
        let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }
}

/// Returns with a full batch, or with what came until `interval` after the first.
async fn gather(spans: &mut Receiver<Span>, batch: &mut Vec<Span>, interval: Duration) {
    if batch.is_empty() && spans.recv_many(batch, BATCH).await == 0 {
        return std::future::pending().await;
    }
    let more = async { while batch.len() < BATCH && spans.recv_many(batch, BATCH - batch.len()).await > 0 {} };
    // Nothing is lost: what was received is in the batch.
    drop(tokio::time::timeout(interval, more).await);
}

fn resource(service: &str) -> Resource {
    let attributes = vec![
        attribute("service.name", &Value::Text(service.to_owned())),
        attribute("service.version", &Value::Text(env!("CARGO_PKG_VERSION").to_owned())),
    ];
    Resource { attributes, ..Resource::default() }
}

fn span(span: &Span) -> otlp::Span {
    let kind = match (span.name, span.parent) {
        ("carrier.send", _) => SpanKind::Client,
        (_, None) => SpanKind::Server,
        _ => SpanKind::Internal,
    };
    otlp::Span {
        trace_id: span.request.0.as_bytes().to_vec(),
        span_id: span.id.to_be_bytes().to_vec(),
        parent_span_id: span.parent.map_or(Vec::new(), |parent| parent.to_be_bytes().to_vec()),
        name: span.name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: span.from.0.saturating_mul(1_000),
        end_time_unix_nano: span.to.0.max(span.from.0).saturating_mul(1_000),
        attributes: span.attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
        links: span.links.iter().map(link).collect(),
        ..otlp::Span::default()
    }
}

fn link(link: &Link) -> otlp::span::Link {
    let (trace_id, span_id) = (link.trace.to_be_bytes().to_vec(), link.span.to_be_bytes().to_vec());
    otlp::span::Link { trace_id, span_id, ..otlp::span::Link::default() }
}

fn attribute(key: &str, value: &Value) -> KeyValue {
    let value = match value {
        Value::Text(text) => any_value::Value::StringValue(text.clone()),
        Value::Number(number) => any_value::Value::IntValue(i64::try_from(*number).unwrap_or(i64::MAX)),
    };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
