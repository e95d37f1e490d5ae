//! Whether a person is there by their week's hours, and when that changes next. Pure: zones are compiled in.
//!
//! A clock on the wall that skips an hour moves what begins in it to as long after; one that repeats an hour means the first
//! of the two (RFC 5545).

use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{Date, Weekday as Day},
    tz::{TimeZone, TimeZoneDatabase},
};
use schema::{
    settings::{HoursSpan, WeekHours, Weekday},
    time::Stamp,
};

/// Days that are looked at before and after: a week, and a day on each side for what goes on over midnight.
const BEFORE: i64 = 1;
const AFTER: i64 = 8;

/// What a week's hours say at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether they are there.
    pub(crate) available: bool,
    /// When that changes; none: never.
    pub(crate) until: Option<Stamp>,
}

/// The zone by its name; none: there is none of that name.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// What the hours say at this moment. None: this version knows no such zone.
pub(crate) fn at(hours: &WeekHours, now: Stamp) -> Option<Standing> {
    let zone = zone(&hours.zone)?;
    let today = moment(now).to_zoned(zone.clone()).date();
    let mut parts: Vec<(Stamp, Stamp)> = (-BEFORE..=AFTER)
        .filter_map(|days| today.checked_add(days.days()).ok())
        .flat_map(|date| parts_of(hours, &zone, date))
        .collect();
    parts.sort_unstable();
    let seen = last_of(&zone, today);
    Some(standing(&parts, now, seen))
}

/// The end of the last day that was looked at.
fn last_of(zone: &TimeZone, today: Date) -> Option<Stamp> {
    begin(zone, today.checked_add((AFTER + 1).days()).ok()?, 0)
}

fn standing(parts: &[(Stamp, Stamp)], now: Stamp, seen: Option<Stamp>) -> Standing {
    let mut end = None;
    for (from, until) in parts {
        match end {
            // Goes on where the one before ends.
            Some(known) if *from <= known => end = Some(known.max(*until)),
            Some(_) => break,
            None if *from <= now && now < *until => end = Some(*until),
            None if *from > now => return Standing { available: false, until: Some(*from) },
            None => {}
        }
    }
    // Without a gap in more than a week there is none.
    Standing { available: end.is_some(), until: end.filter(|end| seen.is_none_or(|seen| *end < seen)) }
}

fn parts_of<'a>(hours: &'a WeekHours, zone: &'a TimeZone, date: Date) -> impl Iterator<Item = (Stamp, Stamp)> + 'a {
    let of_day = hours.spans.iter().filter(move |span| day(span.day) == date.weekday());
    of_day.filter_map(move |span| {
        let until = match span.until_min {
            HoursSpan::DAY_MIN.. => begin(zone, date.tomorrow().ok()?, 0)?,
            minutes => begin(zone, date, minutes)?,
        };
        Some((begin(zone, date, span.from_min)?, until)).filter(|(from, until)| from < until)
    })
}

/// When the clock on the wall shows so many minutes after midnight.
fn begin(zone: &TimeZone, date: Date, minutes: u16) -> Option<Stamp> {
    let wall = date.at(0, 0, 0, 0).checked_add(i64::from(minutes).minutes()).ok()?;
    let at: Zoned = zone.to_ambiguous_zoned(wall).compatible().ok()?;
    u64::try_from(at.timestamp().as_microsecond()).ok().map(Stamp)
}

fn moment(at: Stamp) -> Timestamp {
    let micros = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

fn day(day: Weekday) -> Day {
    match day {
        Weekday::Monday => Day::Monday,
        Weekday::Tuesday => Day::Tuesday,
        Weekday::Wednesday => Day::Wednesday,
        Weekday::Thursday => Day::Thursday,
        Weekday::Friday => Day::Friday,
        Weekday::Saturday => Day::Saturday,
        Weekday::Sunday => Day::Sunday,
    }
}

#[cfg(test)]
mod tests;
