//! Pace in process: how fast may texts leave, on every level that applies.
//!
//! [`LocalLimiter`] stands behind [`Limiter`], alone or, with [`LocalLimiter::shared`], as one of several nodes. Levels: account per second,
//! brand and networks per Pacific day, campaign per minute, number per second, contact pair; cost in segments; all or nothing.
//!
//! - Windows are strict and sliding, a guard longer than the limit says: what leaves on time may arrive late.
//! - Per second, texts are evenly spaced; per minute, up to a quarter may go at once. A text larger than its window is
//!   admitted when the window is empty and nothing is owed, and then charged whole.
//! - Tenants that share an account (and lanes that share a campaign) take turns; see `turns`.
//! - Memory is bounded: idle entries are swept, and beyond the hard caps a new number or pair is refused for a second.
//! - A clock that steps back never lets more through.
//!
//! Knows nothing of lanes, claims, the log and Redis.

mod day;
mod elapsed;
mod keeper;
mod levels;
mod meter;
mod shared;
mod shares;
mod sharing;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use schema::{ids::AccountId, queue::PaceStanding, settings::LimitSettings, time::Stamp};

use tokio::sync::Notify;

use crate::ports::{Admission, Clock, DayUse, Limiter, PaceRequest, Reply};
pub use keeper::{KeepMark, Keeper};
use levels::Levels;
use shares::Question;
pub use shares::{DayMark, SharedOptions, Standing};

/// How strict, how patient, how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceOptions {
    /// Every window is longer by this, or by a hundredth of itself if that is more: texts that leave on time may arrive
    /// at the carrier nearer to each other.
    pub guard: Duration,
    /// How long a lane whose turn has come is waited for.
    pub grace: Duration,
    /// A text this near before midnight counts for both days: it may arrive on the next.
    pub midnight: Duration,
    /// The share of each day, in hundredths, that is kept for persons, text-backs and confirmations.
    pub day_kept_percent: u8,
    /// A claimed text leaves within this, or never: what was claimed before this process started may have left so late.
    pub departs_within: Duration,
    /// Most contact pairs remembered; more are refused for a second (their lane waits).
    pub most_pairs: usize,
    /// Most numbers, and most accounts, brands and campaigns each; more are refused for a second.
    pub most_lines: usize,
}

impl Default for PaceOptions {
    fn default() -> Self {
        Self {
            guard: Duration::from_millis(20),
            grace: Duration::from_millis(100),
            midnight: Duration::from_secs(60),
            day_kept_percent: 20,
            departs_within: Duration::ZERO,
            most_pairs: 1_000_000,
            most_lines: 100_000,
        }
    }
}

/// Pace of all lanes of this process.
pub struct LocalLimiter {
    levels: Mutex<Levels>,
    clock: Option<Arc<dyn Clock>>,
    /// A question about shared limits has come nearer.
    hurry: Notify,
}

impl LocalLimiter {
    /// Nothing has been sent yet.
    pub fn new(options: PaceOptions) -> Self {
        Self { levels: Mutex::new(Levels::new(options)), clock: None, hurry: Notify::new() }
    }

    /// After a start at `now`: the log's claims bring back minutes, days and pairs ([`Limiter::restore`]), but what left in
    /// the very last second may not be known yet, so for one window no level per second lets anything through.
    pub fn started_at(options: PaceOptions, now: Stamp) -> Self {
        Self { levels: Mutex::new(Levels::new(options).quiet_from(now)), clock: None, hurry: Notify::new() }
    }

    /// Windows pass by this clock's monotonic time: a wall clock that steps ahead lets nothing through before its time.
    #[must_use]
    pub fn timed_by(self, clock: Arc<dyn Clock>) -> Self {
        let limiter = Self { clock: Some(clock), ..self };
        drop(limiter.levels());
        limiter
    }

    /// Account, brand and campaign are shared with other nodes: a [`Keeper`] must ask for this node's parts. `marks`: what
    /// processes before had of days; none: they kept no account of it, and [`Limiter::counted`] tells.
    #[must_use]
    pub fn shared(self, options: SharedOptions, marks: Option<Vec<DayMark>>, now: Stamp) -> Self {
        {
            let mut levels = self.levels();
            levels.share(options, now);
            if let Some(marks) = marks {
                levels.remember(marks);
            }
        }
        self
    }

    /// How this node stands with whoever hands out shares; none: nothing is shared.
    pub fn standing(&self) -> Option<Standing> {
        self.levels().standing()
    }

    /// Shared levels in use, by how they stand.
    fn census(&self, now: Stamp) -> [(PaceStanding, usize); 3] {
        self.levels().census(now)
    }

    /// Questions to be asked now, at most so many, and how long there is none after them.
    fn due(&self, now: Stamp, most: usize) -> (Vec<Question>, Duration) {
        let mut levels = self.levels();
        let questions = if most == 0 { Vec::new() } else { levels.due(now, most) };
        (questions, Duration::from_micros(levels.next_due(now)))
    }

    fn answered(&self, question: &Question, reply: Option<Reply>, now: Stamp) {
        self.levels().answered(question, reply, now);
    }

    async fn hurried(&self) {
        self.hurry.notified().await;
    }

    fn wake(&self, levels: &mut Levels) {
        if levels.take_hurried() {
            self.hurry.notify_one();
        }
    }

    /// A panic while it was held left each level either charged or not: the worst is a text too few.
    fn levels(&self) -> MutexGuard<'_, Levels> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clock) = &self.clock {
            levels.elapse(clock.monotonic());
        }
        levels
    }
}

impl Default for LocalLimiter {
    fn default() -> Self {
        Self::new(PaceOptions::default())
    }
}

impl Limiter for LocalLimiter {
    fn admit(&self, request: &PaceRequest<'_>, now: Stamp) -> Admission {
        let mut levels = self.levels();
        let admission = levels.admit(request, now);
        self.wake(&mut levels);
        admission
    }

    fn depart(&self, request: &PaceRequest<'_>, now: Stamp) -> Admission {
        let mut levels = self.levels();
        let admission = levels.depart(request, now);
        self.wake(&mut levels);
        admission
    }

    fn restore(&self, request: &PaceRequest<'_>, at: Stamp) {
        self.levels().restore(request, at);
    }

    fn counts_since(&self, limits: &LimitSettings, now: Stamp) -> Stamp {
        self.levels().counts_since(limits, now)
    }

    fn days(&self, limits: &LimitSettings, now: Stamp) -> Vec<DayUse> {
        self.levels().days(limits, now)
    }

    fn counted(&self, now: Stamp) {
        self.levels().counted(now);
    }

    fn shared_standing(&self, account: &AccountId, limits: &LimitSettings, now: Stamp) -> Option<PaceStanding> {
        self.levels().line_standing(account, limits, now)
    }
}
