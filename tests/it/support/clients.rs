//! The protocol's own clients, unmodified, each in a process of its own that is told what to do and tells what happens.
//! `scripts/setup-clients.sh` installs them.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A tenant's feed.
pub const INBOX: &str = "inbox:demo";
/// Longest wait for anything a client reports: ten thousand events in a debug build, beside other tests.
const DEADLINE: Duration = Duration::from_secs(60);

/// Which client.
#[derive(Debug, Clone, Copy)]
pub enum Language {
    /// npm `centrifuge`.
    JavaScript,
    /// PyPI `centrifuge-python`.
    Python,
}

/// A client in a process of its own.
pub struct Driver {
    child: Child,
    orders: ChildStdin,
    events: mpsc::Receiver<Value>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn installed(path: &str) -> PathBuf {
    let path = root().join(".cache/clients").join(path);
    assert!(path.exists(), "{} is missing: run scripts/setup-clients.sh", path.display());
    path
}

fn command(language: Language) -> Command {
    match language {
        Language::JavaScript => {
            let mut command = Command::new("node");
            command.arg(root().join("tests/clients/js/driver.mjs")).arg(installed("js"));
            command
        }
        Language::Python => {
            let mut command = Command::new(installed("python/venv/bin/python"));
            command.arg(root().join("tests/clients/python/driver.py"));
            command
        }
    }
}

impl Driver {
    fn start(language: Language, options: &Value) -> Self {
        let mut child = command(language)
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client's interpreter is installed");
        let orders = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, events) = mpsc::channel(100_000);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| json!({"event": "noise", "line": line}));
                if sender.blocking_send(event).is_err() {
                    return;
                }
            }
        });
        Self { child, orders, events }
    }

    /// Connects, and says what happens from then on.
    pub async fn connect(language: Language, options: Value) -> Self {
        let mut driver = Self::start(language, &options);
        driver.wait("ready").await;
        driver.order(json!({"do": "connect"}));
        driver
    }

    /// Does something.
    pub fn order(&mut self, order: Value) {
        writeln!(self.orders, "{order}").unwrap();
    }

    /// What happens next.
    pub async fn next(&mut self) -> Value {
        let event = tokio::time::timeout(DEADLINE, self.events.recv()).await.expect("the client reports in time");
        event.expect("the client lives")
    }

    /// Passes over everything up to an event of this kind.
    pub async fn wait(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await;
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// Passes over everything up to its subscription to a channel.
    pub async fn subscribed(&mut self, channel: &str) -> Value {
        loop {
            let event = self.wait("subscribed").await;
            if event["channel"] == channel {
                return event;
            }
        }
    }

    /// Offsets of publications on a channel, up to and including `last`, whatever else happens.
    pub async fn offsets(&mut self, channel: &str, last: u64) -> Vec<u64> {
        let mut offsets = Vec::new();
        while offsets.last() != Some(&last) {
            let event = self.wait("publication").await;
            if event["channel"] == channel {
                offsets.push(event["offset"].as_u64().unwrap());
            }
        }
        offsets
    }

    /// Asks for something that is answered.
    pub async fn reply(&mut self, order: Value) -> Value {
        self.order(order);
        self.wait("reply").await
    }
}
