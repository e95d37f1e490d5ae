//! Signing in and out: e-mail and password for a cookie, the cookie for a short-lived token, one-time links.
//!
//! The cookie opens nothing but these doors; REST and the stream take the token, which ends with the session.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schema::{
    command::{Command, Request, Setting},
    event::{Author, CredentialChange, Origin, Via},
    person::{PageInvitation, PageJoin, PageLink, PageSessions, PageSignIn, PageSignOut, PageToken},
    problem::{Code, Problem},
    role::Role,
};
use serde::Serialize;

use super::{
    PageState, guest,
    visit::{Visit, set_cookie},
};
use crate::auth::{
    Claims,
    people::{PeopleError, Visitor, Who},
};

/// How long a token is good. The page asks for another before it ends.
pub(super) const VALID: Duration = Duration::from_secs(600);
/// Largest body that is read.
pub(super) const BODY_MAX: usize = 2_048;

type Outcome<T> = Result<T, Box<Problem>>;

/// A token: by e-mail and password, by the cookie, or because this is the demo.
pub(super) async fn sign_in(State(state): State<PageState>, visit: Visit) -> Response {
    match admit(&state, &visit).await {
        Ok((token, cookie)) => with_cookie(answer(Ok(token)), cookie),
        Err(problem) => answer::<PageToken>(Err(problem)),
    }
}

async fn admit(state: &PageState, visit: &Visit) -> Outcome<(PageToken, Option<String>)> {
    must_be_ours(state, visit)?;
    let asked: PageSignIn = visit.read()?;
    if let (Some(email), Some(password)) = (asked.email, asked.password) {
        let (now, from) = (state.now(), (visit.agent(), visit.peer));
        let begun = state.people().sign_in((&email, password), asked.tenant.as_ref(), from, now).await;
        let (visitor, cookie) = begun.map_err(refused)?;
        let token = enter(state, &visitor).await?;
        tell(state, &visitor.who, CredentialChange::SignedIn).await?;
        return Ok((token, Some(state.cookie(&cookie, &visitor))));
    }
    let is_here = visitor(state, visit).await;
    match is_here.filter(|_| asked.operator.is_none()) {
        Some(visitor) => Ok((enter(state, &visitor).await?, None)),
        None => Ok((guest::token(state, visit, asked.operator)?, None)),
    }
}

/// What a one-time link is for.
pub(super) async fn invitation(State(state): State<PageState>, visit: Visit) -> Response {
    answer(look(&state, &visit).await)
}

async fn look(state: &PageState, visit: &Visit) -> Outcome<PageInvitation> {
    must_be_ours(state, visit)?;
    let PageLink { link } = visit.read()?;
    let ((tenant, operator), person) = state.people().look(&link, visit.peer, state.now()).await.map_err(refused)?;
    let role = role(state, &(tenant.clone(), operator.clone())).await?;
    Ok(PageInvitation { tenant, operator, email: person.email, role, reset: person.password.is_some() })
}

/// Sets a password by a one-time link, and signs in.
pub(super) async fn join(State(state): State<PageState>, visit: Visit) -> Response {
    match set_password(&state, &visit).await {
        Ok((token, cookie)) => with_cookie(answer(Ok(token)), Some(cookie)),
        Err(problem) => answer::<PageToken>(Err(problem)),
    }
}

async fn set_password(state: &PageState, visit: &Visit) -> Outcome<(PageToken, String)> {
    must_be_ours(state, visit)?;
    let PageJoin { link, password } = visit.read()?;
    let (who, _) = state.people().look(&link, visit.peer, state.now()).await.map_err(refused)?;
    role(state, &who).await?;
    let joined = state.people().join(&link, password, (visit.agent(), visit.peer), state.now()).await;
    let (visitor, cookie) = joined.map_err(refused)?;
    tell(state, &visitor.who, CredentialChange::PasswordSet).await?;
    Ok((enter(state, &visitor).await?, state.cookie(&cookie, &visitor)))
}

/// Ends this session, another of the same person, or all of them.
pub(super) async fn sign_out(State(state): State<PageState>, visit: Visit) -> Response {
    match end(&state, &visit).await {
        Ok(was_this) => with_cookie(answer(Ok(serde_json::json!({}))), was_this.then(|| state.no_cookie())),
        Err(problem) => answer::<()>(Err(problem)),
    }
}

