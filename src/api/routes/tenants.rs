//! Tenants, for whoever runs the engine (tokens of tenant `system`), and a tenant's own carrier accounts.

use axum::{Json, extract::State};
use schema::{
    command::{Command, Registration, Reply, Request, Setting},
    ids::{AccountId, TenantId},
    problem::{Code, Problem},
    rest::{AccountSecret, Listing, NewTenant},
    settings::TenantSettings,
};

use super::submit;
use crate::api::{
    ApiState,
    answer::{Answer, Failure},
    caller::Caller,
    input::{Body, Id, Key, KeyHeader},
};

/// Longest id or secret of a carrier account, in bytes.
const CREDENTIAL_MAX: usize = 256;

/// Every tenant of this node's directory.
#[utoipa::path(get, path = "/v1/admin/tenants", tag = "engine", responses((status = 200, body = Listing<TenantId>),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn tenants(State(state): State<ApiState>, caller: Caller) -> Answer<Listing<TenantId>> {
    must_run_the_engine(&caller)?;
    Ok(Json(Listing { rows: state.parts().engine.directory().tenants() }))
}

/// Make a tenant. One that exists already is left as it is.
#[utoipa::path(post, path = "/v1/admin/tenants", request_body = NewTenant, tag = "engine", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn add_tenant(
    State(state): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewTenant>,
) -> Answer<Reply> {
    must_run_the_engine(&caller)?;
    let registered = Command::Register(Registration::Tenant(new.tenant.clone()));
    let reply = submit(&state, &caller, registered, None).await?;
    if !new.business_name.is_empty() {
        let settings = TenantSettings { business_name: new.business_name };
        let command = Command::Configure(Setting::Tenant(settings));
        let request = Request { command, origin: caller.origin(), key: None };
        state.parts().engine.submit(&new.tenant, request).await?;
    }
    Ok(reply)
}

/// Make a carrier account of the tenant, or replace its secret. The log says only that the secret changed.
#[utoipa::path(put, path = "/v1/admin/accounts/{id}", params(("id" = AccountId, Path),
    KeyHeader), request_body = AccountSecret, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_account(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<AccountId>,
    key: Key,
    Body(account): Body<AccountSecret>,
) -> Answer<Reply> {
    for (field, value) in [("carrier_id", &account.carrier_id), ("auth_token", &account.auth_token)] {
        if value.is_empty() || value.len() > CREDENTIAL_MAX {
            return Err(Failure::invalid(field, format!("must be 1 to {CREDENTIAL_MAX} bytes")));
        }
    }
    // It stands in the paths that the carrier is asked for.
    if !account.carrier_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failure::invalid("carrier_id", "must be letters and digits"));
    }
    let claim = Command::Register(Registration::Account {
        account: id.clone(),
        tenant: caller.tenant_id().clone(),
        carrier_id: account.carrier_id,
    });
    // The claim comes first: another tenant's account keeps its secret.
    let request = Request { command: claim, origin: caller.origin(), key: None };
    state.parts().engine.submit(&TenantId::system(), request).await?;
    if let Err(error) = (state.parts().put_secret)(id.clone(), account.auth_token).await {
        tracing::error!(account = %id, error, "a secret could not be stored");
        return Err(Failure::new(Code::Unavailable));
    }
    submit(&state, &caller, Command::Configure(Setting::Secret(id)), key.or(None)?).await
}

/// Only tokens of tenant `system` see who else is here.
pub(super) fn must_run_the_engine(caller: &Caller) -> Result<(), Failure> {
    if *caller.tenant_id() == TenantId::system() { Ok(()) } else { Err(Failure::new(Code::Forbidden)) }
}
