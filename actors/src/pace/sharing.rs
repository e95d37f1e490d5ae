//! Levels that several nodes send under: their windows are narrowed to what this node holds of them.
//!
//! The meters stay as they are: a node that holds 7 of an account's 20 a second keeps a window of 7, strict and sliding, so
//! that the sum over nodes keeps the window of 20. A text that costs more than the share waits for a larger one.

use schema::{
    ids::AccountId,
    queue::PaceStanding,
    settings::{LimitSettings, NamedLimit},
    time::Stamp,
};

use super::{
    day::{DayKey, caps},
    levels::{Levels, MINUTE, SECOND, Windows, cost, kept},
    meter::Window,
    shares::{DayLevel, DayMark, DayNeed, DayParts, LevelKey, Question, SharedOptions, Shares, Standing, Used},
};
use crate::ports::{DayUse, PaceRequest, Reply};

impl Levels {
    /// From now on account, brand and campaign are shared.
    pub(super) fn share(&mut self, options: SharedOptions, now: Stamp) {
        self.shares = Some(Shares::new(options, self.elapsed.at(now)));
    }

    /// How this node stands with whoever hands out shares.
    pub(super) fn standing(&self) -> Option<Standing> {
        self.shares.as_ref().map(Shares::standing)
    }

    /// The same of those of a line's limits that are shared; none: none of them is.
    pub(super) fn line_standing(
        &mut self,
        account: &AccountId,
        limits: &LimitSettings,
        wall: Stamp,
    ) -> Option<PaceStanding> {
        let now = self.elapsed.at(wall);
        let shares = self.shares.as_ref()?;
        let account = limits.account_per_s.map(|_| LevelKey::Account(account.clone()));
        let campaign = limits.campaign_per_min.as_ref().map(|named| LevelKey::Campaign(named.name.clone()));
        let keys: Vec<LevelKey> = account.into_iter().chain(campaign).collect();
        if keys.is_empty() && caps(limits).next().is_none() {
            return None;
        }
        Some(shares.standing_of(&keys, now))
    }

    /// Shared levels in use, by how they stand.
    pub(super) fn census(&mut self, wall: Stamp) -> [(PaceStanding, usize); 3] {
        let now = self.elapsed.at(wall);
        let counted = self.shares.as_ref().map_or([0; 3], |shares| shares.census(now));
        let [granted, waiting, degraded] = counted;
        [(PaceStanding::Granted, granted), (PaceStanding::Waiting, waiting), (PaceStanding::Degraded, degraded)]
    }

    /// Narrows the windows of shared levels to this node's shares. When that is too little for the text: when to ask again.
    pub(super) fn narrow(&mut self, request: &PaceRequest<'_>, windows: &mut Windows, now: u64) -> u64 {
        let Some(shares) = &mut self.shares else { return 0 };
        let (segments, mut wait) = (cost(request), 0);
        let mut narrow = |key: LevelKey, window: &mut Window, length: u64| {
            let (share, look_at) = shares.share(&key, window.limit, length, now);
            if share < segments.min(window.limit) {
                shares.refuse(&key, segments);
                wait = wait.max(look_at);
            }
            // A limit of nothing stays one.
            window.limit = share.min(window.limit);
        };
        if let Some(window) = &mut windows.account {
            narrow(LevelKey::Account(request.account.clone()), window, SECOND);
        }
        if let Some((window, named)) = windows.campaign.as_mut().zip(request.limits.campaign_per_min.as_ref()) {
            narrow(LevelKey::Campaign(named.name.clone()), window, MINUTE);
        }
        wait
    }

    /// A text was refused: where its share is less than the limit, a larger one might have let it through.
    pub(super) fn refused(&mut self, request: &PaceRequest<'_>, windows: &Windows) {
        let Some(shares) = &mut self.shares else { return };
        let account = request.limits.account_per_s.map(|limit| (LevelKey::Account(request.account.clone()), limit));
        let (held, limits) = (windows.account.map(|window| window.limit), &request.limits.campaign_per_min);
        if let Some((key, _)) = account.filter(|(_, limit)| held.is_some_and(|held| held < *limit)) {
            shares.refuse(&key, 0);
        }
        let held = windows.campaign.map(|window| window.limit);
        if let Some(NamedLimit { name, .. }) =
            limits.as_ref().filter(|named| held.is_some_and(|held| held < named.limit))
        {
            shares.refuse(&LevelKey::Campaign(name.clone()), 0);
        }
    }

    /// Every daily limit, out of what this node was granted of it.
    pub(super) fn shared_day(&mut self, request: &PaceRequest<'_>, wall: Stamp, now: u64) -> u64 {
        let mut wait = 0;
        for (key, limit) in caps(request.limits) {
            for (date, begins, ends) in self.shared_dates(wall, now) {
                let open = limit - kept(limit, self.options.day_kept_percent);
                let (segments, part) = (cost(request), request.part);
                let need = DayNeed { segments, part, limit, open, begins, ends };
                let Some(shares) = &mut self.shares else { return 0 };
                let level = DayLevel { key: key.clone(), date };
                match shares.day_fits(&level, need, now) {
                    Ok(()) => {}
                    Err(Some(at)) => wait = wait.max(at),
                    Err(None) => wait = wait.max(now + ends.saturating_sub(self.server_wall(wall, now).0)).max(now + 1),
                }
            }
        }
        wait
    }

