//! The answering end of the relay.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actors::ports::{Asked, Follow, Following, Peer, PeerError};
use axum::http;
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::watch;
use tonic::{
    Request, Response, Status,
    body::Body,
    server::Grpc,
    transport::{Certificate, Server, ServerTlsConfig, server::TcpIncoming},
};

use super::{
    ASK, FOLLOW, Identity, MESSAGE_MAX,
    codec::{Raw, read, refusal, write, write_followed},
};
use crate::cluster::ClusterError;

/// For a handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// A connection on which nothing comes back for so long is closed: interval and time for the answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5));
/// Questions and follows of one node at once.
const STREAMS_MAX: u32 = 65_536;

type Door = Arc<OnceLock<Arc<dyn Peer>>>;

/// Listens for other nodes.
pub(in crate::cluster) struct Relay {
    door: Door,
    stop: watch::Sender<bool>,
}

impl Relay {
    pub(in crate::cluster) fn bind(address: SocketAddr, identity: &Identity) -> Result<Self, ClusterError> {
        let tls = ServerTlsConfig::new()
            .identity(tonic::transport::Identity::from_pem(&identity.certificate, &identity.key))
            .client_ca_root(Certificate::from_pem(&identity.authority))
            .timeout(HANDSHAKE_WITHIN);
        let server = Server::builder()
            .tls_config(tls)
            .map_err(|error| ClusterError::Certificates(format!("{error:?}")))?
            .http2_keepalive_interval(Some(KEEP_ALIVE.0))
            .http2_keepalive_timeout(Some(KEEP_ALIVE.1))
            .max_concurrent_streams(STREAMS_MAX);
        let incoming = TcpIncoming::bind(address).map_err(|error| ClusterError::Bind {
            key: "cluster.relay_listen",
            address,
            reason: error.to_string(),
        })?;
        let door = Door::default();
        let (stop, mut stopping) = watch::channel(false);
        let answered = door.clone();
        let service = tower::service_fn(move |request| serve(answered.clone(), request));
        tokio::spawn(async move {
            let stopped = async move { drop(stopping.wait_for(|stop| *stop).await) };
            let incoming = incoming.with_nodelay(Some(true));
            let served = tokio::select! {
                served = server.serve_with_incoming(service, incoming) => served,
                () = stopped => Ok(()),
            };
            if let Err(error) = served {
                tracing::error!(%error, "the relay has ended: other nodes cannot reach this one");
            }
        });
        Ok(Self { door, stop })
    }

    pub(in crate::cluster) fn open(&self, door: Arc<dyn Peer>) {
        // Opened once; a second door would be the same.
        let _ = self.door.set(door);
    }

    pub(in crate::cluster) fn close(&self) {
        self.stop.send_replace(true);
    }
}

async fn serve(door: Door, request: http::Request<Body>) -> Result<http::Response<Body>, Infallible> {
    let mut grpc = Grpc::new(Raw).max_decoding_message_size(MESSAGE_MAX);
    Ok(match request.uri().path() {
        ASK => {
            let answer = tower::service_fn(move |asked| answer(door.clone(), asked));
            grpc.unary(answer, request).await
        }
        FOLLOW => {
            let begin = tower::service_fn(move |follow| begin(door.clone(), follow));
            grpc.server_streaming(begin, request).await
        }
        _ => Status::unimplemented("the relay has no such method").into_http(),
    })
}

async fn answer(door: Door, asked: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    let asked: Asked = read(&asked.into_inner())?;
    let answer = match door.get() {
        Some(door) => door.ask(asked).await,
        None => Err(PeerError::Moving),
    };
    Ok(Response::new(write(&answer)?))
}

async fn begin(
    door: Door,
    follow: Request<Bytes>,
) -> Result<Response<impl Stream<Item = Result<Bytes, Status>>>, Status> {
    let follow: Follow = read(&follow.into_inner())?;
    let begun = match door.get() {
        Some(door) => door.follow(follow).await,
        None => Err(PeerError::Moving),
    };
    let following = begun.map_err(|error| refusal(&error))?;
    Ok(Response::new(stream::unfold(following, next)))
}

async fn next(mut following: Following) -> Option<(Result<Bytes, Status>, Following)> {
    let followed = following.recv().await?;
    Some((write_followed(&followed), following))
}
