//! Keywords: one answer each in total, ours and the carrier's together; who lifts which opt-out; pleas in free text.

use schema::{command::RecordConsent, event::ConsentMethod, settings::NumberType};

use super::*;

/// How a carrier treats keywords.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Carrier {
    /// As carriers do by default for this kind of number; the webhook does not say so.
    Silent,
    /// The same, and the webhook says so (`OptOutType`).
    Flags,
    /// It leaves all of them to us.
    Leaves,
}

/// What carriers match, as carriers.md D.1 has it: single words, nothing around them.
fn carrier_matches(kind: NumberType, text: &str) -> Option<Keyword> {
    let word = text.trim().to_lowercase();
    match (word.as_str(), kind) {
        ("stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" | "revoke" | "optout", _) => {
            Some(Keyword::Stop)
        }
        ("yes", NumberType::TollFree) => None,
        ("start" | "unstop" | "yes", _) => Some(Keyword::Start),
        ("help" | "info", _) => Some(Keyword::Help),
        _ => None,
    }
}

/// A desk whose line has one of the carriers, on one kind of number.
fn desk(kind: NumberType, carrier: Carrier) -> Desk {
    let mut desk = Desk::new();
    let line = desk.settings.channels.get_mut(&line()).expect("the line");
    line.number_type = kind;
    line.carrier_answers = match carrier {
        Carrier::Leaves => Some(CarrierAnswers { stop: false, start: false, help: false }),
        _ => None,
    };
    desk
}

/// Answers that a contact gets to a text, the carrier's and ours.
fn answers(desk: &mut Desk, kind: NumberType, carrier: Carrier, words: &str) -> usize {
    let answers_itself = carrier != Carrier::Leaves && kind != NumberType::ShortCode;
    let matched = carrier_matches(kind, words).filter(|_| answers_itself || carrier == Carrier::Flags);
    let Command::Receive(mut message) = text(words) else { unreachable!("a text") };
    message.carrier_keyword = matched.filter(|_| carrier == Carrier::Flags);
    let decision = desk.ask(&Command::Receive(message)).expect("accepted");
    let ours = decision.events.iter().filter(|draft| {
        matches!(&draft.fact, Fact::MessageQueued(queued) if matches!(queued.purpose, Purpose::Confirmation(_)))
    });
    usize::from(matched.is_some()) + ours.count()
}

const KINDS: [NumberType; 3] = [NumberType::LongCode, NumberType::TollFree, NumberType::ShortCode];
const CARRIERS: [Carrier; 3] = [Carrier::Silent, Carrier::Flags, Carrier::Leaves];
const STOPS: &[&str] = &[
    "STOP",
    "stop",
    " Stop ",
    "Stop.",
    "\"stop\"",
    "🛑 STOP",
    "ＳＴＯＰ",
    "STOPALL",
    "stop all",
    "Unsubscribe",
    "CANCEL",
    "End",
    "quit!",
    "REVOKE",
    "OptOut",
    "opt out",
    "OPT-OUT",
];
const STARTS: &[&str] = &["START", "start", "Start!", "UNSTOP", "\"unstop\"", "YES", "yes."];
const HELPS: &[&str] = &["HELP", "help", "Help?", "INFO", "info!"];

#[test]
fn each_keyword_gets_exactly_one_answer_on_every_kind_of_number_whoever_gives_it() {
    for (kind, carrier) in KINDS.into_iter().flat_map(|kind| CARRIERS.map(|carrier| (kind, carrier))) {
        for words in STOPS {
            let mut desk = desk(kind, carrier);
            assert_eq!(answers(&mut desk, kind, carrier, words), 1, "{words} on {kind:?}, {carrier:?}");
            assert_eq!(desk.state.consent, Consent::OptedOut, "{words}");
        }
        for words in STARTS {
            let mut desk = desk(kind, carrier);
            answers(&mut desk, kind, carrier, "STOP");
            assert_eq!(answers(&mut desk, kind, carrier, words), 1, "{words} on {kind:?}, {carrier:?}");
            assert_eq!(desk.state.consent, Consent::OptedIn, "{words}");
        }
        for words in HELPS {
            let mut desk = desk(kind, carrier);
            assert_eq!(answers(&mut desk, kind, carrier, words), 1, "{words} on {kind:?}, {carrier:?}");
            assert_eq!(desk.state.consent, Consent::Implied, "{words} changes nothing");
        }
        for words in ["We have to stop this leak", "end of the road", "Hello", "Can you help me?"] {
            let mut desk = desk(kind, carrier);
            assert_eq!(answers(&mut desk, kind, carrier, words), 0, "{words}");
            assert_eq!(desk.state.consent, Consent::Implied, "{words}");
        }
    }
}

