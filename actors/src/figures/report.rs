//! From what was counted to what is told: hours in a range, all of them as one, and each line.

use std::collections::BTreeMap;

use schema::{
    figures::{Counts, FiguresPage, HourFigures, LineFigures, LineLive, Sums},
    ids::ChannelId,
    page::Position,
};

use super::{
    Count, FiguresQuery,
    tally::{Hour, begin_of, hour_of},
};

/// Several hours or lines as one.
#[derive(Default)]
struct Sum {
    counts: Counts,
    answers: Vec<u32>,
}

impl Sum {
    fn add(&mut self, hour: &Hour) {
        self.counts.add(&hour.counts);
        self.answers.extend_from_slice(&hour.answers);
    }

    fn told(mut self) -> Sums {
        self.answers.sort_unstable();
        // The nearest rank: of ten, the fifth and the ninth.
        let rank = |tenths: usize| {
            let rank = (self.answers.len() * tenths).div_ceil(10);
            self.answers.get(rank.checked_sub(1)?).copied()
        };
        let (answer_half_s, answer_most_s) = (rank(5), rank(9));
        Sums { counts: self.counts, answer_half_s, answer_most_s }
    }
}

/// What is live of a line is not in the log: the segments of the last minutes are, the rest is filled in by who asks.
pub(super) fn page(count: &Count, query: &FiguresQuery, behind: bool) -> FiguresPage {
    let last = hour_of(query.now);
    let first = last.saturating_sub(query.hours.saturating_sub(1));
    let mut total = Sum::default();
    let mut hours = Vec::new();
    let mut lines = BTreeMap::<ChannelId, Sum>::new();
    for (at, counted) in count.tally.hours.range(first..) {
        let mut hour = Sum::default();
        for (channel, counted) in counted.iter().filter(|(channel, _)| asked_for(query, channel)) {
            hour.add(counted);
            total.add(counted);
            lines.entry(channel.clone()).or_default().add(counted);
        }
        if hour.counts != Counts::default() {
            hours.push(HourFigures { at: begin_of(*at), sums: hour.told() });
        }
    }
    let lines = lines.into_iter().map(|(channel, sum)| {
        let segments = count.tally.segments_lately(&channel, query.now);
        let live = LineLive { waiting: 0, in_flight: 0, segments, per_s: None, paused: None };
        LineFigures { channel, address: None, sums: sum.told(), live: Some(live) }
    });
    FiguresPage {
        position: Position::new(count.epoch, count.offset),
        behind,
        from: begin_of(first),
        since: count.tally.since,
        total: total.told(),
        hours,
        lines: lines.collect(),
    }
}

fn asked_for(query: &FiguresQuery, channel: &ChannelId) -> bool {
    query.channel.as_ref().is_none_or(|asked| asked == channel)
}
