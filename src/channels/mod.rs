//! Carriers: each a folder that verifies and reads what comes in and sends what goes out.
//!
//! An adapter sees ports and schema. It knows no actor, no route, no configuration file; `app` gives it what it needs.

pub mod twilio;

use std::{fmt, sync::Arc};

use schema::ids::AccountId;

/// A carrier's secret. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself: for signatures and credentials only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The secrets of an account, the current one first: two while one replaces the other. Empty: none is known.
/// From memory; asked for each webhook and each send, so that a replaced secret counts at once.
pub type SecretSource = Arc<dyn Fn(&AccountId) -> Arc<[Secret]> + Send + Sync>;
