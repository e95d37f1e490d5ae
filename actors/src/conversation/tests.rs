//! Tables of given / command / expected for the pure decision, and the fold that belongs to it.

mod away;
mod blocked;
mod fates;
mod pause;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use schema::{
    address::Address,
    command::{
        CallOutcome, CallReport, ClaimSend, Command, ConversationRef, DeliveryReport, MessageRef, ReceiveMessage,
        Recipient, SendMessage, SendOutcome, SettleSend, Snooze,
    },
    event::{Author, Consent, ConsentSource, Fact, Header, Keyword, Origin, Purpose, SkipReason, Via},
    ids::{
        AccountId, AddressHash, ChannelId, ContactId, ConversationId, KeyId, MessageId, NodeId, OperatorId, RequestId,
        TemplateId,
    },
    message::{CarrierError, ErrorClass, Status},
    problem::Code,
    settings::{CarrierAnswers, ChannelSettings, KeywordAnswers, TemplateSettings, TenantSettings},
    time::Stamp,
};
use uuid::Uuid;

use super::{Decision, Inputs, Policy, State, decide, decide::Newcomer};
use crate::{handle::Refusal, tenant::Settings};

mod calls;
mod keywords;

/// A conversation that decides and folds, with a clock and ids of its own.
struct Desk {
    state: State,
    settings: Settings,
    policy: Policy,
    now: Stamp,
    ids: u128,
}

fn line() -> ChannelId {
    ChannelId::new("line").expect("a slug")
}

fn template(name: &str) -> Option<TemplateId> {
    Some(TemplateId::new(name).expect("a slug"))
}

impl Desk {
    fn new() -> Self {
        Self::with("+14155550100")
    }

    fn with(address: &str) -> Self {
        let newcomer = Newcomer {
            conversation: ConversationId(Uuid::from_u128(1)),
            contact: ContactId(Uuid::from_u128(2)),
            key: KeyId(Uuid::from_u128(2)),
            hash: AddressHash([7; 16]),
            address: Address::from_carrier(address).expect("an address"),
        };
        let texts = ["textback", "stop", "start", "help"];
        let templates = texts.map(|name| {
            let text = format!("{name} from {{business}}");
            (template(name).expect("a slug"), TemplateSettings { text })
        });
        let answers = KeywordAnswers { stop: template("stop"), start: template("start"), help: template("help") };
        let channel = ChannelSettings {
            coverage: true,
            text_back: template("textback"),
            cool_down_s: 3600,
            answers,
            carrier_answers: Some(CarrierAnswers { stop: false, start: false, help: false }),
            ..ChannelSettings::new("+14155550199", AccountId::new("account").expect("a slug"))
        };
        let settings = Settings {
            tenant: TenantSettings { business_name: "Acme".to_owned() },
            channels: BTreeMap::from([(line(), channel)]),
            templates: templates.into_iter().collect(),
            ..Settings::default()
        };
        let state = State::fresh(newcomer.conversation, &newcomer.created());
        let mut desk = Self { state, settings, policy: Policy::default(), now: Stamp(1_000_000_000_000), ids: 100 };
        desk.fold(&newcomer.created().into());
        desk
    }

    fn fold(&mut self, fact: &Fact) {
        let header = Header {
            offset: self.state.last.next(),
            stamp: self.now,
            conversation: Some(self.state.conversation),
            previous: self.state.last,
            origin: Origin { by: Author::Engine, via: Via::Engine, request: RequestId(Uuid::nil()) },
            accepted: None,
        };
        self.state.apply(&header, fact);
        self.now = self.now.plus(Duration::from_micros(1));
    }

    fn ask(&mut self, command: &Command) -> Result<Decision, Refusal> {
        self.ids += 10;
        let fresh = [0, 1, 2].map(|step| Uuid::from_u128(self.ids + step));
        let inputs = Inputs {
            now: self.now,
            settings: &self.settings,
            policy: &self.policy,
            node: &NodeId::new("node").expect("a slug"),
            fresh,
            random: u64::MAX,
        };
        let by = Author::Operator(OperatorId::new("ana").expect("a slug"));
        let decision = decide(&self.state, command, &inputs, &by)?;
        for draft in &decision.events {
            self.fold(&draft.fact);
        }
        Ok(decision)
    }

