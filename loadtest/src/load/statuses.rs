//! Statuses of outbound messages: none moves back. Remembers the newest messages only; how many were forgotten is told.

use std::collections::{HashMap, HashSet, VecDeque};

use schema::message::Status;

/// Attempts remembered, about 80 bytes each.
const REMEMBERED: usize = 8_192;

/// One attempt of one message.
type Attempt = (u128, u16);

/// The last status of each attempt.
#[derive(Debug, Default)]
pub struct Statuses {
    ranks: HashMap<Attempt, u8>,
    order: VecDeque<Attempt>,
    open: HashSet<u128>,
    forgotten: u64,
}

impl Statuses {
    /// An attempt takes a status; `Err`: the one it had, which is not lower.
    pub fn step(&mut self, message: u128, attempt: u16, status: Status) -> Result<(), u8> {
        if status.is_settled() {
            self.open.remove(&message);
        } else if self.open.len() < REMEMBERED {
            self.open.insert(message);
        }
        let key = (message, attempt);
        let before = self.ranks.insert(key, status.rank());
        match before {
            None => self.remember(key),
            Some(before) if before >= status.rank() => {
                self.ranks.insert(key, before);
                return Err(before);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// A message was queued; `false`: it was there before.
    pub fn queued(&mut self, message: u128) -> bool {
        self.step(message, 1, Status::Queued).is_ok()
    }

    /// Messages whose end is not known, as far as they are counted.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Attempts whose earlier statuses are no longer remembered.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Bytes it holds, about.
    pub fn bytes(&self) -> usize {
        self.ranks.capacity() * 48 + self.order.capacity() * 32 + self.open.capacity() * 17
    }

    fn remember(&mut self, key: Attempt) {
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ranks.remove(&oldest);
            self.forgotten += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_does_not_move_up_is_found_and_a_new_attempt_begins_anew() {
        let mut statuses = Statuses::default();
        assert!(statuses.queued(1) && !statuses.queued(1));
        assert_eq!(statuses.step(1, 1, Status::Claimed), Ok(()));
        assert_eq!(statuses.step(1, 1, Status::Delivered), Ok(()));
        assert_eq!(statuses.step(1, 1, Status::Sent), Err(Status::Delivered.rank()));
        assert_eq!(statuses.step(1, 1, Status::Delivered), Err(Status::Delivered.rank()));
        assert_eq!(statuses.step(1, 2, Status::Claimed), Ok(()));
        assert_eq!(statuses.step(2, 1, Status::Claimed), Ok(()));
        assert_eq!((statuses.open(), statuses.forgotten()), (2, 0));
    }
}
