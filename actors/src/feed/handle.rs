//! The reading end of a feed: positions, cursors, and the check that the feed keeps up with its log.

use std::{sync::Arc, time::Duration};

use schema::{
    event::Event,
    ids::{Epoch, FeedId, Offset},
};
use tokio::sync::watch;

use super::{Cursor, FeedError, Shared};

/// Longest wait for what the log holds to be shown.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// A place in a log that may be another log by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which log.
    pub epoch: Epoch,
    /// Everything up to here was seen.
    pub offset: Offset,
}

/// Why a reader cannot go on from its position without a gap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrecoverable {
    /// The log is another log.
    #[error("epoch is {now}")]
    Epoch {
        /// What it is now.
        now: Epoch,
    },
    /// The position lies ahead of the log's end: it is from another log, or made up.
    #[error("position is ahead of {head}")]
    Ahead {
        /// The log's end.
        head: Offset,
    },
    /// What comes next was trimmed.
    #[error("trimmed up to {oldest}")]
    Trimmed {
        /// First offset still there.
        oldest: Offset,
    },
    /// It cannot be told now; nothing is lost.
    #[error(transparent)]
    Feed(FeedError),
}

/// The reading end. Cheap to clone.
#[derive(Clone)]
pub struct FeedHandle {
    shared: Arc<Shared>,
}

/// When the feed was last compared with its log, and since when it is behind.
#[derive(Debug, Default)]
pub(super) struct LagCheck {
    at: Option<Duration>,
    behind_since: Option<Duration>,
}

impl FeedHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Whose feed.
    pub fn id(&self) -> &FeedId {
        &self.shared.id
    }

    /// Whether both read the same feed, not one that began again.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The channel its frames name: `inbox:<tenant>`.
    pub fn channel(&self) -> &str {
        &self.shared.channel
    }

    /// The durable end.
    pub fn position(&self) -> Position {
        Position { epoch: self.shared.epoch, offset: self.shared.head.borrow().offset }
    }

    /// Whether there will be no more from this feed.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.head.borrow().closed.is_some()
    }

    /// Returns when everything up to `offset` is shown, or the feed has ended.
    pub(crate) async fn reach(&self, offset: Offset) {
        self.shared.shown.reach(offset).await;
    }

    /// Whether everything up to `offset` is shown. What the log holds and this feed does not yet, because another node writes
    /// it, is waited for, a while; an offset that the log has not is not.
    pub async fn shows(&self, offset: Offset) -> Result<bool, FeedError> {
        if offset <= self.position().offset {
            return Ok(true);
        }
        if planted!(AheadOfFollowerRefused) || offset >= self.shared.log.head(&self.shared.id).await?.next_offset {
            return Ok(false);
        }
        let shown = tokio::time::timeout(SHOWN_WITHIN, self.reach(offset)).await;
        match shown.is_ok() && offset <= self.position().offset {
            true => Ok(true),
            false => Err(FeedError::Unavailable("it is behind its log".to_owned())),
        }
    }

    /// A recent event, if the ring still holds it.
    pub(crate) fn recent(&self, offset: Offset) -> Option<Event> {
        let ring = self.shared.ring.read().expect("no reader of the ring panics");
        ring.find(offset)?.event(offset).cloned()
    }

    /// A cursor at the end: only what is new.
    pub fn tail(&self) -> Cursor {
        let mut cursor = Cursor::new(self.shared.clone(), Offset(0));
        cursor.skip_to_head();
        cursor
    }

    /// A cursor after `position`, if nothing of what follows is missing.
    pub async fn cursor(&self, position: Position) -> Result<Cursor, Unrecoverable> {
        if position.epoch != self.shared.epoch {
            return Err(Unrecoverable::Epoch { now: self.shared.epoch });
        }
        if !self.shows(position.offset).await.map_err(Unrecoverable::Feed)? {
            return Err(Unrecoverable::Ahead { head: self.position().offset });
        }
        let now = self.position();
        let next = position.offset.next();
        if position.offset < now.offset && self.shared.find(&self.shared.ring, next).is_none() {
            let oldest = self.oldest().await.map_err(Unrecoverable::Feed)?;
            if next < oldest {
                return Err(Unrecoverable::Trimmed { oldest });
            }
        }
        let skips = planted!(ResumeOffByOne) && position.offset < now.offset;
        Ok(Cursor::new(self.shared.clone(), if skips { next } else { position.offset }))
    }

    /// First offset that can still be read.
    pub async fn oldest(&self) -> Result<Offset, FeedError> {
        Ok(self.shared.log.anchor(&self.shared.id).await?.oldest.max(Offset(1)))
    }

    /// Changes whenever an operator's rights changed; the settings hold them by then.
    pub fn rights(&self) -> watch::Receiver<Offset> {
        self.shared.rights.subscribe()
    }

    /// How long this feed has been behind its log. The log is asked at most once per `every`, whoever asks;
    /// `now` is a monotonic clock.
    pub async fn lag(&self, now: Duration, every: Duration) -> Duration {
        let mut check = self.shared.lag.lock().await;
        if check.at.is_none_or(|at| now.saturating_sub(at) >= every) {
            let published = self.position().offset;
            if let Ok(head) = self.shared.log.head(&self.shared.id).await {
                check.at = Some(now);
                let behind = head.next_offset > published.next() && self.position().offset == published;
                check.behind_since = behind.then(|| check.behind_since.unwrap_or(now));
            }
        }
        check.behind_since.map_or(Duration::ZERO, |since| now.saturating_sub(since))
    }
}
