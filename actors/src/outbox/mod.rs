//! Outbox lanes: one per sender address; a pure schedule. Claims, appends and calls are the tenant's.
//!
//! - [`Lane`] says which queued text goes next, and when to ask again.
//! - [`RetryPolicy`] says when a text that certainly was not taken may be tried again.
//! - [`find`] says which text of the carrier's list is one whose fate nobody knows, [`ReconcileOptions`] when to ask.
//!
//! Knows nothing of clocks, appends, carriers or rates: time comes in, [`crate::ports::Admission`]s come in.

mod lane;
mod ranks;
mod reconcile;
mod retry;
#[cfg(test)]
mod tests;

pub use lane::{Entry, Lane, LaneFull, LaneOptions, Next, Place};
pub use reconcile::{Found, ReconcileOptions, Wanted, find, same};
pub use retry::{Cause, RetryPolicy};
