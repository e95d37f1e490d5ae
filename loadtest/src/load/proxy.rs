//! Stands between the engine and the operators and, once in so many pushes, does what an engine must never do: drops,
//! repeats, swaps, or leaks another tenant's. It is how the verdict itself is proved.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    str::FromStr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    accept_async, client_async_with_config,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A frame never comes.
    Drop,
    /// A frame comes twice.
    Repeat,
    /// Two frames change places.
    Swap,
    /// A frame of another tenant comes too.
    Leak,
    /// An event of another tenant comes in place of one's own, under its offset.
    Disguise,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Drop, Self::Repeat, Self::Swap, Self::Leak, Self::Disguise];
}

/// A fault and how often it comes: `drop:1000000` is one push in a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// One frame in so many.
    pub one_in: u64,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, one_in) = text.split_once(':').unwrap_or((text, "1000000"));
        let kind = match name {
            "drop" => Kind::Drop,
            "repeat" => Kind::Repeat,
            "swap" => Kind::Swap,
            "leak" => Kind::Leak,
            "disguise" => Kind::Disguise,
            _ => return Err(format!("{name} is none of drop, repeat, swap, leak, disguise")),
        };
        let one_in = one_in.parse().ok().filter(|one_in| *one_in > 0);
        Ok(Self { kind, one_in: one_in.ok_or("the number after the colon must be 1 or more")? })
    }
}

/// A running proxy.
pub struct Proxy {
    /// Where operators connect.
    pub address: SocketAddr,
    inner: Arc<Inner>,
    serving: tokio::task::JoinHandle<()>,
}

