//! The operators' stream at `/v1/stream`: Centrifugo client protocol, JSON, version 2.
//!
//! A session is a pipe: frames to commands, events to frames. No business rule lives here; it sees handles, ports,
//! schema and auth, and nothing of adapters or of the other edges.

mod channel;
mod commands;
mod connect;
mod connection;
mod desk;
mod drain;
mod echo;
mod fanout;
mod filter;
mod history;
mod lane;
mod limits;
mod publication;
mod recover;
mod rpc;
mod subscribe;
mod transport;

use std::sync::Arc;

use actors::{engine::Engine, presence::ClientId};
use axum::{
    Extension, Router,
    extract::{State, WebSocketUpgrade, ws::WebSocket},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use schema::problem::{Code, Problem};

use self::{drain::Drain, fanout::FanOuts, limits::Seats};
pub use self::{
    echo::echo, lane::Wire, limits::StreamLimits, rpc::METHODS as RPC_METHODS, rpc::command as rpc_command,
};
use crate::auth::Authenticator;

/// The protocol's name in `Sec-WebSocket-Protocol`.
const PROTOCOL: &str = "centrifuge-json";

/// What all sessions of a node share. Cheap to clone.
#[derive(Clone)]
pub struct StreamState(Arc<Inner>);

struct Inner {
    engine: Engine,
    auth: Arc<Authenticator>,
    limits: StreamLimits,
    origins: Vec<String>,
    seats: Arc<Seats>,
    drain: Drain,
    fan_outs: Arc<FanOuts>,
}

impl StreamState {
    /// `origins`: what browsers may come from (`https://desk.example`), beside the node's own origin.
    /// Requests without an `Origin` do not come from browsers and pass.
    pub fn new(engine: Engine, auth: Arc<Authenticator>, limits: StreamLimits, origins: Vec<String>) -> Self {
        let seats = Arc::new(Seats::new(&limits));
        let drain = Drain::new(&limits);
        let fan_outs = Arc::new(FanOuts::new(limits.message_bytes));
        Self(Arc::new(Inner { engine, auth, limits, origins, seats, drain, fan_outs }))
    }

    /// Closes every session with 3001, in batches spread over the configured time; returns when all are gone.
    /// New ones are refused from the start.
    pub async fn drain(&self) {
        self.0.drain.begin();
        self.0.seats.empty().await;
    }

    /// How many sessions there are.
    pub fn connections(&self) -> usize {
        self.0.seats.count()
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let own = origin.split_once("://").map(|(_, rest)| rest);
        (own.is_some() && own == host) || self.0.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }
}

/// The route of the stream.
pub fn router(state: StreamState) -> Router {
    Router::new().route("/v1/stream", get(upgrade)).with_state(state)
}

async fn upgrade(
    State(state): State<StreamState>,
    headers: HeaderMap,
    wire: Option<Extension<Wire>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !state.allows(&headers) {
        return problem(Problem::new(Code::Forbidden).detail("this origin is not allowed"));
    }
    if state.0.drain.has_begun() {
        return problem(Problem::new(Code::Draining).retry_after(state.0.limits.drain_over));
    }
    let Some(place) = state.0.seats.enter() else {
        return problem(Problem::new(Code::Full).retry_after(std::time::Duration::from_secs(5)));
    };
    let limits = &state.0.limits;
    upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(limits.read_buffer_bytes)
        .write_buffer_size(limits.write_buffer_bytes)
        .max_frame_size(limits.frame_bytes)
        .max_message_size(limits.frame_bytes)
        .on_upgrade(move |socket| serve(state, (socket, wire.map(|Extension(wire)| wire)), place))
}

async fn serve(state: StreamState, (socket, wire): (WebSocket, Option<Wire>), place: limits::Place) {
    let client = ClientId(state.0.engine.ports().ids.uuid());
    // Boxed: what a future takes by value it may hold twice.
    Box::new(connection::Session::new(state, socket, wire, client)).run().await;
    drop(place);
}

fn problem(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
    if let Some(wait) = problem.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    response
}
