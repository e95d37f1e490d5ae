//! For the command line: walking through a feed's log batch by batch, with everything checked that can be checked
//! without folding it.

use actors::ports::{Checkpoint, Log, LogError, ViewError, ViewWrite};
use schema::{
    event::SealedBatch,
    ids::{BatchNumber, FeedId, Offset},
};

use super::EmbeddedStore;

/// Batches read at once.
const PAGE_BYTES: usize = 4 << 20;

/// What is wrong with a feed's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// It cannot be read from here on.
    #[error("from offset {from}: {error}")]
    Unreadable {
        /// Where.
        from: Offset,
        /// Why.
        error: LogError,
    },
    /// Batch numbers are not dense.
    #[error("batch {found} stands where {expected} should")]
    Number {
        /// The next one.
        expected: BatchNumber,
        /// What is there.
        found: BatchNumber,
    },
    /// Offsets are not dense.
    #[error("batch {batch}: offset {found} stands where {expected} should")]
    Offset {
        /// In which batch.
        batch: BatchNumber,
        /// The next one.
        expected: Offset,
        /// What is there.
        found: Offset,
    },
    /// An event's stamp is not later than the one before.
    #[error("offset {0}: its stamp is not later than the one before")]
    Stamp(Offset),
    /// A batch's header and its events disagree, or an event cannot be decoded.
    #[error("batch {batch}: {reason}")]
    Batch {
        /// Which.
        batch: BatchNumber,
        /// How.
        reason: String,
    },
    /// The log ends elsewhere than its head says.
    #[error("the log ends before offset {found}, its head says {expected}")]
    End {
        /// By the head.
        expected: Offset,
        /// By the batches.
        found: Offset,
    },
}

/// What a walk through a feed's log saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// Batches read.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// What is wrong; empty: nothing.
    pub findings: Vec<Finding>,
}

impl EmbeddedStore {
    /// The views as rows that can be compared.
    pub fn view_rows(&self, feed: &FeedId) -> Result<Vec<super::ViewRow>, ViewError> {
        self.views.dump(feed)
    }

    /// A feed's baseline, as where it stands and what writes it again; none if it was never trimmed.
    pub fn baseline_writes(&self, feed: &FeedId) -> Result<Option<(Checkpoint, Vec<ViewWrite>)>, ViewError> {
        self.views.baseline_writes(feed)
    }

    /// Reads a feed's log from its beginning to its end, checks every batch, and shows each to `visit`.
    pub async fn walk(&self, feed: &FeedId, visit: impl FnMut(&SealedBatch)) -> Result<Walk, LogError> {
        walk(&*self.log(), feed, visit).await
    }
}

/// As [`EmbeddedStore::walk`], on whatever log.
pub async fn walk(log: &dyn Log, feed: &FeedId, mut visit: impl FnMut(&SealedBatch)) -> Result<Walk, LogError> {
    let anchor = log.anchor(feed).await?;
    let head = log.head(feed).await?;
    let mut walk = Walk::default();
    let mut expected = Expected { number: None, offset: None, stamp: 0 };
    let mut from = anchor.oldest;
    while from < head.next_offset {
        let batches = match log.read(feed, from, PAGE_BYTES).await {
            Ok(batches) => batches,
            Err(error) => {
                walk.findings.push(Finding::Unreadable { from, error });
                return Ok(walk);
            }
        };
        let Some(last) = batches.last() else { break };
        from = last.header.end();
        for batch in &batches {
            expected.check(batch, &mut walk);
            visit(batch);
        }
    }
    if from != head.next_offset {
        walk.findings.push(Finding::End { expected: head.next_offset, found: from });
    }
    Ok(walk)
}

/// What the next batch must be.
struct Expected {
    number: Option<BatchNumber>,
    offset: Option<Offset>,
    stamp: u64,
}

impl Expected {
    fn check(&mut self, batch: &SealedBatch, walk: &mut Walk) {
        let header = &batch.header;
        walk.batches += 1;
        if let Some(expected) = self.number.filter(|number| *number != header.number) {
            walk.findings.push(Finding::Number { expected, found: header.number });
        }
        self.number = Some(header.number.next());
        let mut next = self.offset.unwrap_or(header.first);
        for event in batch.events() {
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    walk.findings.push(Finding::Batch { batch: header.number, reason: error.to_string() });
                    break;
                }
            };
            walk.events += 1;
            if event.header.offset != next {
                let (expected, found) = (next, event.header.offset);
                walk.findings.push(Finding::Offset { batch: header.number, expected, found });
            }
            next = event.header.offset.next();
            if event.header.stamp.0 <= self.stamp {
                walk.findings.push(Finding::Stamp(event.header.offset));
            }
            self.stamp = event.header.stamp.0;
        }
        if next != header.end() {
            let reason = format!("its events end before offset {next}, its header says {}", header.end());
            walk.findings.push(Finding::Batch { batch: header.number, reason });
        }
        self.offset = Some(header.end());
    }
}
