//! TLS to the servers, around a driver that has none with our one cryptographic provider: for each server a listener on
//! this machine's loopback, whose every connection goes on to that server through TLS. The driver talks to the listeners.
//!
//! What it is for: nobody between this machine and the servers reads, changes, or plays a server. What passes the loopback
//! is in clear there, as in the process itself. A tunnel proves nothing about us to a server (there are no client
//! certificates, and the login goes inside), so another process that finds it gains nothing it would not have by
//! connecting to the server itself.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rustls::{ClientConfig, pki_types::ServerName};
use scylla::{
    errors::TranslationError,
    policies::address_translator::{AddressTranslator, UntranslatedPeer},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::error::CqlStoreError;

/// Connections through one tunnel: drivers open a few for each server.
const CONNECTIONS_MAX: usize = 512;

/// How servers are trusted.
#[derive(Clone)]
pub struct CqlTls {
    /// Whose certificates are good.
    pub config: Arc<ClientConfig>,
    /// The name that every server's certificate bears; empty: each bears the name or address it is reached by.
    pub name: String,
}

/// Where a tunnel leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Target {
    host: String,
    port: u16,
}

/// The tunnels of one session. All end with it.
pub(super) struct Tunnels {
    tls: CqlTls,
    within: Duration,
    /// Port of the servers: those that the driver learns of are said to have the port of the one that it asked, which is a
    /// tunnel's.
    port: u16,
    open: Mutex<HashMap<Target, Tunnel>>,
}

struct Tunnel {
    at: SocketAddr,
    task: AbortHandle,
}

impl Tunnels {
    /// Tunnels to some servers, `host:port` each; returns them with where the driver finds these servers.
    pub(super) async fn to(
        points: &[String],
        tls: CqlTls,
        within: Duration,
    ) -> Result<(Arc<Self>, Vec<SocketAddr>), CqlStoreError> {
        let targets: Option<Vec<Target>> = points.iter().map(|point| target(point)).collect();
        let targets = targets.filter(|targets| !targets.is_empty());
        let targets = targets.ok_or_else(|| CqlStoreError::Connect("contact points are host:port".to_owned()))?;
        let tunnels = Arc::new(Self { tls, within, port: targets[0].port, open: Mutex::default() });
        let mut at = Vec::new();
        for target in targets {
            let opened = tunnels.tunnel(target).await;
            at.push(opened.map_err(|error| CqlStoreError::Connect(format!("a tunnel on loopback: {error}")))?);
        }
        Ok((tunnels, at))
    }

    async fn tunnel(&self, target: Target) -> std::io::Result<SocketAddr> {
        let known = |open: &HashMap<Target, Tunnel>| open.get(&target).map(|tunnel| tunnel.at);
        if let Some(at) = known(&self.open.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(at);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let at = listener.local_addr()?;
        let name = if self.tls.name.is_empty() { target.host.clone() } else { self.tls.name.clone() };
        let name = ServerName::try_from(name).map_err(std::io::Error::other)?;
        let through = Through { target: target.clone(), name, config: self.tls.config.clone(), within: self.within };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = known(&open) {
            return Ok(at);
        }
        let task = tokio::spawn(through.serve(listener)).abort_handle();
        open.insert(target, Tunnel { at, task });
        Ok(at)
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        open.values().for_each(|tunnel| tunnel.task.abort());
    }
}

#[async_trait]
impl AddressTranslator for Tunnels {
    async fn translate_address(&self, peer: &UntranslatedPeer) -> Result<SocketAddr, TranslationError> {
        let host = peer.untranslated_address().ip().to_string();
        let opened = self.tunnel(Target { host, port: self.port }).await;
        opened.map_err(|error| TranslationError::IoError(Arc::new(error)))
    }
}

fn target(point: &str) -> Option<Target> {
    let (host, port) = point.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(Target { host, port: port.parse().ok()? })
}

/// One tunnel.
struct Through {
    target: Target,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    within: Duration,
}

impl Through {
    async fn serve(self, listener: TcpListener) {
        let (this, room) = (Arc::new(self), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            let Ok((near, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let this = this.clone();
            connections.spawn(async move {
                if let Err(error) = this.pass(near).await {
                    metrics::counter!("deskwire_cql_tls_errors_total").increment(1);
                    tracing::warn!(server = %this.target.host, %error, "no TLS connection to a CQL server");
                }
                drop(permit);
            });
        }
    }

    /// An error only where there is no connection: what ends later, ends for the driver to notice.
    async fn pass(&self, mut near: TcpStream) -> std::io::Result<()> {
        near.set_nodelay(true)?;
        let connect = async {
            let far = TcpStream::connect((self.target.host.as_str(), self.target.port)).await?;
            far.set_nodelay(true)?;
            TlsConnector::from(self.config.clone()).connect(self.name.clone(), far).await
        };
        let mut far = timeout(self.within, connect).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
        let _ = copy_bidirectional(&mut near, &mut far).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_points_are_hosts_and_ports() {
        let at = |host: &str, port| Some(Target { host: host.to_owned(), port });
        assert_eq!(target("10.0.0.1:9042"), at("10.0.0.1", 9042));
        assert_eq!(target("[::1]:9142"), at("::1", 9142));
        assert_eq!(target("scylla.example.com:9142"), at("scylla.example.com", 9142));
        assert_eq!(target("nowhere"), None);
        assert_eq!(target("nowhere:port"), None);
    }
}
