//! Frames: what one fsync covers. A file is a header and frames; a frame is records.
//!
//! Integers little endian:
//!
//! ```text
//! file   := "DESKWIRE" | number u64 | frame*
//! frame  := "DWF1" | length u32 of the records | crc32c u32 | record*
//! record := kind u8 | length u32 | payload
//! ```
//! The checksum covers the file's number, the frame's position, its length and its records: bytes that look like a
//! frame but were copied from elsewhere do not pass. A frame is written only after the one before it is durable, so
//! at most the last one can be torn, and a valid frame after an invalid one proves damage.

use std::ops::Range;

/// Length of a file's header.
pub(super) const FILE_HEADER: usize = 16;
const FRAME_HEADER: usize = 12;
const RECORD_HEADER: usize = 5;
const FILE_MAGIC: &[u8; 8] = b"DESKWIRE";
const FRAME_MAGIC: &[u8; 4] = b"DWF1";

/// The first bytes of a file.
pub(super) fn file_header(number: u64) -> [u8; FILE_HEADER] {
    let mut header = [0; FILE_HEADER];
    header[..8].copy_from_slice(FILE_MAGIC);
    header[8..].copy_from_slice(&number.to_le_bytes());
    header
}

/// A frame under assembly; the buffer is used again and again.
#[derive(Debug, Default)]
pub(super) struct Frame {
    bytes: Vec<u8>,
}

impl Frame {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(FRAME_HEADER, 0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() <= FRAME_HEADER
    }

    /// Adds a record; returns where its payload will stand, counted from the frame's start.
    pub(super) fn push(&mut self, kind: u8, payload: &[u8]) -> Range<usize> {
        let length = u32::try_from(payload.len()).expect("records are bounded far below 4 GiB");
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        start..self.bytes.len()
    }

    /// The bytes for a place in a file.
    pub(super) fn seal(&mut self, number: u64, position: u64) -> &[u8] {
        let length = u32::try_from(self.bytes.len() - FRAME_HEADER).expect("frames are bounded far below 4 GiB");
        let crc = checksum(number, position, &self.bytes[FRAME_HEADER..]);
        self.bytes[..4].copy_from_slice(FRAME_MAGIC);
        self.bytes[4..8].copy_from_slice(&length.to_le_bytes());
        self.bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        &self.bytes
    }
}

fn checksum(number: u64, position: u64, records: &[u8]) -> u32 {
    let length = records.len() as u64;
    let place = [number.to_le_bytes(), position.to_le_bytes(), length.to_le_bytes()].concat();
    crc32c::crc32c_append(crc32c::crc32c(&place), records)
}

/// A record of a file: its kind, and where in the file its payload stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: u8,
    pub(super) payload: Range<usize>,
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// Records of all valid frames, in order.
    pub(super) records: Vec<Record>,
    /// Where the last valid frame begins, if there is one.
    pub(super) last_frame: Option<usize>,
    /// Everything before this is valid.
    pub(super) valid: usize,
    /// Where a valid frame stands behind invalid bytes: proof of damage.
    pub(super) beyond: Option<usize>,
}

/// Reads a whole file.
pub(super) fn scan(bytes: &[u8], number: u64) -> Scan {
    let mut scan = Scan { records: Vec::new(), last_frame: None, valid: 0, beyond: None };
    let mut at = FILE_HEADER;
    if bytes.get(..FILE_HEADER) == Some(&file_header(number)) {
        scan.valid = FILE_HEADER;
        while let Some(records) = frame_at(bytes, number, at).and_then(|body| records(bytes, body)) {
            scan.last_frame = Some(at);
            at = records.1;
            scan.records.extend(records.0);
            scan.valid = at;
        }
    }
    if scan.valid < bytes.len() {
        scan.beyond = (scan.valid + 1..bytes.len()).find(|at| frame_at(bytes, number, *at).is_some());
    }
    scan
}

/// Where the records of the frame at a position stand, if a valid frame is there.
fn frame_at(bytes: &[u8], number: u64, at: usize) -> Option<Range<usize>> {
    let header = bytes.get(at..)?.get(..FRAME_HEADER)?;
    if &header[..4] != FRAME_MAGIC {
        return None;
    }
    let length = u32::from_le_bytes(header[4..8].try_into().ok()?) as usize;
    let crc = u32::from_le_bytes(header[8..12].try_into().ok()?);
    let start = at + FRAME_HEADER;
    let records = bytes.get(start..start.checked_add(length)?)?;
    (checksum(number, at as u64, records) == crc).then_some(start..start + length)
}

/// The records of a frame's body, and where it ends.
fn records(bytes: &[u8], body: Range<usize>) -> Option<(Vec<Record>, usize)> {
    let mut records = Vec::new();
    let mut at = body.start;
    while at < body.end {
        let header = bytes.get(at..at + RECORD_HEADER)?;
        let length = u32::from_le_bytes(header[1..].try_into().ok()?) as usize;
        let start = at + RECORD_HEADER;
        at = start.checked_add(length).filter(|end| *end <= body.end)?;
        records.push(Record { kind: header[0], payload: start..at });
    }
    Some((records, body.end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file of frames with one record each.
    fn file(number: u64, payloads: &[&[u8]]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = file_header(number).to_vec();
        let mut starts = Vec::new();
        let mut frame = Frame::default();
        for payload in payloads {
            frame.clear();
            frame.push(1, payload);
            starts.push(bytes.len());
            let position = bytes.len() as u64;
            bytes.extend_from_slice(frame.seal(number, position));
        }
        (bytes, starts)
    }

    #[test]
    fn a_tail_torn_at_any_byte_leaves_the_frames_before_it() {
        let (bytes, starts) = file(3, &[b"one", b"two", b"three"]);
        for cut in starts[2]..bytes.len() {
            let scan = scan(&bytes[..cut], 3);
            assert_eq!((scan.records.len(), scan.valid, scan.beyond), (2, starts[2], None), "cut at {cut}");
        }
    }

    #[test]
    fn any_flipped_bit_before_a_valid_frame_is_damage() {
        let (bytes, starts) = file(3, &[b"one", b"two", b"three"]);
        for at in 0..starts[2] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let scan = scan(&bytes, 3);
            assert!(scan.beyond.is_some(), "flipped at {at}");
        }
    }

    #[test]
    fn a_frame_copied_to_another_place_does_not_pass() {
        let (bytes, starts) = file(3, &[b"one", b"two"]);
        let copy = bytes[starts[0]..starts[1]].to_vec();
        let mut forged = bytes.clone();
        forged.extend_from_slice(&copy);
        assert_eq!(scan(&forged, 3).records.len(), 2);
        assert_eq!(scan(&bytes, 4).records.len(), 0);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut file = file_header(1).to_vec();
            file.extend_from_slice(&bytes);
            let scan = scan(&file, 1);
            prop_assert!(scan.valid <= file.len());
        }
    }
}
