//! The control interface: makes traffic, sets faults, shows messages and the meter. No part of Twilio's.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    fault::{Fate, Faults},
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

#[derive(Deserialize)]
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
