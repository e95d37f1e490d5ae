//! First figures: how many signed webhooks a second, and what a push to many dashboards costs.
//!
//! Closed loop and short: they find the ceiling of one path. The open-loop harness with its verdict is another matter.

mod cpu;
pub mod fanout;
pub mod webhook;

pub use cpu::CpuTime;
