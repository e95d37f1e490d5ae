//! Sealing with the master key, for what the servers keep but must not know.

use rand::TryRngCore;
use schema::seal::{self, NONCE};

/// Bound to the place of what is sealed: moved elsewhere it does not open.
#[derive(Clone)]
pub(super) struct Seal([u8; 32]);

/// Random bytes of the operating system, good enough for keys.
pub(super) fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

impl Seal {
    pub(super) fn new(master: [u8; 32]) -> Self {
        Self(master)
    }

    pub(super) fn close(&self, place: &str, secret: &[u8]) -> Result<Vec<u8>, String> {
        let nonce = random::<NONCE>()?;
        let sealed = seal::seal(&self.0, &nonce, place.as_bytes(), secret.to_vec());
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        Some(seal::open(&self.0, nonce, place.as_bytes(), &mut sealed.to_vec())?.to_vec())
    }
}
