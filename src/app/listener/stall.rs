//! A connection whose peer must go on reading: one that takes nothing of an answer for too long is an error. hyper waits
//! for ever, and such connections, one for each place of the listener, would keep everybody else out.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// What waits. TCP has always flushed: that is no sign of a write that goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    Write,
    Flush,
}

/// A transport whose writes may not stand still for ever.
pub(super) struct Stalling<S> {
    stream: S,
    limit: Duration,
    /// Runs while something waits. Mostly nothing does.
    since: Option<(Waits, Pin<Box<Sleep>>)>,
    /// From then on whoever took the connection over minds its time.
    handed_over: Arc<AtomicBool>,
}

impl<S> Stalling<S> {
    /// Until `handed_over` turns true a write waits for `limit` at most.
    pub(super) fn new(stream: S, limit: Duration, handed_over: Arc<AtomicBool>) -> Self {
        Self { stream, limit, since: None, handed_over }
    }

    fn watch<T>(&mut self, what: Waits, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() || self.handed_over.load(Ordering::Relaxed) {
            self.since = self.since.take().filter(|(waits, _)| *waits == Waits::Write && what == Waits::Flush);
            return done;
        }
        let limit = self.limit;
        let (_, since) = self.since.get_or_insert_with(|| (what, Box::pin(tokio::time::sleep(limit))));
        ready!(since.as_mut().poll(context));
        metrics::counter!("deskwire_connections_stalled_total").increment(1);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(Waits::Write, context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(Waits::Write, context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// TLS writes here what it holds.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(Waits::Flush, context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(Waits::Flush, context, ended)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, DuplexStream};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);
    /// What the pipe holds.
    const ROOM: usize = 16;

    /// As hyper does it: what cannot be written is flushed, which TCP has always done.
    async fn write(stalling: &mut Stalling<DuplexStream>) -> io::Result<usize> {
        let writing = std::future::poll_fn(|context| {
            let written = Pin::new(&mut *stalling).poll_write(context, &[0; 64]);
            assert!(Pin::new(&mut *stalling).poll_flush(context).is_ready());
            written
        });
        tokio::time::timeout(LIMIT * 10, writing).await.expect("it ends")
    }

    /// One look.
    async fn waits(stalling: &mut Stalling<DuplexStream>) -> bool {
        let look = std::future::poll_fn(|context| {
            let written = Pin::new(&mut *stalling).poll_write(context, &[0; 64]);
            assert!(Pin::new(&mut *stalling).poll_flush(context).is_ready());
            Poll::Ready(written.is_pending())
        });
        look.await
    }

    #[tokio::test]
    async fn a_peer_that_reads_a_little_has_all_its_time_again_and_one_that_reads_nothing_is_let_go() {
        let (ours, mut theirs) = tokio::io::duplex(ROOM);
        let mut stalling = Stalling::new(ours, LIMIT, Arc::default());
        assert_eq!(write(&mut stalling).await.unwrap(), ROOM);
        assert!(waits(&mut stalling).await && stalling.since.is_some());
        theirs.read_exact(&mut [0; ROOM / 2]).await.unwrap();
        assert_eq!(write(&mut stalling).await.unwrap(), ROOM / 2);
        assert!(stalling.since.is_none(), "it went on");
        assert_eq!(write(&mut stalling).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn what_was_handed_over_waits_as_long_as_its_new_owner_likes() {
        let (ours, _theirs) = tokio::io::duplex(ROOM);
        let mut stalling = Stalling::new(ours, LIMIT, Arc::new(true.into()));
        write(&mut stalling).await.unwrap();
        assert!(waits(&mut stalling).await && stalling.since.is_none());
    }
}
