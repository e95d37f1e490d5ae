//! The real binary as a process: started in a directory of its own, on a free port, ended with its test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

use super::wait::wait_for;

/// Lines of a process's log that are kept, to be shown when a test fails.
const LOG_LINES: usize = 2_000;

/// Of the two lengths of a test: that of `make test`, or that of `make prove`.
pub fn short_or_long<T>((short, long): (T, T)) -> T {
    if std::env::var_os("DESKWIRE_PROVE").is_some() { long } else { short }
}

/// A command of the binary with nothing of this machine's environment but `PATH`.
pub fn deskwire(arguments: &[&str]) -> Command {
    deskwire_by(&[], arguments)
}

/// As [`deskwire`], with the words of a command before it that runs it somewhere.
pub fn deskwire_by(words: &[String], arguments: &[&str]) -> Command {
    let mut line = words.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_deskwire")]);
    let mut command = bare(line.next().expect("the binary at least"));
    command.args(line).args(arguments);
    command
}

/// A program with nothing of this machine's environment but `PATH`.
pub fn bare(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Runs a command of the binary to its end.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = deskwire(arguments);
    command.envs(environment.iter().copied()).stdin(Stdio::null());
    command.output().expect("the binary starts")
}

/// A port that nobody listens on, below the range the kernel gives to outgoing connections: what `bind(0)` gives may be
/// some other test's connection a moment later.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id() % PORTS;
    for _ in 0..PORTS {
        let port = PORTS_FROM + (first + TAKEN.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = u16::try_from(port).expect("the range is one of ports");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port from {PORTS_FROM} on is free");
}

/// First port that tests listen on.
const PORTS_FROM: u32 = 20_000;
/// How many they choose from.
const PORTS: u32 = 12_000;

/// `deskwire serve` on a directory. Killed when dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts on a fresh directory and waits until it is ready.
    pub fn start(environment: &[(&str, &str)]) -> (Self, TempDir) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        (Self::start_in(directory.path(), environment), directory)
    }

    /// Starts on `directory` and waits until it is ready.
    pub fn start_in(directory: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_on(directory, free_port(), environment)
    }

    /// Starts on `directory` and a port of the test's own, for restarts that clients must find again.
    pub fn start_on(directory: &Path, port: u16, environment: &[(&str, &str)]) -> Self {
        let mut server = Self::spawn_on(directory, port, environment);
        server.wait_until_ready();
        server
    }

    /// Starts on `directory` and `port` and waits for nothing.
    pub fn spawn_on(directory: &Path, port: u16, environment: &[(&str, &str)]) -> Self {
        Self::spawn_by(deskwire(&["serve"]), directory, port, environment)
    }

    /// As [`Self::spawn_on`], by a command that becomes `deskwire serve`.
    pub fn spawn_by(mut command: Command, directory: &Path, port: u16, environment: &[(&str, &str)]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        command
            .env("DESKWIRE__SERVER__LISTEN", address.to_string())
            .env("DESKWIRE__SERVER__PUBLIC_URL", format!("http://{address}"))
            .env("DESKWIRE__DATA__DIRECTORY", directory.join("data"))
            .envs(environment.iter().copied())
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let log = follow(child.stderr.take().expect("stderr is piped"));
        Self { child, address, log }
    }

    /// Waits until it answers that it is ready.
    pub fn wait_until_ready(&mut self) {
        wait_for("the server to be ready", || {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            get(self.address, "/readyz").filter(|(status, _)| *status == 200)
        });
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://…`, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The process id, for signals.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{signal}");
    }

    /// kill -9, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("our own child");
        self.child.wait().expect("our own child");
    }

    /// SIGTERM, and waits until it has drained.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        wait_for("the server to drain", || self.child.try_wait().expect("our own child"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- log of the server ---\n{}", self.log());
        }
    }
}

fn follow(stderr: impl Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = log.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == LOG_LINES {
                kept.remove(0);
            }
            kept.push(line);
        }
    });
    log
}

/// A plain GET: status and body. `None`: nobody answers.
pub fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut socket = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// The load harness, which lives beside the binary.
pub fn loadtest_binary() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_deskwire")).with_file_name("loadtest");
    assert!(path.exists(), "{} is missing: run `cargo build -p loadtest` (make test does)", path.display());
    path
}
