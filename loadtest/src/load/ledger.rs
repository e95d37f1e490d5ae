//! What was acknowledged, in a few words a lane: a lane sends one text at a time, so what it got is a dense range with
//! exceptions. 40 bytes a lane and 48 a run of refusals, however many texts there are.

use std::collections::HashMap;

use super::{
    mark::{Mark, mix},
    runs::Runs,
};

/// One sender's acknowledgements.
#[derive(Debug, Default)]
struct Lane {
    /// The next number.
    next: u64,
    /// Given up: they may be there, or not.
    refused: Runs,
    /// Of the replies that named an event.
    sum: u64,
}

/// What one tenant acknowledged.
#[derive(Debug, Default)]
pub struct Ledger(HashMap<u16, Lane>);

/// What a reply of the engine promised: this text is that message, at that offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The event's offset.
    pub offset: u64,
    /// The message.
    pub message: u128,
}

impl Promise {
    /// Part of a checksum over all promises of a lane.
    pub fn term(self, number: u64) -> u64 {
        mix(mix(number) ^ mix(self.offset).rotate_left(17) ^ (self.message as u64) ^ (self.message >> 64) as u64)
    }
}

impl Ledger {
    /// The next number of a lane.
    pub fn begin(&mut self, lane: u16) -> u64 {
        let lane = self.0.entry(lane).or_default();
        lane.next += 1;
        lane.next - 1
    }

    /// Acknowledged: with what it promised, if it did.
    pub fn acked(&mut self, lane: u16, number: u64, promise: Option<Promise>) {
        let Some(lane) = self.0.get_mut(&lane) else { return };
        lane.sum = lane.sum.wrapping_add(promise.map_or(0, |promise| promise.term(number)));
    }

    /// Given up.
    pub fn refused(&mut self, lane: u16, number: u64) {
        if let Some(lane) = self.0.get_mut(&lane) {
            lane.refused.insert(number);
        }
    }

    /// Whether a number was begun and not given up.
    pub fn is_acked(&self, mark: &Mark) -> bool {
        self.0.get(&mark.lane).is_some_and(|lane| mark.number < lane.next && !lane.refused.contains(mark.number))
    }

    /// Every lane: how many were begun, which were given up, and the sum of what was promised.
    pub fn lanes(&self) -> impl Iterator<Item = (u16, u64, &Runs, u64)> {
        self.0.iter().map(|(id, lane)| (*id, lane.next, &lane.refused, lane.sum))
    }

    /// Bytes it holds, about.
    pub fn bytes(&self) -> usize {
        let runs: usize = self.0.values().map(|lane| lane.refused.runs()).sum();
        self.0.capacity() * size_of::<(u16, Lane)>() + runs * 48
    }
}
