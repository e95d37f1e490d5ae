//! The telephone's page, driven in Debian's Chromium through npm `playwright-core`, against the real engine and the real
//! carrier: what a newcomer without a telephone does.

use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use axum::{
    Router,
    extract::Path as Part,
    http::header,
    routing::{any, post},
};
use loadtest::carrier::{CarrierConfig, CarrierHandle, CarrierServer, Handset, Latency};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{
    process::{Server, deskwire, free_port, loadtest_binary},
    wait::{until, wait_for},
};

const PHONE: &str = "Your phone";
const TEXTS: &str = "Texts";
const DESK: &str = "The business’s phone";
/// Of nobody: an area code that the demo's callers do not have.
const CALLER: &str = "+12135550142";
/// A picture of a contact's: two pixels wide.
const PICTURE: &[u8] = b"GIF89a\x02\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\x00\xff,\x00\x00\x00\x00\x02\x00\x01\x00\x00\x02\x02\x04\n\x00;";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Ends with the test that holds it.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Both binaries of the demo, without its callers.
struct Demo {
    server: Server,
    carrier: String,
    directory: TempDir,
    client: reqwest::Client,
    _carrier: Ended,
}

impl Demo {
    fn start() -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let carrier = format!("http://{address}");
        let environment = [("DESKWIRE__DEMO__ENABLED", "true"), ("DESKWIRE__DEMO__CARRIER_URL", carrier.as_str())];
        let (server, directory) = Server::start(&environment);
        // The engine's own file for its carrier, and a quicker life.
        let given = std::fs::read_to_string(directory.path().join("data/demo-carrier.toml")).unwrap();
        let quick = "call_speed = 20.0\nlatency = { answer = { p50_ms = 5, p99_ms = 9 }, \
                     sent = { p50_ms = 5, p99_ms = 9 }, delivered = { p50_ms = 5, p99_ms = 9 } }\n";
        let path = directory.path().join("carrier.toml");
        std::fs::write(&path, format!("{quick}{given}")).unwrap();
        let mut command = Command::new(loadtest_binary());
        command.args(["carrier", "--listen", &address, "--config"]).arg(&path);
        command.env_clear().env("RUST_LOG", "warn").stdin(Stdio::null());
        let process = Ended(command.spawn().expect("the carrier starts"));
        wait_for("the carrier to listen", || std::net::TcpStream::connect(&address).ok());
        // One that is there already will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { server, carrier, directory, client, _carrier: process }
    }

    fn token(&self) -> String {
        let data = self.directory.path().join("data");
        let mut command = deskwire(&["token", "--tenant", "demo", "--operator", "ana"]);
        let output = command.env("DESKWIRE__DATA__DIRECTORY", data).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn get(&self, token: &str, path: &str) -> Value {
        let url = format!("{}{path}", self.server.url());
        self.client.get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap()
    }

    async fn control(&self, path: &str) -> Value {
        self.client.get(format!("{}/control/{path}", self.carrier)).send().await.unwrap().json().await.unwrap()
    }
}

fn chromium() -> PathBuf {
    let found = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("Chromium is missing: run scripts/setup-tests.sh")
}

/// Somebody in front of a browser.
struct Person {
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _node: Ended,
}

impl Person {
    fn start() -> Self {
        let modules = root().join(".cache/clients/js");
        assert!(modules.join("node_modules/playwright-core").exists(), "run scripts/setup-clients.sh");
        let mut command = Command::new("node");
        command.arg(root().join("tests/clients/js/browser.mjs")).arg(modules).arg(chromium());
        let mut node = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node is installed");
        let orders = node.stdin.take().unwrap();
        let answers = BufReader::new(node.stdout.take().unwrap()).lines();
        let mut person = Self { orders, answers, _node: Ended(node) };
        person.answer(&json!("start"));
        person
    }

