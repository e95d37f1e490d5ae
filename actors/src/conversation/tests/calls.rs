//! Calls: one event each, whatever is told of them, in which order and how often; who gets a text; messages left.

use proptest::{prelude::*, sample::subsequence};
use schema::{
    address::E164,
    command::{Caller, VoicemailReport},
    event::MediaRef,
    settings::{NumberType, Ring, VoiceMode},
};

use super::*;

fn number(text: &str) -> E164 {
    E164::new(text).expect("a number")
}

fn told(sid: &str, from: &str, outcome: CallOutcome) -> Command {
    let from = Address::from_carrier(from).expect("an address");
    Command::Call(CallReport { channel: line(), from, carrier_id: sid.to_owned(), outcome, name: None })
}

fn call(outcome: CallOutcome) -> Command {
    told("CA1", "+14155550100", outcome)
}

impl Desk {
    /// The line rings the business.
    fn ringing() -> Self {
        let mut desk = Self::new();
        desk.line().voice.mode = VoiceMode::Ring(Ring { phone: number("+14155550111"), ring_s: 20, confirm: false });
        desk
    }

    fn line(&mut self) -> &mut ChannelSettings {
        self.settings.channels.get_mut(&line()).expect("the line")
    }

    fn why_no_text(&mut self, from: &str) -> Option<SkipReason> {
        self.ids += 1;
        let command = told(&format!("CA{}", self.ids), from, CallOutcome::Missed);
        match self.ask(&command).expect("accepted").events.last().map(|draft| draft.fact.clone()) {
            Some(Fact::TextBackSkipped(fact)) => Some(fact.reason),
            Some(Fact::MessageQueued(_)) => None,
            other => panic!("{other:?}"),
        }
    }
}

const OVER: CallOutcome = CallOutcome::Ended { duration_s: Some(31) };
const TAKEN: CallOutcome = CallOutcome::Answered { duration_s: Some(31) };

#[test]
fn a_forwarded_call_is_missed_the_moment_it_arrives() {
    let mut desk = Desk::new();
    assert_eq!(desk.names(&call(CallOutcome::Begun)), ["call.missed", "message.queued"]);
    for later in [CallOutcome::Begun, OVER, CallOutcome::Missed] {
        assert!(desk.names(&call(later)).is_empty(), "{later:?}");
    }
}

#[test]
fn a_line_that_rings_waits_for_the_verdict() {
    let mut desk = Desk::ringing();
    assert!(desk.names(&call(CallOutcome::Begun)).is_empty());
    assert_eq!(desk.names(&call(TAKEN)), ["call.answered"]);
    assert!(desk.names(&call(OVER)).is_empty());
}

#[test]
fn a_call_that_is_over_waits_for_its_verdict_and_is_decided_without_it_in_the_end() {
    let end = |mut desk: Desk, seconds: u32| {
        let over = call(CallOutcome::Ended { duration_s: Some(seconds) });
        assert_eq!(desk.names(&over), ["call.ended"]);
        let due = desk.state.timer().expect("it wakes by itself");
        assert!(desk.names(&Command::Wake(here())).is_empty(), "not before its time");
        desk.now = due;
        let names = desk.names(&Command::Wake(here()));
        assert_eq!(desk.state.timer(), None);
        assert!(desk.names(&call(CallOutcome::Missed)).is_empty(), "the verdict comes too late");
        names
    };
    assert_eq!(end(Desk::ringing(), 31), ["call.answered"], "with answerOnBridge only a taken call is answered");
    assert_eq!(end(Desk::ringing(), 2), ["call.missed", "message.queued"], "a voicemail hung up on");
    assert_eq!(end(Desk::new(), 31), ["call.missed", "message.queued"], "nobody takes a forwarded call");
    let mut desk = Desk::ringing();
    desk.ask(&call(OVER)).expect("accepted");
    assert_eq!(desk.names(&call(CallOutcome::Missed)), ["call.missed", "message.queued"], "the verdict wins");
    assert_eq!(desk.state.timer(), None);
}

#[test]
fn calls_that_wait_for_their_verdict_are_bounded_and_none_is_lost() {
    let mut desk = Desk::ringing();
    for sid in 0..90 {
        desk.ask(&told(&format!("CB{sid}"), "+14155550100", OVER)).expect("accepted");
    }
    assert!(desk.state.calls.len() <= 65, "{}", desk.state.calls.len());
    let waiting = desk.state.open_calls().count();
    assert_eq!(waiting, 8);
    desk.pass(Duration::from_secs(61));
    let decided = (0..waiting).flat_map(|_| desk.names(&Command::Wake(here()))).collect::<Vec<_>>();
    assert_eq!(decided, ["call.answered"; 8]);
}

