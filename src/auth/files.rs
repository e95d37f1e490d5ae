//! Key files: only their owner reads them, and nobody ever sees half of one.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rand::TryRngCore as _;

use super::KeyError;

/// A secret of 32 bytes in a file of its own under `directory`, made at first use.
pub fn secret_file(directory: &Path, name: &str) -> Result<[u8; 32], KeyError> {
    let path = directory.join(name);
    match read_private(&path)? {
        Some(bytes) => bytes.try_into().map_err(|_| KeyError::Unusable("a secret file holds exactly 32 bytes")),
        None => {
            write_private(&path, &random_bytes()?)?;
            secret_file(directory, name)
        }
    }
}

/// Keys need the system's randomness, which no seed can repeat.
pub(super) fn random_bytes() -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|_| KeyError::Randomness)?;
    Ok(bytes)
}

pub(super) fn read_private(path: &Path) -> Result<Option<Vec<u8>>, KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let file_error = |source| KeyError::File { path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Err(KeyError::Exposed { path: path.to_owned() }),
        Ok(_) => fs::read(path).map(Some).map_err(file_error),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(error)),
    }
}

/// Never half a key: writes a new file beside its place and links it there. Of two processes that start at once, one wins, and both
/// read the winner's bytes afterwards.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let file_error = |source| KeyError::File { path: path.to_owned(), source };
    let beside = beside(path)?;
    let write = || -> io::Result<()> {
        write_new(&beside, bytes)?;
        let linked = match fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        };
        fs::remove_file(&beside)?;
        linked?;
        sync_directory(path)
    };
    write().map_err(file_error)
}

/// As [`write_private`], in place of what is there.
pub(super) fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let beside = beside(path)?;
    let write = || -> io::Result<()> {
        write_new(&beside, bytes)?;
        fs::rename(&beside, path)?;
        sync_directory(path)
    };
    write().map_err(|source| KeyError::File { path: path.to_owned(), source })
}

/// Makes the removal of a file, or its new name, last.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
}

fn beside(path: &Path) -> Result<PathBuf, KeyError> {
    Ok(path.with_extension(format!("new-{}", hex::encode(&random_bytes()?[..8]))))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
