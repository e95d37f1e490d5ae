//! Reading: inbox, conversations, contacts, messages.

use actors::reader::Window;
use axum::{Json, extract::State};
use schema::{
    ids::{ConversationId, MessageId, TemplateId},
    page::{ContactView, ConversationPage, ConversationView, Cursor, InboxPage, MessageView, Queued},
    problem::Problem,
    rest::{CannedText, Texts},
    settings::TemplateSettings,
};
use serde::Deserialize;

use super::{Fresh, fresh, limit};
use crate::api::{
    ApiState,
    answer::{Answer, Failure},
    caller::Caller,
    input::{At, Id, Query},
};

/// Which page of the inbox.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct InboxQuery {
    /// Open conversations (true, the default) or resolved ones.
    open: Option<bool>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{48}$")]
    cursor: Option<Cursor>,
    /// Rows, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Wait until the answer includes this offset, for a few seconds.
    #[param(value_type = Option<u64>, maximum = 9_007_199_254_740_991_u64)]
    at_least: Option<At>,
}

/// Conversations, newest activity first, with the position to resume the stream from.
#[utoipa::path(get, path = "/v1/inbox", params(InboxQuery), tag = "conversations", responses(
    (status = 200, body = InboxPage), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn inbox(
    State(state): State<ApiState>,
    caller: Caller,
    Query(query): Query<InboxQuery>,
) -> Answer<InboxPage> {
    let limit = limit(&state, query.limit)?;
    fresh(&caller, query.at_least).await?;
    let page = state.reader().inbox(caller.tenant_id(), query.open.unwrap_or(true), query.cursor, limit).await?;
    Ok(Json(InboxPage { paused: caller.tenant.settings().pauses.clone(), ..page }))
}

/// One conversation as the inbox shows it.
#[utoipa::path(get, path = "/v1/conversations/{id}", params(("id" = ConversationId, Path), Fresh), tag = "conversations",
    responses((status = 200, body = ConversationView),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn conversation(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ConversationId>,
    Query(query): Query<Fresh>,
) -> Answer<ConversationView> {
    fresh(&caller, query.at_least).await?;
    Ok(Json(state.reader().summary(caller.tenant_id(), id).await?))
}

/// Which stretch of a conversation; at most one of `before` and `after`.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// Events before this offset; with neither, the newest.
    #[param(value_type = Option<u64>, maximum = 9_007_199_254_740_991_u64)]
    before: Option<At>,
    /// Events after this offset.
    #[param(value_type = Option<u64>, maximum = 9_007_199_254_740_991_u64)]
    after: Option<At>,
    /// Rows, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// Wait until the answer includes this offset, for a few seconds.
    #[param(value_type = Option<u64>, maximum = 9_007_199_254_740_991_u64)]
    at_least: Option<At>,
}

/// A stretch of a conversation, oldest first, as the stream sends it.
#[utoipa::path(get, path = "/v1/conversations/{id}/events", params(("id" = ConversationId, Path), EventsQuery),
    tag = "conversations", responses((status = 200, body = ConversationPage),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn events(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ConversationId>,
    Query(query): Query<EventsQuery>,
) -> Answer<ConversationPage> {
    let window = match (query.before, query.after) {
        (None, None) => Window::Latest,
        (Some(At(before)), None) => Window::Before(before),
        (None, Some(At(after))) => Window::After(after),
        (Some(_), Some(_)) => return Err(Failure::invalid("after", "cannot be used together with before")),
    };
    let limit = limit(&state, query.limit)?;
    fresh(&caller, query.at_least).await?;
    let page = state.reader().conversation(caller.tenant_id(), caller.role, id, window, limit).await?;
    Ok(Json(page))
}

/// The contact of a conversation.
#[utoipa::path(get, path = "/v1/conversations/{id}/contact", params(("id" = ConversationId, Path), Fresh),
    tag = "conversations", responses((status = 200, body = ContactView),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn contact(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<ConversationId>,
    Query(query): Query<Fresh>,
) -> Answer<ContactView> {
    fresh(&caller, query.at_least).await?;
    Ok(Json(state.reader().contact(caller.tenant_id(), id).await?))
}

/// One message, with its status and, while it is queued, its place and an estimate.
#[utoipa::path(get, path = "/v1/messages/{id}", params(("id" = MessageId, Path), Fresh), tag = "messages", responses(
    (status = 200, body = MessageView), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn message(
    State(state): State<ApiState>,
    caller: Caller,
    Id(id): Id<MessageId>,
    Query(query): Query<Fresh>,
) -> Answer<MessageView> {
    fresh(&caller, query.at_least).await?;
    let mut view = state.reader().message(caller.tenant_id(), id).await?;
    if let Some(sending) = view.sending.as_mut().filter(|sending| !sending.status.is_settled()) {
        // A place that cannot be told now is no reason to withhold the message.
        let place = caller.tenant.place(id).await.ok().flatten();
        sending.queue = place.map(|place| Queued {
            place: place.place,
            estimate_ms: place.paused.is_none().then(|| u64::try_from(place.estimate.as_millis()).unwrap_or(u64::MAX)),
            paused: place.paused,
            day_ends: place.day_ends,
        });
    }
    Ok(Json(view))
}

/// Texts that operators put into what they write: every template, with what stands for `{business}`.
#[utoipa::path(get, path = "/v1/texts", tag = "messages", responses((status = 200, body = Texts),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn texts(caller: Caller) -> Json<Texts> {
    let settings = caller.tenant.settings();
    let row = |(template, kept): (&TemplateId, &TemplateSettings)| CannedText {
        template: template.clone(),
        text: kept.text.clone(),
    };
    let rows = settings.templates.iter().map(row).collect();
    Json(Texts { business_name: settings.tenant.business_name.clone(), rows })
}
