//! Administration of lines: settings, coverage, limits.

use axum::{Json, extract::State};
use schema::{
    command::{Command, Registration, Reply, Request, Setting},
    ids::{ChannelId, TenantId},
    problem::Problem,
    rest::{ChannelView, Coverage, DayView, Listing, QueueView},
    settings::{ChannelSettings, LimitSettings},
};

use super::submit;
use crate::api::{
    ApiState,
    answer::{Answer, Failure},
    caller::Caller,
    input::{Body, Id, Key, KeyHeader},
};

/// Every line.
#[utoipa::path(get, path = "/v1/admin/channels", tag = "admin", responses((status = 200, body = Listing<ChannelView>),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn channels(caller: Caller) -> Json<Listing<ChannelView>> {
    let settings = caller.tenant.settings();
    let rows = settings.channels.iter().map(|(channel, line)| ChannelView {
        channel: channel.clone(),
        settings: line.clone(),
        limits: settings.limits(channel),
    });
    Json(Listing { rows: rows.collect() })
}

/// One line.
#[utoipa::path(get, path = "/v1/admin/channels/{id}", params(("id" = ChannelId, Path)), tag = "admin", responses(
    (status = 200, body = ChannelView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn channel(caller: Caller, Id(id): Id<ChannelId>) -> Answer<ChannelView> {
    let settings = line(&caller, &id)?;
    let limits = caller.tenant.settings().limits(&id);
    Ok(Json(ChannelView { channel: id, settings, limits }))
}

/// Make or change a line. Once its settings are known to be good its number is claimed: nobody else can have it then.
#[utoipa::path(put, path = "/v1/admin/channels/{id}", params(("id" = ChannelId, Path),
    KeyHeader), request_body = ChannelSettings, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_channel(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ChannelId>,
    key: Key,
    Body(settings): Body<ChannelSettings>,
) -> Answer<Reply> {
    let command = Command::Configure(Setting::Channel(id.clone(), settings.clone()));
    let change = Request { command, origin: caller.origin(), key: key.or(None)? };
    // A claim is for good: one for settings that are refused would keep the number from everybody.
    caller.tenant.examine(&change, state.parts().engine.ports().clock.now()).await?;
    let claim = Command::Register(Registration::Channel {
        channel: id,
        tenant: caller.tenant_id().clone(),
        account: settings.account,
        address: settings.address,
    });
    let request = Request { command: claim, origin: caller.origin(), key: None };
    state.parts().engine.submit(&TenantId::system(), request).await?;
    Ok(Json(state.parts().engine.submit(caller.tenant_id(), change).await?))
}

/// Whether missed calls of a line are answered by a text.
#[utoipa::path(get, path = "/v1/admin/channels/{id}/coverage", params(("id" = ChannelId, Path)), tag = "admin",
    responses((status = 200, body = Coverage),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn coverage(caller: Caller, Id(id): Id<ChannelId>) -> Answer<Coverage> {
    Ok(Json(Coverage { coverage: line(&caller, &id)?.coverage }))
}

/// Switch the answering of missed calls on or off.
#[utoipa::path(put, path = "/v1/admin/channels/{id}/coverage", params(("id" = ChannelId, Path),
    KeyHeader), request_body = Coverage, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_coverage(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ChannelId>,
    key: Key,
    Body(body): Body<Coverage>,
) -> Answer<Reply> {
    let settings = ChannelSettings { coverage: body.coverage, ..line(&caller, &id)? };
    submit(&state, &caller, Command::Configure(Setting::Channel(id, settings)), key.or(None)?).await
}

/// How fast a line may send.
#[utoipa::path(get, path = "/v1/admin/channels/{id}/limits", params(("id" = ChannelId, Path)), tag = "admin",
    responses((status = 200, body = LimitSettings),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn limits(caller: Caller, Id(id): Id<ChannelId>) -> Answer<LimitSettings> {
    line(&caller, &id)?;
    Ok(Json(caller.tenant.settings().limits(&id)))
}

/// Change how fast a line may send.
#[utoipa::path(put, path = "/v1/admin/channels/{id}/limits", params(("id" = ChannelId, Path),
    KeyHeader), request_body = LimitSettings, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_limits(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ChannelId>,
    key: Key,
    Body(limits): Body<LimitSettings>,
) -> Answer<Reply> {
    submit(&state, &caller, Command::Configure(Setting::Limits(id, limits)), key.or(None)?).await
}

/// What waits at a line, and what is left of its days.
#[utoipa::path(get, path = "/v1/admin/channels/{id}/queue", params(("id" = ChannelId, Path)), tag = "admin",
    responses((status = 200, body = QueueView),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn line_queue(caller: Caller, Id(id): Id<ChannelId>) -> Answer<QueueView> {
    line(&caller, &id)?;
    let queue = caller.tenant.queue(id.clone()).await?;
    let days = queue.days.into_iter().map(|day| DayView {
        brand: day.brand,
        network: day.network,
        used: day.used,
        limit: day.limit,
        kept: day.kept,
        ends: day.ends,
    });
    let (waiting, in_flight) = (queue.waiting as u64, queue.in_flight as u64);
    Ok(Json(QueueView { channel: id, waiting, in_flight, days: days.collect() }))
}

fn line(caller: &Caller, id: &ChannelId) -> Result<ChannelSettings, Failure> {
    let found = caller.tenant.settings().channels.get(id).cloned();
    found.ok_or_else(|| Failure::not_found(format!("channel {id}")))
}
