//! Opening the log: rows first, then the commit file's segments in order, each batch checked against the one before.

use std::{path::Path, sync::Arc};

use actors::ports::Anchor;
use bytes::Bytes;
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, FeedId, Offset},
};

use super::{
    append::{Appended, Appender, Whole, open_closed},
    committer::{Closed, segment_path},
    directory,
    disk::Disk,
    error::StoreError,
    feeds::{Change, Feed, Feeds, Place},
    frame::{Frame, Record},
    record::{ANCHOR, BATCH, anchor_record, read_anchor},
    rows::Rows,
    views::EmbeddedViews,
};

/// The log as it was found.
pub(super) struct Recovered {
    pub(super) feeds: Feeds,
    pub(super) active: Appender,
    /// Segments that were closed and not yet moved.
    pub(super) closed: Vec<Closed>,
}

/// Reads the whole commit file. `dir` holds its segments.
pub(super) fn recover(dir: &Path, rows: &Rows, disk: &Arc<dyn Disk>) -> Result<Recovered, StoreError> {
    directory::make(dir)?;
    let mut found = Found { feeds: load_rows(rows)?, unmoved: 0 };
    let numbers = segments(dir)?;
    let mut closed = Vec::new();
    let Some((last, before)) = numbers.split_last() else {
        let path = segment_path(dir, 1);
        let active = Appender::create(&path, 1, disk).map_err(StoreError::io(&path))?;
        found.unmoved = active.length;
        return Ok(Recovered { feeds: found.finish(), active, closed });
    };
    for number in before {
        let Whole { shared: segment, bytes, records } = open_closed(&segment_path(dir, *number), *number)?;
        let bytes = Bytes::from(bytes);
        found.replay(&segment, &bytes, &records)?;
        closed.push(Closed { segment, length: bytes.len() as u64 });
    }
    let opened = Appender::open(&segment_path(dir, *last), *last, disk)?;
    found.replay(&opened.appender.shared, &Bytes::from(opened.bytes), &opened.records)?;
    found.unmoved += opened.appender.length;
    found.unmoved += closed.iter().map(|closed| closed.length).sum::<u64>();
    Ok(Recovered { feeds: found.finish(), active: opened.appender, closed })
}

/// Numbers of the segments, in order; one that is missing between others is a loss.
fn segments(dir: &Path) -> Result<Vec<u64>, StoreError> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(StoreError::io(dir))? {
        let name = entry.map_err(StoreError::io(dir))?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|name| name.strip_suffix(".log")).and_then(|name| name.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    for pair in numbers.windows(2) {
        if pair[1] != pair[0] + 1 {
            let path = segment_path(dir, pair[0] + 1);
            return Err(StoreError::Damaged { path, position: 0, reason: "the segment is missing".to_owned() });
        }
    }
    Ok(numbers)
}

fn load_rows(rows: &Rows) -> Result<std::collections::BTreeMap<FeedId, Feed>, StoreError> {
    let failed =
        |error: super::rows::RowError| StoreError::Database { path: rows.path().to_owned(), reason: error.to_string() };
    let mut feeds = std::collections::BTreeMap::new();
    for (id, anchor) in rows.feeds().map_err(failed)? {
        let mut feed = Feed::empty(anchor);
        if let Some(last) = rows.last(&id).map_err(failed)? {
            feed.stand_after(&last.header);
        }
        feeds.insert(id, feed);
    }
    Ok(feeds)
}

struct Found {
    feeds: std::collections::BTreeMap<FeedId, Feed>,
    unmoved: u64,
}

impl Found {
    fn replay(&mut self, segment: &Arc<Appended>, bytes: &Bytes, records: &[Record]) -> Result<(), StoreError> {
        for record in records {
            let payload = bytes.slice(record.payload.clone());
            let done = match record.kind {
                BATCH => self.batch(segment, record, &payload)?,
                ANCHOR => self.anchor(&payload),
                _ => None,
            };
            if done.is_none() {
                return Err(StoreError::Damaged {
                    path: segment.path.clone(),
                    position: record.payload.start as u64,
                    reason: format!("a record of kind {} cannot be read", record.kind),
                });
            }
        }
        Ok(())
    }

