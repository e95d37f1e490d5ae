//! Frames of the operators' stream: commands as clients send them, replies and pushes as we answer.
//!
//! Centrifugo client protocol, JSON, version 2 (`definitions/client.proto` in github centrifugal/protocol).
//! Unknown fields are ignored, as protobuf's JSON does. Publications of the inbox are not made here but by the feed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    codes::{ErrorBody, Unsubscribe},
    ids::{ConversationId, OperatorId},
    time::Stamp,
};

/// Bit in a subscribe request's `flag`: answer 112 rather than `recovered: false`.
pub const FLAG_REJECT_UNRECOVERED: i64 = 2;

/// One command. The first field that is set says which; none is the answer to a ping.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Command {
    /// Names the reply; 0: there will be none.
    pub id: u32,
    /// Must come first.
    pub connect: Option<ConnectRequest>,
    /// Begins a client-side subscription.
    pub subscribe: Option<SubscribeRequest>,
    /// Ends it.
    pub unsubscribe: Option<ChannelRequest>,
    /// Not for operators.
    pub publish: Option<ChannelRequest>,
    /// Who is there.
    pub presence: Option<ChannelRequest>,
    /// How many are there.
    pub presence_stats: Option<ChannelRequest>,
    /// What was there.
    pub history: Option<HistoryRequest>,
    /// An empty command by name.
    pub ping: Option<serde::de::IgnoredAny>,
    /// Without a reply; nothing is done.
    pub send: Option<serde::de::IgnoredAny>,
    /// An operator's command.
    pub rpc: Option<RpcRequest>,
    /// A new token.
    pub refresh: Option<TokenRequest>,
    /// Subscriptions have no tokens of their own.
    pub sub_refresh: Option<ChannelRequest>,
}

impl Command {
    /// Reads one line of a frame.
    pub fn parse(line: &str) -> Result<Self, BadCommand> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct OnlyId {
            id: u32,
        }
        serde_json::from_str(line)
            .map_err(|_| BadCommand { id: serde_json::from_str::<OnlyId>(line).map_or(0, |only| only.id) })
    }

    /// `{}`: the answer to a ping.
    pub fn is_pong(&self) -> bool {
        self.id == 0 && self.send.is_none()
    }
}

/// A line that is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a command")]
pub struct BadCommand {
    /// Its id, if that much could be read; else 0.
    pub id: u32,
}

/// `connect`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConnectRequest {
    /// Who asks.
    pub token: String,
    /// May hold the inbox position: [`ConnectData`].
    pub data: Option<ConnectData>,
    /// Server-side subscriptions the client knows, with their positions.
    pub subs: BTreeMap<String, SubscribeRequest>,
}

/// `connect`'s `data`: `{"inbox":{"epoch":"1","offset":7}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConnectData {
    /// Where the first load was true.
    pub inbox: Option<PositionBody>,
}

/// A position on the wire. Epochs are strings there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct PositionBody {
    /// Which log.
    pub epoch: String,
    /// Everything up to here is known.
    pub offset: u64,
}

/// `subscribe`, and an entry of `connect`'s `subs`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SubscribeRequest {
    /// Which channel.
    pub channel: String,
    /// Send what was missed since (epoch, offset).
    pub recover: bool,
    /// Which log.
    pub epoch: String,
    /// Everything up to here is known.
    pub offset: u64,
    /// Bits: [`FLAG_REJECT_UNRECOVERED`].
    pub flag: i64,
}

/// Commands that only name a channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChannelRequest {
    /// Which channel.
    pub channel: String,
}

/// `history`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct HistoryRequest {
    /// Which channel.
    pub channel: String,
    /// Most publications; 0: only the position; negative: as many as a page holds.
    pub limit: i32,
    /// After this (before it, if reversed); none: from the beginning (the end, if reversed).
    pub since: Option<PositionBody>,
    /// Newest first.
    pub reverse: bool,
}

/// `rpc`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RpcRequest {
    /// For example `message.send`.
    pub method: String,
    /// Its arguments.
    pub data: Option<Box<RawValue>>,
}

/// `refresh`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TokenRequest {
    /// The new token.
    pub token: String,
}

/// A reply. Exactly one of the fields beside `id` is set.
#[derive(Debug, Default, Serialize)]
pub struct Reply {
    /// The command's. 0 (left out) only for errors whose command could not be read.
    #[serde(skip_serializing_if = "is_zero")]
    pub id: u32,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// To `connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<ConnectResult>,
    /// To `subscribe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<SubscribeResult>,
    /// To `unsubscribe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<Empty>,
    /// To `presence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<PresenceResult>,
    /// To `presence_stats`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_stats: Option<PresenceStatsResult>,
    /// To `history`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryResult>,
    /// To `ping`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping: Option<Empty>,
    /// To `rpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc: Option<RpcResult>,
    /// To `refresh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshResult>,
}

impl Reply {
    /// An error.
    pub fn error(id: u32, error: impl Into<ErrorBody>) -> Self {
        Self { id, error: Some(error.into()), ..Self::default() }
    }

    /// As it goes out.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("plain values always encode")
    }
}

