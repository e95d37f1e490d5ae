//! The operators' page at `/`: files built into the binary, and the ways in.
//!
//! An edge: it hands out files, and tokens to whoever signs in or, in demo mode and on this machine only, to the page
//! itself. It knows nothing of what the page shows; the page uses REST and the stream like any stranger's dashboard.

mod file;
mod guest;
mod sign_in;
mod visit;

use std::sync::Arc;

use actors::engine::Engine;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use schema::time::Stamp;

use self::file::Served;
pub use self::guest::Guest;
use crate::auth::{Authenticator, people::People};

/// What the page's edge is built on.
pub struct PageParts {
    /// Whose operators sign in.
    pub engine: Engine,
    /// Makes the page's tokens.
    pub auth: Arc<Authenticator>,
    /// Who signs in.
    pub people: Arc<People>,
    /// Where browsers find the page.
    pub public_url: String,
    /// Who is let in without being asked; none: nobody is.
    pub guest: Option<Guest>,
    /// Origins that pictures are shown from, with spaces between: the carrier's.
    pub pictures: String,
}

/// What all visitors share. Cheap to clone.
#[derive(Clone)]
pub struct PageState(Arc<Inner>);

struct Inner {
    parts: PageParts,
    files: Vec<Served>,
    policy: HeaderValue,
}

impl PageState {
    /// Over its parts.
    pub fn new(parts: PageParts) -> Self {
        let policy = HeaderValue::from_str(&policy(&parts.pictures)).unwrap_or(HeaderValue::from_static(STRICT));
        Self(Arc::new(Inner { policy, files: file::all(), parts }))
    }

    fn people(&self) -> &People {
        &self.0.parts.people
    }

    fn now(&self) -> Stamp {
        self.0.parts.engine.ports().clock.now()
    }

    fn file(&self, path: &str) -> Option<&Served> {
        self.0.files.iter().find(|file| file.path() == path)
    }
}

/// Nothing inline, nothing from elsewhere; the page cannot be framed, nor make HTML of text (Trusted Types).
const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; \
    img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

fn policy(pictures: &str) -> String {
    STRICT.replace("img-src 'self'", &format!("img-src 'self' {pictures}"))
}

/// The page's routes. Every view of it has a path of its own, so that a reload or a bookmark finds it again.
pub fn router(state: PageState) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/inbox", get(index))
        .route("/overview", get(index))
        .route("/inbox/{*view}", get(index))
        .route("/favicon.svg", get(icon))
        .route("/assets/{*name}", get(asset))
        .route("/join", get(index))
        .route("/page/sign-in", post(sign_in::sign_in))
        .route("/page/sign-out", post(sign_in::sign_out))
        .route("/page/sessions", get(sign_in::sessions))
        .route("/page/invitation", post(sign_in::invitation))
        .route("/page/join", post(sign_in::join))
        .layer(DefaultBodyLimit::max(sign_in::BODY_MAX))
        .with_state(state)
}

async fn index(State(state): State<PageState>, headers: HeaderMap) -> Response {
    serve(&state, "index.html", &headers, "no-cache")
}

async fn icon(State(state): State<PageState>, headers: HeaderMap) -> Response {
    serve(&state, "favicon.svg", &headers, "no-cache")
}

/// A name holds its content's hash: what was fetched once is good for ever.
async fn asset(State(state): State<PageState>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    serve(&state, &format!("assets/{name}"), &headers, "public, max-age=31536000, immutable")
}

fn serve(state: &PageState, path: &str, asked: &HeaderMap, caching: &'static str) -> Response {
    let Some(file) = state.file(path) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = file.answer(asked);
    let headers = response.headers_mut();
    let fixed = [
        (header::CACHE_CONTROL, caching),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, state.0.policy.clone());
    response
}

#[cfg(test)]
mod tests;