#[test]
fn a_line_says_which_keywords_its_carrier_answers() {
    let mut desk = desk(NumberType::LongCode, Carrier::Silent);
    let line = desk.settings.channels.get_mut(&line()).expect("the line");
    line.carrier_answers = Some(CarrierAnswers { stop: true, start: true, help: false });
    assert_eq!(desk.names(&text("HELP")), ["message.received", "message.queued"]);
    assert_eq!(desk.names(&text("STOP")), ["message.received", "consent.changed"]);
}

#[test]
fn help_after_stop_changes_nothing_and_is_answered_only_where_the_answer_can_pass() {
    let mut short = desk(NumberType::ShortCode, Carrier::Silent);
    short.ask(&text("STOP")).expect("accepted");
    assert_eq!(short.names(&text("help")), ["message.received", "message.queued"]);
    assert_eq!(short.state.consent, Consent::OptedOut);
    let mut long = desk(NumberType::LongCode, Carrier::Silent);
    long.ask(&text("STOP")).expect("accepted");
    assert_eq!(long.names(&text("help?")), ["message.received"], "the carrier keeps the STOP: 21610");
}

#[test]
fn a_stop_that_only_we_recognised_is_confirmed_past_the_opt_out() {
    let mut desk = desk(NumberType::LongCode, Carrier::Silent);
    let waiting = desk.ask(&reply("are you there?")).expect("accepted").message.expect("a message");
    assert_eq!(
        desk.names(&text("opt out")),
        ["message.received", "consent.changed", "message.status", "message.queued"]
    );
    assert_eq!(desk.status(waiting), Status::Canceled);
    let queued: Vec<_> = desk.state.sends.iter().filter(|(_, send)| send.status == Status::Queued).collect();
    assert_eq!(queued.len(), 1);
    let confirmation = *queued[0].0;
    assert_eq!(desk.names(&claim(confirmation, 1)), ["message.claimed"]);
}

#[test]
fn without_a_template_the_engine_answers_in_its_own_words_and_names_the_business() {
    let mut desk = desk(NumberType::ShortCode, Carrier::Silent);
    desk.settings.channels.get_mut(&line()).expect("the line").answers = KeywordAnswers::default();
    for (words, part) in [("HELP", "person will answer"), ("STOP", "unsubscribed"), ("START", "STOP to unsubscribe")] {
        let decision = desk.ask(&text(words)).expect("accepted");
        let last = decision.events.last().expect("an answer");
        let said = last.personal.as_ref().and_then(|personal| personal.text.clone()).expect("words");
        assert!(said.starts_with("Acme: ") && said.contains(part), "{words}: {said}");
        assert!(matches!(&last.fact, Fact::MessageQueued(fact) if fact.template.is_none()));
    }
}

#[test]
fn yes_to_a_question_stays_an_answer_whatever_the_carrier_takes_it_for() {
    let mut desk = desk(NumberType::LongCode, Carrier::Flags);
    let Command::Receive(mut message) = text("Yes") else { unreachable!("a text") };
    message.carrier_keyword = Some(Keyword::Start);
    assert_eq!(desk.names(&Command::Receive(message.clone())), ["message.received"]);
    assert!(desk.state.waiting_since.is_some(), "somebody must answer it");
    desk.ask(&text("STOP")).expect("accepted");
    assert_eq!(desk.names(&Command::Receive(message)), ["message.received", "consent.changed"]);
}

#[test]
fn who_has_opted_out_does_not_wait_for_a_person() {
    let mut desk = desk(NumberType::LongCode, Carrier::Flags);
    desk.ask(&text("when can you come?")).expect("accepted");
    assert!(desk.state.waiting_since.is_some());
    desk.ask(&text("STOP")).expect("accepted");
    assert_eq!(desk.state.waiting_since, None, "nobody may write to them");
    assert_eq!(desk.state.unread, 2, "what they wrote is still to be read");
    desk.ask(&text("I meant somebody else, please call me")).expect("accepted");
    assert!(desk.state.waiting_since.is_some(), "and that is for a person again");
}

