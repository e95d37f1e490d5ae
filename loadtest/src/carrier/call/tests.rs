//! Documents are really fetched, from a real server that checks every signature, and done as Twilio does them.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use proptest::prelude::*;
use tokio::net::TcpListener;

use super::{twiml::parse, *};
use crate::{
    carrier::{
        CallEnd, Calling, CarrierConfig, CarrierHandle, CarrierServer, DEMO_TOKEN, Latency, Line, Rest, Texting,
        door::Absence, webhook::Delivery,
    },
    signature::sign,
};

const CALLER: &str = "+14155550100";
const OWNER: &str = "+14155550199";
const VOICE: &str = "/webhooks/twilio/demo-line/voice";

/// A request as the engine got it.
#[derive(Debug, Clone)]
struct Got {
    path: String,
    form: HashMap<String, String>,
}

impl Got {
    fn field(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }
}

/// Answers each path with a document; a status callback with nothing.
#[derive(Clone, Default)]
struct Engine {
    documents: Arc<Mutex<HashMap<String, String>>>,
    got: Arc<Mutex<Vec<Got>>>,
    forged: Arc<Mutex<Vec<String>>>,
    url: Arc<Mutex<String>>,
}

impl Engine {
    async fn start(documents: &[(&str, &str)]) -> Self {
        let engine = Self::default();
        let whole =
            |body: &str| if body.starts_with('!') { body.to_owned() } else { format!("<Response>{body}</Response>") };
        let documents = documents.iter().map(|(path, body)| ((*path).to_owned(), whole(body)));
        *engine.documents.lock().expect("not poisoned") = documents.collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        *engine.url.lock().expect("not poisoned") = url;
        let router = Router::new().fallback(answer).with_state(engine.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        engine
    }

    fn url(&self) -> String {
        self.url.lock().expect("not poisoned").clone()
    }

    /// Requests to this path, in order; every signature was right.
    fn got(&self, path: &str) -> Vec<Got> {
        assert_eq!(*self.forged.lock().expect("not poisoned"), Vec::<String>::new());
        let got = self.got.lock().expect("not poisoned");
        got.iter().filter(|got| got.path == path).cloned().collect()
    }

    /// The end of the call, as it was told.
    fn told(&self) -> Got {
        let told = self.got(VOICE).into_iter().filter(|got| got.field("CallbackSource") == "call-progress-events");
        let told: Vec<Got> = told.collect();
        assert_eq!(told.len(), 1, "{told:?}");
        told[0].clone()
    }
}

async fn answer(State(engine): State<Engine>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let signature = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if signature != sign(DEMO_TOKEN, &format!("{}{uri}", engine.url()), &pairs) {
        engine.forged.lock().expect("not poisoned").push(uri.to_string());
    }
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
    let form: HashMap<String, String> = pairs.into_iter().chain(query).collect();
    let path = if method == Method::GET { format!("GET {}", uri.path()) } else { uri.path().to_owned() };
    let about = form.contains_key("CallbackSource");
    engine.got.lock().expect("not poisoned").push(Got { path: path.clone(), form });
    let documents = engine.documents.lock().expect("not poisoned");
    match documents.get(&path).filter(|_| !about) {
        None => StatusCode::OK.into_response(),
        Some(body) => match body.strip_prefix('!') {
            Some(status) => StatusCode::from_u16(status.parse().expect("a status")).expect("one").into_response(),
            None => ([(header::CONTENT_TYPE, "text/xml")], body.clone()).into_response(),
        },
    }
}

fn config(engine: &Engine, change: impl FnOnce(&mut Line)) -> CarrierConfig {
    let mut config = CarrierConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        engine_url: engine.url(),
        latency: Latency::none(),
        webhook_retries: 0,
        call_speed: 500.0,
        ..CarrierConfig::default()
    };
    change(&mut config.lines[0]);
    config
}

/// A call through these documents; the first is that of the voice webhook.
async fn run(documents: &[(&str, &str)], calling: Calling) -> (Engine, CarrierHandle, Call) {
    let engine = Engine::start(documents).await;
    let carrier = CarrierServer::start(config(&engine, |_| {})).await.expect("starts");
    let (delivery, call) = made(&carrier, calling).await;
    assert!(delivery.is_ok(), "{delivery:?}");
    (engine, carrier, call)
}

