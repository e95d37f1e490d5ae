//! The stream's WebSocket without its sessions: what comes in goes back. For suites that test RFC 6455 on an echo server
//! (scripts/autobahn.sh); no route of the engine leads here.

use axum::{Router, extract::WebSocketUpgrade, routing::get};
use schema::codes::Close;

use super::{
    StreamLimits,
    transport::{Incoming, Transport},
};

/// A router that echoes every message, at `/`.
pub fn echo(limits: StreamLimits) -> Router {
    let upgrade = async move |upgrade: WebSocketUpgrade| {
        upgrade
            .read_buffer_size(limits.read_buffer_bytes)
            .write_buffer_size(limits.write_buffer_bytes)
            .max_frame_size(limits.frame_bytes)
            .max_message_size(limits.frame_bytes)
            .on_upgrade(async move |socket| {
                let mut transport = Transport::new(socket, limits.write_stall);
                if let Some(close) = ended(&mut transport).await {
                    transport.close(close, limits.close_within).await;
                }
            })
    };
    Router::new().route("/", get(upgrade))
}

/// Echoes until one side ends it; why, if it was this one.
async fn ended(transport: &mut Transport) -> Option<Close> {
    loop {
        let sent = match transport.recv().await {
            Incoming::Text(text) => transport.send(text).await,
            Incoming::Binary(bytes) => transport.send_binary(bytes).await,
            Incoming::Control => Ok(()),
            Incoming::TooBig => return Some(Close::TooBig),
            Incoming::Garbled => return Some(Close::ProtocolError),
            Incoming::NotUtf8 => return Some(Close::NotUtf8),
            Incoming::Gone => {
                let _ = transport.flush().await;
                return None;
            }
        };
        if sent.is_err() {
            return None;
        }
    }
}
