//! What keeps two nodes from fighting over a tenant for ever: waits after a lost duel, members that cannot be reached,
//! and turns for takeovers.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use dashmap::DashMap;
use schema::ids::{NodeId, TenantId};

/// First and longest wait after a lost duel.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A duel so long ago is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Duels kept; beyond it old ones are swept.
const DUELS_MAX: usize = 10_000;
/// A member that was not tried for so long is trusted again.
const TRUSTED: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy)]
struct Duel {
    wait: Duration,
    until: Duration,
}

/// Tenants that this node lost to another, by monotonic time.
#[derive(Debug, Default)]
pub(super) struct Duels(DashMap<TenantId, Duel>);

impl Duels {
    /// The next takeover waits a random, doubling time.
    pub(super) fn lost(&self, tenant: &TenantId, now: Duration, random: u64) {
        if self.0.len() >= DUELS_MAX {
            self.0.retain(|_, duel| now < duel.until + FORGOTTEN);
        }
        let before = self.0.get(tenant).filter(|duel| now < duel.until + FORGOTTEN).map(|duel| duel.wait);
        let wait = before.map_or(WAIT.0, |wait| wait * 2).min(WAIT.1);
        let half = u64::try_from(wait.as_micros() / 2).unwrap_or(u64::MAX).max(1);
        let until = now + wait / 2 + Duration::from_micros(random % half);
        self.0.insert(tenant.clone(), Duel { wait, until });
    }

    /// How long a takeover has to wait.
    pub(super) fn wait(&self, tenant: &TenantId, now: Duration) -> Duration {
        self.0.get(tenant).map_or(Duration::ZERO, |duel| duel.until.saturating_sub(now))
    }
}

#[derive(Debug, Clone, Copy)]
struct Suspicion {
    first: Duration,
    last: Duration,
}

/// Members that could not be reached lately, by monotonic time. Bounded by the number of members.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    known: DashMap<NodeId, Suspicion>,
    /// When a member was probed last.
    probed: DashMap<NodeId, Duration>,
}

impl Suspects {
    /// Whether a member is to be probed at `now`, for all who wonder: at most once in `every`.
    pub(super) fn may_probe(&self, node: &NodeId, now: Duration, every: Duration) -> bool {
        let mut may = true;
        self.probed
            .entry(node.clone())
            .and_modify(|last| {
                may = now >= *last + every;
                *last = if may { now } else { *last };
            })
            .or_insert(now);
        may
    }

    pub(super) fn unreachable(&self, node: &NodeId, now: Duration) {
        let mut known = self.known.entry(node.clone()).or_insert(Suspicion { first: now, last: now });
        if now > known.last + TRUSTED {
            known.first = now;
        }
        known.last = now;
    }

    pub(super) fn reached(&self, node: &NodeId) {
        if self.known.contains_key(node) {
            self.known.remove(node);
        }
    }

    /// Whether it could not be reached for `after`, and not since.
    pub(super) fn is_gone(&self, node: &NodeId, now: Duration, after: Duration) -> bool {
        self.known.get(node).is_some_and(|known| now <= known.last + TRUSTED && known.last >= known.first + after)
    }
}

/// Turns at a rate: a node that died leaves many tenants, and all of them at once would stall the store.
#[derive(Debug)]
pub(super) struct Turns {
    every: Duration,
    next: Mutex<Duration>,
}

impl Turns {
    pub(super) fn per_second(rate: u32) -> Self {
        Self { every: Duration::from_secs(1) / rate.max(1), next: Mutex::new(Duration::ZERO) }
    }

    /// How long the next turn is away at `now`; it is taken by asking, unless that is too long.
    pub(super) fn take(&self, now: Duration, longest: Duration) -> Option<Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now);
        let wait = turn - now;
        (wait <= longest).then(|| {
            *next = turn + self.every;
            wait
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn whoever_loses_again_waits_longer_and_not_for_ever() {
        let (duels, tenant) = (Duels::default(), TenantId::new("acme").unwrap());
        assert_eq!(duels.wait(&tenant, seconds(0)), Duration::ZERO);
        let mut now = seconds(10);
        for longest in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            duels.lost(&tenant, now, u64::MAX);
            let wait = duels.wait(&tenant, now);
            assert!(wait >= Duration::from_millis(longest / 2) && wait <= Duration::from_millis(longest), "{wait:?}");
            now += wait;
        }
        duels.lost(&tenant, now + FORGOTTEN + seconds(60), 0);
        assert_eq!(duels.wait(&tenant, now + FORGOTTEN + seconds(60)), WAIT.0 / 2);
    }

    #[test]
    fn a_member_is_gone_when_it_cannot_be_reached_for_a_while() {
        let (suspects, node) = (Suspects::default(), NodeId::new("b").unwrap());
        suspects.unreachable(&node, seconds(1));
        assert!(!suspects.is_gone(&node, seconds(1), seconds(1)), "one failure says little");
        suspects.unreachable(&node, seconds(2));
        assert!(suspects.is_gone(&node, seconds(2), seconds(1)));
        assert!(!suspects.is_gone(&node, seconds(20), seconds(1)), "nobody has tried for long");
        suspects.unreachable(&node, seconds(30));
        assert!(!suspects.is_gone(&node, seconds(30), seconds(1)));
        suspects.unreachable(&node, seconds(31));
        suspects.reached(&node);
        assert!(!suspects.is_gone(&node, seconds(31), seconds(1)));
        let may = [10, 10, 11, 12, 13].map(|at| suspects.may_probe(&node, seconds(at), seconds(2)));
        assert_eq!(may, [true, false, false, true, false], "one probe for all who wonder");
    }

    #[test]
    fn turns_come_at_their_rate() {
        let turns = Turns::per_second(10);
        let take = |at| turns.take(seconds(at), Duration::from_millis(200));
        assert_eq!(take(5), Some(Duration::ZERO));
        assert_eq!(take(5), Some(Duration::from_millis(100)));
        assert_eq!(take(5), Some(Duration::from_millis(200)));
        assert_eq!((take(5), take(5)), (None, None), "who does not wait takes no turn");
        assert_eq!(turns.take(seconds(5), seconds(1)), Some(Duration::from_millis(300)));
        assert_eq!(take(9), Some(Duration::ZERO));
    }
}