    fn names(&mut self, command: &Command) -> Vec<&'static str> {
        self.ask(command).expect("accepted").events.iter().map(|draft| draft.fact.name()).collect()
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
    }

    /// Queues a reply and claims it; gives its id.
    fn claimed(&mut self) -> MessageId {
        let message = self.ask(&reply("hello")).expect("accepted").message.expect("a message");
        assert_eq!(self.names(&claim(message, 1)), ["message.claimed"]);
        message
    }

    fn status(&self, message: MessageId) -> Status {
        self.state.sends[&message].status
    }
}

fn conversation() -> ConversationId {
    ConversationId(Uuid::from_u128(1))
}

fn text(words: &str) -> Command {
    Command::Receive(ReceiveMessage {
        channel: line(),
        from: Address::Anonymous,
        carrier_id: "SM1".to_owned(),
        text: words.to_owned(),
        media: Vec::new(),
        segments: 1,
        carrier_keyword: None,
    })
}

/// Another call each time: the same one again would change nothing.
fn missed() -> Command {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    Command::Call(CallReport {
        channel: line(),
        from: Address::Anonymous,
        carrier_id: format!("CAmissed{}", CALLS.fetch_add(1, Ordering::Relaxed)),
        outcome: CallOutcome::Missed,
        name: None,
    })
}

fn reply(words: &str) -> Command {
    let to = Recipient::Conversation(conversation());
    Command::Send(SendMessage { to, channel: Some(line()), text: words.to_owned() })
}

fn claim(message: MessageId, attempt: u16) -> Command {
    Command::Claim(ClaimSend {
        conversation: conversation(),
        message,
        attempt,
        deadline: Stamp(u64::MAX),
        after_unknown: false,
    })
}

fn settle(message: MessageId, attempt: u16, outcome: SendOutcome) -> Command {
    Command::Settle(SettleSend { conversation: conversation(), message, attempt, outcome })
}

fn receipt(message: MessageId, attempt: u16, status: Status, error: Option<CarrierError>) -> Command {
    let (carrier_id, channel) = ("SM9".to_owned(), Some(line()));
    Command::Receipt(DeliveryReport {
        conversation: conversation(),
        message,
        attempt,
        carrier_id,
        status,
        error,
        channel,
    })
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { carrier_id: "SM9".to_owned() }
}

fn refused(code: u32, class: ErrorClass) -> SendOutcome {
    SendOutcome::Refused(CarrierError { code, class })
}

fn here() -> ConversationRef {
    ConversationRef { conversation: conversation() }
}

fn code(result: Result<Decision, Refusal>) -> Option<Code> {
    match result {
        Err(Refusal::Rejected { code, .. }) => Some(code),
        _ => None,
    }
}

#[test]
fn a_missed_call_gets_one_text_per_cool_down_window_whatever_the_carrier_repeats() {
    let mut desk = Desk::new();
    assert_eq!(desk.names(&missed()), ["call.missed", "message.queued"]);
    assert_eq!(desk.names(&missed()), ["call.missed", "textback.skipped"]);
    desk.pass(Duration::from_secs(3599));
    assert_eq!(desk.names(&missed()), ["call.missed", "textback.skipped"]);
    desk.pass(Duration::from_secs(3));
    assert_eq!(desk.names(&missed()), ["call.missed", "message.queued"]);
}