#[test]
fn a_start_that_lifts_nothing_is_consent_all_the_same_and_once() {
    let mut desk = desk(NumberType::ShortCode, Carrier::Silent);
    assert_eq!(desk.names(&text("START")), ["message.received", "consent.changed", "message.queued"]);
    assert_eq!(desk.names(&text("START")), ["message.received"]);
}

#[test]
fn a_plea_in_free_text_holds_automation_until_a_person_says_what_was_meant() {
    let mut desk = Desk::new();
    let text_back = desk.ask(&missed()).expect("accepted").message.expect("a text-back");
    let names = desk.names(&text("please stop texting me"));
    assert_eq!(names, ["message.received", "consent.questioned", "message.status"]);
    assert_eq!(desk.status(text_back), Status::Canceled, "what waits is automatic");
    assert_eq!(desk.names(&text("stop sending me these")), ["message.received"], "asked once");
    let skipped = desk.ask(&missed()).expect("accepted").events.pop().map(|draft| draft.fact);
    assert!(matches!(skipped, Some(Fact::TextBackSkipped(fact)) if fact.reason == SkipReason::ConsentQuestioned));
    assert!(desk.ask(&reply("Sorry! Shall we stop texting you?")).is_ok(), "a person may ask");
    assert_eq!(desk.names(&Command::OptIn(here())), ["consent.changed"], "it was not meant");
    desk.pass(Duration::from_secs(3601));
    assert_eq!(desk.names(&missed()), ["call.missed", "message.queued"]);
}

#[test]
fn an_automatic_text_that_was_on_its_way_back_to_its_lane_is_held_too() {
    let mut desk = Desk::new();
    let text_back = desk.ask(&missed()).expect("accepted").message.expect("a text-back");
    desk.ask(&claim(text_back, 1)).expect("accepted");
    desk.ask(&text("no mas")).expect("accepted");
    desk.ask(&settle(text_back, 1, SendOutcome::NotSent { retry_after_s: None })).expect("accepted");
    assert_eq!(desk.names(&claim(text_back, 2)), ["message.status"]);
    assert_eq!(desk.status(text_back), Status::Canceled);
}

#[test]
fn a_plea_that_an_operator_confirms_is_the_contacts_own_opt_out() {
    let mut desk = Desk::new();
    desk.ask(&text("Stop. Thank you")).expect("accepted");
    assert_eq!(desk.names(&Command::OptOut(here())), ["consent.changed"]);
    assert!(!desk.state.consent_questioned);
    assert_eq!(code(desk.ask(&Command::OptIn(here()))), Some(Code::Forbidden));
    assert_eq!(desk.names(&text("START")), ["message.received", "consent.changed", "message.queued"]);
}

fn record(when: Stamp, words: &str) -> Command {
    let (how, words) = (ConsentMethod::Phone, words.to_owned());
    Command::ConsentRecord(RecordConsent { conversation: conversation(), how, when, words })
}

#[test]
fn recorded_consent_lifts_every_opt_out_and_keeps_the_words_sealed() {
    let words = "Yes, do text me about the repair";
    let by_carrier = |desk: &mut Desk| {
        let message = desk.claimed();
        desk.ask(&settle(message, 1, refused(21610, ErrorClass::OptOut))).expect("accepted");
    };
    let by_contact = |desk: &mut Desk| drop(desk.ask(&text("STOP")).expect("accepted"));
    for opt_out in [&by_carrier as &dyn Fn(&mut Desk), &by_contact] {
        let mut desk = Desk::new();
        opt_out(&mut desk);
        assert_eq!(code(desk.ask(&Command::OptIn(here()))), Some(Code::Forbidden), "not an operator's to lift");
        let now = desk.now;
        let decision = desk.ask(&record(now, words)).expect("accepted");
        assert_eq!(decision.events.len(), 1);
        assert!(!format!("{:?}", decision.events[0].fact).contains("repair"));
        let sealed = decision.events[0].personal.as_ref().and_then(|personal| personal.text.as_deref());
        assert_eq!(sealed, Some(words));
        assert_eq!((desk.state.consent, desk.state.consent_source), (Consent::OptedIn, Some(ConsentSource::Admin)));
        assert!(desk.ask(&reply("We come at four")).is_ok());
    }
    let mut desk = Desk::new();
    let (now, later) = (desk.now, desk.now.plus(Duration::from_secs(1)));
    let field = |result| match result {
        Err(Refusal::Rejected { field, .. }) => field,
        _ => None,
    };
    assert_eq!(field(desk.ask(&record(later, "yes"))), Some("when".into()));
    assert_eq!(field(desk.ask(&record(now, " "))), Some("words".into()));
    assert_eq!(field(desk.ask(&record(now, &"x".repeat(1_601)))), Some("words".into()));
}

