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

impl Written {
    /// Whether nothing of it is left to write.
    pub(super) fn is_whole(&self) -> bool {
        self.rest.is_empty()
    }
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

    /// Whether the session writes.
    pub(super) fn is_held(&self) -> bool {
        matches!(*self.place(), Place::Held)
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
pub(super) mod tests;
