//! The fan-out: a few tasks for each feed write what is new to all dashboards that only wait for it. To wake a session for
//! each event costs as much again as the kernel takes for the write.

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use actors::feed::{Cursor, FeedHandle, Slice};
use bytes::{BufMut as _, Bytes, BytesMut};
use dashmap::DashMap;
use schema::{
    ids::{FeedId, Offset},
    role::Role,
};
use tokio::{sync::watch, task::AbortHandle};

use super::lane::{After, Lane, News, Written};

/// Slices written together.
const SLICES_TOGETHER: usize = 16;
/// Lanes written to before other tasks have their turn.
const LANES_TOGETHER: usize = 64;
/// Frames of one publication that are kept while it is written: lanes stand at few places, and there are few roles.
const KEPT: usize = 16;
/// FIN and text (RFC 6455 §5.2).
const TEXT: u8 = 0x81;

/// All feeds of this node that are watched.
pub(super) struct FanOuts {
    feeds: DashMap<FeedId, Arc<FanOut>>,
    /// Tasks for each feed.
    tasks: usize,
    message_bytes: usize,
}

struct FanOut {
    /// A feed that ended and began again is another one.
    feed: FeedHandle,
    parts: Box<[Arc<Part>]>,
    next: AtomicUsize,
}

/// The dashboards that one task writes to.
struct Part {
    lanes: Mutex<Lanes>,
    /// Offset of the last event that it has begun to write. Said before it looks at any lane.
    begun: AtomicU64,
}

#[derive(Default)]
struct Lanes {
    all: Vec<Arc<Lane>>,
    /// Runs while there are lanes: it reads the feed, and a tenant whose feed is read does not rest.
    task: Option<AbortHandle>,
}

impl Part {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, last: Offset) {
        // One that was told to stop may still be at it.
        self.begun.fetch_max(last.0, Ordering::SeqCst);
    }
}

impl FanOuts {
    pub(super) fn new(message_bytes: usize) -> Self {
        let tasks = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { feeds: DashMap::new(), tasks, message_bytes }
    }

    /// A place for a dashboard, until it is dropped.
    pub(super) fn join(self: &Arc<Self>, feed: &FeedHandle, lane: Lane) -> Member {
        let new = || Arc::new(FanOut::new(feed.clone(), self.tasks));
        let mut fan_out = self.feeds.entry(feed.id().clone()).or_insert_with(new);
        if !fan_out.feed.is(feed) {
            *fan_out = new();
        }
        let next = fan_out.next.fetch_add(1, Ordering::Relaxed) % fan_out.parts.len();
        let (lane, part) = (Arc::new(lane), fan_out.parts[next].clone());
        let lanes = &mut *part.lanes();
        lanes.all.push(lane.clone());
        if lanes.task.is_none() {
            let (cursor, rights) = (feed.tail(), feed.rights());
            part.begin(cursor.position());
            let task = tokio::spawn(write(part.clone(), cursor, rights, self.message_bytes));
            lanes.task = Some(task.abort_handle());
        }
        Member { lane, part: part.clone(), fan_out: fan_out.clone(), all: self.clone() }
    }
}

impl FanOut {
    fn new(feed: FeedHandle, tasks: usize) -> Self {
        let part = || Arc::new(Part { lanes: Mutex::default(), begun: AtomicU64::new(0) });
        Self { feed, parts: std::iter::repeat_with(part).take(tasks).collect(), next: AtomicUsize::new(0) }
    }

    fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.lanes().all.is_empty())
    }
}

/// A dashboard's place.
pub(super) struct Member {
    lane: Arc<Lane>,
    part: Arc<Part>,
    fan_out: Arc<FanOut>,
    all: Arc<FanOuts>,
}

impl Member {
    /// Its lane.
    pub(super) fn lane(&self) -> &Lane {
        &self.lane
    }

