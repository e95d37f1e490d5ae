//! All levels of all lanes, and one decision over them.

use std::{collections::HashMap, hash::Hash, time::Duration};

use schema::{
    ids::{AccountId, ChannelId, ContactId},
    settings::{LimitSettings, NamedLimit},
    time::Stamp,
};

use super::{
    PaceOptions,
    day::{Calendar, Day, DayKey, caps},
    elapsed::Elapsed,
    meter::Window,
    shared::Level,
    shares::Shares,
    turns::Asker,
};
use crate::ports::{Admission, DayPart, DayUse, PaceRequest};

pub(super) const SECOND: u64 = 1_000_000;
/// After a start a contact's interval is kept in full up to this (carriers' own are seconds: WhatsApp's is 6), whatever the
/// stamps of claims say. Beyond it they are believed: else a long interval would hold everybody's texts after each start.
const PAIR_QUIET: u64 = 10 * SECOND;
pub(super) const MINUTE: u64 = 60 * SECOND;
/// How long a new entry beyond a hard cap is refused.
const CROWDED: u64 = SECOND;

/// Entries by key, with a cap: idle ones are swept when it has doubled.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    pub(super) entries: HashMap<K, V>,
    sweep_at: usize,
}

impl<K: Hash + Eq + Clone, V: Default> Table<K, V> {
    fn new() -> Self {
        Self { entries: HashMap::new(), sweep_at: 1_024 }
    }

    pub(super) fn get(&mut self, key: &K) -> &mut V {
        if !self.entries.contains_key(key) {
            self.entries.insert(key.clone(), V::default());
        }
        self.entries.get_mut(key).expect("it was inserted above")
    }

    /// Whether there is room for this key, after sweeping what is idle.
    fn has_room(&mut self, key: &K, most: usize, is_idle: impl Fn(&V) -> bool) -> bool {
        if self.entries.len() >= self.sweep_at.min(most) && !self.entries.contains_key(key) {
            self.entries.retain(|_, value| !is_idle(value));
            self.entries.shrink_to(self.entries.len() * 2);
            self.sweep_at = (self.entries.len() * 2).max(1_024);
        }
        self.entries.len() < most || self.entries.contains_key(key)
    }
}

/// Windows of one request: none where there is no limit.
pub(super) struct Windows {
    pub(super) account: Option<Window>,
    pub(super) campaign: Option<Window>,
    number: Option<Window>,
}

impl Windows {
    /// Admissions: evenly spaced by the second, but for a twentieth of it, so that late timers are caught up; a quarter
    /// at once by the minute.
    fn of(limits: &LimitSettings, guard: Duration) -> Self {
        let length = guarded(SECOND, guard);
        let second = |limit| Window { length, limit, ahead: length / 20 };
        let length = guarded(MINUTE, guard);
        let minute = |named: &NamedLimit| Window { length, limit: named.limit, ahead: length / 4 };
        Self {
            account: limits.account_per_s.map(second),
            campaign: limits.campaign_per_min.as_ref().map(minute),
            number: limits.number_per_s.map(second),
        }
    }

    /// Departures: the exact window only, with a quarter of the guard, so that late ones catch up.
    fn at_the_door(limits: &LimitSettings, guard: Duration) -> Self {
        let Self { account, campaign, number } = Self::of(limits, guard / 4);
        let unspaced = |window: Window| Window { ahead: u64::MAX, ..window };
        Self { account: account.map(unspaced), campaign: campaign.map(unspaced), number: number.map(unspaced) }
    }
}

fn guarded(length: u64, guard: Duration) -> u64 {
    length + (length * u64::from(!guard.is_zero()) / 100).max(guard.as_micros() as u64)
}

