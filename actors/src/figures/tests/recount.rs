//! The same figures by brute force: each definition looked up in the whole log, nothing kept from one event to the next.

use std::collections::BTreeMap;

use schema::{
    event::{Fact, Purpose},
    figures::Counts,
    ids::{ChannelId, MessageId},
    message::Status,
    time::Stamp,
};

use super::Told;

const SECOND: u64 = 1_000_000;
const DAY: u64 = 86_400 * SECOND;

/// Hour and line: what was counted, and the seconds until each answer, in order.
pub type Table = BTreeMap<(u32, ChannelId), (Counts, Vec<u32>)>;

pub fn recount(log: &[Told]) -> Table {
    let mut table = Table::new();
    calls(log, &mut table);
    questions(log, &mut table);
    texts(log, &mut table);
    table.values_mut().for_each(|(_, answers)| answers.sort_unstable());
    table.retain(|_, (counts, _)| *counts != Counts::default());
    table
}

fn at<'a>(table: &'a mut Table, stamp: Stamp, line: &ChannelId) -> &'a mut (Counts, Vec<u32>) {
    table.entry(((stamp.0 / (3_600 * SECOND)) as u32, line.clone())).or_default()
}

/// A text that is no keyword.
fn wrote(fact: &Fact) -> bool {
    matches!(fact, Fact::MessageReceived(fact) if fact.keyword.is_none())
}

fn spoke(fact: &Fact) -> bool {
    matches!(fact, Fact::CallAnswered(_) | Fact::CallReturned(_))
}

fn calls(log: &[Told], table: &mut Table) {
    for (index, missed) in log.iter().enumerate() {
        let Fact::CallMissed(fact) = &missed.fact else { continue };
        let decides = |later: &&Told| {
            later.conversation() == missed.conversation()
                && (wrote(&later.fact) || spoke(&later.fact) || matches!(later.fact, Fact::ContactBlocked(_)))
        };
        let decided = log[index..].iter().find(decides).filter(|later| later.at().0 - missed.at().0 <= DAY);
        let by_block = decided.is_some_and(|later| matches!(later.fact, Fact::ContactBlocked(_)));
        if by_block || is_blocked(log, index) {
            continue;
        }
        let counts = &mut at(table, missed.at(), &fact.channel).0;
        counts.missed += 1;
        counts.recovered += u32::from(decided.is_some());
    }
}

/// Whether nobody wants to hear of the contact where this is told.
fn is_blocked(log: &[Told], index: usize) -> bool {
    let of = |told: &&Told| told.conversation() == log[index].conversation();
    let last = log[..index].iter().rev().filter(of).find_map(|told| match told.fact {
        Fact::ContactBlocked(_) => Some(true),
        Fact::ContactUnblocked(_) => Some(false),
        _ => None,
    });
    last.unwrap_or(false)
}

/// The line somebody was heard on.
fn heard(fact: &Fact) -> Option<&ChannelId> {
    match fact {
        Fact::MessageReceived(fact) if fact.keyword.is_none() => Some(&fact.channel),
        Fact::CallMissed(fact) => Some(&fact.channel),
        Fact::CallVoicemail(fact) => Some(&fact.channel),
        _ => None,
    }
}

/// Whether a person's words left with this, or were spoken. News of a text after three quiet days is no news.
fn answers(log: &[Told], index: usize) -> bool {
    match &log[index].fact {
        Fact::MessageClaimed(fact) => {
            let is_reply = |told: &Told| matches!(&told.fact, Fact::MessageQueued(queued) if queued.message == fact.message && queued.purpose == Purpose::Reply);
            log[..index].iter().any(is_reply) && life(log, fact.message).iter().any(|step| step.index == index)
        }
        fact => spoke(fact),
    }
}

fn questions(log: &[Told], table: &mut Table) {
    let mut conversations: Vec<_> = log.iter().map(Told::conversation).collect();
    conversations.sort_unstable();
    conversations.dedup();
    for conversation in conversations {
        let visible = |index: &usize| log[*index].conversation() == conversation && !is_blocked(log, *index);
        let of: Vec<usize> = (0..log.len()).filter(visible).collect();
        for episode in of.split_inclusive(|index| ends(&log[*index].fact)) {
            episode_questions(log, episode, table);
        }
    }
}

fn ends(fact: &Fact) -> bool {
    matches!(fact, Fact::ConversationResolved(_) | Fact::ConversationReopened(_) | Fact::ContactBlocked(_))
}

