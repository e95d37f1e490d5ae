//! Search: an index over what was written, kept by a follower of the log.

use std::ops::Range;

use async_trait::async_trait;
use schema::ids::{ContactId, ConversationId, Epoch, Offset, TenantId};

/// How far the index of a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchCheckpoint {
    /// Of which log.
    pub epoch: Epoch,
    /// Last offset that is in the index.
    pub offset: Offset,
}

/// One event's text on its way into the index.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchDocument {
    /// The event.
    pub offset: Offset,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The person it is about: what is erased together.
    pub subject: ContactId,
    /// Who may find it.
    pub audience: Audience,
    /// Text and name.
    pub text: String,
}

impl std::fmt::Debug for SearchDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SearchDocument({}, {})", self.offset, self.conversation)
    }
}

/// Who may find something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Every role.
    Everyone,
    /// Roles that see notes.
    Operators,
}

/// A stretch of one tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchBatch {
    /// Whose.
    pub tenant: TenantId,
    /// What of it can be found.
    pub documents: Vec<SearchDocument>,
    /// Where the index is after it.
    pub checkpoint: SearchCheckpoint,
}

/// A question.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Words; all must occur, the last one may be a beginning.
    pub text: String,
    /// Who asks.
    pub audience: Audience,
    /// Only what is older than this event.
    pub before: Option<Offset>,
    /// How many.
    pub limit: usize,
}

/// One event that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchMatch {
    /// The event.
    pub offset: Offset,
    /// Its conversation.
    pub conversation: ConversationId,
}

/// An answer, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchMatches {
    /// How far the index was; none: it holds nothing of the tenant.
    pub checkpoint: Option<SearchCheckpoint>,
    /// What matches.
    pub matches: Vec<SearchMatch>,
    /// Whether there is more.
    pub more: bool,
}

/// Why the index does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The question holds no word, or too many.
    #[error("{0}")]
    Query(String),
    /// Not now.
    #[error("search is unavailable: {0}")]
    Unavailable(String),
}

/// Most words of a question.
pub const WORDS_MAX: usize = 16;
/// Longest word that is indexed, in bytes; longer ones are left out.
pub const WORD_MAX: usize = 64;

/// An index over all tenants.
///
/// Contract (suite `contracts::search`): what was indexed is found after the next `commit`, at the latest. A commit
/// holds batches whole, each with its checkpoint: after a crash the index is where its last commit was. An error of
/// `index` or `commit` drops everything since the last commit: ask for the checkpoint and go on from there. Nobody
/// finds what is another tenant's. The index keeps no text that could be read back: snippets are made from the event.
#[async_trait]
pub trait Search: Send + Sync + 'static {
    /// How far the index is with a tenant, the uncommitted included.
    async fn checkpoint(&self, tenant: &TenantId) -> Result<Option<SearchCheckpoint>, SearchError>;
    /// Adds a stretch of log.
    async fn index(&self, batch: SearchBatch) -> Result<(), SearchError>;
    /// Makes durable and findable what was added.
    async fn commit(&self) -> Result<(), SearchError>;
    /// Answers a question.
    async fn find(&self, query: SearchQuery) -> Result<SearchMatches, SearchError>;
    /// Drops everything about a person; durable when this returns.
    async fn forget(&self, tenant: &TenantId, subject: ContactId) -> Result<(), SearchError>;
    /// Drops a tenant with its checkpoint: its log is another one now.
    async fn clear(&self, tenant: &TenantId) -> Result<(), SearchError>;
    /// Where in `text` the words of a question are, in bytes, in order.
    fn highlight(&self, question: &str, text: &str) -> Vec<Range<usize>>;
}
