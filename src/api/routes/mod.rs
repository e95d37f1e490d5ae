//! The routes, each behind its door. What is registered here is what the OpenAPI document shows: one list makes both.

mod admin;
mod channels;
mod cluster;
mod commands;
mod figures;
mod me;
mod messages;
mod node;
mod operators;
mod queue;
mod read;
mod search;
mod tenants;

use actors::handle::Refusal;
use axum::{Json, Router, middleware};
use schema::{
    command::{Command, Reply, Request},
    problem::Code,
};
use serde::Deserialize;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    ApiState,
    answer::{Answer, Failure},
    caller::Caller,
    door,
    input::At,
};

/// Every route, and the document that describes them.
pub(super) fn all(state: &ApiState) -> (Router<ApiState>, OpenApi) {
    let anyone = middleware::from_fn_with_state(state.clone(), door::anyone);
    let operators = middleware::from_fn_with_state(state.clone(), door::operators);
    let admins = middleware::from_fn_with_state(state.clone(), door::admins);
    OpenApiRouter::new()
        .merge(reading().merge(own()).route_layer(anyone))
        .merge(changing().route_layer(operators))
        .merge(administration().route_layer(admins))
        .merge(node())
        .split_for_parts()
}

/// The document alone.
pub(super) fn document() -> OpenApi {
    OpenApiRouter::<ApiState>::new()
        .merge(reading())
        .merge(changing())
        .merge(administration())
        .merge(node())
        .into_openapi()
}

fn reading() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(read::inbox))
        .routes(routes!(read::conversation))
        .routes(routes!(read::events))
        .routes(routes!(read::contact))
        .routes(routes!(read::message))
        .routes(routes!(read::texts))
        .routes(routes!(search::search))
        .routes(routes!(figures::figures))
        .routes(routes!(me::me))
}

/// What everybody changes of their own, also who only reads.
fn own() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(me::set_preferences))
}

fn changing() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(messages::send))
        .routes(routes!(messages::send_to))
        .routes(routes!(messages::cancel))
        .routes(routes!(messages::retry))
        .routes(routes!(commands::add_note))
        .routes(routes!(commands::assign))
        .routes(routes!(commands::resolve))
        .routes(routes!(commands::reopen))
        .routes(routes!(commands::snooze))
        .routes(routes!(commands::tag))
        .routes(routes!(commands::mark_read))
        .routes(routes!(commands::update_contact))
        .routes(routes!(commands::called))
        .routes(routes!(commands::opt_out))
        .routes(routes!(commands::block))
        .routes(routes!(commands::unblock))
        .routes(routes!(commands::opt_in))
        .routes(routes!(commands::release))
        .routes(routes!(me::save_filters))
        .routes(routes!(me::set_availability))
        .routes(routes!(me::set_hours))
}

fn administration() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(admin::tenant, admin::set_tenant))
        .routes(routes!(admin::templates))
        .routes(routes!(admin::template, admin::set_template, admin::remove_template))
        .routes(routes!(operators::operators))
        .routes(routes!(operators::operator, operators::set_operator))
        .routes(routes!(operators::invite))
        .routes(routes!(operators::reset))
        .routes(routes!(operators::set_availability_of))
        .routes(routes!(operators::set_hours_of))
        .routes(routes!(admin::parked))
        .routes(routes!(commands::record_consent))
        .routes(routes!(admin::audit))
        .routes(routes!(cluster::cluster))
        .routes(routes!(tenants::tenants, tenants::add_tenant))
        .routes(routes!(tenants::set_account))
        .routes(routes!(channels::channels))
        .routes(routes!(channels::channel, channels::set_channel))
        .routes(routes!(channels::coverage, channels::set_coverage))
        .routes(routes!(channels::limits, channels::set_limits))
        .routes(routes!(channels::line_queue))
        .routes(routes!(queue::pause, queue::set_pause))
        .routes(routes!(queue::queue))
        .routes(routes!(queue::cancel_queue))
}

fn node() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(node::healthz)).routes(routes!(node::readyz)).routes(routes!(node::metrics))
}

/// What is no route.
pub(super) async fn no_such_route() -> Failure {
    Failure::new(Code::NotFound)
}

/// A route that does not take this method.
pub(super) async fn no_such_method() -> Failure {
    Failure::new(Code::MethodNotAllowed)
}

/// Whoever wrote something reads it: `at_least` is the offset of the reply.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Fresh {
    /// Wait until the answer includes this offset, for a few seconds.
    #[param(value_type = Option<u64>, maximum = 9_007_199_254_740_991_u64)]
    at_least: Option<At>,
}

/// Waits for the views.
async fn fresh(caller: &Caller, at_least: Option<At>) -> Result<(), Failure> {
    let Some(At(offset)) = at_least else { return Ok(()) };
    let feed = caller.tenant.feed();
    if !feed.shows(offset).await.map_err(|error| Refusal::unavailable(error.to_string()))? {
        return Err(Failure::invalid("at_least", "lies beyond the end of the log"));
    }
    Ok(caller.tenant.viewed(offset).await?)
}

/// How many rows.
fn limit(state: &ApiState, asked: Option<usize>) -> Result<usize, Failure> {
    let limits = &state.parts().limits;
    match asked {
        None => Ok(limits.page_default),
        Some(rows) if (1..=limits.page_max).contains(&rows) => Ok(rows),
        Some(_) => Err(Failure::invalid("limit", format!("must be 1 to {}", limits.page_max))),
    }
}

/// Asks the caller's tenant. When this returns `Ok`, the events are on stable storage.
async fn submit(state: &ApiState, caller: &Caller, command: Command, key: Option<String>) -> Answer<Reply> {
    let request = Request { command, origin: caller.origin(), key };
    let reply: Result<Reply, Refusal> = state.parts().engine.submit(caller.tenant_id(), request).await;
    Ok(Json(reply?))
}
