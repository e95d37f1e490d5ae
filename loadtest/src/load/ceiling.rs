//! What the generator itself can do on this machine: signed texts to a server that answers 200 at once and does nothing
//! else. Figures near it are the generator's, not the engine's.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{book::Book, corpus::Corpus, figures::to_f64, figures::to_ms, http::Connection, texts, world::Tenant};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// How hard to try.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Options {
    /// Connections, each with one text under way.
    #[arg(long, default_value_t = 64)]
    pub connections: u16,
    /// For how long.
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ceiling {
    /// Texts a second, beside the null server on the same machine.
    pub per_s: f64,
    /// Milliseconds from request to answer.
    pub p50_ms: f64,
    /// Milliseconds from request to answer.
    pub p99_ms: f64,
    /// Connections.
    pub connections: u16,
}

/// Answers 200 to whatever comes, on a thread of its own, until the process ends or the guard is dropped.
pub struct NullServer {
    /// Where.
    pub address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl NullServer {
    /// Starts one on any free port.
    pub fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                tokio::select! {
                    served = serve(listener) => served,
                    _ = stopped => Ok(()),
                }
            })
        };
        std::thread::Builder::new().name("null-server".to_owned()).spawn(serving).context("a thread")?;
        Ok(Self { address, stop: Some(stop) })
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
    }
}

async fn serve(listener: std::net::TcpListener) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // Whoever breaks off has its answer.
        tokio::spawn(async move { drop(answer(stream).await) });
    }
}

/// One request at a time: its head, its body, 200.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(8_192);
    while stream.read_buf(&mut buffer).await? > 0 {
        while let Some(length) = request_length(&buffer) {
            if buffer.len() < length {
                break;
            }
            buffer.drain(..length);
            stream.write_all(ANSWER).await?;
        }
    }
    Ok(())
}

/// Head and body, once the head is there.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some(head + 4 + length.unwrap_or(0))
}

/// A business that exists nowhere.
fn nobody() -> Tenant {
    Tenant {
        book: Arc::new(Book::new(0, 0, "nobody".to_owned())),
        line: "nobody-line".to_owned(),
        number: "+12122000000".to_owned(),
        account_sid: format!("AC{:032x}", 0),
        auth_token: "nobody".to_owned(),
        operator: String::new(),
        viewer: String::new(),
        epoch: String::new(),
    }
}

/// Measures it: the same work for each text as in a run, as fast as it goes.
pub async fn measure(options: Options, corpus: Arc<Corpus>) -> anyhow::Result<Ceiling> {
    let server = NullServer::start()?;
    let (tenant, done) = (Arc::new(nobody()), Arc::new(AtomicU64::new(0)));
    let end = Instant::now() + Duration::from_secs_f64(options.seconds);
    let since = Instant::now();
    let tasks: Vec<_> = (0..options.connections)
        .map(|lane| tokio::spawn(post_all(server.address, lane, tenant.clone(), corpus.clone(), done.clone(), end)))
        .collect();
    let mut latencies = Histogram::<u64>::new(3)?;
    for task in tasks {
        latencies.add(task.await??)?;
    }
    let per_s = to_f64(done.load(Ordering::Relaxed)) / since.elapsed().as_secs_f64();
    let ms = |quantile: f64| to_ms(latencies.value_at_quantile(quantile));
    Ok(Ceiling { per_s, p50_ms: ms(0.5), p99_ms: ms(0.99), connections: options.connections })
}

async fn post_all(
    address: SocketAddr,
    lane: u16,
    tenant: Arc<Tenant>,
    corpus: Arc<Corpus>,
    done: Arc<AtomicU64>,
    end: Instant,
) -> anyhow::Result<Histogram<u64>> {
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut connection = Connection::new(address);
    while Instant::now() < end {
        let due = Instant::now();
        let mark = tenant.book.begin(lane, due);
        let text = corpus.text(usize::try_from(super::mark::mix(mark.number)).unwrap_or(0));
        let request = texts::request(&tenant, "http://localhost", &mark, mark.number % 500, text);
        connection.exchange(&request).await.context("the null server")?;
        tenant.book.acked(&mark, None, Some(mark.number % 500));
        latencies.record(u64::try_from(due.elapsed().as_micros())?)?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(latencies)
}
