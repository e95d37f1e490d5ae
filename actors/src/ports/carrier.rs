//! A carrier: takes one text, once.

use std::time::Duration;

use async_trait::async_trait;
use schema::{
    address::E164,
    command::SendOutcome,
    event::MediaRef,
    ids::{AccountId, ChannelId, ConversationId, MessageId},
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
    /// How long the carrier may keep it.
    pub validity: Duration,
    /// The call is dropped and its socket aborted after this long.
    pub time_out: Duration,
}

/// Sends texts. It never retries: whether that is safe is decided by whoever reads the outcome.
#[async_trait]
pub trait Carrier: Send + Sync + 'static {
    /// Sends one text and says what certainly is known of it.
    async fn send(&self, text: OutgoingText) -> SendOutcome;
}
