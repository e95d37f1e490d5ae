//! Dashboards that only count: a WebSocket reader of a few lines, so that on two cores most of the CPU is the server's.
//!
//! Speaks to the engine, to raw sockets and to Centrifugo alike: what it sends first is the caller's.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};
use tokio_tungstenite::{client_async, tungstenite::client::IntoClientRequest as _};

use super::post::{DUE, DUE_DIGITS};

/// Handshakes at the same time.
const OPENING: usize = 64;
const OPEN_WITHIN: Duration = Duration::from_secs(120);
/// Connections from one source address: below what its ports allow.
const OF_ONE_ADDRESS: usize = 15_000;
/// At first; a longer message makes it grow.
const BUFFER: usize = 4_096;

/// What all dashboards of a bench share.
#[derive(Debug)]
pub struct Counts {
    /// Publications.
    pub pushes: AtomicU64,
    /// WebSocket messages that held them.
    pub messages: AtomicU64,
    /// Bytes of those, without their frames' heads.
    pub bytes: AtomicU64,
    /// Due times that were read, whenever they were due.
    pub marks: AtomicU64,
    /// Dashboards that were let in.
    pub live: AtomicU64,
    /// Nobody looks any more.
    over: AtomicBool,
    /// Latencies are of what was due from here …
    from_us: AtomicU64,
    /// … to here.
    until_us: AtomicU64,
    zero: Instant,
}

/// Counters at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Publications.
    pub pushes: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Who watches, and how.
#[derive(Clone)]
pub struct Watching {
    /// The server.
    pub address: SocketAddr,
    /// The path of its stream.
    pub path: &'static str,
    /// What each says first, in order of its place.
    pub hello: Arc<dyn Fn(usize) -> String + Send + Sync>,
    /// Answers before it is subscribed.
    pub answers: usize,
    /// One in so many reads due times; 0: nobody.
    pub timed_one_in: usize,
}

/// Dashboards at work.
pub struct Dashboards {
    /// What they count.
    pub counts: Arc<Counts>,
    tasks: Vec<JoinHandle<anyhow::Result<Histogram<u64>>>>,
}

impl Counts {
    fn new(zero: Instant) -> Self {
        let zeros = || AtomicU64::new(0);
        Self {
            pushes: zeros(),
            messages: zeros(),
            bytes: zeros(),
            marks: zeros(),
            live: zeros(),
            over: AtomicBool::new(false),
            from_us: zeros(),
            until_us: AtomicU64::new(u64::MAX),
            zero,
        }
    }

    /// Now.
    pub fn seen(&self) -> Seen {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Seen { pushes: get(&self.pushes), messages: get(&self.messages), bytes: get(&self.bytes) }
    }

    /// Latencies count of what is due between these two.
    pub fn count_between(&self, from: Instant, until: Instant) {
        let us = |at: Instant| u64::try_from(at.saturating_duration_since(self.zero).as_micros()).unwrap_or(u64::MAX);
        self.from_us.store(us(from), Ordering::Relaxed);
        self.until_us.store(us(until), Ordering::Relaxed);
    }
}

