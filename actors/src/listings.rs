//! Turns at the carriers' lists: one question of an account at a time, and never more often than configured. Lists are
//! asked beside the sends, never in their way.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schema::ids::AccountId;
use tokio::{sync::OwnedMutexGuard, time::Instant};

type Free = Arc<tokio::sync::Mutex<Instant>>;

/// When each account may be asked next. Bounded by the number of accounts.
#[derive(Debug)]
pub(crate) struct Listings {
    interval: Duration,
    accounts: Mutex<HashMap<AccountId, Free>>,
}

/// The right to ask one question. The next one waits until this is dropped, and an interval more.
#[derive(Debug)]
pub(crate) struct Turn {
    free_at: OwnedMutexGuard<Instant>,
    interval: Duration,
}

impl Listings {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, accounts: Mutex::default() }
    }

    /// Waits for this account's turn.
    pub(crate) async fn turn(&self, account: &AccountId) -> Turn {
        let free = {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.entry(account.clone()).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Instant::now()))).clone()
        };
        let free_at = free.lock_owned().await;
        tokio::time::sleep_until(*free_at).await;
        Turn { free_at, interval: self.interval }
    }
}

impl Turn {
    /// The carrier asked for a pause: nobody asks it before.
    pub(crate) fn pause(&mut self, pause: Duration) {
        *self.free_at = Instant::now() + pause;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = Instant::now() + self.interval;
        *self.free_at = next.max(*self.free_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_account_is_asked_once_at_a_time_and_others_do_not_wait_for_it() {
        let listings = Listings::new(Duration::from_secs(1));
        let (one, other) = (AccountId::new("one").expect("a slug"), AccountId::new("other").expect("a slug"));
        let began = Instant::now();
        let mut first = listings.turn(&one).await;
        assert!(tokio::time::timeout(Duration::from_secs(60), listings.turn(&one)).await.is_err(), "it is taken");
        listings.turn(&other).await;
        assert_eq!(began.elapsed(), Duration::from_secs(60));
        first.pause(Duration::from_secs(30));
        drop(first);
        drop(listings.turn(&one).await);
        assert_eq!(began.elapsed(), Duration::from_secs(90), "the pause was kept");
        drop(listings.turn(&one).await);
        assert_eq!(began.elapsed(), Duration::from_secs(91), "and the interval");
    }
}
