//! The projector: turns durable batches into view writes, and writes them behind the log.
//!
//! What is written follows from the events and from the states after the batch: absolute values, no reads.
//! After a crash the same function runs over the log from the views' checkpoint (`catch_up`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use schema::{
    event::{Fact, SealedBatch, StoredEvent},
    ids::{ConversationId, FeedId, Offset, TenantId},
    message::Status,
    time::Stamp,
};
use tokio::sync::mpsc;

use crate::{
    conversation::State,
    ports::{Checkpoint, DedupeEntry, Log, LogError, MessageRow, Route, ViewError, ViewWrite, Views, ViewsBatch},
    tenant::Settings,
    watermark::Watermark,
};

/// Name of the setting that holds a tenant's settings.
pub const SETTINGS: &str = "settings";
/// Most batches written together.
const WRITE_TOGETHER: usize = 512;
/// Bytes of log read at once while catching up.
const CATCH_UP_BYTES: usize = 4 << 20;

/// Where the inbox has a conversation now: needed to move its row without reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Indexed {
    /// Last activity as written; none: not written yet.
    pub activity: Option<Stamp>,
    /// Whether it is among the open ones.
    pub open: bool,
}

impl Indexed {
    /// What a state's row says.
    pub fn of(state: &State) -> Self {
        Self { activity: state.merged_into.is_none().then_some(state.activity), open: state.open }
    }
}

/// Writes that follow from one event; `state` is its conversation's after it, or after its batch.
pub fn event_writes(event: &StoredEvent, bytes: Bytes, state: Option<&State>, writes: &mut Vec<ViewWrite>) {
    let header = &event.header;
    if let Some(accepted) = &header.accepted {
        let entry = DedupeEntry {
            offset: header.offset,
            content: accepted.content,
            conversation: header.conversation,
            message: accepted.message,
        };
        writes.push(ViewWrite::Dedupe { key: accepted.key, entry, stamp: header.stamp });
    }
    let Some(conversation) = header.conversation else { return };
    writes.push(ViewWrite::Timeline { conversation, offset: header.offset, event: bytes });
    let row = MessageRow { conversation, offset: header.offset };
    match &event.fact {
        Fact::ContactCreated(fact) if !planted!(RouteForgotten) => {
            let route = Route { conversation, contact: fact.contact };
            writes.push(ViewWrite::Route { address: fact.address, route });
        }
        Fact::MessageReceived(fact) => writes.push(ViewWrite::Message { message: fact.message, row }),
        Fact::MessageQueued(fact) => {
            writes.push(ViewWrite::Message { message: fact.message, row });
            writes.push(ViewWrite::Outbox { message: fact.message, conversation: Some(conversation) });
        }
        Fact::MessageRequeued(fact) => {
            writes.push(ViewWrite::Outbox { message: fact.message, conversation: Some(conversation) });
        }
        Fact::MessageStatus(fact) if fact.status.rank() >= Status::Sent.rank() => {
            // Late news of an earlier attempt: the text is in its lane, and the next start must find it there.
            let open = state.is_some_and(|state| state.is_open(fact.message));
            writes.push(ViewWrite::Outbox { message: fact.message, conversation: open.then_some(conversation) });
        }
        Fact::ConversationParked(_) => writes.push(ViewWrite::Parked { conversation, parked: true }),
        Fact::ConversationReleased(_) => writes.push(ViewWrite::Parked { conversation, parked: false }),
        _ => {}
    }
}

/// Writes that follow from a conversation's state after a batch; moves `indexed` on.
pub fn state_writes(state: &State, indexed: &mut Indexed, timer: &mut Option<Stamp>, writes: &mut Vec<ViewWrite>) {
    let now = Indexed::of(state);
    writes.push(ViewWrite::Conversation {
        conversation: state.conversation,
        stored: state.store(),
        activity: now.activity,
        previous_activity: indexed.activity,
        open: now.open,
        previous_open: indexed.open,
    });
    *indexed = now;
    if state.timer() != *timer {
        *timer = state.timer();
        writes.push(ViewWrite::Timer { conversation: state.conversation, due: *timer });
    }
}

