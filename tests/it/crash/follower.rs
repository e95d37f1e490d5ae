//! A client of the stream who follows the inbox over every kill, coming back with (epoch, offset), and writes down
//! each publication and everything that the protocol does not allow.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use loadtest::carrier::Chance;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::wait::pace;

const INBOX: &str = "inbox:demo";
const AGAIN: Duration = Duration::from_millis(20);
/// How often, in frames, a client of unsteady connection hangs up by itself.
const HANGS_UP: f64 = 0.01;

/// What a client knows.
#[derive(Default)]
pub struct View {
    epoch: Option<String>,
    /// Its position; before the first event of `events`.
    began: u64,
    /// Publications' data, from `began + 1` on, dense.
    pub events: Vec<Value>,
    /// What must not happen.
    pub wrong: Vec<String>,
    /// How often it came back and was given what it missed.
    pub resumed: usize,
}

impl View {
    pub fn position(&self) -> u64 {
        self.began + self.events.len() as u64
    }

    pub fn began(&self) -> u64 {
        self.began
    }

    fn publication(&mut self, publication: &Value) {
        let expected = self.position() + 1;
        if publication["offset"] != expected || publication["data"]["offset"] != expected {
            self.wrong.push(format!("expected offset {expected}: {publication}"));
        }
        self.events.push(publication["data"].clone());
    }

    fn subscribed(&mut self, sub: &Value) {
        let (epoch, offset) = (sub["epoch"].as_str().unwrap_or_default().to_owned(), sub["offset"].as_u64());
        let offset = offset.unwrap_or_default();
        let Some(known) = &self.epoch else {
            (self.epoch, self.began) = (Some(epoch), offset);
            return;
        };
        if *known != epoch || sub["recovered"] != true {
            self.wrong.push(format!("not recovered from {}: epoch {epoch}, offset {offset}", self.position()));
        }
        for publication in sub["publications"].as_array().into_iter().flatten() {
            self.publication(publication);
        }
        if offset != self.position() {
            self.wrong.push(format!("the reply ends at {offset}, its publications at {}", self.position()));
        }
        self.resumed += 1;
    }

    fn frame(&mut self, frame: &Value) {
        if let Some(sub) = frame.pointer("/connect/subs").and_then(|subs| subs.get(INBOX)) {
            self.subscribed(sub);
        } else if frame.get("connect").is_some() {
            self.wrong.push(format!("a connect reply without the inbox: {frame}"));
        }
        if frame["push"]["channel"] == INBOX {
            match frame["push"].get("pub") {
                Some(publication) => self.publication(publication),
                None => self.wrong.push(format!("a push without a publication: {frame}")),
            }
        }
    }
}

/// Follows until told to stop.
pub struct Follower {
    pub view: Mutex<View>,
    steady: bool,
    chance: Chance,
}

impl Follower {
    pub fn new(steady: bool, seed: u64) -> Self {
        Self { view: Mutex::default(), steady, chance: Chance::new(seed) }
    }

    pub fn look<T>(&self, look: impl FnOnce(&mut View) -> T) -> T {
        look(&mut self.view.lock().unwrap())
    }

    /// Whether it has a first position.
    pub fn is_connected(&self) -> bool {
        self.look(|view| view.epoch.is_some())
    }

    /// The nodes in turn, the next when a connection ends.
    pub async fn follow(&self, nodes: &[String], token: &str, stop: &AtomicBool) {
        for node in nodes.iter().cycle() {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let _ended = self.connection(&format!("{}/v1/stream", node.replacen("http", "ws", 1)), token).await;
            pace(AGAIN).await;
        }
    }

    /// One connection to its end, whoever ends it.
    async fn connection(&self, url: &str, token: &str) -> Option<()> {
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.ok()?;
        let data = self.look(|view| match &view.epoch {
            Some(epoch) => json!({"inbox": {"epoch": epoch, "offset": view.position()}}),
            None => json!({}),
        });
        let connect = json!({"id": 1, "connect": {"token": token, "data": data}});
        socket.send(Message::text(connect.to_string())).await.ok()?;
        loop {
            let Message::Text(text) = socket.next().await?.ok()? else { continue };
            for line in text.lines().filter(|line| !line.is_empty()) {
                if line == "{}" {
                    socket.send(Message::text("{}")).await.ok()?;
                    continue;
                }
                let frame: Value = serde_json::from_str(line).ok()?;
                if frame["error"].is_object() {
                    let temporary = frame["error"]["temporary"] == true;
                    self.look(|view| {
                        if !temporary {
                            view.wrong.push(frame.to_string())
                        }
                    });
                    return None;
                }
                self.look(|view| view.frame(&frame));
            }
            if !self.steady && self.chance.hits(HANGS_UP) {
                return None;
            }
        }
    }
}
