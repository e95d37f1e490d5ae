//! A tenant: the sequencer of its feed, its settings, its routes, the supervisor of its conversations.

mod handle;
mod settings;

pub use handle::{QueuePlace, TenantHandle};
pub use settings::Settings;
