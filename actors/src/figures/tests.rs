//! The count against a recount by brute force, over generated logs; and the follower over memory.

mod follower;
mod recount;

use proptest::prelude::*;
use schema::{
    event::{
        Author, BlockReason, CallAnswered, CallMissed, CallReturned, CallVoicemail, ContactBlocked, ContactUnblocked,
        ConversationReopened, ConversationResolved, Fact, Header, Keyword, MessageClaimed, MessageHeld, MessageQueued,
        MessageReceived, MessageRequeued, MessageStatus, Origin, Purpose, Via,
    },
    ids::{ConversationId, MessageId, NodeId, RequestId},
    message::{Priority, Status},
};
use uuid::Uuid;

use super::*;

const SECOND: u64 = 1_000_000;
const STATUSES: [Status; 7] =
    [Status::Unknown, Status::Sent, Status::Failed, Status::Delivered, Status::Read, Status::Canceled, Status::Expired];

/// A fact of a generated log.
#[derive(Debug, Clone)]
struct Told {
    header: Header,
    fact: Fact,
}

impl Told {
    fn at(&self) -> Stamp {
        self.header.stamp
    }

    fn conversation(&self) -> ConversationId {
        self.header.conversation.expect("every fact here is of a conversation")
    }
}

fn line(number: u8) -> ChannelId {
    ChannelId::new(&format!("line-{}", number % 2)).unwrap()
}

/// One step: how long after the one before, in which conversation, what, and a number to choose by.
type Step = (u64, u8, u8, u8);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![
        8 => 0..90_u64,
        6 => 90..4_000_u64,
        2 => 4_000..90_000_u64,
        1 => Just(86_400_u64),
        1 => 90_000..800_000_u64,
    ];
    prop::collection::vec((pause, 0..4_u8, 0..22_u8, any::<u8>()), 0..160)
}

/// A log in which each text is queued before anything else is said of it.
fn log(steps: &[Step]) -> Vec<Told> {
    let mut told = Vec::new();
    let mut texts: Vec<(MessageId, ConversationId, u16)> = Vec::new();
    let mut at = Stamp(1_700_000_000 * SECOND);
    for (number, (pause, who, what, choice)) in steps.iter().enumerate() {
        at = Stamp(at.0 + pause * SECOND + 1);
        let conversation = ConversationId(Uuid::from_u128(u128::from(*who)));
        let text = texts.get(usize::from(*choice) % texts.len().max(1)).copied();
        let fact = match (what, text) {
            (0..3, _) => heard(*choice, number),
            (3..5, _) => CallMissed { carrier_id: String::new(), channel: line(*choice) }.into(),
            (5, _) => spoken(*choice),
            (6, _) => ConversationResolved { episode: 1 }.into(),
            (7, _) => ConversationReopened { episode: 2 }.into(),
            (20, _) => ContactBlocked { why: BlockReason::Spam, open: true }.into(),
            (21, _) => ContactUnblocked {}.into(),
            (8..12, _) | (_, None) => {
                let message = MessageId(Uuid::from_u128(number as u128));
                texts.push((message, conversation, 1));
                queued(message, *choice, at)
            }
            (_, Some((message, ..))) => {
                let known = texts.iter_mut().find(|known| known.0 == message).unwrap();
                later(*what, message, &mut known.2, *choice, at)
            }
        };
        let of = texts.iter().find(|known| names(&fact, known.0)).map_or(conversation, |known| known.1);
        told.push(Told { header: header(number, at, of), fact });
    }
    told
}

fn header(number: usize, stamp: Stamp, conversation: ConversationId) -> Header {
    let origin = Origin { by: Author::Engine, via: Via::Engine, request: RequestId(Uuid::nil()) };
    let offset = Offset(number as u64 + 1);
    Header { offset, stamp, conversation: Some(conversation), previous: Offset(0), origin, accepted: None }
}

