//! Recent identities: what the views may not hold yet, and a while longer, so that a look-up made just before
//! a command is decided can be trusted. Bounded.

use std::collections::{HashMap, VecDeque};

use schema::ids::{DedupeKey, Offset};

use crate::ports::DedupeEntry;

/// Identities kept beyond what the views hold.
const KEPT: usize = 4_096;

/// Identities of accepted commands, newest last.
#[derive(Debug, Default)]
pub(crate) struct Recents {
    entries: HashMap<DedupeKey, DedupeEntry>,
    order: VecDeque<(Offset, DedupeKey)>,
    /// Everything after this offset is here; what is at or before it may only be in the views.
    floor: Offset,
}

impl Recents {
    /// Nothing is here; the views hold everything up to `floor`.
    pub(crate) fn from(floor: Offset) -> Self {
        Self { floor, ..Self::default() }
    }

    pub(crate) fn get(&self, key: &DedupeKey) -> Option<&DedupeEntry> {
        self.entries.get(key)
    }

    /// Whether a look-up that was complete up to `checkpoint` and found nothing proves, with what is here, that there is nothing.
    pub(crate) fn completes(&self, checkpoint: Offset) -> bool {
        checkpoint >= self.floor
    }

    pub(crate) fn insert(&mut self, key: DedupeKey, entry: DedupeEntry) {
        self.order.push_back((entry.offset, key));
        self.entries.insert(key, entry);
    }

    /// Forgets the oldest that the views hold, beyond the number kept.
    pub(crate) fn forget(&mut self, viewed: Offset) {
        while self.order.len() > KEPT {
            match self.order.front() {
                Some((offset, key)) if *offset <= viewed => {
                    self.floor = self.floor.max(*offset);
                    self.entries.remove(key);
                    self.order.pop_front();
                }
                _ => return,
            }
        }
    }

    /// Forgets everything after `durable`: the batch it was in failed.
    pub(crate) fn roll_back(&mut self, durable: Offset) {
        while let Some((offset, key)) = self.order.back() {
            if *offset <= durable {
                return;
            }
            self.entries.remove(key);
            self.order.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> DedupeKey {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        DedupeKey(bytes)
    }

    fn entry(offset: u64) -> DedupeEntry {
        DedupeEntry { offset: Offset(offset), content: 0, conversation: None, message: None }
    }

    #[test]
    fn nothing_is_forgotten_before_the_views_hold_it() {
        let mut recents = Recents::from(Offset(0));
        for number in 1..=10_000 {
            recents.insert(key(number), entry(number));
        }
        recents.forget(Offset(0));
        assert!(recents.get(&key(1)).is_some());
        recents.forget(Offset(10_000));
        assert!(recents.get(&key(1)).is_none());
        assert!(recents.get(&key(10_000)).is_some());
        assert!(!recents.completes(Offset(100)), "an older look-up may have missed what was forgotten since");
        assert!(recents.completes(Offset(10_000)));
    }

    #[test]
    fn a_failed_batch_takes_its_identities_with_it() {
        let mut recents = Recents::from(Offset(0));
        recents.insert(key(1), entry(1));
        recents.insert(key(2), entry(2));
        recents.roll_back(Offset(1));
        assert!(recents.get(&key(1)).is_some());
        assert!(recents.get(&key(2)).is_none());
    }
}
