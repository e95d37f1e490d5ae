//! Ports: what the core needs of the world, as traits. In-memory implementations are in `memory`, real ones
//! in the root package's adapters. Every implementation passes the same suite in `contracts`.

mod carrier;
mod channel;
mod clock;
mod cluster;
mod directory;
mod grants;
mod keys;
mod limiter;
mod log;
mod search;
mod snapshots;
mod views;

pub use carrier::{Carrier, History, HistoryQuery, ListError, ListedText, LookUp, OutgoingText, PastArrival};
pub use channel::{Answer, Arrival, Hook, Inbound, InboundError, LineScript, Moment, RawWebhook, Tell};
pub use clock::{Clock, Ids};
pub use cluster::{
    Answer as PeerAnswer, Asked, Cluster, Follow, Followed, Following, Member, MemberState, Owned, Peer, PeerError,
    Question, Stands,
};
pub use directory::{AccountEntry, ChannelEntry, Directory};
pub use grants::{Ask, Call, DayAsk, Grants, GrantsError, Outcome, RateAsk, Reply, SLACK};
pub use keys::{ContactKey, KeyError, Keys};
pub use limiter::{Admission, DayPart, DayUse, Limiter, PaceRequest};
pub use log::{Anchor, AppendError, Head, Log, LogError, WakeEntry};
pub use search::{
    Audience, Search, SearchBatch, SearchCheckpoint, SearchDocument, SearchError, SearchMatch, SearchMatches,
    SearchQuery, WORD_MAX, WORDS_MAX,
};
pub use snapshots::{SnapshotError, Snapshots};
pub use views::{
    Checkpoint, ConversationRow, DedupeEntry, Forget, InboxCursor, MessageRow, Page, Route, StoredConversation,
    VIEWS_VERSION, ViewError, ViewWrite, Views, ViewsBatch,
};
