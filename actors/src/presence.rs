//! Presence: who is online, looking at and typing in which conversation. Soft state at the owner.

/// Presence of one tenant.
#[derive(Debug, Default)]
pub struct Presence {}
