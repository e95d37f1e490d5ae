//! A group of appends on its way into one frame: the fence, checked in memory before anything is written.

use std::{collections::HashMap, ops::Range, sync::Arc};

use actors::ports::{Anchor, AppendError, Head};
use schema::{
    event::BatchHeader,
    ids::{BatchId, BatchNumber, FeedId, NodeId, Offset},
};

use super::{
    append::Appended,
    feeds::{Change, Feeds, Place},
    frame::Frame,
    record::{ANCHOR, BATCH, anchor_record},
    rows::Rows,
};

/// What the committer is asked for.
pub(super) enum Work {
    /// Store a batch.
    Append {
        /// Its header.
        header: BatchHeader,
        /// The whole batch, encoded.
        bytes: bytes::Bytes,
    },
    /// Make the feed's anchor if it has none.
    Found {
        /// Which feed.
        feed: FeedId,
        /// Its anchor, if it is new.
        anchor: Anchor,
    },
    /// Begin the feed's log where another store's begins, if it has no batch.
    Adopt {
        /// Which feed.
        feed: FeedId,
        /// Its anchor there.
        anchor: Anchor,
    },
    /// Move the feed's anchor.
    Trim {
        /// Which feed.
        feed: FeedId,
        /// First offset that can be read.
        oldest: Offset,
        /// The batch that holds it.
        oldest_batch: BatchNumber,
    },
    /// Stop.
    Close,
}

/// A feed as it will be when the frame is durable.
struct Staged {
    anchor: Option<Anchor>,
    head: Head,
    wake_at: Option<schema::time::Stamp>,
    batches: Vec<(BatchHeader, Range<usize>)>,
}

/// The group under assembly.
#[derive(Default)]
pub(super) struct Stage {
    feeds: HashMap<FeedId, Staged>,
    pub(super) frame: Frame,
}

impl Stage {
    pub(super) fn clear(&mut self) {
        self.feeds.clear();
        self.frame.clear();
    }

    /// Takes one piece of work in. The answer is true once the frame is durable.
    pub(super) fn take(&mut self, work: Work, feeds: &Feeds, rows: &Rows) -> Result<(), AppendError> {
        match work {
            Work::Append { header, bytes } => self.append(header, &bytes, feeds, rows),
            Work::Found { feed, anchor } => {
                self.found(&feed, anchor, feeds);
                Ok(())
            }
            Work::Adopt { feed, anchor } => {
                self.adopt(&feed, anchor, feeds);
                Ok(())
            }
            Work::Trim { feed, oldest, oldest_batch } => {
                self.trim(&feed, oldest, oldest_batch, feeds);
                Ok(())
            }
            Work::Close => Ok(()),
        }
    }

    fn append(&mut self, header: BatchHeader, bytes: &[u8], feeds: &Feeds, rows: &Rows) -> Result<(), AppendError> {
        let staged = staged(&mut self.feeds, &header.feed, feeds);
        if header.number < staged.head.next_batch {
            let (id, by) = taken(staged, &header, feeds, rows)?;
            return if id == header.id { Ok(()) } else { Err(AppendError::Fenced { id, by }) };
        }
        if header.number > staged.head.next_batch || header.first != staged.head.next_offset {
            return Err(super::log::gap(&header));
        }
        if staged.anchor.is_none() {
            self.found(&header.feed, super::log::fresh_anchor(), feeds);
        }
        let staged = self.feeds.get_mut(&header.feed).expect("staged above");
        let payload = self.frame.push(BATCH, bytes);
        staged.head = Head {
            next_batch: header.number.next(),
            next_offset: header.end(),
            stamp: header.stamp,
            owner: Some(header.node.clone()),
        };
        staged.wake_at = header.wake_at;
        staged.batches.push((header, payload));
        Ok(())
    }

