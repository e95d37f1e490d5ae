//! A node's parts of days: what it was granted of each brand's and network's date, and when it asks for more. A part is the
//! node's until that day ends, also when the server is away; nothing of it goes back.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{super::day::DayKey, hashed};
use crate::ports::{DayAsk, DayPart, Outcome, Reply};

/// What is held ahead is what left in about so long.
const HOLD: u64 = 60_000_000;
/// At least so many segments are wanted at once.
const LEAST: u64 = 8;
/// Between questions while nothing is granted: while members have not told what they had, and when a day is used up.
const AGAIN: (u64, u64) = (500_000, 10_000_000);

/// A brand's or network's date.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::pace) struct DayLevel {
    pub(in crate::pace) key: DayKey,
    pub(in crate::pace) date: Date,
}

impl DayLevel {
    fn name(&self) -> String {
        let network = self.key.network.as_deref();
        let parts = [Some(self.key.brand.as_str()), network];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        format!("day:{}:{}", hashed(&parts), self.date)
    }
}

/// What a text needs of a day.
#[derive(Debug, Clone, Copy)]
pub(in crate::pace) struct DayNeed {
    pub(in crate::pace) segments: u32,
    pub(in crate::pace) part: DayPart,
    /// Of the whole day, and of that what campaigns may use.
    pub(in crate::pace) limit: u32,
    pub(in crate::pace) open: u32,
    /// When the day begins and ends, by a wall clock.
    pub(in crate::pace) begins: u64,
    pub(in crate::pace) ends: u64,
}

/// All that a node was ever granted of a day: on disk before it is used, so that an emptied server can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayMark {
    /// The level and its date, as the server calls it.
    pub key: String,
    /// When that day begins and ends, microseconds since 1970.
    pub begins: u64,
    /// See `begins`.
    pub ends: u64,
    /// Segments.
    pub had: u64,
}

#[derive(Debug, Default)]
struct Part {
    limit: u32,
    open_limit: u32,
    begins: u64,
    ends: u64,
    /// Segments left; of those, what campaigns may use.
    left: u64,
    open: u64,
    had: u64,
    /// Granted to anybody, as last heard.
    used: u64,
    /// The server has answered in this generation.
    told: u64,
    heard: bool,
    in_flight: bool,
    ask_at: u64,
    asked: u64,
    spent: u64,
    spent_since: u64,
    need: u64,
    open_only: bool,
    /// When it ends by the limiter's own time; 0: not known yet.
    over: u64,
}

/// Parts of all days.
#[derive(Debug, Default)]
pub(in crate::pace) struct DayParts {
    parts: HashMap<DayLevel, Part>,
    /// What was had before this process started, and in which generation it was told.
    marks: Vec<(DayMark, u64, bool)>,
    /// All that counts is known: from the disk, or counted from the log.
    counted: bool,
    marked: u64,
}

impl DayParts {
    /// What a process before had; from now on an emptied server can be told.
    pub(in crate::pace) fn remember(&mut self, marks: Vec<DayMark>) {
        self.marks.extend(marks.into_iter().map(|mark| (mark, 0, false)));
        self.counted = true;
    }

    /// Whether anything was remembered.
    pub(in crate::pace) fn is_counted(&self) -> bool {
        self.counted
    }

    /// What the log says was sent on a date, for a node that kept no marks.
    pub(in crate::pace) fn mark_of(level: &DayLevel, begins: u64, ends: u64, had: u64) -> DayMark {
        DayMark { key: level.name(), begins, ends, had }
    }

    /// Whether so much may leave; else when to look again, none: the day is used up.
    pub(in crate::pace) fn fits(&mut self, level: &DayLevel, need: DayNeed, now: u64) -> Result<(), Option<u64>> {
        let part = self.parts.entry(level.clone()).or_default();
        let changed = part.limit != need.limit || part.open_limit != need.open;
        (part.limit, part.open_limit, part.begins, part.ends) = (need.limit, need.open, need.begins, need.ends);
        let segments = u64::from(need.segments);
        let (mine, of) = match need.part {
            DayPart::Whole => (part.left, need.limit),
            DayPart::Open => (part.open, need.open),
        };
        let live = part.over == 0 || now < part.over;
        if mine >= segments && live {
            return Ok(());
        }
        part.open_only = need.part == DayPart::Open && (part.need == 0 || part.open_only);
        part.need = part.need.max(segments);
        let alone = part.used == 0 && need.limit > 0;
        if need.limit == 0 || part.heard && !changed && part.used + segments > u64::from(of) && !alone {
            part.ask_at = part.ask_at.max(part.asked + AGAIN.1);
            return Err(None);
        }
        part.ask_at = part.ask_at.min(part.asked + AGAIN.0);
        Err(Some(part.ask_at.max(now) + 5_000))
    }

    pub(in crate::pace) fn charge(&mut self, level: &DayLevel, segments: u32, part: DayPart, now: u64) {
        let Some(state) = self.parts.get_mut(level) else { return };
        let segments = u64::from(segments);
        let whole_only = state.left.saturating_sub(state.open);
        let open = if part == DayPart::Whole { segments.saturating_sub(whole_only) } else { segments };
        state.left = state.left.saturating_sub(segments);
        state.open = state.open.saturating_sub(open);
        state.spent += segments;
        if state.left < state.hold(now) / 2 {
            state.open_only = false;
            state.ask_at = state.ask_at.min(state.asked + AGAIN.0);
        }
    }

