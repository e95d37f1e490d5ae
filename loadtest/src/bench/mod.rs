//! `loadtest bench`: the project's bars, each measured the same way on any machine, and the table that says what came out.
//!
//! Every bench starts its own engine on a scratch directory, bounds itself in count and time, and leaves a JSON file;
//! `loadtest bench report` makes docs/performance.md of them. It measures; the verdict of `loadtest run` convicts.

pub mod cli;
mod cpu;
mod fanout;
mod figure;
mod history;
mod ingest;
mod machine;
mod memory;
mod outbound;
mod post;
mod queue;
mod raw;
mod report;
mod rest;
mod stand;
mod storm;
mod watch;

pub use cli::{Arguments, Bench, run};
pub use cpu::CpuTime;
pub use figure::{Document, Row};
