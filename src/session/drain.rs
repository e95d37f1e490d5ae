//! Shutdown without a stampede: sessions close in turn over a configured time.

use std::time::Duration;

use actors::presence::ClientId;
use tokio::{sync::watch, time::Instant};

use super::StreamLimits;

/// In how many batches sessions are closed.
const BATCHES: u32 = 20;

/// The signal, and over how long it is spread.
pub(super) struct Drain {
    begun: watch::Sender<Option<Instant>>,
    over: Duration,
}

impl Drain {
    pub(super) fn new(limits: &StreamLimits) -> Self {
        Self { begun: watch::Sender::new(None), over: limits.drain_over }
    }

    pub(super) fn begin(&self) {
        self.begun.send_if_modified(|begun| {
            let first = begun.is_none();
            begun.get_or_insert_with(Instant::now);
            first
        });
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.borrow().is_some()
    }

    /// Changes when the drain begins.
    pub(super) fn signal(&self) -> watch::Receiver<Option<Instant>> {
        self.begun.subscribe()
    }

    /// When a session must close; none: the drain has not begun. The last bits of a UUID are random.
    pub(super) fn turn_of(&self, client: ClientId) -> Option<Instant> {
        let batch = client.0.as_u128() % u128::from(BATCHES);
        let batch = u32::try_from(batch).expect("less than the number of batches");
        self.begun.borrow().map(|begun| begun + self.over * batch / BATCHES)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn sessions_leave_in_batches_spread_over_the_time() {
        let drain = Drain::new(&StreamLimits { drain_over: Duration::from_secs(10), ..StreamLimits::default() });
        assert_eq!(drain.turn_of(ClientId(Uuid::nil())), None);
        drain.begin();
        let mut batches = BTreeMap::new();
        for number in 0..1_000_u128 {
            *batches.entry(drain.turn_of(ClientId(Uuid::from_u128(number))).unwrap()).or_insert(0) += 1;
        }
        assert_eq!(batches.len(), 20);
        assert!(batches.values().all(|count| *count == 50));
        let (first, last) = (batches.keys().next().unwrap(), batches.keys().next_back().unwrap());
        assert_eq!(*last - *first, Duration::from_millis(9_500));
    }
}
