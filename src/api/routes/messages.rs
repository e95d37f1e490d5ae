//! Messages that operators write.

use axum::extract::State;
use schema::{
    command::{Command, MessageRef, Recipient, Reply, SendMessage, SendWith},
    ids::{ConversationId, MessageId},
    problem::Problem,
    rest::{Plain, SendText, SendTextTo},
};

use super::submit;
use crate::api::{
    ApiState,
    answer::Answer,
    caller::Caller,
    input::{Body, Id, Key, KeyHeader},
};

/// Write to the contact of a conversation.
#[utoipa::path(post, path = "/v1/conversations/{id}/messages", params(("id" = ConversationId, Path),
    KeyHeader), request_body = SendText, tag = "messages", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn send(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<SendText>,
) -> Answer<Reply> {
    let to = Recipient::Conversation(conversation);
    let send = SendMessage { to, channel: body.channel, text: body.text };
    let command = SendWith::command(send, body.hold_s, None);
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Write to a number; joins its conversation if there is one.
#[utoipa::path(post, path = "/v1/messages", params(KeyHeader),
    request_body = SendTextTo, tag = "messages", responses((status = 200, body = Reply),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn send_to(
    State(state): State<ApiState>,
    caller: Caller,
    key: Key,
    Body(body): Body<SendTextTo>,
) -> Answer<Reply> {
    let to = Recipient::Address(body.to);
    let send = SendMessage { to, channel: body.channel, text: body.text };
    let command = SendWith::command(send, body.hold_s, body.basis);
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Take a text back while it is queued.
#[utoipa::path(post, path = "/v1/messages/{id}/cancel", params(("id" = MessageId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "messages", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Id(message): Id<MessageId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let conversation = state.reader().conversation_of(caller.tenant_id(), message).await?;
    let command = Command::Cancel(MessageRef { conversation, message });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Try a failed text again, or one of unknown fate: because a person says so.
#[utoipa::path(post, path = "/v1/messages/{id}/retry", params(("id" = MessageId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "messages", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn retry(
    State(state): State<ApiState>,
    caller: Caller,
    Id(message): Id<MessageId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let conversation = state.reader().conversation_of(caller.tenant_id(), message).await?;
    let command = Command::Retry(MessageRef { conversation, message });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}
