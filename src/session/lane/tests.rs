//! A lane between its session and the fan-out: one side writes at a time, and nothing is written twice.

use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};

use super::*;

/// As much as is given, after a place.
struct Given(Bytes, Offset);

impl News for Given {
    fn after(&mut self, at: Offset, _: Role) -> After {
        if at >= self.1 { After::Nothing } else { After::Frames(self.0.clone(), self.1) }
    }
}

/// A lane, and the other end of its socket.
pub(in crate::session) async fn lane() -> (Lane, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (_, write) = listener.accept().await.unwrap().0.into_split();
    write.writable().await.unwrap();
    (Lane::new(Wire(Arc::new(write)), Role::Operator), theirs)
}

#[tokio::test]
async fn what_is_pushed_to_a_parked_lane_is_written_once_and_its_session_goes_on_after_it() {
    let (lane, mut theirs) = lane().await;
    let mut news = Given(Bytes::from_static(b"seven"), Offset(7));
    lane.push(&mut news);
    assert_eq!(lane.take(), None, "the session writes");
    lane.park(Offset(6));
    lane.push(&mut news);
    lane.push(&mut news);
    assert_eq!(lane.take(), Some(Written { up_to: Offset(7), rest: Bytes::new() }));
    lane.push(&mut Given(Bytes::from_static(b"eight"), Offset(8)));
    drop(lane);
    let mut read = String::new();
    theirs.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "seven");
}

#[tokio::test]
async fn a_socket_that_does_not_take_everything_is_let_go_of_and_its_session_writes_the_rest() {
    let (lane, mut theirs) = lane().await;
    let much = Bytes::from(vec![b'x'; 32 << 20]);
    lane.park(Offset(0));
    lane.push(&mut Given(much.clone(), Offset(1)));
    lane.let_go().await;
    lane.push(&mut Given(Bytes::from_static(b"too early"), Offset(2)));
    let written = lane.take().unwrap();
    assert!(written.up_to == Offset(1) && !written.rest.is_empty());
    let reading = tokio::spawn(async move {
        let mut read = Vec::new();
        theirs.read_to_end(&mut read).await.unwrap();
        read
    });
    assert_eq!(lane.finish(written, Duration::from_secs(20)).await, Ok(()));
    drop(lane);
    assert!(reading.await.unwrap() == much, "all of it, once, in order");
}

#[tokio::test]
async fn a_session_whose_peer_reads_nothing_is_closed_as_slow() {
    let (lane, _theirs) = lane().await;
    lane.park(Offset(0));
    lane.push(&mut Given(Bytes::from(vec![b'x'; 32 << 20]), Offset(1)));
    let written = lane.take().unwrap();
    assert_eq!(lane.finish(written, Duration::from_millis(200)).await, Err(Stop::Close(Close::Slow)));
}

#[tokio::test]
async fn a_lane_is_let_go_of_where_news_begin_further_on() {
    struct Later;
    impl News for Later {
        fn after(&mut self, _: Offset, _: Role) -> After {
            After::Gap
        }
    }
    let (lane, _theirs) = lane().await;
    lane.park(Offset(3));
    lane.push(&mut Later);
    lane.let_go().await;
    assert_eq!(lane.take(), Some(Written { up_to: Offset(3), rest: Bytes::new() }));
}
