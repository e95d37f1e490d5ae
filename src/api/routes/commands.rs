//! What operators do with a conversation beside writing to its contact. Each route is one command.

use axum::extract::State;
use schema::{
    command::{
        AddNote, Assign, BlockContact, ChangeTags, Command, ConversationRef, MarkRead, OptOutBecause, RecordConsent,
        Reply, Snooze, UpdateContact,
    },
    ids::ConversationId,
    problem::Problem,
    rest::{AssignTo, EditContact, EditTags, NewBlock, NewConsent, OptOut, Plain, ReadUpTo, SnoozeUntil, WriteNote},
};

use super::submit;
use crate::api::{
    ApiState,
    answer::Answer,
    caller::Caller,
    input::{Body, Id, Key, KeyHeader},
};

/// Add a note beside the messages; contacts never see it.
#[utoipa::path(post, path = "/v1/conversations/{id}/notes", params(("id" = ConversationId, Path),
    KeyHeader), request_body = WriteNote, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn add_note(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<WriteNote>,
) -> Answer<Reply> {
    let command = Command::Note(AddNote { conversation, text: body.text });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Put an operator on it, or nobody.
#[utoipa::path(post, path = "/v1/conversations/{id}/assign", params(("id" = ConversationId, Path),
    KeyHeader), request_body = AssignTo, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn assign(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<AssignTo>,
) -> Answer<Reply> {
    let command = Command::Assign(Assign { conversation, operator: body.operator });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// End the episode.
#[utoipa::path(post, path = "/v1/conversations/{id}/resolve", params(("id" = ConversationId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn resolve(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let command = Command::Resolve(ConversationRef { conversation });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Begin a new episode.
#[utoipa::path(post, path = "/v1/conversations/{id}/reopen", params(("id" = ConversationId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn reopen(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let command = Command::Reopen(ConversationRef { conversation });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Hide it until a time.
#[utoipa::path(post, path = "/v1/conversations/{id}/snooze", params(("id" = ConversationId, Path),
    KeyHeader), request_body = SnoozeUntil, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn snooze(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<SnoozeUntil>,
) -> Answer<Reply> {
    let command = Command::Snooze(Snooze { conversation, until: body.until });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Add and remove labels.
#[utoipa::path(post, path = "/v1/conversations/{id}/tags", params(("id" = ConversationId, Path),
    KeyHeader), request_body = EditTags, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn tag(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<EditTags>,
) -> Answer<Reply> {
    let command = Command::Tag(ChangeTags { conversation, add: body.add, remove: body.remove });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Mark everything up to an offset as seen.
#[utoipa::path(post, path = "/v1/conversations/{id}/read", params(("id" = ConversationId, Path),
    KeyHeader), request_body = ReadUpTo, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn mark_read(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<ReadUpTo>,
) -> Answer<Reply> {
    let command = Command::MarkRead(MarkRead { conversation, up_to: body.up_to });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Change the contact's name or notes.
#[utoipa::path(post, path = "/v1/conversations/{id}/contact", params(("id" = ConversationId, Path),
    KeyHeader), request_body = EditContact, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn update_contact(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<EditContact>,
) -> Answer<Reply> {
    let command = Command::UpdateContact(UpdateContact { conversation, name: body.name, notes: body.notes });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Say that somebody called back and spoke with the contact: nobody waits any more.
#[utoipa::path(post, path = "/v1/conversations/{id}/called", params(("id" = ConversationId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn called(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let command = Command::Called(ConversationRef { conversation });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Record that the contact must not be texted any more, and why; the contact's own opt-out if that is what it seemed to ask
/// for.
#[utoipa::path(post, path = "/v1/conversations/{id}/opt-out", params(("id" = ConversationId, Path),
    KeyHeader), request_body = Option<OptOut>, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn opt_out(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<OptOut>,
) -> Answer<Reply> {
    let command = OptOutBecause::command(conversation, body.reason);
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Hear no more of the contact: what it sends is kept, and bothers nobody; nothing more leaves for it.
#[utoipa::path(post, path = "/v1/conversations/{id}/block", params(("id" = ConversationId, Path),
    KeyHeader), request_body = NewBlock, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn block(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<NewBlock>,
) -> Answer<Reply> {
    let command = Command::Block(BlockContact { conversation, why: body.why });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Undo a block: the conversation is open again if it was.
#[utoipa::path(post, path = "/v1/conversations/{id}/unblock", params(("id" = ConversationId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn unblock(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let command = Command::Unblock(ConversationRef { conversation });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Lift an opt-out that an operator recorded, or the doubt whether the contact asked for one. The contact's own only the
/// contact lifts, or an admin who records new consent.
#[utoipa::path(post, path = "/v1/conversations/{id}/opt-in", params(("id" = ConversationId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn opt_in(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let command = Command::OptIn(ConversationRef { conversation });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Record new consent of a contact who had opted out: how and when it was given, and in which words. The carrier's own
/// list only the contact can lift.
#[utoipa::path(post, path = "/v1/conversations/{id}/consent", params(("id" = ConversationId, Path),
    KeyHeader), request_body = NewConsent, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn record_consent(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<NewConsent>,
) -> Answer<Reply> {
    let command =
        Command::ConsentRecord(RecordConsent { conversation, how: body.how, when: body.when, words: body.words });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}

/// Let a parked conversation decide again, and replay what arrived meanwhile.
#[utoipa::path(post, path = "/v1/conversations/{id}/release", params(("id" = ConversationId, Path),
    KeyHeader), request_body = Option<Plain>, tag = "conversations", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn release(
    State(state): State<ApiState>,
    caller: Caller,
    Id(conversation): Id<ConversationId>,
    key: Key,
    Body(body): Body<Plain>,
) -> Answer<Reply> {
    let command = Command::Release(ConversationRef { conversation });
    submit(&state, &caller, command, key.or(body.idempotency_key)?).await
}
