//! The mover: one thread that turns closed segments into tenant-ordered rows, and deletes a segment once its rows
//! are on stable storage.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use bytes::Bytes;
use schema::{event::SealedBatch, ids::FeedId};

use super::{
    committer::Closed,
    feeds::Feeds,
    frame,
    record::{ANCHOR, BATCH, read_anchor},
    rows::{NewRows, RowError, Rows},
};

const RETRY: Duration = Duration::from_secs(1);

/// Why a segment could not be moved.
#[derive(Debug, thiserror::Error)]
enum MoveError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Rows(#[from] RowError),
    #[error("damaged at byte {0}")]
    Damaged(usize),
}

/// Moves closed segments, in order, until nobody closes any more. What fails is tried again: meanwhile its batches
/// are read from the segment.
pub(super) fn run(closed: &Receiver<Closed>, feeds: &Arc<Feeds>, rows: &Arc<Rows>) {
    let mut waiting: VecDeque<Closed> = VecDeque::new();
    loop {
        let Some(next) = waiting.front() else {
            match closed.recv() {
                Ok(segment) => waiting.push_back(segment),
                Err(_) => return,
            }
            continue;
        };
        match move_segment(next, feeds, rows) {
            Ok(()) => {
                waiting.pop_front();
            }
            Err(error) => {
                let segment = next.segment.path.display();
                tracing::error!(%segment, %error, "segment cannot be moved into rows yet; trying again");
                metrics::counter!("deskwire_segment_move_failures_total").increment(1);
                match closed.recv_timeout(RETRY) {
                    Ok(segment) => waiting.push_back(segment),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }
}

fn move_segment(closed: &Closed, feeds: &Feeds, rows: &Rows) -> Result<(), MoveError> {
    let segment = &closed.segment;
    let bytes = Bytes::from(segment.read_all()?);
    let scan = frame::scan(&bytes, segment.number);
    if scan.valid < bytes.len() {
        return Err(MoveError::Damaged(scan.valid));
    }
    let mut new = NewRows::default();
    let mut touched: BTreeSet<FeedId> = BTreeSet::new();
    for record in scan.records {
        let payload = bytes.slice(record.payload.clone());
        let damaged = || MoveError::Damaged(record.payload.start);
        match record.kind {
            BATCH => {
                let batch = SealedBatch::decode(&payload).map_err(|_| damaged())?;
                if !is_trimmed(feeds, &batch) {
                    new.batch(&batch.header, payload);
                }
                touched.insert(batch.header.feed);
            }
            ANCHOR => {
                touched.insert(read_anchor(&payload).ok_or_else(damaged)?.0);
            }
            _ => return Err(damaged()),
        }
    }
    for feed in &touched {
        if let Some(anchor) = feeds.with(feed, |feed| feed.anchor.clone()) {
            new.anchor(feed, &anchor);
        }
    }
    rows.ingest(&new)?;
    feeds.moved(touched.into_iter(), segment.number);
    feeds.remove_unmoved_bytes(closed.length);
    if let Err(error) = std::fs::remove_file(&segment.path) {
        tracing::warn!(segment = %segment.path.display(), %error, "moved segment stays until the next start");
    }
    Ok(())
}

/// Whether nobody may read the batch any more. The last one of a feed always stays: it says where the feed is.
fn is_trimmed(feeds: &Feeds, batch: &SealedBatch) -> bool {
    let header = &batch.header;
    let trimmed = feeds.with(&header.feed, |feed| {
        header.number < feed.anchor.oldest_batch && header.number.next() < feed.head.next_batch
    });
    trimmed.unwrap_or(false)
}
