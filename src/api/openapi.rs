//! The OpenAPI 3.1 document, made from the routes themselves.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use schema::{
    frame::{Activity, ClientInfo},
    person::{PageInvitation, PageJoin, PageLink, PageSession, PageSessions, PageSignIn, PageSignOut, PageToken},
};
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi, SecurityRequirement,
        info::{InfoBuilder, License},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::ApiState;

const ABOUT: &str = "Every answer that holds state says at which position (epoch, offset) it is true: resume the stream \
    `/v1/stream` from there. A command's reply names the offset it produced: pass it as `at_least` to read it. \
    Times are microseconds since the Unix epoch. Errors are problems (RFC 9457) with a stable `code`.";

/// Types of the stream and of the page's sign-in: no route of this document names them, but clients want them.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    Activity,
    ClientInfo,
    PageInvitation,
    PageJoin,
    PageLink,
    PageSession,
    PageSessions,
    PageSignIn,
    PageSignOut,
    PageToken
)))]
struct Besides;

/// Adds what no single route knows.
pub(super) fn finish(mut document: OpenApi) -> OpenApi {
    document.merge(Besides::openapi());
    document.info = InfoBuilder::new()
        .title("Deskwire")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::new("Apache-2.0")))
        .build();
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    document.security = Some(vec![SecurityRequirement::new("token", [] as [&str; 0])]);
    document
}

/// Serves it: the same bytes for everybody, so it needs no token.
pub(super) fn route(document: Arc<OpenApi>) -> Router<ApiState> {
    Router::new().route("/v1/openapi.json", get(move || async move { Json(document.as_ref().clone()) }))
}
