//! Calls: what each of their webhooks says, and what Twilio is told to do.

use actors::ports::{Answer, Arrival, Hook, Inbound, InboundError, LineScript, Moment, Tell};
use schema::{
    address::{Address, E164},
    command::{CallOutcome, CallReport, Caller, Command, VoicemailReport},
    ids::{ChannelId, ConversationId},
    settings::{Ring, VoiceMode, VoiceSettings, Voicemail},
};
use uuid::Uuid;

use super::{LINE, inbound, receive};

const VOICE: &str = "/webhooks/twilio/main/voice";
const NOTHING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";
const HANGUP: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Hangup/></Response>";

fn hook(step: &str, more: &[(&str, &str)]) -> Arrival {
    let base = [("CallSid", "CA1"), ("From", "+14155550100"), ("To", LINE), ("Direction", "inbound")];
    receive(Hook::Voice, &format!("{VOICE}{step}"), &[&base[..], more].concat()).expect("complete")
}

fn reported(arrival: &Arrival) -> Option<&CallReport> {
    match &arrival.command {
        Some(Command::Call(report)) => Some(report),
        None => None,
        other => panic!("no call: {other:?}"),
    }
}

fn outcome(step: &str, more: &[(&str, &str)]) -> Option<CallOutcome> {
    reported(&hook(step, more)).map(|report| report.outcome)
}

fn moment(arrival: &Arrival) -> Option<Moment> {
    match &arrival.tell {
        Tell::Script { channel, moment } => {
            assert_eq!(channel.as_str(), "main");
            Some(*moment)
        }
        Tell::Answer(_) => None,
    }
}

fn told(arrival: &Arrival) -> &str {
    match &arrival.tell {
        Tell::Answer(answer) => &answer.body,
        Tell::Script { .. } => panic!("the line's settings are asked"),
    }
}

#[test]
fn a_call_that_reaches_the_line_is_begun_and_its_settings_say_what_happens() {
    for status in ["ringing", "in-progress"] {
        let arrival = hook("", &[("CallStatus", status)]);
        assert_eq!(reported(&arrival).map(|report| report.outcome), Some(CallOutcome::Begun));
        assert_eq!(moment(&arrival), Some(Moment::Begun));
    }
    let progress = hook("", &[("CallStatus", "ringing"), ("CallbackSource", "call-progress-events")]);
    assert_eq!((reported(&progress), told(&progress)), (None, NOTHING), "a report about it asks for nothing");
}

#[test]
fn a_call_is_missed_when_the_dialing_says_so_or_it_never_got_that_far() {
    for word in ["no-answer", "busy", "failed", "canceled"] {
        let dialed = hook("?step=dialed", &[("CallStatus", "in-progress"), ("DialCallStatus", word)]);
        assert_eq!(reported(&dialed).map(|report| report.outcome), Some(CallOutcome::Missed), "{word}");
        assert_eq!(moment(&dialed), Some(Moment::Missed), "the caller may still be there");
        let elsewhere = [("CallStatus", "in-progress"), ("DialCallStatus", word)];
        assert_eq!(outcome("", &elsewhere), Some(CallOutcome::Missed), "a dialing that is not ours: {word}");
        assert_eq!(outcome("", &[("CallStatus", word)]), Some(CallOutcome::Missed), "{word}");
    }
}

#[test]
fn what_picked_up_and_was_never_connected_took_no_call() {
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], CallOutcome);
    let table: &[Row<'_>] = &[
        ("?step=dialed", &[("DialCallDuration", "63")], CallOutcome::Answered { duration_s: Some(63) }),
        ("?step=dialed", &[("DialCallDuration", "4")], CallOutcome::Missed),
        ("?step=dialed", &[("DialCallDuration", "63"), ("DialBridged", "false")], CallOutcome::Missed),
        ("?step=dialed&screened=1", &[("DialCallDuration", "25"), ("DialBridged", "false")], CallOutcome::Missed),
        (
            "?step=dialed&screened=1",
            &[("DialCallDuration", "3"), ("DialBridged", "true")],
            CallOutcome::Answered { duration_s: Some(3) },
        ),
    ];
    for (step, more, expected) in table {
        let pairs = [&[("CallStatus", "in-progress"), ("DialCallStatus", "completed")], *more].concat();
        assert_eq!(outcome(step, &pairs), Some(*expected), "{step} {more:?}");
    }
    let answered = hook("?step=dialed", &[("DialCallStatus", "completed"), ("DialCallDuration", "63")]);
    assert_eq!(told(&answered), HANGUP);
}

