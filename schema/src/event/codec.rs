//! The one codec of events, to disk and back.
//!
//! Layout, integers little endian, `header` and `fact` in postcard:
//!
//! ```text
//! batch := format u8 = 1 | crc32c u32 over all that follows | header_len u16 | BatchHeader | event*
//! event := len u32 of all that follows | kind u16 | version u8 | parts u8
//!          | header_len u16 | Header | fact_len u32 | fact | part*
//! part  := subject 16 | key 16 | nonce 24 | sealed_len u32 | sealed
//! ```
//! Kind, version, length and header are readable without knowing the kind. Checksums cover the stored bytes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Fact, Header};
use crate::{
    ids::{BatchId, BatchNumber, ContactId, FeedId, KeyId, NodeId, Offset},
    time::Stamp,
};

const FORMAT: u8 = 1;

/// Why stored bytes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end too early, or a length is wrong.
    #[error("stored bytes are cut short")]
    Short,
    /// The checksum does not match: the bytes were damaged.
    #[error("checksum does not match")]
    Checksum,
    /// Written by a newer version of the whole format.
    #[error("format {0} is not known to this version")]
    Format(u8),
    /// The checksum is right and the content is not: our own mistake, or a forgery.
    #[error("stored {0} cannot be decoded")]
    Content(&'static str),
    /// Longer than the format can say.
    #[error("{0} is too long to be stored")]
    TooLong(&'static str),
}

/// What is readable of a batch without its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchHeader {
    /// Whose log.
    pub feed: FeedId,
    /// Its place; the fence: only one batch can have it.
    pub number: BatchNumber,
    /// Random: tells our append from another's.
    pub id: BatchId,
    /// Offset of its first event.
    pub first: Offset,
    /// How many events.
    pub count: u32,
    /// Stamp of its last event.
    pub stamp: Stamp,
    /// Who wrote it.
    pub node: NodeId,
    /// When the tenant must be awake next, as of this batch; enters the wake index with it.
    pub wake_at: Option<Stamp>,
}

impl BatchHeader {
    /// Offset after its last event.
    pub fn end(&self) -> Offset {
        Offset(self.first.0 + u64::from(self.count))
    }

    /// Offset of its last event.
    pub fn last(&self) -> Offset {
        Offset(self.end().0 - 1)
    }
}

/// A batch as it is stored: the unit of append, and of the fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBatch {
    /// Readable part.
    pub header: BatchHeader,
    /// Encoded events, one after the other.
    pub body: Bytes,
}

impl SealedBatch {
    /// The bytes that go to disk.
    pub fn encode(&self) -> Result<Bytes, CodecError> {
        let header = postcard::to_stdvec(&self.header).map_err(|_| CodecError::Content("batch header"))?;
        let header_len = u16::try_from(header.len()).map_err(|_| CodecError::TooLong("batch header"))?;
        let mut out = Vec::with_capacity(7 + header.len() + self.body.len());
        out.push(FORMAT);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&header_len.to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&self.body);
        let crc = crc32c::crc32c(&out[5..]);
        out[1..5].copy_from_slice(&crc.to_le_bytes());
        Ok(out.into())
    }

    /// Reads a batch back; shares `bytes`.
    pub fn decode(bytes: &Bytes) -> Result<Self, CodecError> {
        let mut reader = Reader(bytes);
        let format = reader.take(1)?[0];
        if format != FORMAT {
            return Err(CodecError::Format(format));
        }
        let crc = reader.u32()?;
        if crc32c::crc32c(reader.0) != crc {
            return Err(CodecError::Checksum);
        }
        let header_len = usize::from(reader.u16()?);
        let header: BatchHeader =
            postcard::from_bytes(reader.take(header_len)?).map_err(|_| CodecError::Content("batch header"))?;
        // Whoever counts on from here must not overflow.
        if header.count == 0 || header.first.0.checked_add(u64::from(header.count)).is_none() {
            return Err(CodecError::Content("batch header"));
        }
        let body = bytes.slice(bytes.len() - reader.0.len()..);
        Ok(Self { header, body })
    }

    /// Its events, in order. Stops after the first error.
    pub fn events(&self) -> impl Iterator<Item = Result<StoredEvent, CodecError>> + '_ {
        let mut reader = Reader(&self.body);
        let mut broken = false;
        std::iter::from_fn(move || {
            if broken || reader.0.is_empty() {
                return None;
            }
            let event = StoredEvent::read(&mut reader);
            broken = event.is_err();
            Some(event)
        })
    }
}

