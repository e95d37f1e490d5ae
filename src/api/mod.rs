//! REST at `/v1`: pages, commands, search, administration, audit; and what operates a node: health, metrics.
//!
//! Doors are shut by default: every route but four asks for a token, and the tenant comes from the token alone.
//! An edge: it sees handles, the reader, ports, schema and auth; nothing of adapters or of the other edges.

mod answer;
mod caller;
mod cors;
mod door;
mod input;
mod limits;
mod openapi;
mod outer;
mod routes;

use std::sync::Arc;

use actors::{engine::Engine, figures::Figures, ports::Search, reader::Reader};
use axum::{Router, middleware};
use futures_util::future::BoxFuture;
use schema::ids::AccountId;
use utoipa::openapi::OpenApi;

pub use self::limits::ApiLimits;
use self::limits::Rates;
use crate::auth::{Authenticator, people::People};

/// Whether the node can serve; else why not, for people. It must fail only for what a restart or another node cures.
pub type Ready = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;
/// The metrics as Prometheus reads them.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Seals a carrier account's secret; durable when it returns, else why not.
pub type PutSecret = Arc<dyn Fn(AccountId, String) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What REST is built on.
pub struct ApiParts {
    /// Where commands go.
    pub engine: Engine,
    /// Who may come in.
    pub auth: Arc<Authenticator>,
    /// The index.
    pub search: Arc<dyn Search>,
    /// The figures.
    pub figures: Figures,
    /// The sealed table of secrets.
    pub put_secret: PutSecret,
    /// Who signs in.
    pub people: Arc<People>,
    /// Where browsers find the page: one-time links lead there.
    pub public_url: String,
    /// For `/readyz`.
    pub ready: Ready,
    /// For `/metrics`.
    pub metrics: Metrics,
    /// Bounds.
    pub limits: ApiLimits,
    /// Origins of pages that may call from a browser.
    pub origins: Vec<String>,
}

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Inner>);

struct Inner {
    parts: ApiParts,
    reader: Reader,
    rates: Rates,
}

impl ApiState {
    /// Over its parts.
    pub fn new(parts: ApiParts) -> Self {
        let ports = parts.engine.ports();
        let reader = Reader::new(ports.log.clone(), ports.views.clone(), parts.engine.vault().clone());
        let rates = Rates::new(&parts.limits);
        Self(Arc::new(Inner { parts, reader, rates }))
    }

    fn parts(&self) -> &ApiParts {
        &self.0.parts
    }

    fn reader(&self) -> &Reader {
        &self.0.reader
    }
}

/// Every route of REST, and the answers for what is no route.
pub fn router(state: ApiState) -> Router {
    let (routes, document) = routes::all(&state);
    let document = Arc::new(openapi::finish(document));
    let outer = middleware::from_fn_with_state(state.clone(), outer::outer);
    routes
        .merge(openapi::route(document))
        .fallback(routes::no_such_route)
        .method_not_allowed_fallback(routes::no_such_method)
        .layer(outer)
        .with_state(state)
}

/// The document that `/v1/openapi.json` serves. Needs no running engine: types of other languages are made from it.
pub fn document() -> OpenApi {
    openapi::finish(routes::document())
}
