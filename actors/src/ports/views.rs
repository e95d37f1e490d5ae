//! Views: what the log means, kept for reading. Written after the log by one projector, idempotently, from a
//! checkpoint that is written with them; absolute values only; no write depends on a read.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use schema::{
    ids::{AddressHash, BatchNumber, ContactId, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};

/// How far the views of a feed are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// Last offset the views hold; 0: nothing.
    pub offset: Offset,
    /// Last batch the views hold.
    pub batch: BatchNumber,
}

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its contact.
    pub contact: ContactId,
}

/// A conversation's state, as the core encodes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredConversation {
    /// Postcard of the state, opaque to stores.
    pub state: Bytes,
    /// Last offset it includes.
    pub offset: Offset,
}

/// A command that was accepted before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DedupeEntry {
    /// Last offset it produced.
    pub offset: Offset,
    /// Hash of its content: the same key with another is a conflict. 0: content is not compared.
    pub content: u64,
    /// Its conversation.
    pub conversation: Option<ConversationId>,
    /// The message it made.
    pub message: Option<MessageId>,
}

/// One row of the inbox: what ordering and filters need, all clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// Which.
    pub conversation: ConversationId,
    /// Its state, as the core encodes it.
    pub stored: StoredConversation,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Its conversation.
    pub conversation: ConversationId,
    /// The event that made it.
    pub offset: Offset,
}

/// Where a page of the inbox ended: last activity and conversation of its last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxCursor {
    /// Last activity of the last row.
    pub activity: Stamp,
    /// The last row.
    pub conversation: ConversationId,
}

/// A page of something, with the position it is true at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The views' checkpoint, read first.
    pub checkpoint: Checkpoint,
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// One absolute write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ViewWrite {
    /// An event belongs to a conversation's timeline.
    Timeline {
        /// Which.
        conversation: ConversationId,
        /// Key within the conversation.
        offset: Offset,
        /// The event as it stands in the log.
        event: Bytes,
    },
    /// The state of a conversation after a batch, and its place in the inbox.
    Conversation {
        /// Which.
        conversation: ConversationId,
        /// Its state.
        stored: StoredConversation,
        /// Its last activity as the inbox shows it; none: it is not in the inbox (an alias).
        activity: Option<Stamp>,
        /// Its last activity at the write before this one: where the inbox still has it.
        previous_activity: Option<Stamp>,
        /// Whether the episode is open: the inbox is kept apart for open and resolved.
        open: bool,
        /// The same at the write before.
        previous_open: bool,
    },
    /// An address leads to a conversation.
    Route {
        /// From.
        address: AddressHash,
        /// To.
        route: Route,
    },
    /// A command was accepted.
    Dedupe {
        /// Its key.
        key: DedupeKey,
        /// What it did.
        entry: DedupeEntry,
        /// For retention.
        stamp: Stamp,
    },
    /// A message exists.
    Message {
        /// Which.
        message: MessageId,
        /// Where.
        row: MessageRow,
    },
    /// A message is open at its lane (`Some`), or no longer (`None`).
    Outbox {
        /// Which.
        message: MessageId,
        /// Its conversation, where its state is.
        conversation: Option<ConversationId>,
    },
    /// A conversation has a timer (`Some`), or none any more.
    Timer {
        /// Which.
        conversation: ConversationId,
        /// When.
        due: Option<Stamp>,
    },
    /// A conversation is parked, or no longer.
    Parked {
        /// Which.
        conversation: ConversationId,
        /// Whether.
        parked: bool,
    },
    /// A named value of the tenant: its settings' state.
    Setting {
        /// Which.
        name: String,
        /// Postcard, opaque to stores.
        value: Bytes,
    },
}

/// All writes of one or more batches, and the checkpoint after them.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewsBatch {
    /// Whose views.
    pub feed: FeedId,
    /// Stamp of the last event: CQL writes use it, so that a late write of an old owner never wins.
    pub stamp: Stamp,
    /// Where the views are after it.
    pub checkpoint: Checkpoint,
    /// In order; a later write of the same key wins.
    pub writes: Vec<ViewWrite>,
}

/// What goes from the views when their log is trimmed.
#[derive(Clone, Copy)]
pub struct Forget {
    /// First offset of the log from here on. Events before it go, and what names a message or an accepted command
    /// among them.
    pub below: Offset,
    /// An accepted command is remembered when it is not older than this, wherever its events are: carriers repeat.
    pub dedupe_from: Stamp,
    /// Events that a conversation's state at `below` refers to by their personal parts: address, name, open texts.
    pub pinned: fn(&StoredConversation) -> Result<Vec<Offset>, ViewError>,
}

