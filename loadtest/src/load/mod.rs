//! The load harness: plays contacts, operators and the carrier at once against the real engine, and gives a verdict.
//!
//! An open loop: everything has a due time from a schedule, and is late from then on, whatever the engine does. What was
//! acknowledged stands in each tenant's `book`, what operators saw is held against it while it happens, and at the end
//! both against the log itself. Knows the engine's binary, its REST, webhooks and stream, and nothing of its inside.

mod actions;
pub mod book;
pub mod ceiling;
pub mod cli;
pub mod corpus;
mod end;
pub mod engine;
pub mod figures;
pub mod findings;
mod frame;
pub mod http;
pub mod ledger;
pub mod mark;
mod operator;
pub mod proxy;
pub mod reading;
mod replies;
pub mod report;
pub mod run;
pub mod runs;
pub mod sampler;
pub mod scenario;
pub mod schedule;
pub mod statuses;
pub mod texts;
pub mod verdict;
pub mod world;

pub use run::{Options, Target, run};
