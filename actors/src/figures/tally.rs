//! The count: a fold over a log's facts, with what is still open. Pure; the definitions stand at [`Counts`].

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use schema::{
    event::{Fact, Header, MessageClaimed, MessageQueued, MessageRequeued, MessageStatus, Purpose},
    figures::{Counts, RECOVERED_WITHIN_H, SETTLED_AFTER_D, SILENT_AFTER_D},
    ids::{ChannelId, ConversationId, MessageId},
    message::Status,
    time::Stamp,
};
use serde::{Deserialize, Serialize};

const RECOVERED_WITHIN: Duration = Duration::from_secs(RECOVERED_WITHIN_H * 3_600);
const SILENT_AFTER: Duration = Duration::from_secs(SILENT_AFTER_D * 86_400);
const SETTLED_AFTER: Duration = Duration::from_secs(SETTLED_AFTER_D * 86_400);
/// Missed calls of one caller that may still be recovered; of more, the oldest are given up.
const MISSED_KEPT: usize = 256;
const HOUR: u64 = 3_600_000_000;
const MINUTE: u64 = 60_000_000;

/// Everything counted of a log so far, and what later facts may still change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Stamp of the first fact that was counted.
    pub(super) since: Option<Stamp>,
    newest: Stamp,
    /// Hours since the epoch, and lines.
    pub(super) hours: BTreeMap<u32, BTreeMap<ChannelId, Hour>>,
    talks: BTreeMap<ConversationId, Talk>,
    texts: BTreeMap<MessageId, Text>,
    lines: BTreeMap<ChannelId, Line>,
    /// Of these nothing is counted but texts that leave.
    blocked: BTreeSet<ConversationId>,
}

/// What was counted at one line in one hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hour {
    pub(super) counts: Counts,
    /// Seconds until each answered first question of the hour was answered.
    pub(super) answers: Vec<u32>,
}

/// A contact who was heard of lately.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Talk {
    touched: Stamp,
    asked: Option<(Stamp, ChannelId)>,
    is_answered: bool,
    missed: Vec<(Stamp, ChannelId)>,
}

/// A text that waits, or of which the carrier may have more to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Text {
    conversation: ConversationId,
    queued: Stamp,
    channel: ChannelId,
    is_reply: bool,
    attempt: u16,
    status: Status,
    is_waiting: bool,
    ready: Stamp,
    touched: Stamp,
}

/// A number as its last fact left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Line {
    waiting: u32,
    minute: u64,
    segments: u32,
    segments_before: u32,
}

/// The hour of a stamp, since the epoch.
pub(super) fn hour_of(at: Stamp) -> u32 {
    u32::try_from(at.0 / HOUR).unwrap_or(u32::MAX)
}

/// When an hour begins.
pub(super) fn begin_of(hour: u32) -> Stamp {
    Stamp(u64::from(hour) * HOUR)
}

fn seconds(length: Duration) -> u32 {
    u32::try_from(length.as_secs()).unwrap_or(u32::MAX)
}

impl Tally {
    /// Folds one event in. Events come in the order of their offsets.
    pub(super) fn apply(&mut self, header: &Header, fact: &Fact) {
        let at = header.stamp;
        self.since.get_or_insert(at);
        self.newest = self.newest.max(at);
        let Some(conversation) = header.conversation else { return };
        match fact {
            Fact::MessageReceived(fact) if fact.keyword.is_none() => {
                self.recover(conversation, at);
                self.ask(conversation, at, &fact.channel);
            }
            Fact::CallMissed(fact) => {
                self.ask(conversation, at, &fact.channel);
                self.miss(conversation, at, &fact.channel);
            }
            Fact::CallVoicemail(fact) => self.ask(conversation, at, &fact.channel),
            Fact::CallAnswered(_) | Fact::CallReturned(_) => {
                self.recover(conversation, at);
                self.answer(conversation, at);
            }
            Fact::ContactBlocked(_) => self.block(conversation, at),
            Fact::ContactUnblocked(_) => {
                self.blocked.remove(&conversation);
            }
            Fact::ConversationResolved(_) | Fact::ConversationReopened(_) => self.begin_anew(conversation),
            Fact::MessageQueued(fact) => self.queue(conversation, at, fact),
            Fact::MessageHeld(fact) => {
                if let Some(text) = self.texts.get_mut(&fact.message) {
                    text.ready = text.ready.max(fact.until);
                }
            }
            Fact::MessageClaimed(fact) => self.claim(at, fact),
            Fact::MessageStatus(fact) => self.settle(at, fact),
            Fact::MessageRequeued(fact) => self.requeue(at, fact),
            _ => {}
        }
    }

