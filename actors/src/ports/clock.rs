//! Time and randomness, so that both can be simulated.

use schema::{ids::RequestId, time::Stamp};
use uuid::Uuid;

/// The only source of time.
pub trait Clock: Send + Sync + 'static {
    /// Wall clock. May step back.
    fn now(&self) -> Stamp;
    /// Never steps back, runs through suspension; only differences mean something.
    fn monotonic(&self) -> std::time::Duration;
}

/// The only source of randomness.
pub trait Ids: Send + Sync + 'static {
    /// A new UUID, version 7: ordered by time.
    fn uuid(&self) -> Uuid;
    /// Uniform random bits, for jitter and nonces.
    fn random(&self) -> u64;
    /// A new request id.
    fn request(&self) -> RequestId {
        RequestId(self.uuid())
    }
}
