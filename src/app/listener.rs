//! The HTTP listener: accepts within a bound, times slow clients out, drains at the end. Speaks TLS if it is given a
//! certificate. Knows no route.

mod halves;
mod handshake;
mod stall;
mod strict;

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode, header},
};
use futures_util::TryFutureExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::Instant,
};

use self::{halves::Halves, stall::Stalling};
use super::tls::Tls;
use crate::session::Wire;

/// Bounds of a listener; each with its failure in `config/default.toml`.
#[derive(Debug, Clone, Copy)]
pub struct ListenerLimits {
    /// Open connections; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Time for a request's headers, for the first one's after the TLS handshake with it: a slow-loris ends here.
    pub header_timeout: Duration,
    /// Time in which a client must take something of its answer: one that does not read ends here.
    pub stall_timeout: Duration,
}

/// Bytes of hyper's buffer for one connection: idle connections must stay small.
const BUFFER: usize = 16 * 1024;
/// Wait after an accept that failed for want of files or memory.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// A bound socket that is not served yet.
pub struct Listener {
    socket: TcpListener,
    limits: ListenerLimits,
    tls: Option<Tls>,
}

/// What every connection is served with.
#[derive(Clone)]
struct Serving {
    routes: Router,
    limits: ListenerLimits,
    tls: Option<Tls>,
    stop: watch::Receiver<bool>,
}

impl Listener {
    /// Binds; a port of 0 takes any that is free. Speaks TLS if there is a certificate.
    pub async fn bind(address: SocketAddr, limits: ListenerLimits, tls: Option<Tls>) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address).await?, limits, tls })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` turns true, then lets open requests end for at most `drain`.
    pub async fn serve(self, routes: Router, mut stop: watch::Receiver<bool>, drain: Duration) {
        let places = Arc::new(Semaphore::new(self.limits.connections_max));
        let mut connections = JoinSet::new();
        let serving = Serving { routes, limits: self.limits, tls: self.tls, stop: stop.clone() };
        loop {
            let place = tokio::select! {
                () = stopped(&mut stop) => break,
                place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
            };
            let accepted = tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let connection = serve_connection(stream, peer, serving.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        drop(self.socket);
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, all).await.is_err() {
            tracing::warn!("connections were still open at the end of the drain");
        }
    }
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, mut serving: Serving) {
    if let Err(error) = stream.set_nodelay(true) {
        return tracing::debug!(%error, "a connection ended before it began");
    }
    let Some(tls) = serving.tls.take() else {
        let halves = Halves::of(stream);
        let wire = halves.wire();
        return serve_http(halves, peer, serving, First { by: None, wire: Some(wire) }).await;
    };
    let first_by = Instant::now() + serving.limits.header_timeout;
    let mut stop = serving.stop.clone();
    let stream = tokio::select! {
        () = stopped(&mut stop) => None,
        shaken = tokio::time::timeout_at(first_by, handshake::handshake(stream, &tls)) => shaken.unwrap_or_else(|_| {
            handshake::count("slow");
            None
        }),
    };
    if let Some(stream) = stream {
        Box::pin(serve_http(stream, peer, serving, First { by: Some(first_by), wire: None })).await;
    }
}

/// What a connection begins with.
struct First {
    /// When the first request's headers must be there, handshake included.
    by: Option<Instant>,
    /// Where there is no TLS: its writing half, for whoever takes the connection over.
    wire: Option<Wire>,
}

/// Serves requests.
async fn serve_http<S>(stream: S, peer: SocketAddr, serving: Serving, First { by: first_by, wire }: First)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Serving { routes, limits, mut stop, .. } = serving;
    let asked = Arc::new(AtomicBool::new(first_by.is_none()));
    let handed_over = Arc::<AtomicBool>::default();
    let stream = Stalling::new(stream, limits.stall_timeout, handed_over.clone());
    let seen = asked.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        seen.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(wire) = wire.as_ref().filter(|_| request.headers().contains_key(header::UPGRADE)) {
            let wire = wire.clone();
            request.extensions_mut().insert(wire);
        }
        let handed_over = handed_over.clone();
        strict::serve(routes.clone(), request.map(Body::new)).inspect_ok(move |answer| {
            handed_over.store(answer.status() == StatusCode::SWITCHING_PROTOCOLS, Ordering::Relaxed);
        })
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = too_late(first_by, &asked) => return,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// Returns when the first request has not come in time; never, once it has.
async fn too_late(first_by: Option<Instant>, asked: &AtomicBool) {
    if let Some(at) = first_by {
        tokio::time::sleep_until(at).await;
        if !asked.load(Ordering::Relaxed) {
            return;
        }
    }
    std::future::pending().await
}

/// Returns when it is time to stop, or when nobody can say any more.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