/// The write that follows from the tenant's settings after a batch that changed them.
pub fn settings_write(settings: &Settings) -> ViewWrite {
    let value = postcard::to_stdvec(settings).expect("settings of plain values always encode");
    ViewWrite::Setting { name: SETTINGS.to_owned(), value: value.into() }
}

/// Whether a fact changes the tenant's settings.
pub fn is_setting(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::TenantConfigured(_)
            | Fact::ChannelConfigured(_)
            | Fact::LimitConfigured(_)
            | Fact::TemplateConfigured(_)
            | Fact::OperatorConfigured(_)
            | Fact::PauseChanged(_)
            | Fact::LineCaughtUp(_)
            | Fact::FiltersSaved(_)
            | Fact::AvailabilityChanged(_)
            | Fact::HoursSet(_)
            | Fact::PreferencesSet(_)
    )
}

/// Reads a tenant's settings from the views.
pub async fn load_settings(views: &dyn Views, tenant: &TenantId) -> Result<Settings, ViewError> {
    match views.setting(tenant, SETTINGS).await? {
        Some(bytes) => postcard::from_bytes(&bytes).map_err(|error| ViewError::Damaged(format!("settings: {error}"))),
        None => Ok(Settings::default()),
    }
}

/// Why views could not be brought up to the log.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The views could not be read or written.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// A batch in the log cannot be decoded.
    #[error("batch {batch} of {feed}: {reason}")]
    Damaged {
        /// Whose.
        feed: FeedId,
        /// Which.
        batch: u64,
        /// Why.
        reason: String,
    },
}

/// Brings the views of a feed up to the end of its log; returns where they are then. Views that are behind the log's
/// beginning go back to the baseline first.
pub async fn catch_up(log: &dyn Log, views: &dyn Views, feed: &FeedId) -> Result<Checkpoint, CatchUpError> {
    let end = Offset(u64::MAX);
    match catch_up_to(log, views, feed, end).await {
        Err(CatchUpError::Log(LogError::Trimmed { .. })) => {
            views.clear(feed).await?;
            catch_up_to(log, views, feed, end).await
        }
        result => result,
    }
}

/// Brings the views of a feed up to the last batch that lies wholly before `end`; returns where they are then.
pub async fn catch_up_to(
    log: &dyn Log,
    views: &dyn Views,
    feed: &FeedId,
    end: Offset,
) -> Result<Checkpoint, CatchUpError> {
    let mut checkpoint = views.checkpoint(feed).await?;
    let mut fold = Fold::new(load_settings(views, &feed.tenant).await?);
    loop {
        let mut batches = log.read(feed, checkpoint.offset.next(), CATCH_UP_BYTES).await?;
        batches.retain(|batch| batch.header.end() <= end);
        if batches.is_empty() {
            return Ok(checkpoint);
        }
        let mut writes = Vec::with_capacity(batches.len());
        for batch in &batches {
            let written = fold.batch(views, feed, batch).await?;
            checkpoint = written.checkpoint;
            writes.push(written);
        }
        views.write(writes).await?;
    }
}

/// What no timer is.
const NO_TIMER: Stamp = Stamp(u64::MAX);

/// Folds a log without its actors.
struct Fold {
    settings: Settings,
    states: HashMap<ConversationId, (State, Indexed, Option<Stamp>)>,
}

/// Conversations kept in memory while catching up.
const FOLD_STATES: usize = 50_000;

impl Fold {
    fn new(settings: Settings) -> Self {
        Self { settings, states: HashMap::new() }
    }

