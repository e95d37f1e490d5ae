//! Figures: what became of calls, questions and texts, over some hours, and each number right now.

use actors::figures::{FiguresError, FiguresQuery};
use axum::{Json, extract::State};
use schema::{
    figures::{FiguresPage, LineFigures, LineLive, Sums},
    ids::ChannelId,
    pause::Pause,
    problem::{Code, Problem},
};
use serde::Deserialize;

use crate::api::{
    ApiState,
    answer::{Answer, Failure},
    caller::Caller,
    input::Query,
};

/// Hours when the client names no number.
const HOURS_DEFAULT: u32 = 24;
/// Hours at most, whatever is kept: 92 days.
const HOURS_MAX: u32 = 2_208;
/// Numbers that are looked at live. More would hold up the tenant.
const LIVE_MAX: usize = 100;

/// Which figures.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct FiguresParams {
    /// So many hours up to now, 1 to 2,208; the one under way is the last.
    #[param(minimum = 1, maximum = 2208)]
    hours: Option<u32>,
    /// Of one number alone.
    channel: Option<ChannelId>,
}

/// What became of missed calls, questions and texts, counted from the whole log; and each number's queue and pace.
#[utoipa::path(get, path = "/v1/figures", params(FiguresParams), tag = "conversations", responses(
    (status = 200, body = FiguresPage), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn figures(
    State(state): State<ApiState>,
    caller: Caller,
    Query(asked): Query<FiguresParams>,
) -> Answer<FiguresPage> {
    let hours = asked.hours.unwrap_or(HOURS_DEFAULT);
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(Failure::invalid("hours", format!("must be 1 to {HOURS_MAX}")));
    }
    let now = state.parts().engine.ports().clock.now();
    let query = FiguresQuery { now, hours, channel: asked.channel };
    let counted = state.parts().figures.page(caller.tenant_id(), &query).await;
    let mut page = counted.map_err(|error| unavailable(&error))?;
    join_lines(&caller, &query, &mut page);
    for line in page.lines.iter_mut().take(LIVE_MAX) {
        line.live = look(&state, &caller, line).await;
    }
    page.lines.iter_mut().skip(LIVE_MAX).for_each(|line| line.live = None);
    Ok(Json(page))
}

fn unavailable(error: &FiguresError) -> Failure {
    tracing::warn!(%error, "figures cannot be told");
    Problem::new(Code::Unavailable).retry_after(std::time::Duration::from_secs(5)).into()
}

/// Numbers with nothing to count are told of too.
fn join_lines(caller: &Caller, query: &FiguresQuery, page: &mut FiguresPage) {
    let settings = caller.tenant.settings();
    for channel in settings.channels.keys() {
        let is_asked = query.channel.as_ref().is_none_or(|asked| asked == channel);
        if is_asked && !page.lines.iter().any(|line| line.channel == *channel) {
            let sums = Sums::default();
            page.lines.push(LineFigures { channel: channel.clone(), address: None, sums, live: None });
        }
    }
    page.lines.sort_by(|one, other| one.channel.cmp(&other.channel));
    for line in &mut page.lines {
        line.address = settings.channels.get(&line.channel).map(|known| known.address.clone());
    }
}

/// A number as it is now; none: it is not there any more, or cannot be asked.
async fn look(state: &ApiState, caller: &Caller, line: &LineFigures) -> Option<LineLive> {
    line.address.as_ref()?;
    let queue = caller.tenant.queue(line.channel.clone()).await.ok()?;
    let settings = caller.tenant.settings();
    let paused = settings.pauses.own(&line.channel).max(state.parts().engine.directory().pause());
    Some(LineLive {
        waiting: queue.waiting as u64,
        in_flight: queue.in_flight as u64,
        segments: line.live.as_ref().map_or(0, |live| live.segments),
        per_s: settings.limits(&line.channel).number_per_s,
        paused: (paused != Pause::None).then_some(paused),
    })
}
