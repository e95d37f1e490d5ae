//! Demo mode's way in: a short-lived token for the page itself, and for nobody else.
//!
//! Another site's page must not get it. It could ask from the operator's browser, or make its own name point to this
//! machine (DNS rebinding). So: the peer is this machine, without a proxy between; `Host` is a name of this machine,
//! which a rebound name is not; `Origin` is that same host; the browser itself says `same-origin` where it says anything;
//! and the body's type makes a foreign page ask first (CORS), which is never granted here.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    Extension,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use schema::{
    ids::{OperatorId, TenantId},
    problem::{Code, Problem},
    rest::{PageSignIn, PageToken},
    role::Role,
};

use super::PageState;
use crate::auth::Claims;

/// How long a token is good. The page asks for another before it ends.
const VALID: Duration = Duration::from_secs(600);
/// Largest body that is read.
pub(super) const BODY_MAX: usize = 1_024;

/// Who the page is in demo mode.
pub struct Guest {
    /// Whose data.
    pub tenant: TenantId,
    /// Who, if the page does not say.
    pub operator: OperatorId,
    /// What they may.
    pub role: Role,
}

/// A token for the page, in demo mode.
pub(super) async fn sign_in(
    State(state): State<PageState>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    let asked = Visit { peer, headers: &headers, body: &body };
    match token(&state, &asked) {
        Ok(token) => answer(200, "application/json", serde_json::to_vec(&token)),
        Err(problem) => answer(problem.status, "application/problem+json", serde_json::to_vec(&problem)),
    }
}

fn answer(status: u16, kind: &'static str, body: serde_json::Result<Vec<u8>>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body.expect("plain values always encode")).into_response()
}

/// What is known of who asks.
struct Visit<'a> {
    peer: Option<IpAddr>,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

fn token(state: &PageState, visit: &Visit<'_>) -> Result<PageToken, Box<Problem>> {
    let forbidden = |detail: &str| Box::new(Problem::new(Code::Forbidden).detail(detail));
    let parts = &state.0.parts;
    let guest = parts.guest.as_ref().ok_or_else(|| forbidden("nobody is let in unasked outside demo mode"))?;
    if !visit.is_near() || !visit.is_our_page() {
        return Err(forbidden("only the page itself, on this machine, is let in"));
    }
    let asked: PageSignIn = serde_json::from_slice(visit.body).map_err(|_| Box::new(Problem::new(Code::Malformed)))?;
    let claims = Claims {
        tenant: guest.tenant.clone(),
        operator: asked.operator.unwrap_or_else(|| guest.operator.clone()),
        role: guest.role,
        expires: parts.clock.now().plus(VALID),
    };
    let token = parts.auth.mint(&claims).map_err(|_| Box::new(Problem::new(Code::Internal)))?;
    let Claims { tenant, operator, role, .. } = claims;
    Ok(PageToken { token, valid_s: VALID.as_secs(), tenant, operator, role })
}

impl Visit<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// From this machine, without a proxy between.
    fn is_near(&self) -> bool {
        let proxied = ["forwarded", "x-forwarded-for"].iter().any(|name| self.headers.contains_key(*name));
        self.peer.is_some_and(|peer| peer.to_canonical().is_loopback()) && !proxied
    }

    fn is_our_page(&self) -> bool {
        let Some(host) = self.header("host") else { return false };
        let origin = self.header("origin").and_then(|origin| origin.strip_prefix("http://"));
        let told = self.header("sec-fetch-site").is_none_or(|site| site == "same-origin");
        let kind = self.header("content-type").is_some_and(|kind| kind == "application/json");
        is_this_machine(host) && origin == Some(host) && told && kind
    }
}

/// `localhost:8080`, `127.0.0.1:8080`, `[::1]:8080`: names that nobody else can make their own.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
