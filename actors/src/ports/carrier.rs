//! A carrier: takes one text, once, and tells from its own memory what became of texts and what came in.

use std::time::Duration;

use async_trait::async_trait;
use schema::{
    address::E164,
    command::{Command, SendOutcome},
    event::MediaRef,
    ids::{AccountId, ChannelId, ConversationId, MessageId},
    message::{CarrierError, Status},
    time::Stamp,
};

/// A claimed text on its way out.
#[derive(Debug, Clone)]
pub struct OutgoingText {
    /// The account that pays.
    pub account: AccountId,
    /// The line; names the callback.
    pub channel: ChannelId,
    /// The line's own number.
    pub from: String,
    /// To whom.
    pub to: E164,
    /// What.
    pub text: String,
    /// Pictures and files.
    pub media: Vec<MediaRef>,
    /// Rides in the callback's URL.
    pub conversation: ConversationId,
    /// Rides in the callback's URL.
    pub message: MessageId,
    /// Rides in the callback's URL.
    pub attempt: u16,
    /// When the limiter let it go: what its windows are judged by. Rides in the callback's URL.
    pub departs: Stamp,
    /// How long the carrier may keep it.
    pub validity: Duration,
    /// The call is dropped and its socket aborted after this long.
    pub time_out: Duration,
}

/// Which texts of ours to a contact the carrier is asked for.
#[derive(Debug, Clone)]
pub struct LookUp {
    /// The account that pays.
    pub account: AccountId,
    /// The line's own number.
    pub from: String,
    /// To whom.
    pub to: E164,
    /// Taken by the carrier no earlier than this.
    pub since: Stamp,
    /// Taken by the carrier no later than this.
    pub until: Stamp,
    /// The whole question is given up after this long.
    pub time_out: Duration,
}

/// A text of ours as the carrier remembers it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedText {
    /// The carrier's id.
    pub carrier_id: String,
    /// When the carrier took it, by the carrier's clock.
    pub taken: Stamp,
    /// What it says.
    pub text: String,
    /// Pictures and files.
    pub media: usize,
    /// Where it is: [`Status::Sent`] or higher.
    pub status: Status,
    /// Why it failed.
    pub error: Option<CarrierError>,
}

/// Which arrivals of a line the carrier is asked for.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    /// The line's account.
    pub account: AccountId,
    /// The line.
    pub channel: ChannelId,
    /// The line's own number.
    pub address: String,
    /// From here.
    pub since: Stamp,
    /// To here.
    pub until: Stamp,
    /// Most requests; what they do not cover makes the answer incomplete.
    pub requests_max: usize,
    /// Each request is given up after this long.
    pub time_out: Duration,
}

/// Something that came in, as the carrier remembers it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastArrival {
    /// When, by the carrier's clock.
    pub at: Stamp,
    /// The same command that its webhook makes, with the same id.
    pub command: Command,
}

/// What came in on a line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// In the order they came.
    pub arrivals: Vec<PastArrival>,
    /// Whether that is everything of the time asked for.
    pub complete: bool,
    /// Requests it took.
    pub requests: usize,
}

/// Why the carrier's memory cannot be read. It never says anything about a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// This carrier keeps no list.
    #[error("the carrier has no list")]
    Unsupported,
    /// Not now.
    #[error("the carrier's list is unavailable: {reason}")]
    Unavailable {
        /// As the carrier asked, if it did.
        retry_after: Option<Duration>,
        /// For people; nothing of a contact is in it.
        reason: String,
    },
}

impl ListError {
    /// Not now, and the carrier did not say when.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { retry_after: None, reason: reason.into() }
    }
}

/// Sends texts. It never retries: whether that is safe is decided by whoever reads the outcome.
#[async_trait]
pub trait Carrier: Send + Sync + 'static {
    /// Sends one text and says what certainly is known of it.
    async fn send(&self, text: OutgoingText) -> SendOutcome;

    /// Texts of ours that the carrier remembers, in any order. One that is missing may still come.
    async fn look_up(&self, query: LookUp) -> Result<Vec<ListedText>, ListError> {
        let _ = query;
        Err(ListError::Unsupported)
    }

    /// What came in on a line.
    async fn history(&self, query: HistoryQuery) -> Result<History, ListError> {
        let _ = query;
        Err(ListError::Unsupported)
    }
}
