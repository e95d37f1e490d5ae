//! How many webhooks may be under way: of the node, of one line, and of one line a second. A flood of one line is
//! refused before its signature costs anything, and leaves the other lines their room.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use schema::ids::ChannelId;

use super::{WebhookSettings, answer::Refused};

/// All gates. Lines are those of the directory, so their number is bounded.
pub(super) struct Gates {
    all: Arc<AtomicUsize>,
    all_max: usize,
    line_max: usize,
    quota: Quota,
    lines: DashMap<ChannelId, Arc<Line>>,
}

struct Line {
    under_way: AtomicUsize,
    rate: DefaultDirectRateLimiter,
}

/// Room for one webhook, given back when dropped.
pub(super) struct Permit {
    all: Arc<AtomicUsize>,
    line: Arc<Line>,
}

impl Gates {
    pub(super) fn new(settings: &WebhookSettings) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(settings.line_per_s)).allow_burst(at_least_one(settings.line_burst));
        Self {
            all: Arc::default(),
            all_max: settings.in_flight_max,
            line_max: settings.line_in_flight_max,
            quota,
            lines: DashMap::new(),
        }
    }

    pub(super) fn enter(&self, channel: &ChannelId) -> Result<Permit, Refused> {
        let line = self.line(channel);
        // Counted first and given back by the permit, so that two at once cannot both take the last place.
        self.all.fetch_add(1, Ordering::Relaxed);
        line.under_way.fetch_add(1, Ordering::Relaxed);
        let permit = Permit { all: self.all.clone(), line };
        let full = self.all.load(Ordering::Relaxed) > self.all_max;
        let line_full = permit.line.under_way.load(Ordering::Relaxed) > self.line_max;
        if full || line_full || permit.line.rate.check().is_err() {
            return Err(Refused::TooMany);
        }
        Ok(permit)
    }

    fn line(&self, channel: &ChannelId) -> Arc<Line> {
        if let Some(line) = self.lines.get(channel) {
            return line.clone();
        }
        let make = || Arc::new(Line { under_way: AtomicUsize::new(0), rate: RateLimiter::direct(self.quota) });
        self.lines.entry(channel.clone()).or_insert_with(make).clone()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        self.line.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str) -> ChannelId {
        ChannelId::new(name).expect("a slug")
    }

    #[test]
    fn a_flooded_line_leaves_the_others_their_room() {
        let settings = WebhookSettings { line_in_flight_max: 2, in_flight_max: 3, ..WebhookSettings::default() };
        let gates = Gates::new(&settings);
        let first = gates.enter(&line("a")).expect("room");
        let _second = gates.enter(&line("a")).expect("room");
        assert!(gates.enter(&line("a")).is_err(), "the line is full");
        let _third = gates.enter(&line("b")).expect("the node has room");
        assert!(gates.enter(&line("b")).is_err(), "the node is full");
        drop(first);
        assert!(gates.enter(&line("a")).is_ok(), "what ends makes room");
    }

    #[test]
    fn a_line_has_a_rate() {
        let settings = WebhookSettings { line_per_s: 1, line_burst: 2, ..WebhookSettings::default() };
        let gates = Gates::new(&settings);
        let taken = (0..5).filter(|_| gates.enter(&line("a")).is_ok()).count();
        assert_eq!(taken, 2);
        assert!(gates.enter(&line("b")).is_ok());
    }
}
