//! A file that only grows, one durable frame at a time, and is mended at its end when it is opened.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    disk::{Disk, sync_dir},
    error::StoreError,
    frame::{self, FILE_HEADER, Frame, Record, file_header},
};

/// Why a frame was not written. In neither case is any of it stored, as far as a reader of the file can see.
#[derive(Debug)]
pub(super) enum AppendFailure {
    /// The disk is full; the file is as it was.
    Full(io::Error),
    /// The file can no longer be trusted: it must not be written again before a restart.
    Broken(io::Error),
}

impl AppendFailure {
    pub(super) fn into_error(self) -> io::Error {
        match self {
            Self::Full(error) | Self::Broken(error) => error,
        }
    }
}

/// An open file: its name, number and handle. Shared with readers; stays readable after it is deleted.
#[derive(Debug)]
pub(super) struct Appended {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Appended {
    /// Bytes at a place.
    pub(super) fn read(&self, position: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, position)?;
        Ok(bytes)
    }

    /// Everything that is in the file.
    pub(super) fn read_all(&self) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.file.metadata()?.len()).map_err(io::Error::other)?;
        self.read(0, length)
    }
}

/// The one writer of a file.
pub(super) struct Appender {
    pub(super) shared: Arc<Appended>,
    pub(super) length: u64,
    disk: Arc<dyn Disk>,
}

/// What was in a file when it was opened.
pub(super) struct Opened {
    pub(super) appender: Appender,
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Record>,
}

impl Appender {
    /// Makes a new file, readable by its owner only; its name is durable when this returns.
    pub(super) fn create(path: &Path, number: u64, disk: &Arc<dyn Disk>) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)?;
        disk.write_at(&file, &file_header(number), 0)?;
        disk.sync(&file)?;
        sync_dir(path.parent().expect("a store's file is in a directory"))?;
        let shared = Arc::new(Appended { number, path: path.to_owned(), file });
        Ok(Self { shared, length: FILE_HEADER as u64, disk: disk.clone() })
    }

    /// Opens the file that was written last: a torn tail is cut and said; damage before a valid frame is an error.
    pub(super) fn open(path: &Path, number: u64, disk: &Arc<dyn Disk>) -> Result<Opened, StoreError> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(StoreError::io(path))?;
        let shared = Arc::new(Appended { number, path: path.to_owned(), file });
        let bytes = shared.read_all().map_err(StoreError::io(path))?;
        let scan = frame::scan(&bytes, number);
        if let Some(beyond) = scan.beyond {
            return Err(damaged(path, scan.valid, format!("a valid frame follows at byte {beyond}")));
        }
        let mut appender = Self { shared, length: scan.valid as u64, disk: disk.clone() };
        appender.mend(&bytes, scan.last_frame).map_err(StoreError::io(path))?;
        Ok(Opened { appender, bytes, records: scan.records })
    }

    /// Cuts what is torn. Writes the last valid frame again: after a failed fsync the system may show it in memory
    /// and call it clean, though it never reached the disk.
    fn mend(&mut self, bytes: &[u8], last_frame: Option<usize>) -> io::Result<()> {
        let torn = bytes.len() as u64 - self.length;
        if torn > 0 {
            let path = self.shared.path.display();
            tracing::warn!(%path, position = self.length, bytes = torn, "cut a torn tail: it was never acknowledged");
        }
        if self.length == 0 {
            self.disk.write_at(&self.shared.file, &file_header(self.shared.number), 0)?;
            self.length = FILE_HEADER as u64;
        }
        self.disk.truncate(&self.shared.file, self.length)?;
        if let Some(start) = last_frame {
            let end = usize::try_from(self.length).map_err(io::Error::other)?;
            self.disk.write_at(&self.shared.file, &bytes[start..end], start as u64)?;
        }
        self.disk.sync(&self.shared.file)
    }

    /// Writes a frame durably; returns where it begins.
    pub(super) fn append(&mut self, frame: &mut Frame) -> Result<u64, AppendFailure> {
        let position = self.length;
        let bytes = frame.seal(self.shared.number, position);
        if let Err(error) = self.disk.write_at(&self.shared.file, bytes, position) {
            let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
            return match self.disk.truncate(&self.shared.file, position) {
                Ok(()) if full => Err(AppendFailure::Full(error)),
                Ok(()) | Err(_) => Err(AppendFailure::Broken(error)),
            };
        }
        self.disk.sync(&self.shared.file).map_err(AppendFailure::Broken)?;
        self.length += bytes.len() as u64;
        Ok(position)
    }
}

/// A file that was closed in order, and what is in it.
pub(super) struct Whole {
    pub(super) shared: Arc<Appended>,
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Record>,
}

/// Reads a file that was closed in order: every byte of it must be valid.
pub(super) fn open_closed(path: &Path, number: u64) -> Result<Whole, StoreError> {
    let file = File::open(path).map_err(StoreError::io(path))?;
    let shared = Arc::new(Appended { number, path: path.to_owned(), file });
    let bytes = shared.read_all().map_err(StoreError::io(path))?;
    let scan = frame::scan(&bytes, number);
    if scan.valid < bytes.len() || scan.valid == 0 {
        return Err(damaged(path, scan.valid, "invalid bytes in a segment that others follow".to_owned()));
    }
    Ok(Whole { shared, bytes, records: scan.records })
}

fn damaged(path: &Path, position: usize, reason: String) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), position: position as u64, reason }
}
