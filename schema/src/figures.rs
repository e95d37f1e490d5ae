//! Figures of a tenant: what became of calls, questions and texts, by the hour, each with its definition.
//!
//! Everything is counted from the log alone, so that a recount of the log gives the same.

use serde::{Deserialize, Serialize};

use crate::{ids::ChannelId, page::Position, pause::Pause, time::Stamp};

/// A missed call counts as recovered when its caller is heard of or spoken with again within so many hours.
pub const RECOVERED_WITHIN_H: u64 = 24;
/// A conversation that was silent for so many days counts as new when its contact is heard of again.
pub const SILENT_AFTER_D: u64 = 7;
/// What a carrier says of a text so many days after the last news of it no longer counts.
pub const SETTLED_AFTER_D: u64 = 3;

/// What is counted in a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counts {
    /// Missed calls, by when they came; none of contacts who are blocked, nor of those whose caller was blocked within 24
    /// hours and before anything recovered them.
    pub missed: u32,
    /// Of those, the ones whose caller wrote something that is no keyword, was spoken with on the phone, or was marked as
    /// called back, within 24 hours.
    pub recovered: u32,
    /// First questions: the first text, voicemail or missed call of a conversation that is new, was opened again, or was
    /// silent for seven days; by when they came. None of contacts who are blocked, nor those left unanswered until then.
    pub asked: u32,
    /// Of those, the ones that a person answered: a text of theirs left, or they spoke on the phone. Automatic texts do not
    /// count.
    pub answered: u32,
    /// Texts, by when they were queued.
    pub queued: u32,
    /// Of those, the ones that reached the phone, as the carrier says.
    pub delivered: u32,
    /// Of those, the ones that the carrier refused or could not deliver.
    pub failed: u32,
    /// Of those, the ones that were too late to be of use and were not sent.
    pub expired: u32,
    /// Of those, the ones that somebody took back before they left.
    pub canceled: u32,
    /// Segments given to the carrier, by when.
    pub segments: u32,
    /// Segments of the busiest minute of one number.
    pub minute_most: u32,
    /// Texts in the longest queue of one number.
    pub queue_most: u32,
    /// Longest that a text waited until it was given to the carrier, from when it might leave, in seconds; by when it left.
    pub wait_most_s: u32,
}

impl Counts {
    /// Both stretches as one.
    pub fn add(&mut self, other: &Self) {
        let sums = [
            (&mut self.missed, other.missed),
            (&mut self.recovered, other.recovered),
            (&mut self.asked, other.asked),
            (&mut self.answered, other.answered),
            (&mut self.queued, other.queued),
            (&mut self.delivered, other.delivered),
            (&mut self.failed, other.failed),
            (&mut self.expired, other.expired),
            (&mut self.canceled, other.canceled),
            (&mut self.segments, other.segments),
        ];
        sums.into_iter().for_each(|(sum, more)| *sum = sum.saturating_add(more));
        self.minute_most = self.minute_most.max(other.minute_most);
        self.queue_most = self.queue_most.max(other.queue_most);
        self.wait_most_s = self.wait_most_s.max(other.wait_most_s);
    }
}

/// What is counted, and how soon first questions were answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Sums {
    /// What is counted.
    #[serde(flatten)]
    pub counts: Counts,
    /// Half of the answered first questions were answered within so many seconds; none: nothing was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_half_s: Option<u32>,
    /// Nine of ten were answered within so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_most_s: Option<u32>,
}

/// One hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HourFigures {
    /// Its begin.
    pub at: Stamp,
    /// What was counted in it.
    #[serde(flatten)]
    pub sums: Sums,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineFigures {
    /// Which.
    pub channel: ChannelId,
    /// The number itself; none: the line is no longer configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What was counted at it.
    #[serde(flatten)]
    pub sums: Sums,
    /// As it is right now; none: it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LineLive>,
}

/// A number right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineLive {
    /// Texts that wait.
    pub waiting: u64,
    /// Texts on their way to the carrier.
    pub in_flight: u64,
    /// Segments given to the carrier within the last whole minute and the one under way.
    pub segments: u32,
    /// Segments that it may send in a second; none: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_s: Option<u32>,
    /// What holds its texts back, if something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
}

/// Figures over some hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FiguresPage {
    /// What of the log is counted.
    pub position: Position,
    /// Whether the log is longer than that: the counting catches up, ask again.
    pub behind: bool,
    /// Begin of the first hour.
    pub from: Stamp,
    /// What came before this was never counted; none: the log is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Stamp>,
    /// All hours as one.
    pub total: Sums,
    /// Hours in which something was counted, oldest first.
    pub hours: Vec<HourFigures>,
    /// Each number, by name.
    pub lines: Vec<LineFigures>,
}
