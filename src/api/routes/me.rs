//! Whoever asks: who they are here, their own filters, and whether they are away.

use axum::{Json, extract::State};
use schema::{
    command::{Availability, Command, Reply, Setting},
    problem::Problem,
    rest::{MeView, SaveFilters, SetAvailability, SetHours},
    settings::Preferences,
};

use super::{Fresh, fresh, submit};
use crate::api::{
    ApiState,
    answer::Answer,
    caller::Caller,
    input::{Body, Key, KeyHeader, Query},
};

/// Who asks, who is away, and one's own filters.
#[utoipa::path(get, path = "/v1/me", params(Fresh), tag = "me", responses((status = 200, body = MeView),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn me(caller: Caller, Query(query): Query<Fresh>) -> Answer<MeView> {
    fresh(&caller, query.at_least).await?;
    let settings = caller.tenant.settings();
    let is_away = settings.away.contains(&caller.operator);
    let until = settings.until.get(&caller.operator);
    Ok(Json(MeView {
        tenant: caller.tenant_id().clone(),
        operator: caller.operator.clone(),
        role: caller.role,
        availability: if is_away { Availability::Away } else { Availability::Available },
        hours: settings.hours.get(&caller.operator).cloned(),
        until: until.map(|until| until.at),
        by_hand: until.is_some_and(|until| until.by_hand),
        away: settings.away.iter().filter(|operator| !settings.is_revoked(operator)).cloned().collect(),
        preferences: settings.preferences.get(&caller.operator).cloned().unwrap_or_default(),
        filters: settings.filters.get(&caller.operator).cloned().unwrap_or_default(),
    }))
}

/// Replace one's own filters of the inbox. They are kept for the operator, not for the browser.
#[utoipa::path(put, path = "/v1/me/filters", params(KeyHeader), request_body = SaveFilters, tag = "me", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn save_filters(
    State(state): State<ApiState>,
    caller: Caller,
    key: Key,
    Body(body): Body<SaveFilters>,
) -> Answer<Reply> {
    let setting = Setting::Filters(caller.operator.clone(), body.filters);
    submit(&state, &caller, Command::Configure(setting), key.or(None)?).await
}

/// Say that one is away, or back. What a contact writes to somebody who is away goes back to nobody after a while.
#[utoipa::path(put, path = "/v1/me/availability", params(KeyHeader), request_body = SetAvailability, tag = "me",
    responses((status = 200, body = Reply),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_availability(
    State(state): State<ApiState>,
    caller: Caller,
    key: Key,
    Body(body): Body<SetAvailability>,
) -> Answer<Reply> {
    let setting = Setting::Availability(caller.operator.clone(), body.availability);
    submit(&state, &caller, Command::Configure(setting), key.or(None)?).await
}

/// Set the hours by which one is available. They decide at once, and whenever they change it: what is said by hand lasts until
/// then.
#[utoipa::path(put, path = "/v1/me/hours", params(KeyHeader), request_body = SetHours, tag = "me", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_hours(
    State(state): State<ApiState>,
    caller: Caller,
    key: Key,
    Body(body): Body<SetHours>,
) -> Answer<Reply> {
    let setting = Setting::Hours(caller.operator.clone(), body.hours);
    submit(&state, &caller, Command::Configure(setting), key.or(None)?).await
}

/// Replace one's own preferences. They are kept for the person, not for the browser.
#[utoipa::path(put, path = "/v1/me/preferences", params(KeyHeader), request_body = Preferences, tag = "me", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_preferences(
    State(state): State<ApiState>,
    caller: Caller,
    key: Key,
    Body(body): Body<Preferences>,
) -> Answer<Reply> {
    let setting = Setting::Preferences(caller.operator.clone(), body);
    submit(&state, &caller, Command::Configure(setting), key.or(None)?).await
}
