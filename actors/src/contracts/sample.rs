//! Made-up feeds and batches for the suites, and for the stores' own tests.

use schema::{
    event::{Author, BatchHeader, ConversationWoken, Fact, Header, Origin, SealedBatch, StoredEvent, Via},
    ids::{BatchId, BatchNumber, FeedId, NodeId, Offset, RequestId, TenantId},
    time::Stamp,
};
use uuid::Uuid;

/// The feed of a tenant with this name.
pub fn feed(name: &str) -> FeedId {
    FeedId::of(&TenantId::new(name).expect("names in tests are slugs"))
}

/// Makes the batches of one feed, one after the other.
#[derive(Debug, Clone)]
pub struct Writer {
    feed: FeedId,
    node: &'static str,
    number: u64,
    offset: u64,
    /// Padding of each batch, in bytes.
    pub weight: usize,
}

impl Writer {
    /// From the beginning of a feed.
    pub fn new(feed: &FeedId, node: &'static str) -> Self {
        Self { feed: feed.clone(), node, number: 1, offset: 1, weight: 0 }
    }

    /// The next batch, of so many events.
    pub fn batch(&mut self, count: u32) -> SealedBatch {
        self.waking(count, None)
    }

    /// The next batch, with the time at which its tenant must be awake.
    pub fn waking(&mut self, count: u32, wake_at: Option<Stamp>) -> SealedBatch {
        let batch = self.make(count, wake_at);
        self.number += 1;
        self.offset += u64::from(count);
        batch
    }

    fn make(&self, count: u32, wake_at: Option<Stamp>) -> SealedBatch {
        let mut body = Vec::new();
        for index in 0..u64::from(count) {
            self.event(self.offset + index).encode(&mut body).expect("a small event is encoded");
        }
        let header = BatchHeader {
            feed: self.feed.clone(),
            number: BatchNumber(self.number),
            id: BatchId(self.id()),
            first: Offset(self.offset),
            count,
            stamp: Stamp((self.offset + u64::from(count) - 1) * 10),
            node: NodeId::new(self.node).expect("names in tests are slugs"),
            wake_at,
        };
        SealedBatch { header, body: body.into() }
    }

    /// The same for the same writer at the same place, another for every other.
    fn id(&self) -> Uuid {
        let node = self.node.bytes().fold(7_u128, |hash, byte| hash.wrapping_mul(131) + u128::from(byte));
        Uuid::from_u128((node << 64) | u128::from(self.number))
    }

    fn event(&self, offset: u64) -> StoredEvent {
        let origin =
            Origin { by: Author::Engine, via: Via::Engine, request: RequestId(Uuid::from_u128(u128::from(offset))) };
        let header = Header {
            offset: Offset(offset),
            stamp: Stamp(offset * 10),
            conversation: None,
            previous: Offset(0),
            origin,
            accepted: None,
        };
        let parts = (self.weight > 0).then(|| part(self.weight)).into_iter().collect();
        StoredEvent { header, fact: Fact::ConversationWoken(ConversationWoken {}), parts }
    }
}

fn part(weight: usize) -> schema::event::SealedPart {
    schema::event::SealedPart {
        subject: schema::ids::ContactId(Uuid::from_u128(1)),
        key: schema::ids::KeyId(Uuid::from_u128(2)),
        nonce: [3; 24],
        sealed: vec![4; weight].into(),
    }
}
