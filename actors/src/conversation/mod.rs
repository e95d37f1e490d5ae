//! A conversation: one per tenant and contact, lifelong; the unit of decision.
//!
//! `decide` is pure: given a state and a command it says which events follow, or why none may. The actor around
//! it (`actor`) knows mailboxes and nothing of rules; the rules know neither clocks nor mailboxes.

pub(crate) mod actor;
mod apply;
pub(crate) mod decide;
mod keyword;
mod state;
#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "contracts"))]
pub use decide::{CURE, POISON, Poison};
pub use decide::{Decision, Draft, Inputs, Policy, VALIDITY_MIN, decide};
pub use keyword::keyword;
pub use state::{Send, State};
