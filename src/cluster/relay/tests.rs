//! The relay's messages: what is written is read back, a neighbour's version too, and a stranger's is refused. And its door:
//! strangers are not let in.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actors::ports::{Asked, Follow, Followed, Following, Peer, PeerAnswer, PeerError, Question, Stands};
use async_trait::async_trait;
use schema::{
    command::{Command, ReceiveMessage, Registration, Reply, Request},
    event::{Author, Origin, Via},
    ids::{ChannelId, NodeId, Offset, OperatorId, RequestId, TenantId},
};
use uuid::Uuid;

use super::{
    Client, Identity, Relay,
    codec::{VERSION, read, read_followed, read_refusal, refusal, write, write_followed},
};
use crate::cluster::keys;

fn asked(command: Command) -> Asked {
    let by = Author::Operator(OperatorId::new("ana").unwrap());
    let origin = Origin { by, via: Via::Stream, request: RequestId(Uuid::from_u128(7)) };
    Asked {
        from: NodeId::new("node-1").unwrap(),
        tenant: TenantId::new("acme").unwrap(),
        within: Duration::from_millis(1_500),
        question: Question::Submit(Box::new(Request { command, origin, key: Some("k".to_owned()) })),
    }
}

#[test]
fn a_question_and_its_answer_come_back_as_they_were() {
    let received = ReceiveMessage {
        channel: ChannelId::new("line").unwrap(),
        from: schema::address::Address::from_carrier("+14155550100").unwrap(),
        carrier_id: "SM1".to_owned(),
        text: "héllo\n".to_owned(),
        media: Vec::new(),
        segments: 1,
        carrier_keyword: None,
    };
    let registered = Registration::Tenant(TenantId::new("other").unwrap());
    for command in [Command::Receive(received), Command::Register(registered)] {
        let question = asked(command);
        assert_eq!(read::<Asked>(&write(&question).unwrap()).unwrap(), question);
    }
    let reply = Reply { offset: Offset(u64::MAX), conversation: None, message: None };
    let refused = PeerError::Refused(actors::handle::Refusal::invalid("text", "too long"));
    for answer in [Ok(PeerAnswer::Done(reply)), Err(PeerError::Moving), Err(refused)] {
        let back: Result<PeerAnswer, PeerError> = read(&write(&answer).unwrap()).unwrap();
        assert_eq!(back, answer);
    }
}

#[test]
fn neighbouring_versions_understand_each_other_and_others_are_refused() {
    let mut message = write(&asked(Command::Register(Registration::Pause(Default::default())))).unwrap().to_vec();
    message[0] = VERSION + 1;
    assert!(read::<Asked>(&message).is_ok());
    message[0] = VERSION + 2;
    assert!(read::<Asked>(&message).unwrap_err().message().contains("speaks version"));
    assert!(read::<Asked>(&[]).is_err());
}

#[test]
fn what_a_follower_is_told_comes_back_as_it_was() {
    let told = [Followed::Stands(Stands { head: Offset(9), viewed: Offset(7) }), Followed::Present(Vec::new())];
    for followed in told {
        let bytes = write_followed(&followed).unwrap();
        assert_eq!(read_followed(&bytes).unwrap(), Some(followed));
    }
    let later = [VERSION + 1, b'?', 1, 2, 3];
    assert_eq!(read_followed(&later.to_vec().into()).unwrap(), None, "a kind of a later version is passed over");
    assert!(read_followed(&vec![VERSION].into()).is_err());
    assert!(read_followed(&vec![VERSION, b'b', 9, 9].into()).is_err());
}

#[test]
fn why_a_follow_was_refused_comes_back_as_it_was() {
    let error = PeerError::NotOwner { owner: Some(NodeId::new("node-2").unwrap()) };
    assert_eq!(read_refusal(&refusal(&error)), Some(error));
    assert_eq!(read_refusal(&tonic::Status::unavailable("gone")), None);
}

/// Counts who comes in.
#[derive(Default)]
struct Counter(AtomicUsize);

#[async_trait]
impl Peer for Counter {
    async fn ask(&self, _asked: Asked) -> Result<PeerAnswer, PeerError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(PeerAnswer::Noted)
    }

    async fn follow(&self, _follow: Follow) -> Result<Following, PeerError> {
        Err(PeerError::Moving)
    }
}

fn identity() -> Identity {
    let directory = tempfile::tempdir().unwrap();
    keys::make(directory.path()).unwrap();
    let file = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    Identity { authority: file("ca.pem"), certificate: file("node.pem"), key: file("node.key") }
}

#[tokio::test]
async fn who_has_no_certificate_of_this_authority_neither_gets_in_nor_is_believed() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = free.local_addr().unwrap();
    drop(free);
    let (ours, theirs) = (identity(), identity());
    let door = Arc::new(Counter::default());
    let relay = Relay::bind(address, &ours).unwrap();
    relay.open(door.clone());
    let ask = async |identity: &Identity| {
        let client = Client::new(address.to_string(), identity.clone());
        client.ask(asked(Command::Register(Registration::Pause(Default::default())))).await
    };
    assert_eq!(ask(&ours).await, Ok(PeerAnswer::Noted));
    // It does not believe this node, and asks nothing.
    let unreachable = ask(&theirs).await.unwrap_err();
    assert!(matches!(&unreachable, PeerError::Unreachable(why) if why.contains("certificate")), "{unreachable:?}");
    // It believes this node, and is not let in.
    let refused = ask(&Identity { authority: ours.authority.clone(), ..theirs }).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(door.0.load(Ordering::Relaxed), 1, "one question came in");
    relay.close();
}
