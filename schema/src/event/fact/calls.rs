//! Facts of calls: what became of one, and why it got no text.

use serde::{Deserialize, Serialize};

use crate::{ids::ChannelId, time::Stamp};

body!(/// Once per call, whatever the carrier repeats.
CallMissed {
    /// The carrier's own id (CallSid).
    carrier_id: String,
    /// The line that was called.
    channel: ChannelId,
});

body!(/// The call was answered.
CallAnswered {
    /// The carrier's own id (CallSid).
    carrier_id: String,
    /// The line that was called.
    channel: ChannelId,
    /// Seconds of talk, if known.
    duration_s: Option<u32>,
});

body!(/// Whoever called waits no longer.
CallReturned {});

/// Why a missed call got no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The line's coverage is off.
    CoverageOff,
    /// There was one within the cool-down window.
    CoolDown,
    /// The contact opted out.
    OptedOut,
    /// The caller hid the number.
    Anonymous,
    /// The number is known not to receive texts.
    Unreachable,
    /// The line has no such template.
    NoTemplate,
    /// The caller is one of the business's own people.
    Staff,
    /// The caller's number is of another country than the line's.
    Abroad,
    /// The contact seems to ask for no more texts, and nobody has looked yet.
    ConsentQuestioned,
    /// The call was heard of too late: a text would puzzle the caller.
    TooLate,
    /// An operator blocked the caller.
    Blocked,
}

body!(/// No text-back, and why.
TextBackSkipped {
    /// The line that was called.
    channel: ChannelId,
    /// Why.
    reason: SkipReason,
});

body!(/// Decided at `due` at the latest: as the carrier's verdict says, or without it.
CallEnded {
    /// The carrier's own id (CallSid).
    carrier_id: String,
    /// The line that was called.
    channel: ChannelId,
    /// How long it lasted, if known.
    duration_s: Option<u32>,
    /// Until when a verdict is waited for.
    due: Stamp,
    /// What the caller's number says against a text-back.
    no_text: Option<SkipReason>,
});

body!(/// Part: the recording, as media.
CallVoicemail {
    /// The carrier's own id of the recording (RecordingSid).
    carrier_id: String,
    /// The carrier's own id of the call (CallSid).
    call: String,
    /// The line that was called.
    channel: ChannelId,
    /// How long it is.
    duration_s: u32,
});
