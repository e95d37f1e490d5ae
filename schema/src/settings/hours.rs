//! The hours of a person's week: when contacts may count on them without anybody saying so.

use serde::{Deserialize, Serialize};

/// A week that repeats, by the clock of a place. It is right across changes of that clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WeekHours {
    /// The place, as the IANA database names it.
    #[schema(min_length = 1, max_length = 64, example = "America/New_York")]
    pub zone: String,
    /// When they are there. None of them: never. One that touches or overlaps another goes on in it.
    #[schema(max_items = 28)]
    pub spans: Vec<HoursSpan>,
}

impl WeekHours {
    /// Most spans of a week: four a day.
    pub const SPANS_MAX: usize = 28;
    /// Longest name of a zone, in bytes.
    pub const ZONE_MAX: usize = 64;
}

/// A part of a day. What goes on after midnight is a part of the next day, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursSpan {
    /// Which day.
    pub day: Weekday,
    /// Minutes after midnight by the clock on the wall, 0 to 1439.
    #[schema(minimum = 0, maximum = 1439)]
    pub from_min: u16,
    /// Minutes after midnight, not included; later than `from_min`, at most 1440: the end of the day.
    #[schema(minimum = 1, maximum = 1440)]
    pub until_min: u16,
}

impl HoursSpan {
    /// Minutes of a day by the clock on the wall.
    pub const DAY_MIN: u16 = 24 * 60;

    /// Whether it begins and ends within its day, in this order.
    pub fn is_sound(self) -> bool {
        self.from_min < self.until_min && self.until_min <= Self::DAY_MIN
    }
}

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// The first, by ISO 8601.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}
