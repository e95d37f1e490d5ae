//! Search.

use actors::reader::Question;
use axum::{Json, extract::State};
use schema::{page::SearchPage, problem::Problem};
use serde::Deserialize;

use super::limit;
use crate::api::{
    ApiState,
    answer::Answer,
    caller::Caller,
    input::{At, Query},
};

/// What is looked for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchQuery {
    /// Words, all of which must occur, the last perhaps only begun; or a number.
    #[param(min_length = 1, max_length = 200)]
    q: String,
    /// Only what is older than this offset: `before` of the page before.
    #[param(value_type = Option<u64>, maximum = 9_007_199_254_740_991_u64)]
    before: Option<At>,
    /// Rows, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Texts, notes and names that hold the words, newest first; and the contact whose number was typed. What was just
/// written is found a moment later: `offset` says how far the index is.
#[utoipa::path(get, path = "/v1/search", params(SearchQuery), tag = "conversations", responses(
    (status = 200, body = SearchPage), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn search(
    State(state): State<ApiState>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> Answer<SearchPage> {
    let limit = limit(&state, query.limit)?;
    let question = Question { text: query.q, role: caller.role, before: query.before.map(|At(before)| before), limit };
    Ok(Json(state.reader().search(&*state.parts().search, caller.tenant_id(), question).await?))
}
