//! The log on a disk that fails: appends of all feeds join one flush, a crash leaves some of them whole and tears the
//! next, answers get lost after the write, and what was given up may still land.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use schema::{
    event::{BatchHeader, Fact, SealedBatch},
    ids::{BatchId, BatchNumber, Epoch, FeedId, NodeId, Offset},
    time::Stamp,
};

use super::world::{State, World};
use crate::ports::{Anchor, AppendError, Head, Log, LogError, Views, WakeEntry};

/// Everything on the disk, and on its way there.
#[derive(Default)]
pub(super) struct Logs {
    feeds: BTreeMap<FeedId, Kept>,
    /// Written and not flushed: in the order of their bytes.
    unflushed: Vec<(u64, SealedBatch)>,
    flushed: BTreeMap<u64, Result<(), AppendError>>,
    appends: u64,
    /// Given up by their writer; they land then.
    late: Vec<(Duration, SealedBatch)>,
    /// Batches of which a life does not know whether they are stored.
    unsure: BTreeMap<(u32, FeedId), BatchId>,
    stopped: bool,
    /// Feeds whose views were behind at the start of this life, and where they must get.
    lagging: BTreeMap<FeedId, Offset>,
}

struct Kept {
    anchor: Anchor,
    batches: BTreeMap<BatchNumber, SealedBatch>,
    head: Head,
    wake_at: Option<Stamp>,
}

impl Kept {
    fn fresh(epoch: u64) -> Self {
        let anchor = Anchor { epoch: Epoch(epoch), oldest: Offset(1), oldest_batch: BatchNumber(1) };
        Self { anchor, batches: BTreeMap::new(), head: empty(), wake_at: None }
    }

    fn append(&mut self, batch: &SealedBatch) -> Result<bool, AppendError> {
        let header = &batch.header;
        if planted!(WrittenUnasked) && header.number < self.head.next_batch {
            let other = self.batches.insert(header.number, batch.clone());
            return Ok(other.is_none_or(|other| other.header.id != header.id));
        }
        if header.number < self.head.next_batch {
            return self.compare(header.number, header.id).map(|()| false);
        }
        let follows = header.number == self.head.next_batch && header.first == self.head.next_offset;
        assert!(follows, "batch {} of {} does not follow the head", header.number, header.feed);
        let owner = Some(header.node.clone());
        let (next_batch, next_offset) = (header.number.next(), header.end());
        self.head = Head { next_batch, next_offset, stamp: header.stamp, owner };
        self.wake_at = header.wake_at;
        self.batches.insert(header.number, batch.clone());
        Ok(true)
    }

    fn compare(&self, number: BatchNumber, id: BatchId) -> Result<(), AppendError> {
        let nobody = || NodeId::new("nobody").expect("a slug");
        match self.batches.get(&number).map(|there| &there.header) {
            Some(there) if there.id == id => Ok(()),
            Some(there) => Err(AppendError::Fenced { id: there.id, by: there.node.clone() }),
            None => Err(AppendError::Fenced { id: BatchId(uuid::Uuid::nil()), by: nobody() }),
        }
    }

    fn holding(&self, offset: Offset) -> BatchNumber {
        let found = self.batches.values().find(|batch| offset < batch.header.end());
        found.map_or(self.head.next_batch, |batch| batch.header.number)
    }
}

fn empty() -> Head {
    Head { next_batch: BatchNumber(1), next_offset: Offset(1), stamp: Stamp(0), owner: None }
}

impl State {
    /// A batch is whole on the disk: it counts from here on, whoever knows of it.
    fn land(&mut self, batch: &SealedBatch) -> Result<(), AppendError> {
        let epoch = self.dice.next();
        let kept = self.logs.feeds.entry(batch.header.feed.clone()).or_insert_with(|| Kept::fresh(epoch));
        if !kept.append(batch)? {
            return Ok(());
        }
        let header = &batch.header;
        self.note(format_args!("{} holds batch {} up to {}", header.feed.tenant, header.number, header.last()));
        self.trace.bytes(&batch.body);
        if self.trace.whole {
            let events = batch.events().filter_map(Result::ok);
            events.for_each(|event| self.trace.aside(format!("{:>36} {:?}", event.header.offset, event.fact)));
        }
        let now = self.now();
        if let Err(broken) = self.model.stored(batch, now) {
            self.convict(broken);
        }
        Ok(())
    }

    /// What is unknown is written again, the same, until it is certain: an empty slot proves nothing, the first try may still
    /// land. Only a takeover begins anew.
    fn goes_on_with(&mut self, life: u32, batch: &SealedBatch) {
        let header = &batch.header;
        let unsure = self.logs.unsure.get(&(life, header.feed.clone()));
        if unsure.is_some_and(|id| *id != header.id) && !takes_over(batch) {
            let (feed, number) = (&header.feed.tenant, header.number);
            self.convict(format!("P1: {feed} gave up a batch that may be stored, and writes another as {number}"));
        }
    }

