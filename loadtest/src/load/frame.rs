//! Frames as the engine sends them, as far as the harness looks: borrowed from the text, events left as they are.

use std::{borrow::Cow, collections::HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

/// One line of a WebSocket message.
#[derive(Debug, Deserialize)]
pub struct Frame<'a> {
    /// Of the command that it answers; 0: none.
    #[serde(default)]
    pub id: u32,
    /// Something happened.
    #[serde(borrow)]
    pub push: Option<Push<'a>>,
    /// To `connect`.
    #[serde(borrow)]
    pub connect: Option<Connected<'a>>,
    /// To `rpc`.
    pub rpc: Option<Rpc>,
    /// Why not.
    pub error: Option<Error>,
}

/// On a channel.
#[derive(Debug, Deserialize)]
pub struct Push<'a> {
    /// Which.
    #[serde(borrow)]
    pub channel: Cow<'a, str>,
    /// None: the subscription changed.
    #[serde(borrow, rename = "pub")]
    pub publication: Option<Publication<'a>>,
}

/// An event.
#[derive(Debug, Deserialize)]
pub struct Publication<'a> {
    /// As it stands.
    #[serde(borrow)]
    pub data: &'a RawValue,
    /// Where.
    #[serde(default)]
    pub offset: u64,
}

/// To `connect`.
#[derive(Debug, Deserialize)]
pub struct Connected<'a> {
    /// Subscriptions that the server made.
    #[serde(borrow, default)]
    pub subs: HashMap<&'a str, Subscribed<'a>>,
}

/// One subscription.
#[derive(Debug, Deserialize)]
pub struct Subscribed<'a> {
    /// Everything since the position is here or follows.
    #[serde(default)]
    pub recovered: bool,
    /// Which log.
    #[serde(default, borrow)]
    pub epoch: Cow<'a, str>,
    /// Where it stands after the publications.
    #[serde(default)]
    pub offset: u64,
    /// What was missed.
    #[serde(default, borrow)]
    pub publications: Vec<Publication<'a>>,
}

/// To `rpc`.
#[derive(Debug, Deserialize)]
pub struct Rpc {
    /// The method's answer.
    pub data: RpcReply,
}

/// To a command.
#[derive(Debug, Deserialize)]
pub struct RpcReply {
    /// Of the event that it made.
    #[serde(default)]
    pub offset: u64,
    /// The message that it made.
    pub message: Option<uuid::Uuid>,
}

/// Why not.
#[derive(Debug, Deserialize)]
pub struct Error {
    /// Centrifugo's, and from 400 on the engine's own.
    pub code: u32,
    /// Worth another try.
    #[serde(default)]
    pub temporary: bool,
}