    pub(super) fn charge_shared_days(&mut self, request: &PaceRequest<'_>, wall: Stamp, now: u64) {
        if self.shares.is_none() {
            return;
        }
        let dates = self.shared_dates(wall, now);
        let Some(shares) = &mut self.shares else { return };
        for (key, _) in caps(request.limits) {
            for (date, _, _) in &dates {
                let level = DayLevel { key: key.clone(), date: *date };
                shares.days().charge(&level, cost(request), request.part, now);
            }
        }
    }

    /// What was used of days by anybody, as far as this node has heard.
    pub(super) fn shared_days(&self, limits: &LimitSettings, wall: Stamp) -> Option<Vec<DayUse>> {
        let shares = self.shares.as_ref()?;
        let (date, ends) = (self.calendar.date(wall), self.calendar.next_midnight(wall));
        let day = |(key, limit): (DayKey, u32)| {
            let level = DayLevel { key, date };
            let (used, kept) = (shares.used_of_day(&level), kept(limit, self.options.day_kept_percent));
            DayUse { brand: level.key.brand, network: level.key.network, used, limit, kept, ends }
        };
        Some(caps(limits).map(day).collect())
    }

    /// What a process before was granted, from the disk.
    pub(super) fn remember(&mut self, marks: Vec<DayMark>) {
        if let Some(shares) = &mut self.shares {
            shares.days().remember(marks);
        }
    }

    /// All claims of the log are restored. A node that kept no marks tells what those come to.
    pub(super) fn counted(&mut self, wall: Stamp) {
        let today = self.calendar.date(wall);
        let begins = self.calendar.last_midnight(wall).0;
        let ends = self.calendar.next_midnight(wall).0;
        let Some(shares) = self.shares.as_mut().filter(|shares| !shares.days_are_counted()) else { return };
        let used = self.days.entries.iter().map(|(key, day)| (key, day.used(today)));
        let marks = used
            .filter(|(_, used)| *used > 0)
            .map(|(key, used)| DayParts::mark_of(&DayLevel { key: key.clone(), date: today }, begins, ends, used));
        let marks = marks.collect();
        shares.days().remember(marks);
    }

    /// Questions to be asked now.
    pub(super) fn due(&mut self, wall: Stamp, most: usize) -> Vec<Question> {
        let now = self.elapsed.at(wall);
        let Some(mut shares) = self.shares.take() else { return Vec::new() };
        let questions = shares.due(now, most, |key, length| self.used_of(key, length, now));
        self.shares = Some(shares);
        questions
    }

    /// For how long there is nothing to ask, microseconds.
    pub(super) fn next_due(&mut self, wall: Stamp) -> u64 {
        let now = self.elapsed.at(wall);
        self.shares.as_ref().map_or(u64::MAX, |shares| shares.next_due().saturating_sub(now))
    }

    /// An answer, or that none came.
    pub(super) fn answered(&mut self, question: &Question, reply: Option<Reply>, wall: Stamp) {
        let now = self.elapsed.at(wall);
        if let Some(shares) = &mut self.shares {
            shares.answered(question, reply, now);
        }
    }

    /// Whether a question has come nearer.
    pub(super) fn take_hurried(&mut self) -> bool {
        self.shares.as_mut().is_some_and(Shares::take_hurried)
    }

    fn used_of(&self, key: &LevelKey, length: u64, now: u64) -> Used {
        let level = match key {
            LevelKey::Account(account) => self.accounts.entries.get::<AccountId>(account),
            LevelKey::Campaign(name) => self.campaigns.entries.get::<String>(name),
        };
        let window = Window { length, limit: u32::MAX, ahead: 0 };
        level.map_or_else(Used::default, |level| {
            let (charges, admitted) = level.used(window, now);
            Used { charges, admitted }
        })
    }

    /// The server's clock where it is known: all nodes count days by the same one.
    fn server_wall(&self, wall: Stamp, now: u64) -> Stamp {
        self.shares.as_ref().and_then(|shares| shares.wall(now)).unwrap_or(wall)
    }

    /// The date, and the date a little later, with when they begin and end.
    fn shared_dates(&self, wall: Stamp, now: u64) -> Vec<(jiff::civil::Date, u64, u64)> {
        let wall = self.server_wall(wall, now);
        let dated =
            |at: Stamp| (self.calendar.date(at), self.calendar.last_midnight(at).0, self.calendar.next_midnight(at).0);
        let mut dates = vec![dated(wall), dated(wall.plus(self.options.midnight))];
        dates.dedup();
        dates
    }
}

impl Standing {
    /// For a label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Away => "away",
        }
    }
}
