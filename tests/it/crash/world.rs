//! The engine's real process on one directory and port, killed and started again, and the carrier that outlives it.

use std::{net::TcpListener, path::PathBuf, process::Output, time::Duration};

use figment::{
    Figment,
    providers::{Format as _, Serialized, Toml},
};
use loadtest::carrier::{CarrierConfig, CarrierHandle, CarrierServer, Chance, Faults, Latency, Line, Spread};
use loadtest::meter::Limits;
use serde_json::json;
use tempfile::TempDir;

use crate::support::process::{Server, deskwire};

/// Segments a second of the demo's line: ten times a long code's, so that a run is short.
pub const NUMBER_PER_S: u32 = 10;
/// Of arrivals: a busy machine delays a request on its way, and the next one then seems early. When texts were let go is
/// judged exactly; this is for stamps that do not say the truth.
const TOLERANCE_MS: u64 = 900;
/// Below the range that outgoing connections take their ports from: nobody takes one while its server is down.
const PORTS: (usize, usize) = (20_000, 30_000);

/// What stays when a process is killed.
pub struct World {
    pub carrier: CarrierHandle,
    pub url: String,
    /// Of an operator who may see everything.
    pub token: String,
    directory: TempDir,
    port: u16,
    carrier_url: String,
    /// What its process is told beside the usual.
    beside: Vec<(String, String)>,
}

fn port(chance: &Chance) -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let candidates = std::iter::repeat_with(|| u16::try_from(PORTS.0 + chance.below(PORTS.1 - PORTS.0)).unwrap());
    candidates.take(100).find(free).expect("a free port")
}

fn environment<'e>(carrier_url: &'e str, beside: &'e [(String, String)]) -> Vec<(&'e str, &'e str)> {
    let usual = [
        ("DESKWIRE__DEMO__ENABLED", "true"),
        ("DESKWIRE__DEMO__CARRIER_URL", carrier_url),
        ("DESKWIRE__OUTBOX__RETRY_MIN_MS", "200"),
        ("DESKWIRE__OUTBOX__RETRY_MAX_MS", "1000"),
        ("DESKWIRE__OUTBOX__UNKNOWN_HOLD_S", "2"),
        ("DESKWIRE__STREAM__DRAIN_SPREAD_MS", "200"),
        // Small segments: kills also meet the mover.
        ("DESKWIRE__STORE__SEGMENT_BYTES", "1048576"),
    ];
    usual.into_iter().chain(beside.iter().map(|(name, value)| (&**name, &**value))).collect()
}

/// What goes wrong all the time. Nothing of it makes the engine send a text again that the carrier took.
pub fn faults() -> Faults {
    Faults {
        too_many: 0.05,
        lose_response: 0.05,
        repeat_callback: 0.2,
        reorder_callback: 0.2,
        stall_ms: 3_000,
        ..Faults::default()
    }
}

fn latency() -> Latency {
    let spread = |p50_ms: f64, p99_ms: f64| Spread { p50_ms, p99_ms };
    Latency { answer: spread(40.0, 300.0), sent: spread(100.0, 500.0), delivered: spread(100.0, 500.0) }
}

impl World {
    /// The first start on a fresh directory, and the carrier of the line that it made.
    pub async fn start(chance: &Chance) -> (Self, Server) {
        Self::start_with(chance, Vec::new()).await
    }

    /// As [`Self::start`], with more in the process's environment.
    pub async fn start_with(chance: &Chance, beside: Vec<(String, String)>) -> (Self, Server) {
        let limits = Limits { number_per_s: Some(NUMBER_PER_S), ..Limits::default() };
        Self::start_limited(chance, beside, &limits).await
    }

    /// As [`Self::start_with`], under limits of the test's own.
    pub async fn start_limited(chance: &Chance, beside: Vec<(String, String)>, limits: &Limits) -> (Self, Server) {
        let directory = tempfile::tempdir().unwrap();
        let (engine_port, carrier_port) = (port(chance), port(chance));
        let carrier_url = format!("http://127.0.0.1:{carrier_port}");
        let server = Server::start_on(directory.path(), engine_port, &environment(&carrier_url, &beside));
        let config: CarrierConfig = Figment::from(Serialized::defaults(CarrierConfig::default()))
            .merge(Toml::file_exact(directory.path().join("data/demo-carrier.toml")))
            .extract()
            .unwrap();
        let lines = config.lines.into_iter().map(|line| Line { limits: limits.clone(), ..line }).collect();
        let config = CarrierConfig {
            listen: ([127, 0, 0, 1], carrier_port).into(),
            lines,
            latency: latency(),
            faults: faults(),
            tolerance_ms: TOLERANCE_MS,
            webhook_retries: 12,
            webhook_retry_ms: 25,
            call_speed: 1_000.0,
            ..config
        };
        let carrier = CarrierServer::start(config).await.unwrap();
        let url = server.url();
        let mut world = Self { carrier, url, token: String::new(), directory, port: engine_port, carrier_url, beside };
        world.token = world.command(&["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"]);
        world.raise_limit(limits).await;
        (world, server)
    }

    async fn raise_limit(&self, limits: &Limits) {
        let url = format!("{}/v1/admin/channels/demo-line/limits", self.url);
        let mut limits = json!({"number_per_s": limits.number_per_s, "account_per_s": limits.account_per_s});
        limits.as_object_mut().unwrap().retain(|_, limit| !limit.is_null());
        let answer = self.client().put(url).bearer_auth(&self.token).json(&limits).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Starts again on the same directory and port, without waiting.
    pub fn spawn(&self) -> Server {
        Server::spawn_on(self.directory.path(), self.port, &environment(&self.carrier_url, &self.beside))
    }

    /// Where the engine keeps everything.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Runs a command on the data directory; its output, trimmed.
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = self.attempt(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "deskwire {arguments:?}: {}\n{error}", output.status);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a command on the data directory, whatever comes of it.
    pub fn attempt(&self, arguments: &[&str]) -> Output {
        let environment = [("DESKWIRE__DATA__DIRECTORY", self.data())];
        let listen = self.url.trim_start_matches("http://");
        let beside = self.beside.iter().map(|(name, value)| (name, value));
        deskwire(arguments).envs(environment).envs(beside).env("DESKWIRE__SERVER__LISTEN", listen).output().unwrap()
    }

    /// A client with connections of its own.
    pub fn client(&self) -> reqwest::Client {
        reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
    }
}
