//! Gossip in signed datagrams. chitchat signs nothing, and does not show how it writes a message: so its own socket is
//! bound to the loopback and speaks only to this one, which signs what goes out and checks what comes in.
//!
//! A datagram is `DW1` and a kind: `g`, a tag of 32 bytes and the message; or `n` and such a tag: the datagram that bore it
//! was not signed as ours are. Nobody signs that one, and only who saw a datagram knows its tag.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
/// Tags of datagrams that were sent, for the answer that they are not ours.
const SENT_MAX: usize = 256;
/// Of chitchat's message: the sender is of another cluster by name.
const BAD_CLUSTER: u8 = 3;
/// The longest datagram there is.
const LONGEST: usize = 65_507;
/// From this socket to chitchat's, on one machine.
const PASSED_WITHIN: Duration = Duration::from_secs(1);
/// Between two complaints about one address.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// Between two answers to one address that it was not heard.
const ANSWER_EVERY: Duration = Duration::from_millis(500);
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
pub(super) struct Strangers(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Unsigned: anybody may say it.
    refused: Option<String>,
    too_far: Option<String>,
}

impl Strangers {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody does not hear this node.
    fn refuses(&self, why: String) {
        self.seen().refused = Some(why);
    }

    /// Somebody speaks a version that this node does not.
    pub(super) fn saw_too_far(&self, why: String) {
        self.seen().too_far = Some(why);
    }

    /// Why a node that hears nobody should not start.
    pub(super) fn why(&self) -> Option<String> {
        let seen = self.seen();
        seen.too_far.clone().or_else(|| seen.refused.clone())
    }

    /// Why this node should not start, whoever else it hears.
    pub(super) fn too_far(&self) -> Option<String> {
        self.seen().too_far.clone()
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
        let buffer = vec![0; LONGEST];
        Ok(Box::new(SignedSocket {
            outer,
            near,
            inner,
            near_address,
            inner_address,
            mac,
            strangers: self.strangers.clone(),
            complaints: Complaints::every(COMPLAIN_EVERY),
            answers: Complaints::every(ANSWER_EVERY),
            sent: VecDeque::with_capacity(SENT_MAX),
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
    answers: Complaints,
    /// Tags of the last datagrams.
    sent: VecDeque<[u8; TAG]>,
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
        let tag: [u8; TAG] = self.mac.clone().chain_update(message).finalize().into_bytes().into();
        let datagram = [GOSSIP.as_slice(), &tag, message].concat();
        self.sent.truncate(SENT_MAX - 1);
        self.sent.push_front(tag);
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
        if let Some(refused) = datagram.strip_prefix(NOT_OURS) {
            if !self.sent.iter().any(|sent| sent == refused) {
                return;
            }
            let why = format!("this node's gossip is refused by {peer}: cluster.secret_file holds another secret");
            if self.complaints.may(peer) {
                tracing::error!("{why}");
            }
            return self.strangers.refuses(why);
        }
        let message = signed_with(&self.mac, datagram);
        match message {
            // chitchat drops what it cannot read, and would then be waited for in vain.
            Some(message) if is_readable(message) => {
                if message[3] == BAD_CLUSTER && self.complaints.may(peer) {
                    tracing::error!(node = %peer, "this node is of another cluster: cluster.name is not the same");
                }
                if self.near.try_send_to(message, self.inner_address).is_ok() {
                    self.passing = Some(peer);
                }
            }
            Some(_) => {}
            None => {
                metrics::counter!("deskwire_cluster_gossip_refused_total").increment(1);
                if self.complaints.may(peer) {
                    tracing::warn!(node = %peer, "gossip that is not signed with this cluster's secret is refused");
                }
                // Whoever is started again asks anew, from the same address.
                if let Some((tag, _)) = tag_of(datagram).filter(|_| self.answers.may(peer)) {
                    let _nobody_waits = self.outer.try_send_to(&[NOT_OURS.as_slice(), tag].concat(), peer);
                }
            }
        }
    }
}

/// Tag and message.
fn tag_of(datagram: &[u8]) -> Option<(&[u8], &[u8])> {
    datagram.strip_prefix(GOSSIP)?.split_at_checked(TAG)
}

fn signed_with<'d>(mac: &Hmac<Sha256>, datagram: &'d [u8]) -> Option<&'d [u8]> {
    let (tag, message) = tag_of(datagram)?;
    mac.clone().chain_update(message).verify_slice(tag).ok()?;
    Some(message)
}

/// The magic number and a version that this chitchat reads.
fn is_readable(message: &[u8]) -> bool {
    matches!(message, [0x53, 0xb0, version, kind, ..] if *version <= 1 && *kind <= BAD_CLUSTER)
}

/// Who was complained about lately.
struct Complaints {
    every: Duration,
    lately: HashMap<SocketAddr, Instant>,
}

impl Complaints {
    /// About one address so often at most.
    fn every(every: Duration) -> Self {
        Self { every, lately: HashMap::new() }
    }

    fn may(&mut self, about: SocketAddr) -> bool {
        let now = Instant::now();
        if self.lately.len() >= COMPLAINTS_MAX {
            self.lately.retain(|_, at| now < *at + self.every);
        }
        let is_late = self.lately.get(&about).is_none_or(|at| now >= *at + self.every);
        let may = is_late && self.lately.len() < COMPLAINTS_MAX;
        if may {
            self.lately.insert(about, now);
        }
        may
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

    /// Who cannot see what a node sends cannot keep it from starting.
    #[tokio::test]
    async fn only_a_refusal_of_what_was_sent_counts() {
        let strangers = Strangers::default();
        let near = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        let inner = UdpTransport.open(([127, 0, 0, 1], 0).into()).await.unwrap();
        let mut socket = SignedSocket {
            outer: UdpSocket::bind(("127.0.0.1", 0)).await.unwrap(),
            near_address: near.local_addr().unwrap(),
            inner_address: inner.local_addr().unwrap(),
            near,
            inner,
            mac: Hmac::new_from_slice(b"ours").unwrap(),
            strangers: strangers.clone(),
            complaints: Complaints::every(COMPLAIN_EVERY),
            answers: Complaints::every(ANSWER_EVERY),
            sent: VecDeque::from([[7; TAG]]),
            buffer: vec![0; LONGEST],
            passing: None,
        };
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut take = |tag: &[u8]| {
            let datagram = [NOT_OURS.as_slice(), tag].concat();
            socket.buffer[..datagram.len()].copy_from_slice(&datagram);
            socket.take(datagram.len(), peer);
            strangers.why()
        };
        assert_eq!((take(b""), take(&[8; TAG]), take(&[7; TAG - 1])), (None, None, None));
        assert!(take(&[7; TAG]).is_some_and(|why| why.contains("127.0.0.1:1")));
    }

    #[tokio::test]
    async fn complaints_about_one_address_are_rare() {
        let (mut complaints, one) = (Complaints::every(COMPLAIN_EVERY), SocketAddr::from(([127, 0, 0, 1], 1)));
        assert!(complaints.may(one) && !complaints.may(one));
        let count = (0..1_000).filter(|port| complaints.may(SocketAddr::from(([127, 0, 0, 2], *port)))).count();
        assert!(count < COMPLAINTS_MAX, "{count}");
    }
}
