//! What the carrier remembers and we do not: texts whose fate we never heard, and everything that came in while the
//! process was dead. The real binary, killed; a carrier that outlives it.

use std::time::Duration;

use figment::{
    Figment,
    providers::{Format as _, Serialized, Toml},
};
use loadtest::carrier::{Calling, CarrierConfig, CarrierHandle, CarrierServer, Fate, Faults, Latency, Texting};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    process::{Server, deskwire, free_port, get},
    wait::{until, until_within, wait_for},
};

const CALLER: &str = "+14155550100";

/// The process, the directory it leaves behind, and the carrier.
struct World {
    carrier: CarrierHandle,
    server: Option<Server>,
    directory: TempDir,
    port: u16,
    token: String,
    environment: Vec<(&'static str, String)>,
}

fn environment(carrier_port: u16, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let common = [
        ("DESKWIRE__DEMO__ENABLED", "true"),
        ("DESKWIRE__OUTBOX__SEND_DEADLINE_MS", "1500"),
        ("DESKWIRE__OUTBOX__RECONCILE_MARGIN_MS", "500"),
        ("DESKWIRE__OUTBOX__RECONCILE_MIN_MS", "200"),
        ("DESKWIRE__OUTBOX__RECONCILE_MAX_MS", "500"),
        ("DESKWIRE__OUTBOX__LIST_INTERVAL_MS", "0"),
        ("DESKWIRE__OUTBOX__RETRY_MIN_MS", "100"),
        ("DESKWIRE__OUTBOX__RETRY_MAX_MS", "400"),
    ];
    let carrier_url = ("DESKWIRE__DEMO__CARRIER_URL", format!("http://127.0.0.1:{carrier_port}"));
    let common = common.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned()));
    common.chain([carrier_url]).collect()
}