#[test]
fn a_missed_call_gets_no_text_where_it_must_not_and_says_why() {
    let skip =
        |desk: &mut Desk| match desk.ask(&missed()).expect("accepted").events.last().map(|draft| draft.fact.clone()) {
            Some(Fact::TextBackSkipped(fact)) => fact.reason,
            other => panic!("{other:?}"),
        };
    let mut off = Desk::new();
    off.settings.channels.get_mut(&line()).expect("the line").coverage = false;
    assert_eq!(skip(&mut off), SkipReason::CoverageOff);
    let mut bare = Desk::new();
    bare.settings.channels.get_mut(&line()).expect("the line").text_back = None;
    assert_eq!(skip(&mut bare), SkipReason::NoTemplate);
    assert_eq!(skip(&mut Desk::with("anonymous")), SkipReason::Anonymous);
    let mut stopped = Desk::new();
    stopped.ask(&text("STOP")).expect("accepted");
    assert_eq!(skip(&mut stopped), SkipReason::OptedOut);
    let mut landline = Desk::new();
    let message = landline.claimed();
    landline.ask(&settle(message, 1, refused(30006, ErrorClass::Landline))).expect("accepted");
    assert_eq!(skip(&mut landline), SkipReason::Unreachable);
}

#[test]
fn the_text_back_is_the_template_with_the_business_in_it() {
    let decision = Desk::new().ask(&missed()).expect("accepted");
    let words = decision.events[1].personal.as_ref().and_then(|personal| personal.text.as_deref());
    assert_eq!(words, Some("textback from Acme"));
}

#[test]
fn stop_opts_out_at_once_cancels_what_waits_and_is_confirmed_once() {
    let mut desk = Desk::new();
    let waiting = desk.ask(&reply("are you there?")).expect("accepted").message.expect("a message");
    let names = desk.names(&text("Stop."));
    assert_eq!(names, ["message.received", "consent.changed", "message.status", "message.queued"]);
    assert_eq!(desk.status(waiting), Status::Canceled);
    assert_eq!(desk.state.consent, Consent::OptedOut);
    assert_eq!(desk.names(&text("STOP")), ["message.received"], "a second STOP changes and answers nothing");
}

#[test]
fn the_confirmation_passes_the_opt_out_that_it_confirms_and_nothing_else_does() {
    let mut desk = Desk::new();
    desk.ask(&text("STOP")).expect("accepted");
    let (confirmation, _) = desk
        .state
        .sends
        .iter()
        .find(|(_, send)| send.purpose == Purpose::Confirmation(Keyword::Stop))
        .map(|(message, send)| (*message, send.clone()))
        .expect("a confirmation is queued");
    assert_eq!(desk.names(&claim(confirmation, 1)), ["message.claimed"]);
    assert_eq!(code(desk.ask(&reply("but wait"))), Some(Code::OptedOut));
}

#[test]
fn consent_is_checked_again_at_the_moment_of_send() {
    let mut desk = Desk::new();
    let message = desk.ask(&reply("hello")).expect("accepted").message.expect("a message");
    desk.ask(&Command::OptOut(here())).expect("accepted");
    assert_eq!(desk.names(&claim(message, 1)), ["message.status"]);
    assert_eq!(desk.status(message), Status::Canceled);
}

#[test]
fn a_carrier_that_answers_the_keyword_itself_gets_no_second_answer_from_us() {
    let mut desk = Desk::new();
    let Command::Receive(mut message) = text("STOP") else { unreachable!("a text") };
    message.carrier_keyword = Some(Keyword::Stop);
    assert_eq!(desk.names(&Command::Receive(message)), ["message.received", "consent.changed"]);
}

#[test]
fn start_and_yes_lift_only_an_opt_out_and_help_changes_nothing() {
    let mut desk = Desk::new();
    assert_eq!(desk.names(&text("YES")), ["message.received"], "an answer to a question");
    assert_eq!(desk.names(&text("HELP")), ["message.received", "message.queued"]);
    desk.ask(&text("STOP")).expect("accepted");
    assert_eq!(desk.names(&text("help")), ["message.received", "message.queued"]);
    assert_eq!(desk.state.consent, Consent::OptedOut, "HELP after STOP changes nothing");
    assert_eq!(desk.names(&text("yes")), ["message.received", "consent.changed", "message.queued"]);
    assert_eq!(desk.state.consent, Consent::OptedIn);
}