async fn made(carrier: &CarrierHandle, calling: Calling) -> (Delivery, Call) {
    let calling = Calling { from: CALLER.to_owned(), ..calling };
    let delivery = carrier.call(&calling).await;
    let call = carrier.call_record(&delivery.sid).expect("it is kept");
    assert!(call.is_over());
    (delivery, call)
}

fn desk(desk: Desk) -> Calling {
    Calling { desk: Some(desk), ..Calling::default() }
}

fn person(presses: &str) -> Desk {
    Desk::Answers { after_s: 3, presses: presses.to_owned(), talks_s: 30 }
}

const RING: &str = r#"<Dial timeout="20" answerOnBridge="true" action="/dialled?x=1&amp;y=2"><Number url="whisper">+14155550199</Number></Dial>"#;
const WHISPER: &str = r#"<Gather numDigits="1" timeout="5" action="/webhooks/twilio/demo-line/taken"><Say>Press 1 to take the call</Say></Gather><Hangup/>"#;
const WHISPER_AT: &str = "/webhooks/twilio/demo-line/whisper";
const TAKEN_AT: &str = "/webhooks/twilio/demo-line/taken";
const MAIL: &str = r#"<Say>Please leave a message.</Say><Record maxLength="60" action="/recorded" recordingStatusCallback="/recording" playBeep="true"/><Hangup/>"#;

fn ring() -> Vec<(&'static str, &'static str)> {
    vec![(VOICE, RING), (WHISPER_AT, WHISPER), (TAKEN_AT, ""), ("/dialled", MAIL), ("/recorded", "<Hangup/>")]
}

#[tokio::test]
async fn a_person_who_confirms_is_bridged_and_the_action_says_so() {
    let (engine, carrier, call) = run(&[&ring()[..3], &[("/dialled", "")]].concat(), desk(person("1"))).await;
    let first = &engine.got(VOICE)[0];
    assert_eq!((first.field("CallStatus"), first.field("Direction")), ("ringing", "inbound"));
    assert_eq!((first.field("From"), first.field("CallSid")), (CALLER, call.sid.as_str()));
    let whisper = &engine.got(WHISPER_AT)[0];
    assert_eq!((whisper.field("ParentCallSid"), whisper.field("To")), (call.sid.as_str(), OWNER));
    assert_eq!((whisper.field("Direction"), whisper.field("CallStatus")), ("outbound-dial", "in-progress"));
    assert_eq!(engine.got(TAKEN_AT)[0].field("Digits"), "1");
    let action = &engine.got("/dialled")[0];
    assert_eq!((action.field("DialCallStatus"), action.field("DialBridged")), ("completed", "true"));
    assert_eq!(action.field("DialCallSid"), whisper.field("CallSid"));
    let seconds: u32 = action.field("DialCallDuration").parse().expect("seconds");
    assert!(seconds >= 30, "{seconds}");
    assert_eq!((action.field("x"), action.field("y")), ("1", "2"), "the action's own query");
    let told = engine.told();
    assert_eq!((told.field("CallStatus"), told.field("SequenceNumber")), ("completed", "0"));
    assert!(told.field("Timestamp").ends_with("+0000"));
    let call_sid = call.sid.clone();
    assert_eq!((call.rang, call.rang_nobody), (vec![OWNER.to_owned()], false));
    let leg = carrier.calls().into_iter().find(|leg| leg.parent.is_some()).expect("a leg");
    assert_eq!(leg.rang, [OWNER]);
    let url = format!("{}{}", carrier.url(), leg.to_json()["uri"].as_str().expect("a path"));
    let client = reqwest::Client::builder().no_proxy().build().expect("the carrier installed a provider");
    let shown = client.get(url).basic_auth(&leg.account, Some(DEMO_TOKEN)).send().await.expect("answered");
    let shown: Value = shown.json().await.expect("JSON");
    assert_eq!((&shown["parent_call_sid"], &shown["direction"]), (&call_sid.into(), &"outbound-dial".into()));
    assert_eq!((leg.status.as_str(), leg.heard[0].text.as_str()), ("completed", "Press 1 to take the call"));
}

