//! The event codec: any bytes, with their checksum put right, so that what lies behind it is reached.

use bytes::Bytes;
use schema::event::{SealedBatch, StoredEvent};

use crate::input::choice;

/// A choice, then a batch or an event.
pub fn run(data: &[u8]) {
    let (chosen, rest) = choice(data);
    match chosen % 3 {
        0 => batch(Bytes::copy_from_slice(rest)),
        1 => batch(checked(rest)),
        _ => event(rest),
    }
}

/// A batch whose format and checksum are right.
fn checked(content: &[u8]) -> Bytes {
    let mut bytes = vec![1];
    bytes.extend_from_slice(&crc32c::crc32c(content).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes.into()
}

fn batch(bytes: Bytes) {
    let Ok(batch) = SealedBatch::decode(&bytes) else { return };
    assert!(batch.header.end() > batch.header.last() && batch.header.last() >= batch.header.first);
    let again = batch.encode().expect("what was read can be written");
    assert_eq!(SealedBatch::decode(&again).as_ref(), Ok(&batch), "it was read differently a second time");
    batch.events().filter_map(Result::ok).for_each(|event| round(&event));
}

fn event(bytes: &[u8]) {
    if let Ok(event) = StoredEvent::decode(bytes) {
        round(&event);
    }
}

/// What was read means the same when it is written and read again.
fn round(event: &StoredEvent) {
    let mut bytes = Vec::new();
    event.encode(&mut bytes).expect("what was read can be written");
    let again = StoredEvent::decode(&bytes).expect("what was written can be read");
    let mut twice = Vec::new();
    again.encode(&mut twice).expect("what was read can be written");
    // Bytes, not values: a number that is none (NaN) is not equal to itself.
    assert_eq!(bytes, twice, "it was written differently a second time");
}