#[test]
fn a_carrier_that_keeps_its_own_list_is_believed_again() {
    let mut desk = Desk::new();
    desk.ask(&text("STOP")).expect("accepted");
    let now = desk.now;
    desk.ask(&record(now, "Text me")).expect("accepted");
    let message = desk.claimed();
    desk.ask(&settle(message, 1, refused(21610, ErrorClass::OptOut))).expect("accepted");
    assert_eq!((desk.state.consent, desk.state.consent_source), (Consent::OptedOut, Some(ConsentSource::Carrier)));
}

fn refused_by_callback(message: MessageId) -> Command {
    receipt(message, 1, Status::Failed, Some(CarrierError { code: 21_610, class: ErrorClass::OptOut }))
}

#[test]
fn a_carriers_opt_out_counts_also_when_its_text_is_forgotten_or_given_up() {
    let mut forgotten = Desk::new();
    let first = forgotten.claimed();
    forgotten.ask(&settle(first, 1, accepted())).expect("taken");
    for _ in 0..40 {
        let message = forgotten.claimed();
        forgotten.ask(&settle(message, 1, accepted())).expect("taken");
    }
    assert!(!forgotten.state.sends.contains_key(&first), "forgotten");
    let decision = forgotten.ask(&refused_by_callback(first)).expect("told");
    let facts: Vec<&Fact> = decision.events.iter().map(|draft| &draft.fact).collect();
    let [Fact::MessageStatus(_), Fact::ConsentChanged(changed)] = facts[..] else { panic!("{facts:?}") };
    assert_eq!((changed.consent, changed.source), (Consent::OptedOut, ConsentSource::Carrier));
    assert_eq!(changed.channel, Some(line()), "the callback says which line");

    let mut given_up = Desk::new();
    let message = given_up.claimed();
    given_up.ask(&settle(message, 1, SendOutcome::Unknown)).expect("settled");
    given_up.ask(&Command::Cancel(MessageRef { conversation: conversation(), message })).expect("given up");
    assert_eq!(given_up.names(&refused_by_callback(message)), ["consent.changed"], "the status says nothing new");

    for mut desk in [forgotten, given_up] {
        assert_eq!(desk.state.consent_source, Some(ConsentSource::Carrier));
        assert_eq!(code(desk.ask(&Command::OptIn(here()))), Some(Code::Forbidden));
        assert!(!desk.names(&refused_by_callback(first)).contains(&"consent.changed"), "told once");
    }
}

#[test]
fn a_carriers_opt_out_outweighs_an_operators() {
    let mut desk = Desk::new();
    let message = desk.claimed();
    desk.ask(&Command::OptOut(here())).expect("recorded");
    assert_eq!(desk.names(&refused_by_callback(message)), ["message.status", "consent.changed"]);
    assert_eq!(code(desk.ask(&Command::OptIn(here()))), Some(Code::Forbidden));
}

#[test]
fn a_late_word_of_an_opt_out_does_not_undo_the_contacts_later_start() {
    let made = |at: Stamp| {
        let since = Duration::from_micros(at.0);
        let at = uuid::Timestamp::from_unix(uuid::NoContext, since.as_secs(), since.subsec_nanos());
        MessageId(Uuid::new_v7(at))
    };
    let mut desk = Desk::new();
    let (known, forgotten) = (desk.claimed(), made(desk.now));
    desk.pass(Duration::from_secs(10));
    desk.ask(&text("STOP")).expect("accepted");
    desk.ask(&text("START")).expect("accepted");
    for message in [known, forgotten] {
        assert_eq!(desk.names(&refused_by_callback(message)), ["message.status"]);
        assert_eq!(desk.state.consent, Consent::OptedIn);
    }
    desk.pass(Duration::from_secs(10));
    assert_eq!(desk.names(&refused_by_callback(made(desk.now))), ["message.status", "consent.changed"]);
}
