//! The key that a file's secrets are sealed with: 32 bytes in a file of their own.

use std::{
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rand::TryRngCore as _;
use schema::{
    ids::TenantId,
    seal::{self, NONCE},
    transfer::Secret,
};

use super::{TransferError, io};

/// A key, and where it lies.
pub struct TransferKey {
    bytes: [u8; 32],
    pub(super) path: PathBuf,
}

fn context(tenant: &TenantId, piece: u64) -> Vec<u8> {
    format!("deskwire tenant 1 {tenant} {piece}").into_bytes()
}

fn random<const N: usize>(path: &Path) -> Result<[u8; N], TransferError> {
    let mut bytes = [0; N];
    let drawn = rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other);
    drawn.map_err(io(path))?;
    Ok(bytes)
}

impl TransferKey {
    /// Reads a key.
    pub fn read(path: &Path) -> Result<Self, TransferError> {
        let bytes = std::fs::read(path).map_err(io(path))?;
        let bytes = bytes.try_into().map_err(|_| TransferError::NoKey(path.to_owned()))?;
        Ok(Self { bytes, path: path.to_owned() })
    }

    /// Reads a key, or makes one where there is none, readable by its owner only.
    pub fn read_or_make(path: &Path) -> Result<Self, TransferError> {
        match Self::read(path) {
            Err(TransferError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            read => return read,
        }
        let bytes = random(path)?;
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let written = made.and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()));
        written.map_err(io(path))?;
        Ok(Self { bytes, path: path.to_owned() })
    }

    pub(super) fn close(&self, tenant: &TenantId, piece: u64, secrets: &[Secret]) -> Result<Vec<u8>, TransferError> {
        let nonce = random::<NONCE>(&self.path)?;
        let plain = postcard::to_stdvec(secrets).map_err(std::io::Error::other).map_err(io(&self.path))?;
        let sealed = seal::seal(&self.bytes, &nonce, &context(tenant, piece), plain);
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(super) fn open(&self, tenant: &TenantId, piece: u64, sealed: &[u8]) -> Option<Vec<Secret>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let mut sealed = sealed.to_vec();
        postcard::from_bytes(seal::open(&self.bytes, nonce, &context(tenant, piece), &mut sealed)?).ok()
    }
}
