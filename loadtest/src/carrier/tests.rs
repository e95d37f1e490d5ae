//! The simulated carrier answers as Twilio does, and keeps the promises that tests of the engine rely on.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use figment::providers::Format;
use serde_json::Value;
use tokio::net::TcpListener;

use super::*;
use crate::signature::sign;

mod handsets;

const CONTACT: &str = "+14155550100";

fn config() -> CarrierConfig {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    CarrierConfig { listen, latency: Latency::none(), webhook_retry_ms: 1, ..CarrierConfig::default() }
}

/// A webhook as an engine got it: path and query, signature, idempotency token, parameters.
#[derive(Debug, Clone)]
struct Got {
    target: String,
    signature: String,
    token: String,
    form: Vec<(String, String)>,
}

impl Got {
    fn field(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

#[derive(Clone, Default)]
struct Engine {
    got: Arc<Mutex<Vec<Got>>>,
    refusals: Arc<Mutex<u32>>,
}

impl Engine {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let router = Router::new().fallback(post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{addr}")
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().expect("not poisoned").clone()
    }

    async fn wait_for(&self, count: usize) -> Vec<Got> {
        until(|| self.got().len() >= count).await;
        self.got()
    }
}

async fn take(
    State(engine): State<Engine>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::http::StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let got = Got {
        target: uri.to_string(),
        signature: header("x-twilio-signature"),
        token: header("i-twilio-idempotency-token"),
        form: form_urlencoded::parse(&body).into_owned().collect(),
    };
    engine.got.lock().expect("not poisoned").push(got);
    let mut refusals = engine.refusals.lock().expect("not poisoned");
    if *refusals > 0 {
        *refusals -= 1;
        return axum::http::StatusCode::SERVICE_UNAVAILABLE;
    }
    axum::http::StatusCode::OK
}

async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it should hold within ten seconds");
}

async fn create(carrier: &CarrierHandle, pairs: &[(&str, &str)]) -> reqwest::Result<(u16, Value)> {
    let url = format!("{}/2010-04-01/Accounts/{DEMO_ACCOUNT}/Messages.json", carrier.url());
    let request = client().post(url).basic_auth(DEMO_ACCOUNT, Some(DEMO_TOKEN)).form(pairs);
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)))
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("the carrier installed a provider")
}

const GOOD: [(&str, &str); 3] = [("To", CONTACT), ("From", DEMO_ADDRESS), ("Body", "hello")];

#[tokio::test]
async fn a_created_message_is_answered_in_twilios_shape() {
    let carrier = CarrierServer::start(config()).await.expect("starts");
    let (status, body) = create(&carrier, &GOOD).await.expect("answered");
    assert_eq!(status, 201);
    assert_eq!((&body["num_segments"], &body["status"]), (&"1".into(), &"queued".into()));
    assert_eq!((&body["error_code"], &body["direction"]), (&Value::Null, &"outbound-api".into()));
    let date = body["date_created"].as_str().expect("a date");
    assert!(date.ends_with("+0000") && date.len() == 31, "{date}");
    assert!(body["sid"].as_str().is_some_and(|sid| sid.starts_with("SM") && sid.len() == 34));
}

