//! Nodes of one cluster as real processes, each in a directory of its own.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddrV4},
    path::Path,
    process::{ExitStatus, Output},
    thread::JoinHandle,
    time::Duration,
};

use deskwire::store::cql::{CqlOptions, migrate};
use loadtest::carrier::{CarrierConfig, CarrierHandle, CarrierServer};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::network::Network;
use crate::{
    cql::world::keyspace,
    support::{
        cassandra,
        cql_cluster::Servers,
        process::{Server, deskwire, deskwire_by, free_port},
        redis::Redis,
        wait::{until, until_within, wait_for_within},
    },
};

/// The base that carriers sign for, whichever node they reach.
pub const PUBLIC_URL: &str = "https://desk.example.com";
pub const LINE_NUMBER: &str = "+14155550199";
pub const CARRIER_ID: &str = "AC00000000000000000000000000000001";
pub const AUTH_TOKEN: &str = "an auth token of the carrier";

/// A killed node's lease lapses a minute after it was last renewed.
const LAPSED: Duration = Duration::from_secs(120);

/// A tenant and its line are there.
const FURNISHED: Duration = Duration::from_secs(120);

/// Segments a second of the line, and of its account, which nodes share through Redis.
const NUMBER_PER_S: u32 = 10;
const ACCOUNT_PER_S: u32 = 5;
/// Of arrivals: a busy machine delays a request on its way, and the next one then seems early. When texts were let go is
/// judged exactly; this is for stamps that do not say the truth.
const TOLERANCE_MS: u64 = 900;

type Environment = Vec<(String, String)>;

/// Up to three nodes.
pub struct World {
    directory: TempDir,
    nodes: Vec<Node>,
    common: Environment,
    /// What all nodes share their pace through.
    pub redis: Redis,
    /// Whom all nodes send through, and who counts what they send.
    pub carrier: CarrierHandle,
    network: Option<Network>,
    /// By whose clocks it can be told when texts were let go.
    pub clocks_agree: bool,
}

struct Node {
    server: Option<Server>,
    url: String,
    /// What it is told.
    environment: Environment,
    name: String,
    token: String,
}

async fn on_the_tests_server(name: &str) -> CqlOptions {
    keyspace(&format!("cluster_{name}")).await
}

fn carrier() -> CarrierConfig {
    let limits = json!({"number_per_s": NUMBER_PER_S, "account_per_s": ACCOUNT_PER_S});
    let line = json!({"channel": "demo-line", "address": LINE_NUMBER, "account": CARRIER_ID, "limits": limits});
    let config = json!({
        "listen": format!("127.0.0.1:{}", free_port()),
        "accounts": [{"sid": CARRIER_ID, "token": AUTH_TOKEN}],
        "lines": [line],
        "tolerance_ms": TOLERANCE_MS,
        "webhook_retries": 12,
        "webhook_retry_ms": 100,
    });
    serde_json::from_value(config).unwrap()
}

fn pairs(environment: &Environment) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

impl World {
    /// Three nodes, a tenant and its line.
    pub async fn start(name: &str) -> Self {
        Self::start_some(name, 3).await.furnished().await
    }

    /// As [`Self::start`], with a network between the nodes that can be cut.
    pub async fn start_apart(name: &str) -> Self {
        let mut world = Self::nobody(&on_the_tests_server(name).await, Some(Network::new(3))).await;
        world.add_all(&[const { Vec::new() }; 3]);
        world.furnished().await
    }

    /// As [`Self::start`], each with something more in its environment.
    pub async fn start_with(name: &str, more: &[Environment; 3]) -> Self {
        let mut world = Self::nobody(&on_the_tests_server(name).await, None).await;
        world.add_all(more);
        world.furnished().await
    }

    async fn furnished(self) -> Self {
        self.make_tenant().await;
        until("all nodes to serve", async || self.all_serve()).await;
        self
    }

    pub async fn start_some(name: &str, count: usize) -> Self {
        let mut world = Self::nobody(&on_the_tests_server(name).await, None).await;
        world.add_all(&vec![Environment::new(); count]);
        world
    }

    /// Two nodes over servers of the test's own, a tenant and its line.
    pub async fn start_over(servers: &Servers, name: &str) -> Self {
        let options = servers.options(name);
        migrate(&options).await.unwrap();
        let mut world = Self::nobody(&options, None).await;
        world.add_all(&[const { Vec::new() }; 2]);
        world.furnished().await
    }

    /// One node, a tenant and its line.
    pub async fn start_alone(name: &str) -> Self {
        Self::start_some(name, 1).await.furnished().await
    }

