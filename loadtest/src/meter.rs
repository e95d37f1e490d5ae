//! The strict meter: every window in which somebody was sent to faster than allowed.
//!
//! Windows slide exactly; a day is a calendar day in Pacific time. Cost is in segments, of a pair in texts. A text that
//! costs more than its window allows may go at zero debt and is charged whole: its excess fills the windows after it.

mod day;
mod track;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use track::Track;

/// Microseconds since the epoch.
pub type Micros = u64;

/// The day in Pacific time: what networks count by.
pub(crate) fn pacific_day(at: Micros) -> jiff::civil::Date {
    day::pacific(at)
}

/// Most violations described one by one; all are counted.
const DESCRIBED_MAX: usize = 200;
/// Keys after which those that are over are forgotten.
const TRACKS_MAX: usize = 200_000;

/// What is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A carrier account, segments per second.
    Account,
    /// A brand, segments per Pacific day.
    Brand,
    /// A campaign, segments per minute.
    Campaign,
    /// A number of ours, segments per second.
    Number,
    /// A number of ours and one contact, one text per interval.
    Pair,
}

/// The limits of a line. `None`: not metered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Segments per second of the account.
    pub account_per_s: Option<u32>,
    /// Segments per Pacific day of the brand.
    pub brand_per_day: Option<u32>,
    /// Segments per minute of the campaign.
    pub campaign_per_min: Option<u32>,
    /// Segments per second of the number.
    pub number_per_s: Option<u32>,
    /// Seconds between two texts to one contact.
    pub pair_interval_s: Option<u32>,
}

impl Default for Limits {
    /// A US long code: one segment a second.
    fn default() -> Self {
        Self {
            account_per_s: None,
            brand_per_day: None,
            campaign_per_min: None,
            number_per_s: Some(1),
            pair_interval_s: None,
        }
    }
}

/// One accepted text.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// When the carrier took it.
    pub at: Micros,
    /// Its cost.
    pub segments: u32,
    /// Which account paid.
    pub account: &'a str,
    /// Which brand it counts for.
    pub brand: &'a str,
    /// Which campaign it counts for.
    pub campaign: &'a str,
    /// Our number.
    pub from: &'a str,
    /// The contact.
    pub to: &'a str,
    /// What is allowed.
    pub limits: &'a Limits,
}

/// A text that came too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Of which level.
    pub level: Level,
    /// Of whom.
    pub key: String,
    /// When.
    pub at_us: Micros,
    /// What the window held with it.
    pub used: u64,
    /// What it may hold.
    pub limit: u64,
    /// How much later it would have been allowed.
    pub early_us: u64,
}

/// What was metered so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Texts taken.
    pub texts: u64,
    /// Segments taken.
    pub segments: u64,
    /// Texts that came too early by more than the tolerance.
    pub violations: u64,
    /// Texts that came too early, but within it: the network's jitter.
    pub within_tolerance: u64,
    /// The tolerance.
    pub tolerance_ms: u64,
    /// The fullest window of each level, as `key: used/limit`.
    pub fullest: BTreeMap<Level, (String, u64, u64)>,
    /// The first violations beyond the tolerance.
    pub described: Vec<Violation>,
}

/// Counts what the carrier takes.
#[derive(Debug, Default)]
pub struct Meter {
    tracks: HashMap<(Level, String), Track>,
    days: HashMap<String, (day::Date, u64)>,
    report: Report,
}

impl Meter {
    /// Texts that are early by no more than the tolerance are counted apart.
    pub fn new(tolerance_ms: u64) -> Self {
        Self { report: Report { tolerance_ms, ..Report::default() }, ..Self::default() }
    }

    /// Counts one text.
    pub fn record(&mut self, sample: &Sample<'_>) {
        self.report.texts += 1;
        self.report.segments += u64::from(sample.segments);
        let cost = u64::from(sample.segments);
        let Limits { account_per_s, campaign_per_min, number_per_s, pair_interval_s, .. } = *sample.limits;
        self.slide(Level::Account, sample.account.to_owned(), sample.at, cost, 1, account_per_s);
        self.slide(Level::Campaign, sample.campaign.to_owned(), sample.at, cost, 60, campaign_per_min);
        self.slide(Level::Number, sample.from.to_owned(), sample.at, cost, 1, number_per_s);
        if let Some(seconds) = pair_interval_s {
            let pair = format!("{} to {}", sample.from, sample.to);
            self.slide(Level::Pair, pair, sample.at, 1, u64::from(seconds), Some(1));
        }
        self.day(sample, cost);
    }

    /// What was metered so far.
    pub fn report(&self) -> Report {
        self.report.clone()
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::new(self.report.tolerance_ms);
    }

    fn slide(&mut self, level: Level, key: String, at: Micros, cost: u64, window_s: u64, limit: Option<u32>) {
        let Some(limit) = limit.map(u64::from) else { return };
        if self.tracks.len() >= TRACKS_MAX {
            self.tracks.retain(|_, track| !track.is_over(at));
        }
        let track = self.tracks.entry((level, key.clone())).or_default();
        let charge = track.charge(at, cost, window_s * 1_000_000, limit);
        self.fullest(level, &key, charge.used, limit);
        if charge.early_us > 0 {
            let Self { report, .. } = self;
            let violation = Violation { level, key, at_us: at, used: charge.used, limit, early_us: charge.early_us };
            report.count(violation);
        }
    }

    fn day(&mut self, sample: &Sample<'_>, cost: u64) {
        let Some(limit) = sample.limits.brand_per_day.map(u64::from) else { return };
        let today = day::pacific(sample.at);
        let day = self.days.entry(sample.brand.to_owned()).or_insert((today, 0));
        if day.0 != today {
            *day = (today, 0);
        }
        day.1 += cost;
        let used = day.1;
        self.fullest(Level::Brand, sample.brand, used, limit);
        if used > limit {
            let early_us = day::until_midnight(sample.at);
            let key = sample.brand.to_owned();
            self.report.count(Violation { level: Level::Brand, key, at_us: sample.at, used, limit, early_us });
        }
    }

    fn fullest(&mut self, level: Level, key: &str, used: u64, limit: u64) {
        let fullest = self.report.fullest.entry(level).or_insert_with(|| (key.to_owned(), used, limit));
        if used > fullest.1 {
            *fullest = (key.to_owned(), used, limit);
        }
    }
}

impl Report {
    fn count(&mut self, violation: Violation) {
        if violation.early_us <= self.tolerance_ms * 1_000 {
            self.within_tolerance += 1;
            return;
        }
        self.violations += 1;
        if self.described.len() < DESCRIBED_MAX {
            self.described.push(violation);
        }
    }
}

#[cfg(test)]
mod tests;
