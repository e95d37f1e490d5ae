//! The only place that builds: ports from configuration, the engine on them, the edges on the engine.

mod listener;

pub use listener::{Listener, ListenerLimits};
