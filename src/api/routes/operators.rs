//! Administration of operators: roles, invitations, links to a new password.
//!
//! Whoever could give themselves an owner's role, or an owner's password, would be one: only owners touch owners.

use std::time::Duration;

use axum::{Json, extract::State};
use schema::{
    command::{Command, Reply, Request, Setting},
    event::CredentialChange,
    ids::OperatorId,
    person::{Invite, OneTimeLink, SignInState},
    problem::{Code, Problem},
    rest::{Listing, OperatorRole, OperatorView, SetAvailability, SetHours},
    role::Role,
    time::Stamp,
};

use super::submit;
use crate::{
    api::{
        ApiState,
        answer::{Answer, Failure},
        caller::Caller,
        input::{Body, Id, Key, KeyHeader},
    },
    auth::people::{PeopleError, Who},
};

/// Operators that were configured. Others have the role of their token.
#[utoipa::path(get, path = "/v1/admin/operators", tag = "admin", responses(
    (status = 200, body = Listing<OperatorView>),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn operators(State(state): State<ApiState>, caller: Caller) -> Json<Listing<OperatorView>> {
    let settings = caller.tenant.settings();
    let rows = settings.operators.iter().map(|(operator, role)| view(&state, &caller, operator, *role));
    Json(Listing { rows: rows.collect() })
}

/// One operator that was configured.
#[utoipa::path(get, path = "/v1/admin/operators/{id}", params(("id" = OperatorId, Path)), tag = "admin", responses(
    (status = 200, body = OperatorView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn operator(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<OperatorId>,
) -> Answer<OperatorView> {
    let role = configured(&caller, &id).ok_or_else(|| Failure::not_found(format!("operator {id}")))?;
    Ok(Json(view(&state, &caller, &id, role)))
}

/// Give an operator a role, whatever the token says; `null` revokes: every token, stream and password of theirs ends, and
/// the open conversations they were on are nobody's. Only an owner gives or takes the role of owner; the last one stays.
#[utoipa::path(put, path = "/v1/admin/operators/{id}", params(("id" = OperatorId, Path),
    KeyHeader), request_body = OperatorRole, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_operator(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<OperatorId>,
    key: Key,
    Body(body): Body<OperatorRole>,
) -> Answer<Reply> {
    may_touch(&caller, &id, body.role)?;
    let command = Command::Configure(Setting::Operator(id.clone(), body.role));
    let reply = submit(&state, &caller, command, key.or(None)?).await?;
    if body.role.is_none() {
        state.parts().people.forget(&who(&caller, id)).await.map_err(refused)?;
    }
    Ok(reply)
}

/// Make a one-time link by which somebody sets a password and signs in. Each call makes another link, and the one before is
/// worth nothing.
#[utoipa::path(post, path = "/v1/admin/invitations", request_body = Invite, tag = "admin", responses(
    (status = 200, body = OneTimeLink), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn invite(
    State(state): State<ApiState>,
    caller: Caller,
    Body(invite): Body<Invite>,
) -> Answer<OneTimeLink> {
    let Invite { operator, email, role } = invite;
    may_touch(&caller, &operator, Some(role))?;
    let change = Setting::Operator(operator.clone(), Some(role));
    let change = Request { command: Command::Configure(change), origin: caller.origin(), key: None };
    // Before a link is made: it would be one for nobody.
    caller.tenant.examine(&change, now(&state)).await?;
    let made = state.parts().people.invite(who(&caller, operator.clone()), &email, now(&state)).await;
    let link = link(&state, made)?;
    state.parts().engine.submit(caller.tenant_id(), change).await?;
    told(&state, &caller, operator, CredentialChange::Invited).await?;
    Ok(link)
}