/// What really happened, and what of it the carrier tells.
fn story(which: u8) -> (Desk, Vec<CallOutcome>, bool) {
    let missed = CallOutcome::Missed;
    match which {
        // Forwarded here: the greeting answers it, or the caller hangs up before.
        0 => (Desk::new(), vec![CallOutcome::Begun, OVER], true),
        1 => (Desk::new(), vec![CallOutcome::Begun, missed], true),
        // Rings: somebody takes it; nobody does and the caller hangs up.
        2 => (Desk::ringing(), vec![CallOutcome::Begun, TAKEN, OVER], false),
        3 => (Desk::ringing(), vec![CallOutcome::Begun, missed, missed], true),
        // The engine was away: the carrier's fallback rang the business.
        4 => (Desk::ringing(), vec![OVER], false),
        _ => (Desk::ringing(), vec![missed], true),
    }
}

proptest! {
    #[test]
    fn one_call_makes_one_event_whatever_is_lost_repeated_or_out_of_order(
        (which, kept) in (0_u8..6).prop_flat_map(|which| {
            let told = story(which).1;
            (Just(which), subsequence(told.clone(), 1..=told.len()))
        }),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0_u64..8), 1..6),
    ) {
        let (mut desk, _, was_missed) = story(which);
        let decides = |outcome: &CallOutcome| !matches!((which, outcome), (2.., CallOutcome::Begun));
        prop_assume!(kept.iter().any(decides));
        let mut names = Vec::new();
        // Any order with repetitions, then everything once more, then the end of the waiting, then again.
        let shuffled = order.iter().map(|(index, pause)| (*index.get(&kept), *pause));
        let sequence: Vec<_> = shuffled.chain(kept.iter().map(|outcome| (*outcome, 0))).collect();
        for (outcome, pause) in sequence {
            names.extend(desk.names(&call(outcome)));
            desk.pass(Duration::from_secs(pause));
        }
        desk.pass(Duration::from_secs(61));
        names.extend(desk.names(&Command::Wake(here())));
        kept.iter().for_each(|outcome| names.extend(desk.names(&call(*outcome))));
        let count = |wanted: &str| names.iter().filter(|name| **name == wanted).count();
        prop_assert_eq!(count("call.missed"), usize::from(was_missed), "{:?}", names);
        prop_assert_eq!(count("call.answered"), usize::from(!was_missed), "{:?}", names);
        prop_assert_eq!(count("message.queued"), usize::from(was_missed), "{:?}", names);
        prop_assert_eq!(desk.state.timer(), None);
    }
}

#[test]
fn staff_and_callers_from_abroad_get_no_text_unless_the_line_allows_it() {
    let mut desk = Desk::ringing();
    desk.line().staff = vec![number("+14155550112")];
    desk.line().cool_down_s = 0;
    assert_eq!(desk.why_no_text("+14155550100"), None);
    let skipped = [
        ("+14155550111", SkipReason::Staff),
        ("+14155550112", SkipReason::Staff),
        ("+442079460018", SkipReason::Abroad),
        ("+18765550100", SkipReason::Abroad),
    ];
    for (from, reason) in skipped {
        assert_eq!(desk.why_no_text(from), Some(reason), "{from}");
    }
    desk.line().number_type = NumberType::TollFree;
    assert_eq!(desk.why_no_text("+16135550100"), None, "Canada calls the same toll-free numbers");
    desk.line().text_back_staff = true;
    desk.line().text_back_abroad = true;
    for (from, _) in skipped {
        assert_eq!(desk.why_no_text(from), None, "{from}");
    }
}

#[test]
fn a_member_of_staff_whose_verdict_never_came_gets_no_text_either() {
    let mut desk = Desk::new();
    desk.line().staff = vec![number("+14155550112")];
    desk.ask(&told("CA1", "+14155550112", OVER)).expect("accepted");
    desk.pass(Duration::from_secs(61));
    assert_eq!(desk.names(&Command::Wake(here())), ["call.missed", "textback.skipped"]);
}

#[test]
fn a_voicemail_is_shown_unread_reopens_and_keeps_its_recording_sealed() {
    let mut desk = Desk::ringing();
    desk.ask(&Command::Resolve(here())).expect("accepted");
    let recording = MediaRef { url: "https://c/RE1".to_owned(), content_type: "audio/x-wav".to_owned() };
    let decision = desk
        .ask(&Command::Voicemail(VoicemailReport {
            channel: line(),
            caller: Caller::Conversation(conversation()),
            carrier_id: "RE1".to_owned(),
            call: "CA1".to_owned(),
            recording: recording.clone(),
            duration_s: 12,
        }))
        .expect("accepted");
    let names: Vec<_> = decision.events.iter().map(|draft| draft.fact.name()).collect();
    assert_eq!(names, ["call.voicemail", "conversation.reopened"]);
    assert_eq!(decision.events[0].personal.as_ref().map(|personal| &personal.media), Some(&vec![recording]));
    assert!(!format!("{:?}", decision.events[0].fact).contains("https"), "the fact names no URL");
    assert_eq!((desk.state.unread, desk.state.open, desk.state.episode), (1, true, 2));
    assert!(desk.state.waiting_since.is_some());
}
