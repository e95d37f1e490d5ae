//! The stop button and the queue: what is held back, what waits, and taking it back.

use std::time::Duration;

use actors::{handle::Refusal, ports::ChannelEntry};
use axum::{Json, extract::State};
use futures_util::future::join_all;
use schema::{
    command::{Command, MessageRef, Registration, Reply, Request, Setting},
    ids::{ChannelId, MessageId, TemplateId, TenantId},
    pause::{PauseScope, Pauses},
    problem::{Code, Problem},
    queue::{LinePace, QueueCanceled, QueueConfirm, QueueFilter, QueuePage, QueueTotals, QueuedText},
    rest::{CancelQueue, PauseOrder},
    time::Stamp,
};
use serde::Deserialize;

use super::{limit, submit};
use crate::api::{
    ApiState,
    answer::{Answer, Failure},
    caller::Caller,
    input::{Body, Key, KeyHeader, Query},
};

/// Texts of one step under way to their conversations at the same time: a tenant's other commands come in between.
const TOGETHER: usize = 32;

/// What is held back. Whoever runs the engine sees what is held back at every tenant.
#[utoipa::path(get, path = "/v1/admin/pause", tag = "admin", responses((status = 200, body = Pauses),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn pause(State(state): State<ApiState>, caller: Caller) -> Json<Pauses> {
    Json(paused(&state, &caller))
}

/// Hold texts back, or let them leave: within a second, kept over restarts. The tenant, its lines and whoever runs the
/// engine each have their own pause; none lifts another's, and the strictest counts.
#[utoipa::path(put, path = "/v1/admin/pause", params(KeyHeader), request_body = PauseOrder, tag = "admin", responses(
    (status = 200, body = Reply), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn set_pause(
    State(state): State<ApiState>,
    caller: Caller,
    key: Key,
    Body(order): Body<PauseOrder>,
) -> Answer<Reply> {
    let key = key.or(order.idempotency_key)?;
    let command = match (runs_the_engine(&caller), order.channel) {
        (true, None) => Command::Register(Registration::Pause(order.pause)),
        (true, Some(_)) => return Err(Failure::invalid("channel", "a line is paused with a token of its tenant")),
        (false, Some(channel)) => Command::Configure(Setting::Pause(PauseScope::Line(channel), order.pause)),
        (false, None) => Command::Configure(Setting::Pause(PauseScope::Tenant, order.pause)),
    };
    submit(&state, &caller, command, key).await
}

fn runs_the_engine(caller: &Caller) -> bool {
    *caller.tenant_id() == TenantId::system()
}

/// What is ordered for everyone is asked where it was ordered: a tenant's own feed follows.
fn paused(state: &ApiState, caller: &Caller) -> Pauses {
    let everyone = state.parts().engine.directory().pause();
    Pauses { everyone, ..caller.tenant.settings().pauses.clone() }
}

/// Which queued texts.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueQuery {
    /// Of one line.
    channel: Option<ChannelId>,
    /// Made from one template.
    template: Option<TemplateId>,
    /// Queued at least so many seconds ago.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    older_than_s: Option<u32>,
    /// Where the page before ended.
    after: Option<MessageId>,
    /// Rows, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

/// Texts that wait to leave, oldest first, with sums by line and template on the first page.
#[utoipa::path(get, path = "/v1/admin/queue", params(QueueQuery), tag = "admin", responses(
    (status = 200, body = QueuePage), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn queue(
    State(state): State<ApiState>,
    caller: Caller,
    Query(query): Query<QueueQuery>,
) -> Answer<QueuePage> {
    let limit = limit(&state, query.limit)?;
    let filter = filter(&state, query.channel, query.template, query.older_than_s);
    let (reader, tenant) = (state.reader(), caller.tenant_id());
    let position = reader.position(tenant).await?;
    let totals = match query.after {
        None => Some(reader.queue_totals(tenant, &filter).await?),
        Some(_) => None,
    };
    let (rows, next) = reader.queue(tenant, &filter, query.after, limit).await?;
    let (paused, pace) = (paused(&state, &caller), pace(&state, &caller));
    Ok(Json(QueuePage { position, rows, next, totals, paused, pace }))
}

/// How the tenant's lines stand with limits that nodes share, as this node has it.
fn pace(state: &ApiState, caller: &Caller) -> Vec<LinePace> {
    let (engine, settings) = (&state.parts().engine, caller.tenant.settings());
    let (limiter, now) = (&engine.ports().limiter, engine.ports().clock.now());
    let lines = engine.directory().channels().into_iter().filter(|line| line.tenant == *caller.tenant_id());
    let standing = |line: ChannelEntry| {
        let standing = limiter.shared_standing(&line.account, &settings.limits(&line.channel), now)?;
        Some(LinePace { channel: line.channel, standing })
    };
    lines.filter_map(standing).collect()
}

fn filter(
    state: &ApiState,
    channel: Option<ChannelId>,
    template: Option<TemplateId>,
    older_than_s: Option<u32>,
) -> QueueFilter {
    let now = state.parts().engine.ports().clock.now();
    let before = |seconds: u32| {
        let age = Duration::from_secs(u64::from(seconds));
        Stamp(now.0.saturating_sub(u64::try_from(age.as_micros()).unwrap_or(u64::MAX)))
    };
    QueueFilter { channel, template, queued_before: older_than_s.map(before), up_to: None }
}