    /// Segments given to the carrier in the minute of `now` and the one before it.
    pub(super) fn segments_lately(&self, channel: &ChannelId, now: Stamp) -> u32 {
        let Some(line) = self.lines.get(channel) else { return 0 };
        match (now.0 / MINUTE).checked_sub(line.minute) {
            Some(0) | None => line.segments.saturating_add(line.segments_before),
            Some(1) => line.segments,
            Some(_) => 0,
        }
    }

    /// The hour of the last fact.
    pub(super) fn newest_hour(&self) -> u32 {
        hour_of(self.newest)
    }

    /// Forgets what nothing can change any more, and hours before the last `keep`. Changes no count that is kept.
    pub(super) fn prune(&mut self, keep: u32) {
        let newest = self.newest;
        self.hours = self.hours.split_off(&self.newest_hour().saturating_sub(keep.saturating_sub(1)));
        self.talks.retain(|_, talk| newest.since(talk.touched) <= SILENT_AFTER);
        self.texts.retain(|_, text| text.is_waiting || newest.since(text.touched) <= SETTLED_AFTER);
    }

    fn hour(&mut self, at: Stamp, channel: &ChannelId) -> &mut Hour {
        let lines = self.hours.entry(hour_of(at)).or_default();
        if !lines.contains_key(channel) {
            lines.insert(channel.clone(), Hour::default());
        }
        lines.get_mut(channel).expect("it was put there if it was missing")
    }

    fn counts(&mut self, at: Stamp, channel: &ChannelId) -> &mut Counts {
        &mut self.hour(at, channel).counts
    }

    /// What is still open of a contact that nobody wants to hear of was no customer's: it is taken off again.
    fn block(&mut self, conversation: ConversationId, at: Stamp) {
        self.blocked.insert(conversation);
        let Some(talk) = self.talks.remove(&conversation) else { return };
        if let Some((asked, channel)) = talk.asked.filter(|_| at.since(talk.touched) <= SILENT_AFTER) {
            let counts = self.counts(asked, &channel);
            counts.asked = counts.asked.saturating_sub(1);
        }
        for (missed, channel) in talk.missed {
            if at.since(missed) <= RECOVERED_WITHIN {
                let counts = self.counts(missed, &channel);
                counts.missed = counts.missed.saturating_sub(1);
            }
        }
    }

    fn ask(&mut self, conversation: ConversationId, at: Stamp, channel: &ChannelId) {
        if self.blocked.contains(&conversation) {
            return;
        }
        let talk = self.talks.entry(conversation).or_default();
        if at.since(talk.touched) > SILENT_AFTER {
            *talk = Talk::default();
        }
        talk.touched = at;
        if talk.asked.is_none() && !talk.is_answered {
            talk.asked = Some((at, channel.clone()));
            self.counts(at, channel).asked += 1;
        }
    }

    fn miss(&mut self, conversation: ConversationId, at: Stamp, channel: &ChannelId) {
        if self.blocked.contains(&conversation) {
            return;
        }
        self.counts(at, channel).missed += 1;
        let Some(talk) = self.talks.get_mut(&conversation) else { return };
        if talk.missed.len() >= MISSED_KEPT {
            talk.missed.remove(0);
        }
        talk.missed.push((at, channel.clone()));
    }

    fn recover(&mut self, conversation: ConversationId, at: Stamp) {
        let Some(talk) = self.talks.get_mut(&conversation) else { return };
        for (missed, channel) in std::mem::take(&mut talk.missed) {
            if at.since(missed) <= RECOVERED_WITHIN {
                self.counts(missed, &channel).recovered += 1;
            }
        }
    }

    fn answer(&mut self, conversation: ConversationId, at: Stamp) {
        let Some(talk) = self.talks.get_mut(&conversation) else { return };
        if at.since(talk.touched) > SILENT_AFTER {
            return;
        }
        if let Some((asked, channel)) = talk.asked.take() {
            talk.is_answered = true;
            talk.touched = at;
            let hour = self.hour(asked, &channel);
            hour.counts.answered += 1;
            hour.answers.push(seconds(at.since(asked)));
        }
    }

    /// Whoever is heard of after this asks for the first time again.
    fn begin_anew(&mut self, conversation: ConversationId) {
        let Some(talk) = self.talks.get_mut(&conversation) else { return };
        talk.asked = None;
        talk.is_answered = false;
        if talk.missed.is_empty() {
            self.talks.remove(&conversation);
        }
    }

    fn queue(&mut self, conversation: ConversationId, at: Stamp, fact: &MessageQueued) {
        let text = Text {
            conversation,
            queued: at,
            channel: fact.channel.clone(),
            is_reply: fact.purpose == Purpose::Reply,
            attempt: 1,
            status: Status::Queued,
            is_waiting: true,
            ready: at,
            touched: at,
        };
        self.texts.insert(fact.message, text);
        self.counts(at, &fact.channel).queued += 1;
        self.wait_more(at, &fact.channel);
    }

