//! The carrier's door: a listener that can be shut and opened again on the same address, as of a carrier that is away.

use std::{io, net::SocketAddr, time::Duration};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Between two tries to have the address again.
const AGAIN: Duration = Duration::from_millis(20);

/// What the carrier does not do for a while.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Absence {
    /// How REST answers.
    pub rest: Rest,
    /// Texts and calls come in and are kept, and no webhook is posted.
    pub webhooks: bool,
}

/// How REST answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rest {
    /// As ever.
    #[default]
    Here,
    /// With 503.
    Error,
    /// Not at all: nobody listens, connections are refused, those that were open are closed.
    Refuse,
}

/// A listener that is there, or not.
pub(super) struct Door {
    listener: Option<TcpListener>,
    address: SocketAddr,
    absence: watch::Receiver<Absence>,
}

impl Door {
    pub(super) fn new(listener: TcpListener, address: SocketAddr, absence: watch::Receiver<Absence>) -> Self {
        Self { listener: Some(listener), address, absence }
    }

    fn is_shut(&mut self) -> bool {
        self.absence.borrow_and_update().rest == Rest::Refuse
    }

    async fn open(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => TcpListener::bind(self.address).await?,
        };
        let listener: &TcpListener = self.listener.insert(listener);
        TcpListener::accept(listener).await
    }
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            if self.is_shut() {
                self.listener = None;
                // The carrier is stopped together with its state: nobody waits for it then.
                let opened = self.absence.wait_for(|absence| absence.rest != Rest::Refuse).await.is_ok();
                if !opened {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let mut changes = self.absence.clone();
            tokio::select! {
                accepted = self.open() => match accepted {
                    Ok(accepted) => return accepted,
                    Err(_) => tokio::time::sleep(AGAIN).await,
                },
                _ = changes.changed() => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}