    /// Whether each says of all that they serve.
    pub fn all_serve(&self) -> bool {
        let nodes = self.nodes.len();
        (0..nodes).all(|node| self.command(node, &["cluster", "status"]).matches("serving").count() == nodes)
    }

    async fn nobody(options: &CqlOptions, network: Option<Network>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let directory = tempfile::tempdir().unwrap();
        let redis = Redis::start();
        let carrier = CarrierServer::start(carrier()).await.unwrap();
        let keys = directory.path().join("keys");
        let made = deskwire(&["cluster", "keys", keys.to_str().unwrap()]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::write(keys.join("master"), [7; 32]).unwrap();
        let file = |name: &str| keys.join(name).display().to_string();
        let common = [
            ("CQL__REPLICATION", options.replication.clone()),
            ("CQL__MASTER_KEY_FILE", file("master")),
            ("LIMITS__KIND", "redis".to_owned()),
            ("LIMITS__MEMBERS", "3".to_owned()),
            ("REDIS__URL", redis.url()),
            ("SERVER__PUBLIC_URL", PUBLIC_URL.to_owned()),
            ("STREAM__DRAIN_SPREAD_MS", "200".to_owned()),
            ("TWILIO__BASE_URL", carrier.url()),
            ("OUTBOX__RETRY_MIN_MS", "200".to_owned()),
            ("OUTBOX__RETRY_MAX_MS", "1000".to_owned()),
            ("WEBHOOK__LINE_PER_S", "5000".to_owned()),
            ("CLUSTER__ENABLED", "true".to_owned()),
            ("CLUSTER__SECRET_FILE", file("secret")),
            ("CLUSTER__CA_FILE", file("ca.pem")),
            ("CLUSTER__CERTIFICATE_FILE", file("node.pem")),
            ("CLUSTER__KEY_FILE", file("node.key")),
            ("AUTH__KEYS_DIRECTORY", file("tokens")),
        ];
        let common = common.map(|(key, value)| (format!("DESKWIRE__{key}"), value));
        let store = cassandra::environment(options).into_iter().map(|(key, value)| (key.to_owned(), value));
        let common: Environment = store.chain(common).collect();
        Self { directory, nodes: Vec::new(), common, redis, carrier, network, clocks_agree: true }
    }

    fn add_all(&mut self, more: &[Environment]) {
        let address = |number| self.network.as_ref().map_or(Ipv4Addr::LOCALHOST, |_| Network::address(number));
        let gossip: Vec<_> = (0..more.len()).map(|number| SocketAddrV4::new(address(number), free_port())).collect();
        // By name where there is one, as in an operator's DNS.
        let seed = |address: &SocketAddrV4| match *address.ip() {
            Ipv4Addr::LOCALHOST => format!("\"localhost:{}\"", address.port()),
            _ => format!("\"{address}\""),
        };
        let seeds: Vec<String> = gossip.iter().map(seed).collect();
        self.common.push(("DESKWIRE__CLUSTER__SEEDS".to_owned(), format!("[{}]", seeds.join(","))));
        for (number, (gossip, more)) in gossip.into_iter().zip(more).enumerate() {
            self.add(number, gossip, more);
        }
    }

    fn add(&mut self, number: usize, gossip: SocketAddrV4, more: &Environment) {
        let directory = self.directory.path().join(format!("node-{number}"));
        fs::create_dir_all(&directory).unwrap();
        let relay = SocketAddrV4::new(*gossip.ip(), free_port());
        let mut environment = self.common.clone();
        environment.push(("DESKWIRE__CLUSTER__GOSSIP_LISTEN".to_owned(), gossip.to_string()));
        environment.push(("DESKWIRE__CLUSTER__RELAY_LISTEN".to_owned(), relay.to_string()));
        let server = self.serve(number, &directory, &[environment.clone(), more.clone()].concat());
        environment.push(("DESKWIRE__SERVER__LISTEN".to_owned(), server.address().to_string()));
        let data = directory.join("data");
        environment.push(("DESKWIRE__DATA__DIRECTORY".to_owned(), data.display().to_string()));
        let name = fs::read_to_string(data.join("node")).unwrap().trim().to_owned();
        let (url, server, token) = (server.url(), Some(server), String::new());
        self.nodes.push(Node { server, url, environment, name, token });
        let token = self.command(number, &["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"]);
        self.nodes[number].token = token;
    }

    /// Starts a node where it belongs.
    fn serve(&mut self, number: usize, directory: &Path, environment: &Environment) -> Server {
        let port = free_port();
        let mut place = Vec::new();
        if let Some(network) = &mut self.network {
            network.connect(number, port, &[cassandra::port(), self.redis.port(), self.carrier.addr().port()]);
            place = network.at(number);
        }
        let command = deskwire_by(&place, &["serve"]);
        let mut server = Server::spawn_by(command, directory, port, &pairs(environment));
        server.wait_until_ready();
        server
    }

    /// From now on, or no longer, everything between two nodes is lost, in this direction.
    pub fn cut(&self, from: usize, to: usize) {
        self.network().cut(from, to);
    }

    /// See [`Self::cut`].
    pub fn heal(&self, from: usize, to: usize) {
        self.network().heal(from, to);
    }

    fn network(&self) -> &Network {
        self.network.as_ref().expect("nodes that stand apart")
    }

    /// Sends a node a signal, such as `STOP`.
    pub fn signal(&self, node: usize, signal: &str) {
        self.nodes[node].server.as_ref().expect("it runs").signal(signal);
    }

    /// A node that has another secret, and knows where the first one is. It gossips from this port.
    pub fn stranger(&self, port: u16) -> Server {
        let directory = self.directory.path().join("stranger");
        fs::create_dir_all(&directory).unwrap();
        let secret = directory.join("secret");
        fs::write(&secret, "something that is long enough and not the secret").unwrap();
        let mut environment = self.common.clone();
        let own =
            [("GOSSIP_LISTEN", format!("127.0.0.1:{port}")), ("RELAY_LISTEN", format!("127.0.0.1:{}", free_port()))];
        environment.extend(own.map(|(key, value)| (format!("DESKWIRE__CLUSTER__{key}"), value)));
        environment.push(("DESKWIRE__CLUSTER__SECRET_FILE".to_owned(), secret.display().to_string()));
        Server::spawn_on(&directory, free_port(), &pairs(&environment))
    }

    async fn make_tenant(&self) {
        // As whoever is told to come back: three nodes that have just started, on a machine that is busy with other tests.
        let create = async || self.run(0, &["tenant", "create", "demo", "--business", "Demo"]).status.success();
        until_within(FURNISHED, "a tenant", create).await;
        let account = json!({"carrier_id": CARRIER_ID, "auth_token": AUTH_TOKEN});
        self.put("/v1/admin/accounts/demo-account", &account).await;
        let line = json!({"address": LINE_NUMBER, "account": "demo-account", "coverage": false, "cool_down_s": 600});
        self.put("/v1/admin/channels/demo-line", &line).await;
        let limits = json!({"number_per_s": NUMBER_PER_S, "account_per_s": ACCOUNT_PER_S});
        self.put("/v1/admin/channels/demo-line/limits", &limits).await;
        self.carrier.set_engine(&self.nodes[0].url, PUBLIC_URL);
    }

    /// The carrier's callbacks go to this node from now on.
    pub fn call_back(&self, node: usize) {
        self.carrier.set_engine(&self.nodes[node].url, PUBLIC_URL);
    }

    async fn put(&self, path: &str, body: &Value) {
        let node = &self.nodes[0];
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let take = async || {
            let request = client.put(format!("{}{path}", node.url)).bearer_auth(&node.token).json(body);
            let answer = request.send().await.unwrap();
            let status = answer.status();
            assert!(
                status.is_success() || status == StatusCode::SERVICE_UNAVAILABLE,
                "{path}: {}",
                answer.text().await.unwrap()
            );
            status.is_success()
        };
        until_within(FURNISHED, "it to be taken", take).await;
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

    /// What a node is called.
    pub fn name(&self, node: usize) -> &str {
        &self.nodes[node].name
    }

    /// How often somebody took the tenant.
    pub fn takeovers(&self) -> usize {
        self.events().iter().filter(|event| event["type"] == "feed.taken").count()
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

    /// The same, without waiting for it.
    pub fn begin_to_terminate(&mut self, node: usize) -> JoinHandle<ExitStatus> {
        let server = self.nodes[node].server.take().expect("it runs");
        std::thread::spawn(move || server.terminate())
    }

    /// Starts one that has ended, where it was.
    pub fn revive(&mut self, node: usize) {
        let Node { environment, url, .. } = &self.nodes[node];
        let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
        let directory = self.directory.path().join(format!("node-{node}"));
        let server = Server::start_on(&directory, port, &pairs(environment));
        self.nodes[node].server = Some(server);
    }

    /// Process and address of those that run.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let running = self.nodes.iter().filter_map(|node| Some((node.server.as_ref()?.id(), node.url.clone())));
        running.collect()
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
