//! Presence: who comes and goes, limits, and connections of other nodes.

use super::*;

const NOW: Stamp = Stamp(1_000_000);

fn client(number: u128) -> ClientId {
    ClientId(Uuid::from_u128(number))
}

fn conversation(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(number))
}

fn ana() -> OperatorId {
    OperatorId::new("ana").unwrap()
}

fn drain(news: &mut broadcast::Receiver<News>) -> Vec<News> {
    std::iter::from_fn(|| news.try_recv().ok()).collect()
}

#[test]
fn who_comes_and_goes_is_told_once() {
    let presence = Presence::default();
    let mut news = presence.news();
    presence.join(client(1), &ana());
    presence.join(client(1), &ana());
    presence.join(client(2), &ana());
    assert_eq!(presence.count(), (2, 1));
    presence.leave(client(1));
    presence.leave(client(1));
    let told = drain(&mut news);
    assert!(matches!(told[..], [News::Joined(_), News::Joined(_), News::Left(_)]), "{told:?}");
    assert_eq!(presence.count(), (1, 1));
}

#[test]
fn typing_ends_by_itself() {
    let presence = Presence::default();
    presence.join(client(1), &ana());
    let until = presence.start_typing(client(1), conversation(7), NOW);
    assert_eq!(presence.online(NOW)[0].typing, Some((conversation(7), until)));
    assert_eq!(presence.online(until)[0].typing, None);
}

#[test]
fn typing_elsewhere_ends_typing_here() {
    let presence = Presence::default();
    presence.join(client(1), &ana());
    let mut news = presence.news();
    presence.start_typing(client(1), conversation(7), NOW);
    presence.start_typing(client(1), conversation(8), NOW);
    presence.stop_typing(client(1));
    presence.stop_typing(client(1));
    let typing: Vec<_> = drain(&mut news)
        .into_iter()
        .map(|news| match news {
            News::Typing { conversation, until, .. } => (conversation, until.is_some()),
            other => panic!("{other:?}"),
        })
        .collect();
    let (here, elsewhere) = (conversation(7), conversation(8));
    assert_eq!(typing, [(here, true), (here, false), (elsewhere, true), (elsewhere, false)]);
}

#[test]
fn typing_is_told_once_a_second_of_each_conversation_whoever_types() {
    let presence = Presence::default();
    let at = |ms: u64| NOW.plus(Duration::from_millis(ms));
    let told = |news: &mut broadcast::Receiver<News>| -> Vec<(u128, bool)> {
        let typing = drain(news).into_iter().filter_map(|news| match news {
            News::Typing { client, until, .. } => Some((client.0.as_u128(), until.is_some())),
            _ => None,
        });
        typing.collect()
    };
    for number in [1, 2, 3] {
        presence.join(client(number), &ana());
    }
    let mut news = presence.news();
    for ms in (0..2_500).step_by(50) {
        presence.start_typing(client(1), conversation(7), at(ms));
    }
    assert_eq!(told(&mut news), [(1, true); 3]);
    // A second one there, and a third elsewhere. Who was not shown to begin is not shown to end.
    presence.start_typing(client(2), conversation(7), at(2_600));
    presence.start_typing(client(3), conversation(8), at(2_600));
    presence.stop_typing(client(2));
    presence.stop_typing(client(1));
    assert_eq!(told(&mut news), [(3, true), (1, false)]);
    assert_eq!(presence.online(at(2_600)).iter().filter(|online| online.typing.is_some()).count(), 1);
    // Another node's, whose clock is a minute off, and who says so five times a second.
    let far = |ms: u64| at(60_000 + ms);
    let node = NodeId::new("node-2").unwrap();
    for ms in (0..2_500).step_by(200) {
        let typing = Some((conversation(7), far(ms).plus(TYPING)));
        let online = Online { client: client(9), operator: ana(), looking: vec![], typing };
        presence.report(&node, vec![online], Duration::from_millis(ms));
    }
    presence.gone(&node);
    assert_eq!(told(&mut news), [(9, true); 3], "the first report only says that it is there");
    let kept = presence.typing.lock().unwrap();
    assert!(kept.told.len() <= 2 && kept.shown.len() == 1, "{kept:?}");
}

#[test]
fn everything_is_bounded() {
    let presence = Presence::default();
    let mut news = presence.news();
    for number in 0..CLIENTS_MAX as u128 + 5 {
        presence.join(client(number), &ana());
    }
    assert_eq!(presence.count().0, CLIENTS_MAX);
    for number in 0..LOOKING_MAX as u128 + 5 {
        presence.look(client(1), conversation(number), true);
    }
    let looking = presence.online(NOW).into_iter().find(|online| online.client == client(1)).unwrap().looking;
    assert_eq!(looking.len(), LOOKING_MAX);
    assert!(matches!(news.try_recv(), Err(broadcast::error::TryRecvError::Lagged(_))));
}

#[test]
fn connections_of_other_nodes_are_shown_until_their_node_is_silent() {
    let (owner, there) = (Presence::default(), NodeId::new("b").unwrap());
    owner.join(client(1), &ana());
    let (other, mut news) = (Presence::default(), owner.news());
    other.join(client(2), &ana());
    owner.report(&there, other.here(), Duration::from_secs(1));
    owner.report(&there, other.here(), Duration::from_secs(2));
    assert_eq!(owner.count(), (2, 1));
    assert_eq!(owner.here().len(), 1, "what others report is not this node's own");
    assert_eq!(owner.besides(&there).len(), 1, "nobody is told of its own");
    other.look(client(2), conversation(7), true);
    owner.report(&there, other.here(), Duration::from_secs(3));
    owner.expire(Duration::from_secs(4), Duration::from_secs(2));
    assert_eq!(owner.count(), (2, 1));
    owner.expire(Duration::from_secs(9), Duration::from_secs(2));
    assert_eq!(owner.count(), (1, 1));
    let told = drain(&mut news);
    assert!(matches!(told[..], [News::Joined(_), News::Looking { on: true, .. }, News::Left(_)]), "{told:?}");
}

#[test]
fn a_follower_shows_what_its_owner_tells_beside_its_own() {
    let (follower, owner) = (Presence::default(), Presence::default());
    owner.join(client(1), &ana());
    follower.join(client(2), &ana());
    follower.mirror(owner.here());
    assert_eq!(follower.count(), (2, 1));
    owner.leave(client(1));
    owner.join(client(3), &ana());
    follower.mirror(owner.here());
    assert_eq!(follower.count(), (2, 1));
    assert_eq!(follower.here().len(), 1);
    // It takes over: those of elsewhere stay until they are reported, or for a lease.
    follower.seated(Duration::from_secs(1));
    let there = NodeId::new("c").unwrap();
    follower.report(&there, owner.here(), Duration::from_secs(2));
    follower.expire(Duration::from_secs(4), Duration::from_secs(2));
    assert_eq!(follower.count(), (2, 1));
    follower.gone(&there);
    assert_eq!(follower.count(), (1, 1));
}
