//! Twilio's REST: create, fetch and list messages, and their media. Errors as Twilio writes them.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    create,
    fault::Fate,
    message::{API, Message},
    state::Carrier,
    store::Filter,
};

/// Rows of a page when the client does not say, and at most.
const PAGE: (usize, usize) = (50, 1_000);
/// A picture for whoever fetches media: a pipe that leaks.
const PICTURE: &[u8] = include_bytes!("picture.png");

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
        .route(&format!("/{API}/Accounts/{{account}}/Messages.json"), post(create_message).get(list_messages))
        .route(&format!("/{API}/Accounts/{{account}}/Messages/{{file}}"), get(fetch_message))
        .route(&format!("/{API}/Accounts/{{account}}/Messages/{{sid}}/Media/{{media}}"), get(fetch_media))
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, 20_404, "The requested resource was not found"))
        .with_state(carrier)
}

/// Basic credentials of the account that the path names.
fn authenticate(carrier: &Carrier, account: &str, headers: &HeaderMap) -> Result<(), ApiError> {
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

async fn fetch_media() -> Response {
    ([(header::CONTENT_TYPE, "image/png")], PICTURE).into_response()
}

async fn list_messages(
    State(carrier): State<Arc<Carrier>>,
    Path(account): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<axum::Json<Value>, ApiError> {
    authenticate(&carrier, &account, &headers)?;
    let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let number = |name: &str, default: usize| get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size) = (number("Page", 0), number("PageSize", PAGE.0).clamp(1, PAGE.1));
    // A day may be given alone, or with the time that Twilio ignores nothing of; days suffice here.
    let day = |name: &str| get(name).map(|text| text.chars().take(10).collect::<String>());
    let filter = Filter {
        account: Some(account.clone()),
        to: get("To"),
        from: get("From"),
        on: day("DateSent"),
        until: day("DateSent<"),
        since: day("DateSent>"),
    };
    let start = page.saturating_mul(size);
    let rows: Vec<Value> =
        carrier.store(|store| store.list(&filter).skip(start).take(size + 1).map(Message::to_json).collect());
    Ok(axum::Json(page_json(&account, &query, rows, (page, size))))
}

fn page_json(account: &str, query: &[(String, String)], mut rows: Vec<Value>, (page, size): (usize, usize)) -> Value {
    let more = rows.len() > size;
    rows.truncate(size);
    let kept = query.iter().filter(|(name, _)| !matches!(name.as_str(), "Page" | "PageSize" | "PageToken"));
    let filters = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    let uri = |page: usize| {
        let and = if filters.is_empty() { "" } else { "&" };
        format!("/{API}/Accounts/{account}/Messages.json?{filters}{and}PageSize={size}&Page={page}")
    };
    json!({
        "end": page * size + rows.len().saturating_sub(1),
        "first_page_uri": uri(0),
        "messages": rows,
        "next_page_uri": more.then(|| uri(page + 1)),
        "page": page,
        "page_size": size,
        "previous_page_uri": page.checked_sub(1).map(uri),
        "start": page * size,
        "uri": uri(page),
    })
}