#[test]
fn an_operator_lifts_only_an_operators_opt_out() {
    let mut desk = Desk::new();
    desk.ask(&Command::OptOut(here())).expect("accepted");
    assert_eq!(desk.names(&Command::OptIn(here())), ["consent.changed"]);
    desk.ask(&text("STOP")).expect("accepted");
    assert_eq!(code(desk.ask(&Command::OptIn(here()))), Some(Code::Forbidden));
}

#[test]
fn a_carriers_opt_out_error_suppresses_the_contact_by_answer_and_by_callback() {
    let error = CarrierError { code: 21610, class: ErrorClass::OptOut };
    let mut by_answer = Desk::new();
    let message = by_answer.claimed();
    let outcome = SendOutcome::Refused(error.clone());
    assert_eq!(by_answer.names(&settle(message, 1, outcome)), ["message.status", "consent.changed"]);
    let mut by_callback = Desk::new();
    let message = by_callback.claimed();
    by_callback.ask(&settle(message, 1, accepted())).expect("accepted");
    let names = by_callback.names(&receipt(message, 1, Status::Failed, Some(error)));
    assert_eq!(names, ["message.status", "consent.changed"]);
    for desk in [by_answer, by_callback] {
        assert_eq!((desk.state.consent, desk.state.consent_source), (Consent::OptedOut, Some(ConsentSource::Carrier)));
    }
}

#[test]
fn a_status_never_moves_back_whatever_order_callbacks_and_answer_come_in() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    assert_eq!(desk.names(&receipt(message, 1, Status::Delivered, None)), ["message.status"]);
    assert!(desk.names(&receipt(message, 1, Status::Sent, None)).is_empty());
    assert!(desk.names(&settle(message, 1, accepted())).is_empty(), "the late answer adds nothing");
    assert_eq!(desk.status(message), Status::Delivered);
}

#[test]
fn an_unknown_send_is_settled_by_its_callback_and_never_sent_again_by_itself() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    assert_eq!(desk.names(&settle(message, 1, SendOutcome::Unknown)), ["message.status"]);
    assert_eq!(desk.status(message), Status::Unknown);
    assert_eq!(code(desk.ask(&claim(message, 1))), Some(Code::WrongState), "no lane may take it again");
    assert_eq!(desk.names(&receipt(message, 1, Status::Sent, None)), ["message.status"]);
    assert_eq!(desk.status(message), Status::Sent);
}

#[test]
fn what_was_certainly_not_taken_goes_back_to_its_lane_with_a_growing_wait() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    let mut waits = Vec::new();
    for attempt in 1..4 {
        let outcome = SendOutcome::NotSent { retry_after_s: None };
        assert_eq!(desk.names(&settle(message, attempt, outcome)), ["message.requeued"]);
        waits.push(desk.state.sends[&message].not_before.since(desk.now));
        assert_eq!(desk.names(&claim(message, attempt + 1)), ["message.claimed"]);
    }
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    let outcome = SendOutcome::NotSent { retry_after_s: Some(60) };
    desk.ask(&settle(message, 4, outcome)).expect("accepted");
    assert!(
        desk.state.sends[&message].not_before.since(desk.now) >= Duration::from_secs(59),
        "the carrier's wish counts"
    );
}

#[test]
fn a_text_past_its_validity_is_expired_and_never_sent() {
    let mut desk = Desk::new();
    let message = desk.ask(&missed()).expect("accepted").message.expect("a text-back");
    desk.pass(Duration::from_secs(601));
    assert_eq!(desk.names(&claim(message, 1)), ["message.status"]);
    assert_eq!(desk.status(message), Status::Expired);
}