/// Take queued texts back, after a preview. The preview changes nothing and says what would go; confirming takes back
/// those texts and none that were queued since, some at a time: repeat with what each answer gives to confirm.
#[utoipa::path(post, path = "/v1/admin/queue/cancel", request_body = Option<CancelQueue>, tag = "admin", responses(
    (status = 200, body = QueueCanceled),
    (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn cancel_queue(
    State(state): State<ApiState>,
    caller: Caller,
    Body(asked): Body<CancelQueue>,
) -> Answer<QueueCanceled> {
    match (asked.preview, asked.confirm) {
        (true, None) => {
            let filter = filter(&state, asked.channel, asked.template, asked.older_than_s);
            preview(&state, &caller, &filter).await
        }
        (true, Some(_)) => Err(Failure::invalid("preview", "must be false to confirm")),
        (false, None) => Err(Failure::invalid("confirm", "is missing: ask for a preview first")),
        (false, Some(confirm)) => {
            if asked.channel.is_some() || asked.template.is_some() || asked.older_than_s.is_some() {
                return Err(Failure::invalid("confirm", "says which texts: name no others beside it"));
            }
            cancel_step(&state, &caller, confirm).await
        }
    }
}

/// What would go, as of now: the views hold everything that was stored before the question.
async fn preview(state: &ApiState, caller: &Caller, filter: &QueueFilter) -> Answer<QueueCanceled> {
    let up_to = caller.tenant.feed().position().offset;
    caller.tenant.viewed(up_to).await?;
    let meant = QueueFilter { up_to: Some(up_to), ..filter.clone() };
    let totals = state.reader().queue_totals(caller.tenant_id(), &meant).await?;
    let some = totals.texts + totals.on_their_way > 0;
    let confirm = some.then(|| QueueConfirm::new(filter, up_to));
    Ok(Json(QueueCanceled { preview: true, totals, gone: 0, parked: 0, confirm }))
}

/// Takes the next texts back, each through its conversation's own door. What the tenant has no room for now comes with
/// the next step.
async fn cancel_step(state: &ApiState, caller: &Caller, confirm: QueueConfirm) -> Answer<QueueCanceled> {
    if confirm.up_to() > caller.tenant.feed().position().offset {
        return Err(Failure::invalid("confirm", "was not given by a preview of this tenant"));
    }
    if confirm.after().is_none() {
        record(state, caller, &confirm).await?;
    }
    let (reader, limits, clock) = (state.reader(), &state.parts().limits, &state.parts().engine.ports().clock);
    let (rows, mut next) =
        reader.queue(caller.tenant_id(), &confirm.filter(), confirm.after(), limits.cancel_step).await?;
    let enough = clock.monotonic() + limits.answer_within / 2;
    let mut step = Step::default();
    for together in rows.chunks(TOGETHER) {
        let fates = together.iter().cloned().map(|row| cancel(state, caller, row));
        for (row, fate) in join_all(fates).await {
            step.count(&row, fate);
        }
        if step.refusal.is_some() {
            break;
        }
        // An answer that is too late would be a refusal of what was done.
        if clock.monotonic() > enough {
            next = together.last().map(|row| row.message);
            break;
        }
    }
    let confirm = match step.refusal {
        Some(refusal) if step.done == 0 => return Err(refusal.into()),
        Some(_) => Some(confirm),
        None => next.map(|after| confirm.behind(after)),
    };
    Ok(Json(QueueCanceled { preview: false, totals: step.totals, gone: step.gone, parked: step.parked, confirm }))
}

/// Who ordered it, before the first text goes; once, however often the step is asked for.
async fn record(state: &ApiState, caller: &Caller, confirm: &QueueConfirm) -> Result<(), Failure> {
    let request = caller.origin().request;
    // With a space: no client's key is like it.
    let key = format!("queue.cancel {confirm}");
    let command = Command::CancelQueue(confirm.clone());
    let Json(reply) = submit(state, caller, command, Some(key)).await?;
    tracing::info!(tenant = %caller.tenant_id(), %request, offset = %reply.offset, "queued texts are taken back");
    Ok(())
}

async fn cancel(state: &ApiState, caller: &Caller, row: QueuedText) -> (QueuedText, Result<Reply, Refusal>) {
    let command = Command::CancelQueued(MessageRef { conversation: row.conversation, message: row.message });
    let request = Request { command, origin: caller.origin(), key: None };
    (row, state.parts().engine.submit(caller.tenant_id(), request).await)
}

/// What one step has done.
#[derive(Default)]
struct Step {
    totals: QueueTotals,
    gone: u64,
    parked: u64,
    done: usize,
    /// The tenant has no room, or the store is away: the rest comes later.
    refusal: Option<Refusal>,
}

impl Step {
    fn count(&mut self, row: &QueuedText, fate: Result<Reply, Refusal>) {
        match fate {
            Ok(_) => {
                self.totals.texts += 1;
                self.totals.segments += u64::from(row.segments);
            }
            Err(Refusal::Rejected { code: Code::Parked, .. }) => self.parked += 1,
            Err(Refusal::Rejected { .. }) => self.gone += 1,
            Err(refusal) => {
                self.refusal = Some(refusal);
                return;
            }
        }
        self.done += 1;
    }
}