    fn append_answered(&mut self, life: u32, header: &BatchHeader, answer: &Result<(), AppendError>) {
        let key = (life, header.feed.clone());
        match answer {
            Err(AppendError::Unknown { .. }) => drop(self.logs.unsure.insert(key, header.id)),
            // A log that has stopped ends its tenants: whoever asks next begins anew, and is told the same.
            Ok(()) | Err(AppendError::Fenced { .. } | AppendError::Stopped { .. }) => {
                self.logs.unsure.remove(&key);
            }
            // Said of this try only.
            Err(AppendError::Unavailable { .. }) => {}
        }
    }

    fn write(&mut self, batch: SealedBatch) -> u64 {
        self.logs.appends += 1;
        self.logs.unflushed.push((self.logs.appends, batch));
        self.logs.appends
    }

    /// Everything written up to this one is on the disk.
    fn flush(&mut self, append: u64) -> Result<(), AppendError> {
        while self.logs.unflushed.first().is_some_and(|(written, _)| *written <= append) {
            let (written, batch) = self.logs.unflushed.remove(0);
            let result = self.land(&batch);
            self.logs.flushed.insert(written, result);
        }
        self.logs.flushed.remove(&append).unwrap_or(Ok(()))
    }

    fn land_late(&mut self) {
        let now = self.now();
        let (due, late): (Vec<_>, Vec<_>) = self.logs.late.drain(..).partition(|(at, _)| *at <= now);
        self.logs.late = late;
        for (_, batch) in due {
            // Its place may be taken by now: then it never was.
            let _ = self.land(&batch);
        }
    }

    /// The machine died: some of what was written is whole, the next is torn and cut, the rest never was.
    pub(super) fn tear_logs(&mut self) {
        let unflushed = std::mem::take(&mut self.logs.unflushed);
        let whole = self.dice.index(unflushed.len() + 1);
        for (_, batch) in unflushed.iter().take(whole) {
            let _ = self.land(batch);
        }
        if whole < unflushed.len() {
            self.note(format_args!("{} batches are torn", unflushed.len() - whole));
        }
        self.logs.flushed.clear();
        self.logs.late.clear();
        self.logs.stopped = false;
    }

    /// A node died: what it was writing to the store that all share landed, or never will.
    pub(super) fn tear_node(&mut self, node: &NodeId) {
        let (theirs, others) =
            std::mem::take(&mut self.logs.unflushed).into_iter().partition(|(_, batch)| batch.header.node == *node);
        self.logs.unflushed = others;
        let theirs: Vec<(u64, SealedBatch)> = theirs;
        for (_, batch) in theirs {
            if self.dice.permille(500) {
                let _ = self.land(&batch);
            }
        }
    }

    /// At the start of a life: whose views are behind?
    pub(super) fn look_for_lagging(&mut self, checkpoint: impl Fn(&FeedId) -> Offset) {
        let behind = |(feed, kept): (&FeedId, &Kept)| {
            let last = Offset(kept.head.next_offset.0 - 1);
            (checkpoint(feed) < last).then(|| (feed.clone(), last))
        };
        self.logs.lagging = self.logs.feeds.iter().filter_map(behind).collect();
    }

    pub(super) fn feeds(&self) -> Vec<FeedId> {
        self.logs.feeds.keys().cloned().collect()
    }

    pub(super) fn log_has_stopped(&self) -> bool {
        self.logs.stopped
    }

    fn fails(&mut self, permille: u64) -> bool {
        !self.calm && permille > 0 && self.dice.permille(permille)
    }
}

fn takes_over(batch: &SealedBatch) -> bool {
    batch.events().filter_map(Result::ok).any(|event| matches!(event.fact, Fact::FeedTaken(_)))
}

/// What becomes of one append.
enum Fate {
    Stored,
    /// Stored, and the answer is lost.
    StoredUnknown,
    /// The request is lost.
    Lost,
    /// The request is lost for now.
    Late,
    Unavailable,
    Stopped,
}

fn fate(state: &mut State) -> Fate {
    let stops = state.plan.log_stops;
    if state.fails(stops) {
        state.logs.stopped = true;
        // Only a restart helps; whoever runs the engine sees it soon.
        let wait = state.dice.delay(4_000);
        state.plan_in(wait, super::world::Happening::Die);
        state.note(format_args!("the log stops; a restart comes in {wait:?}"));
    }
    if state.logs.stopped {
        return Fate::Stopped;
    }
    let (unknown, unavailable) = (state.plan.append_unknown, state.plan.append_unavailable);
    if state.fails(unavailable) {
        Fate::Unavailable
    } else if state.fails(unknown) {
        match state.dice.below(3) {
            0 => Fate::StoredUnknown,
            1 => Fate::Lost,
            _ => Fate::Late,
        }
    } else {
        Fate::Stored
    }
}

