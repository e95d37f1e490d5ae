//! Administration: the tenant, its templates, what is parked, who did what.

use axum::{Json, extract::State};
use schema::{
    command::{Command, Reply, Setting},
    ids::{Offset, TemplateId},
    page::{AuditPage, ParkedPage},
    problem::Problem,
    rest::{Listing, TemplateView, TenantView},
    settings::{TemplateSettings, TenantSettings},
};
use serde::Deserialize;

use super::{limit, submit};
use crate::api::{
    ApiState,
    answer::{Answer, Failure},
    caller::Caller,
    input::{At, Body, Id, Key, KeyHeader, Query},
};

/// The tenant's own settings.
#[utoipa::path(get, path = "/v1/admin/tenant", tag = "admin", responses((status = 200, body = TenantView),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn tenant(caller: Caller) -> Json<TenantView> {
    let settings = caller.tenant.settings().tenant.clone();
    Json(TenantView { tenant: caller.tenant_id().clone(), settings })
}

/// Change the tenant's own settings.
#[utoipa::path(put, path = "/v1/admin/tenant", params(KeyHeader),
    request_body = TenantSettings, tag = "admin", responses((status = 200, body = Reply),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_tenant(
    State(state): State<ApiState>,
    caller: Caller,
    key: Key,
    Body(settings): Body<TenantSettings>,
) -> Answer<Reply> {
    submit(&state, &caller, Command::Configure(Setting::Tenant(settings)), key.or(None)?).await
}

/// Every template.
#[utoipa::path(get, path = "/v1/admin/templates", tag = "admin", responses(
    (status = 200, body = Listing<TemplateView>),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn templates(caller: Caller) -> Json<Listing<TemplateView>> {
    let settings = caller.tenant.settings();
    let view = |(id, template): (&TemplateId, &TemplateSettings)| template_view(id, template, &settings.tenant);
    Json(Listing { rows: settings.templates.iter().map(view).collect() })
}

/// One template, with its cost when rendered.
#[utoipa::path(get, path = "/v1/admin/templates/{id}", params(("id" = TemplateId, Path)), tag = "admin", responses(
    (status = 200, body = TemplateView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn template(caller: Caller, Id(id): Id<TemplateId>) -> Answer<TemplateView> {
    let settings = caller.tenant.settings();
    let found = settings.templates.get(&id).ok_or_else(|| Failure::not_found(format!("template {id}")))?;
    Ok(Json(template_view(&id, found, &settings.tenant)))
}

fn template_view(id: &TemplateId, template: &TemplateSettings, tenant: &TenantSettings) -> TemplateView {
    TemplateView { template: id.clone(), text: template.text.clone(), segments: template.segments(tenant) }
}

/// Make or change a template.
#[utoipa::path(put, path = "/v1/admin/templates/{id}", params(("id" = TemplateId, Path),
    KeyHeader), request_body = TemplateSettings, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_template(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    key: Key,
    Body(template): Body<TemplateSettings>,
) -> Answer<Reply> {
    submit(&state, &caller, Command::Configure(Setting::Template(id, Some(template))), key.or(None)?).await
}

/// Remove a template that no line uses.
#[utoipa::path(delete, path = "/v1/admin/templates/{id}", params(("id" = TemplateId, Path),
    KeyHeader), tag = "admin", responses((status = 200, body = Reply),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove_template(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<TemplateId>,
    key: Key,
) -> Answer<Reply> {
    if !caller.tenant.settings().templates.contains_key(&id) {
        return Err(Failure::not_found(format!("template {id}")));
    }
    submit(&state, &caller, Command::Configure(Setting::Template(id, None)), key.or(None)?).await
}

/// Conversations that decide nothing until they are released.
#[utoipa::path(get, path = "/v1/admin/parked", tag = "admin", responses((status = 200, body = ParkedPage),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn parked(State(state): State<ApiState>, caller: Caller) -> Answer<ParkedPage> {
    Ok(Json(state.reader().parked(caller.tenant_id()).await?))
}

/// Which page of the audit trail.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// Events after this offset; none: from the beginning.
    #[param(value_type = Option<u64>, maximum = 9_007_199_254_740_991_u64)]
    after: Option<At>,
    /// Rows, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Who did what, when, from where and by which request: the log itself, oldest first.
#[utoipa::path(get, path = "/v1/audit", params(AuditQuery), tag = "admin", responses((status = 200, body = AuditPage),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn audit(
    State(state): State<ApiState>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Answer<AuditPage> {
    let limit = limit(&state, query.limit)?;
    Ok(Json(state.reader().audit(caller.tenant_id(), query.after.map_or(Offset(0), |At(after)| after), limit).await?))
}