struct Inner {
    engine: SocketAddr,
    fault: Fault,
    dice: Mutex<StdRng>,
    planted: AtomicU64,
    /// The newest push of each inbox: what is leaked to others.
    newest: Mutex<BTreeMap<String, String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Before an engine.
    pub async fn start(engine: SocketAddr, fault: Fault, seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let dice = Mutex::new(StdRng::seed_from_u64(seed));
        let inner = Arc::new(Inner { engine, fault, dice, planted: AtomicU64::new(0), newest: Mutex::default() });
        let shared = inner.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                // Either side ends it.
                tokio::spawn(async move { drop(shared.pass(stream).await) });
            }
        });
        Ok(Self { address, inner, serving })
    }

    /// Faults so far.
    pub fn planted(&self) -> u64 {
        self.inner.planted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Inner {
    async fn pass(&self, client: TcpStream) -> Result<(), Error> {
        client.set_nodelay(true)?;
        let client = accept_async(client).await?;
        let stream = TcpStream::connect(self.engine).await?;
        stream.set_nodelay(true)?;
        let request = format!("ws://{}/v1/stream", self.engine).into_client_request()?;
        let (engine, _) = client_async_with_config(request, stream, None).await?;
        let (mut to_client, from_client) = client.split();
        let (mut to_engine, from_engine) = engine.split();
        let up = async {
            let mut from_client = from_client;
            while let Some(message) = from_client.next().await {
                to_engine.send(message?).await?;
            }
            Ok::<(), Error>(())
        };
        let down = self.down(from_engine, &mut to_client);
        tokio::select! {
            ended = up => ended,
            ended = down => ended,
        }
    }

    async fn down(
        &self,
        mut from_engine: impl Stream<Item = Result<Message, Error>> + Unpin,
        to_client: &mut (impl Sink<Message, Error = Error> + Unpin),
    ) -> Result<(), Error> {
        let mut held: Option<Message> = None;
        while let Some(message) = from_engine.next().await {
            let message = message?;
            let messages = match pushes_of(&message) {
                None => vec![message],
                Some(_) if held.is_some() => vec![message],
                Some(inbox) => match self.done_to(&message, &inbox) {
                    Some(messages) => messages,
                    None => {
                        held = Some(message);
                        continue;
                    }
                },
            };
            let is_push = messages.iter().any(|message| pushes_of(message).is_some());
            for message in messages {
                to_client.send(message).await?;
            }
            if is_push && let Some(held) = held.take() {
                to_client.send(held).await?;
            }
        }
        Ok(())
    }

    fn of_another(&self, inbox: &str) -> Option<String> {
        let newest = lock(&self.newest);
        let mut others = newest.iter().filter(|(of, _)| *of != inbox);
        let place = lock(&self.dice).random_range(0..newest.len().max(1));
        others.nth(place).or_else(|| newest.iter().find(|(of, _)| *of != inbox)).map(|(_, text)| text.clone())
    }

    /// What becomes of a push; none: it is held back until after the next one.
    fn done_to(&self, message: &Message, inbox: &str) -> Option<Vec<Message>> {
        let text = message.to_text().unwrap_or_default().to_owned();
        let other = self.of_another(inbox);
        lock(&self.newest).insert(inbox.to_owned(), text.clone());
        if lock(&self.dice).random_range(0..self.fault.one_in) > 0 {
            return Some(vec![message.clone()]);
        }
        let messages = match (self.fault.kind, other) {
            (Kind::Drop, _) => vec![],
            (Kind::Repeat, _) => vec![message.clone(), message.clone()],
            (Kind::Swap, _) => {
                self.planted.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            (Kind::Leak, Some(foreign)) => vec![Message::text(foreign), message.clone()],
            (Kind::Disguise, Some(foreign)) => match disguised(&text, &foreign) {
                Some(disguised) => vec![Message::text(disguised)],
                None => return Some(vec![message.clone()]),
            },
            // There is no other tenant's yet.
            (Kind::Leak | Kind::Disguise, None) => return Some(vec![message.clone()]),
        };
        self.planted.fetch_add(1, Ordering::Relaxed);
        Some(messages)
    }
}

/// The inbox that a message pushes to; none: it is a reply, a ping or a close.
fn pushes_of(message: &Message) -> Option<String> {
    let text = message.to_text().ok().filter(|text| text.starts_with("{\"push\""))?;
    let rest = text.split_once("\"inbox:")?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Our first line with the data of a foreign one.
fn disguised(own: &str, foreign: &str) -> Option<String> {
    let (first, rest) = own.split_once('\n').map_or((own, None), |(first, rest)| (first, Some(rest)));
    let mut line: serde_json::Value = serde_json::from_str(first).ok()?;
    let other: serde_json::Value = serde_json::from_str(foreign.lines().next()?).ok()?;
    let data = other["push"]["pub"]["data"].clone();
    if line["push"]["pub"]["data"] == data {
        return None;
    }
    line["push"]["pub"]["data"] = data;
    let offset = line["push"]["pub"]["offset"].clone();
    if line["push"]["pub"]["data"]["offset"].is_u64() {
        line["push"]["pub"]["data"]["offset"] = offset;
    }
    Some(rest.map_or_else(|| line.to_string(), |rest| format!("{line}\n{rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_its_name() {
        assert_eq!("drop:10".parse(), Ok(Fault { kind: Kind::Drop, one_in: 10 }));
        assert_eq!("leak".parse(), Ok(Fault { kind: Kind::Leak, one_in: 1_000_000 }));
        assert!("drop:0".parse::<Fault>().is_err() && "lose".parse::<Fault>().is_err());
    }

    #[test]
    fn a_disguise_keeps_channel_and_offset() {
        let own = r#"{"push":{"channel":"inbox:a","pub":{"data":{"offset":7,"type":"x"},"offset":7}}}"#;
        let foreign = r#"{"push":{"channel":"inbox:b","pub":{"data":{"offset":3,"type":"y"},"offset":3}}}"#;
        let disguised: serde_json::Value = serde_json::from_str(&disguised(own, foreign).unwrap()).unwrap();
        assert_eq!(disguised["push"]["channel"], "inbox:a");
        assert_eq!(disguised["push"]["pub"], serde_json::json!({"data": {"offset": 7, "type": "y"}, "offset": 7}));
    }
}