    /// Segments that anybody may have sent of it.
    pub(in crate::pace) fn used(&self, level: &DayLevel) -> u64 {
        self.parts.get(level).map_or(0, |part| part.used.saturating_sub(part.left))
    }

    /// Questions, and what this generation has to be told.
    pub(super) fn due(&mut self, generation: u64, now: u64) -> Vec<(Option<DayLevel>, DayAsk)> {
        self.parts.retain(|_, part| part.over == 0 || now < part.over + HOLD);
        let mut questions = Vec::new();
        for (level, part) in &mut self.parts {
            let untold = part.told != generation && part.had > 0;
            if part.in_flight || part.ends == 0 || (now < part.ask_at && !untold) {
                continue;
            }
            let key = level.name();
            let before = self.marks.iter().find(|(mark, _, _)| mark.key == key).map_or(0, |(mark, _, _)| mark.had);
            questions.push((Some(level.clone()), part.ask(key, before, now)));
        }
        if self.counted {
            for (mark, told, in_flight) in &mut self.marks {
                if *told != generation && !*in_flight {
                    *in_flight = true;
                    questions.push((None, only_tells(mark)));
                }
            }
        }
        questions
    }

    pub(super) fn next_due(&self) -> u64 {
        let open = self.parts.values().filter(|part| !part.in_flight && part.ends > 0);
        open.map(|part| part.ask_at).min().unwrap_or(u64::MAX)
    }

    /// An answer; `over`: when that day ends by the limiter's own time.
    pub(super) fn answered(&mut self, level: Option<&DayLevel>, ask: &DayAsk, reply: Reply, over: u64, now: u64) {
        let Some(level) = level else {
            for (mark, told, in_flight) in self.marks.iter_mut().filter(|(mark, _, _)| mark.key == ask.key) {
                // A day that is over need not be told.
                let done = matches!(reply.outcome, Outcome::Part { .. }) || reply.now >= mark.ends;
                (*in_flight, *told) = (false, if done { reply.generation } else { *told });
            }
            return;
        };
        let Some(part) = self.parts.get_mut(level) else { return };
        part.in_flight = false;
        let Outcome::Part { granted, open, had, used, whole } = reply.outcome else {
            part.ask_at = now + AGAIN.0;
            return;
        };
        part.left += u64::from(granted);
        part.open += u64::from(open);
        (part.had, part.used, part.heard, part.told, part.over) = (had, used, whole, reply.generation, over);
        part.ask_at = match granted {
            _ if !whole => now + AGAIN.0,
            0 if ask.want > 0 => now + AGAIN.1,
            _ => u64::MAX,
        };
    }

    /// No answer: what was granted is lost.
    pub(super) fn lost(&mut self, level: Option<&DayLevel>, ask: &DayAsk, now: u64) {
        if let Some(part) = level.and_then(|level| self.parts.get_mut(level)) {
            (part.in_flight, part.ask_at) = (false, now + AGAIN.0);
        }
        for (_, _, in_flight) in self.marks.iter_mut().filter(|(mark, _, _)| level.is_none() && mark.key == ask.key) {
            *in_flight = false;
        }
    }

    /// This generation, once it knows all that this node had; nothing if that is said already.
    pub(super) fn mark(&mut self, generation: u64) -> Option<u64> {
        let told = self.parts.values().all(|part| part.told == generation || part.had == 0)
            && self.marks.iter().all(|(_, told, _)| *told == generation);
        (self.counted && told && self.marked != generation).then(|| {
            self.marked = generation;
            generation
        })
    }

    /// The last generation that knows all that this node had.
    pub(super) fn marked(&self) -> u64 {
        self.marked
    }
}

impl Part {
    /// What to hold ahead.
    fn hold(&mut self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.spent_since);
        if passed > 2 * HOLD {
            (self.spent, self.spent_since) = (self.spent / 2, now.saturating_sub(HOLD));
        }
        self.spent.max(LEAST)
    }

    fn ask(&mut self, key: String, before: u64, now: u64) -> DayAsk {
        let want = self.hold(now).saturating_sub(self.left).max(self.need);
        let (need, open_only) = (narrow(self.need), self.open_only);
        (self.in_flight, self.asked, self.need) = (true, now, 0);
        DayAsk {
            key,
            begins: self.begins,
            ends: self.ends,
            limit: self.limit,
            open: self.open_limit,
            want: narrow(want),
            need,
            open_only,
            had: self.had.max(before),
        }
    }
}

fn only_tells(mark: &DayMark) -> DayAsk {
    let DayMark { key, begins, ends, had } = mark.clone();
    DayAsk { key, begins, ends, limit: 0, open: 0, want: 0, need: 0, open_only: false, had }
}

fn narrow(segments: u64) -> u32 {
    u32::try_from(segments).unwrap_or(u32::MAX)
}