#[test]
fn a_late_result_of_an_older_attempt_does_not_touch_the_newer_one() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    desk.ask(&settle(message, 1, SendOutcome::Unknown)).expect("accepted");
    let reference = MessageRef { conversation: conversation(), message };
    assert_eq!(desk.names(&Command::Retry(reference)), ["message.requeued"]);
    assert!(desk.names(&settle(message, 1, accepted())).is_empty());
    desk.ask(&receipt(message, 1, Status::Delivered, None)).expect("accepted");
    assert_eq!((desk.status(message), desk.state.sends[&message].attempt), (Status::Queued, 2));
}

#[test]
fn only_a_queued_text_can_be_canceled() {
    let mut desk = Desk::new();
    let queued = desk.ask(&reply("one")).expect("accepted").message.expect("a message");
    let cancel = |message| Command::Cancel(MessageRef { conversation: conversation(), message });
    assert_eq!(desk.names(&cancel(queued)), ["message.status"]);
    assert!(desk.names(&cancel(queued)).is_empty(), "twice is once");
    let gone = desk.claimed();
    assert_eq!(code(desk.ask(&cancel(gone))), Some(Code::WrongState));
    assert_eq!(code(desk.ask(&cancel(MessageId(Uuid::nil())))), Some(Code::NotFound));
}

#[test]
fn a_contact_who_writes_reopens_and_wakes_the_conversation() {
    let mut desk = Desk::new();
    desk.ask(&Command::Resolve(here())).expect("accepted");
    assert_eq!(desk.names(&text("one more thing")), ["message.received", "conversation.reopened"]);
    assert_eq!(desk.state.episode, 2);
    let until = desk.now.plus(Duration::from_secs(60));
    desk.ask(&Command::Snooze(Snooze { conversation: conversation(), until })).expect("accepted");
    assert_eq!(desk.names(&text("and another")), ["message.received", "conversation.woken"]);
}

#[test]
fn a_snooze_ends_when_its_time_comes_and_not_before() {
    let mut desk = Desk::new();
    let until = desk.now.plus(Duration::from_secs(60));
    desk.ask(&Command::Snooze(Snooze { conversation: conversation(), until })).expect("accepted");
    assert!(desk.names(&Command::Wake(here())).is_empty());
    desk.pass(Duration::from_secs(61));
    assert_eq!(desk.names(&Command::Wake(here())), ["conversation.woken"]);
    let past = Snooze { conversation: conversation(), until: Stamp(1) };
    assert_eq!(code(desk.ask(&Command::Snooze(past))), Some(Code::Invalid));
}

#[test]
fn waiting_time_runs_from_the_first_unanswered_word_until_a_person_answers() {
    let mut desk = Desk::new();
    desk.ask(&text("hello?")).expect("accepted");
    let since = desk.state.waiting_since;
    desk.pass(Duration::from_secs(5));
    desk.ask(&text("anybody?")).expect("accepted");
    assert_eq!(desk.state.waiting_since, since);
    assert_eq!(desk.state.unread, 2);
    desk.ask(&reply("yes")).expect("accepted");
    assert_eq!(desk.state.waiting_since, None);
}

#[test]
fn the_number_of_open_texts_of_one_contact_is_bounded() {
    let mut desk = Desk::new();
    desk.policy.max_open_sends = 2;
    desk.ask(&reply("one")).expect("accepted");
    desk.ask(&reply("two")).expect("accepted");
    assert!(matches!(desk.ask(&reply("three")), Err(Refusal::Full { .. })));
}

#[test]
fn settled_texts_do_not_pile_up_in_memory() {
    let mut desk = Desk::new();
    for _ in 0..200 {
        let message = desk.claimed();
        desk.ask(&settle(message, 1, accepted())).expect("accepted");
    }
    assert!(desk.state.sends.len() <= 34, "{}", desk.state.sends.len());
}

#[test]
fn a_state_survives_its_store() {
    let mut desk = Desk::new();
    desk.ask(&text("hello")).expect("accepted");
    desk.claimed();
    assert_eq!(State::load(&desk.state.store()).expect("it reads back"), desk.state);
}
