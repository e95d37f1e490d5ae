//! Messages of the relay as bytes.

use actors::ports::{Followed, PeerError};
use bytes::{Buf as _, BufMut as _, Bytes};
use schema::event::SealedBatch;
use serde::{Serialize, de::DeserializeOwned};
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// What this node speaks.
pub(in crate::cluster) const VERSION: u8 = 1;
const BATCH: u8 = b'b';
const STANDS: u8 = b's';
const PRESENT: u8 = b'p';

/// Whether this node understands another's version: its own and the ones beside it.
pub(in crate::cluster) fn understands(version: u8) -> bool {
    version.abs_diff(VERSION) <= 1
}

/// Bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

fn unreadable(reason: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("a message of the relay cannot be read: {reason}"))
}

/// A version that neither side's neighbours speak: said on both sides.
fn incompatible(version: u8) -> Status {
    tracing::error!(theirs = version, ours = VERSION, "another node speaks a version that this node cannot");
    Status::failed_precondition(format!("this node speaks version {VERSION} of the relay, not {version}"))
}

/// A question or an answer.
pub(super) fn write<T: Serialize>(message: &T) -> Result<Bytes, Status> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, message).map_err(unreadable)?;
    Ok(bytes.into())
}

/// The same back.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Status> {
    match bytes.split_first() {
        Some((version, content)) if understands(*version) => serde_json::from_slice(content).map_err(unreadable),
        Some((version, _)) => Err(incompatible(*version)),
        None => Err(unreadable("it is empty")),
    }
}

/// What a follower is told.
pub(super) fn write_followed(followed: &Followed) -> Result<Bytes, Status> {
    let mut bytes = vec![VERSION];
    match followed {
        Followed::Batch(batch) => {
            bytes.push(BATCH);
            bytes.extend_from_slice(&batch.encode().map_err(unreadable)?);
        }
        Followed::Stands(stands) => {
            bytes.push(STANDS);
            serde_json::to_writer(&mut bytes, stands).map_err(unreadable)?;
        }
        Followed::Present(online) => {
            bytes.push(PRESENT);
            serde_json::to_writer(&mut bytes, online).map_err(unreadable)?;
        }
    }
    Ok(bytes.into())
}

/// The same back; none: a kind that a later version has.
pub(super) fn read_followed(bytes: &Bytes) -> Result<Option<Followed>, Status> {
    let [version, kind, ..] = bytes[..] else { return Err(unreadable("it is cut short")) };
    if !understands(version) {
        return Err(incompatible(version));
    }
    let content = bytes.slice(2..);
    Ok(match kind {
        BATCH => Some(Followed::Batch(SealedBatch::decode(&content).map_err(unreadable)?)),
        STANDS => Some(Followed::Stands(serde_json::from_slice(&content).map_err(unreadable)?)),
        PRESENT => Some(Followed::Present(serde_json::from_slice(&content).map_err(unreadable)?)),
        _ => None,
    })
}

/// A refusal to follow, in a status.
pub(super) fn refusal(error: &PeerError) -> Status {
    let details = serde_json::to_vec(error).unwrap_or_default();
    Status::with_details(Code::Aborted, error.to_string(), details.into())
}

/// The same back; none: it is something else.
pub(super) fn read_refusal(status: &Status) -> Option<PeerError> {
    (status.code() == Code::Aborted).then(|| serde_json::from_slice(status.details()).ok()).flatten()
}
