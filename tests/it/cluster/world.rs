//! Nodes of one cluster as real processes, each in a directory of its own.

use std::{
    fs,
    process::{ExitStatus, Output},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    cql::world::keyspace,
    support::{
        cassandra,
        process::{Server, deskwire, free_port},
        redis::Redis,
        wait::{until, wait_for_within},
    },
};

/// The base that carriers sign for, whichever node they reach.
pub const PUBLIC_URL: &str = "https://desk.example.com";
pub const LINE_NUMBER: &str = "+14155550199";
pub const CARRIER_ID: &str = "AC00000000000000000000000000000001";
pub const AUTH_TOKEN: &str = "an auth token of the carrier";

/// A killed node's lease lapses a minute after it was last renewed.
const LAPSED: Duration = Duration::from_secs(120);

type Environment = Vec<(String, String)>;

/// Up to three nodes.
pub struct World {
    directory: TempDir,
    nodes: Vec<Node>,
    common: Environment,
    _redis: Redis,
}

struct Node {
    server: Option<Server>,
    url: String,
    /// What it is told.
    environment: Environment,
    name: String,
    token: String,
}

fn pairs(environment: &Environment) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

impl World {
    /// Three nodes, a tenant and its line.
    pub async fn start(name: &str) -> Self {
        let world = Self::start_some(name, 3).await;
        world.make_tenant().await;
        until("three nodes to serve", async || {
            (0..3).all(|node| {
                let status = world.command(node, &["cluster", "status"]);
                status.matches("serving").count() == 3
            })
        })
        .await;
        world
    }

    pub async fn start_some(name: &str, count: usize) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let options = keyspace(&format!("cluster_{name}")).await;
        let directory = tempfile::tempdir().unwrap();
        let redis = Redis::start();
        let keys = directory.path().join("keys");
        let made = deskwire(&["cluster", "keys", keys.to_str().unwrap()]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::write(keys.join("master"), [7; 32]).unwrap();
        let gossip: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let seeds: Vec<String> = gossip.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
        let file = |name: &str| keys.join(name).display().to_string();
        let common = [
            ("CQL__REPLICATION", options.replication.clone()),
            ("CQL__MASTER_KEY_FILE", file("master")),
            ("LIMITS__KIND", "redis".to_owned()),
            ("LIMITS__MEMBERS", "3".to_owned()),
            ("REDIS__URL", redis.url()),
            ("SERVER__PUBLIC_URL", PUBLIC_URL.to_owned()),
            ("STREAM__DRAIN_SPREAD_MS", "200".to_owned()),
            ("WEBHOOK__LINE_PER_S", "5000".to_owned()),
            ("CLUSTER__ENABLED", "true".to_owned()),
            ("CLUSTER__SECRET_FILE", file("secret")),
            ("CLUSTER__CA_FILE", file("ca.pem")),
            ("CLUSTER__CERTIFICATE_FILE", file("node.pem")),
            ("CLUSTER__KEY_FILE", file("node.key")),
            ("AUTH__KEYS_DIRECTORY", file("tokens")),
            ("CLUSTER__SEEDS", format!("[{}]", seeds.join(","))),
        ];
        let common = common.map(|(key, value)| (format!("DESKWIRE__{key}"), value));
        let store = cassandra::environment(&options.keyspace).into_iter().map(|(key, value)| (key.to_owned(), value));
        let common: Environment = store.chain(common).collect();
        let mut world = Self { directory, nodes: Vec::new(), common, _redis: redis };
        for (number, port) in gossip.into_iter().enumerate() {
            world.add(number, port);
        }
        world
    }

