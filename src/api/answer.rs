//! Answers: JSON, or a problem with its stable code. A problem is written out at the outermost layer, which knows the
//! request's id.

use actors::{handle::Refusal, reader::ReadError};
use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schema::{
    ids::RequestId,
    problem::{Code, Problem},
};

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Box<Problem>);

/// What handlers return.
pub(super) type Answer<T> = Result<Json<T>, Failure>;

impl Failure {
    /// Nothing but a code.
    pub(super) fn new(code: Code) -> Self {
        Problem::new(code).into()
    }

    /// A field that is wrong.
    pub(super) fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Problem::new(Code::Invalid).field(field).detail(detail).into()
    }

    /// Something that is not there.
    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Problem::new(Code::NotFound).detail(what).into()
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.problem().into()
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Refusal::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.extensions_mut().insert(*self.0);
        response
    }
}

/// Writes out the problem that a response carries, if it carries one.
pub(super) fn write_problem(response: &mut Response, request: RequestId) {
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else { return };
    problem.request = Some(request);
    let body = serde_json::to_vec(&problem).expect("plain values always encode");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(wait) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, wait.into());
    }
    if problem.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    *response.body_mut() = Body::from(body);
}
