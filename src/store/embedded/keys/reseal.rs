//! A new master key: every entry of the key file is sealed anew under it. The contacts' keys themselves stay.
//!
//! The new master waits beside the old one until the file that it opens is in place. Whatever is interrupted, one of
//! the two opens the file, and the next start keeps that one.

use std::{fs, fs::OpenOptions, io, path::Path, sync::Arc};

use super::{
    entry::{Seal, random},
    master, read_all,
    writer::{overwrite, write_all},
};
use crate::store::embedded::{
    append::Appender,
    directory,
    disk::{Disk, sync_dir},
    error::StoreError,
};

const MASTER: &str = "master";
/// The master of a rotation that has not ended yet.
const NEXT: &str = "master.next";
/// Bytes of a master key.
const LENGTH: usize = 32;

/// Makes a new master key for the key file in `dir`, which nobody has open; returns how many entries it seals.
pub(in crate::store::embedded) fn reseal(dir: &Path, disk: &Arc<dyn Disk>) -> Result<usize, StoreError> {
    let path = dir.join("keys.log");
    settle(dir, disk)?;
    let (tables, old) = read_all(&path, &Seal::new(&master(dir, &path)?), disk)?;
    let old_master = OpenOptions::new().write(true).open(dir.join(MASTER)).map_err(StoreError::io(dir))?;
    let renewed: [u8; LENGTH] = random().map_err(StoreError::io(dir))?;
    let replaced = || -> io::Result<()> {
        directory::write_new(&dir.join(NEXT), &renewed)?;
        let draft = path.with_extension("new");
        let mut file = Appender::create(&draft, 0, disk)?;
        write_all(&mut file, &Seal::new(&renewed), tables.entries())?;
        fs::rename(&draft, &path)?;
        sync_dir(dir)?;
        adopt(dir)?;
        overwrite(&old.shared, disk.as_ref())?;
        disk.write_at(&old_master, &[0; LENGTH], 0)?;
        disk.sync(&old_master)
    };
    replaced().map_err(StoreError::io(dir))?;
    Ok(tables.entries().count())
}

/// Ends a rotation that was interrupted: the master that opens the key file stays.
pub(super) fn settle(dir: &Path, disk: &Arc<dyn Disk>) -> Result<(), StoreError> {
    let next = dir.join(NEXT);
    let bytes = match fs::read(&next) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(StoreError::Io { path: next, source }),
    };
    let opens = match <[u8; LENGTH]>::try_from(bytes) {
        Ok(renewed) => read_all(&dir.join("keys.log"), &Seal::new(&renewed), disk)
            .is_ok_and(|(tables, _)| tables.entries().next().is_some()),
        Err(_) => false,
    };
    tracing::warn!(finished = opens, "a rotation of the master key was interrupted");
    let settled = if opens { adopt(dir) } else { fs::remove_file(&next).and_then(|()| sync_dir(dir)) };
    settled.map_err(StoreError::io(&next))
}

fn adopt(dir: &Path) -> io::Result<()> {
    fs::rename(dir.join(NEXT), dir.join(MASTER))?;
    sync_dir(dir)
}
