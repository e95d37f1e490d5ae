//! Gossip in signed datagrams. chitchat signs nothing, and does not show how it writes a message: so its own socket is
//! bound to the loopback and speaks only to this one, which signs what goes out and checks what comes in.
//!
//! A datagram is `DW1` and a kind: `g`, a tag of 32 bytes and the message; or `n`: your last one was not signed as ours are.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chitchat::transport::{RecvOutcome, SendOutcome, Socket, Transport, UdpTransport};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tokio::{net::UdpSocket, time::Instant};

const GOSSIP: &[u8; 4] = b"DW1g";
const NOT_OURS: &[u8; 4] = b"DW1n";
const TAG: usize = 32;
/// The longest datagram there is.
const LONGEST: usize = 65_507;
/// From this socket to chitchat's, on one machine.
const PASSED_WITHIN: Duration = Duration::from_secs(1);
/// Between two complaints about one address.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// Addresses that are remembered for that.
const COMPLAINTS_MAX: usize = 256;

/// Opens signed sockets.
pub(super) struct Signed {
    secret: Vec<u8>,
    strangers: Strangers,
}

impl Signed {
    pub(super) fn with(secret: Vec<u8>, strangers: Strangers) -> Self {
        Self { secret, strangers }
    }
}

/// Why somebody who is there is no member for this node, as last seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Strangers(Arc<Mutex<Option<String>>>);

impl Strangers {
    pub(super) fn saw(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub(super) fn why(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transport for Signed {
    async fn open(&self, address: SocketAddr) -> anyhow::Result<Box<dyn Socket>> {
        let outer = UdpSocket::bind(address).await?;
        let near = UdpSocket::bind(("127.0.0.1", 0)).await?;
        let inner = UdpTransport.open(([127, 0, 0, 1], 0).into()).await?;
        let (near_address, inner_address) = (near.local_addr()?, inner.local_addr()?);
        let mac = Hmac::new_from_slice(&self.secret)?;
        let complaints = Complaints::default();
        let buffer = vec![0; LONGEST];
        Ok(Box::new(SignedSocket {
            outer,
            near,
            inner,
            near_address,
            inner_address,
            mac,
            strangers: self.strangers.clone(),
            complaints,
            buffer,
            passing: None,
        }))
    }
}

struct SignedSocket {
    outer: UdpSocket,
    /// The other end of chitchat's own socket.
    near: UdpSocket,
    inner: Box<dyn Socket>,
    near_address: SocketAddr,
    inner_address: SocketAddr,
    mac: Hmac<Sha256>,
    strangers: Strangers,
    complaints: Complaints,
    buffer: Vec<u8>,
    /// From whom the datagram is that is on its way to chitchat's socket.
    passing: Option<SocketAddr>,
}

#[async_trait]
impl Socket for SignedSocket {
    fn local_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.outer.local_addr()?)
    }

    async fn send(&mut self, to: SocketAddr, envelope: chitchat::ChitchatEnvelope) -> anyhow::Result<SendOutcome> {
        self.inner.send(self.near_address, envelope).await?;
        let length = loop {
            let (length, from) = self.near.recv_from(&mut self.buffer).await?;
            if from == self.inner_address {
                break length;
            }
        };
        let message = &self.buffer[..length];
        let tag = self.mac.clone().chain_update(message).finalize().into_bytes();
        let datagram = [GOSSIP.as_slice(), &tag, message].concat();
        // A member that cannot be reached is what gossip is there to find out.
        let num_bytes_sent = self.outer.send_to(&datagram, to).await.unwrap_or(0);
        Ok(SendOutcome { num_bytes_sent })
    }

    /// Cancelled by chitchat whenever it has something to send: what was begun is ended by the next call.
    async fn recv(&mut self) -> anyhow::Result<RecvOutcome> {
        loop {
            if let Some(from_addr) = self.passing {
                let Ok(outcome) = tokio::time::timeout(PASSED_WITHIN, self.inner.recv()).await else {
                    // Signed, and not readable all the same: chitchat has dropped it.
                    self.passing = None;
                    continue;
                };
                let outcome = outcome?;
                if outcome.from_addr == self.near_address {
                    self.passing = None;
                    return Ok(RecvOutcome { from_addr, ..outcome });
                }
                continue;
            }
            let Ok((length, from)) = self.outer.recv_from(&mut self.buffer).await else { continue };
            self.take(length, from);
        }
    }
}

impl SignedSocket {
    /// What is signed goes to chitchat; never waits.
    fn take(&mut self, length: usize, peer: SocketAddr) {
        let datagram = &self.buffer[..length];
        if datagram == NOT_OURS {
            let why = format!("this node's gossip is refused by {peer}: cluster.secret_file holds another secret");
            if self.complaints.may(peer) {
                tracing::error!("{why}");
            }
            return self.strangers.saw(why);
        }
        let message = signed_with(&self.mac, datagram);
        match message {
            // chitchat drops what it cannot read, and would then be waited for in vain.
            Some(message) if is_readable(message) => {
                if self.near.try_send_to(message, self.inner_address).is_ok() {
                    self.passing = Some(peer);
                }
            }
            Some(_) => {}
            None => {
                metrics::counter!("deskwire_cluster_gossip_refused_total").increment(1);
                if self.complaints.may(peer) {
                    tracing::warn!(node = %peer, "gossip that is not signed with this cluster's secret is refused");
                    let _nobody_waits = self.outer.try_send_to(NOT_OURS, peer);
                }
            }
        }
    }
}

fn signed_with<'d>(mac: &Hmac<Sha256>, datagram: &'d [u8]) -> Option<&'d [u8]> {
    let (tag, message) = datagram.strip_prefix(GOSSIP)?.split_at_checked(TAG)?;
    mac.clone().chain_update(message).verify_slice(tag).ok()?;
    Some(message)
}

