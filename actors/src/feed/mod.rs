//! The feed: the recent tail of a tenant's log as ready-made frames; sessions are cursors over it.

/// What sessions hold of a feed.
#[derive(Clone)]
pub struct FeedHandle {}
