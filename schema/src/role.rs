//! What an operator may do and see.

use serde::{Deserialize, Serialize};

/// Roles, from least to most. Frames of the stream are encoded once per role and shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads conversations; sees neither notes nor settings; changes nothing.
    Viewer,
    /// Reads and answers conversations; settings events are hidden.
    Operator,
    /// Everything of the tenant, settings included.
    Admin,
}

impl Role {
    /// Every role, in order; the place in it is `index`.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Place in tables kept per role.
    pub fn index(self) -> usize {
        self as usize
    }
}