    fn anchor(&mut self, payload: &[u8]) -> Option<()> {
        let (id, anchor) = read_anchor(payload)?;
        let feed = self.feeds.entry(id).or_insert_with(|| Feed::empty(anchor.clone()));
        if feed.head.owner.is_none() {
            // Without a batch it may give way to that of another store's log.
            feed.head = super::log::empty_head(&anchor);
            feed.anchor = anchor;
        } else if anchor.oldest >= feed.anchor.oldest {
            feed.anchor = anchor;
        }
        Some(())
    }

    fn batch(&mut self, segment: &Arc<Appended>, record: &Record, payload: &Bytes) -> Result<Option<()>, StoreError> {
        let Ok(batch) = SealedBatch::decode(payload) else { return Ok(None) };
        let header = &batch.header;
        let hole = |expected: BatchNumber| StoreError::Hole {
            feed: header.feed.to_string(),
            expected: expected.0,
            found: header.number.0,
        };
        // Its anchor came before its first batch.
        let feed = self.feeds.get_mut(&header.feed).ok_or_else(|| hole(BatchNumber(1)))?;
        if feed.head.owner.is_none() && header.number <= feed.anchor.oldest_batch {
            // Nothing of it is left among the rows: it was trimmed, and what is still in the commit file comes first.
            (feed.head.next_batch, feed.head.next_offset) = (header.number, header.first);
        }
        if header.number < feed.head.next_batch {
            // Moved before the crash; the segment was to be deleted next.
            return Ok(Some(()));
        }
        if header.number > feed.head.next_batch || header.first != feed.head.next_offset {
            return Err(hole(feed.head.next_batch));
        }
        let place = Place {
            segment: segment.clone(),
            position: record.payload.start as u64,
            length: u32::try_from(record.payload.len()).unwrap_or(u32::MAX),
            id: header.id,
            node: header.node.clone(),
            first: header.first,
            end: header.end(),
        };
        feed.advance(header, place);
        Ok(Some(()))
    }

    fn finish(self) -> Feeds {
        let feeds = Feeds::default();
        feeds.add_unmoved_bytes(self.unmoved);
        feeds.publish(self.feeds.into_iter().map(|(id, feed)| {
            let places = feed.unmoved.into();
            (id, Change { anchor: feed.anchor, head: feed.head, wake_at: feed.wake_at, places })
        }));
        feeds
    }
}

/// Compares every feed's views with its log. Behind: due at once, until they have caught up. Ahead: the log has lost
/// its end, which was acknowledged. The valid prefix is served, under another epoch: whoever holds an offset of the
/// old one is told that it means nothing any more, and the views are made anew.
pub(super) fn compare(feeds: &Feeds, views: &EmbeddedViews, active: &mut Appender) -> Result<(), StoreError> {
    for feed in feeds.names(None, usize::MAX) {
        let Some(last) = feeds.with(&feed, |known| Offset(known.head.next_offset.0 - 1)) else { continue };
        let viewed = views.offset(&feed)?;
        if viewed > last {
            tracing::error!(%feed, log = %last, views = %viewed, "the log has lost its end; its epoch is renewed");
            metrics::counter!("deskwire_logs_shortened_total").increment(1);
            renew(feeds, &feed, active)?;
            views.clear_all(&feed)?;
        }
        if viewed != last {
            feeds.lagging.add(feed, last);
        }
    }
    Ok(())
}

/// Gives a feed another epoch, durably.
fn renew(feeds: &Feeds, feed: &FeedId, active: &mut Appender) -> Result<(), StoreError> {
    let Some(known) = feeds.with(feed, Feed::clone) else { return Ok(()) };
    let anchor = Anchor { epoch: super::log::fresh_epoch(), ..known.anchor };
    let mut frame = Frame::default();
    frame.clear();
    frame.push(ANCHOR, &anchor_record(feed, &anchor));
    let before = active.length;
    let path = active.shared.path.clone();
    active.append(&mut frame).map_err(|failure| StoreError::io(&path)(failure.into_error()))?;
    feeds.add_unmoved_bytes(active.length - before);
    let change = Change { anchor, head: known.head, wake_at: known.wake_at, places: Vec::new() };
    feeds.publish(std::iter::once((feed.clone(), change)));
    Ok(())
}
