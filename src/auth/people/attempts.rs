//! How often somebody may try to sign in: each e-mail, and each peer over all e-mails.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::HashMapStateStore,
};

use super::{PeopleError, PeopleLimits, digest};

/// E-mails and peers that are remembered before those at rest are forgotten.
const REMEMBERED: usize = 16_384;

type Rates<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// Both rates.
pub(super) struct Attempts {
    emails: Rates<String>,
    peers: Rates<Option<IpAddr>>,
}

impl Attempts {
    pub(super) fn new(limits: &PeopleLimits) -> Self {
        Self { emails: rate(limits.attempts_per_minute), peers: rate(limits.peer_attempts_per_minute) }
    }

    /// One try of a peer.
    pub(super) fn peer(&self, peer: Option<IpAddr>) -> Result<(), PeopleError> {
        take(&self.peers, &peer)
    }

    /// One try with an e-mail, whether anybody has it or not. Kept as a hash: anybody can send any.
    pub(super) fn email(&self, email: &str) -> Result<(), PeopleError> {
        take(&self.emails, &digest(email.as_bytes()))
    }
}

fn rate<K: Clone + Eq + std::hash::Hash>(per_minute: NonZeroU32) -> Rates<K> {
    RateLimiter::hashmap(Quota::per_minute(per_minute))
}

fn take<K: Clone + Eq + std::hash::Hash>(rates: &Rates<K>, key: &K) -> Result<(), PeopleError> {
    if rates.len() > REMEMBERED {
        rates.retain_recent();
    }
    rates.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        PeopleError::TooOften { retry_after: wait.max(Duration::from_secs(1)) }
    })
}
