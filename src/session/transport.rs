//! The WebSocket under a session: text in, text out, and never a write that waits for ever.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt as _};
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

/// A step of writing, without waiting.
type Step = fn(&mut WebSocket, &mut Context<'_>) -> Poll<Result<(), axum::Error>>;

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
        self.hand_over(Message::Text(text)).await
    }

    /// Sends everything handed over.
    pub(super) async fn flush(&mut self) -> Result<(), Stop> {
        self.until(SinkExt::poll_flush_unpin).await
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, text: impl Into<Text>) -> Result<(), Stop> {
        self.feed(text).await?;
        self.flush().await
    }

    /// Sends bytes, which no session does.
    pub(super) async fn send_binary(&mut self, bytes: Bytes) -> Result<(), Stop> {
        self.hand_over(Message::Binary(bytes)).await?;
        self.flush().await
    }

    async fn hand_over(&mut self, message: Message) -> Result<(), Stop> {
        self.until(SinkExt::poll_ready_unpin).await?;
        self.socket.start_send_unpin(message).map_err(|_| Close::WriteError.into())
    }

    /// Until the socket has done its step, or has stood still for too long.
    async fn until(&mut self, step: Step) -> Result<(), Stop> {
        let Self { socket, stall } = self;
        // Mostly the kernel takes it at once. The timer of the other times is not kept in every idle session.
        let first = poll_fn(|context| Poll::Ready(step(socket, context))).await;
        let done = match first {
            Poll::Ready(done) => Ok(done),
            Poll::Pending => Box::pin(tokio::time::timeout(*stall, poll_fn(|context| step(socket, context)))).await,
        };
        match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Close::WriteError.into()),
            Err(_) => Err(Close::Slow.into()),
        }
    }

    /// Says why, and waits a little for the client's answer: a socket that is dropped with unread bytes in it
    /// takes the close frame with it.
    pub(super) async fn close(&mut self, close: Close, within: Duration) {
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
