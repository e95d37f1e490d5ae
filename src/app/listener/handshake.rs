//! The first bytes on a TLS port: a handshake, or somebody who speaks plain HTTP and is told so.

use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::app::tls::Tls;

/// First byte of every TLS record that can begin a handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// What a plain HTTP client is told.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 27\r\n\
    Connection: close\r\n\r\nthis port speaks HTTPS only";
/// Bytes of such a client that are read before the connection ends: closing on unread ones would take the answer away.
const UNREAD_MAX: usize = 64 * 1024;

/// A connection after its handshake; none if there was none to be had. Whoever waits must bound the time.
pub(super) async fn handshake(mut stream: TcpStream, tls: &Tls) -> Option<TlsStream<TcpStream>> {
    let outcome = match speaks_tls(&stream).await {
        Ok(true) => TlsAcceptor::from(tls.current()).accept(stream).await,
        Ok(false) => {
            count("plain");
            // It has gone away, or it has its answer.
            drop(turn_away(&mut stream).await);
            return None;
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(stream) => {
            count("done");
            Some(stream)
        }
        Err(error) => {
            count("failed");
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
    }
}

pub(super) fn count(outcome: &'static str) {
    metrics::counter!("deskwire_tls_handshakes_total", "outcome" => outcome).increment(1);
}

async fn speaks_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(first[0] == HANDSHAKE),
    }
}

async fn turn_away(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(PLAIN).await?;
    stream.shutdown().await?;
    let mut rest = [0; 1_024];
    let mut read = 0;
    while read < UNREAD_MAX {
        match stream.read(&mut rest).await? {
            0 => break,
            count => read += count,
        }
    }
    Ok(())
}
