//! Weeks by the clock on the wall, also where that clock jumps.

use proptest::prelude::*;

use super::*;

const OFFICE: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

fn span(day: Weekday, from_min: u16, until_min: u16) -> HoursSpan {
    HoursSpan { day, from_min, until_min }
}

fn week(zone: &str, spans: Vec<HoursSpan>) -> WeekHours {
    WeekHours { zone: zone.to_owned(), spans }
}

/// Nine to five on working days.
fn office(zone: &str) -> WeekHours {
    week(zone, OFFICE.iter().map(|day| span(*day, 9 * 60, 17 * 60)).collect())
}

fn stamp(rfc3339: &str) -> Stamp {
    let at: Timestamp = rfc3339.parse().expect("a time");
    Stamp(u64::try_from(at.as_microsecond()).expect("after 1970"))
}

/// At a time: whether they are there, and until when.
fn holds(hours: &WeekHours, now: &str, available: bool, until: &str) {
    let until = Some(stamp(until));
    assert_eq!(at(hours, stamp(now)), Some(Standing { available, until }), "{now} in {}", hours.zone);
}

#[test]
fn a_day_begins_and_ends_on_the_minute_and_a_weekend_is_as_long_as_it_is() {
    let hours = office("America/New_York");
    holds(&hours, "2026-01-14T13:59:59.999999Z", false, "2026-01-14T14:00:00Z");
    holds(&hours, "2026-01-14T14:00:00Z", true, "2026-01-14T22:00:00Z");
    holds(&hours, "2026-01-14T21:59:59.999999Z", true, "2026-01-14T22:00:00Z");
    holds(&hours, "2026-01-14T22:00:00Z", false, "2026-01-15T14:00:00Z");
    holds(&hours, "2026-01-16T22:00:00Z", false, "2026-01-19T14:00:00Z");
}

#[test]
fn nine_is_nine_on_the_wall_on_both_sides_of_each_change_of_the_clock() {
    let hours = office("America/New_York");
    // Forward on Sunday the 8th of March, back on Sunday the 1st of November.
    holds(&hours, "2026-03-06T22:00:00Z", false, "2026-03-09T13:00:00Z");
    holds(&hours, "2026-10-30T21:00:00Z", false, "2026-11-02T14:00:00Z");
    let south = office("Australia/Sydney");
    holds(&south, "2026-04-03T06:00:00Z", false, "2026-04-05T23:00:00Z");
    holds(&south, "2026-10-02T07:00:00Z", false, "2026-10-04T22:00:00Z");
}

#[test]
fn a_night_of_the_change_is_an_hour_shorter_or_longer_for_who_works_in_it() {
    let night = week("Europe/Berlin", vec![span(Weekday::Sunday, 0, 6 * 60)]);
    holds(&night, "2026-03-28T23:00:00Z", true, "2026-03-29T04:00:00Z");
    holds(&night, "2026-10-24T22:00:00Z", true, "2026-10-25T05:00:00Z");
    // Half past two does not exist in March: as long after the jump. In October it comes twice: the first counts.
    let early = week("Europe/Berlin", vec![span(Weekday::Sunday, 150, 360)]);
    holds(&early, "2026-03-29T00:59:00Z", false, "2026-03-29T01:30:00Z");
    holds(&early, "2026-03-29T01:30:00Z", true, "2026-03-29T04:00:00Z");
    holds(&early, "2026-10-25T00:29:00Z", false, "2026-10-25T00:30:00Z");
    holds(&early, "2026-10-25T00:30:00Z", true, "2026-10-25T05:00:00Z");
    let late = week("Europe/Berlin", vec![span(Weekday::Sunday, 0, 150)]);
    holds(&late, "2026-10-24T22:00:00Z", true, "2026-10-25T00:30:00Z");
}

#[test]
fn what_goes_on_over_midnight_is_one_shift() {
    let spans = vec![span(Weekday::Sunday, 22 * 60, 24 * 60), span(Weekday::Monday, 0, 6 * 60)];
    let hours = week("UTC", spans);
    holds(&hours, "2026-01-11T22:00:00Z", true, "2026-01-12T06:00:00Z");
    holds(&hours, "2026-01-12T00:00:00Z", true, "2026-01-12T06:00:00Z");
    holds(&hours, "2026-01-12T06:00:00Z", false, "2026-01-18T22:00:00Z");
}

#[test]
fn who_is_never_or_always_there_has_nothing_to_wait_for_and_an_unknown_place_says_nothing() {
    let now = stamp("2026-01-14T12:00:00Z");
    let never = Standing { available: false, until: None };
    assert_eq!(at(&week("UTC", Vec::new()), now), Some(never));
    let days = [Weekday::Saturday, Weekday::Sunday].into_iter().chain(OFFICE);
    let always = week("America/New_York", days.map(|day| span(day, 0, 24 * 60)).collect());
    assert_eq!(at(&always, now), Some(Standing { available: true, until: None }));
    assert_eq!(at(&office("Mars/Olympus"), now), None);
}

fn any_day() -> impl Strategy<Value = Weekday> {
    let days = [Weekday::Saturday, Weekday::Sunday].into_iter().chain(OFFICE).collect::<Vec<_>>();
    prop::sample::select(days)
}

fn any_week() -> impl Strategy<Value = WeekHours> {
    let zones = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"];
    let one = (any_day(), 0_u16..1_440, 1_u16..=1_440);
    let spans = prop::collection::vec(one.prop_map(|(day, from, until)| span(day, from, until)), 0..8);
    (prop::sample::select(zones.to_vec()), spans).prop_map(|(zone, mut spans)| {
        spans.retain(|span| span.is_sound());
        week(zone, spans)
    })
}

proptest! {
    /// Between now and the next change nothing changes, and there it does: whoever sleeps until then misses nothing.
    #[test]
    fn the_next_change_is_the_next_and_is_one(hours in any_week(), now in 1_600_000_000_u64..1_900_000_000, part in 0.0..1.0) {
        let now = Stamp(now * 1_000_000);
        let standing = at(&hours, now).expect("a known zone");
        if let Some(until) = standing.until {
            prop_assert!(until > now);
            let between = now.plus(until.since(now).mul_f64(part)).min(Stamp(until.0 - 1));
            prop_assert_eq!(at(&hours, between), Some(standing));
            prop_assert_ne!(at(&hours, until).expect("known").available, standing.available);
        }
    }

    /// No stamp and no span makes it panic.
    #[test]
    fn any_stamp_and_any_span_are_taken(now in any::<u64>(), from in any::<u16>(), until in any::<u16>(), day in any_day()) {
        at(&week("Europe/Berlin", vec![span(day, from, until)]), Stamp(now));
    }
}