/// The log as one life sees it.
pub(super) struct SimulatedLog {
    pub(super) world: Arc<World>,
    pub(super) life: u32,
    pub(super) views: Arc<dyn Views>,
}

impl SimulatedLog {
    async fn look<T>(&self, what: &str, look: impl FnOnce(&mut State) -> Result<T, LogError>) -> Result<T, LogError> {
        self.world.step(self.life, what, 3).await;
        let state = &mut *self.world.state();
        if state.plan.views_fail > 0 && state.fails(20) {
            return Err(LogError::Unavailable { reason: "as the seed has it".to_owned() });
        }
        look(state)
    }
}

fn unknown() -> AppendError {
    AppendError::Unknown { reason: "as the seed has it".to_owned() }
}

#[async_trait]
impl Log for SimulatedLog {
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError> {
        self.look("anchor", |state| {
            let epoch = state.dice.next();
            Ok(state.logs.feeds.entry(feed.clone()).or_insert_with(|| Kept::fresh(epoch)).anchor.clone())
        })
        .await
    }

    async fn head(&self, feed: &FeedId) -> Result<Head, LogError> {
        self.look("head", |state| Ok(state.logs.feeds.get(feed).map_or_else(empty, |kept| kept.head.clone()))).await
    }

    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        self.world.step(self.life, "append", 4).await;
        let header = batch.header.clone();
        let (fate, append, flush_ms) = {
            let state = &mut *self.world.state();
            state.goes_on_with(self.life, &batch);
            state.land_late();
            let fate = fate(state);
            if matches!(fate, Fate::Late) {
                let at = state.now() + state.dice.between(Duration::ZERO, Duration::from_secs(3));
                state.logs.late.push((at, batch.clone()));
            }
            let written = matches!(fate, Fate::Stored | Fate::StoredUnknown).then(|| state.write(batch));
            (fate, written, state.plan.fsync_ms)
        };
        self.world.step(self.life, "flush", flush_ms).await;
        let result = append.map(|append| self.world.state().flush(append));
        self.world.step(self.life, "append's answer", 4).await;
        let answer = match (fate, result) {
            (Fate::Stored, Some(result)) => result,
            (Fate::Unavailable, _) => {
                let retry_after = Duration::from_secs(1);
                Err(AppendError::Unavailable { retry_after, reason: "as the seed has it".to_owned() })
            }
            (Fate::Stopped, _) => Err(AppendError::Stopped { reason: "as the seed has it".to_owned() }),
            _ => Err(unknown()),
        };
        self.world.state().append_answered(self.life, &header, &answer);
        answer
    }

    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        self.look("log is read", |state| state.read_log(feed, from, max_bytes)).await
    }

    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        self.look("log is trimmed", |state| {
            let Some(kept) = state.logs.feeds.get_mut(feed) else { return Ok(()) };
            let oldest = oldest.clamp(kept.anchor.oldest, kept.head.next_offset);
            let oldest_batch = kept.holding(oldest);
            kept.batches.retain(|number, _| *number >= oldest_batch);
            kept.anchor = Anchor { oldest, oldest_batch, ..kept.anchor.clone() };
            state.model.trimmed(&feed.tenant, oldest);
            Ok(())
        })
        .await
    }

    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        let lagging: Vec<(FeedId, Offset)> =
            self.world.state().logs.lagging.iter().map(|(feed, until)| (feed.clone(), *until)).collect();
        for (feed, until) in lagging {
            if self.views.checkpoint(&feed).await.is_ok_and(|checkpoint| checkpoint.offset >= until) {
                self.world.state().logs.lagging.remove(&feed);
            }
        }
        self.look("wake index", |state| {
            let Logs { feeds, lagging, .. } = &state.logs;
            let entry = |(feed, kept): (&FeedId, &Kept)| {
                let due = if lagging.contains_key(feed) { Some(Stamp(0)) } else { kept.wake_at };
                due.map(|due| WakeEntry { due, feed: feed.clone() })
            };
            let mut due: Vec<_> = feeds.iter().filter_map(entry).filter(|entry| entry.due <= until).collect();
            due.sort();
            due.truncate(limit);
            Ok(due)
        })
        .await
    }

    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError> {
        self.look("feeds", |state| {
            let feeds = state.logs.feeds.keys();
            Ok(feeds.filter(|feed| after.is_none_or(|after| *feed > after)).take(limit).cloned().collect())
        })
        .await
    }
}

impl State {
    fn read_log(&mut self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        let Some(kept) = self.logs.feeds.get(feed) else { return Ok(Vec::new()) };
        let from = from.max(Offset(1));
        if from < kept.anchor.oldest {
            return Err(LogError::Trimmed { oldest: kept.anchor.oldest });
        }
        let mut read = 0;
        let within = |batch: &&SealedBatch| {
            let take = read <= max_bytes;
            read += batch.body.len();
            take
        };
        Ok(kept.batches.range(kept.holding(from)..).map(|(_, batch)| batch).take_while(within).cloned().collect())
    }
}
