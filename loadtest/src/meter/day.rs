//! Calendar days in Pacific time, by rule: no time zone database is needed.

use std::sync::LazyLock;

use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};

use super::Micros;

pub(super) type Date = jiff::civil::Date;

static PACIFIC: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").expect("the rule of US Pacific time since 2007"));

fn zoned(at: Micros) -> Zoned {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_microsecond(at).ok()).unwrap_or(Timestamp::MAX);
    at.to_zoned(PACIFIC.clone())
}

/// Which day it is.
pub(super) fn pacific(at: Micros) -> Date {
    zoned(at).date()
}

/// How long it lasts, in microseconds.
pub(super) fn until_midnight(at: Micros) -> u64 {
    let now = zoned(at);
    let midnight = now.date().checked_add(1.day()).ok().and_then(|next| next.to_zoned(PACIFIC.clone()).ok());
    let end = midnight.map_or(i64::MAX, |midnight| midnight.timestamp().as_microsecond());
    u64::try_from(end.saturating_sub(now.timestamp().as_microsecond())).unwrap_or(0)
}
