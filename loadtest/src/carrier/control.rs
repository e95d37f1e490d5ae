//! The control interface: makes traffic, sets faults, shows messages and the meter. No part of Twilio's.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::{
    call::{self, Act, Call},
    door::{Absence, Rest},
    fault::{Fate, Faults},
    files::PICTURE_MAX,
    handset::{Handset, Received},
    message::Message,
    state::Carrier,
    store::Filter,
    traffic::{self, Calling, Texting},
    webhook::Delivery,
};
use crate::meter::Report;

pub(super) fn router(carrier: Arc<Carrier>) -> Router {
    Router::new()
        .route("/meter", get(meter))
        .route("/meter/reset", post(reset))
        .route("/control/inbound", post(inbound))
        .route("/control/call", post(call))
        .route("/control/redeliver", post(redeliver))
        .route("/control/messages", get(messages))
        .route("/control/script", post(script))
        .route("/control/faults", get(faults).post(set_faults))
        .route("/control/absence", get(absence).post(set_absence))
        .route("/control/calls", get(calls).post(start_call))
        .route("/control/calls/{sid}", get(one_call))
        .route("/control/calls/{sid}/act", post(act))
        .route("/control/handsets", post(set_handset))
        .route("/control/handsets/{number}", get(handset))
        .route("/control/handsets/{number}/received", get(received))
        .route("/control/pictures", post(picture).layer(DefaultBodyLimit::max(PICTURE_MAX)))
        .with_state(carrier)
}

type Shared = State<Arc<Carrier>>;

async fn meter(State(carrier): Shared) -> Json<Report> {
    Json(carrier.meter(|meter| meter.report()))
}

async fn reset(State(carrier): Shared) -> StatusCode {
    carrier.meter(|meter| meter.reset());
    StatusCode::NO_CONTENT
}

async fn inbound(State(carrier): Shared, Json(texting): Json<Texting>) -> Json<Delivery> {
    Json(traffic::text(&carrier, &texting).await)
}

async fn call(State(carrier): Shared, Json(calling): Json<Calling>) -> Json<Delivery> {
    Json(traffic::call(&carrier, &calling).await)
}

/// How long the carrier stays away, where it cannot be told to come back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leave {
    #[serde(default)]
    rest: Rest,
    #[serde(default)]
    webhooks: bool,
    /// Seconds after which it is back by itself; needed with `refuse`, which shuts this interface, too.
    for_s: Option<f64>,
}

async fn absence(State(carrier): Shared) -> Json<Absence> {
    Json(carrier.absence())
}

async fn set_absence(
    State(carrier): Shared,
    Json(leave): Json<Leave>,
) -> Result<StatusCode, (StatusCode, &'static str)> {
    let back_in = leave.for_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    if leave.rest == Rest::Refuse && back_in.is_none() {
        return Err((StatusCode::BAD_REQUEST, "refuse shuts this interface, too: say for_s"));
    }
    carrier.set_absence(Absence { rest: leave.rest, webhooks: leave.webhooks });
    if let Some(back_in) = back_in {
        let mut closing = carrier.closing();
        tokio::spawn(async move {
            tokio::select! {
                _ = closing.wait_for(|closed| *closed) => {}
                () = tokio::time::sleep(back_in) => carrier.set_absence(Absence::default()),
            }
        });
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct WantedCalls {
    from: Option<String>,
    /// Only those whose documents rang nobody.
    #[serde(default)]
    rang_nobody: bool,
    #[serde(default = "page")]
    limit: usize,
}

/// Newest first.
async fn calls(State(carrier): Shared, Query(wanted): Query<WantedCalls>) -> Json<Vec<Call>> {
    let is_wanted = |call: &Call| {
        wanted.from.as_ref().is_none_or(|from| *from == call.from) && (call.rang_nobody || !wanted.rang_nobody)
    };
    Json(carrier.book.list(wanted.limit, is_wanted))
}

async fn one_call(State(carrier): Shared, Path(sid): Path<String>) -> Result<Json<Call>, StatusCode> {
    carrier.book.get(&sid).map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// A person calls: what they do next comes through `act`.
async fn start_call(State(carrier): Shared, Json(calling): Json<Calling>) -> Result<Json<Sid>, StatusCode> {
    let line = call::line_for(&carrier, &calling.channel).ok_or(StatusCode::NOT_FOUND)?;
    if !carrier.handsets.get(&calling.from).on {
        return Err(StatusCode::CONFLICT);
    }
    Ok(Json(Sid { sid: call::start_live(&carrier, line, &calling) }))
}

async fn act(State(carrier): Shared, Path(sid): Path<String>, Json(act): Json<Act>) -> StatusCode {
    if carrier.book.act(&sid, act) { StatusCode::NO_CONTENT } else { StatusCode::CONFLICT }
}

async fn handset(State(carrier): Shared, Path(number): Path<String>) -> Json<Handset> {
    Json(carrier.handsets.get(&number))
}

async fn set_handset(State(carrier): Shared, Json(handset): Json<Handset>) -> StatusCode {
    let set = carrier.handsets.set(handset);
    carrier.changed();
    if set { StatusCode::NO_CONTENT } else { StatusCode::INSUFFICIENT_STORAGE }
}

async fn received(State(carrier): Shared, Path(number): Path<String>) -> Json<Vec<Received>> {
    Json(carrier.received(&number))
}

#[derive(Serialize)]
struct Kept {
    id: String,
}

/// A picture's bytes; its id may stand in the `media` of a text.
async fn picture(State(carrier): Shared, bytes: Bytes) -> Result<Json<Kept>, StatusCode> {
    let id = carrier.files.keep(bytes).ok_or(StatusCode::UNSUPPORTED_MEDIA_TYPE)?;
    Ok(Json(Kept { id }))
}

#[derive(Serialize, Deserialize)]
struct Sid {
    sid: String,
}

async fn redeliver(State(carrier): Shared, Json(sid): Json<Sid>) -> Result<Json<Delivery>, StatusCode> {
    traffic::redeliver(&carrier, &sid.sid).await.map(Json).ok_or(StatusCode::NOT_FOUND)
}

#[derive(Deserialize)]
struct Wanted {
    to: Option<String>,
    from: Option<String>,
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    100
}

/// Newest first.
async fn messages(State(carrier): Shared, Query(wanted): Query<Wanted>) -> Json<Vec<Message>> {
    let filter = Filter { to: wanted.to, from: wanted.from, ..Filter::default() };
    Json(carrier.store(|store| store.list(&filter).take(wanted.limit).cloned().collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    to: Option<String>,
    fates: Vec<Fate>,
}

async fn script(State(carrier): Shared, Json(script): Json<Script>) -> StatusCode {
    carrier.script(script.to.as_deref(), &script.fates);
    StatusCode::NO_CONTENT
}

async fn faults(State(carrier): Shared) -> Json<Faults> {
    Json(carrier.faults())
}

async fn set_faults(State(carrier): Shared, Json(faults): Json<Faults>) -> StatusCode {
    carrier.set_faults(faults);
    StatusCode::NO_CONTENT
}