    fn claim(&mut self, at: Stamp, fact: &MessageClaimed) {
        let Some(text) = self.known(at, fact.message) else { return };
        let before = std::mem::replace(&mut text.status, Status::Claimed);
        text.attempt = fact.attempt;
        text.touched = at;
        let (channel, waited) = (text.channel.clone(), seconds(at.since(text.ready)));
        let answers = text.is_reply.then_some(text.conversation);
        self.wait_no_more(at, fact.message);
        self.moved(fact.message, before, Status::Claimed);
        let busiest = self.give(at, &channel, u32::from(fact.segments));
        let counts = self.counts(at, &channel);
        counts.segments = counts.segments.saturating_add(u32::from(fact.segments));
        counts.minute_most = counts.minute_most.max(busiest);
        counts.wait_most_s = counts.wait_most_s.max(waited);
        if let Some(conversation) = answers {
            self.answer(conversation, at);
        }
    }

    /// Segments of the minute so far.
    fn give(&mut self, at: Stamp, channel: &ChannelId, segments: u32) -> u32 {
        let line = self.lines.entry(channel.clone()).or_default();
        let minute = at.0 / MINUTE;
        if line.minute != minute {
            line.segments_before = if line.minute + 1 == minute { line.segments } else { 0 };
            line.segments = 0;
            line.minute = minute;
        }
        line.segments = line.segments.saturating_add(segments);
        line.segments
    }

    fn settle(&mut self, at: Stamp, fact: &MessageStatus) {
        let Some(text) = self.known(at, fact.message).filter(|text| text.attempt == fact.attempt) else { return };
        let before = text.status;
        text.status = before.join(fact.status);
        text.touched = at;
        let after = text.status;
        if after != Status::Queued {
            self.wait_no_more(at, fact.message);
        }
        self.moved(fact.message, before, after);
        if matches!(after, Status::Delivered | Status::Read) {
            self.texts.remove(&fact.message);
        }
    }

    fn requeue(&mut self, at: Stamp, fact: &MessageRequeued) {
        let Some(text) = self.known(at, fact.message) else { return };
        let before = text.status;
        text.attempt = fact.attempt;
        text.status = Status::Queued;
        text.ready = at.max(fact.not_before);
        text.touched = at;
        let channel = text.channel.clone();
        if !std::mem::replace(&mut text.is_waiting, true) {
            self.wait_more(at, &channel);
        }
        self.moved(fact.message, before, Status::Queued);
    }

    fn known(&mut self, at: Stamp, message: MessageId) -> Option<&mut Text> {
        self.texts.get_mut(&message).filter(|text| text.is_waiting || at.since(text.touched) <= SETTLED_AFTER)
    }

    /// Counts a text where it is now, and no longer where it was.
    fn moved(&mut self, message: MessageId, before: Status, after: Status) {
        let Some(text) = self.texts.get(&message) else { return };
        let (queued, channel) = (text.queued, text.channel.clone());
        let counts = self.counts(queued, &channel);
        if let Some(count) = place(counts, before) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = place(counts, after) {
            *count += 1;
        }
    }

    fn wait_more(&mut self, at: Stamp, channel: &ChannelId) {
        let line = self.lines.entry(channel.clone()).or_default();
        line.waiting += 1;
        let waiting = line.waiting;
        let counts = self.counts(at, channel);
        counts.queue_most = counts.queue_most.max(waiting);
    }

    /// The queue was as long as it was until now, also in an hour in which nothing joined it.
    fn wait_no_more(&mut self, at: Stamp, message: MessageId) {
        let Some(text) = self.texts.get_mut(&message).filter(|text| text.is_waiting) else { return };
        text.is_waiting = false;
        let channel = text.channel.clone();
        let line = self.lines.entry(channel.clone()).or_default();
        let waiting = line.waiting;
        line.waiting = waiting.saturating_sub(1);
        let counts = self.counts(at, &channel);
        counts.queue_most = counts.queue_most.max(waiting);
    }
}

/// Where a text of this status is counted; none: what becomes of it is open.
fn place(counts: &mut Counts, status: Status) -> Option<&mut u32> {
    match status {
        Status::Delivered | Status::Read => Some(&mut counts.delivered),
        Status::Failed => Some(&mut counts.failed),
        Status::Expired => Some(&mut counts.expired),
        Status::Canceled => Some(&mut counts.canceled),
        Status::Queued | Status::Claimed | Status::Unknown | Status::Sent => None,
    }
}
