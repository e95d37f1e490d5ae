//! Where a trimmed log begins: the baseline is a second set of views that stands at the offset before the log's first.
//!
//! It is made by the same projector over the same log, so that baseline plus log always means the whole. Order matters:
//! the baseline is durable before the log lets go of what it was made from. Whatever a crash leaves undone, the next
//! trim, `verify` or `rebuild` finishes.

use std::time::Duration;

use schema::{
    ids::{FeedId, Offset},
    time::Stamp,
};

use crate::{
    conversation::State,
    ports::{Forget, Log, LogError, StoredConversation, ViewError, Views},
    projector::{CatchUpError, catch_up_to},
};

/// How long an accepted command is remembered behind a trim, counted back from the log's first event. Carriers repeat
/// for up to a week (carriers.md B.0).
pub const DEDUPE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Why a log was not trimmed.
#[derive(Debug, thiserror::Error)]
pub enum TrimError {
    /// The baseline could not be brought forward.
    #[error(transparent)]
    Baseline(#[from] CatchUpError),
    /// These views are a baseline themselves.
    #[error("a baseline cannot be trimmed")]
    NoBaseline,
}

impl From<ViewError> for TrimError {
    fn from(error: ViewError) -> Self {
        Self::Baseline(error.into())
    }
}

impl From<LogError> for TrimError {
    fn from(error: LogError) -> Self {
        Self::Baseline(error.into())
    }
}

/// Lets go of a feed's events before `to`, by whole batches, and never of what the views do not hold yet. Returns the
/// first offset that is left.
pub async fn trim(log: &dyn Log, views: &dyn Views, feed: &FeedId, to: Offset) -> Result<Offset, TrimError> {
    let baseline = views.baseline().await?.ok_or(TrimError::NoBaseline)?;
    let to = to.min(views.checkpoint(feed).await?.offset.next());
    let oldest = catch_up_to(log, &*baseline, feed, to).await?.offset.next();
    baseline.sync().await?;
    log.trim(feed, oldest).await?;
    finish(log, views, feed).await?;
    Ok(log.anchor(feed).await?.oldest)
}

/// Finishes a trim that a crash has interrupted; changes nothing if there was none.
pub async fn finish(log: &dyn Log, views: &dyn Views, feed: &FeedId) -> Result<(), TrimError> {
    let below = log.anchor(feed).await?.oldest;
    let Some(baseline) = views.baseline().await? else { return Ok(()) };
    // A crash before the log let go leaves the baseline ahead of it: what it stands at is not trimmed yet.
    if below <= Offset(1) || baseline.checkpoint(feed).await?.offset.next() != below {
        return Ok(());
    }
    let first = log.read(feed, below, 0).await?;
    let stamp = match first.first() {
        Some(batch) => batch.header.stamp,
        None => log.head(feed).await?.stamp,
    };
    let kept = u64::try_from(DEDUPE_KEPT.as_micros()).unwrap_or(u64::MAX);
    let forget = Forget { below, dedupe_from: Stamp(stamp.0.saturating_sub(kept)), pinned };
    views.forget(feed, forget).await?;
    baseline.sync().await?;
    Ok(())
}

/// Events whose personal part a state still needs.
fn pinned(stored: &StoredConversation) -> Result<Vec<Offset>, ViewError> {
    let state = State::load(stored)?;
    let mut pinned = vec![state.address_at, state.name_at, state.notes_at, state.last_text_at];
    pinned.extend(state.sends.values().map(|send| send.queued_at));
    pinned.extend(&state.unprocessed);
    Ok(pinned)
}

#[cfg(test)]
mod tests;