fn heard(choice: u8, number: usize) -> Fact {
    if choice.is_multiple_of(7) {
        let (carrier_id, call) = (String::new(), String::new());
        return CallVoicemail { carrier_id, call, channel: line(choice), duration_s: 9 }.into();
    }
    let message = MessageId(Uuid::from_u128(number as u128));
    let keyword = choice.is_multiple_of(5).then_some(Keyword::Stop);
    MessageReceived { message, channel: line(choice), carrier_id: String::new(), segments: 1, media: 0, keyword }.into()
}

fn spoken(choice: u8) -> Fact {
    if choice.is_multiple_of(2) {
        return CallReturned {}.into();
    }
    CallAnswered { carrier_id: String::new(), channel: line(choice), duration_s: None }.into()
}

fn queued(message: MessageId, choice: u8, at: Stamp) -> Fact {
    let purpose = if choice.is_multiple_of(3) { Purpose::TextBack } else { Purpose::Reply };
    let (channel, segments) = (line(choice), u16::from(choice % 4));
    let (priority, valid_until) = (Priority::Interactive, at.plus(SILENT));
    MessageQueued { message, channel, purpose, priority, segments, valid_until, template: None }.into()
}

const SILENT: Duration = Duration::from_secs(7 * 86_400);

fn later(what: u8, message: MessageId, attempt: &mut u16, choice: u8, at: Stamp) -> Fact {
    match what {
        12 => MessageHeld { message, until: at.plus(Duration::from_secs(u64::from(choice % 30))) }.into(),
        13..15 => {
            let (node, segments) = (NodeId::new("one").unwrap(), u16::from(choice % 4));
            MessageClaimed { message, attempt: *attempt, node, deadline: at, segments, after_unknown: false }.into()
        }
        15 => {
            *attempt += 1;
            let not_before = at.plus(Duration::from_secs(u64::from(choice)));
            MessageRequeued { message, attempt: *attempt, not_before, valid_until: at, error: None }.into()
        }
        _ => {
            // Now and then of an attempt that is over.
            let attempt = if choice.is_multiple_of(9) { attempt.saturating_sub(1) } else { *attempt };
            let status = STATUSES[usize::from(choice) % STATUSES.len()];
            MessageStatus { message, attempt, status, carrier_id: None, error: None }.into()
        }
    }
}

fn names(fact: &Fact, message: MessageId) -> bool {
    match fact {
        Fact::MessageQueued(fact) => fact.message == message,
        Fact::MessageHeld(fact) => fact.message == message,
        Fact::MessageClaimed(fact) => fact.message == message,
        Fact::MessageStatus(fact) => fact.message == message,
        Fact::MessageRequeued(fact) => fact.message == message,
        _ => false,
    }
}

const FOR_EVER: u32 = u32::MAX;

fn count(log: &[Told]) -> Tally {
    let mut tally = Tally::default();
    log.iter().for_each(|told| tally.apply(&told.header, &told.fact));
    tally
}

/// What was counted, without what counts nothing, answers in order.
fn counted(tally: &Tally) -> recount::Table {
    let hours = tally.hours.iter().flat_map(|(hour, lines)| lines.iter().map(|(line, of)| ((*hour, line.clone()), of)));
    let mut table: recount::Table = hours.map(|(place, of)| (place, (of.counts.clone(), of.answers.clone()))).collect();
    table.values_mut().for_each(|(_, answers)| answers.sort_unstable());
    table.retain(|_, (counts, _)| *counts != schema::figures::Counts::default());
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_figure_equals_a_recount_of_the_whole_log(steps in steps()) {
        let log = log(&steps);
        prop_assert_eq!(counted(&count(&log)), recount::recount(&log));
    }

    #[test]
    fn a_count_that_was_kept_and_pruned_anywhere_goes_on_as_if_it_had_not_been(steps in steps(), every in 1..9_usize) {
        let log = log(&steps);
        let mut tally = Tally::default();
        for (number, told) in log.iter().enumerate() {
            tally.apply(&told.header, &told.fact);
            if number % every == 0 {
                tally.prune(FOR_EVER);
                let kept = postcard::to_stdvec(&tally).unwrap();
                tally = postcard::from_bytes(&kept).unwrap();
            }
        }
        prop_assert_eq!(counted(&tally), counted(&count(&log)));
    }
}