#[tokio::test]
async fn a_voice_mail_that_answers_and_presses_nothing_did_not_take_the_call() {
    let calling = Calling {
        voicemail: Some(Voicemail { seconds: 7, text: "My sink is leaking".to_owned() }),
        ..desk(Desk::Voicemail { after_s: 5, talks_s: 60 })
    };
    let (engine, carrier, call) = run(&ring(), calling).await;
    let action = &engine.got("/dialled")[0];
    assert_eq!((action.field("DialCallStatus"), action.field("DialBridged")), ("no-answer", "false"));
    assert_eq!(action.field("DialCallDuration"), "");
    let recorded = &engine.got("/recorded")[0];
    assert_eq!((recorded.field("RecordingDuration"), recorded.field("CallStatus")), ("7", "in-progress"));
    let recording = &engine.got("/recording")[0];
    assert_eq!((recording.field("RecordingStatus"), recording.field("RecordingSource")), ("completed", "RecordVerb"));
    assert_eq!(recording.field("RecordingUrl"), recorded.field("RecordingUrl"));
    let client = reqwest::Client::builder().no_proxy().build().expect("the carrier installed a provider");
    let sound = client.get(recorded.field("RecordingUrl")).send().await.expect("answered");
    assert_eq!(
        (sound.status().as_u16(), &sound.headers()["content-type"]),
        (200, &"audio/x-wav".parse().expect("one"))
    );
    assert!(recorded.field("RecordingUrl").starts_with(&carrier.url()));
    assert_eq!((call.recordings[0].text.as_str(), call.recordings[0].seconds), ("My sink is leaking", 7));
    assert_eq!((engine.told().field("CallStatus"), call.status.as_str()), ("completed", "completed"));
}

#[tokio::test]
async fn each_way_not_to_answer_has_twilios_word() {
    for (how, word, rang) in [
        (Desk::Busy, "busy", true),
        (Desk::NoAnswer, "no-answer", true),
        (Desk::Failed, "failed", false),
        (person(""), "no-answer", true),
    ] {
        let documents = [&ring()[..2], &[("/dialled", "")]].concat();
        let (engine, _carrier, call) = run(&documents, desk(how.clone())).await;
        let action = &engine.got("/dialled")[0];
        assert_eq!((action.field("DialCallStatus"), action.field("CallStatus")), (word, "ringing"), "{how:?}");
        assert_eq!((call.status.as_str(), call.rang_nobody), (word, !rang), "nobody picked up: {how:?}");
        assert_eq!(engine.told().field("CallStatus"), word);
    }
}

