//! A conversation: one per tenant and contact, lifelong; the unit of decision.

mod state;

pub use state::{Send, State};