/// The magic number and a version that this chitchat reads.
fn is_readable(message: &[u8]) -> bool {
    matches!(message, [0x53, 0xb0, version, kind, ..] if *version <= 1 && *kind <= 3)
}

/// Who was complained about lately.
#[derive(Default)]
struct Complaints(HashMap<SocketAddr, Instant>);

impl Complaints {
    fn may(&mut self, about: SocketAddr) -> bool {
        let now = Instant::now();
        if self.0.len() >= COMPLAINTS_MAX {
            self.0.retain(|_, at| now < *at + COMPLAIN_EVERY);
        }
        if self.0.len() >= COMPLAINTS_MAX || self.0.get(&about).is_some_and(|at| now < *at + COMPLAIN_EVERY) {
            return false;
        }
        self.0.insert(about, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_signed_with_the_same_secret_is_taken() {
        let mac = |secret: &[u8]| Hmac::<Sha256>::new_from_slice(secret).unwrap();
        let message = [0x53, 0xb0, 0, 0, 7, 7];
        let tag = mac(b"ours").chain_update(message).finalize().into_bytes();
        let datagram = [GOSSIP.as_slice(), &tag, &message].concat();
        assert_eq!(signed_with(&mac(b"ours"), &datagram), Some(message.as_slice()));
        assert!(is_readable(&message));
        assert_eq!(signed_with(&mac(b"theirs"), &datagram), None);
        let mut changed = datagram.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(signed_with(&mac(b"ours"), &changed), None);
        for cut in 0..datagram.len() {
            assert_eq!(signed_with(&mac(b"ours"), &datagram[..cut]), None);
        }
    }

    #[tokio::test]
    async fn complaints_about_one_address_are_rare() {
        let (mut complaints, one) = (Complaints::default(), SocketAddr::from(([127, 0, 0, 1], 1)));
        assert!(complaints.may(one) && !complaints.may(one));
        let count = (0..1_000).filter(|port| complaints.may(SocketAddr::from(([127, 0, 0, 2], *port)))).count();
        assert!(count < COMPLAINTS_MAX, "{count}");
    }
}