impl Dashboards {
    /// Connects so many; all are subscribed when this returns. Due times are counted from `zero`.
    pub async fn open(watching: Watching, count: usize, zero: Instant) -> anyhow::Result<Self> {
        let counts = Arc::new(Counts::new(zero));
        let turns = Arc::new(Semaphore::new(OPENING));
        let tasks: Vec<_> = (0..count)
            .map(|place| tokio::spawn(watch(watching.clone(), place, counts.clone(), turns.clone())))
            .collect();
        let since = Instant::now();
        while counts.live.load(Ordering::Relaxed) < count as u64 {
            ensure!(since.elapsed() < OPEN_WITHIN, "dashboards could not connect within {OPEN_WITHIN:?}");
            if let Some(ended) = tasks.iter().position(JoinHandle::is_finished) {
                for (place, task) in tasks.into_iter().enumerate() {
                    if place == ended {
                        task.await?.context("a dashboard")?;
                    }
                }
                anyhow::bail!("a dashboard ended before all were there");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { counts, tasks })
    }

    /// Waits until so many due times were read; `false`: not in time.
    pub async fn until(&self, marks: u64, within: Duration) -> bool {
        let since = Instant::now();
        while self.counts.marks.load(Ordering::Relaxed) < marks {
            if since.elapsed() > within {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Goes home: the latencies of all.
    pub async fn close(self) -> anyhow::Result<Histogram<u64>> {
        self.counts.over.store(true, Ordering::Relaxed);
        let mut all = Histogram::<u64>::new(3)?;
        for task in self.tasks {
            all.add(task.await?.context("a dashboard ended early")?)?;
        }
        Ok(all)
    }
}

async fn watch(
    watching: Watching,
    place: usize,
    counts: Arc<Counts>,
    turns: Arc<Semaphore>,
) -> anyhow::Result<Histogram<u64>> {
    let turn = turns.acquire().await?;
    let mut reader = Reader { stream: open(&watching, place).await?, buffer: Vec::with_capacity(BUFFER), lent: 0 };
    reader.say(&(watching.hello)(place)).await?;
    let mut answers = 0;
    while answers < watching.answers {
        let message = reader.message(&counts).await?.context("closed before it was let in")?;
        let text = String::from_utf8_lossy(message);
        ensure!(!text.contains("\"error\""), "refused: {text}");
        answers += text.lines().filter(|line| *line != "{}").count();
    }
    drop(turn);
    counts.live.fetch_add(1, Ordering::Relaxed);
    let timed = watching.timed_one_in > 0 && place.is_multiple_of(watching.timed_one_in);
    let mut latencies = Histogram::<u64>::new(3)?;
    loop {
        let Some(message) = reader.message(&counts).await? else {
            ensure!(counts.over.load(Ordering::Relaxed), "the server closed a connection");
            return Ok(latencies);
        };
        if message == b"{}" {
            reader.say("{}").await?;
            continue;
        }
        let lines = message.split(|byte| *byte == b'\n').filter(|line| line.len() > 2).count() as u64;
        if timed {
            time(message, &counts, &mut latencies)?;
        }
        counts.pushes.fetch_add(lines, Ordering::Relaxed);
        counts.messages.fetch_add(1, Ordering::Relaxed);
        counts.bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
    }
}

/// Every due time in a message.
fn time(message: &[u8], counts: &Counts, latencies: &mut Histogram<u64>) -> anyhow::Result<()> {
    let text = std::str::from_utf8(message)?;
    let now = u64::try_from(counts.zero.elapsed().as_micros())?;
    let (from, until) = (counts.from_us.load(Ordering::Relaxed), counts.until_us.load(Ordering::Relaxed));
    for (at, _) in text.match_indices(DUE) {
        let digits = text.get(at + DUE.len()..at + DUE.len() + DUE_DIGITS);
        let due: u64 = digits.and_then(|digits| digits.parse().ok()).context("a text without its due time")?;
        counts.marks.fetch_add(1, Ordering::Relaxed);
        if (from..until).contains(&due) {
            latencies.record(now.saturating_sub(due))?;
        }
    }
    Ok(())
}

/// A connection whose handshake is done. Its source address follows its place: one address has ports for some only.
async fn open(watching: &Watching, place: usize) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let source = u8::try_from(1 + place / OF_ONE_ADDRESS)?;
    socket.bind(SocketAddr::from(([127, 0, 0, source], 0)))?;
    let stream = socket.connect(watching.address).await?;
    stream.set_nodelay(true)?;
    let request = format!("ws://{}{}", watching.address, watching.path).into_client_request()?;
    // The server speaks only after we did: nothing of its stream is left in the library's buffer.
    let (socket, _) = client_async(request, stream).await?;
    Ok(socket.into_inner())
}

/// The client's half of RFC 6455, as far as a server of ours or Centrifugo's needs it: whole text messages.
struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the message that was handed out last.
    lent: usize,
}

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

impl Reader {
    /// Sends a text, masked with zeros: that leaves it as it is.
    async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.stream.write_all(&frame(TEXT, text.as_bytes(), true)).await.context("the connection")
    }

    /// The next text; none: the server closed, or nobody looks any more. What it lent is gone with the next call.
    async fn message(&mut self, counts: &Counts) -> anyhow::Result<Option<&[u8]>> {
        self.buffer.drain(..std::mem::take(&mut self.lent));
        loop {
            let Some((head, length)) = whole(&self.buffer) else {
                if !self.fill(counts).await? {
                    return Ok(None);
                }
                continue;
            };
            match self.buffer[0] {
                TEXT => {
                    self.lent = head + length;
                    return Ok(Some(&self.buffer[head..head + length]));
                }
                CLOSE => return Ok(None),
                PING => {
                    let pong = frame(0x8a, &self.buffer[head..head + length], true);
                    self.stream.write_all(&pong).await?;
                    self.buffer.drain(..head + length);
                }
                other => anyhow::bail!("a frame of kind {other:#x}"),
            }
        }
    }

    async fn fill(&mut self, counts: &Counts) -> anyhow::Result<bool> {
        loop {
            let read = tokio::time::timeout(Duration::from_millis(500), self.stream.read_buf(&mut self.buffer)).await;
            match read {
                Ok(Ok(count)) => return Ok(count > 0),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) if counts.over.load(Ordering::Relaxed) => return Ok(false),
                Err(_) => {}
            }
        }
    }
}

/// Length of the head and of the payload, if the buffer begins with a whole frame.
fn whole(buffer: &[u8]) -> Option<(usize, usize)> {
    let (head, length) = match *buffer.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes([*buffer.get(2)?, *buffer.get(3)?]))),
        127 => (10, usize::try_from(u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    (buffer.len() >= head + length).then_some((head, length))
}

/// A frame; `masked` as clients must.
pub fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let bit = if masked { 0x80 } else { 0 };
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(first);
    match u16::try_from(payload.len()) {
        Ok(length @ 0..126) => frame.push(bit | u8::try_from(length).unwrap_or(0)),
        Ok(length) => {
            frame.push(bit | 126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            frame.push(bit | 127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    if masked {
        frame.extend_from_slice(&[0; 4]);
    }
    frame.extend_from_slice(payload);
    frame
}

/// A whole text frame as a server sends it.
pub fn server_frame(payload: &[u8]) -> Vec<u8> {
    frame(TEXT, payload, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_are_read_as_they_were_made() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let payload = vec![b'x'; length];
            let bytes = server_frame(&payload);
            let (head, found) = whole(&bytes).unwrap();
            assert_eq!((&bytes[head..head + found], bytes.len()), (payload.as_slice(), head + length));
            assert_eq!(whole(&bytes[..bytes.len() - 1]), None, "{length}: not whole yet");
        }
    }

    #[test]
    fn only_what_was_due_in_the_counted_time_is_timed() {
        let zero = Instant::now();
        let counts = Counts::new(zero);
        counts.count_between(zero + Duration::from_secs(2), zero + Duration::from_secs(3));
        let message = b"{\"text\":\"a due=0000000001999999\"}\n{\"text\":\"b due=0000000002000000\"}\n{\"text\":\"c\"}";
        let mut latencies = Histogram::<u64>::new(3).unwrap();
        time(message, &counts, &mut latencies).unwrap();
        assert_eq!(latencies.len(), 1);
        assert!(time(b"due=soon", &counts, &mut latencies).is_err());
    }
}