/// Within one episode: cut where it was silent for more than seven days; of each piece the first question counts, but for
/// one that is still open when the contact is blocked.
fn episode_questions(log: &[Told], episode: &[usize], table: &mut Table) {
    let blocked = episode.last().map(|index| &log[*index]).filter(|told| matches!(told.fact, Fact::ContactBlocked(_)));
    let mut rest = episode;
    while let Some(first) = rest.iter().position(|index| heard(&log[*index].fact).is_some()) {
        let asked = &log[rest[first]];
        let line = heard(&asked.fact).expect("it was just found");
        at(table, asked.at(), line).0.asked += 1;
        let (mut news, mut answer, mut next) = (asked.at(), None, rest.len());
        for (place, index) in rest.iter().enumerate().skip(first + 1) {
            let told = &log[*index];
            let silent = told.at().0 - news.0 > 7 * DAY;
            if heard(&told.fact).is_some() {
                if silent {
                    next = place;
                    break;
                }
                news = told.at();
            } else if answer.is_none() && !silent && answers(log, *index) {
                (answer, news) = (Some(told.at()), told.at());
            }
        }
        let unwanted = |block: &Told| block.at().0 - news.0 <= 7 * DAY;
        if answer.is_none() && next == rest.len() && blocked.is_some_and(unwanted) {
            at(table, asked.at(), line).0.asked -= 1;
        }
        if let Some(answer) = answer {
            let (counts, answers) = at(table, asked.at(), line);
            counts.answered += 1;
            answers.push(((answer.0 - asked.at().0) / SECOND) as u32);
        }
        rest = &rest[next..];
    }
}

/// What one fact made of a text.
struct Step {
    index: usize,
    status: Status,
    waits: bool,
    ready: Stamp,
}

/// All that counts of what is told of a text, from its queueing on.
fn life(log: &[Told], message: MessageId) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut attempt = 1;
    let mut news = Stamp(0);
    for (index, told) in log.iter().enumerate().filter(|(_, told)| super::names(&told.fact, message)) {
        let (status, waits, ready) =
            steps.last().map_or((Status::Queued, false, Stamp(0)), |step| (step.status, step.waits, step.ready));
        let forgotten = !steps.is_empty() && !waits && told.at().0 - news.0 > 3 * DAY;
        if matches!(status, Status::Delivered | Status::Read) || forgotten {
            break;
        }
        let (status, waits, ready) = match &told.fact {
            Fact::MessageQueued(_) => (Status::Queued, true, told.at()),
            Fact::MessageHeld(fact) => (status, waits, ready.max(fact.until)),
            Fact::MessageClaimed(_) => (Status::Claimed, false, ready),
            Fact::MessageRequeued(fact) => {
                attempt = fact.attempt;
                (Status::Queued, true, told.at().max(fact.not_before))
            }
            Fact::MessageStatus(fact) if fact.attempt == attempt => (status.join(fact.status), false, ready),
            _ => continue,
        };
        // That it stays here for a while is no news.
        if !matches!(told.fact, Fact::MessageHeld(_)) {
            news = told.at();
        }
        steps.push(Step { index, status, waits, ready });
    }
    steps
}

fn texts(log: &[Told], table: &mut Table) {
    let queued = log.iter().filter_map(|told| match &told.fact {
        Fact::MessageQueued(fact) => Some((told.at(), fact.message, fact.channel.clone())),
        _ => None,
    });
    let texts: Vec<(Stamp, ChannelId, Vec<Step>)> =
        queued.map(|(stamp, message, line)| (stamp, line, life(log, message))).collect();
    for (stamp, line, steps) in &texts {
        let counts = &mut at(table, *stamp, line).0;
        counts.queued += 1;
        match steps.last().expect("it was queued").status {
            Status::Delivered | Status::Read => counts.delivered += 1,
            Status::Failed => counts.failed += 1,
            Status::Expired => counts.expired += 1,
            Status::Canceled => counts.canceled += 1,
            _ => {}
        }
    }
    queues(log, &texts, table);
    pace(log, &texts, table);
}

/// How many texts of a line wait after the first so many facts.
fn waiting(texts: &[(Stamp, ChannelId, Vec<Step>)], line: &ChannelId, facts: usize) -> u32 {
    let waits = |steps: &Vec<Step>| steps.iter().rfind(|step| step.index < facts).is_some_and(|step| step.waits);
    texts.iter().filter(|(_, of, steps)| of == line && waits(steps)).count() as u32
}

fn queues(log: &[Told], texts: &[(Stamp, ChannelId, Vec<Step>)], table: &mut Table) {
    for (index, told) in log.iter().enumerate() {
        for line in [super::line(0), super::line(1)] {
            let (before, after) = (waiting(texts, &line, index), waiting(texts, &line, index + 1));
            if before != after {
                let counts = &mut at(table, told.at(), &line).0;
                counts.queue_most = counts.queue_most.max(before).max(after);
            }
        }
    }
}

fn pace(log: &[Told], texts: &[(Stamp, ChannelId, Vec<Step>)], table: &mut Table) {
    let mut minutes = BTreeMap::<(u64, &ChannelId), u32>::new();
    for (_, line, steps) in texts {
        for step in steps {
            let Fact::MessageClaimed(fact) = &log[step.index].fact else { continue };
            let stamp = log[step.index].at();
            let counts = &mut at(table, stamp, line).0;
            counts.segments += u32::from(fact.segments);
            let waited = (stamp.0.saturating_sub(step.ready.0) / SECOND) as u32;
            counts.wait_most_s = counts.wait_most_s.max(waited);
            *minutes.entry((stamp.0 / (60 * SECOND), line)).or_default() += u32::from(fact.segments);
        }
    }
    for ((minute, line), segments) in minutes {
        let counts = &mut at(table, Stamp(minute * 60 * SECOND), line).0;
        counts.minute_most = counts.minute_most.max(segments);
    }
}