/// All levels.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) options: PaceOptions,
    pub(super) calendar: Calendar,
    pub(super) elapsed: Elapsed,
    /// Nothing leaves at levels per second before this: the start.
    quiet_until: u64,
    /// When this process started, if it did: no contact is texted within an interval of it, up to `PAIR_QUIET`.
    started: Option<u64>,
    pub(super) accounts: Table<AccountId, Level>,
    pub(super) campaigns: Table<String, Level>,
    numbers: Table<ChannelId, Level>,
    pub(super) days: Table<DayKey, Day>,
    /// When the next text to a contact may be admitted.
    pairs: Table<(ChannelId, ContactId), u64>,
    /// Parts of what several nodes send under; none: this process is alone.
    pub(super) shares: Option<Shares>,
}

impl Levels {
    pub(super) fn new(options: PaceOptions) -> Self {
        Self {
            options,
            calendar: Calendar::pacific(),
            elapsed: Elapsed::default(),
            quiet_until: 0,
            started: None,
            accounts: Table::new(),
            campaigns: Table::new(),
            numbers: Table::new(),
            days: Table::new(),
            pairs: Table::new(),
            shares: None,
        }
    }

    /// Lets nothing through per second until one window after `now`, and nothing to a contact within the pair's interval:
    /// the stamps of claims cannot be trusted over a step of the clock before the start.
    pub(super) fn quiet_from(mut self, now: Stamp) -> Self {
        let now = self.elapsed.at(now);
        self.quiet_until = now.saturating_add(guarded(SECOND, self.options.guard));
        self.started = Some(now);
        self
    }

    /// So much has passed on a clock that does not step.
    pub(super) fn elapse(&mut self, monotonic: Duration) {
        self.elapsed.tick(monotonic);
    }

    pub(super) fn admit(&mut self, request: &PaceRequest<'_>, wall: Stamp) -> Admission {
        let now = self.elapsed.at(wall);
        let mut windows = Windows::of(request.limits, self.options.guard);
        let asker = asker(request);
        let mine = self.own_levels(request, &windows, now).max(self.day(request, wall, now));
        if mine > now {
            return self.not_before(mine, wall, false);
        }
        let paced = self.pair(request);
        if paced > now {
            return self.not_before(paced, wall, true);
        }
        let narrowed = self.narrow(request, &mut windows, now);
        if narrowed > now {
            return self.not_before(narrowed, wall, false);
        }
        let shared = self.shared_levels(request, &windows, asker, now);
        if shared > now {
            self.refused(request, &windows);
            return self.not_before(shared, wall, false);
        }
        self.charge(request, &windows, asker, wall, now);
        Admission::Granted
    }

    /// The longest window of these limits: a claim from before is no longer counted by any.
    pub(super) fn counts_since(&self, limits: &LimitSettings, wall: Stamp) -> Stamp {
        let late = u64::try_from(self.options.departs_within.as_micros()).unwrap_or(u64::MAX);
        let back = |window| Stamp(wall.0.saturating_sub(guarded(window, self.options.guard)).saturating_sub(late));
        let day = caps(limits).next().map(|_| {
            let midnight = u64::try_from(self.options.midnight.as_micros()).unwrap_or(u64::MAX);
            Stamp(self.calendar.last_midnight(wall).0.saturating_sub(midnight))
        });
        let minute = limits.campaign_per_min.as_ref().map(|_| back(MINUTE));
        let pair = limits.pair_interval_s.map(|seconds| back(u64::from(seconds) * SECOND));
        [day, minute, pair].into_iter().flatten().min().unwrap_or(back(SECOND))
    }

    pub(super) fn days(&self, limits: &LimitSettings, wall: Stamp) -> Vec<DayUse> {
        let (today, ends) = (self.calendar.date(wall), self.calendar.next_midnight(wall));
        if let Some(days) = self.shared_days(limits, wall) {
            return days;
        }
        let known = |key: &DayKey| self.days.entries.get(key).map_or(0, |day| day.used(today));
        let day = |(key, limit): (DayKey, u32)| {
            let (used, kept) = (known(&key), kept(limit, self.options.day_kept_percent));
            DayUse { brand: key.brand, network: key.network, used, limit, kept, ends }
        };
        caps(limits).map(day).collect()
    }

