//! A bounded run of chunks: the newest push out the oldest.

use std::{collections::VecDeque, sync::Arc};

use schema::ids::Offset;

use super::Chunk;

/// Chunks in the order they were pushed. In the feed's tail they follow each other; in the cache of old reads not.
pub(super) struct Ring {
    chunks: VecDeque<Arc<Chunk>>,
    events: usize,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
}

impl Ring {
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self { chunks: VecDeque::new(), events: 0, bytes: 0, max_events, max_bytes }
    }

    /// Adds the newest; one chunk is kept even if it alone is over the limits.
    pub(super) fn push(&mut self, chunk: Arc<Chunk>) {
        self.events += chunk.len();
        self.bytes += chunk.weight();
        self.chunks.push_back(chunk);
        while self.chunks.len() > 1 && (self.events > self.max_events || self.bytes > self.max_bytes) {
            let oldest = self.chunks.pop_front().expect("there are more than one");
            self.events -= oldest.len();
            self.bytes -= oldest.weight();
        }
    }

    /// The chunk that holds an offset. Readers mostly want the newest, so the newest is tried first.
    pub(super) fn find(&self, offset: Offset) -> Option<Arc<Chunk>> {
        if let Some(newest) = self.chunks.back().filter(|chunk| chunk.holds(offset)) {
            return Some(newest.clone());
        }
        let ordered = self.chunks.partition_point(|chunk| chunk.last() < offset);
        self.chunks.get(ordered).filter(|chunk| chunk.holds(offset)).cloned()
    }

    /// The chunk that holds an offset, when the chunks are in no order.
    pub(super) fn search(&self, offset: Offset) -> Option<Arc<Chunk>> {
        self.chunks.iter().rev().find(|chunk| chunk.holds(offset)).cloned()
    }
}
