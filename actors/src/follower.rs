//! Followers: search, figures and the like read the log from their own checkpoint, at their own pace.

use dashmap::DashSet;
use schema::ids::FeedId;
use tokio::sync::Notify;

/// Feeds that have grown since a follower last looked. Bounded by the number of feeds.
#[derive(Debug, Default)]
pub struct Advances {
    grown: DashSet<FeedId>,
    wake: Notify,
}

impl Advances {
    /// Called by a tenant after each durable batch: cheap when the follower has not looked yet.
    pub fn mark(&self, feed: &FeedId) {
        if !self.grown.contains(feed) {
            self.grown.insert(feed.clone());
            self.wake.notify_one();
        }
    }

    /// Waits until there is at least one, and takes them all.
    pub async fn next(&self) -> Vec<FeedId> {
        loop {
            let mut feeds: Vec<FeedId> = self.grown.iter().map(|feed| feed.key().clone()).collect();
            if !feeds.is_empty() {
                feeds.sort_unstable();
                for feed in &feeds {
                    self.grown.remove(feed);
                }
                return feeds;
            }
            self.wake.notified().await;
        }
    }
}
