//! The stop button on the real binary, pressed from the command line and counted at the simulated carrier.

use std::{net::SocketAddr, time::Duration};

use figment::{
    Figment,
    providers::{Format as _, Serialized, Toml},
};
use futures_util::{StreamExt as _, stream};
use loadtest::carrier::{Calling, CarrierConfig, CarrierHandle, CarrierServer, Latency, Line};
use loadtest::meter::Limits;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    process::{Server, deskwire, free_port},
    wait::{pace, until, until_within},
};

/// Segments a second of the line.
const NUMBER_PER_S: u32 = 20;
/// A pause takes hold within this.
const WITHIN: Duration = Duration::from_secs(1);
/// How long nothing may arrive after that.
const SILENCE: Duration = Duration::from_secs(2);
/// People whom rules and operators write to at the same time.
const TOGETHER: usize = 16;

/// A demo on a directory and port of its own, and its carrier.
struct Desk {
    carrier: CarrierHandle,
    directory: TempDir,
    address: SocketAddr,
    environment: [(&'static str, String); 2],
}

impl Desk {
    async fn start() -> (Self, Server) {
        let (carrier_port, port) = (free_port(), free_port());
        let directory = tempfile::tempdir().unwrap();
        let environment = [
            ("DESKWIRE__DEMO__ENABLED", "true".to_owned()),
            ("DESKWIRE__DEMO__CARRIER_URL", format!("http://127.0.0.1:{carrier_port}")),
        ];
        let given = environment.each_ref().map(|(key, value)| (*key, value.as_str()));
        let server = Server::start_on(directory.path(), port, &given);
        let config: CarrierConfig = Figment::from(Serialized::defaults(CarrierConfig::default()))
            .merge(Toml::file_exact(directory.path().join("data/demo-carrier.toml")))
            .extract()
            .unwrap();
        let limits = Limits { number_per_s: Some(NUMBER_PER_S), ..Limits::default() };
        let lines = config.lines.into_iter().map(|line| Line { limits: limits.clone(), ..line }).collect();
        let listen = ([127, 0, 0, 1], carrier_port).into();
        let (latency, call_speed) = (Latency::none(), 1_000.0);
        let config = CarrierConfig { listen, lines, latency, call_speed, tolerance_ms: 300, ..config };
        let carrier = CarrierServer::start(config).await.unwrap();
        let desk = Self { carrier, directory, address: server.address(), environment };
        let limits = json!({"number_per_s": NUMBER_PER_S});
        desk.ask(reqwest::Method::PUT, "/v1/admin/channels/demo-line/limits", &limits).await;
        (desk, server)
    }

    fn start_again(&self) -> Server {
        let given = self.environment.each_ref().map(|(key, value)| (*key, value.as_str()));
        Server::start_on(self.directory.path(), self.address.port(), &given)
    }

    /// Runs a command of the binary against the server; what it printed.
    fn command(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = deskwire(arguments);
        command.env("DESKWIRE__DATA__DIRECTORY", self.directory.path().join("data"));
        command.env("DESKWIRE__SERVER__LISTEN", self.address.to_string());
        let output = tokio::task::block_in_place(|| command.output()).unwrap();
        let [out, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        if output.status.success() { Ok(out) } else { Err(error) }
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let token = self.command(&["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"]).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method, format!("http://{}{path}", self.address)).bearer_auth(token.trim());
        let answer = request.json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// An operator writes to as many people.
    async fn write_to(&self, people: std::ops::Range<usize>) {
        let token = self.command(&["token", "--tenant", "demo", "--operator", "ana"]).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/v1/messages", self.address);
        let write = |person: usize| {
            let body = json!({"to": person_number(person), "text": "on our way", "channel": "demo-line"});
            // The rate of one operator is bounded: told to come back, it does.
            let request = client.post(&url).bearer_auth(token.trim()).json(&body);
            async move {
                until("the text to be taken", async || {
                    let status = request.try_clone().unwrap().send().await.unwrap().status();
                    assert!(status.is_success() || status == 429, "{status}");
                    status.is_success()
                })
                .await;
            }
        };
        stream::iter(people.map(write)).buffer_unordered(TOGETHER).collect::<Vec<()>>().await;
    }

    /// As many people call, and nobody answers.
    async fn miss_calls(&self, people: std::ops::Range<usize>) {
        let call = async |person: usize| {
            let calling = Calling { from: person_number(person), ..Calling::default() };
            assert!(self.carrier.call(&calling).await.is_ok());
        };
        stream::iter(people.map(call)).buffer_unordered(TOGETHER).collect::<Vec<()>>().await;
    }

    fn arrived(&self) -> u64 {
        self.carrier.meter().texts
    }

    /// Nothing arrives for a while.
    async fn is_silent(&self, when: &str) {
        let before = self.arrived();
        pace(SILENCE).await;
        assert_eq!(self.arrived(), before, "{when}");
    }
}

fn person_number(person: usize) -> String {
    format!("+1212{:07}", 5_550_000 + person)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_within_a_second_over_a_kill_and_lets_everything_go_once_after() {
    let (desk, server) = Desk::start().await;
    let people = 100;
    desk.write_to(0..people).await;
    desk.miss_calls(people..people + 20).await;
    until("texts to flow", async || desk.arrived() >= 20).await;
    let said = desk.command(&["pause"]).unwrap();
    assert_eq!(said.trim(), "every tenant: paused");
    pace(WITHIN).await;
    let held = desk.arrived();
    assert!(held < (people + 20) as u64, "nothing was left to hold");
    desk.miss_calls(people + 20..people + 25).await;
    desk.is_silent("a second after the pause").await;
    server.kill();
    let server = desk.start_again();
    desk.is_silent("after a kill and a start").await;
    assert_eq!(desk.arrived(), held);
    let inbox = desk.ask(reqwest::Method::GET, "/v1/inbox", &json!({})).await;
    assert_eq!(inbox["paused"]["everyone"], "all", "operators are told");
    let refused = desk.command(&["pause", "--automatic-only"]).unwrap_err();
    assert!(refused.contains("resume"), "a pause lets nothing go: {refused}");
    assert_eq!(desk.command(&["resume"]).unwrap().trim(), "every tenant: not paused");
    let all = (people + 25) as u64;
    until_within(Duration::from_secs(60), "everything to arrive", async || desk.arrived() >= all).await;
    assert!(server.terminate().success());
    let meter = desk.carrier.meter();
    assert_eq!((meter.texts, meter.violations), (all, 0), "each once, and none too fast: {meter:?}");
    let departed = desk.carrier.departures();
    assert_eq!((departed.texts, departed.violations), (all, 0), "let go no faster: {departed:?}");
    assert!((0..people + 25).all(|person| desk.carrier.texts_to(&person_number(person)) == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_texts_of_one_template_are_taken_back_after_a_preview_and_no_other() {
    let (desk, server) = Desk::start().await;
    let said = desk.command(&["pause", "--tenant", "demo", "--line", "demo-line"]).unwrap();
    assert_eq!(said, "every tenant: not paused\ntenant demo: not paused\nline demo-line: paused\n");
    let (callers, others) = (2_000, 20);
    desk.miss_calls(0..callers).await;
    desk.write_to(callers..callers + others).await;
    let which = ["--tenant", "demo", "--template", "text-back"];
    let queue = |what: &str, more: &[&str]| desk.command(&[&["queue", what], &which[..], more].concat()).unwrap();
    let listed = queue("list", &["--limit", "250", "--json"]);
    assert_eq!(listed.lines().count(), 251, "the rows and the sums");
    let began = std::time::Instant::now();
    let table = queue("list", &["--limit", "3"]);
    eprintln!("a list of {callers} queued texts took {:?}, the process included", began.elapsed());
    assert!(table.contains("in all: 2000 texts, "), "{table}");
    assert!(table.contains("MESSAGE") && !table.contains("+1212"), "{table}");
    assert!(queue("cancel", &[]).ends_with("nothing was canceled\n"), "a preview takes nothing back");
    assert!(queue("cancel", &["--older-than", "2h", "--yes"]).starts_with("in all: 0 texts"));
    let said = queue("cancel", &["--yes"]);
    assert!(said.contains("canceled 2000 texts"), "{said}");
    assert!(queue("list", &[]).contains("in all: 0 texts"));
    let said = desk.command(&["resume", "--tenant", "demo", "--line", "demo-line"]).unwrap();
    assert_eq!(said, "every tenant: not paused\ntenant demo: not paused\n");
    until("the others to arrive", async || desk.arrived() >= others as u64).await;
    desk.is_silent("what was taken back").await;
    assert_eq!(desk.arrived(), others as u64);
    assert!(server.terminate().success());
    assert!(desk.command(&["verify", "--tenant", "demo"]).is_ok());
}
