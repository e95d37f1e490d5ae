//! How many texts, and how many segments, stand before one: an ordered list in chunks, so that nobody counts a
//! hundred thousand entries to show one operator a place.

use schema::{ids::MessageId, time::Stamp};

/// A chunk is split when it reaches this.
const CHUNK: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    queued: Stamp,
    message: MessageId,
    segments: u16,
}

#[derive(Debug, Default)]
struct Chunk {
    items: Vec<Item>,
    segments: u64,
}

/// An ordered set of texts that knows the sums before each.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    chunks: Vec<Chunk>,
    texts: u64,
    segments: u64,
}

impl Ranks {
    pub(super) fn insert(&mut self, queued: Stamp, message: MessageId, segments: u16) {
        let item = Item { queued, message, segments };
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        let at = self.chunk_of(&item).min(self.chunks.len() - 1);
        let chunk = &mut self.chunks[at];
        let Err(place) = chunk.items.binary_search(&item) else { return };
        chunk.items.insert(place, item);
        chunk.segments += u64::from(segments);
        self.texts += 1;
        self.segments += u64::from(segments);
        if chunk.items.len() >= CHUNK {
            self.split(at);
        }
    }

    pub(super) fn remove(&mut self, queued: Stamp, message: MessageId, segments: u16) {
        let item = Item { queued, message, segments };
        let at = self.chunk_of(&item);
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        let Ok(place) = chunk.items.binary_search(&item) else { return };
        chunk.items.remove(place);
        chunk.segments -= u64::from(segments);
        self.texts -= 1;
        self.segments -= u64::from(segments);
        if chunk.items.is_empty() {
            self.chunks.remove(at);
        }
    }

    /// Texts and segments in all.
    pub(super) fn total(&self) -> (u64, u64) {
        (self.texts, self.segments)
    }

    /// Texts and segments that stand before this one.
    pub(super) fn before(&self, queued: Stamp, message: MessageId) -> (u64, u64) {
        let item = Item { queued, message, segments: 0 };
        let at = self.chunk_of(&item);
        let (mut texts, mut segments) = (0, 0);
        for chunk in &self.chunks[..at] {
            texts += chunk.items.len() as u64;
            segments += chunk.segments;
        }
        if let Some(chunk) = self.chunks.get(at) {
            for earlier in chunk.items.iter().take_while(|other| **other < item) {
                texts += 1;
                segments += u64::from(earlier.segments);
            }
        }
        (texts, segments)
    }

    /// The first chunk whose last item is not before this one.
    fn chunk_of(&self, item: &Item) -> usize {
        self.chunks.partition_point(|chunk| chunk.items.last().is_some_and(|last| last < item))
    }

    fn split(&mut self, at: usize) {
        let items = self.chunks[at].items.split_off(CHUNK / 2);
        let segments = items.iter().map(|item| u64::from(item.segments)).sum();
        self.chunks[at].segments -= segments;
        self.chunks.insert(at + 1, Chunk { items, segments });
    }
}