async fn end(state: &PageState, visit: &Visit) -> Outcome<bool> {
    must_be_ours(state, visit)?;
    let asked: PageSignOut = visit.read()?;
    let Some(visitor) = visitor(state, visit).await else { return Ok(true) };
    let session = asked.session.unwrap_or(visitor.session);
    let (which, change) = match asked.everywhere {
        true => (None, CredentialChange::SignedOutEverywhere),
        false => (Some(session), CredentialChange::SignedOut),
    };
    state.people().sign_out(&visitor.who, which).await.map_err(refused)?;
    tell(state, &visitor.who, change).await?;
    Ok(asked.everywhere || session == visitor.session)
}

/// Where the person of the cookie is signed in.
pub(super) async fn sessions(State(state): State<PageState>, visit: Visit) -> Response {
    let visitor = visitor(&state, &visit).await;
    let found = visitor.and_then(|visitor| state.people().sessions(&visitor, state.now()));
    let found = found.map(|(email, rows)| PageSessions { email, rows });
    answer(found.ok_or_else(|| Box::new(Problem::new(Code::Unauthorized))))
}

/// Whose cookie came along.
async fn visitor(state: &PageState, visit: &Visit) -> Option<Visitor> {
    state.people().whose(visit.cookie()?, state.now()).await
}

fn must_be_ours(state: &PageState, visit: &Visit) -> Outcome<()> {
    if visit.is_our_page(&state.0.parts.public_url) {
        return Ok(());
    }
    Err(Box::new(Problem::new(Code::Forbidden).detail("only the page itself is let in")))
}

/// A token of a session, for as long as the tenant says that this operator may anything.
async fn enter(state: &PageState, visitor: &Visitor) -> Outcome<PageToken> {
    let role = role(state, &visitor.who).await?;
    let (tenant, operator) = visitor.who.clone();
    let expires = state.now().plus(VALID).min(visitor.until);
    let claims = Claims { tenant: tenant.clone(), operator: operator.clone(), role, expires };
    let token = state.0.parts.auth.mint_for(&claims, Some(visitor.session));
    let token = token.map_err(|_| Box::new(Problem::new(Code::Internal)))?;
    let valid_s = expires.since(state.now()).as_secs();
    Ok(PageToken { token, valid_s, tenant, operator, role, demo: false, phone: None })
}

/// Only whom the tenant knows is let in by a password.
async fn role(state: &PageState, (tenant, operator): &Who) -> Outcome<Role> {
    let tenant = state.0.parts.engine.tenant(tenant).await.map_err(|refusal| Box::new(refusal.problem()))?;
    let known = tenant.settings().operators.get(operator).copied().flatten();
    known.ok_or_else(|| Box::new(Problem::new(Code::Forbidden).detail("this operator was revoked")))
}

/// The log says that something changed, and nothing of what.
async fn tell(state: &PageState, (tenant, operator): &Who, change: CredentialChange) -> Outcome<()> {
    let engine = &state.0.parts.engine;
    let origin =
        Origin { by: Author::Operator(operator.clone()), via: Via::Rest, request: engine.ports().ids.request() };
    let command = Command::Configure(Setting::Credential(operator.clone(), change));
    let told = engine.submit(tenant, Request { command, origin, key: None }).await;
    told.map(drop).map_err(|refusal| Box::new(refusal.problem()))
}

fn refused(error: PeopleError) -> Box<Problem> {
    Box::new(match error {
        PeopleError::Credentials => Problem::new(Code::BadCredentials),
        PeopleError::Link => Problem::new(Code::LinkSpent),
        PeopleError::Password => Problem::new(Code::Invalid).field("password"),
        PeopleError::Email => Problem::new(Code::Invalid).field("email"),
        PeopleError::Taken => Problem::new(Code::Taken),
        PeopleError::Unknown => Problem::new(Code::NotFound),
        PeopleError::TooOften { retry_after } => Problem::new(Code::TooManyRequests).retry_after(retry_after),
        PeopleError::Busy => Problem::new(Code::Unavailable).retry_after(Duration::from_secs(1)),
    })
}

fn answer<T: Serialize>(outcome: Outcome<T>) -> Response {
    let (status, kind, body, wait) = match outcome {
        Ok(said) => (200, "application/json", serde_json::to_vec(&said), None),
        Err(problem) => {
            (problem.status, "application/problem+json", serde_json::to_vec(&problem), problem.retry_after_s)
        }
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut response = (status, headers, body.expect("plain values always encode")).into_response();
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    response
}

fn with_cookie(mut response: Response, cookie: Option<String>) -> Response {
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

impl PageState {
    fn cookie(&self, value: &str, visitor: &Visitor) -> String {
        set_cookie(value, visitor.until.since(self.now()).as_secs(), self.is_secure())
    }

    fn no_cookie(&self) -> String {
        set_cookie("", 0, self.is_secure())
    }

    fn is_secure(&self) -> bool {
        self.0.parts.public_url.starts_with("https:")
    }
}
