//! The fan-out over a feed, with real sockets.

use actors::{
    feed::{CloseReason, Feed, FeedConfig},
    memory::{MemoryKeys, MemoryLog},
    vault::Vault,
};
use schema::{
    event::{Author, ConversationAssigned, Event, Header, Origin, Via},
    ids::{ConversationId, Epoch, RequestId, TenantId},
    time::Stamp,
};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use uuid::Uuid;

use super::{super::lane::tests::lane, *};

fn feed() -> Feed {
    let vault = Vault::new(Arc::new(MemoryKeys::default()));
    let id = FeedId::of(&TenantId::new("demo").unwrap());
    Feed::new(id, Epoch(1), Offset(0), Arc::new(MemoryLog::default()), vault, FeedConfig::default())
}

/// Publishes as many events as one batch.
fn publish(feed: &Feed, count: u64) {
    let first = feed.handle().position().offset.next();
    let event = |offset| {
        let origin = Origin { by: Author::Engine, via: Via::Engine, request: RequestId(Uuid::nil()) };
        let header = Header {
            offset: Offset(offset),
            stamp: Stamp(offset),
            conversation: Some(ConversationId(Uuid::nil())),
            previous: Offset(offset - 1),
            origin,
            accepted: None,
        };
        Event { header, fact: ConversationAssigned { operator: None }.into(), parts: Default::default() }
    };
    feed.publish(first, (first.0..first.0 + count).map(event).collect());
}

/// Offsets of all publications in the next message.
async fn offsets(theirs: &mut TcpStream) -> Vec<u64> {
    assert_eq!(theirs.read_u8().await.unwrap(), TEXT);
    let length = match theirs.read_u8().await.unwrap() {
        126 => theirs.read_u16().await.unwrap().into(),
        short => usize::from(short),
    };
    let mut text = vec![0; length];
    theirs.read_exact(&mut text).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let read = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["push"]["pub"]["offset"].as_u64();
    text.lines().map(|line| read(line).unwrap()).collect()
}

#[tokio::test]
async fn parked_lanes_are_written_to_and_what_a_session_wrote_itself_is_not_written_again() {
    let (all, feed) = (Arc::new(FanOuts::new(1 << 16)), feed());
    let (ours, mut theirs) = lane().await;
    let member = all.join(&feed.handle(), ours);
    publish(&feed, 3);
    assert!(member.park(Offset(2)).is_none());
    assert_eq!(offsets(&mut theirs).await, [3]);
    publish(&feed, 2);
    assert_eq!(offsets(&mut theirs).await, [4, 5]);
    feed.close(CloseReason::Restarted);
    member.lane().let_go().await;
    assert_eq!(member.lane().take().unwrap().up_to, Offset(5));
}

#[tokio::test]
async fn what_began_before_a_lane_was_parked_is_left_to_its_session() {
    let (all, feed) = (Arc::new(FanOuts::new(1 << 16)), feed());
    let member = all.join(&feed.handle(), lane().await.0);
    publish(&feed, 3);
    tokio::task::yield_now().await;
    assert_eq!(member.park(Offset(1)).unwrap().up_to, Offset(1));
    assert!(member.park(Offset(3)).is_none());
}

#[tokio::test]
async fn a_feed_that_began_again_has_a_fan_out_of_its_own() {
    let (all, [before, after]) = (Arc::new(FanOuts::new(1 << 16)), [feed(), feed()]);
    let old = all.join(&before.handle(), lane().await.0);
    before.close(CloseReason::Restarted);
    let (ours, mut theirs) = lane().await;
    let new = all.join(&after.handle(), ours);
    assert!(new.park(Offset(0)).is_none());
    drop(old);
    publish(&after, 1);
    assert_eq!(offsets(&mut theirs).await, [1]);
}

#[tokio::test]
async fn nobody_reads_a_feed_when_the_last_dashboard_has_left() {
    let (all, feed) = (Arc::new(FanOuts::new(1 << 16)), feed());
    let members = [all.join(&feed.handle(), lane().await.0), all.join(&feed.handle(), lane().await.0)];
    assert!(feed.readers() > 0);
    drop(members);
    while feed.readers() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(all.feeds.is_empty());
}

#[test]
fn lengths_are_as_the_standard_has_them() {
    let begins = |length: usize| {
        let mut bytes = BytesMut::new();
        header(&mut bytes, length);
        bytes.to_vec()
    };
    assert_eq!(begins(0), [0x81, 0]);
    assert_eq!(begins(125), [0x81, 125]);
    assert_eq!(begins(126), [0x81, 126, 0, 126]);
    assert_eq!(begins(65_535), [0x81, 126, 255, 255]);
    assert_eq!(begins(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
}
