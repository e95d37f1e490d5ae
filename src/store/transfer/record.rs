//! Records of a file: read one after the other, never trusted.

use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{TransferError, io};

/// What the file begins with.
pub(super) const MAGIC: &[u8] = b"deskwire tenant 1\n";
/// A longer record is damage: batches, and pieces of the rest, are far below.
const LENGTH_MAX: u32 = 256 << 20;
const HEAD: usize = 9;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Manifest = 1,
    Baseline = 2,
    Batch = 3,
    Directory = 4,
    Secrets = 5,
    End = 6,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Manifest, Self::Baseline, Self::Batch, Self::Directory, Self::Secrets, Self::End]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A record's bytes.
pub(super) fn encode(kind: Kind, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= LENGTH_MAX)?;
    let mut out = Vec::with_capacity(HEAD + payload.len());
    out.push(kind as u8);
    out.extend_from_slice(&length.to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&out), payload);
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(payload);
    Some(out)
}

/// What is read of a file, with the hash of all that was.
pub(super) struct Records {
    path: PathBuf,
    file: BufReader<File>,
    /// Of everything before the record that comes next.
    pub(super) hash: Sha256,
    /// Where it begins.
    pub(super) position: u64,
}

impl Records {
    /// Opens a file of ours.
    pub(super) fn open(path: &Path) -> Result<Self, TransferError> {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(io(path))?);
        let mut magic = [0; MAGIC.len()];
        match file.read_exact(&mut magic) {
            Ok(()) if magic == MAGIC => {}
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(io(path)(error)),
            _ => return Err(TransferError::Foreign(path.to_owned())),
        }
        let hash = Sha256::new_with_prefix(MAGIC);
        Ok(Self { path: path.to_owned(), file, hash, position: MAGIC.len() as u64 })
    }

    pub(super) fn damaged(&self, reason: impl std::fmt::Display) -> TransferError {
        TransferError::Damaged { path: self.path.clone(), position: self.position, reason: reason.to_string() }
    }

    /// The next record, as its kind, its payload and its length in the file; none at the file's end.
    pub(super) fn next(&mut self) -> Result<Option<Record>, TransferError> {
        let mut head = [0; HEAD];
        let Some(()) = self.fill(&mut head)? else { return Ok(None) };
        let [kind, length @ .., _, _, _, _] = head;
        let length = u32::from_le_bytes(length);
        let kind = Kind::of(kind).filter(|_| length <= LENGTH_MAX);
        let Some(kind) = kind else { return Err(self.damaged("no record begins here")) };
        let mut payload = Vec::new();
        let read = (&mut self.file).take(u64::from(length)).read_to_end(&mut payload).map_err(io(&self.path))?;
        if read < length as usize {
            return Err(self.damaged("the file ends within a record"));
        }
        let crc = crc32c::crc32c_append(crc32c::crc32c(&head[..5]), &payload);
        if crc.to_le_bytes() != head[5..] {
            return Err(self.damaged("a checksum does not match"));
        }
        Ok(Some(Record { kind, head, payload }))
    }

    /// Goes past a record that is good.
    pub(super) fn pass(&mut self, record: &Record) {
        self.hash.update(record.head);
        self.hash.update(&record.payload);
        self.position += (HEAD + record.payload.len()) as u64;
    }

    /// None: the file ends here.
    fn fill(&mut self, head: &mut [u8; HEAD]) -> Result<Option<()>, TransferError> {
        let mut read = 0;
        while read < HEAD {
            match self.file.read(&mut head[read..]).map_err(io(&self.path))? {
                0 if read == 0 => return Ok(None),
                0 => return Err(self.damaged("the file ends within a record")),
                more => read += more,
            }
        }
        Ok(Some(()))
    }
}

/// One record.
pub(super) struct Record {
    pub(super) kind: Kind,
    head: [u8; HEAD],
    pub(super) payload: Vec<u8>,
}
