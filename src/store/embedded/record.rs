//! Records of the commit file: batches, and anchors of feeds. Also the names of feeds in keys.

use actors::ports::Anchor;
use schema::ids::{BatchNumber, Epoch, FeedId, Offset, Partition, TenantId};

/// Payload: a sealed batch as the schema's codec writes it.
pub(super) const BATCH: u8 = 1;
/// Payload: a feed's name and its anchor.
pub(super) const ANCHOR: u8 = 2;

/// Appends a feed's name: one byte of length, the tenant, the partition big endian. No name is the beginning of another.
pub(super) fn put_feed(feed: &FeedId, out: &mut Vec<u8>) {
    put_tenant(&feed.tenant, out);
    out.extend_from_slice(&feed.partition.0.to_be_bytes());
}

/// Appends a tenant's name: one byte of length, and the name.
pub(super) fn put_tenant(tenant: &TenantId, out: &mut Vec<u8>) {
    let name = tenant.as_str().as_bytes();
    out.push(u8::try_from(name.len()).expect("a slug is at most 64 bytes"));
    out.extend_from_slice(name);
}

/// Takes a tenant's name from the front.
pub(super) fn take_tenant(bytes: &[u8]) -> Option<(TenantId, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((TenantId::new(std::str::from_utf8(name).ok()?).ok()?, rest))
}

/// Takes a feed's name from the front.
pub(super) fn take_feed(bytes: &[u8]) -> Option<(FeedId, &[u8])> {
    let (tenant, rest) = take_tenant(bytes)?;
    let (partition, rest) = rest.split_first_chunk()?;
    Some((FeedId { tenant, partition: Partition(u16::from_be_bytes(*partition)) }, rest))
}

/// An anchor's bytes.
pub(super) fn encode_anchor(anchor: &Anchor) -> Vec<u8> {
    [anchor.epoch.0, anchor.oldest.0, anchor.oldest_batch.0].iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// An anchor from its bytes.
pub(super) fn decode_anchor(bytes: &[u8]) -> Option<Anchor> {
    let (epoch, rest) = bytes.split_first_chunk()?;
    let (oldest, rest) = rest.split_first_chunk()?;
    let oldest_batch = rest.try_into().ok()?;
    Some(Anchor {
        epoch: Epoch(u64::from_be_bytes(*epoch)),
        oldest: Offset(u64::from_be_bytes(*oldest)),
        oldest_batch: BatchNumber(u64::from_be_bytes(oldest_batch)),
    })
}

/// Payload of an anchor record.
pub(super) fn anchor_record(feed: &FeedId, anchor: &Anchor) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    put_feed(feed, &mut out);
    out.extend_from_slice(&encode_anchor(anchor));
    out
}

/// An anchor record's content.
pub(super) fn read_anchor(payload: &[u8]) -> Option<(FeedId, Anchor)> {
    let (feed, rest) = take_feed(payload)?;
    Some((feed, decode_anchor(rest)?))
}
