//! A brand's day: a counter keyed by the date in Pacific time (carriers.md D.7), not a bucket.
//!
//! Near midnight, and while the clock is behind a date already seen, a text counts for both days: nobody knows by whose
//! clock the carrier counts it.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use schema::{settings::LimitSettings, time::Stamp};

/// Pacific time as its rule stands since 2007: standard time UTC−8, daylight time from the second Sunday in March to
/// the first Sunday in November. The rule is spelled out so that no zone files of the host are needed.
const PACIFIC: &str = "PST8PDT,M3.2.0,M11.1.0";

/// The calendar that days are counted by.
#[derive(Debug)]
pub(super) struct Calendar(TimeZone);

impl Calendar {
    pub(super) fn pacific() -> Self {
        Self(TimeZone::posix(PACIFIC).expect("the rule is a valid POSIX zone"))
    }

    pub(super) fn date(&self, at: Stamp) -> Date {
        let micros = i64::try_from(at.0).unwrap_or(i64::MAX);
        self.0.to_datetime(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)).date()
    }

    /// The first moment of the next date.
    pub(super) fn next_midnight(&self, at: Stamp) -> Stamp {
        self.begin(self.date(at).tomorrow()).unwrap_or(Stamp(u64::MAX))
    }

    /// The first moment of this date.
    pub(super) fn last_midnight(&self, at: Stamp) -> Stamp {
        self.begin(Ok(self.date(at))).unwrap_or(Stamp(0))
    }

    fn begin(&self, date: Result<Date, jiff::Error>) -> Option<Stamp> {
        let midnight = date.and_then(|date| date.to_zoned(self.0.clone())).ok()?;
        u64::try_from(midnight.timestamp().as_microsecond()).ok().map(Stamp)
    }
}

/// What is counted by the day: all of a brand, or what it sends to one network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DayKey {
    pub(super) brand: String,
    pub(super) network: Option<String>,
}

/// The daily limits among a line's limits.
pub(super) fn caps(limits: &LimitSettings) -> impl Iterator<Item = (DayKey, u32)> {
    let whole =
        limits.brand_per_day.iter().map(|named| (DayKey { brand: named.name.clone(), network: None }, named.limit));
    let networks = limits.networks_per_day.iter().map(|cap| {
        let (brand, network) = (cap.brand.clone(), Some(cap.network.clone()));
        (DayKey { brand, network }, cap.limit)
    });
    whole.chain(networks)
}

/// What one brand has sent, per date.
#[derive(Debug, Default)]
pub(super) struct Day {
    used: Vec<(Date, u64)>,
}

impl Day {
    /// Whether so many segments fit; `until` is the date a little later than now.
    pub(super) fn fits(&mut self, segments: u32, limit: u32, today: Date, until: Date) -> bool {
        self.settle(today);
        let (segments, limit) = (u64::from(segments), u64::from(limit));
        self.touched(today, until).into_iter().all(|date| {
            let used = self.of(date);
            used + segments <= limit || (used == 0 && limit > 0)
        })
    }

    /// Segments charged on this date.
    pub(super) fn used(&self, today: Date) -> u64 {
        self.of(today)
    }

    pub(super) fn charge(&mut self, segments: u32, today: Date, until: Date) {
        for date in self.touched(today, until) {
            self.add(u64::from(segments), date);
        }
    }

    /// Counts what left before this process started, on its own date.
    pub(super) fn restore(&mut self, segments: u32, date: Date, until: Date) {
        self.add(u64::from(segments), date);
        if until != date {
            self.add(u64::from(segments), until);
        }
    }

    fn add(&mut self, segments: u64, date: Date) {
        match self.used.iter_mut().find(|(known, _)| *known == date) {
            Some((_, used)) => *used += segments,
            None => self.used.push((date, segments)),
        }
    }

    /// Whether it counts nothing that could matter today.
    pub(super) fn is_idle(&self, today: Date) -> bool {
        self.used.iter().all(|(date, _)| *date < yesterday(today))
    }

    fn of(&self, date: Date) -> u64 {
        self.used.iter().find(|(known, _)| *known == date).map_or(0, |(_, used)| *used)
    }

    /// Dates that a text of now counts for.
    fn touched(&self, today: Date, until: Date) -> Vec<Date> {
        let mut dates: Vec<Date> = self.used.iter().map(|(date, _)| *date).filter(|date| *date > today).collect();
        dates.extend([today, until]);
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    /// Drops what is past. What was counted for a date beyond tomorrow was a mistake of the clock: it left today.
    fn settle(&mut self, today: Date) {
        let tomorrow = today.tomorrow().unwrap_or(today);
        let mistaken: u64 = self.used.iter().filter(|(date, _)| *date > tomorrow).map(|(_, used)| used).sum();
        self.used.retain(|(date, _)| (yesterday(today)..=tomorrow).contains(date));
        if mistaken > 0 {
            self.add(mistaken, today);
        }
    }
}

fn yesterday(today: Date) -> Date {
    today.checked_sub(1.day()).unwrap_or(today)
}