/// An event with its personal parts still sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Where and when, by whom.
    pub header: Header,
    /// What happened.
    pub fact: Fact,
    /// Sealed.
    pub parts: Vec<SealedPart>,
}

/// One event's encoded bytes.
pub type SealedEvent = Bytes;

/// A personal part as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPart {
    /// The person it is about.
    pub subject: ContactId,
    /// The key it is sealed with.
    pub key: KeyId,
    /// Never used twice with one key.
    pub nonce: [u8; 24],
    /// Ciphertext with its tag.
    pub sealed: Bytes,
}

impl StoredEvent {
    /// Appends the encoded event to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        let (kind, version) = self.fact.kind();
        let parts = u8::try_from(self.parts.len()).map_err(|_| CodecError::TooLong("parts"))?;
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&[version, parts, 0, 0]);
        let at = out.len();
        let mut bytes = std::mem::take(out);
        bytes = postcard::to_extend(&self.header, bytes).map_err(|_| CodecError::Content("event header"))?;
        let header_len = u16::try_from(bytes.len() - at).map_err(|_| CodecError::TooLong("event header"))?;
        bytes[at - 2..at].copy_from_slice(&header_len.to_le_bytes());
        let at = bytes.len() + 4;
        bytes.extend_from_slice(&[0; 4]);
        bytes = self.fact.encode(bytes).map_err(|_| CodecError::Content("fact"))?;
        let fact_len = u32::try_from(bytes.len() - at).map_err(|_| CodecError::TooLong("fact"))?;
        bytes[at - 4..at].copy_from_slice(&fact_len.to_le_bytes());
        for part in &self.parts {
            let sealed_len = u32::try_from(part.sealed.len()).map_err(|_| CodecError::TooLong("part"))?;
            bytes.extend_from_slice(part.subject.0.as_bytes());
            bytes.extend_from_slice(part.key.0.as_bytes());
            bytes.extend_from_slice(&part.nonce);
            bytes.extend_from_slice(&sealed_len.to_le_bytes());
            bytes.extend_from_slice(&part.sealed);
        }
        let len = u32::try_from(bytes.len() - start - 4).map_err(|_| CodecError::TooLong("event"))?;
        bytes[start..start + 4].copy_from_slice(&len.to_le_bytes());
        *out = bytes;
        Ok(())
    }

    /// Reads one event that fills `bytes` exactly.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader(bytes);
        let event = Self::read(&mut reader)?;
        if reader.0.is_empty() { Ok(event) } else { Err(CodecError::Content("event")) }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, CodecError> {
        let len = from.u32()? as usize;
        let mut reader = Reader(from.take(len)?);
        let kind = reader.u16()?;
        let version = reader.take(1)?[0];
        let count = reader.take(1)?[0];
        let header_len = usize::from(reader.u16()?);
        let header = postcard::from_bytes(reader.take(header_len)?).map_err(|_| CodecError::Content("event header"))?;
        let fact_len = reader.u32()? as usize;
        let fact = Fact::decode(kind, version, reader.take(fact_len)?).map_err(|_| CodecError::Content("fact"))?;
        let mut parts = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            parts.push(SealedPart::read(&mut reader)?);
        }
        if reader.0.is_empty() { Ok(Self { header, fact, parts }) } else { Err(CodecError::Content("event")) }
    }
}

impl SealedPart {
    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let subject = ContactId(reader.uuid()?);
        let key = KeyId(reader.uuid()?);
        let mut nonce = [0; 24];
        nonce.copy_from_slice(reader.take(24)?);
        let len = reader.u32()? as usize;
        Ok(Self { subject, key, nonce, sealed: Bytes::copy_from_slice(reader.take(len)?) })
    }
}

/// Takes bytes from the front; never panics.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    fn u16(&mut self) -> Result<u16, CodecError> {
        Ok(u16::from_le_bytes(self.take(2)?.try_into().map_err(|_| CodecError::Short)?))
    }

    fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| CodecError::Short)?))
    }

    fn uuid(&mut self) -> Result<Uuid, CodecError> {
        Uuid::from_slice(self.take(16)?).map_err(|_| CodecError::Short)
    }
}
