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
    /// Everything of the tenant, settings included; gives and takes every role but owner.
    Admin,
    /// Everything, and alone says who else is an owner. A tenant that has one always keeps one.
    Owner,
}

impl Role {
    /// Every role, in order; the place in it is `index`.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Admin, Self::Owner];

    /// Place in tables kept per role.
    pub fn index(self) -> usize {
        self as usize
    }
}