/// Make a one-time link by which an operator sets a new password. The old one is good until the link is used.
#[utoipa::path(post, path = "/v1/admin/operators/{id}/reset", params(("id" = OperatorId, Path)), tag = "admin",
    responses((status = 200, body = OneTimeLink),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn reset(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<OperatorId>,
) -> Answer<OneTimeLink> {
    let role = configured(&caller, &id).flatten().ok_or_else(|| Failure::not_found(format!("operator {id}")))?;
    may_touch(&caller, &id, Some(role))?;
    let made = state.parts().people.reset(who(&caller, id.clone()), now(&state)).await;
    let link = link(&state, made)?;
    told(&state, &caller, id, CredentialChange::ResetOrdered).await?;
    Ok(link)
}

/// Say that somebody else is away, or back: they left without saying so. Also of who comes with tokens that others mint.
#[utoipa::path(put, path = "/v1/admin/operators/{id}/availability", params(("id" = OperatorId, Path),
    KeyHeader), request_body = SetAvailability, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_availability_of(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<OperatorId>,
    key: Key,
    Body(body): Body<SetAvailability>,
) -> Answer<Reply> {
    must_be_here(&caller, &id)?;
    let command = Command::Configure(Setting::Availability(id, body.availability));
    submit(&state, &caller, command, key.or(None)?).await
}

/// Set the hours by which somebody else is available. They decide at once, and whenever they change it.
#[utoipa::path(put, path = "/v1/admin/operators/{id}/hours", params(("id" = OperatorId, Path),
    KeyHeader), request_body = SetHours, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_hours_of(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<OperatorId>,
    key: Key,
    Body(body): Body<SetHours>,
) -> Answer<Reply> {
    must_be_here(&caller, &id)?;
    submit(&state, &caller, Command::Configure(Setting::Hours(id, body.hours)), key.or(None)?).await
}

/// Somebody who was revoked is nobody any more.
fn must_be_here(caller: &Caller, operator: &OperatorId) -> Result<(), Failure> {
    match caller.tenant.settings().is_revoked(operator) {
        true => Err(Failure::not_found(format!("operator {operator}"))),
        false => Ok(()),
    }
}

fn configured(caller: &Caller, operator: &OperatorId) -> Option<Option<Role>> {
    caller.tenant.settings().operators.get(operator).copied()
}

/// Whether the caller may change an operator to this role.
fn may_touch(caller: &Caller, operator: &OperatorId, role: Option<Role>) -> Result<(), Failure> {
    let is_owner = configured(caller, operator).flatten() == Some(Role::Owner);
    if (is_owner || role == Some(Role::Owner)) && caller.role < Role::Owner {
        return Err(Problem::new(Code::Forbidden).detail("only an owner changes who is an owner").into());
    }
    Ok(())
}

fn view(state: &ApiState, caller: &Caller, operator: &OperatorId, role: Option<Role>) -> OperatorView {
    let person = state.parts().people.person(&who(caller, operator.clone()));
    let sign_in = person.as_ref().map(|person| match person.password {
        Some(_) => SignInState::Active,
        None => SignInState::Invited,
    });
    let hours = caller.tenant.settings().hours.get(operator).cloned();
    OperatorView { operator: operator.clone(), role, email: person.map(|person| person.email), sign_in, hours }
}

fn who(caller: &Caller, operator: OperatorId) -> Who {
    (caller.tenant_id().clone(), operator)
}

fn now(state: &ApiState) -> Stamp {
    state.parts().engine.ports().clock.now()
}

/// The secret stands behind the `#`: browsers do not send it, so that no proxy's log has it.
fn link(state: &ApiState, made: Result<(String, Stamp), PeopleError>) -> Answer<OneTimeLink> {
    let (secret, until) = made.map_err(refused)?;
    let base = state.parts().public_url.trim_end_matches('/');
    Ok(Json(OneTimeLink { link: format!("{base}/join#{secret}"), until }))
}

async fn told(
    state: &ApiState,
    caller: &Caller,
    operator: OperatorId,
    change: CredentialChange,
) -> Result<(), Failure> {
    submit(state, caller, Command::Configure(Setting::Credential(operator, change)), None).await.map(drop)
}

fn refused(error: PeopleError) -> Failure {
    match error {
        PeopleError::Email => Failure::invalid("email", "is not an e-mail address"),
        PeopleError::Taken => Problem::new(Code::Taken).detail("they have a password; make a link to reset it").into(),
        PeopleError::Unknown => Failure::not_found("nobody signs in by that name"),
        _ => Problem::new(Code::Unavailable).retry_after(Duration::from_secs(1)).into(),
    }
}
