//! What a carrier is told: 200 in its own language, or a problem. Each refusal is counted by its cause.

use std::time::Duration;

use actors::{
    handle::Refusal,
    ports::{Answer, Hook, InboundError},
};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schema::{
    ids::RequestId,
    problem::{Code, Problem},
};

/// The request's id, the same as in logs and events.
const REQUEST_ID: &str = "x-request-id";

/// Why a webhook was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("no such line or hook")]
    Unknown,
    #[error("too many webhooks")]
    TooMany,
    #[error("body is larger than allowed")]
    TooLarge,
    #[error("body did not arrive in time")]
    BodyTimeout,
    #[error("body broke off")]
    Broken,
    #[error("not durable in time")]
    TooSlow,
    #[error(transparent)]
    Inbound(#[from] InboundError),
    #[error(transparent)]
    Engine(#[from] Refusal),
}

impl Refused {
    fn problem(&self) -> Problem {
        let wait = Duration::from_secs(1);
        match self {
            Self::Unknown => Problem::new(Code::NotFound),
            Self::TooMany => Problem::new(Code::TooManyRequests).retry_after(wait),
            Self::TooLarge => Problem::new(Code::TooLarge),
            Self::BodyTimeout => Problem::new(Code::RequestTimeout).retry_after(wait),
            Self::Broken => Problem::new(Code::Malformed),
            Self::TooSlow => Problem::new(Code::Unavailable).retry_after(wait),
            Self::Inbound(InboundError::Forged) => Problem::new(Code::BadSignature),
            Self::Inbound(InboundError::Malformed(what)) => Problem::new(Code::Malformed).detail(*what),
            Self::Inbound(InboundError::Invalid { field, detail }) => {
                Problem::new(Code::Invalid).field(field.clone()).detail(*detail)
            }
            Self::Engine(refusal) => refusal.problem(),
        }
    }
}

/// The 200: what it asked for is durable.
pub(super) fn accepted(id: RequestId, hook: Hook, answer: Answer) -> Response {
    count(hook.as_str(), "accepted");
    let body = match answer.body {
        std::borrow::Cow::Borrowed(text) => Body::from(text),
        std::borrow::Cow::Owned(text) => Body::from(text),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    identify(response, id)
}

/// A refusal, counted. Its log line names the request and nothing that came with it.
pub(super) fn refused(id: RequestId, hook: &'static str, refused: &Refused) -> Response {
    let problem = refused.problem();
    count(hook, problem.code.as_str());
    tracing::debug!(request = %id, hook, code = problem.code.as_str(), "webhook refused: {refused}");
    self::problem(id, &problem)
}

/// RFC 9457.
pub(super) fn problem(id: RequestId, problem: &Problem) -> Response {
    let problem = Problem { request: Some(id), ..problem.clone() };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&problem).expect("plain values always serialize");
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    identify(response, id)
}

fn identify(mut response: Response, id: RequestId) -> Response {
    let id = HeaderValue::try_from(id.to_string()).expect("a UUID is a header value");
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn count(hook: &'static str, outcome: &'static str) {
    metrics::counter!("deskwire_webhooks_total", "hook" => hook, "outcome" => outcome).increment(1);
}