fn is_zero(id: &u32) -> bool {
    *id == 0
}

/// `{}`.
#[derive(Debug, Default, Serialize)]
pub struct Empty {}

/// To `connect`.
#[derive(Debug, Serialize)]
pub struct ConnectResult {
    /// Names the connection.
    pub client: String,
    /// Of the server.
    pub version: &'static str,
    /// Whether the token runs out.
    pub expires: bool,
    /// Seconds until then.
    pub ttl: u32,
    /// Who the token says you are.
    pub data: Identity,
    /// Server-side subscriptions.
    pub subs: BTreeMap<String, SubscribeResult>,
    /// Seconds between pings.
    pub ping: u32,
    /// Whether pings must be answered.
    pub pong: bool,
    /// The same as `client`; bidirectional transports do not need more.
    pub session: String,
    /// Where.
    pub node: String,
}

/// In `connect`'s reply.
#[derive(Debug, Serialize)]
pub struct Identity {
    /// Who.
    pub operator: OperatorId,
    /// The role in force.
    pub role: crate::role::Role,
}

/// To `subscribe`, and for each server-side subscription.
#[derive(Debug, Default, Serialize)]
pub struct SubscribeResult {
    /// The channel has positions to come back with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recoverable: bool,
    /// Its publications have offsets.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub positioned: bool,
    /// Which log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub epoch: String,
    /// What the client holds after this reply.
    #[serde(skip_serializing_if = "is_start")]
    pub offset: u64,
    /// It asked to recover.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub was_recovering: bool,
    /// Complete and in order up to `offset`; what follows comes as pushes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
    /// What was missed, as a JSON array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publications: Option<Box<RawValue>>,
}

fn is_start(offset: &u64) -> bool {
    *offset == 0
}

/// To `presence`.
#[derive(Debug, Default, Serialize)]
pub struct PresenceResult {
    /// By connection.
    pub presence: BTreeMap<String, ClientInfo>,
}

/// One connection.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClientInfo {
    /// The operator.
    pub user: OperatorId,
    /// The connection.
    pub client: String,
    /// What it is doing.
    pub chan_info: Doing,
}

/// What an operator's connection is doing.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct Doing {
    /// Conversations open on the screen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looking: Vec<ConversationId>,
    /// The conversation it is writing in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing: Option<ConversationId>,
}

/// To `presence_stats`.
#[derive(Debug, Default, Serialize)]
pub struct PresenceStatsResult {
    /// Connections.
    pub num_clients: u32,
    /// Operators.
    pub num_users: u32,
}

/// To `history`.
#[derive(Debug, Default, Serialize)]
pub struct HistoryResult {
    /// A JSON array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publications: Option<Box<RawValue>>,
    /// Which log.
    pub epoch: String,
    /// The channel's end.
    pub offset: u64,
}

/// To `rpc`.
#[derive(Debug, Serialize)]
pub struct RpcResult {
    /// The method's answer.
    pub data: Box<RawValue>,
}

/// To `refresh`.
#[derive(Debug, Serialize)]
pub struct RefreshResult {
    /// Names the connection.
    pub client: String,
    /// Of the server.
    pub version: &'static str,
    /// Whether the token runs out.
    pub expires: bool,
    /// Seconds until then.
    pub ttl: u32,
}

/// A push beside publications of the log.
#[derive(Debug, Serialize)]
pub struct Push {
    push: PushBody,
}

#[derive(Debug, Serialize)]
struct PushBody {
    channel: String,
    #[serde(flatten)]
    what: What,
}

/// What a push tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Somebody came online.
    Join {
        /// Who.
        info: ClientInfo,
    },
    /// Somebody left.
    Leave {
        /// Who.
        info: ClientInfo,
    },
    /// Passing news without an offset.
    Pub {
        /// What.
        data: Activity,
    },
    /// The subscription ended.
    Unsubscribe {
        /// From 2500 on: subscribe again.
        code: u16,
        /// For people.
        reason: &'static str,
    },
}

/// Passing news on the presence channel.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Activity {
    /// A conversation was opened or closed on a screen.
    Looking {
        /// Who.
        operator: OperatorId,
        /// Which connection.
        client: String,
        /// Which conversation.
        conversation: ConversationId,
        /// Opened, or closed.
        on: bool,
    },
    /// Somebody writes, or stopped.
    Typing {
        /// Who.
        operator: OperatorId,
        /// Which connection.
        client: String,
        /// In which conversation.
        conversation: ConversationId,
        /// Until then unless renewed, in microseconds since the epoch; none: stopped.
        until: Option<Stamp>,
    },
}

impl Push {
    /// On a channel.
    pub fn new(channel: impl Into<String>, what: What) -> Self {
        Self { push: PushBody { channel: channel.into(), what } }
    }

    /// The end of a subscription.
    pub fn unsubscribe(channel: impl Into<String>, code: Unsubscribe) -> Self {
        Self::new(channel, What::Unsubscribe { code: code.code(), reason: code.reason() })
    }

    /// As it goes out.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("plain values always encode")
    }
}

/// The server's ping, and the client's answer.
pub const PING: &str = "{}";

#[cfg(test)]
mod tests;
