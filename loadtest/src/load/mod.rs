//! The load harness: plays contacts, operators and the carrier at once against the real engine, and gives a verdict.
//!
//! What was acknowledged stands in each tenant's `book`, what operators saw is held against it while it happens, and at
//! the end both against the log itself. Knows nothing of the engine's inside.

pub mod book;
pub mod findings;
pub mod ledger;
pub mod mark;
pub mod reading;
pub mod runs;
pub mod statuses;