    /// Contact pairs and numbers remembered.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.pairs.entries.len(), self.numbers.entries.len())
    }

    pub(super) fn depart(&mut self, request: &PaceRequest<'_>, wall: Stamp) -> Admission {
        let now = self.elapsed.at(wall);
        let mut windows = Windows::at_the_door(request.limits, self.options.guard);
        let segments = cost(request);
        let narrowed = self.narrow(request, &mut windows, now);
        if narrowed > now {
            return self.not_before(narrowed, wall, false);
        }
        let due = self.each(request, &windows).map(|(level, window)| level.earliest_departure(segments, window, now));
        let due = due.max().unwrap_or(0);
        if due > now {
            self.refused(request, &windows);
            return self.not_before(due, wall, false);
        }
        self.each(request, &windows).for_each(|(level, window)| level.charge_departure(segments, window, now));
        self.pace_pair(request, now);
        Admission::Granted
    }

    pub(super) fn restore(&mut self, request: &PaceRequest<'_>, wall: Stamp) {
        // The log says when it was claimed; it may have left later, and no later than now.
        let late = u64::try_from(self.options.departs_within.as_micros()).unwrap_or(u64::MAX);
        let claimed = self.elapsed.past(wall);
        let at = match self.elapsed.latest() {
            0 => claimed,
            // Whatever its stamp says: stamps run ahead of a clock that stepped back.
            now => claimed.saturating_add(late).min(now),
        };
        let segments = cost(request);
        let windows = Windows::of(request.limits, self.options.guard);
        self.each(request, &windows).for_each(|(level, window)| level.restore(segments, window, at));
        let windows = Windows::at_the_door(request.limits, self.options.guard);
        self.each(request, &windows).for_each(|(level, window)| level.restore_departure(segments, window, at));
        let (today, until) = self.dates(wall);
        if !planted!(DayForgotten) {
            caps(request.limits).for_each(|(key, _)| self.days.get(&key).restore(segments, today, until));
        }
        self.pace_pair(request, at);
    }
}

// One level at a time. Times are the limiter's own; what is not after `now` is no refusal.
impl Levels {
    /// The number's own pace, and whether there is room to remember this text at all.
    fn own_levels(&mut self, request: &PaceRequest<'_>, windows: &Windows, now: u64) -> u64 {
        if !self.has_room(request, now) {
            return now.saturating_add(CROWDED);
        }
        if self.quiet_until > now && (windows.number.is_some() || windows.account.is_some()) {
            return self.quiet_until;
        }
        let level = windows.number.map(|window| (self.numbers.get(request.channel), window));
        level.map_or(0, |(level, window)| level.earliest(cost(request), window, now))
    }

    /// Every daily limit: nobody knows whose network the text will be counted by.
    fn day(&mut self, request: &PaceRequest<'_>, wall: Stamp, now: u64) -> u64 {
        let (today, until) = self.dates(wall);
        if self.shares.is_some() {
            return self.shared_day(request, wall, now);
        }
        let fit = caps(request.limits).all(|(key, limit)| {
            let open = match request.part {
                DayPart::Whole => limit,
                DayPart::Open => limit - kept(limit, self.options.day_kept_percent),
            };
            self.days.get(&key).fits(cost(request), open, today, until)
        });
        if fit {
            return 0;
        }
        self.elapsed.past(self.calendar.next_midnight(wall)).max(now.saturating_add(1))
    }

    fn pair(&mut self, request: &PaceRequest<'_>) -> u64 {
        let Some(interval) = self.pair_interval(request) else { return 0 };
        let quiet = self.started.map_or(0, |started| started.saturating_add(interval.min(PAIR_QUIET)));
        quiet.max(*self.pairs.get(&(request.channel.clone(), request.contact)))
    }

    /// Campaign and account, in turns. A lane that waits for its campaign does not keep the account waiting.
    fn shared_levels(&mut self, request: &PaceRequest<'_>, windows: &Windows, asker: Asker<'_>, now: u64) -> u64 {
        let grace = self.options.grace.as_micros() as u64;
        let campaign = windows.campaign.zip(request.limits.campaign_per_min.as_ref());
        if let Some((window, named)) = campaign {
            let due = self.campaigns.get(&named.name).earliest_in_turn(asker, window, grace, now);
            if due > now {
                self.accounts.get(request.account).leave(asker);
                return due;
            }
        }
        let Some(window) = windows.account else { return 0 };
        self.accounts.get(request.account).earliest_in_turn(asker, window, grace, now)
    }

