//! The WebSocket under a session: text in, text out, and never a write that waits for ever.

use std::{task::Poll, time::Duration};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use schema::codes::Close;

/// What comes in.
pub(super) enum Incoming {
    /// Commands.
    Text(Utf8Bytes),
    /// Not the protocol.
    Binary(Bytes),
    /// A ping or pong of the WebSocket itself; it is answered already.
    Control,
    /// Larger than allowed.
    TooBig,
    /// No WebSocket any more.
    Garbled,
    /// Text that is not UTF-8.
    NotUtf8,
    /// The client closed, or the socket broke.
    Gone,
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// By us: the client is told.
    Close(Close),
    /// There is nobody left to tell.
    Gone,
}

impl From<Close> for Stop {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// A WebSocket whose writes have a time limit.
pub(super) struct Transport {
    socket: WebSocket,
    stall: Duration,
}

impl Transport {
    pub(super) fn new(socket: WebSocket, stall: Duration) -> Self {
        Self { socket, stall }
    }

    /// What comes next. Dropping the future loses nothing.
    pub(super) async fn recv(&mut self) -> Incoming {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Incoming::Text(text),
            Some(Ok(Message::Binary(bytes))) => Incoming::Binary(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Incoming::Control,
            Some(Err(error)) => broken(&error),
            // The client's goodbye is answered when something is flushed.
            Some(Ok(Message::Close(_))) | None => Incoming::Gone,
        }
    }

    /// Hands a message over; it leaves at the latest with the next `flush`.
    pub(super) async fn feed(&mut self, text: impl Into<Text>) -> Result<(), Stop> {
        let Text(text) = text.into();
        self.within(|socket| socket.feed(Message::Text(text))).await
    }

    /// Sends everything handed over.
    pub(super) async fn flush(&mut self) -> Result<(), Stop> {
        self.within(|socket| socket.flush()).await
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, text: impl Into<Text>) -> Result<(), Stop> {
        self.feed(text).await?;
        self.flush().await
    }

    /// Sends bytes, which no session does.
    pub(super) async fn send_binary(&mut self, bytes: Bytes) -> Result<(), Stop> {
        self.within(|socket| socket.send(Message::Binary(bytes))).await
    }

    async fn within<'a, F>(&'a mut self, write: impl FnOnce(&'a mut WebSocket) -> F) -> Result<(), Stop>
    where
        F: Future<Output = Result<(), axum::Error>>,
    {
        let mut writing = std::pin::pin!(write(&mut self.socket));
        // Mostly the kernel takes it at once, and no timer is needed.
        let written = match futures_util::poll!(writing.as_mut()) {
            Poll::Ready(written) => Ok(written),
            Poll::Pending => tokio::time::timeout(self.stall, writing).await,
        };
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Stop::Close(Close::WriteError)),
            Err(_) => Err(Stop::Close(Close::Slow)),
        }
    }

    /// Says why, and waits a little for the client's answer: a socket that is dropped with unread bytes in it
    /// takes the close frame with it.
    pub(super) async fn close(mut self, close: Close, within: Duration) {
        let frame = CloseFrame { code: close.code(), reason: Utf8Bytes::from_static(close.reason()) };
        let goodbye = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        // A client that does not answer in time is dropped all the same.
        let _ = tokio::time::timeout(within, goodbye).await;
    }
}

/// The library says only in words what was wrong. A socket that broke has nobody left to tell.
fn broken(error: &axum::Error) -> Incoming {
    let words = error.to_string();
    if words.starts_with("Space limit exceeded") {
        Incoming::TooBig
    } else if words.starts_with("UTF-8 encoding error") {
        Incoming::NotUtf8
    } else if words.starts_with("WebSocket protocol error") && !words.contains("without closing handshake") {
        Incoming::Garbled
    } else {
        Incoming::Gone
    }
}

/// Text that goes out: made here, or shared bytes of the feed.
pub(super) struct Text(Utf8Bytes);

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Utf8Bytes> for Text {
    fn from(text: Utf8Bytes) -> Self {
        Self(text)
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Utf8Bytes::from_static(text))
    }
}

impl From<Bytes> for Text {
    fn from(bytes: Bytes) -> Self {
        Self(Utf8Bytes::try_from(bytes).expect("frames are JSON, which is UTF-8"))
    }
}