#[test]
fn a_completed_call_says_only_that_it_is_over() {
    let over = [("CallStatus", "completed"), ("CallDuration", "31"), ("CallbackSource", "call-progress-events")];
    assert_eq!(outcome("", &over), Some(CallOutcome::Ended { duration_s: Some(31) }));
    assert_eq!(outcome("", &[("CallStatus", "completed"), ("ParentCallSid", "CA0")]), None, "a leg of it");
    let leg = [("CallStatus", "no-answer"), ("ParentCallSid", "CA0")];
    assert_eq!(outcome("", &leg), None, "another leg may have answered");
    let arrival = receive(
        Hook::Voice,
        VOICE,
        &[("CallSid", "CA1"), ("From", LINE), ("CallStatus", "no-answer"), ("Direction", "outbound-api")],
    );
    assert_eq!(arrival.expect("complete").command, None, "our own call to somebody");
}

#[test]
fn a_hidden_caller_is_anonymous() {
    for from in ["anonymous", "+266696687", "Restricted", ""] {
        let pairs = [("CallSid", "CA1"), ("CallStatus", "no-answer"), ("From", from)];
        let arrival = receive(Hook::Voice, VOICE, &pairs).expect("complete");
        assert_eq!(reported(&arrival).map(|report| &report.from), Some(&Address::Anonymous), "{from}");
    }
}

#[test]
fn only_the_digit_1_takes_a_screened_call() {
    let leg = [("CallSid", "CA2"), ("ParentCallSid", "CA1"), ("CallStatus", "in-progress")];
    let screen = hook("?step=screen", &leg);
    assert_eq!((reported(&screen), moment(&screen)), (None, Some(Moment::Screen)));
    assert_eq!(told(&hook("?step=screened", &[&leg[..], &[("Digits", "1")]].concat())), NOTHING);
    for digits in ["2", "*", "11", ""] {
        let arrival = hook("?step=screened", &[&leg[..], &[("Digits", digits)]].concat());
        assert_eq!((reported(&arrival), told(&arrival)), (None, HANGUP), "{digits}");
    }
}

#[test]
fn a_recording_is_its_callers_voicemail() {
    let conversation = ConversationId(Uuid::from_u128(7));
    let pairs = [
        ("CallSid", "CA1"),
        ("RecordingSid", "RE1"),
        ("RecordingUrl", "https://api.twilio.com/2010-04-01/Accounts/AC0/Recordings/RE1"),
        ("RecordingDuration", "12"),
        ("RecordingStatus", "completed"),
    ];
    let voicemail = |step: &str, pairs: &[(&str, &str)]| -> Result<Option<VoicemailReport>, InboundError> {
        let arrival = receive(Hook::Voice, &format!("{VOICE}{step}"), pairs)?;
        assert_eq!(told(&arrival), NOTHING);
        Ok(arrival.command.map(|command| match command {
            Command::Voicemail(report) => report,
            other => panic!("no voicemail: {other:?}"),
        }))
    };
    let step = format!("?step=recorded&c={conversation}");
    let report = voicemail(&step, &pairs).expect("complete").expect("a voicemail");
    assert_eq!((report.caller, report.duration_s), (Caller::Conversation(conversation), 12));
    assert_eq!((report.carrier_id.as_str(), report.call.as_str(), report.channel.as_str()), ("RE1", "CA1", "main"));
    assert_eq!(report.recording.content_type, "audio/x-wav");

    let from = [&pairs[..], &[("From", "+14155550100")]].concat();
    let named = voicemail("?step=recorded", &from).expect("complete").expect("a voicemail");
    assert_eq!(named.caller, Caller::Address("+14155550100".parse().expect("a number")));
    let nobodys = voicemail("?step=recorded", &pairs).expect_err("whose?");
    assert!(matches!(nobodys, InboundError::Invalid { field, .. } if field == "From"));

    let silent: Vec<_> = pairs.into_iter().map(|(name, value)| (name, value.replace("completed", "absent"))).collect();
    let silent: Vec<_> = silent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(voicemail(&step, &silent), Ok(None), "nothing was said");
}