#[tokio::test]
async fn wrong_requests_get_twilios_codes() {
    let carrier = CarrierServer::start(config()).await.expect("starts");
    let long = "x".repeat(1_601);
    let cases = [
        (vec![GOOD[1], GOOD[2]], 21_604),
        (vec![GOOD[0], GOOD[2]], 21_603),
        (vec![GOOD[0], GOOD[1]], 21_602),
        (vec![GOOD[0], GOOD[1], ("Body", &*long)], 21_617),
        (vec![("To", "bob"), GOOD[1], GOOD[2]], 21_211),
        (vec![("To", "+15005550009"), GOOD[1], GOOD[2]], 21_614),
        (vec![GOOD[0], ("From", "+19995550000"), GOOD[2]], 21_606),
        (vec![GOOD[0], GOOD[1], GOOD[2], ("StatusCallback", "nowhere")], 21_609),
    ];
    for (pairs, code) in cases {
        let (status, body) = create(&carrier, &pairs).await.expect("answered");
        assert_eq!((status, &body["code"]), (400, &code.into()), "{body}");
    }
    assert!(carrier.messages().is_empty(), "nothing of it was taken");
    let url = format!("{}/2010-04-01/Accounts/{DEMO_ACCOUNT}/Messages.json", carrier.url());
    let answer = client().post(url).basic_auth(DEMO_ACCOUNT, Some("wrong")).form(&GOOD).send().await.expect("answered");
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_lost_response_closes_the_socket_and_keeps_the_text() {
    let carrier = CarrierServer::start(config()).await.expect("starts");
    carrier.script(None, &[Fate::LoseResponse, Fate::CloseBefore, Fate::ErrorAfter, Fate::ErrorBefore, Fate::TooMany]);
    assert!(create(&carrier, &GOOD).await.is_err(), "no byte of an answer");
    assert_eq!(carrier.messages().len(), 1);
    assert!(create(&carrier, &GOOD).await.is_err());
    assert_eq!(carrier.messages().len(), 1);
    assert_eq!(create(&carrier, &GOOD).await.expect("answered").0, 500);
    assert_eq!(carrier.messages().len(), 2);
    assert_eq!(create(&carrier, &GOOD).await.expect("answered").0, 500);
    assert_eq!(create(&carrier, &GOOD).await.expect("answered").0, 429);
    assert_eq!(carrier.messages().len(), 2);
    assert_eq!(carrier.meter().texts, 2, "the meter counts what was taken");
}

#[tokio::test]
async fn status_callbacks_are_signed_and_come_in_order() {
    let engine = Engine::default();
    let url = engine.start().await;
    let carrier = CarrierServer::start(CarrierConfig { engine_url: url.clone(), ..config() }).await.expect("starts");
    let callback = format!("{url}/webhooks/twilio/demo-line/status?c=1&m=2&a=1#rc=5&rp=all");
    create(&carrier, &[&GOOD[..], &[("StatusCallback", &*callback)]].concat()).await.expect("answered");
    let got = engine.wait_for(2).await;
    let words: Vec<_> = got.iter().map(|got| got.field("MessageStatus").to_owned()).collect();
    assert_eq!(words, ["sent", "delivered"]);
    assert_eq!(got[0].target, "/webhooks/twilio/demo-line/status?c=1&m=2&a=1");
    for got in &got {
        assert_eq!(got.signature, sign(DEMO_TOKEN, &format!("{url}{}", got.target), &got.form));
    }
}

/// Texts may arrive together that left apart, and the other way round.
#[tokio::test]
async fn texts_are_also_metered_by_when_their_sender_let_them_go() {
    let carrier = CarrierServer::start(CarrierConfig { tolerance_ms: 60_000, ..config() }).await.expect("starts");
    for (departed_us, to) in [(5_000_000, "+14155550111"), (2_400_000, "+14155550112"), (4_000_000, "+14155550113")] {
        let callback = format!("http://127.0.0.1:1/s?c=1&m=2&a=1&t={departed_us}#rc=5&rp=all");
        let form = [("To", to), GOOD[1], GOOD[2], ("StatusCallback", &*callback)];
        assert_eq!(create(&carrier, &form).await.expect("answered").0, 201);
    }
    assert_eq!(carrier.departures().violations, 0, "a second and more apart");
    let callback = "http://127.0.0.1:1/s?c=1&m=2&a=1&t=4999999";
    create(&carrier, &[&GOOD[..], &[("StatusCallback", callback)]].concat()).await.expect("answered");
    create(&carrier, &GOOD).await.expect("answered");
    let departed = carrier.departures();
    let early: Vec<_> = departed.described.iter().map(|violation| violation.early_us).collect();
    assert_eq!((departed.texts, early), (4, vec![1, 999_999]), "one that says nothing is not metered");
}

#[tokio::test]
async fn callbacks_repeat_and_change_order_when_told_to() {
    let engine = Engine::default();
    let url = engine.start().await;
    let faults = Faults { repeat_callback: 1.0, reorder_callback: 1.0, ..Faults::default() };
    let config = CarrierConfig { engine_url: url.clone(), faults, ..config() };
    let carrier = CarrierServer::start(config).await.expect("starts");
    carrier.script(Some(CONTACT), &[Fate::Fail(30_006)]);
    let callback = format!("{url}/s");
    create(&carrier, &[&GOOD[..], &[("StatusCallback", &*callback)]].concat()).await.expect("answered");
    let got = engine.wait_for(4).await;
    let words: Vec<_> = got.iter().map(|got| got.field("MessageStatus").to_owned()).collect();
    assert_eq!(words, ["undelivered", "undelivered", "sent", "sent"]);
    assert_eq!(got[0].field("ErrorCode"), "30006");
}

#[tokio::test]
async fn webhooks_are_repeated_with_one_token_until_taken() {
    let engine = Engine::default();
    *engine.refusals.lock().expect("not poisoned") = 2;
    let url = engine.start().await;
    let config = CarrierConfig {
        engine_url: url,
        public_url: Some("https://desk.example.com".to_owned()),
        keeps_opt_outs: true,
        ..config()
    };
    let carrier = CarrierServer::start(config).await.expect("starts");
    let texting = Texting { from: CONTACT.to_owned(), body: "STOP".to_owned(), ..Texting::default() };
    let delivery = carrier.text(&texting).await;
    assert_eq!((delivery.status, delivery.attempts), (200, 3));
    let got = engine.got();
    assert!(got.iter().all(|other| other.token == got[0].token && other.form == got[0].form));
    let signed = format!("https://desk.example.com{}", got[0].target);
    assert_eq!(
        got[0].signature,
        sign(DEMO_TOKEN, &signed, &got[0].form),
        "signed as the public base, sent to the real one"
    );
    assert_eq!(got[0].field("OptOutType"), "STOP");
    let (_, refused) = create(&carrier, &GOOD).await.expect("answered");
    assert_eq!(refused["code"], 21_610, "the carrier keeps opt-outs");
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let carrier = CarrierServer::start(config()).await.expect("starts");
    for to in [CONTACT, "+14155550101", CONTACT, CONTACT] {
        create(&carrier, &[("To", to), GOOD[1], GOOD[2]]).await.expect("answered");
    }
    let list = |target: String| {
        let request = client().get(format!("{}{target}", carrier.url())).basic_auth(DEMO_ACCOUNT, Some(DEMO_TOKEN));
        async move { request.send().await.expect("answered").json::<Value>().await.expect("JSON") }
    };
    let first = list(format!("/2010-04-01/Accounts/{DEMO_ACCOUNT}/Messages.json?To=%2B14155550100&PageSize=2")).await;
    assert_eq!(first["messages"].as_array().map(Vec::len), Some(2));
    let second = list(first["next_page_uri"].as_str().expect("a next page").to_owned()).await;
    assert_eq!(second["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(second["next_page_uri"], Value::Null);
}

#[test]
fn the_configuration_in_the_readme_is_understood() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("it is there");
    let (_, section) = readme.split_once("## The simulated carrier").expect("it has the section");
    let (_, block) = section.split_once("```toml\n").expect("it has the file");
    let (file, _) = block.split_once("```").expect("the file ends");
    let defaults = figment::providers::Serialized::defaults(CarrierConfig::default());
    let figment = figment::Figment::from(defaults).merge(<figment::providers::Toml as Format>::string(file));
    let config: CarrierConfig = figment.extract().expect("every key is known");
    assert_eq!((config.lines[0].keywords, config.handsets.len()), (Some(false), 1));
    for key in config_keys() {
        let starts = |line: &str| line.starts_with(&format!("{key} =")) || line.starts_with(&format!("[[{key}]]"));
        assert!(file.lines().any(starts), "README.md does not name {key}");
    }
}

/// Every key but those that only tests and the engine's own file use.
fn config_keys() -> Vec<String> {
    let all = serde_json::to_value(CarrierConfig::default()).expect("plain values");
    let apart = ["account_sid", "auth_token", "channel", "number", "tolerance_ms", "webhooks_max"];
    let names = all.as_object().expect("a table").keys().cloned();
    names.filter(|name| !apart.contains(&name.as_str())).collect()
}

#[tokio::test]
async fn the_engines_demo_file_is_understood() {
    let shorthand = CarrierConfig {
        account_sid: Some("ACdemo".to_owned()),
        auth_token: Some("secret".to_owned()),
        channel: Some("front-desk".to_owned()),
        number: Some("+15005550006".to_owned()),
        ..config()
    };
    let carrier = CarrierServer::start(shorthand).await.expect("starts");
    let url = format!("{}/2010-04-01/Accounts/ACdemo/Messages.json", carrier.url());
    let answer = client().post(url).basic_auth("ACdemo", Some("secret")).form(&GOOD).send().await.expect("answered");
    assert_eq!(answer.status(), 201);
}