    fn answer(&mut self, order: &Value) -> Value {
        let line = self.answers.next().expect("the browser lives").expect("it answers in text");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer["ok"], true, "{order}: {}", answer["value"]);
        answer["value"].clone()
    }

    /// Does one thing; the driver gives up on it by itself after twenty seconds.
    fn order(&mut self, order: Value) -> Value {
        writeln!(self.orders, "{order}").unwrap();
        self.answer(&order)
    }

    fn clicks(&mut self, within: &str, name: &str) {
        self.order(json!({"do": "click", "role": "button", "name": name, "within": within}));
    }

    fn sees(&mut self, within: &str, text: &str) {
        self.order(json!({"do": "sees", "text": text, "within": within}));
    }

    fn fills(&mut self, name: &str, text: &str) {
        self.order(json!({"do": "fill", "role": "textbox", "name": name, "text": text}));
    }

    fn texts(&mut self, text: &str) {
        self.fills("Your text", text);
        self.clicks(TEXTS, "Send");
        self.sees(TEXTS, text);
    }

    /// Looks at the page in each size and light, keeps what it saw in target/, and nothing may be wider than the window.
    fn looks(&mut self, what: &str) {
        let place = root().join("target/phone");
        std::fs::create_dir_all(&place).unwrap();
        for (width, height) in [(390, 844), (760, 1_000), (1_200, 800)] {
            for scheme in ["light", "dark"] {
                let over = self.order(json!({"do": "size", "width": width, "height": height, "scheme": scheme}));
                assert_eq!(over, 0, "{what} is wider than {width} pixels");
                let path = place.join(format!("{what}-{width}-{scheme}.png"));
                self.order(json!({"do": "screenshot", "path": path}));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_with_only_a_browser_calls_gets_the_text_answers_and_stops() {
    let demo = Demo::start();
    let token = demo.token();
    let mut person = Person::start();
    person.order(json!({"do": "open", "url": format!("{}/phone", demo.carrier)}));
    let invented = person.order(json!({"do": "value", "role": "textbox", "name": "Your number"}));
    assert!(invented.as_str().is_some_and(|number| number.contains(") 555-01") && number.len() == 14), "{invented}");
    person.fills("Your number", CALLER);
    person.clicks(PHONE, "Call");
    // Whatever the line does with a call, it ends by itself, or the caller hangs up; then the business texts back.
    until("the call to be over", async || {
        let calls = demo.control(&format!("calls?from={}", CALLER.replace('+', "%2B"))).await;
        if calls[0]["asks"] == "recording" {
            let sid = calls[0]["sid"].as_str().unwrap();
            let url = format!("{}/control/calls/{sid}/act", demo.carrier);
            demo.client.post(url).json(&"hang-up").send().await.unwrap();
        }
        calls[0]["ended_us"].is_u64()
    })
    .await;
    person.sees(TEXTS, "Sorry we missed your call");
    person.texts("My sink is leaking & <b>fast</b>");
    let file = demo.directory.path().join("sink.gif");
    std::fs::write(&file, PICTURE).unwrap();
    person.order(json!({"do": "upload", "label": "Picture…", "file": file}));
    person.clicks(TEXTS, "A drawing");
    until("three texts", async || demo.control("messages?to=%2B15005550006").await.as_array().unwrap().len() == 3)
        .await;
    let widths = person.order(json!({"do": "pictures", "name": "The picture you sent", "count": 2}));
    assert_eq!(widths, json!([2, 240]), "what was sent is shown");
    person.looks("texts");
    person.clicks(TEXTS, "STOP");
    person.sees(TEXTS, "successfully been unsubscribed");

    let row = async || demo.get(&token, "/v1/inbox").await["rows"][0].clone();
    until("the opt-out", async || row().await["consent"] == "opted_out").await;
    let conversation = row().await["conversation"].as_str().unwrap().to_owned();
    let page = demo.get(&token, &format!("/v1/conversations/{conversation}/events")).await;
    let told = page.to_string();
    for wanted in ["Sorry we missed your call", "My sink is leaking & <b>fast</b>", "image/gif", "image/png", "STOP"] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let received = demo.control(&format!("handsets/{CALLER}/received")).await;
    assert_eq!(received.as_array().map(Vec::len), Some(2), "the text-back and one answer to STOP: {received}");
    assert_eq!(received[1]["by_carrier"], true, "a long code's carrier answers by itself");
    assert_eq!(person.order(json!({"do": "nameless"})), json!([]));
    assert_eq!(person.order(json!({"do": "complaints"})), json!([]), "the page works within its policy");
}

const RING: &str = "<Dial timeout=\"600\" answerOnBridge=\"true\" action=\"/w/dialled\">\
    <Number url=\"/w/whisper\">+15005550199</Number></Dial>";
const WHISPER: &str = "<Gather numDigits=\"1\" timeout=\"600\" action=\"/w/taken\"><Say>A customer calls. Press 1.</Say></Gather><Hangup/>";
const MAIL: &str =
    "<Say>We are out. Leave a message after the beep.</Say><Record maxLength=\"120\" action=\"/w/recorded\"/>";

/// A carrier whose engine says this to each call, whatever the engine of this checkout does with one.
async fn carrier_of_a_ringing_line() -> CarrierHandle {
    let documents = |name: &str| match name {
        "whisper" => WHISPER,
        "dialled" => MAIL,
        "recorded" => "<Say>Thank you.</Say>",
        _ => "",
    };
    let xml = |body: &str| ([(header::CONTENT_TYPE, "text/xml")], format!("<Response>{body}</Response>"));
    let router = Router::new()
        .route("/webhooks/twilio/{channel}/voice", post(move || async move { xml(RING) }))
        .route("/w/{name}", any(move |Part(name): Part<String>| async move { xml(documents(&name)) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let engine_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let listen = ([127, 0, 0, 1], 0).into();
    let config =
        CarrierConfig { listen, engine_url, latency: Latency::none(), call_speed: 4.0, ..CarrierConfig::default() };
    CarrierServer::start(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_businesss_phone_rings_in_the_page_and_who_is_not_answered_leaves_a_message() {
    let carrier = carrier_of_a_ringing_line().await;
    let mut person = Person::start();
    person.order(json!({"do": "open", "url": format!("{}/phone", carrier.url())}));
    person.fills("Your number", CALLER);
    person.clicks(PHONE, "Call");
    person.sees(DESK, "(213) 555-0142 calls (500) 555-0199");
    person.looks("ringing");
    person.clicks(DESK, "Answer");
    person.sees(DESK, "A customer calls. Press 1.");
    person.clicks(DESK, "1");
    person.sees(PHONE, "connected");
    person.looks("talking");
    person.clicks(DESK, "Hang up");
    person.sees(PHONE, "Speak after the beep");
    person.looks("message");
    person.fills("After the beep, you say", "My sink is leaking, please call back");
    person.clicks(PHONE, "Leave it");
    person.sees(PHONE, "Your message was recorded.");
    let calls = carrier.calls();
    let first = calls.iter().find(|call| call.parent.is_none()).unwrap();
    assert_eq!(first.recordings[0].text, "My sink is leaking, please call back");

    person.clicks(PHONE, "Call");
    person.clicks(DESK, "Decline");
    person.sees(PHONE, "Speak after the beep");
    person.clicks(PHONE, "Hang up");
    person.sees(PHONE, "The call has ended");

    carrier.set_handset(Handset { on: false, held: true, ..Handset::new(CALLER) });
    person.sees(TEXTS, "The phone is off.");
    person.order(json!({"do": "check", "role": "switch", "name": "a landline", "within": PHONE, "on": true}));
    until("the landline", async || carrier.handset(CALLER).landline).await;
    person.sees(TEXTS, "A landline gets no texts.");
    person.looks("landline");
    assert_eq!(person.order(json!({"do": "complaints"})), json!([]), "the page works within its policy");
}
