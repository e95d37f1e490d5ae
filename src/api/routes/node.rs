//! What operates a node: is it alive, can it serve, what does it measure.

use std::net::SocketAddr;

use axum::{
    Extension,
    extract::{ConnectInfo, State},
    http::{HeaderMap, header},
    response::IntoResponse,
};
use schema::problem::{Code, Problem};

use crate::api::{ApiState, answer::Failure};

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "node", security(()), responses((status = 200, body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The node can serve. Fails only for what a restart or another node would cure.
#[utoipa::path(get, path = "/readyz", tag = "node", security(()), responses((status = 200, body = String),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn readyz(State(state): State<ApiState>) -> Result<&'static str, Failure> {
    (state.parts().ready)().map_err(|reason| {
        let problem = Problem::new(Code::Unavailable).detail(reason);
        problem.retry_after(std::time::Duration::from_secs(1))
    })?;
    Ok("ready\n")
}

/// Metrics as Prometheus reads them; from this machine only, and not through a proxy.
#[utoipa::path(get, path = "/metrics", tag = "node", security(()), responses((status = 200, body = String),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn metrics(
    State(state): State<ApiState>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    let near = peer.is_some_and(|Extension(ConnectInfo(peer))| peer.ip().to_canonical().is_loopback());
    if !near || headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for") {
        return Err(Failure::new(Code::Forbidden));
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (state.parts().metrics)()))
}
