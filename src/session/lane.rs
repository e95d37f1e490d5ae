//! A way past the WebSocket: while a session sleeps, the fan-out writes ready-made frames straight into its socket.
//!
//! One side writes at a time. A session parks its lane when all that it had to write has left and it waits for events alone,
//! and takes it back before it writes a byte itself. The fan-out writes to parked lanes, and lets go of one whose socket does
//! not take everything at once: the rest is its session's affair, with its limit of time.

use std::{
    io, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use schema::{codes::Close, ids::Offset, role::Role};
use tokio::{net::tcp::OwnedWriteHalf, sync::Notify};

use super::transport::Stop;

/// The writing half of a connection's socket, where nothing stands between it and the WebSocket: no TLS. The listener leaves
/// it in the extensions of each request.
#[derive(Clone)]
pub struct Wire(pub Arc<OwnedWriteHalf>);

/// One session's socket, as the fan-out sees it.
pub(super) struct Lane {
    wire: Wire,
    role: Role,
    place: Mutex<Place>,
    let_go: Notify,
}

enum Place {
    /// The session writes.
    Held,
    /// The fan-out writes what comes after this.
    Parked(Offset),
    /// The fan-out does no more.
    LetGo(Written),
}

/// What was written while a lane was parked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Everything up to here, …
    pub(super) up_to: Offset,
    /// … but for these bytes, which come before anything else.
    rest: Bytes,
}

/// What the fan-out has for lanes.
pub(super) trait News {
    /// Frames of everything after `at` as this role sees it, and the offset of the last event in them.
    fn after(&mut self, at: Offset, role: Role) -> After;
}

/// See [`News`].
pub(super) enum After {
    /// Everything of it has been written.
    Nothing,
    /// Bytes for the socket, and the last offset in them.
    Frames(Bytes, Offset),
    /// It does not begin there: the session must find what comes next by itself.
    Gap,
}

impl Lane {
    pub(super) fn new(wire: Wire, role: Role) -> Self {
        Self { wire, role, place: Mutex::new(Place::Held), let_go: Notify::new() }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the fan-out writes what comes after `at`; the session writes nothing until it has taken the lane back.
    pub(super) fn park(&self, at: Offset) {
        *self.place() = Place::Parked(at);
    }

    /// The session writes from now on. None: it did before.
    pub(super) fn take(&self) -> Option<Written> {
        match mem::replace(&mut *self.place(), Place::Held) {
            Place::Held => None,
            Place::Parked(up_to) => Some(Written { up_to, rest: Bytes::new() }),
            Place::LetGo(written) => Some(written),
        }
    }

    /// Returns when the fan-out has let go, now or some time before. Dropping the future loses nothing.
    pub(super) async fn let_go(&self) {
        loop {
            let told = self.let_go.notified();
            if matches!(*self.place(), Place::LetGo(_)) {
                return;
            }
            told.await;
        }
    }

    /// Writes what is new to a parked lane.
    pub(super) fn push(&self, news: &mut impl News) {
        let mut place = self.place();
        let Place::Parked(at) = *place else { return };
        let (bytes, last) = match news.after(at, self.role) {
            After::Nothing => return,
            After::Frames(bytes, last) => (bytes, last),
            After::Gap => return self.end(&mut place, Written { up_to: at, rest: Bytes::new() }),
        };
        let count = match self.wire.0.try_write(&bytes) {
            Ok(count) if count == bytes.len() => {
                *place = Place::Parked(last);
                return;
            }
            Ok(count) => count,
            // Whatever broke it, its session is told when it writes the rest.
            Err(_) => 0,
        };
        self.end(&mut place, Written { up_to: last, rest: bytes.slice(count..) });
    }

    /// Lets go of a lane if it is parked.
    pub(super) fn release(&self) {
        let mut place = self.place();
        if let Place::Parked(up_to) = *place {
            self.end(&mut place, Written { up_to, rest: Bytes::new() });
        }
    }

    fn end(&self, place: &mut Place, written: Written) {
        *place = Place::LetGo(written);
        self.let_go.notify_waiters();
    }

    /// Writes what was left over.
    pub(super) async fn finish(&self, mut written: Written, stall: Duration) -> Result<(), Stop> {
        while written.rest.has_remaining() {
            let writable = tokio::time::timeout(stall, self.wire.0.writable()).await;
            match writable.map_err(|_| Close::Slow)?.and_then(|()| self.wire.0.try_write(&written.rest)) {
                Ok(count) => written.rest.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Close::WriteError.into()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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

    async fn lane() -> (Lane, TcpStream) {
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
}
