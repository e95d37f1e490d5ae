//! The demo as a newcomer meets it: the real binary, the simulated carrier, the README's own example, REST.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use deskwire::config::Config;
use figment::{
    Figment,
    providers::{Format as _, Serialized, Toml},
};
use loadtest::carrier::{Calling, CarrierConfig, CarrierHandle, CarrierServer, Latency, Texting};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::support::{
    process::{Server, deskwire, free_port},
    wait::until,
};

const CALLER: &str = "+12025550147";

/// The engine with its demo tenant, and the carrier of the demo's line.
struct Demo {
    server: Server,
    carrier: CarrierHandle,
    directory: TempDir,
}

impl Demo {
    async fn start() -> Self {
        for _ in 0..5 {
            if let Some(demo) = Self::try_start().await {
                return demo;
            }
        }
        panic!("no port stays free");
    }

    /// `None`: somebody took the carrier's port meanwhile.
    async fn try_start() -> Option<Self> {
        let port = free_port();
        let carrier_url = format!("http://127.0.0.1:{port}");
        let demo = [("DESKWIRE__DEMO__ENABLED", "true"), ("DESKWIRE__DEMO__CARRIER_URL", carrier_url.as_str())];
        let (server, directory) = Server::start(&demo);
        let config: CarrierConfig = Figment::from(Serialized::defaults(CarrierConfig::default()))
            .merge(Toml::file_exact(directory.path().join("data/demo-carrier.toml")))
            .extract()
            .unwrap();
        let listen = ([127, 0, 0, 1], port).into();
        let carrier =
            CarrierServer::start(CarrierConfig { listen, latency: Latency::none(), call_speed: 100.0, ..config })
                .await
                .ok()?;
        Some(Self { server, carrier, directory })
    }

    fn token(&self) -> String {
        let arguments = ["token", "--tenant", "demo", "--operator", "ana"];
        let data = self.directory.path().join("data");
        let output = deskwire(&arguments).env("DESKWIRE__DATA__DIRECTORY", data).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout).unwrap();
        assert_eq!(token.lines().count(), 1, "a token and nothing else");
        token.trim().to_owned()
    }

    async fn missed_call(&self) {
        let before = self.carrier.texts_to(CALLER);
        let calling = Calling { from: CALLER.to_owned(), ..Calling::default() };
        assert!(self.carrier.call(&calling).await.is_ok());
        until("the text-back", async || self.carrier.texts_to(CALLER) > before).await;
    }

    async fn text(&self, body: &str) {
        let texting = Texting { from: CALLER.to_owned(), body: body.to_owned(), ..Texting::default() };
        assert!(self.carrier.text(&texting).await.is_ok());
    }

    async fn get(&self, token: &str, path: &str) -> Value {
        let url = format!("{}{path}", self.server.url());
        reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_lives_from_a_missed_call_to_a_delivered_reply() {
    let demo = Demo::start().await;
    let token = demo.token();
    demo.missed_call().await;
    demo.text("My sink is leaking").await;
    let row = async || demo.get(&token, "/v1/inbox").await["rows"][0].clone();
    until("the caller waits in the inbox", async || row().await["waiting_since"].is_u64()).await;
    let conversation = row().await["conversation"].as_str().unwrap().to_owned();
    let url = format!("{}/v1/conversations/{conversation}/messages", demo.server.url());
    let send = || {
        let request = reqwest::Client::new().post(&url).bearer_auth(&token).header("Idempotency-Key", "k1");
        request.json(&json!({"text": "We are on our way"})).send()
    };
    let first: Value = send().await.unwrap().json().await.unwrap();
    let again: Value = send().await.unwrap().json().await.unwrap();
    assert_eq!(first, again, "the same key, the same reply");
    let message = format!("/v1/messages/{}", first["message"].as_str().unwrap());
    until("delivery", async || demo.get(&token, &message).await["sending"]["status"] == "delivered").await;
    assert_eq!(demo.carrier.texts_to(CALLER), 2, "the text-back and one reply");
    assert_eq!(demo.carrier.meter().violations, 0);
}

/// The first JavaScript block of README.
fn example() -> String {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```js\n").expect("README has the example");
    rest.split_once("```").expect("the block ends").0.to_owned()
}

struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_follows_the_inbox_with_the_readmes_ten_lines() {
    let demo = Demo::start().await;
    let code = example();
    assert!(code.lines().filter(|line| !line.is_empty()).count() <= 10, "ten lines");
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/clients/js/node_modules");
    assert!(modules.exists(), "the client is missing: run scripts/setup-clients.sh");
    let place = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(modules, place.path().join("node_modules")).unwrap();
    std::fs::write(place.path().join("desk.mjs"), code).unwrap();
    let child = Command::new("node")
        .arg("desk.mjs")
        .current_dir(place.path())
        .env("TOKEN", demo.token())
        .env("DESKWIRE_URL", demo.server.url().replacen("http", "ws", 1) + "/v1/stream")
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is installed");
    let mut node = Node(child);
    let (sender, mut lines) = mpsc::channel(1_000);
    let output = BufReader::new(node.0.stdout.take().unwrap());
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.blocking_send(line)));
    let mut seen = Vec::new();
    let mut saw = async |wanted: &str| {
        until(wanted, async || {
            while let Ok(line) = lines.try_recv() {
                seen.push(line);
            }
            seen.iter().any(|line| line.contains(wanted))
        })
        .await;
    };
    saw("live").await;
    demo.missed_call().await;
    saw("call.missed").await;
    demo.text("My sink is leaking").await;
    saw("message.received My sink is leaking").await;
}

#[test]
fn demo_mode_is_refused_on_an_address_that_others_can_reach() {
    let environment = [("DESKWIRE__DEMO__ENABLED", "true"), ("DESKWIRE__SERVER__LISTEN", "0.0.0.0:8080")];
    let refused = crate::support::process::run(&["check-config"], &environment);
    assert_eq!(refused.status.code(), Some(i32::from(deskwire::config::EXIT_USAGE)));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("demo.enabled"), "{refused:?}");
    assert!(!Config::default().demo.enabled, "the demo is asked for, never assumed");
}
