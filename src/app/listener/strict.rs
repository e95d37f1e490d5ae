//! A request that two readers could understand differently is refused: here, whom it asks.
//!
//! Where a request ends is hyper's: lengths that differ or are no number, folded lines, a coding that does not end in
//! `chunked` are 400, and after a length beside a coding the connection ends. Knows nothing of what is asked.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header},
};
use schema::problem::{Code, Problem};
use tower::ServiceExt as _;

/// Answers a request, or refuses it.
pub(super) async fn serve(routes: Router, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    if !names_one_host(request.version(), request.headers()) {
        return Ok(refusal());
    }
    routes.oneshot(request).await
}

/// RFC 9112 §3.2. Whom a request asks is what origins and the demo's door are held against.
fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    match headers.get_all(header::HOST).iter().count() {
        0 => version != Version::HTTP_11,
        hosts => hosts == 1,
    }
}

fn refusal() -> Response<Body> {
    metrics::counter!("deskwire_http_ambiguous_total").increment(1);
    let problem = Problem::new(Code::Malformed).detail("exactly one Host is needed");
    let body = serde_json::to_vec(&problem).expect("plain values always encode");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
