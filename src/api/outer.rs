//! The outermost layer: gives each request its id, ends what takes too long, writes problems out, counts.

use actors::trace;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schema::{
    event::Via,
    ids::RequestId,
    problem::{Code, Problem},
};

use super::{ApiState, answer::Failure, answer::write_problem, cors};

/// The header that repeats the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn outer(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let id = state.parts().engine.ports().ids.request();
    request.extensions_mut().insert(id);
    let route = request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    let origin = cors::allowed(&state, request.headers());
    let clock = &state.parts().engine.ports().clock;
    let (began, caller) = (clock.now(), caller(request.headers()));
    let mut response = match cors::preflight(&request, origin.as_ref()) {
        Some(response) => response,
        None => answer(&state, request, next).await,
    };
    write_problem(&mut response, id);
    finish(&mut response, id, origin);
    let status = response.status().as_u16();
    trace::edge(id, Via::Rest, (began, clock.now()), u64::from(status), caller);
    let status = status.to_string();
    metrics::counter!("deskwire_api_requests_total", "route" => route, "status" => status).increment(1);
    response
}

/// The span of whoever called, if they say so; linked, never trusted.
fn caller(headers: &HeaderMap) -> Option<trace::Link> {
    trace::traceparent(headers.get("traceparent").filter(|_| trace::is_on())?.to_str().ok()?)
}

async fn answer(state: &ApiState, request: Request, next: Next) -> Response {
    match tokio::time::timeout(state.parts().limits.answer_within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let problem = Problem::new(Code::Unavailable).detail("the answer took too long");
            Failure::from(problem.retry_after(std::time::Duration::from_secs(1))).into_response()
        }
    }
}

/// Answers hold what one operator may see: no cache may keep them.
fn finish(response: &mut Response, id: RequestId, origin: Option<HeaderValue>) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    cors::mark(headers, origin);
}