    fn found(&mut self, feed: &FeedId, anchor: Anchor, feeds: &Feeds) {
        let staged = staged(&mut self.feeds, feed, feeds);
        if staged.anchor.is_none() {
            self.frame.push(ANCHOR, &anchor_record(feed, &anchor));
            staged.anchor = Some(anchor);
        }
    }

    fn adopt(&mut self, feed: &FeedId, anchor: Anchor, feeds: &Feeds) {
        let staged = staged(&mut self.feeds, feed, feeds);
        if staged.head.owner.is_none() && staged.anchor.as_ref() != Some(&anchor) {
            self.frame.push(ANCHOR, &anchor_record(feed, &anchor));
            staged.head = super::log::empty_head(&anchor);
            staged.anchor = Some(anchor);
        }
    }

    fn trim(&mut self, feed: &FeedId, oldest: Offset, oldest_batch: BatchNumber, feeds: &Feeds) {
        let staged = staged(&mut self.feeds, feed, feeds);
        let Some(anchor) = &mut staged.anchor else { return };
        if oldest > anchor.oldest {
            *anchor = Anchor { epoch: anchor.epoch, oldest, oldest_batch };
            self.frame.push(ANCHOR, &anchor_record(feed, anchor));
        }
    }

    /// What became of the feeds, once the frame is durable at `position`.
    pub(super) fn changes<'a>(
        &'a mut self,
        segment: &'a Arc<Appended>,
        position: u64,
    ) -> impl Iterator<Item = (FeedId, Change)> + 'a {
        self.feeds.drain().filter_map(move |(feed, staged)| {
            let place = |(header, payload): (BatchHeader, Range<usize>)| Place {
                segment: segment.clone(),
                position: position + payload.start as u64,
                length: u32::try_from(payload.len()).expect("batches are bounded far below 4 GiB"),
                id: header.id,
                first: header.first,
                end: header.end(),
                node: header.node,
            };
            let places = staged.batches.into_iter().map(place).collect();
            let change = Change { anchor: staged.anchor?, head: staged.head, wake_at: staged.wake_at, places };
            Some((feed, change))
        })
    }
}

/// The feed as this group leaves it so far.
fn staged<'a>(group: &'a mut HashMap<FeedId, Staged>, feed: &FeedId, feeds: &Feeds) -> &'a mut Staged {
    group.entry(feed.clone()).or_insert_with(|| {
        let known = feeds.with(feed, |known| Staged {
            anchor: Some(known.anchor.clone()),
            head: known.head.clone(),
            wake_at: known.wake_at,
            batches: Vec::new(),
        });
        known.unwrap_or_else(|| Staged {
            anchor: None,
            head: super::log::empty_head(&super::log::fresh_anchor()),
            wake_at: None,
            batches: Vec::new(),
        })
    })
}

/// Whose batch has a number that is taken: in this group, in the commit file, or among the rows.
fn taken(staged: &Staged, header: &BatchHeader, feeds: &Feeds, rows: &Rows) -> Result<(BatchId, NodeId), AppendError> {
    let here = staged.batches.iter().map(|(there, _)| there).find(|there| there.number == header.number);
    if let Some(there) = here {
        return Ok((there.id, there.node.clone()));
    }
    let known =
        feeds.with(&header.feed, |known| known.unmoved(header.number).map(|place| (place.id, place.node.clone())));
    if let Some(there) = known.flatten() {
        return Ok(there);
    }
    let oldest = staged.anchor.as_ref().map_or(Offset(1), |anchor| anchor.oldest);
    let there = rows.numbered(&header.feed, header.number, oldest, staged.head.next_offset);
    let there = there.map_err(|error| super::log::unavailable(error.to_string()))?;
    // A number that was trimmed away cannot be a repetition of something in flight.
    let owner = || staged.head.owner.clone().unwrap_or_else(|| header.node.clone());
    Ok(there.map_or_else(|| (BatchId(uuid::Uuid::nil()), owner()), |there| (there.id, there.node)))
}
