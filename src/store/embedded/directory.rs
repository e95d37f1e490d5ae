//! The data directory: one process at a time, one format.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use actors::ports::VIEWS_VERSION;

use super::{disk::sync_dir, error::StoreError};

const FORMAT: &str = "deskwire store 1";
/// What a baseline of another version is refused with.
const BASELINE: &str = "views of this version";

/// Takes the directory, made if it is missing, for this process. Whoever drops the file lets go of it.
pub(super) fn take(dir: &Path) -> Result<File, StoreError> {
    make(dir)?;
    let path = dir.join("LOCK");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let lock = lock.map_err(StoreError::io(&path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => return Err(StoreError::Io { path, source }),
    }
    check_format(dir)?;
    Ok(lock)
}

/// Makes a directory that only its owner can enter; its name is durable when this returns.
pub(super) fn make(dir: &Path) -> Result<(), StoreError> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(StoreError::io(dir))?;
    match dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_dir(parent).map_err(StoreError::io(parent)),
        None => Ok(()),
    }
}

fn check_format(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join("FORMAT");
    match fs::read_to_string(&path) {
        Ok(found) if found.trim_end() == FORMAT => Ok(()),
        Ok(found) => {
            let found = found.chars().take(80).collect();
            Err(StoreError::Format { dir: dir.to_owned(), found, known: FORMAT })
        }
        // Without the file, data of whatever format may be there: only an empty directory is a new one.
        Err(error) if error.kind() == ErrorKind::NotFound && dir.join("commit").exists() => {
            Err(StoreError::Format { dir: dir.to_owned(), found: String::new(), known: FORMAT })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write_new(&path, format!("{FORMAT}\n").as_bytes()).map_err(StoreError::io(&path))
        }
        Err(source) => Err(StoreError::Io { path, source }),
    }
}

/// Where the views and their baselines are. Views of another version are dropped: they are made anew from baseline and
/// log. A baseline cannot be, so one of another version is refused.
pub(super) fn views(dir: &Path) -> Result<(PathBuf, PathBuf), StoreError> {
    let (views, baseline, path) = (dir.join("views"), dir.join("baseline"), dir.join("VIEWS"));
    let found = match fs::read_to_string(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(source) => return Err(StoreError::Io { path, source }),
    };
    let known = VIEWS_VERSION.to_string();
    if found.trim_end() == known {
        return Ok((views, baseline));
    }
    if baseline.is_dir() {
        let found = format!("views {}", found.chars().take(80).collect::<String>().trim_end());
        return Err(StoreError::Format { dir: baseline, found, known: BASELINE });
    }
    if views.is_dir() {
        tracing::info!(
            found = found.trim_end(),
            known,
            "views are of another version; they are made anew from the log"
        );
        fs::remove_dir_all(&views).map_err(StoreError::io(&views))?;
    }
    write_new(&path, format!("{known}\n").as_bytes()).map_err(StoreError::io(&path))?;
    Ok((views, baseline))
}

/// Writes a small file whole and durably, readable by its owner only: a crash leaves all of it or nothing.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_dir(path.parent().expect("a store's file is in a directory"))
}
