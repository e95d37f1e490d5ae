//! Limits of sessions: sizes, times, rates; and the seats that connections take.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use schema::ids::{OperatorId, TenantId};
use tokio::sync::watch;

/// Every limit of the stream; what happens at each is said beside it.
#[derive(Debug, Clone)]
pub struct StreamLimits {
    /// Without a connect command for so long: 3502.
    pub connect_within: Duration,
    /// A ping is sent so often.
    pub ping_every: Duration,
    /// A ping unanswered for so long: 3012.
    pub pong_within: Duration,
    /// The transport took nothing for so long: 3008.
    pub write_stall: Duration,
    /// How long the closing handshake may take before the socket is dropped.
    pub close_within: Duration,
    /// A token that expired and was not refreshed for so long: 3005.
    pub expiry_grace: Duration,
    /// The feed is behind its log for so long: 3010. Looked at with each ping.
    pub position_lag: Duration,
    /// A larger frame: 1009.
    pub frame_bytes: usize,
    /// Read buffer of each connection.
    pub read_buffer_bytes: usize,
    /// Write buffer of each connection.
    pub write_buffer_bytes: usize,
    /// Frames are joined into WebSocket messages of about so many bytes.
    pub message_bytes: usize,
    /// Most publications in one reply; the rest follows as pushes.
    pub page_events: usize,
    /// Most bytes of publications in one reply; the rest follows as pushes.
    pub page_bytes: usize,
    /// How far back an `operator:` channel is recovered; further: `recovered: false`.
    pub scan_events: u64,
    /// So many unreadable commands: 3501.
    pub bad_commands: u32,
    /// So many errors one after the other: 3509.
    pub errors: u32,
    /// So many commands over the rate one after the other: 3013.
    pub excess: u32,
    /// Channels of one connection: error 106, in `connect` 3505.
    pub channels: usize,
    /// Connections of this node: 429 before the upgrade.
    pub connections: usize,
    /// Connections of one operator: 3504.
    pub operator_connections: usize,
    /// Commands of one connection, per second, with ten times that at once: error 111.
    pub commands_per_s: NonZeroU32,
    /// Commands of one operator over all connections, per second, with ten times that at once: error 111.
    pub operator_commands_per_s: NonZeroU32,
    /// A shutdown is spread over so long.
    pub drain_over: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(10),
            ping_every: Duration::from_secs(25),
            pong_within: Duration::from_secs(10),
            write_stall: Duration::from_secs(10),
            close_within: Duration::from_secs(2),
            expiry_grace: Duration::from_secs(25),
            position_lag: Duration::from_secs(30),
            frame_bytes: 64 << 10,
            read_buffer_bytes: 1 << 10,
            write_buffer_bytes: 4 << 10,
            message_bytes: 16 << 10,
            page_events: 500,
            page_bytes: 256 << 10,
            scan_events: 100_000,
            bad_commands: 3,
            errors: 100,
            excess: 100,
            channels: 64,
            connections: 100_000,
            operator_connections: 32,
            commands_per_s: NonZeroU32::new(50).expect("50 is not 0"),
            operator_commands_per_s: NonZeroU32::new(100).expect("100 is not 0"),
            drain_over: Duration::from_secs(10),
        }
    }
}

/// A rate, with ten seconds of it at once.
pub(super) fn rate(per_s: NonZeroU32) -> DefaultDirectRateLimiter {
    let burst = per_s.saturating_mul(NonZeroU32::new(10).expect("10 is not 0"));
    RateLimiter::direct(Quota::per_second(per_s).allow_burst(burst))
}

/// Who sits where: connections of the node, and of each operator.
pub(super) struct Seats {
    connections: watch::Sender<usize>,
    max: usize,
    operators: DashMap<(TenantId, OperatorId), Arc<OperatorSeats>>,
    operator_max: usize,
    operator_rate: NonZeroU32,
}

/// What the connections of one operator share.
pub(super) struct OperatorSeats {
    taken: AtomicUsize,
    rate: DefaultDirectRateLimiter,
}

/// A connection's place on the node; given back when dropped.
pub(super) struct Place(Arc<Seats>);

/// A connection's place among its operator's; given back when dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    key: (TenantId, OperatorId),
    shared: Arc<OperatorSeats>,
}

impl Seats {
    pub(super) fn new(limits: &StreamLimits) -> Self {
        Self {
            connections: watch::Sender::new(0),
            max: limits.connections,
            operators: DashMap::new(),
            operator_max: limits.operator_connections,
            operator_rate: limits.operator_commands_per_s,
        }
    }

    /// None: the node is full.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let entered = self.connections.send_if_modified(|count| {
            let room = *count < self.max;
            *count += usize::from(room);
            room
        });
        entered.then(|| Place(self.clone()))
    }

    pub(super) fn count(&self) -> usize {
        *self.connections.borrow()
    }

    /// Returns when nobody is left.
    pub(super) async fn empty(&self) {
        // The sender lives in `self`: waiting cannot fail.
        let _ = self.connections.subscribe().wait_for(|count| *count == 0).await;
    }

    /// None: the operator has too many connections.
    pub(super) fn sit(self: &Arc<Self>, tenant: &TenantId, operator: &OperatorId) -> Option<Seat> {
        let key = (tenant.clone(), operator.clone());
        let new = || Arc::new(OperatorSeats { taken: AtomicUsize::new(0), rate: rate(self.operator_rate) });
        let shared = {
            let entry = self.operators.entry(key.clone()).or_insert_with(new);
            if entry.taken.load(Ordering::Relaxed) >= self.operator_max {
                return None;
            }
            entry.taken.fetch_add(1, Ordering::Relaxed);
            entry.clone()
        };
        Some(Seat { seats: self.clone(), key, shared })
    }
}

impl Seat {
    /// Whether the operator may do one more thing now.
    pub(super) fn admits(&self) -> bool {
        self.shared.rate.check().is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.send_modify(|count| *count -= 1);
    }
}

impl Drop for Seat {
    /// The entry's lock is held while its last seat goes, so that nobody sits down on what is removed.
    fn drop(&mut self) {
        self.seats.operators.remove_if(&self.key, |_, shared| shared.taken.fetch_sub(1, Ordering::Relaxed) == 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_limited_and_given_back() {
        let limits = StreamLimits { connections: 2, operator_connections: 1, ..StreamLimits::default() };
        let seats = Arc::new(Seats::new(&limits));
        let first = seats.enter().unwrap();
        let _second = seats.enter().unwrap();
        assert!(seats.enter().is_none());
        drop(first);
        assert!(seats.enter().is_some());

        let (tenant, ana, bob) =
            (TenantId::new("demo").unwrap(), OperatorId::new("ana").unwrap(), OperatorId::new("bob").unwrap());
        let seat = seats.sit(&tenant, &ana).unwrap();
        assert!(seats.sit(&tenant, &ana).is_none());
        assert!(seats.sit(&tenant, &bob).is_some());
        drop(seat);
        assert!(seats.sit(&tenant, &ana).is_some());
        assert!(seats.operators.is_empty(), "an operator without connections costs nothing");
    }
}
