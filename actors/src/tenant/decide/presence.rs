//! Whether contacts may count on an operator: said by hand, or by their hours. What is said by hand lasts until their hours
//! change; then these decide.

use schema::{
    command::Availability,
    event::{AvailabilityChanged, HoursSet},
    ids::OperatorId,
    settings::WeekHours,
    time::Stamp,
};

use super::{Settings, changed};
use crate::{
    conversation::Draft,
    handle::Refusal,
    tenant::hours::{self, Standing},
};

/// Somebody says so.
pub(super) fn by_hand(settings: &Settings, operator: &OperatorId, said: Availability, now: Stamp) -> Vec<Draft> {
    let away = said == Availability::Away;
    let hours = settings.hours.get(operator).and_then(|hours| hours::at(hours, now));
    let (by_hand, until) = match hours {
        Some(Standing { available, until }) => (available == away, until),
        None => (true, None),
    };
    let fact = AvailabilityChanged { operator: operator.clone(), away, by_hand, until };
    changed(settings.away.contains(operator) != away, fact)
}

/// Hours decide as soon as they are set.
pub(super) fn set_hours(
    settings: &Settings,
    operator: &OperatorId,
    hours: Option<&WeekHours>,
    now: Stamp,
) -> Result<Vec<Draft>, Refusal> {
    hours.map_or(Ok(()), check)?;
    if settings.hours.get(operator) == hours {
        return Ok(Vec::new());
    }
    let set = HoursSet { operator: operator.clone(), hours: hours.cloned() };
    Ok(vec![Draft::from(set), Draft::from(from_now(settings, operator, hours, now))])
}

/// Their hours change what they are. Said also where it stays the same: what was said by hand is over.
pub(super) fn due(settings: &Settings, operator: &OperatorId, now: Stamp) -> Vec<Draft> {
    let is_due = settings.until.get(operator).is_some_and(|until| until.at <= now);
    changed(is_due, from_now(settings, operator, settings.hours.get(operator), now))
}

/// What hours say; without any, all stays as it is.
fn from_now(settings: &Settings, operator: &OperatorId, hours: Option<&WeekHours>, now: Stamp) -> AvailabilityChanged {
    let standing = hours.and_then(|hours| hours::at(hours, now));
    let away = settings.away.contains(operator);
    AvailabilityChanged {
        operator: operator.clone(),
        away: standing.map_or(away, |standing| !standing.available),
        by_hand: standing.is_none(),
        until: standing.and_then(|standing| standing.until),
    }
}

fn check(hours: &WeekHours) -> Result<(), Refusal> {
    if hours.zone.len() > WeekHours::ZONE_MAX || hours::zone(&hours.zone).is_none() {
        return Err(Refusal::invalid("zone", "is no time zone of the IANA database, such as America/New_York"));
    }
    let spans = &hours.spans;
    if spans.len() > WeekHours::SPANS_MAX {
        return Err(Refusal::invalid("spans", format!("holds more than {}", WeekHours::SPANS_MAX)));
    }
    if !spans.iter().all(|span| span.is_sound()) {
        return Err(Refusal::invalid("spans", "each begins before it ends, and ends within its day"));
    }
    Ok(())
}
