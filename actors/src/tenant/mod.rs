//! A tenant: the sequencer of its feed, its settings, its routes, the supervisor of its conversations.
//!
//! Follow a command: `handle` (any thread) → `actor` (mailbox) → `route` → the conversation's actor → `shell::accept`
//! (into the batch) → `commit` (append, then publish, answer, project, react) → `lanes` → `calls` (out to the carrier).

mod actor;
mod batch;
mod calls;
pub(crate) mod charged;
mod commit;
mod decide;
pub(crate) mod handle;
mod hours;
mod housekeeping;
mod lanes;
mod leavers;
mod owning;
mod pause;
mod recents;
mod reconcile;
mod recount;
mod route;
mod settings;
pub(crate) mod shell;
pub(crate) mod start;
pub(crate) mod supervise;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod ticket;
mod traced;

pub use handle::{LineQueue, QueuePlace, Stats, TenantHandle};
pub use settings::{Settings, Until};
