//! Handles: all that the outside knows of actors. Cheap to clone, safe to hold; no actix type in sight.

use std::{borrow::Cow, time::Duration};

use schema::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

/// Why a request was not accepted. Nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// A queue is full.
    #[error("queue is full")]
    Full {
        /// When to try again.
        retry_after: Duration,
    },
    /// The store, or the tenant's owner, cannot take it now.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// For people.
        reason: String,
    },
    /// The command itself cannot be accepted.
    #[error("{}: {detail}", code.as_str())]
    Rejected {
        /// Why, as a stable code.
        code: Code,
        /// Which field, if one is wrong.
        field: Option<Cow<'static, str>>,
        /// With the ids needed to act; nothing personal.
        detail: String,
    },
    /// The tenant is on its way to another node: nothing was stored, ask again. The engine does so by itself.
    #[error("the tenant is moving to another node")]
    Moved,
    /// This node is shutting down.
    #[error("draining")]
    Draining,
}

impl Refusal {
    /// A rejection with a code.
    pub fn rejected(code: Code, detail: impl Into<String>) -> Self {
        Self::Rejected { code, field: None, detail: detail.into() }
    }

    /// A field that is wrong.
    pub fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        Self::Rejected { code: Code::Invalid, field: Some(Cow::Borrowed(field)), detail: detail.into() }
    }

    /// Not now, for a reason.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { retry_after: Duration::from_secs(1), reason: reason.into() }
    }

    /// What a client is told.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Full { retry_after } => Problem::new(Code::Full).retry_after(*retry_after),
            Self::Unavailable { retry_after, .. } => Problem::new(Code::Unavailable).retry_after(*retry_after),
            Self::Moved => Problem::new(Code::Unavailable).retry_after(Duration::from_secs(1)),
            Self::Draining => Problem::new(Code::Draining).retry_after(Duration::from_secs(1)),
            Self::Rejected { code, field, detail } => {
                let problem = Problem::new(*code).detail(detail.clone());
                match field {
                    Some(field) => problem.field(field.clone()),
                    None => problem,
                }
            }
        }
    }
}
