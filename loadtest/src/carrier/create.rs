//! One create request: read, checked as Twilio checks it, taken or not as its fate says.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use schema::{address::E164, segments};
use serde_json::Value;

use super::{
    callbacks,
    fault::{Fate, magic},
    message::Message,
    rest::ApiError,
    state::{Carrier, now},
};

/// Longest text.
const BODY_MAX: usize = 1_600;
/// Most media.
const MEDIA_MAX: usize = 10;

/// What came of it.
pub(super) struct Created {
    pub(super) fate: Fate,
    pub(super) json: Value,
}

/// The parameters that matter.
#[derive(Default)]
struct Request {
    to: String,
    from: String,
    body: String,
    media: Vec<String>,
    callback: Option<String>,
    validity: Option<String>,
}

impl Request {
    fn read(body: &[u8]) -> Self {
        let mut request = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            match &*name {
                "To" => request.to = value,
                "From" => request.from = value,
                "Body" => request.body = value,
                "MediaUrl" => request.media.push(value),
                "StatusCallback" => request.callback = Some(value),
                "ValidityPeriod" => request.validity = Some(value),
                _ => {}
            }
        }
        request
    }
}

pub(super) async fn create(carrier: &Arc<Carrier>, account: &str, body: &[u8]) -> Result<Created, ApiError> {
    let request = Request::read(body);
    check(carrier, account, &request)?;
    let fate = carrier.fate(&request.to);
    let message = message(account, request);
    if fate.takes() {
        carrier.take(&message);
        callbacks::start(carrier.clone(), message.clone(), fate);
    }
    tokio::time::sleep(wait(carrier, fate)).await;
    match fate {
        Fate::Refuse(code) => Err(bad(code, "The request was refused")),
        Fate::TooMany => Err(too_many(carrier.faults().retry_after_s)),
        _ => Ok(Created { fate, json: message.to_json() }),
    }
}

fn wait(carrier: &Carrier, fate: Fate) -> Duration {
    match fate {
        Fate::Stall => Duration::from_millis(carrier.faults().stall_ms),
        _ => carrier.draw(carrier.latency().answer),
    }
}

fn message(account: &str, request: Request) -> Message {
    let kind = if request.media.is_empty() { "SM" } else { "MM" };
    let at = now();
    Message {
        sid: format!("{kind}{}", uuid::Uuid::new_v4().simple()),
        account: account.to_owned(),
        segments: segments::count(&request.body).segments,
        from: request.from,
        to: request.to,
        body: request.body,
        media: request.media,
        status: "queued".to_owned(),
        error: None,
        inbound: false,
        created_us: at,
        sent_us: None,
        updated_us: at,
        callback: request.callback,
        validity_s: request.validity.and_then(|seconds| seconds.parse().ok()),
    }
}

fn bad(code: u32, message: &'static str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, code, message)
}

fn too_many(retry_after_s: u32) -> ApiError {
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, 20_429, "Too Many Requests");
    ApiError { retry_after_s: Some(retry_after_s), ..error }
}

/// In Twilio's order, with its codes (twilio.com/docs/api/errors).
fn check(carrier: &Carrier, account: &str, request: &Request) -> Result<(), ApiError> {
    if request.to.is_empty() {
        return Err(bad(21_604, "A 'To' phone number is required."));
    }
    if request.from.is_empty() {
        return Err(bad(21_603, "A 'From' phone number is required."));
    }
    if request.body.is_empty() && request.media.is_empty() {
        return Err(bad(21_602, "Message body is required."));
    }
    if request.body.chars().count() > BODY_MAX {
        return Err(bad(21_617, "The concatenated message body exceeds the 1600 character limit"));
    }
    if request.media.len() > MEDIA_MAX {
        return Err(bad(21_623, "Number of media files exceeds allowed limit"));
    }
    check_parameters(request)?;
    if let Some(code) = magic(&request.from, &request.to) {
        return Err(bad(code, "The number is one of the test credentials"));
    }
    check_numbers(carrier, account, request)
}

fn check_parameters(request: &Request) -> Result<(), ApiError> {
    let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
    if !request.callback.as_ref().is_none_or(is_url) {
        return Err(bad(21_609, "The 'StatusCallback' URL is not a valid URL"));
    }
    if !request.media.iter().all(is_url) {
        return Err(bad(21_620, "Invalid media URL(s)"));
    }
    let seconds = request.validity.as_ref().map(|text| text.parse::<u32>());
    match seconds {
        None | Some(Ok(1..=36_000)) => Ok(()),
        Some(_) => Err(bad(21_624, "Invalid 'ValidityPeriod' value")),
    }
}

fn check_numbers(carrier: &Carrier, account: &str, request: &Request) -> Result<(), ApiError> {
    if !request.to.starts_with('+') || E164::new(&request.to).is_err() {
        return Err(bad(21_211, "The 'To' number is not a valid phone number."));
    }
    if carrier.line(&request.from).is_none_or(|line| line.account != account) {
        return Err(bad(21_606, "The 'From' phone number provided is not a valid, message-capable phone number"));
    }
    if carrier.keeps_opt_outs() && carrier.store(|store| store.opted_out(&request.from, &request.to)) {
        return Err(bad(21_610, "Attempt to send to unsubscribed recipient"));
    }
    Ok(())
}
