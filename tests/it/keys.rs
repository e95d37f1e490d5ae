//! Keys that are replaced while the real binary runs: its own, others' shared secrets, a carrier account's token.

use std::{fs, path::Path, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use loadtest::signature::sign;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    process::{Server, run},
    wait::{pace, until},
};

/// Between two looks at a token whose overlap lasts seconds: far below the requests a tenant is allowed.
const LOOK_GAP: Duration = Duration::from_millis(200);

struct World {
    server: Server,
    directory: TempDir,
    client: reqwest::Client,
}

const SHARED: [&str; 2] = ["the-current-secret-of-another-minter", "the-secret-before-of-another-minter"];

/// A subcommand on a test's data directory; what it printed.
fn deskwire(directory: &Path, arguments: &[&str]) -> String {
    let data = directory.join("data").display().to_string();
    let output = run(arguments, &[("DESKWIRE__DATA__DIRECTORY", &data)]);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn token(directory: &Path) -> String {
    deskwire(directory, &["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"])
}

impl World {
    fn start() -> Self {
        let shared = format!("{SHARED:?}");
        let environment = [
            ("DESKWIRE__DEMO__ENABLED", "true"),
            ("DESKWIRE__AUTH__KEYS_RELOAD_S", "1"),
            ("DESKWIRE__AUTH__SHARED_SECRETS", &shared),
        ];
        let (server, directory) = Server::start(&environment);
        drop(rustls::crypto::ring::default_provider().install_default());
        Self { server, directory, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn status(&self, token: &str) -> u16 {
        let asked = self.client.get(format!("{}/v1/inbox", self.server.url())).bearer_auth(token).send().await;
        asked.unwrap().status().as_u16()
    }

    fn keys(&self) -> String {
        deskwire(self.directory.path(), &["keys", "list"])
    }
}

#[tokio::test]
async fn a_running_server_takes_the_new_key_at_once_and_forgets_the_old_one_when_its_overlap_ends() {
    let world = World::start();
    let old = token(world.directory.path());
    assert_eq!(world.status(&old).await, 200);
    deskwire(world.directory.path(), &["keys", "rotate", "--overlap", "10"]);
    let fresh = token(world.directory.path());
    assert_eq!((world.status(&fresh).await, world.status(&old).await), (200, 200));
    assert_eq!(world.keys().matches("verifies tokens").count(), 1, "{}", world.keys());
    until("the old key to be forgotten", async || {
        pace(LOOK_GAP).await;
        world.status(&old).await == 401
    })
    .await;
    assert_eq!(world.status(&fresh).await, 200);
    let keys = world.directory.path().join("data/keys");
    let retired = || fs::read_dir(&keys).unwrap().any(|entry| format!("{entry:?}").contains("token-verifying"));
    until("its file to be gone", async || !retired()).await;
    assert!(world.keys().contains("signs tokens"), "{}", world.keys());
}

#[tokio::test]
async fn a_key_that_leaked_is_forgotten_within_seconds() {
    let world = World::start();
    let old = token(world.directory.path());
    assert_eq!(world.status(&old).await, 200);
    deskwire(world.directory.path(), &["keys", "rotate", "--overlap", "0"]);
    until("the old key to be forgotten", async || world.status(&old).await == 401).await;
    assert_eq!(world.status(&token(world.directory.path())).await, 200);
}

#[tokio::test]
async fn a_key_that_leaked_ends_the_streams_that_were_opened_with_it_and_no_other() {
    let world = World::start();
    let leaked = token(world.directory.path());
    let mut stream = Stream::open(&world, &leaked).await;
    let mut others = Stream::open(&world, &others_token()).await;
    let mut moved = Stream::open(&world, &leaked).await;
    deskwire(world.directory.path(), &["keys", "rotate"]);
    moved.refresh(&token(world.directory.path())).await;
    // The overlap of the first rotation is taken back: the key that leaked is the one before.
    for entry in fs::read_dir(world.directory.path().join("data/keys")).unwrap() {
        let path = entry.unwrap().path();
        if path.display().to_string().contains("token-verifying") {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(stream.closed().await, (3500, "invalid token".to_owned()));
    assert_eq!(world.status(&leaked).await, 401);
    moved.answers().await;
    others.answers().await;
    deskwire(world.directory.path(), &["keys", "rotate", "--overlap", "0"]);
    assert_eq!(moved.closed().await, (3500, "invalid token".to_owned()), "the second key is forgotten, too");
    others.answers().await;
}

/// Good until 2096, by a secret that nobody rotates here.
fn others_token() -> String {
    let body = json!({"iss": "deskwire", "aud": "deskwire", "sub": "bob", "tenant": "demo", "role": "operator",
        "exp": 4_000_000_000_u64});
    hs256(SHARED[0], &body)
}

/// An operator's stream, by hand.
struct Stream {
    socket: tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
    asked: u32,
}

impl Stream {
    async fn open(world: &World, token: &str) -> Self {
        let url = format!("{}/v1/stream", world.server.url().replace("http", "ws"));
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let mut stream = Self { socket, asked: 0 };
        let reply = stream.call("connect", json!({"token": token})).await;
        assert!(reply["connect"]["client"].is_string(), "{reply}");
        stream
    }

    async fn refresh(&mut self, token: &str) {
        let reply = self.call("refresh", json!({"token": token})).await;
        assert!(reply["refresh"]["client"].is_string(), "{reply}");
    }

    async fn answers(&mut self) {
        let reply = self.call("presence_stats", json!({"channel": "presence:demo"})).await;
        assert!(reply["id"] == self.asked, "{reply}");
    }

    async fn call(&mut self, method: &str, body: Value) -> Value {
        self.asked += 1;
        let text = json!({"id": self.asked, method: body}).to_string();
        self.socket.send(Message::text(text)).await.unwrap();
        loop {
            let Message::Text(text) = self.next().await else { panic!("no text") };
            let replies = text.as_str().split('\n').filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(reply) = replies.into_iter().find(|reply| reply["id"] == self.asked) {
                return reply;
            }
        }
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await;
        next.expect("in time").expect("not gone").expect("readable")
    }

    async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next().await {
                let frame = frame.expect("a verdict");
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }
}

#[tokio::test]
async fn a_key_rotated_while_no_server_ran_is_the_one_it_starts_with() {
    let directory = tempfile::tempdir().unwrap();
    let old = token(directory.path());
    deskwire(directory.path(), &["keys", "rotate"]);
    let fresh = token(directory.path());
    let server = Server::start_in(directory.path(), &[("DESKWIRE__DEMO__ENABLED", "true")]);
    let world = World { server, directory, client: World::start().client };
    assert_eq!((world.status(&fresh).await, world.status(&old).await), (200, 200));
}

#[tokio::test]
async fn a_new_master_key_needs_the_server_to_be_down_and_loses_nothing() {
    let world = World::start();
    let file = fs::read_to_string(world.directory.path().join("data/demo-carrier.toml")).unwrap();
    let value = |name: &str| {
        let line = file.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (sid, secret) = (value("sid"), value("token"));
    assert_eq!(webhook(&world, &sid, &secret, 1).await, 200);
    let data = world.directory.path().join("data").display().to_string();
    let environment = [("DESKWIRE__DATA__DIRECTORY", data.as_str())];
    let refused = run(&["keys", "rotate", "--sealing"], &environment);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("in use"), "{refused:?}");
    let World { server, directory, client } = world;
    assert!(server.terminate().success());
    deskwire(directory.path(), &["keys", "rotate", "--sealing"]);
    let shown = deskwire(directory.path(), &["inspect", "--tenant", "demo", "--personal"]);
    assert!(shown.contains("hello"), "texts are still opened");
    let server = Server::start_in(directory.path(), &[("DESKWIRE__DEMO__ENABLED", "true")]);
    let world = World { server, directory, client };
    assert_eq!(webhook(&world, &sid, &secret, 2).await, 200, "the carrier's secret is still known");
}

#[tokio::test]
async fn tokens_of_the_current_shared_secret_and_of_the_one_before_are_good() {
    let world = World::start();
    let body = json!({"iss": "deskwire", "aud": "deskwire", "sub": "ana", "tenant": "demo", "role": "operator",
        "exp": 4_000_000_000_u64});
    for (secret, wanted) in [(SHARED[0], 200), (SHARED[1], 200), ("a-secret-that-nobody-has-configured", 401)] {
        assert_eq!(world.status(&hs256(secret, &body)).await, wanted);
    }
}

/// A token as somebody else mints it, key id and all.
fn hs256(secret: &str, body: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use hmac::Mac as _;
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "theirs"});
    let signed = [&header, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn webhooks_signed_with_the_carriers_token_before_are_taken_until_the_one_after_next() {
    let world = World::start();
    let file = fs::read_to_string(world.directory.path().join("data/demo-carrier.toml")).unwrap();
    let value = |name: &str| {
        let line = file.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (sid, first) = (value("sid"), value("token"));
    let tokens = [first.as_str(), "the-second-token-of-the-account", "the-third-token-of-the-account"];
    let (mut count, admin) = (0, token(world.directory.path()));
    for (current, wanted) in [(0, [200, 403, 403]), (1, [200, 200, 403]), (2, [403, 200, 200])] {
        if current > 0 {
            let url = format!("{}/v1/admin/accounts/demo-account", world.server.url());
            let account = json!({"carrier_id": sid, "auth_token": tokens[current]});
            let put = world.client.put(url).bearer_auth(&admin).json(&account).send().await.unwrap();
            assert!(put.status().is_success(), "{}", put.text().await.unwrap());
        }
        for (signer, status) in tokens.iter().zip(wanted) {
            count += 1;
            let answer = webhook(&world, &sid, signer, count).await;
            assert_eq!(answer, status, "token {signer} while {current} is current");
        }
    }
}

async fn webhook(world: &World, account: &str, token: &str, count: u32) -> u16 {
    let sid = format!("SM{count:032x}");
    let form = [
        ("MessageSid", sid.as_str()),
        ("AccountSid", account),
        ("From", "+14155550100"),
        ("To", "+15005550006"),
        ("Body", "hello"),
        ("NumMedia", "0"),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let url = format!("{}/webhooks/twilio/demo-line/sms", world.server.url());
    let request = world.client.post(&url).header("X-Twilio-Signature", sign(token, &url, &form)).form(&form);
    request.send().await.unwrap().status().as_u16()
}
