//! Outbox lanes: one per sender address; a pure schedule. Claims, appends and calls are the tenant's.
//!
//! - [`Lane`] says which queued text goes next, and when to ask again.
//! - [`RetryPolicy`] says when a text that certainly was not taken may be tried again.
//!
//! Knows nothing of clocks, appends, carriers or rates: time comes in, [`crate::ports::Admission`]s come in.

mod lane;
mod ranks;
mod retry;
#[cfg(test)]
mod tests;

pub use lane::{Entry, Lane, LaneFull, LaneOptions, Next, Place};
pub use retry::{Cause, RetryPolicy};
