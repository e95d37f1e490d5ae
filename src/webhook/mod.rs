//! The carriers' door: raw bytes in, a durable command, then the 200.
//!
//! It knows routes, limits and answers. What a signature is, what the fields mean and what a 200 says is behind the
//! `Inbound` port; it has never heard of TwiML.

mod answer;
mod gate;

use std::{sync::Arc, time::Duration};

use actors::{
    engine::Engine,
    ports::{Answer, Arrival, ChannelEntry, Hook, Inbound, LineScript, Moment, RawWebhook, Tell},
    trace,
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, Uri, header},
    response::Response,
    routing::post,
};
use schema::{
    command,
    event::{Origin, Via},
    ids::{ChannelId, ConversationId, RequestId},
    problem::{Code, Problem},
    settings::ChannelSettings,
};

use answer::Refused;
use gate::{Gates, Permit};

/// Twilio's signature header.
const TWILIO_SIGNATURE: &str = "x-twilio-signature";

/// Limits of the door.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Largest body, in bytes.
    pub body_max: usize,
    /// Time for a body to arrive.
    pub body_timeout: Duration,
    /// Time for a command to become durable. Twilio waits 15 s in all.
    pub request_timeout: Duration,
    /// Webhooks under way at once, of all lines.
    pub in_flight_max: usize,
    /// Webhooks under way at once, of one line.
    pub line_in_flight_max: usize,
    /// Webhooks of one line, a second.
    pub line_per_s: u32,
    /// Webhooks of one line at once.
    pub line_burst: u32,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            body_max: 128 * 1024,
            body_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            in_flight_max: 8_192,
            line_in_flight_max: 2_048,
            line_per_s: 500,
            line_burst: 1_000,
        }
    }
}

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct WebhookState(Arc<Door>);

struct Door {
    engine: Engine,
    twilio: Arc<dyn Inbound>,
    settings: WebhookSettings,
    gates: Gates,
}

impl WebhookState {
    /// Over an engine and the carrier's way in.
    pub fn new(engine: Engine, twilio: Arc<dyn Inbound>, settings: WebhookSettings) -> Self {
        let gates = Gates::new(&settings);
        Self(Arc::new(Door { engine, twilio, settings, gates }))
    }
}

/// `POST /webhooks/twilio/{channel}/sms|status|voice`.
pub fn router(state: WebhookState) -> Router {
    let limit = DefaultBodyLimit::max(state.0.settings.body_max);
    let twilio = post(twilio).fallback(method_not_allowed).layer(limit);
    Router::new().route("/webhooks/twilio/{channel}/{hook}", twilio).with_state(state)
}

async fn method_not_allowed(State(state): State<WebhookState>) -> Response {
    answer::problem(state.0.engine.ports().ids.request(), &Problem::new(Code::MethodNotAllowed))
}

async fn twilio(
    State(state): State<WebhookState>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let door = &*state.0;
    let id = door.engine.ports().ids.request();
    let Some((channel, hook)) = path.ok().and_then(|Path((channel, hook))| door.route(&channel, &hook)) else {
        return answer::refused(id, "unknown", &Refused::Unknown);
    };
    let clock = &door.engine.ports().clock;
    let (caller, began) = (caller(request.headers()), clock.now());
    let response = match door.receive(&channel, hook, request, id).await {
        Ok(answer) => answer::accepted(id, hook, answer),
        Err(refused) => answer::refused(id, hook.as_str(), &refused),
    };
    let status = u64::from(response.status().as_u16());
    trace::edge(id, Via::Webhook, (began, clock.now()), status, caller);
    response
}

/// The span of whoever called, if they say so; linked, never trusted.
fn caller(headers: &HeaderMap) -> Option<trace::Link> {
    trace::traceparent(headers.get("traceparent").filter(|_| trace::is_on())?.to_str().ok()?)
}

impl Door {
    fn route(&self, channel: &str, hook: &str) -> Option<(ChannelEntry, Hook)> {
        let hook = [Hook::Sms, Hook::Status, Hook::Voice].into_iter().find(|known| known.as_str() == hook)?;
        let channel = self.engine.directory().channel(&ChannelId::new(channel).ok()?)?;
        Some((channel, hook))
    }

    /// Nothing is stored before the signature is verified, and nothing is answered before it is durable.
    async fn receive(
        &self,
        channel: &ChannelEntry,
        hook: Hook,
        request: Request,
        id: RequestId,
    ) -> Result<Answer, Refused> {
        let _permit: Permit = self.gates.enter(&channel.channel)?;
        let uri = request.uri().clone();
        let headers = request.headers().clone();
        let body = self.body(request).await?;
        let Arrival { command, by, tell } = self.twilio.receive(&raw(channel, hook, &uri, &headers, &body))?;
        let mut conversation = None;
        if let Some(command) = command {
            let origin = Origin { by, via: Via::Webhook, request: id };
            let submitted = self.engine.submit(&channel.tenant, command::Request { command, origin, key: None });
            let reply = tokio::time::timeout(self.settings.request_timeout, submitted).await;
            conversation = reply.map_err(|_| Refused::TooSlow)??.conversation;
        }
        match tell {
            Tell::Answer(answer) => Ok(answer),
            Tell::Script { channel: line, moment } => self.script(channel, &line, moment, conversation).await,
        }
    }

    /// What the line's settings say. Asked only for a webhook that is genuine.
    async fn script(
        &self,
        channel: &ChannelEntry,
        line: &ChannelId,
        moment: Moment,
        conversation: Option<ConversationId>,
    ) -> Result<Answer, Refused> {
        let settings = tokio::time::timeout(self.settings.request_timeout, self.engine.settings(&channel.tenant)).await;
        let settings = settings.map_err(|_| Refused::TooSlow)??;
        let unset = ChannelSettings::new(channel.address.clone(), channel.account.clone());
        let configured = settings.channels.get(line).unwrap_or(&unset);
        let script = LineScript {
            channel: line,
            voice: &configured.voice,
            business: configured.business(&settings.tenant),
            greeting: &settings.greeting(configured),
            conversation,
        };
        Ok(self.twilio.script(moment, &script))
    }

    async fn body(&self, request: Request) -> Result<Bytes, Refused> {
        let claimed =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if claimed.is_some_and(|length: usize| length > self.settings.body_max) {
            return Err(Refused::TooLarge);
        }
        let body = Bytes::from_request(request, &());
        match tokio::time::timeout(self.settings.body_timeout, body).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(rejection)) if rejection.status().as_u16() == Code::TooLarge.status() => Err(Refused::TooLarge),
            Ok(Err(_)) => Err(Refused::Broken),
            Err(_) => Err(Refused::BodyTimeout),
        }
    }
}

fn raw<'a>(
    channel: &'a ChannelEntry,
    hook: Hook,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> RawWebhook<'a> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    RawWebhook {
        hook,
        channel,
        target: uri.path_and_query().map_or("", |target| target.as_str()),
        content_type: header(header::CONTENT_TYPE.as_str()),
        signature: header(TWILIO_SIGNATURE),
        body,
    }
}