    fn add(&mut self, number: usize, gossip: u16) {
        let directory = self.directory.path().join(format!("node-{number}"));
        fs::create_dir_all(&directory).unwrap();
        let mut environment = self.common.clone();
        environment.push(("DESKWIRE__CLUSTER__GOSSIP_LISTEN".to_owned(), format!("127.0.0.1:{gossip}")));
        environment.push(("DESKWIRE__CLUSTER__RELAY_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port())));
        let server = Server::start_in(&directory, &pairs(&environment));
        environment.push(("DESKWIRE__SERVER__LISTEN".to_owned(), server.address().to_string()));
        let data = directory.join("data");
        environment.push(("DESKWIRE__DATA__DIRECTORY".to_owned(), data.display().to_string()));
        let name = fs::read_to_string(data.join("node")).unwrap().trim().to_owned();
        let (url, server, token) = (server.url(), Some(server), String::new());
        self.nodes.push(Node { server, url, environment, name, token });
        let token = self.command(number, &["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"]);
        self.nodes[number].token = token;
    }

    /// A node that has another secret, and knows where the first one is.
    pub fn stranger(&self) -> Server {
        let directory = self.directory.path().join("stranger");
        fs::create_dir_all(&directory).unwrap();
        let secret = directory.join("secret");
        fs::write(&secret, "something that is long enough and not the secret").unwrap();
        let mut environment = self.common.clone();
        let own = [
            ("GOSSIP_LISTEN", format!("127.0.0.1:{}", free_port())),
            ("RELAY_LISTEN", format!("127.0.0.1:{}", free_port())),
        ];
        environment.extend(own.map(|(key, value)| (format!("DESKWIRE__CLUSTER__{key}"), value)));
        environment.push(("DESKWIRE__CLUSTER__SECRET_FILE".to_owned(), secret.display().to_string()));
        Server::spawn_on(&directory, free_port(), &pairs(&environment))
    }

    async fn make_tenant(&self) {
        self.command(0, &["tenant", "create", "demo", "--business", "Demo"]);
        let account = json!({"carrier_id": CARRIER_ID, "auth_token": AUTH_TOKEN});
        self.put("/v1/admin/accounts/demo-account", &account).await;
        let line = json!({"address": LINE_NUMBER, "account": "demo-account", "coverage": false, "cool_down_s": 600});
        self.put("/v1/admin/channels/demo-line", &line).await;
    }

    async fn put(&self, path: &str, body: &Value) {
        let node = &self.nodes[0];
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(Method::PUT, format!("{}{path}", node.url)).bearer_auth(&node.token).json(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    }

    /// Runs a command as a node would; its output, trimmed.
    pub fn command(&self, node: usize, arguments: &[&str]) -> String {
        let output = self.run(node, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "deskwire {arguments:?}: {}\n{error}", output.status);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn run(&self, node: usize, arguments: &[&str]) -> Output {
        deskwire(arguments).envs(pairs(&self.nodes[node].environment)).output().unwrap()
    }

    fn events(&self) -> Vec<Value> {
        let log = self.command(0, &["inspect", "--tenant", "demo"]);
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Who took the tenant last.
    pub fn owner(&self) -> usize {
        let events = self.events();
        let taken = events.iter().rfind(|event| event["type"] == "feed.taken").expect("somebody has taken it");
        let name = taken["data"]["node"].as_str().expect("it says who");
        self.nodes.iter().position(|node| node.name == name).expect("one of ours")
    }

    /// The last offset.
    pub fn head(&self) -> u64 {
        self.events().last().and_then(|event| event["offset"].as_u64()).unwrap_or_default()
    }

    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.url.clone()).collect()
    }

    /// Made by the first node, good at all of them.
    pub fn token(&self) -> &str {
        &self.nodes[0].token
    }

    /// What a node has logged.
    pub fn log(&self, node: usize) -> String {
        self.nodes[node].server.as_ref().expect("it runs").log()
    }

    /// kill -9.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].server.take().expect("it runs").kill();
    }

    /// SIGTERM, to the end of its drain.
    pub fn terminate(&mut self, node: usize) -> ExitStatus {
        self.nodes[node].server.take().expect("it runs").terminate()
    }

    /// Every node ends as a service does, the first to be told last.
    pub fn end(&mut self) {
        for server in self.nodes.iter_mut().rev().filter_map(|node| node.server.take()) {
            let status = server.terminate();
            assert!(status.success(), "{status}");
        }
    }

    /// What `deskwire verify` says once the nodes' leases are given back or have lapsed.
    pub fn verified(&self) -> String {
        wait_for_within(LAPSED, "verify to be alone in the keyspace", || {
            let output = self.run(0, &["verify"]);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            if error.contains("the keyspace is in use by") {
                return None;
            }
            assert!(output.status.success(), "deskwire verify: {}\n{error}", output.status);
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        })
    }
}