    fn charge(&mut self, request: &PaceRequest<'_>, windows: &Windows, asker: Asker<'_>, wall: Stamp, now: u64) {
        self.each(request, windows).for_each(|(level, window)| level.charge(asker, window, now));
        let (today, until) = self.dates(wall);
        caps(request.limits).for_each(|(key, _)| self.days.get(&key).charge(asker.segments, today, until));
        self.charge_shared_days(request, wall, now);
        self.pace_pair(request, now);
    }

    /// The contact's next text waits an interval from `at`.
    fn pace_pair(&mut self, request: &PaceRequest<'_>, at: u64) {
        let Some(interval) = self.pair_interval(request) else { return };
        let next = self.pairs.get(&(request.channel.clone(), request.contact));
        *next = (*next).max(at.saturating_add(interval));
    }
}

// Below the levels.
impl Levels {
    /// The levels with a window that this request charges.
    fn each<'l>(
        &'l mut self,
        request: &PaceRequest<'_>,
        windows: &Windows,
    ) -> impl Iterator<Item = (&'l mut Level, Window)> {
        let account = windows.account.map(|window| (self.accounts.get(request.account), window));
        let number = windows.number.map(|window| (self.numbers.get(request.channel), window));
        let campaign = windows.campaign.zip(request.limits.campaign_per_min.as_ref());
        let campaign = campaign.map(|(window, named)| (self.campaigns.get(&named.name), window));
        [account, campaign, number].into_iter().flatten()
    }

    fn has_room(&mut self, request: &PaceRequest<'_>, now: u64) -> bool {
        let PaceOptions { guard, most_lines, most_pairs, .. } = self.options;
        let longest = guarded(MINUTE, guard);
        let idle = |level: &Level| level.is_idle(longest, now);
        let LimitSettings { campaign_per_min, .. } = request.limits;
        let today = self.calendar.date(self.elapsed.wall(now));
        self.accounts.has_room(request.account, most_lines, idle)
            && self.numbers.has_room(request.channel, most_lines, idle)
            && campaign_per_min.as_ref().is_none_or(|named| self.campaigns.has_room(&named.name, most_lines, idle))
            && caps(request.limits).all(|(key, _)| self.days.has_room(&key, most_lines, |day| day.is_idle(today)))
            && (self.pair_interval(request).is_none()
                || self.pairs.has_room(&(request.channel.clone(), request.contact), most_pairs, |next| *next <= now))
    }

    /// Guard included.
    fn pair_interval(&self, request: &PaceRequest<'_>) -> Option<u64> {
        let seconds = request.limits.pair_interval_s.filter(|seconds| *seconds > 0)?;
        Some(guarded(u64::from(seconds) * SECOND, self.options.guard))
    }

    /// The date, and the date a little later.
    fn dates(&self, wall: Stamp) -> (jiff::civil::Date, jiff::civil::Date) {
        (self.calendar.date(wall), self.calendar.date(wall.plus(self.options.midnight)))
    }

    fn not_before(&self, at: u64, wall: Stamp, pair: bool) -> Admission {
        Admission::NotBefore { at: self.elapsed.wall(at).max(Stamp(wall.0.saturating_add(1))), pair }
    }
}

/// What of a day's limit is not for campaigns; rounded up.
pub(super) fn kept(limit: u32, percent: u8) -> u32 {
    let kept = (u64::from(limit) * u64::from(percent.min(100))).div_ceil(100);
    u32::try_from(kept).unwrap_or(limit)
}

pub(super) fn cost(request: &PaceRequest<'_>) -> u32 {
    u32::from(request.segments.max(1))
}

fn asker<'a>(request: &PaceRequest<'a>) -> Asker<'a> {
    Asker { tenant: request.tenant, lane: request.channel, segments: cost(request) }
}
