//! Tokens that were opened before. A signature takes longer to verify than all the rest of a request, and the same
//! token comes with every request, and again from every dashboard that a break has sent away.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::{Body, KeyMark};

/// So many are remembered, a few hundred bytes each; beyond it the least used are forgotten.
const KNOWN_MAX: usize = 8_192;

/// What tokens said, by their SHA-256: none of them is kept. Only what a key has opened comes in here, so that nobody
/// else fills it.
pub(super) struct Known(Cache<[u8; 32], Arc<(Body, KeyMark)>>);

impl Known {
    pub(super) fn new() -> Self {
        Self(Cache::new(KNOWN_MAX))
    }

    /// What a token said when it was opened, and by which key. Whether that key and the token are still good is for the
    /// caller to ask.
    pub(super) fn get(&self, token: &str) -> Option<Arc<(Body, KeyMark)>> {
        self.0.get(&digest(token))
    }

    pub(super) fn put(&self, token: &str, opened: (Body, KeyMark)) -> Arc<(Body, KeyMark)> {
        let opened = Arc::new(opened);
        self.0.insert(digest(token), opened.clone());
        opened
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
