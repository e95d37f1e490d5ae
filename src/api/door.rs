//! The doors: nobody passes without a token, nor beyond what the role allows. Checked before anything of the request
//! is read.

use actors::handle::Refusal;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};
use schema::{
    ids::RequestId,
    problem::{Code, Problem},
    role::Role,
};

use super::{ApiState, answer::Failure, caller::Caller};
use crate::auth::AuthError;

/// For every role: reading.
pub(super) async fn anyone(State(state): State<ApiState>, request: Request, next: Next) -> Result<Response, Failure> {
    enter(state, Role::Viewer, request, next).await
}

/// For those who change conversations.
pub(super) async fn operators(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    enter(state, Role::Operator, request, next).await
}

/// For those who change settings.
pub(super) async fn admins(State(state): State<ApiState>, request: Request, next: Next) -> Result<Response, Failure> {
    enter(state, Role::Admin, request, next).await
}

async fn enter(state: ApiState, least: Role, mut request: Request, next: Next) -> Result<Response, Failure> {
    let id = *request.extensions().get::<RequestId>().ok_or_else(|| Failure::new(Code::Internal))?;
    let caller = identify(&state, request.headers(), id).await?;
    if let Err(wait) = state.0.rates.take(caller.tenant_id(), &caller.operator) {
        return Err(Problem::new(Code::TooManyRequests).retry_after(wait).into());
    }
    if caller.role < least {
        return Err(Failure::new(Code::Forbidden));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Token, tenant, role: what the tenant configured for the operator wins over what the token says.
async fn identify(state: &ApiState, headers: &HeaderMap, request: RequestId) -> Result<Caller, Failure> {
    let token = bearer(headers).ok_or_else(|| Failure::new(Code::Unauthorized))?;
    let now = state.parts().engine.ports().clock.now();
    let (claims, _) = state.parts().auth.admit_anew(token, now).await.map_err(|error| match error {
        AuthError::Expired => Failure::new(Code::TokenExpired),
        AuthError::Invalid => Failure::new(Code::Unauthorized),
    })?;
    let tenant = state.parts().engine.tenant(&claims.tenant).await.map_err(|refusal| match refusal {
        Refusal::Rejected { code: Code::NotFound, .. } => Failure::new(Code::Unauthorized),
        other => other.into(),
    })?;
    let role = tenant.settings().role(&claims.operator, claims.role);
    let role = role.ok_or_else(|| Problem::new(Code::Forbidden).detail("this operator was revoked"))?;
    Ok(Caller { tenant, operator: claims.operator, role, request })
}

/// `Authorization: Bearer …` (RFC 6750 §2.1); the scheme's case does not matter.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
