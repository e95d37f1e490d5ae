//! What can go wrong with a CQL server, by what the caller may conclude from it.

use actors::ports::{KeyError, LogError, ViewError};
use scylla::errors::{DbError, ExecutionError, RequestAttemptError};

/// Why a statement did not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CqlError {
    /// Certainly without any effect.
    #[error("not done: {0}")]
    NotDone(String),
    /// It may have had its effect.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The answer, or a stored row, cannot be read.
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// Why the store cannot be opened or migrated.
#[derive(Debug, thiserror::Error)]
pub enum CqlStoreError {
    /// No server answers, or it refuses this client.
    #[error("no CQL server can be used: {0}")]
    Connect(String),
    /// The keyspace is not there, or is older than this version.
    #[error("keyspace {keyspace} has format {found}, this version needs {known}: run `deskwire migrate`")]
    Older {
        /// Which.
        keyspace: String,
        /// Its last migration; 0: none.
        found: i32,
        /// Ours.
        known: i32,
    },
    /// The keyspace was made by a later version.
    #[error("keyspace {keyspace} has format {found}, this version knows only {known}: use a newer deskwire")]
    Newer {
        /// Which.
        keyspace: String,
        /// Its last migration.
        found: i32,
        /// Ours.
        known: i32,
    },
    /// Somebody else works on it.
    #[error(
        "the keyspace is in use by {by}. What was killed is waited for: its lease lapses {lapse_s} s after it was last renewed"
    )]
    Busy {
        /// Who.
        by: String,
        /// How long a lease lasts.
        lapse_s: i32,
    },
    /// The data directory cannot be had.
    #[error("{0}")]
    Directory(String),
    /// A lost server would be lost data.
    #[error(
        "keyspace {keyspace} keeps {found} where {needed} replicas are needed: change it (ALTER KEYSPACE, then repair), or \
         cql.allow_unsafe = true where losing everything does no harm"
    )]
    Replicas {
        /// Which.
        keyspace: String,
        /// What its replication says.
        found: String,
        /// Fewest allowed.
        needed: u32,
    },
    /// What is configured cannot be part of a statement.
    #[error("{key} = {value:?} cannot be used")]
    Name {
        /// Which key.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// The master key, and what it is said to have sealed, do not belong together.
    #[error("what is sealed in keyspace {0} does not open with this node's master key")]
    MasterKey(String),
    /// The master key cannot be read or made.
    #[error("master key: {0}")]
    Master(String),
    /// A statement failed.
    #[error(transparent)]
    Statement(#[from] CqlError),
}

impl CqlError {
    pub(super) fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<ExecutionError> for CqlError {
    fn from(error: ExecutionError) -> Self {
        let is_certain = match &error {
            ExecutionError::BadQuery(_)
            | ExecutionError::EmptyPlan
            | ExecutionError::PrepareError(_)
            | ExecutionError::ConnectionPoolError(_) => true,
            ExecutionError::LastAttemptError(attempt) => is_certain(attempt),
            _ => false,
        };
        if is_certain { Self::NotDone(error.to_string()) } else { Self::Unknown(error.to_string()) }
    }
}

/// Whether the server, asked once, certainly did nothing. Everything not known to be so is not.
fn is_certain(attempt: &RequestAttemptError) -> bool {
    match attempt {
        RequestAttemptError::SerializationError(_)
        | RequestAttemptError::CqlRequestSerialization(_)
        | RequestAttemptError::UnableToAllocStreamId => true,
        // Said by the coordinator before it asks any replica.
        RequestAttemptError::DbError(error, _) => matches!(
            error,
            DbError::SyntaxError
                | DbError::Invalid
                | DbError::Unauthorized
                | DbError::AuthenticationError
                | DbError::Unavailable { .. }
                | DbError::IsBootstrapping
        ),
        _ => false,
    }
}

impl From<CqlError> for LogError {
    fn from(error: CqlError) -> Self {
        match error {
            CqlError::Unreadable(reason) => Self::Damaged { reason },
            other => Self::Unavailable { reason: other.to_string() },
        }
    }
}

impl From<CqlError> for ViewError {
    fn from(error: CqlError) -> Self {
        match error {
            CqlError::Unreadable(reason) => Self::Damaged(reason),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<CqlError> for KeyError {
    fn from(error: CqlError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