impl World {
    /// A first start on a fresh directory, and the carrier of the line that it made.
    async fn start(more: &[(&'static str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (port, carrier_port) = (free_port(), free_port());
        let environment = environment(carrier_port, more);
        let server = start(&directory, port, &environment);
        let config: CarrierConfig = Figment::from(Serialized::defaults(CarrierConfig::default()))
            .merge(Toml::file_exact(directory.path().join("data/demo-carrier.toml")))
            .extract()
            .unwrap();
        let listen = ([127, 0, 0, 1], carrier_port).into();
        // A webhook is posted once: what nobody takes is lost, but for the carrier's memory.
        let config =
            CarrierConfig { listen, latency: Latency::none(), webhook_retries: 0, call_speed: 1_000.0, ..config };
        let carrier = CarrierServer::start(config).await.unwrap();
        let (server, token) = (Some(server), String::new());
        let mut world = Self { carrier, server, directory, port, token, environment };
        world.token = world.command(&["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"]);
        let answer = world.put("/v1/admin/channels/demo-line/limits", &json!({"number_per_s": 50})).await;
        assert!(answer.is_object(), "{answer}");
        world.metric_reaches("deskwire_catch_up_lines_total", 1);
        world
    }

    fn restart(&mut self) {
        self.server = Some(start(&self.directory, self.port, &self.environment));
    }

    fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    fn command(&self, arguments: &[&str]) -> String {
        let data = self.directory.path().join("data");
        let output = deskwire(arguments).env("DESKWIRE__DATA__DIRECTORY", data).output().unwrap();
        assert!(output.status.success(), "deskwire {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The process ends in order; its events.
    fn events(&mut self) -> Vec<Value> {
        assert!(self.server.take().unwrap().terminate().success());
        let inspected = self.command(&["inspect", "--tenant", "demo", "--personal"]);
        inspected.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A counter's sum over its labels.
    fn metric(&self, name: &str) -> u64 {
        let (_, text) = get(([127, 0, 0, 1], self.port).into(), "/metrics").unwrap_or_default();
        let of = |line: &str| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse::<u64>().ok()).flatten()
        };
        text.lines().filter_map(of).sum()
    }

    fn metric_reaches(&self, name: &str, least: u64) {
        tokio::task::block_in_place(|| wait_for(name, || (self.metric(name) >= least).then_some(())));
    }

    async fn put(&self, path: &str, body: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        reqwest::Client::new().put(url).bearer_auth(&self.token).json(body).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        reqwest::Client::new().post(url).bearer_auth(&self.token).json(body).send().await.unwrap().json().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        reqwest::Client::new().get(url).bearer_auth(&self.token).send().await.unwrap().json().await.unwrap()
    }

    /// An operator writes; the message's id.
    async fn send(&self, to: &str, text: &str) -> String {
        let body = json!({"to": to, "text": text, "channel": "demo-line", "idempotency_key": text});
        let reply = self.post("/v1/messages", &body).await;
        reply["message"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    async fn is(&self, message: &str, status: &str) -> bool {
        self.get(&format!("/v1/messages/{message}")).await["sending"]["status"] == status
    }

    fn taken(&self) -> usize {
        self.carrier.messages().iter().filter(|message| !message.inbound).count()
    }
}

fn start(directory: &TempDir, port: u16, environment: &[(&'static str, String)]) -> Server {
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    tokio::task::block_in_place(|| Server::start_on(directory.path(), port, &environment))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_the_carriers_list_and_the_text_was_sent_once() {
    let world = World::start(&[]).await;
    // Neither the answer nor any callback ever comes.
    world.carrier.set_faults(Faults { lose_callback: 1.0, ..Faults::default() });
    world.carrier.script(None, &[Fate::LoseResponse]);
    let message = world.send(CALLER, "on our way").await;
    until("the text to be unknown", async || world.is(&message, "unknown").await).await;
    until("the list to settle it", async || world.is(&message, "delivered").await).await;
    assert_eq!((world.taken(), world.carrier.meter().texts), (1, 1));
    let carrier_id = world.get(&format!("/v1/messages/{message}")).await["carrier_id"].clone();
    assert_eq!(carrier_id, world.carrier.messages()[0].sid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_killed_between_claim_and_answer_is_settled_after_the_restart() {
    let mut world = World::start(&[]).await;
    world.carrier.set_faults(Faults { lose_callback: 1.0, stall_ms: 60_000, ..Faults::default() });
    world.carrier.script(None, &[Fate::Stall]);
    let message = world.send(CALLER, "on our way").await;
    until("the carrier to have it", async || world.taken() == 1).await;
    world.kill();
    world.restart();
    until("the list to settle it", async || world.is(&message, "delivered").await).await;
    assert_eq!(world.carrier.meter().texts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_the_carrier_lost_for_good_stays_unknown_until_a_person_decides() {
    let world = World::start(&[("DESKWIRE__OUTBOX__REPLY_VALIDITY_S", "5")]).await;
    world.carrier.script(None, &[Fate::CloseBefore]);
    let message = world.send(CALLER, "anybody there?").await;
    until("the text to be unknown", async || world.is(&message, "unknown").await).await;
    let asked = || world.metric("deskwire_reconciliations_total");
    until("the list to be asked", async || asked() > 0).await;
    let path = format!("/v1/messages/{message}");
    let valid_until = world.get(&path).await["sending"]["valid_until"].as_u64().unwrap();
    let now = || {
        u64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros()).unwrap()
    };
    until("its validity to end", async || now() > valid_until + 1_500_000).await;
    let at_the_end = asked();
    until("nobody to ask any more", async || now() > valid_until + 3_500_000).await;
    assert_eq!(asked(), at_the_end);
    assert!(world.is(&message, "unknown").await);
    assert_eq!(world.taken(), 0, "it was never sent again by itself");
    let retried = world.post(&format!("{path}/retry"), &json!({"idempotency_key": "again"})).await;
    assert!(retried["offset"].is_u64(), "{retried}");
    until("a person's second attempt", async || world.is(&message, "delivered").await).await;
    assert_eq!(world.get(&path).await["sending"]["attempt"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_while_the_engine_was_dead_is_there_once_and_in_order() {
    let mut world = World::start(&[]).await;
    let texting = |number: usize| Texting {
        from: format!("+141555501{:02}", number % 4),
        body: format!("text {number}"),
        media: if number == 7 { vec!["picture".to_owned()] } else { vec![] },
        ..Texting::default()
    };
    let taken = world.carrier.text(&texting(0)).await;
    assert!(taken.is_ok(), "{taken:?}");
    world.kill();
    let mut texts = vec![taken.sid];
    for number in 1..=20 {
        let delivery = world.carrier.text(&texting(number)).await;
        assert!(!delivery.is_ok(), "nobody is there");
        texts.push(delivery.sid);
    }
    let mut calls = Vec::new();
    for number in 0..3 {
        let calling = Calling { from: format!("+1415555030{number}"), ..Calling::default() };
        calls.push(world.carrier.call(&calling).await.sid);
    }
    world.restart();
    world.metric_reaches("deskwire_catch_up_found_total", 23);
    // A webhook that comes late after all is the same text.
    assert!(world.carrier.redeliver(&texts[5]).await.unwrap().is_ok());
    until("the callers' texts", async || world.taken() == 3).await;
    world.kill();
    world.restart();
    world.metric_reaches("deskwire_catch_up_listed_total", 24);
    assert_eq!(world.metric("deskwire_catch_up_found_total"), 0, "nothing is found twice");
    let events = world.events();
    let of = |kind: &str| -> Vec<&Value> { events.iter().filter(|event| event["type"] == kind).collect() };
    let ids = |kind: &str| -> Vec<&str> {
        of(kind).iter().map(|event| event["data"]["carrier_id"].as_str().unwrap()).collect()
    };
    assert_eq!(ids("message.received"), texts);
    let mut missed = ids("call.missed");
    missed.sort_unstable();
    calls.sort_unstable();
    assert_eq!(missed, calls);
    let picture = of("message.received")[7];
    let url = picture["media"][0]["url"].as_str().unwrap_or_else(|| panic!("{picture}"));
    assert!(url.contains(&texts[7]) && !url.ends_with(".json"), "{url}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_without_a_carrier_end_with_no_text_that_is_too_late() {
    let mut world = World::start(&[("DESKWIRE__OUTBOX__TEXT_BACK_VALIDITY_S", "2")]).await;
    let texting = Texting { from: CALLER.to_owned(), body: "hello".to_owned(), ..Texting::default() };
    assert!(world.carrier.text(&texting).await.is_ok());
    // From here on nothing of ours reaches it; its webhooks still reach us.
    world.carrier.set_faults(Faults { too_many: 1.0, retry_after_s: 1, ..Faults::default() });
    for number in 0..5 {
        let calling = Calling { from: format!("+1415555040{number}"), ..Calling::default() };
        assert!(world.carrier.call(&calling).await.is_ok());
    }
    let queue = "/v1/admin/channels/demo-line/queue";
    until_within(Duration::from_secs(20), "the lane to be empty", async || {
        let queue = world.get(queue).await;
        queue["waiting"] == 0 && queue["in_flight"] == 0
    })
    .await;
    world.carrier.set_faults(Faults::default());
    let calling = Calling { from: "+14155550499".to_owned(), ..Calling::default() };
    assert!(world.carrier.call(&calling).await.is_ok());
    until("the text of the call that came in time", async || world.taken() == 1).await;
    let (to, validity) = world
        .carrier
        .messages()
        .into_iter()
        .find(|message| !message.inbound)
        .map(|message| (message.to, message.validity_s))
        .unwrap();
    assert_eq!(to, "+14155550499");
    assert!(validity.is_some_and(|seconds| (1..=2).contains(&seconds)), "{validity:?}");
    let events = world.events();
    let too_late = events.iter().filter(|event| event["data"]["status"] == "expired").count();
    assert_eq!(too_late, 5);
}