#[tokio::test]
async fn a_call_that_rang_nobody_is_known_as_one() {
    for (document, status, problems) in [
        ("<Reject reason=\"busy\"/>", "busy", 0),
        ("<Reject/>", "no-answer", 0),
        ("", "completed", 0),
        ("<Say>Hello</Say><Hangup/><Say>never</Say>", "completed", 0),
        ("<Dial/>", "completed", 1),
        ("<Dial answerOnBridge=\"true\"><Client>bob</Client></Dial>", "failed", 2),
        ("<Saay>Hello</Saay>", "completed", 1),
    ] {
        let (engine, _carrier, call) = run(&[(VOICE, document)], desk(person("1"))).await;
        assert!(call.rang_nobody, "{document}");
        assert_eq!((call.status.as_str(), call.problems.len()), (status, problems), "{document}: {:?}", call.problems);
        assert!(call.problems.iter().all(|problem| problem.code == 12_200));
        assert!(!call.heard.iter().any(|heard| heard.text == "never"));
        assert_eq!(engine.told().field("CallStatus"), status);
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_it_rings_cancels_it_and_the_action_is_told() {
    let calling = Calling { end: CallEnd::Canceled, ..Calling::default() };
    let (engine, carrier, call) = run(&ring(), calling).await;
    let action = &engine.got("/dialled")[0];
    assert_eq!((action.field("DialCallStatus"), action.field("DialBridged")), ("canceled", "false"));
    assert_eq!((engine.told().field("CallStatus"), call.status.as_str()), ("canceled", "canceled"));
    assert!(engine.got("/recorded").is_empty(), "nothing is done with the action's answer");
    assert!(carrier.calls().iter().all(Call::is_over), "no leg rings on");
}

#[tokio::test]
async fn a_caller_may_hang_up_in_the_whisper_or_in_the_talk() {
    let person = Desk::Answers { after_s: 3, presses: "1".to_owned(), talks_s: 50_000 };
    let calling = |seconds| Calling { hangs_up_after_s: Some(seconds), ..desk(person.clone()) };
    let (engine, _carrier, call) = run(&ring(), calling(1_000)).await;
    assert_eq!(call.status, "completed");
    assert_eq!(engine.got("/dialled")[0].field("DialCallStatus"), "completed", "while they talked");
    let slow = r#"<Pause length="50000"/>"#;
    let documents = [(VOICE, RING), (WHISPER_AT, slow), ("/dialled", "")];
    let (engine, _carrier, call) = run(&documents, calling(200)).await;
    assert_eq!((call.status.as_str(), engine.got("/dialled")[0].field("DialBridged")), ("canceled", "false"));
}

#[tokio::test]
async fn keys_go_to_the_action_and_no_keys_to_the_next_verb() {
    let menu = r##"<Gather numDigits="2" action="menu?step=2" method="GET"><Say>Two keys</Say></Gather><Redirect>again</Redirect>"##;
    let documents = [
        (VOICE, menu),
        ("GET /webhooks/twilio/demo-line/menu", "<Say>Thanks</Say>"),
        ("/webhooks/twilio/demo-line/again", "<Say>No keys</Say>"),
    ];
    let (engine, _carrier, call) = run(&documents, Calling { digits: "42".to_owned(), ..Calling::default() }).await;
    let got = engine.got("GET /webhooks/twilio/demo-line/menu");
    assert_eq!((got[0].field("Digits"), got[0].field("step"), got[0].field("CallSid")), ("42", "2", call.sid.as_str()));
    let (_engine, _carrier, call) = run(&documents, Calling::default()).await;
    assert!(call.heard.iter().any(|heard| heard.text == "No keys"));
}

#[tokio::test]
async fn a_document_that_leads_to_itself_ends_with_an_error() {
    let (engine, _carrier, call) = run(&[(VOICE, "<Redirect/>")], Calling::default()).await;
    assert_eq!((call.status.as_str(), call.problems.len()), ("failed", 1));
    assert_eq!(engine.got(VOICE).len(), 101, "a hundred documents, and the end");
}

#[tokio::test]
async fn an_engine_that_is_away_is_replaced_by_the_fallback_or_the_call_fails() {
    let engine = Engine::start(&[(VOICE, "!503"), ("/fallback", "<Say>We are closed</Say>")]).await;
    let fallback = format!("{}/fallback", engine.url());
    let with = CarrierServer::start(config(&engine, |line| line.fallback_url = Some(fallback))).await.expect("starts");
    let (_, call) = made(&with, Calling::default()).await;
    assert_eq!((call.status.as_str(), call.heard[0].text.as_str()), ("completed", "We are closed"));
    assert_eq!((call.problems[0].code, engine.got("/fallback")[0].field("ErrorCode")), (11_200, "11200"));
    let without = CarrierServer::start(config(&engine, |_| {})).await.expect("starts");
    let (_, call) = made(&without, Calling::default()).await;
    assert_eq!(call.status, "failed");
    assert!(call.heard[0].text.contains("application error"));
    without.set_absence(Absence { webhooks: true, rest: Rest::Here });
    let before = engine.got(VOICE).len();
    let (delivery, call) = made(&without, Calling::default()).await;
    assert_eq!((delivery.status, call.status.as_str()), (0, "failed"), "kept, and nobody was told");
    assert_eq!(engine.got(VOICE).len(), before);
}

#[tokio::test]
async fn rubbish_in_answer_is_an_error_and_not_a_panic() {
    for (document, code) in [("<Say>", 12_100), ("<Bye/>", 12_100), ("", 12_300)] {
        let engine = Engine::start(&[]).await;
        engine.documents.lock().expect("not poisoned").insert(VOICE.to_owned(), document.to_owned());
        if document.is_empty() {
            engine.documents.lock().expect("not poisoned").insert(VOICE.to_owned(), "!299".to_owned());
        }
        let carrier = CarrierServer::start(config(&engine, |_| {})).await.expect("starts");
        let (_, call) = made(&carrier, Calling::default()).await;
        if code != 12_300 {
            assert_eq!((call.status.as_str(), call.problems[0].code), ("failed", code), "{document}");
        }
    }
}

#[tokio::test]
async fn a_text_is_answered_by_the_document_and_not_past_an_opt_out() {
    let sms = "/webhooks/twilio/demo-line/sms";
    let engine = Engine::start(&[(sms, "<Message><Body>Hello</Body></Message><Sms>there</Sms>")]).await;
    let config = CarrierConfig { keeps_opt_outs: true, ..config(&engine, |_| {}) };
    let carrier = CarrierServer::start(config).await.expect("starts");
    let text = |body: &str| Texting { from: CALLER.to_owned(), body: body.to_owned(), ..Texting::default() };
    carrier.text(&text("Hi")).await;
    until(|| carrier.received(CALLER).len() == 2).await;
    carrier.text(&text("STOP")).await;
    let received: Vec<_> = carrier.received(CALLER).into_iter().map(|text| (text.body, text.by_carrier)).collect();
    assert_eq!(received.len(), 3, "{received:?}");
    assert!(received[2].1, "the carrier's own answer, and none of the engine's");
    let sent = carrier.messages().into_iter().filter(|message| !message.inbound).count();
    assert_eq!(sent, 2, "nothing was sent after STOP");
    assert_eq!(engine.got(sms)[1].field("OptOutType"), "STOP");
}

async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it should hold within ten seconds");
}

#[tokio::test]
async fn two_people_at_the_page_talk_to_each_other() {
    let engine = Engine::start(&[&ring()[..3], &[("/dialled", "")]].concat()).await;
    let config = CarrierConfig { call_speed: 1.0, ..config(&engine, |_| {}) };
    let carrier = CarrierServer::start(config).await.expect("starts");
    let client = reqwest::Client::builder().no_proxy().build().expect("the carrier installed a provider");
    let post = |path: String, json: Value| {
        let request = client.post(format!("{}{path}", carrier.url())).json(&json);
        async move { request.send().await.expect("answered") }
    };
    let started = post("/control/calls".to_owned(), serde_json::json!({ "from": CALLER })).await;
    let sid = started.json::<Value>().await.expect("JSON")["sid"].as_str().expect("an id").to_owned();
    let leg = || carrier.calls().into_iter().find(|leg| leg.parent.is_some());
    until(|| leg().is_some_and(|leg| leg.asks == Some(Asks::Answer))).await;
    let act = |sid: &str, act: Value| post(format!("/control/calls/{sid}/act"), act);
    let callee = leg().expect("a leg").sid;
    assert_eq!(act(&callee, "answer".into()).await.status(), 204);
    until(|| leg().is_some_and(|leg| leg.asks == Some(Asks::Digits))).await;
    assert_eq!(act(&callee, serde_json::json!({ "digit": "1" })).await.status(), 204);
    until(|| leg().is_some_and(|leg| leg.heard.iter().any(|heard| heard.text == "connected"))).await;
    assert_eq!(act(&sid, "hang-up".into()).await.status(), 204);
    until(|| carrier.call_record(&sid).is_some_and(|call| call.is_over())).await;
    assert_eq!(engine.got("/dialled")[0].field("DialBridged"), "true");
    assert_eq!(act(&sid, "hang-up".into()).await.status(), 409, "nobody holds a call that is over");
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        drop(parse(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn no_document_makes_the_parser_panic(parts in proptest::collection::vec(part(), 0..40)) {
        let body = parts.concat();
        if let Ok(document) = parse(&format!("<Response>{body}</Response>")) {
            prop_assert!(document.verbs.len() <= parts.len());
        }
    }
}

/// Pieces of documents, in and out of place.
fn part() -> impl Strategy<Value = String> {
    let name = "Say|Play|Pause|Gather|Dial|Number|Record|Redirect|Reject|Hangup|Message|Body|Media|Sms|Client|X";
    let attribute = "( (timeout|length|numDigits|action|method|url|finishOnKey|maxLength)=\"[^<&\"]{0,6}\")?";
    prop_oneof![
        (name, attribute).prop_map(|(name, attribute)| format!("<{name}{attribute}/>")),
        (name, attribute, "[^<&]{0,8}")
            .prop_map(|(name, attribute, text)| format!("<{name}{attribute}>{text}</{name}>")),
        "[<>/&;\"'a-zA-Z0-9 ]{0,10}",
        Just("<Dial><Number>+14155550199</Number></Dial>".to_owned()),
    ]
}
