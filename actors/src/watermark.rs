//! How far something is that follows a log, for those who wait for it: a tenant's views, a feed.
//!
//! Whoever waits is woken in the order of asking: tokio's `watch` wakes in a random one, and then the order in which
//! cold conversations go on could not be repeated from a seed.

use std::sync::atomic::{AtomicU64, Ordering};

use schema::ids::Offset;
use tokio::sync::Notify;

/// The last offset that is there.
#[derive(Debug)]
pub(crate) struct Watermark {
    offset: AtomicU64,
    moved: Notify,
}

impl Watermark {
    /// It stands at `offset`.
    pub(crate) fn at(offset: Offset) -> Self {
        Self { offset: AtomicU64::new(offset.0), moved: Notify::new() }
    }

    /// Where it stands.
    pub(crate) fn offset(&self) -> Offset {
        Offset(self.offset.load(Ordering::Acquire))
    }

    /// It stands at `offset` now, if not beyond: an owner before may still be writing views.
    pub(crate) fn advance(&self, offset: Offset) {
        self.offset.fetch_max(offset.0, Ordering::AcqRel);
        self.moved.notify_waiters();
    }

    /// Returns when everything up to `offset` is there.
    pub(crate) async fn reach(&self, offset: Offset) {
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            // Registered before the look: what comes between look and wait is not missed.
            moved.as_mut().enable();
            if self.offset() >= offset {
                return;
            }
            moved.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_woken_in_the_order_of_asking() {
        let (mark, order) = (Arc::new(Watermark::at(Offset(0))), Arc::new(Mutex::new(Vec::new())));
        let waiters: Vec<_> = (0..32)
            .map(|number| {
                let (mark, order) = (mark.clone(), order.clone());
                tokio::spawn(async move {
                    mark.reach(Offset(1)).await;
                    order.lock().expect("no panic").push(number);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        mark.advance(Offset(1));
        for waiter in waiters {
            waiter.await.expect("it ends");
        }
        assert_eq!(*order.lock().expect("no panic"), (0..32).collect::<Vec<_>>());
    }
}
