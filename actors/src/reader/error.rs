//! Why something cannot be read, and what a client is told.

use schema::{event::CodecError, problem::Code};

use crate::{
    handle::Refusal,
    ports::{KeyError, LogError, SearchError, ViewError},
};

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such thing in this tenant.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The client asked for something impossible.
    #[error("{field} {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// The views.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The index.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A stored event.
    #[error("stored event: {0}")]
    Codec(#[from] CodecError),
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::NotFound(what) => Self::rejected(Code::NotFound, what.clone()),
            ReadError::Invalid { field, reason } => Self::invalid(field, reason.clone()),
            ReadError::Search(SearchError::Query(reason)) => Self::invalid("q", reason.clone()),
            ReadError::Views(ViewError::Damaged(_))
            | ReadError::Codec(_)
            | ReadError::Log(LogError::Damaged { .. }) => {
                tracing::error!(%error, "stored data is damaged; `deskwire verify` says where");
                Self::rejected(Code::Internal, "stored data is damaged")
            }
            _ => Self::unavailable(error.to_string()),
        }
    }
}
