//! The vendor's own library as a stranger: it signs, we verify; it calls the simulated carrier, and is content.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use actors::{
    directory::SystemDirectory,
    ports::{ChannelEntry, Hook, Inbound as _, InboundError, RawWebhook},
};
use deskwire::channels::twilio::{TwilioInbound, TwilioInboundSettings};
use loadtest::carrier::{CallEnd, Calling, DEMO_ACCOUNT, DEMO_ADDRESS, DEMO_TOKEN, Texting};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::world::{CONTACT, account, carrier, line, secrets, tenant};

const CASES: usize = 200;
const BASE: &str = "https://desk.example.com";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signers")
}

/// Runs a script of `tests/signers` in its virtual environment, made at first use by `tests/signers/python`.
fn python(script: &str, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(directory().join("python"))
        .arg(directory().join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/signers/python runs");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "tests/signers/{script} failed");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[derive(Debug, Clone)]
struct Case {
    query: String,
    pairs: Vec<(String, String)>,
    json: bool,
}

/// Few names, so that they repeat; values of any script; queries as URLs hold them.
fn case() -> impl Strategy<Value = Case> {
    let name = "[A-Ca-c]{1,2}|Body|From|MessageSid|[A-Za-z0-9_.-]{1,12}|é{1,2}";
    let value = "\\PC{0,30}|[ \t\r\n+&=%#]{0,6}|SM[0-9a-f]{4}|\\+1415555[0-9]{4}";
    let query = "([a-z]{1,3}=[A-Za-z0-9%+]{0,8}(&[a-z]=[0-9]{0,3})?)?";
    let pairs = proptest::collection::vec((name, value), 0..12);
    (query, pairs, any::<bool>()).prop_map(|(query, pairs, json)| Case {
        query: query.replace('%', "%25"),
        pairs,
        json,
    })
}

/// A case as it goes over the wire.
struct Sent {
    target: String,
    body: String,
    content_type: &'static str,
}

fn sent(case: &Case) -> Sent {
    let target = if case.query.is_empty() { "/w".to_owned() } else { format!("/w?{}", case.query) };
    if !case.json {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&case.pairs).finish();
        return Sent { target, body, content_type: "application/x-www-form-urlencoded" };
    }
    let body = json!({ "pairs": case.pairs }).to_string();
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&body));
    let mark = if case.query.is_empty() { '?' } else { '&' };
    Sent { target: format!("{target}{mark}bodySHA256={hash}"), body, content_type: "application/json" }
}

#[test]
fn whatever_the_vendors_library_signs_is_verified_and_nothing_else() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let cases: Vec<Case> = (0..CASES).map(|_| case().new_tree(&mut runner).expect("a case").current()).collect();
    let lines = cases.iter().map(|case| {
        let url = format!("{BASE}{}", sent(case).target);
        let pairs = if case.json { &[][..] } else { &case.pairs };
        json!({ "token": DEMO_TOKEN, "url": url, "pairs": pairs }).to_string() + "\n"
    });
    let signatures = python("sign.py", &[], &lines.collect::<String>());
    let signatures: Vec<&str> = signatures.lines().collect();
    assert_eq!(signatures.len(), CASES);
    let settings = TwilioInboundSettings { public_url: BASE.to_owned(), answered_min_s: 5 };
    let inbound = TwilioInbound::new(&settings, Arc::new(SystemDirectory::default()), secrets());
    let channel =
        ChannelEntry { channel: line(), tenant: tenant(), account: account(), address: DEMO_ADDRESS.to_owned() };
    for (case, signature) in cases.iter().zip(signatures) {
        let Sent { target, body, content_type } = sent(case);
        let forged = |target: &str, body: &str| {
            let body = body.as_bytes();
            let raw = RawWebhook { hook: Hook::Sms, channel: &channel, target, content_type, signature, body };
            inbound.receive(&raw) == Err(InboundError::Forged)
        };
        assert!(!forged(&target, &body), "{case:?}");
        assert!(forged(&target, &format!("{body}&Zz=1")), "one parameter more: {case:?}");
        assert!(forged(&target.replacen("/w", "/v", 1), &body), "another path: {case:?}");
    }
}

#[tokio::test]
async fn the_vendors_client_takes_the_simulated_carrier_for_twilio() {
    let carrier = carrier().await;
    // Nobody takes these webhooks; the carrier remembers what they told.
    carrier.set_engine("http://127.0.0.1:9", "http://127.0.0.1:9");
    let (from, media) = (CONTACT.to_owned(), vec!["picture".to_owned()]);
    carrier.text(&Texting { from, media, body: "hello".to_owned(), ..Texting::default() }).await;
    for end in [CallEnd::NoAnswer, CallEnd::Busy] {
        carrier.call(&Calling { from: CONTACT.to_owned(), end, ..Calling::default() }).await;
    }
    let arguments = [carrier.url(), DEMO_ACCOUNT.to_owned(), DEMO_TOKEN.to_owned(), DEMO_ADDRESS.to_owned()];
    let output = tokio::task::spawn_blocking(move || {
        let [url, account, token, from] = &arguments;
        python("client.py", &[url, account, token, from, CONTACT], "")
    });
    let seen: Value = serde_json::from_str(&output.await.expect("ran")).expect("JSON");
    assert_eq!((&seen["status"], &seen["segments"]), (&json!("queued"), &json!("2")));
    assert_eq!((&seen["fetched"], &seen["error"]), (&json!(true), &json!([400, 21_211])));
    assert_eq!((&seen["listed"], &seen["on_day"]), (&json!(5), &json!(6)), "over pages of two");
    assert_eq!(seen["created"], json!("datetime"), "its dates are read");
    assert_eq!((&seen["since"], &seen["until"]), (&json!(5), &json!(0)), "by the second");
    assert_eq!((&seen["came_in"], &seen["media"]), (&json!(["hello"]), &json!(["image/png"])));
    assert_eq!((&seen["calls"], &seen["calls_before"]), (&json!(["failed", "failed"]), &json!(0)));
    assert_eq!(seen["started"], json!(["datetime", "datetime"]));
}
