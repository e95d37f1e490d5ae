//! Reads a file: first all of it is checked, then it is gone through.

use std::path::Path;

use actors::ports::VIEWS_VERSION;
use bytes::Bytes;
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, FeedId, Offset},
    transfer::{End, Listing, Manifest, Secret, Totals},
};
use serde::de::DeserializeOwned;
use sha2::Digest as _;

use super::{
    BaselinePart, Content, TransferError, TransferKey,
    record::{Kind, Record, Records},
};

/// A file that is whole.
pub struct Checked {
    /// What it is about.
    pub manifest: Manifest,
    /// What the directory says.
    pub listing: Listing,
    /// What is sealed in it.
    pub secrets: Vec<Secret>,
    /// How much it holds.
    pub totals: Totals,
}

pub(super) fn parse<T: DeserializeOwned>(records: &Records, record: &Record) -> Result<T, TransferError> {
    serde_json::from_slice(&record.payload).map_err(|error| records.damaged(error))
}

/// Reads all of a file: checksums, order, density of the log, what is sealed, and that it has its end.
pub fn check(path: &Path, key: &TransferKey) -> Result<Checked, TransferError> {
    let mut records = Records::open(path)?;
    let first = records.next()?.filter(|first| first.kind == Kind::Manifest);
    let first = first.ok_or_else(|| records.damaged("it does not begin with a manifest"))?;
    let manifest: Manifest = parse(&records, &first)?;
    records.pass(&first);
    let mut expected = Expected::new(&manifest);
    let mut totals = Totals::from(manifest.oldest);
    let (mut listing, mut secrets, mut pieces) = (None, Vec::new(), 0);
    while let Some(record) = records.next()? {
        match record.kind {
            Kind::Baseline => drop(baseline(&records, &record, &manifest)?),
            Kind::Batch => {
                let batch = SealedBatch::decode(&Bytes::copy_from_slice(&record.payload));
                let batch = batch.map_err(|error| records.damaged(error))?;
                expected.next(&batch).map_err(|reason| records.damaged(reason))?;
                totals.add(&batch);
            }
            Kind::Directory => listing = Some(parse::<Listing>(&records, &record)?),
            Kind::Secrets => {
                let opened = key.open(&manifest.tenant, pieces, &record.payload);
                let wrong = || TransferError::Key { path: path.to_owned(), key: key.path.clone() };
                secrets.extend(opened.ok_or_else(wrong)?);
                pieces += 1;
            }
            Kind::End => {
                let end: End = parse(&records, &record)?;
                let whole = end.sha256 == hex::encode(records.hash.clone().finalize())
                    && end.totals == totals
                    && end.secrets == secrets.len() as u64;
                records.pass(&record);
                return match (listing, records.next()?) {
                    (Some(listing), None) if whole => Ok(Checked { manifest, listing, secrets, totals }),
                    _ => Err(records.damaged("its end does not say what is before it")),
                };
            }
            Kind::Manifest => return Err(records.damaged("a second manifest")),
        }
        records.pass(&record);
    }
    Err(TransferError::Unfinished(path.to_owned()))
}

/// Shows the baseline's pieces and the batches of a file that was checked, in order.
pub fn contents(path: &Path) -> Result<impl Iterator<Item = Result<Content, TransferError>>, TransferError> {
    let mut records = Records::open(path)?;
    let mut manifest = None;
    Ok(std::iter::from_fn(move || next(&mut records, &mut manifest).transpose()))
}

fn next(records: &mut Records, manifest: &mut Option<Manifest>) -> Result<Option<Content>, TransferError> {
    while let Some(record) = records.next()? {
        let content = match (record.kind, &manifest) {
            (Kind::Manifest, _) => {
                *manifest = Some(parse(records, &record)?);
                None
            }
            (Kind::Baseline, Some(manifest)) => Some(Content::Baseline(baseline(records, &record, manifest)?)),
            (Kind::Batch, _) => {
                let batch = SealedBatch::decode(&Bytes::copy_from_slice(&record.payload));
                Some(Content::Batch(batch.map_err(|error| records.damaged(error))?))
            }
            _ => None,
        };
        records.pass(&record);
        if content.is_some() {
            return Ok(content);
        }
    }
    Ok(None)
}

fn baseline(records: &Records, record: &Record, manifest: &Manifest) -> Result<BaselinePart, TransferError> {
    if manifest.views != VIEWS_VERSION {
        let reason = format!("a baseline of views {}, this version reads {VIEWS_VERSION}", manifest.views);
        return Err(records.damaged(reason));
    }
    let piece = BaselinePart::decode(&record.payload).map_err(|error| records.damaged(error))?;
    if piece.at.offset.next() != manifest.oldest {
        return Err(records.damaged("a baseline that stands elsewhere than where the log begins"));
    }
    Ok(piece)
}

/// What the next batch must be.
struct Expected {
    feed: FeedId,
    number: BatchNumber,
    offset: Offset,
}

impl Expected {
    fn new(manifest: &Manifest) -> Self {
        Self { feed: FeedId::of(&manifest.tenant), number: manifest.oldest_batch, offset: manifest.oldest }
    }

    fn next(&mut self, batch: &SealedBatch) -> Result<(), String> {
        let header = &batch.header;
        if header.feed != self.feed {
            return Err("a batch of another log".to_owned());
        }
        if header.number != self.number || header.first != self.offset {
            return Err(format!("batch {} where {} should be", header.number, self.number));
        }
        (self.number, self.offset) = (header.number.next(), header.end());
        Ok(())
    }
}
