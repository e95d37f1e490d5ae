//! Raw sockets: a server that writes ready-made frames to every connection and does nothing else. What a push costs
//! there is what the kernel takes; the engine is held against it in the same run.

use std::{
    fs, io,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_tungstenite::accept_async;

use super::watch::server_frame;

/// What the server is told and tells.
#[derive(Debug, Default)]
struct Shared {
    sockets: Mutex<Vec<TcpStream>>,
    /// A frame, as long as the engine's.
    frame: Mutex<Vec<u8>>,
    /// Frames for everybody a second; 0: none; `u64::MAX`: as fast as it goes.
    per_s: AtomicU64,
    pushed: AtomicU64,
    /// Writes that took a part only: the connection is not written to again.
    cut: AtomicU64,
    thread: AtomicU64,
    stop: AtomicBool,
}

/// A server on a thread of its own, which keeps to one core.
pub struct RawServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// What it has done.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// CPU of its thread.
    pub cpu: Duration,
    /// Frames written.
    pub pushed: u64,
}

impl RawServer {
    /// Starts it.
    pub async fn start(core: usize) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("loopback")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let (started, has_started) = oneshot::channel();
        std::thread::Builder::new().name("raw-server".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            own.thread.store(thread_id().unwrap_or(0), Ordering::Relaxed);
            let _ = started.send(());
            runtime.block_on(serve(listener, &own))
        })?;
        has_started.await.context("the raw server does not start")?;
        let id = shared.thread.load(Ordering::Relaxed).to_string();
        let pinned = Command::new("taskset").args(["-c", "-p", &core.to_string(), &id]).stdout(Stdio::null()).status();
        anyhow::ensure!(pinned.is_ok_and(|status| status.success()), "taskset cannot hold a thread to core {core}");
        Ok(Self { address, shared })
    }

    /// From now on frames of this payload go to everybody so often.
    pub fn push(&self, payload: usize, per_s: u64) {
        let text = format!(r#"{{"push":{{"pub":{{"data":"{}"}}}}}}"#, "x".repeat(payload.saturating_sub(29)));
        *self.shared.frame.lock().unwrap_or_else(PoisonError::into_inner) = server_frame(text.as_bytes());
        self.shared.per_s.store(per_s, Ordering::Relaxed);
    }

    /// Until now.
    pub fn done(&self) -> anyhow::Result<Done> {
        let id = self.shared.thread.load(Ordering::Relaxed);
        // Nanoseconds that the thread ran: the first word.
        let ran = fs::read_to_string(format!("/proc/self/task/{id}/schedstat"))?;
        let ran = ran.split(' ').next().and_then(|ran| ran.parse().ok()).context("schedstat begins with a number")?;
        Ok(Done { cpu: Duration::from_nanos(ran), pushed: self.shared.pushed.load(Ordering::Relaxed) })
    }

    /// Connections that took a part of a frame only.
    pub fn cut(&self) -> u64 {
        self.shared.cut.load(Ordering::Relaxed)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// Of this thread, as `/proc` names it.
fn thread_id() -> Option<u64> {
    let link = fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

async fn serve(listener: std::net::TcpListener, shared: &Arc<Shared>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut next = Instant::now();
    loop {
        let per_s = shared.per_s.load(Ordering::Relaxed);
        let pause = match per_s {
            0 => Duration::from_millis(20),
            u64::MAX => Duration::ZERO,
            per_s => {
                next =
                    (next + Duration::from_nanos(1_000_000_000 / per_s)).max(Instant::now() - Duration::from_secs(1));
                next.saturating_duration_since(Instant::now())
            }
        };
        if shared.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        tokio::select! {
            biased;
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                tokio::spawn(admit(stream, shared.clone()));
                continue;
            }
            () = tokio::time::sleep(pause), if !pause.is_zero() => {}
            () = tokio::task::yield_now(), if pause.is_zero() => {}
        }
        if per_s > 0 {
            write_all(shared);
        }
    }
}

/// Handshake and an answer to whatever is said first.
async fn admit(stream: TcpStream, shared: Arc<Shared>) {
    let admitted = async {
        stream.set_nodelay(true)?;
        let stream = accept_async(stream).await.map_err(io::Error::other)?.into_inner();
        stream.readable().await?;
        let _ = stream.try_read(&mut [0; 4_096]);
        stream.writable().await?;
        stream.try_write(&server_frame(br#"{"id":1,"connect":{}}"#))?;
        Ok::<_, io::Error>(stream)
    };
    if let Ok(stream) = admitted.await {
        shared.sockets.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
    }
}

/// The same frame to everybody, one write each. A full socket is passed over; one that took a part is left.
fn write_all(shared: &Shared) {
    let frame = shared.frame.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut sockets = shared.sockets.lock().unwrap_or_else(PoisonError::into_inner);
    let mut written = 0;
    sockets.retain(|socket| match socket.try_write(&frame) {
        Ok(count) if count == frame.len() => {
            written += 1;
            true
        }
        Ok(_) => {
            shared.cut.fetch_add(1, Ordering::Relaxed);
            false
        }
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    });
    shared.pushed.fetch_add(written, Ordering::Relaxed);
}