/// Version of what view rows hold, the encoding of states and settings included. Raise it with every change of those:
/// views of another version are made anew from baseline and log at the next start.
pub const VIEWS_VERSION: u32 = 7;

/// Why a view cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// Not now.
    #[error("views are unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes are damaged; `deskwire rebuild` makes them anew.
    #[error("views are damaged: {0}")]
    Damaged(String),
}

/// The views of all tenants.
///
/// Contract (suite `contracts::views`): `write` is atomic with its checkpoint on one node's store and idempotent
/// everywhere; it need not be durable at once, but the checkpoint never survives without the writes before it. On stores
/// of many nodes a crash may leave rows ahead of their checkpoint, and an inbox row where a conversation was before, which
/// is not shown.
/// A batch that the checkpoint has passed changes nothing.
///
/// A log that was trimmed begins at a **baseline**: a second set of views that stands at the offset before the log's
/// first (`crate::baseline`). It is durable, and [`Views::clear`] goes back to it.
#[async_trait]
pub trait Views: Send + Sync + 'static {
    /// How far the views of a feed are.
    async fn checkpoint(&self, feed: &FeedId) -> Result<Checkpoint, ViewError>;
    /// Writes batches of one or more feeds.
    async fn write(&self, batches: Vec<ViewsBatch>) -> Result<(), ViewError>;

    /// What the command with this key made when it was accepted; complete up to any checkpoint that was read before.
    async fn accepted(&self, tenant: &TenantId, key: DedupeKey) -> Result<Option<DedupeEntry>, ViewError>;
    /// Where an address leads.
    async fn route(&self, tenant: &TenantId, address: AddressHash) -> Result<Option<Route>, ViewError>;
    /// A conversation's state.
    async fn conversation(
        &self,
        tenant: &TenantId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, ViewError>;
    /// Where a message is.
    async fn message(&self, tenant: &TenantId, id: MessageId) -> Result<Option<MessageRow>, ViewError>;
    /// One event of a conversation.
    async fn event(&self, tenant: &TenantId, id: ConversationId, offset: Offset) -> Result<Option<Bytes>, ViewError>;
    /// Events of a conversation after `after` (exclusive), oldest first.
    async fn timeline_after(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        after: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError>;
    /// Events of a conversation before `before` (exclusive), newest first.
    async fn timeline_before(
        &self,
        tenant: &TenantId,
        id: ConversationId,
        before: Offset,
        limit: usize,
    ) -> Result<Page<Bytes>, ViewError>;
    /// Conversations by last activity, newest first, open or resolved ones.
    async fn inbox(
        &self,
        tenant: &TenantId,
        open: bool,
        after: Option<InboxCursor>,
        limit: usize,
    ) -> Result<Page<ConversationRow>, ViewError>;
    /// Messages that are open at their lanes, oldest first.
    async fn outbox(
        &self,
        tenant: &TenantId,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<(MessageId, ConversationId)>, ViewError>;
    /// Timers due by `until`, earliest first.
    async fn timers(
        &self,
        tenant: &TenantId,
        until: Stamp,
        limit: usize,
    ) -> Result<Vec<(Stamp, ConversationId)>, ViewError>;
    /// Parked conversations.
    async fn parked(&self, tenant: &TenantId, limit: usize) -> Result<Vec<ConversationId>, ViewError>;
    /// A named value of the tenant.
    async fn setting(&self, tenant: &TenantId, name: &str) -> Result<Option<Bytes>, ViewError>;
    /// Puts the views of a feed back to its baseline, checkpoint included; to nothing if it has none.
    async fn clear(&self, feed: &FeedId) -> Result<(), ViewError>;

    /// The baselines of all feeds, themselves views; `None`: these are baselines.
    async fn baseline(&self) -> Result<Option<std::sync::Arc<dyn Views>>, ViewError>;
    /// What was written so far survives a power cut once this returns.
    async fn sync(&self) -> Result<(), ViewError>;
    /// Forgets what a trim takes: first in the baseline, by the states that it holds, then here whatever the baseline
    /// no longer has. The baseline stands at `forget.below`. A crash between is mended by asking again.
    async fn forget(&self, feed: &FeedId, forget: Forget) -> Result<(), ViewError>;
}
