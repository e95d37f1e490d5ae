//! The signing keys of a data directory: one signs, those before it verify until their overlap has ended.
//!
//! `token-signing.pem` is the one that signs. Of a key that was replaced only the public half is kept, in a file whose
//! name says until when: `token-verifying-<id>-until-<seconds>.pem`. Servers notice both by looking.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schema::time::Stamp;

use super::{
    Key, KeyError, Term,
    files::{random_bytes, read_private, replace_private, sync_directory, write_private},
    key_id, public_key,
};

/// PKCS#8 v1 of an Ed25519 key, before its 32 bytes (RFC 8410 §7).
const ED25519_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes (RFC 8410 §4).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

const SIGNING: &str = "token-signing.pem";
const VERIFYING: &str = "token-verifying-";
const UNTIL: &str = "-until-";
const LOCK: &str = "rotation.lock";

/// A key of the directory.
#[derive(Clone)]
pub struct Kept {
    /// What tokens call it.
    pub id: String,
    /// Itself, and until when it verifies; without an end it is the one that signs.
    pub term: Term,
    /// When it was made.
    pub made: Stamp,
    path: PathBuf,
}

/// What a rotation did.
pub struct Rotated {
    /// The key that signs from now on.
    pub id: String,
    /// The one that signed until now.
    pub before: String,
    /// Until when that one verifies; none: it is forgotten already.
    pub until: Option<Stamp>,
}

/// All keys of the directory, the signing one first; it is made if there is none, in a file that only its owner can
/// read. Lost with that file: every token it signed.
pub fn make(directory: &Path) -> Result<Vec<Kept>, KeyError> {
    let path = directory.join(SIGNING);
    if read_private(&path)?.is_none() {
        write_private(&path, &new_ed25519_pem()?)?;
    }
    load(directory)
}

/// All keys of the directory, the signing one first. Makes nothing.
pub fn load(directory: &Path) -> Result<Vec<Kept>, KeyError> {
    let signing = signing(directory)?;
    let mut kept = retired(directory)?;
    // A rotation that was cut short leaves both halves of the same key.
    kept.retain(|key| key.id != signing.id);
    kept.sort_by_key(|key| std::cmp::Reverse(key.term.until));
    kept.insert(0, signing);
    Ok(kept)
}

/// Makes a new signing key; the one before verifies for `overlap` longer. Without any overlap every key before is
/// forgotten: who has lost one key does not say which. A running server notices within seconds.
pub fn rotate(directory: &Path, now: Stamp, overlap: Duration) -> Result<Rotated, KeyError> {
    make(directory)?;
    let _lock = lock(directory)?;
    forget(directory, now)?;
    let before = signing(directory)?;
    let Key::Ed25519Private(private) = &before.term.key else { return Err(KeyError::Unusable("no signing key")) };
    // An end that an earlier, interrupted rotation gave it counts no more.
    let goes = |key: &&Kept| overlap.is_zero() || key.id == before.id;
    retired(directory)?.iter().filter(goes).try_for_each(Kept::remove)?;
    let until = (!overlap.is_zero()).then(|| Stamp(now.plus(overlap).0.div_ceil(1_000_000) * 1_000_000));
    if let Some(until) = until {
        let name = format!("{VERIFYING}{}{UNTIL}{}.pem", before.id, until.0 / 1_000_000);
        let path = directory.join(name);
        write_private(&path, &pem("PUBLIC KEY", &PUBLIC_PREFIX, &public_key(private)?))?;
        keep_age(&path, before.made).map_err(|source| KeyError::File { path, source })?;
    }
    replace_private(&directory.join(SIGNING), &new_ed25519_pem()?)?;
    Ok(Rotated { id: signing(directory)?.id, before: before.id, until })
}

/// Removes the keys whose overlap has ended; gives back their ids.
pub fn forget(directory: &Path, now: Stamp) -> Result<Vec<String>, KeyError> {
    let mut ended = retired(directory)?;
    ended.retain(|key| key.term.until.is_some_and(|until| until <= now));
    ended.iter().try_for_each(Kept::remove)?;
    Ok(ended.into_iter().map(|key| key.id).collect())
}

impl Kept {
    fn remove(&self) -> Result<(), KeyError> {
        let removed = match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        removed
            .and_then(|()| sync_directory(&self.path))
            .map_err(|source| KeyError::File { path: self.path.clone(), source })
    }
}

fn signing(directory: &Path) -> Result<Kept, KeyError> {
    let path = directory.join(SIGNING);
    let missing = || KeyError::File { path: path.clone(), source: io::ErrorKind::NotFound.into() };
    let pem = read_private(&path)?.ok_or_else(missing)?;
    let (id, made) = (key_id(&public_key(&pem)?), made(&path)?);
    Ok(Kept { id, term: Key::Ed25519Private(pem).into(), made, path })
}

fn retired(directory: &Path) -> Result<Vec<Kept>, KeyError> {
    let file_error = |source| KeyError::File { path: directory.to_owned(), source };
    let mut kept = Vec::new();
    for entry in fs::read_dir(directory).map_err(file_error)? {
        let name = entry.map_err(file_error)?.file_name();
        let Some(until) = end_of(&name) else { continue };
        let path = directory.join(&name);
        // Somebody else may have forgotten it since.
        let Some(pem) = read_private(&path)? else { continue };
        let unusable = KeyError::Unusable("a token-verifying file holds an Ed25519 public key in PEM");
        let id = key_id(&raw_public(&pem).ok_or(unusable)?);
        let term = Term { key: Key::Ed25519Public(pem), until: Some(until) };
        kept.push(Kept { id, term, made: made(&path)?, path });
    }
    Ok(kept)
}

/// The end in a retired key's file name.
fn end_of(name: &OsString) -> Option<Stamp> {
    let rest = name.to_str()?.strip_prefix(VERIFYING)?.strip_suffix(".pem")?;
    let (_, seconds) = rest.split_once(UNTIL)?;
    Some(Stamp(seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?))
}

fn made(path: &Path) -> Result<Stamp, KeyError> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let modified = modified.map_err(|source| KeyError::File { path: path.to_owned(), source })?;
    let micros = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    Ok(Stamp(u64::try_from(micros).unwrap_or(u64::MAX)))
}

fn keep_age(path: &Path, made: Stamp) -> io::Result<()> {
    fs::File::options().write(true).open(path)?.set_modified(UNIX_EPOCH + Duration::from_micros(made.0))
}

/// One rotation at a time. The file stays; the lock ends with the process at the latest.
fn lock(directory: &Path) -> Result<fs::File, KeyError> {
    let path = directory.join(LOCK);
    let locked = fs::File::options().create(true).truncate(false).write(true).open(&path).and_then(|file| {
        file.lock()?;
        Ok(file)
    });
    locked.map_err(|source| KeyError::File { path, source })
}

fn new_ed25519_pem() -> Result<Vec<u8>, KeyError> {
    Ok(pem("PRIVATE KEY", &ED25519_PREFIX, &random_bytes()?))
}

fn pem(label: &str, prefix: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let body = STANDARD.encode([prefix, key].concat());
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into_bytes()
}

/// The 32 bytes in the PEM of an Ed25519 public key.
pub(super) fn raw_public(pem: &[u8]) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once("-----BEGIN PUBLIC KEY-----")?;
    let (body, _) = rest.split_once("-----END PUBLIC KEY-----")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()?.strip_prefix(PUBLIC_PREFIX.as_slice())?.try_into().ok()
}

#[cfg(test)]
mod tests;
