//! The engine under test: its binary, started on a directory of its own, killed, started again, drained, and asked to
//! check itself. Or one that runs already, of which only its addresses are known.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use super::scenario::toml_value::Scalar;

/// A start, and a drain.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Tokens outlive every soak: 30 days.
const TOKEN_TTL_S: &str = "2592000";
/// Below the range that outgoing connections take their ports from.
const PORTS_FROM: u32 = 20_000;
const PORTS: u32 = 12_000;

/// The binary and where it works.
pub struct Engine {
    binary: PathBuf,
    directory: PathBuf,
    address: SocketAddr,
    /// In signed URLs.
    public_url: String,
    environment: Vec<(String, String)>,
    /// Of the serving process alone.
    surroundings: Vec<(String, String)>,
    child: Mutex<Option<Child>>,
    /// What mints tokens, if not the binary.
    token_command: Option<String>,
}

/// A port that nobody listens on.
pub fn free_port(dice: u32) -> anyhow::Result<u16> {
    let ports = (0..PORTS).map(|next| PORTS_FROM + (dice % PORTS + next) % PORTS);
    let mut ports = ports.filter_map(|port| u16::try_from(port).ok());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no port is free")
}

impl Engine {
    /// Of our own, on a directory, not started yet.
    pub fn own(binary: &Path, directory: &Path, port: u16, carrier_url: &str) -> anyhow::Result<Self> {
        let binary = binary.canonicalize().with_context(|| format!("the engine {}", binary.display()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let public_url = format!("http://{address}");
        let key = |key: &str, value: &str| (format!("DESKWIRE__{key}"), value.to_owned());
        let environment = vec![
            key("SERVER__LISTEN", &address.to_string()),
            key("SERVER__PUBLIC_URL", &public_url),
            key("DATA__DIRECTORY", &directory.join("data").to_string_lossy()),
            key("TWILIO__BASE_URL", carrier_url),
            key("TELEMETRY__FILTER", "warn"),
            // All dashboards and replies of a tenant are one operator's, and one admin makes all tenants.
            key("STREAM__OPERATOR_CONNECTIONS_MAX", "10000"),
            key("STREAM__OPERATOR_COMMANDS_PER_S", "100000"),
            key("API__REQUESTS_PER_S", "100000"),
            key("API__REQUESTS_BURST", "100000"),
            // The end of a run is not what is measured.
            key("STREAM__DRAIN_SPREAD_MS", "200"),
        ];
        let directory = directory.to_owned();
        let child = Mutex::default();
        Ok(Self {
            binary,
            directory,
            address,
            public_url,
            environment,
            surroundings: Vec::new(),
            child,
            token_command: None,
        })
    }

    /// One that runs already. Tokens come from a command that takes the arguments of `deskwire token`.
    pub fn running(address: SocketAddr, public_url: &str, token_command: &str) -> Self {
        Self {
            binary: PathBuf::new(),
            directory: PathBuf::new(),
            address,
            public_url: public_url.trim_end_matches('/').to_owned(),
            environment: Vec::new(),
            surroundings: Vec::new(),
            child: Mutex::default(),
            token_command: Some(token_command.to_owned()),
        }
    }

    /// Keys of its configuration, for the next start.
    pub fn configure<'k>(&mut self, keys: impl IntoIterator<Item = (&'k String, &'k Scalar)>) {
        for (key, value) in keys {
            let name = format!("DESKWIRE__{}", key.replace('.', "__").to_uppercase());
            self.environment.push((name, value.to_string()));
        }
    }

    /// Variables of its process, for the next start; the commands that read what it leaves go without.
    pub fn surround<'k>(&mut self, variables: impl IntoIterator<Item = (&'k String, &'k String)>) {
        self.surroundings.extend(variables.into_iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of its URLs as they are signed.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Whether it is ours to start and to stop.
    pub fn is_own(&self) -> bool {
        self.token_command.is_none()
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        command
    }

    /// Starts it, and waits until it answers that it is ready.
    pub async fn start(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = self.command(&["serve"]);
        command.envs(self.surroundings.iter().cloned());
        let child = command.stdout(Stdio::null()).stderr(log).spawn().context("the engine does not start")?;
        *self.child() = Some(child);
        let since = Instant::now();
        while !self.is_ready().await {
            if let Some(status) = self.ended()? {
                bail!("the engine ended with {status}:\n{}", self.log_end());
            }
            ensure!(since.elapsed() < PATIENCE, "the engine is not ready after {PATIENCE:?}:\n{}", self.log_end());
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Whether it answers 200 to `/readyz`.
    pub async fn is_ready(&self) -> bool {
        let mut connection = super::http::Connection::new(self.address);
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        connection.exchange(request.as_bytes()).await.is_ok_and(|answer| answer.status == 200)
    }

    /// If it ended by itself, how.
    pub fn ended(&self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(match &mut *self.child() {
            Some(child) => child.try_wait()?,
            None => None,
        })
    }

    /// kill -9, and waits until it is gone.
    pub async fn kill(&self) -> anyhow::Result<()> {
        if let Some(child) = &mut *self.child() {
            child.kill()?;
        }
        self.wait().await.map(drop)
    }

    /// SIGTERM, and waits until it has drained.
    pub async fn terminate(&self) -> anyhow::Result<ExitStatus> {
        let pid = self.pid().context("the engine does not run")?;
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().context("kill")?;
        ensure!(sent.success(), "kill -TERM {pid}: {sent}");
        self.wait().await
    }

    async fn wait(&self) -> anyhow::Result<ExitStatus> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                *self.child() = None;
                return Ok(status);
            }
            ensure!(since.elapsed() < PATIENCE, "the engine does not end within {PATIENCE:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A token for a tenant and role. The operator is `load-<role>`.
    pub async fn token(&self, tenant: &str, role: &str) -> anyhow::Result<String> {
        let operator = format!("load-{role}");
        let arguments = ["--tenant", tenant, "--operator", &operator, "--role", role, "--ttl", TOKEN_TTL_S];
        let mut command = match &self.token_command {
            None => {
                let mut command = self.command(&["token"]);
                command.args(arguments);
                command
            }
            Some(given) => {
                let mut words = given.split_whitespace();
                let mut command = Command::new(words.next().context("the token command is empty")?);
                command.args(words).args(arguments).stdin(Stdio::null());
                command
            }
        };
        let output = tokio::task::spawn_blocking(move || command.output()).await?.context("the token command")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "no token for tenant {tenant}: {}", error.trim());
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// `deskwire verify` on the directory of a stopped engine: its findings, or what it says.
    pub async fn verify(&self) -> anyhow::Result<Result<String, String>> {
        let mut command = self.command(&["verify"]);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Ok(if output.status.success() { Ok(said) } else { Err(error) })
    }

    /// Reads tenants' logs, one line after the other, as an admin sees them, from the directory of a stopped engine. All in
    /// one process: to open a store takes as long as there is much in it. Of several, a line that names the tenant
    /// comes before each one's events: see [`heading`].
    pub async fn inspect<T: Send + 'static>(
        &self,
        tenants: &[&str],
        mut state: T,
        mut line: impl FnMut(&mut T, &str) + Send + 'static,
    ) -> anyhow::Result<T> {
        let mut command = self.command(&["inspect", "--personal"]);
        command.args(tenants.iter().flat_map(|tenant| ["--tenant", tenant]));
        let log = File::options().append(true).open(self.log())?;
        let read = move || -> anyhow::Result<T> {
            let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
            let output = child.stdout.take().context("its output is piped")?;
            for read in BufReader::new(output).lines() {
                line(&mut state, &read?);
            }
            let status = child.wait()?;
            ensure!(status.success(), "inspect ends with {status}");
            Ok(state)
        };
        tokio::task::spawn_blocking(read).await?.context("deskwire inspect")
    }

    /// Where it writes its log.
    pub fn log(&self) -> PathBuf {
        self.directory.join("engine.log")
    }

    /// The end of its log.
    pub fn log_end(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(10).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

/// The tenant whose events follow a line of [`Engine::inspect`]; none: it is an event.
pub fn heading(line: &str) -> Option<&str> {
    line.strip_prefix(r#"{"tenant":""#)?.strip_suffix(r#""}"#)
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(child) = &mut *self.child() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