fn script(moment: Moment, voice: &VoiceSettings) -> String {
    let channel = ChannelId::new("main").expect("a slug");
    let line = LineScript {
        channel: &channel,
        voice,
        business: "Tom & Co",
        greeting: "Tom & Co are <busy>",
        conversation: Some(ConversationId(Uuid::from_u128(7))),
    };
    let Answer { body, content_type } = inbound("https://example.com/").script(moment, &line);
    assert_eq!(content_type, "text/xml; charset=utf-8");
    let body =
        body.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>").expect("a document").to_owned();
    body.strip_suffix("</Response>").expect("whole").to_owned()
}

const URL: &str = "https://example.com/webhooks/twilio/main/voice?step=";
const GREETING: &str = "<Say>Tom &amp; Co are &lt;busy&gt;</Say>";

#[test]
fn a_line_that_gets_forwarded_calls_greets_and_hangs_up() {
    let voice = VoiceSettings::default();
    assert_eq!(script(Moment::Begun, &voice), format!("{GREETING}<Hangup/>"));
    let voice = VoiceSettings { voicemail: Some(Voicemail { max_s: 90 }), ..voice };
    let callback = "recorded&amp;c=00000000-0000-0000-0000-000000000007#rc=5&amp;rp=all";
    let record = format!(
        "<Record maxLength=\"90\" action=\"{URL}over#rc=5&amp;rp=all\" recordingStatusCallback=\"{URL}{callback}\"/>"
    );
    assert_eq!(script(Moment::Begun, &voice), format!("{GREETING}{record}<Hangup/>"));
    assert_eq!(told(&hook("?step=over", &[("CallStatus", "in-progress")])), HANGUP, "and is not greeted twice");
}

#[test]
fn a_line_that_rings_dials_the_business_and_greets_whom_nobody_took() {
    let phone = E164::new("+14155550111").expect("a number");
    let ring = |confirm| VoiceSettings {
        mode: VoiceMode::Ring(Ring { phone: phone.clone(), ring_s: 25, confirm }),
        ..VoiceSettings::default()
    };
    let dial = |step: &str, number: &str| {
        let action = format!("{URL}{step}#rc=5&amp;rp=all");
        format!("<Dial timeout=\"25\" action=\"{action}\" answerOnBridge=\"true\">{number}</Dial>")
    };
    assert_eq!(script(Moment::Begun, &ring(false)), dial("dialed", "<Number>+14155550111</Number>"));
    let number = format!("<Number url=\"{URL}screen#rc=5&amp;rp=all\">+14155550111</Number>");
    assert_eq!(script(Moment::Begun, &ring(true)), dial("dialed&amp;screened=1", &number));
    let action = format!("{URL}screened#rc=5&amp;rp=all");
    let asked = "<Say>A call for Tom &amp; Co. Press 1 to take it.</Say>";
    let gather = format!("<Gather numDigits=\"1\" timeout=\"5\" action=\"{action}\">{asked}</Gather><Hangup/>");
    assert_eq!(script(Moment::Screen, &ring(true)), gather);
    assert_eq!(script(Moment::Missed, &ring(true)), format!("{GREETING}<Hangup/>"));
}
