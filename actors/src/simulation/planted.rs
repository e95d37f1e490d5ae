//! Faults planted in the engine, one at a time, to prove that the simulation sees them. The places are marked
//! `planted!(…)`; outside this crate's own unit tests that is `false` and compiled out.

use std::cell::{Cell, RefCell};

use schema::{
    event::{Content, Event, Part},
    ids::FeedId,
};

/// Every fault there is, each named for what the engine then does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    AckBeforeAppend,
    StatusOverwritten,
    DedupeKeyDropped,
    ConfirmationBlocked,
    SentAfterOptOut,
    OffsetSkipped,
    ResumeOffByOne,
    TimersLost,
    SecondTextBack,
    ForeignFrame,
    ExpiredSent,
    DayForgotten,
    SentWithoutClaim,
    DuplicateAckedAhead,
    ClaimSentAgain,
    UnknownSentAgain,
    UnknownTakenForStored,
    UnknownTakenForFailed,
    FailedBatchKept,
    RouteForgotten,
    /// Of several nodes.
    FenceIgnored,
    WrittenUnasked,
    LateViewsWin,
    ForeignViewsTrusted,
    TakenOverWithoutTexts,
    AheadOfFollowerRefused,
    TakenOverUnread,
    FollowedFromNowOn,
    ClockTrusted,
    /// Of shared pace (pace/shares/simulation.rs).
    SliceFromArrival,
    MinorityTakesAll,
    AbsentFloorsLent,
    UnusedHandedBack,
    FloorAtOnce,
    LateCarriedOut,
    ServerClockTrusted,
    DayGivenTwice,
}

impl Fault {
    pub(crate) const ALL: [Self; 20] = [
        Self::AckBeforeAppend,
        Self::StatusOverwritten,
        Self::DedupeKeyDropped,
        Self::ConfirmationBlocked,
        Self::SentAfterOptOut,
        Self::OffsetSkipped,
        Self::ResumeOffByOne,
        Self::TimersLost,
        Self::SecondTextBack,
        Self::ForeignFrame,
        Self::ExpiredSent,
        Self::DayForgotten,
        Self::SentWithoutClaim,
        Self::DuplicateAckedAhead,
        Self::ClaimSentAgain,
        Self::UnknownSentAgain,
        Self::UnknownTakenForStored,
        Self::UnknownTakenForFailed,
        Self::FailedBatchKept,
        Self::RouteForgotten,
    ];

    /// What only several nodes can do wrong, and some of what a takeover could.
    pub(crate) const OF_NODES: [Self; 16] = [
        Self::FenceIgnored,
        Self::WrittenUnasked,
        Self::LateViewsWin,
        Self::ForeignViewsTrusted,
        Self::TakenOverWithoutTexts,
        Self::AheadOfFollowerRefused,
        Self::TakenOverUnread,
        Self::FollowedFromNowOn,
        Self::ClockTrusted,
        Self::AckBeforeAppend,
        Self::ClaimSentAgain,
        Self::DedupeKeyDropped,
        Self::TimersLost,
        Self::UnknownTakenForStored,
        Self::UnknownTakenForFailed,
        Self::ResumeOffByOne,
    ];
}

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
    /// The last personal part that was shown, and in whose feed.
    static SHOWN: RefCell<Option<(FeedId, Part)>> = const { RefCell::new(None) };
}

/// Whether this fault is planted on this thread.
pub(crate) fn planted(fault: Fault) -> bool {
    PLANTED.get() == Some(fault)
}

/// Plants a fault on this thread, or takes it back.
pub(crate) fn plant(fault: Option<Fault>) {
    PLANTED.set(fault);
    SHOWN.take();
}

/// With [`Fault::ForeignFrame`]: what one tenant was shown last stands in another's frame.
pub(crate) fn smuggle(feed: &FeedId, mut events: Vec<Event>) -> Vec<Event> {
    if !planted(Fault::ForeignFrame) {
        return events;
    }
    for event in &mut events {
        let Some(part) = event.parts.first_mut() else { continue };
        if !matches!(part.content, Content::Open(_)) {
            continue;
        }
        let shown = SHOWN.replace(Some((feed.clone(), part.clone())));
        if let Some((_, other)) = shown.filter(|(other, _)| other != feed) {
            *part = other;
        }
    }
    events
}
