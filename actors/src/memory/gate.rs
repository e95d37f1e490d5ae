//! A gate that a test closes to hold callers at a known place.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Open unless closed; counts who waits.
#[derive(Debug)]
pub(super) struct Gate {
    closed: watch::Sender<bool>,
    waiting: AtomicUsize,
}

impl Default for Gate {
    fn default() -> Self {
        Self { closed: watch::Sender::new(false), waiting: AtomicUsize::new(0) }
    }
}

impl Gate {
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(super) fn open(&self) {
        self.closed.send_replace(false);
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(super) async fn pass(&self) {
        let mut closed = self.closed.subscribe();
        if !*closed.borrow_and_update() {
            return;
        }
        let _waiting = Waiting::of(&self.waiting);
        closed.wait_for(|closed| !closed).await.expect("the gate owns the sender");
    }
}

/// Counts itself out also when the caller gives up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
