//! The asking end of the relay: one connection to a node, made when it is needed.

use std::{sync::Mutex, sync::PoisonError, time::Duration};

use actors::ports::{Asked, Follow, Following, Peer, PeerAnswer, PeerError};
use async_trait::async_trait;
use axum::http::uri::PathAndQuery;
use bytes::Bytes;
use tokio::sync::mpsc;
use tonic::{
    Code, Request, Status, Streaming,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use super::{
    ASK, FOLLOW, Identity, MESSAGE_MAX,
    codec::{Raw, read, read_followed, read_refusal, write},
};
use crate::cluster::keys::NAME;

/// For a connection, with its handshake.
const CONNECT_WITHIN: Duration = Duration::from_millis(1_000);
/// A connection on which nothing comes back for so long is dead: interval and time for the answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3));
/// What is under way on one follow; beyond it the owner waits.
const UNDER_WAY: usize = 16;

/// The way to one node.
pub(in crate::cluster) struct Client {
    address: String,
    identity: Identity,
    channel: Mutex<Option<Channel>>,
    /// One connects, the others wait.
    connecting: tokio::sync::Mutex<()>,
}

impl Client {
    pub(in crate::cluster) fn new(address: String, identity: Identity) -> Self {
        Self { address, identity, channel: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    pub(in crate::cluster) fn address(&self) -> &str {
        &self.address
    }

    fn known(&self) -> Option<Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It is made again for the next question.
    fn forget(&self) {
        *self.channel.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn channel(&self) -> Result<Channel, PeerError> {
        if let Some(channel) = self.known() {
            return Ok(channel);
        }
        let _turn = self.connecting.lock().await;
        if let Some(channel) = self.known() {
            return Ok(channel);
        }
        let unreachable = |error: tonic::transport::Error| PeerError::Unreachable(causes(&error));
        let endpoint = self.endpoint().map_err(unreachable)?;
        let channel = match tokio::time::timeout(CONNECT_WITHIN, endpoint.connect()).await {
            Ok(channel) => channel.map_err(unreachable)?,
            Err(_) => return Err(PeerError::Unreachable("no connection in time".to_owned())),
        };
        *self.channel.lock().unwrap_or_else(PoisonError::into_inner) = Some(channel.clone());
        Ok(channel)
    }

    fn endpoint(&self) -> Result<Endpoint, tonic::transport::Error> {
        let identity = &self.identity;
        let tls = ClientTlsConfig::new()
            .domain_name(NAME)
            .ca_certificate(Certificate::from_pem(&identity.authority))
            .identity(tonic::transport::Identity::from_pem(&identity.certificate, &identity.key));
        Endpoint::from_shared(format!("https://{}", self.address))?
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .tls_config(tls)
    }

    async fn grpc(&self) -> Result<tonic::client::Grpc<Channel>, PeerError> {
        let mut grpc = tonic::client::Grpc::new(self.channel().await?).max_decoding_message_size(MESSAGE_MAX);
        if let Err(error) = grpc.ready().await {
            self.forget();
            return Err(PeerError::Unreachable(causes(&error)));
        }
        Ok(grpc)
    }

    /// After something was sent. Only a connection that was refused says that nothing was done.
    fn failed(&self, status: &Status) -> PeerError {
        if let Some(refusal) = read_refusal(status) {
            return refusal;
        }
        if matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal) {
            self.forget();
        }
        let reason = causes(status);
        match status.code() {
            Code::FailedPrecondition | Code::InvalidArgument | Code::Unimplemented => PeerError::Unreachable(reason),
            _ if was_refused(status) => PeerError::Unreachable(reason),
            _ => PeerError::Unknown(reason),
        }
    }
}

#[async_trait]
impl Peer for Client {
    async fn ask(&self, asked: Asked) -> Result<PeerAnswer, PeerError> {
        let message = write(&asked).map_err(|status| PeerError::Unreachable(status.message().to_owned()))?;
        let mut grpc = self.grpc().await?;
        let answer = grpc.unary(Request::new(message), PathAndQuery::from_static(ASK), Raw).await;
        let answer: Bytes = answer.map_err(|status| self.failed(&status))?.into_inner();
        let answer: Result<PeerAnswer, PeerError> =
            read(&answer).map_err(|status| PeerError::Unknown(status.message().to_owned()))?;
        answer
    }

    async fn follow(&self, follow: Follow) -> Result<Following, PeerError> {
        let message = write(&follow).map_err(|status| PeerError::Unreachable(status.message().to_owned()))?;
        let mut grpc = self.grpc().await?;
        let begun = grpc.server_streaming(Request::new(message), PathAndQuery::from_static(FOLLOW), Raw).await;
        let coming = begun.map_err(|status| self.failed(&status))?.into_inner();
        let (to, following) = mpsc::channel(UNDER_WAY);
        tokio::spawn(take(coming, to));
        Ok(following)
    }
}

/// What is not taken is not read: the owner's stream waits, by HTTP/2's own flow control.
async fn take(mut coming: Streaming<Bytes>, to: mpsc::Sender<actors::ports::Followed>) {
    loop {
        let message = tokio::select! {
            message = coming.message() => message,
            () = to.closed() => return,
        };
        let followed = match message {
            Ok(Some(message)) => read_followed(&message),
            Ok(None) => return,
            Err(status) => Err(status),
        };
        match followed {
            Ok(Some(followed)) => {
                if to.send(followed).await.is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(status) => return tracing::debug!(reason = causes(&status), "a follow has ended"),
        }
    }
}

fn was_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(|cause| {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        kind == Some(std::io::ErrorKind::ConnectionRefused)
    })
}

fn chain<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
