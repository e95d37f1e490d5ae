//! Shared pace: who hands out parts of a limit that several nodes send under. All times are microseconds.
//!
//! The rules, which every implementation keeps in the same way (a test holds the script in Redis against the one in memory):
//! - **A slice is a rate for a time.** It begins when the server grants it and ends by the server's clock; the node counts
//!   its end from when it *asked*. A slice is never taken back, changed or handed back: one whose reply was lost was given.
//! - **Occupied** by a node is what it may have sent in any window that is not over: the largest slice whose end is less than
//!   a window ago, or what it reports to have sent. The sum over all nodes never exceeds the limit.
//! - **A floor** is the limit divided by the configured members: what a node without a word from the server may send. So
//!   each member's floor stays free, unless it has promised not to use it, for as long as it has promised.
//! - **A generation** ends when the server has lost what it knew (emptied, restarted, failed over, its clock set). Then
//!   nothing is granted until whatever was granted before is over.

use async_trait::async_trait;

/// What the server's and the nodes' clocks may differ by in speed, and what is added to every end, microseconds.
pub const SLACK: u64 = 20_000;

/// Who asks, and under what conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The node: the same after a restart.
    pub node: String,
    /// The process: another one after a restart.
    pub holder: String,
    /// By the server's clock, not to be carried out before or after; none: the node does not know that clock yet.
    pub between: Option<(u64, u64)>,
    /// The generation it counts on: not to be carried out in another; 0: the node knows none.
    pub generation: u64,
    /// For so long the node will not use its floors; 0: no promise, and nothing is granted.
    pub promise: u64,
    /// For so long after a generation began something of the one before may be in use, its last window aside.
    pub settle: u64,
    /// Configured members.
    pub members: u32,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The time, the generation, and that the promise is taken.
    Beat {
        /// The generation whose days this node has told all it had of; 0: none.
        marked: u64,
        /// The server's clock was set: a new generation begins.
        reset: bool,
    },
    /// A slice of a rate.
    Rate(RateAsk),
    /// A part of a day.
    Day(DayAsk),
}

/// A slice of a rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateAsk {
    /// The level.
    pub key: String,
    /// Its window.
    pub window: u64,
    /// Segments in a window, over all nodes.
    pub limit: u32,
    /// Segments in a window that this node could use.
    pub want: u32,
    /// The cost of a text that waits for a slice as large as itself; 0: none.
    pub need: u32,
    /// What of its floor it wants to keep using when it hears no more; never more than before without a reply.
    pub keep: u32,
    /// Longest slice.
    pub slice_max: u64,
    /// Number of this question, from 1.
    pub sequence: u64,
    /// Slices of questions before this one have ended for the node.
    pub live_from: u64,
    /// What it has sent: segments, and for how much longer they count.
    pub used: Vec<(u32, u64)>,
}

/// A part of a day's budget, which is the node's until that day ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayAsk {
    /// The level and its date.
    pub key: String,
    /// When that day begins.
    pub begins: u64,
    /// And ends.
    pub ends: u64,
    /// Segments in it, over all nodes.
    pub limit: u32,
    /// Of those, what campaigns may use.
    pub open: u32,
    /// Segments wanted; 0: only tells what it had.
    pub want: u32,
    /// The cost of a text that waits.
    pub need: u32,
    /// Whether only for campaigns.
    pub open_only: bool,
    /// All that this node was ever granted of it, as far as it knows.
    pub had: u64,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The server's time.
    pub now: u64,
    /// When its generation began: its name.
    pub generation: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It came at another time than it should have, and was not carried out.
    Late,
    /// Nothing is granted for so long: what was granted before may still be in use.
    Unsettled {
        /// Microseconds.
        left: u64,
    },
    /// A beat was taken.
    Here,
    /// A slice.
    Slice {
        /// Segments in a window; 0: none.
        share: u32,
        /// For so long.
        length: u64,
        /// What the node may go on using whatever happens.
        keep: u32,
        /// When more may be free; 0: it has what it may have.
        again: u64,
    },
    /// A part of a day.
    Part {
        /// Segments granted now.
        granted: u32,
        /// Of those, what campaigns may use.
        open: u32,
        /// All that was granted to this node.
        had: u64,
        /// All that was granted to anybody.
        used: u64,
        /// Whether all members have told what they had: until then nothing is granted.
        whole: bool,
    },
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantsError {
    /// The server did not answer; the question may have been carried out.
    #[error("the server of shared limits cannot be reached: {0}")]
    Unavailable(String),
    /// The server answered what nobody understands.
    #[error("the server of shared limits answered {0}")]
    Unexpected(String),
}

/// Hands out slices.
#[async_trait]
pub trait Grants: Send + Sync + 'static {
    /// Asks once. Bounded in time by the caller; never repeats a question by itself.
    async fn ask(&self, call: &Call, ask: &Ask) -> Result<Reply, GrantsError>;
}