    /// Leaves the writing of what comes after `at` to the fan-out. If that has passed by already the lane is given back,
    /// with what was written.
    pub(super) fn park(&self, at: Offset) -> Option<Written> {
        self.lane.park(at);
        // It says what it begins before it looks at lanes: either it is seen here, or the parked lane is seen there.
        if self.part.begun.load(Ordering::SeqCst) > at.0 { self.lane.take() } else { None }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.lane.take();
        {
            let lanes = &mut *self.part.lanes();
            lanes.all.retain(|lane| !Arc::ptr_eq(lane, &self.lane));
            if lanes.all.is_empty()
                && let Some(task) = lanes.task.take()
            {
                task.abort();
            }
        }
        let is_mine = |fan_out: &Arc<FanOut>| Arc::ptr_eq(fan_out, &self.fan_out);
        self.all.feeds.remove_if(self.fan_out.feed.id(), |_, fan_out| is_mine(fan_out) && fan_out.is_empty());
    }
}

/// Until the feed ends.
async fn write(part: Arc<Part>, mut cursor: Cursor, mut rights: watch::Receiver<Offset>, message_bytes: usize) {
    while let Ok(first) = cursor.next().await {
        let mut slices = vec![first];
        while slices.len() < SLICES_TOGETHER
            && let Some(slice) = cursor.buffered()
        {
            slices.push(slice);
        }
        part.begin(cursor.position());
        let lanes = part.lanes().all.clone();
        if rights.has_changed().unwrap_or(true) {
            // Who has lost theirs sees nothing of what comes after it: each session looks for itself.
            rights.mark_unchanged();
            lanes.iter().for_each(|lane| lane.release());
            continue;
        }
        let mut frames = Frames::of(slices, message_bytes);
        for some in lanes.chunks(LANES_TOGETHER) {
            some.iter().for_each(|lane| lane.push(&mut frames));
            tokio::task::yield_now().await;
        }
    }
    // Sessions ask the feed themselves why it ended.
    let lanes = part.lanes().all.clone();
    lanes.iter().for_each(|lane| lane.release());
}

/// What is new, as bytes for sockets: made once for all lanes of a role that stand at the same place.
struct Frames {
    slices: Vec<Slice>,
    message_bytes: usize,
    made: Vec<(Offset, Role, Bytes)>,
}

impl Frames {
    fn of(slices: Vec<Slice>, message_bytes: usize) -> Self {
        Self { slices, message_bytes, made: Vec::new() }
    }

    fn make(&self, at: Offset, role: Role) -> Bytes {
        let mut bytes = BytesMut::new();
        for slice in &self.slices {
            let start = slice.entries().partition_point(|entry| entry.offset <= at);
            for text in slice.pieces(role, start, self.message_bytes) {
                header(&mut bytes, text.len());
                bytes.extend_from_slice(&text);
            }
        }
        bytes.freeze()
    }
}

impl News for Frames {
    fn after(&mut self, at: Offset, role: Role) -> After {
        let (Some(first), Some(last)) = (self.slices.first(), self.slices.last()) else { return After::Nothing };
        let (first, last) = (first.entries()[0].offset, last.last());
        if at >= last {
            return After::Nothing;
        }
        if at.next() < first {
            return After::Gap;
        }
        if let Some((_, _, bytes)) = self.made.iter().find(|made| (made.0, made.1) == (at, role)) {
            return After::Frames(bytes.clone(), last);
        }
        let bytes = self.make(at, role);
        if self.made.len() < KEPT {
            self.made.push((at, role, bytes.clone()));
        }
        After::Frames(bytes, last)
    }
}

/// A server's frames bear no mask (RFC 6455 §5.1).
fn header(bytes: &mut BytesMut, length: usize) {
    bytes.put_u8(TEXT);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => bytes.put_u8(short),
        (_, Ok(middle)) => {
            bytes.put_u8(126);
            bytes.put_u16(middle);
        }
        _ => {
            bytes.put_u8(127);
            bytes.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests;
