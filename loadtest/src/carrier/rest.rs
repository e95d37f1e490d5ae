//! Twilio's REST: create and fetch messages and their media; the lists are in `lists`. Errors as Twilio writes them.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    create,
    door::Rest,
    fault::Fate,
    lists,
    message::{API, Message},
    state::Carrier,
};

/// A picture for whoever fetches media: a pipe that leaks.
const PICTURE: &[u8] = include_bytes!("picture.png");

/// What was uploaded is what it was found to be, and nothing else.
const NO_SNIFFING: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");

/// A REST error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) code: u32,
    pub(super) message: &'static str,
    pub(super) retry_after_s: Option<u32>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: u32, message: &'static str) -> Self {
        Self { status, code, message, retry_after_s: None }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status.as_u16(),
        });
        let mut response = (self.status, axum::Json(body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

pub(super) fn router(carrier: Arc<Carrier>) -> Router {
    Router::new()
        .route(&format!("/{API}/Accounts/{{account}}/Messages.json"), post(create_message).get(lists::messages))
        .route(&format!("/{API}/Accounts/{{account}}/Messages/{{file}}"), get(fetch_message))
        .route(&format!("/{API}/Accounts/{{account}}/Messages/{{sid}}/Media/{{media}}"), get(fetch_media))
        .route(&format!("/{API}/Accounts/{{account}}/Messages/{{sid}}/Media.json"), get(lists::media))
        .route(&format!("/{API}/Accounts/{{account}}/Calls.json"), get(lists::calls))
        .route(&format!("/{API}/Accounts/{{account}}/Calls/{{file}}"), get(fetch_call))
        .route(&format!("/{API}/Accounts/{{account}}/Recordings/{{file}}"), get(fetch_recording))
        .layer(middleware::from_fn_with_state(carrier.clone(), when_here))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found"))
        .with_state(carrier)
}

/// While the carrier is away, an open connection gets 503, or is closed without a byte.
async fn when_here(State(carrier): State<Arc<Carrier>>, request: Request, next: Next) -> Response {
    match carrier.absence().rest {
        Rest::Here => next.run(request).await,
        Rest::Error => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, 20_503, "Service unavailable").into_response(),
        Rest::Refuse => closed(),
    }
}

/// Basic credentials of the account that the path names.
pub(super) fn authenticate(carrier: &Carrier, account: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    let denied = ApiError::new(StatusCode::UNAUTHORIZED, 20_003, "Authenticate");
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let decoded = given.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let expected = carrier.account(account).map(|account| format!("{}:{}", account.sid, account.token));
    if expected.is_some_and(|expected| expected.as_bytes() == decoded) { Ok(()) } else { Err(denied) }
}

async fn create_message(
    State(carrier): State<Arc<Carrier>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    authenticate(&carrier, &account, &headers)?;
    let created = create::create(&carrier, &account, &body).await?;
    Ok(match created.fate {
        Fate::CloseBefore | Fate::LoseResponse => closed(),
        Fate::ErrorBefore | Fate::ErrorAfter => server_error().into_response(),
        Fate::Garbage => (StatusCode::CREATED, "<html>this is no JSON</html>").into_response(),
        _ => (StatusCode::CREATED, axum::Json(created.json)).into_response(),
    })
}

fn server_error() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, 20_500, "Internal Server Error")
}

/// A response whose body fails before its first byte: the server closes the socket without an answer.
fn closed() -> Response {
    let failing = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("closed on purpose")) });
    Body::from_stream(failing).into_response()
}

async fn fetch_message(
    State(carrier): State<Arc<Carrier>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<axum::Json<Value>, ApiError> {
    authenticate(&carrier, &account, &headers)?;
    let missing = ApiError::new(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found");
    let sid = file.strip_suffix(".json").unwrap_or(&file);
    let found =
        carrier.store(|store| store.get(sid).filter(|message| message.account == account).map(Message::to_json));
    found.map(axum::Json).ok_or(missing)
}

async fn fetch_call(
    State(carrier): State<Arc<Carrier>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<axum::Json<Value>, ApiError> {
    authenticate(&carrier, &account, &headers)?;
    let missing = ApiError::new(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found");
    let call = carrier.book.get(file.strip_suffix(".json").unwrap_or(&file));
    call.filter(|call| call.account == account).map(|call| axum::Json(call.to_json())).ok_or(missing)
}

async fn fetch_media(
    State(carrier): State<Arc<Carrier>>,
    Path((_, _, media)): Path<(String, String, String)>,
) -> Response {
    if let Some(picture) = carrier.files.picture(&media) {
        return ([(header::CONTENT_TYPE, picture.content_type), NO_SNIFFING], picture.bytes).into_response();
    }
    ([(header::CONTENT_TYPE, "image/png"), NO_SNIFFING], PICTURE).into_response()
}

/// A voice mail's sound, as Twilio gives it at the recording's URL and at the same with `.wav`.
async fn fetch_recording(
    State(carrier): State<Arc<Carrier>>,
    Path((_, file)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let missing = ApiError::new(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found");
    let sid = file.strip_suffix(".wav").unwrap_or(&file);
    let sound = carrier.files.sound(sid).ok_or(missing)?;
    Ok(([(header::CONTENT_TYPE, "audio/x-wav"), NO_SNIFFING], sound).into_response())
}