    async fn batch(
        &mut self,
        views: &dyn Views,
        feed: &FeedId,
        batch: &SealedBatch,
    ) -> Result<ViewsBatch, CatchUpError> {
        let damaged =
            |reason: String| CatchUpError::Damaged { feed: feed.clone(), batch: batch.header.number.0, reason };
        let mut writes = Vec::new();
        let mut touched = BTreeMap::new();
        let mut settings_changed = false;
        for (event, bytes) in events_with_bytes(batch) {
            let event = event.map_err(|error| damaged(error.to_string()))?;
            settings_changed |= is_setting(&event.fact);
            self.settings.apply(&event.fact);
            if let Some(conversation) = event.header.conversation {
                self.load(views, feed, conversation, &event).await?;
                if let Some((state, ..)) = self.states.get_mut(&conversation) {
                    // A store whose writes are not atomic may hold the state of a batch that its checkpoint does not.
                    if event.header.offset > state.last {
                        state.apply(&event.header, &event.fact);
                    }
                    touched.insert(conversation, ());
                }
            }
            let state = event.header.conversation.and_then(|id| self.states.get(&id)).map(|(state, ..)| state);
            event_writes(&event, bytes, state, &mut writes);
        }
        for conversation in touched.keys() {
            if let Some((state, indexed, timer)) = self.states.get_mut(conversation) {
                state_writes(state, indexed, timer, &mut writes);
            }
        }
        if settings_changed {
            writes.push(settings_write(&self.settings));
        }
        if self.states.len() > FOLD_STATES {
            // Their rows are in the writes of this round, which are not readable yet: keep this batch's.
            self.states.retain(|conversation, _| touched.contains_key(conversation));
        }
        let checkpoint = Checkpoint { offset: batch.header.last(), batch: batch.header.number };
        Ok(ViewsBatch { feed: feed.clone(), stamp: batch.header.stamp, checkpoint, writes })
    }

    async fn load(
        &mut self,
        views: &dyn Views,
        feed: &FeedId,
        conversation: ConversationId,
        event: &StoredEvent,
    ) -> Result<(), CatchUpError> {
        if self.states.contains_key(&conversation) {
            return Ok(());
        }
        if let Fact::ContactCreated(fact) = &event.fact {
            self.states.insert(conversation, (State::fresh(conversation, fact), Indexed::default(), None));
        } else if let Some(stored) = views.conversation(&feed.tenant, conversation).await? {
            let state = State::load(&stored)?;
            // Ahead of the checkpoint, other rows may be missing that were to be written with it: all are written again.
            let timer = if stored.offset >= event.header.offset { Some(NO_TIMER) } else { state.timer() };
            let indexed = Indexed::of(&state);
            self.states.insert(conversation, (state, indexed, timer));
        }
        Ok(())
    }
}

/// A batch's events with each one's bytes, shared with the batch.
pub fn events_with_bytes(batch: &SealedBatch) -> Vec<(Result<StoredEvent, schema::event::CodecError>, Bytes)> {
    let mut at = 0;
    batch
        .events()
        .map(|event| {
            let len = batch
                .body
                .get(at..at + 4)
                .map_or(0, |len| u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize + 4);
            let end = (at + len).min(batch.body.len());
            let bytes = batch.body.slice(at..end);
            at = end;
            (event, bytes)
        })
        .collect()
}

/// One tenant's batch on its way to the views.
#[derive(Debug)]
pub(crate) struct Projection {
    pub(crate) batch: ViewsBatch,
    pub(crate) viewed: Arc<Watermark>,
}

/// The way to the projector: bounded; a full queue holds back the tenant that fills it.
#[derive(Clone)]
pub(crate) struct Projector {
    queue: mpsc::Sender<Projection>,
}

impl Projector {
    /// Starts the one writer of this node's views on the current runtime.
    pub(crate) fn start(views: Arc<dyn Views>, capacity: usize) -> Self {
        let (queue, waiting) = mpsc::channel(capacity);
        tokio::spawn(write_behind(views, waiting));
        Self { queue }
    }

    pub(crate) async fn send(&self, projection: Projection) {
        if self.queue.send(projection).await.is_err() {
            tracing::error!("the projector has stopped; views are caught up at the next start");
        }
    }
}

async fn write_behind(views: Arc<dyn Views>, mut waiting: mpsc::Receiver<Projection>) {
    let mut taken = Vec::with_capacity(WRITE_TOGETHER);
    loop {
        if waiting.recv_many(&mut taken, WRITE_TOGETHER).await == 0 {
            return;
        }
        let mut batches = Vec::with_capacity(taken.len());
        let mut reached = Vec::with_capacity(taken.len());
        for Projection { batch, viewed } in taken.drain(..) {
            reached.push((viewed, batch.checkpoint));
            batches.push(batch);
        }
        let mut wait = Duration::from_millis(50);
        while let Err(error) = views.write(batches.clone()).await {
            metrics::counter!("deskwire_views_write_failures_total").increment(1);
            tracing::error!(%error, "views cannot be written; trying again");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
        for (viewed, checkpoint) in reached {
            viewed.advance(checkpoint.offset);
        }
    }
}
