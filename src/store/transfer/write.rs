//! Writes a file, or goes on with one that was interrupted.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use schema::{
    event::SealedBatch,
    ids::TenantId,
    transfer::{End, Listing, Manifest, Secret, Totals},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    BaselinePart, Content, TransferError, TransferKey, io,
    read::parse,
    record::{Kind, MAGIC, Records, encode},
};

/// Secrets sealed together.
const TOGETHER: usize = 10_000;

/// A file that has no end yet. It bears its name only with its end; before, `.part` behind it.
pub struct Exporting {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    tenant: TenantId,
    totals: Totals,
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

impl Exporting {
    /// Begins a file; or goes on behind the last whole batch of one that was interrupted, and shows all that is there.
    pub fn open(path: &Path, manifest: &Manifest, mut visit: impl FnMut(&Content)) -> Result<Self, TransferError> {
        let part = part_of(path);
        let kept = match part.exists() {
            true => keep(&part, manifest, &mut visit)?,
            false => None,
        };
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(kept.is_none()).mode(0o600).open(&part);
        let mut file = file.map_err(io(&part))?;
        if let Some(kept) = &kept {
            file.set_len(kept.length).and_then(|()| file.seek(SeekFrom::End(0))).map_err(io(&part))?;
        }
        let is_new = kept.is_none();
        let kept =
            kept.unwrap_or_else(|| Kept { length: 0, hash: Sha256::new(), totals: Totals::from(manifest.oldest) });
        let tenant = manifest.tenant.clone();
        let file = BufWriter::with_capacity(1 << 20, file);
        let mut this = Self { path: path.to_owned(), part, file, hash: kept.hash, tenant, totals: kept.totals };
        if is_new {
            this.write(MAGIC)?;
            this.json(Kind::Manifest, manifest)?;
        }
        Ok(this)
    }

    /// What it holds so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Adds a piece of the baseline; all of them come before the first batch.
    pub fn baseline(&mut self, piece: &BaselinePart) -> Result<(), TransferError> {
        let bytes = piece.encode().map_err(std::io::Error::other).map_err(io(&self.part))?;
        self.record(Kind::Baseline, &bytes)
    }

    /// Adds a batch.
    pub fn batch(&mut self, batch: &SealedBatch) -> Result<(), TransferError> {
        let bytes = batch.encode().map_err(std::io::Error::other).map_err(io(&self.part))?;
        self.record(Kind::Batch, &bytes)?;
        self.totals.add(batch);
        Ok(())
    }

    /// What was added survives a kill once this returns.
    pub fn flush(&mut self) -> Result<(), TransferError> {
        self.file.flush().map_err(io(&self.part))
    }

    /// The rest: from here on it is whole, durable and bears its name.
    pub fn finish(mut self, listing: &Listing, secrets: &[Secret], key: &TransferKey) -> Result<Totals, TransferError> {
        self.json(Kind::Directory, listing)?;
        for (piece, secrets) in secrets.chunks(TOGETHER).enumerate() {
            let sealed = key.close(&self.tenant, piece as u64, secrets)?;
            self.record(Kind::Secrets, &sealed)?;
        }
        let sha256 = hex::encode(self.hash.clone().finalize());
        let end = End { totals: self.totals.clone(), secrets: secrets.len() as u64, sha256 };
        self.json(Kind::End, &end)?;
        let file = self.file.into_inner().map_err(|error| io(&self.part)(error.into_error()))?;
        file.sync_all().map_err(io(&self.part))?;
        std::fs::rename(&self.part, &self.path).map_err(io(&self.path))?;
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(io(directory))?;
        Ok(self.totals)
    }

    fn json(&mut self, kind: Kind, value: &impl Serialize) -> Result<(), TransferError> {
        let bytes = serde_json::to_vec(value).map_err(std::io::Error::other).map_err(io(&self.part))?;
        self.record(kind, &bytes)
    }

    fn record(&mut self, kind: Kind, payload: &[u8]) -> Result<(), TransferError> {
        let record = encode(kind, payload).ok_or_else(|| std::io::Error::other("a record is too long"));
        let record = record.map_err(io(&self.part))?;
        self.write(&record)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(io(&self.part))
    }
}

/// How much of an interrupted file is good.
struct Kept {
    length: u64,
    hash: Sha256,
    totals: Totals,
}

/// None: it did not come to its first batch, and is begun again.
fn keep(part: &Path, manifest: &Manifest, visit: &mut impl FnMut(&Content)) -> Result<Option<Kept>, TransferError> {
    let Ok(mut records) = Records::open(part) else { return Ok(None) };
    match records.next() {
        Ok(Some(first)) if first.kind == Kind::Manifest => {
            let there: Manifest = parse(&records, &first)?;
            if there != *manifest {
                return Err(TransferError::Stranger(part.to_owned()));
            }
            records.pass(&first);
        }
        _ => return Ok(None),
    }
    let mut totals = Totals::from(manifest.oldest);
    let mut kept = None;
    let mut baseline = Vec::new();
    // Whatever cannot be read is where it was cut.
    while let Ok(Some(record)) = records.next() {
        match record.kind {
            Kind::Baseline => {
                let Ok(piece) = BaselinePart::decode(&record.payload) else { break };
                baseline.push(Content::Baseline(piece));
                records.pass(&record);
            }
            Kind::Batch => {
                records.pass(&record);
                let Ok(batch) = SealedBatch::decode(&Bytes::from(record.payload)) else { break };
                totals.add(&batch);
                baseline.drain(..).for_each(|piece| visit(&piece));
                visit(&Content::Batch(batch));
                kept = Some(Kept { length: records.position, hash: records.hash.clone(), totals: totals.clone() });
            }
            _ => break,
        }
    }
    Ok(kept)
}
