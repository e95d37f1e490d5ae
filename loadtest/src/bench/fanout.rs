//! Many dashboards of one tenant, some texts a second: what a push costs the engine, and how late it comes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::{net::TcpStream, sync::Barrier};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

use super::{CpuTime, webhook};

/// Who watches, and how hard the texts come.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(flatten)]
    /// The line that texts come in on; `connections` posts them.
    pub texts: webhook::Options,
    /// A token of the tenant.
    #[arg(long)]
    pub token: String,
    /// Dashboards.
    #[arg(long, default_value_t = 500)]
    pub dashboards: usize,
}

/// What was measured.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// Dashboards that were connected throughout.
    pub dashboards: usize,
    /// Texts that came in.
    pub texts: webhook::Report,
    /// Publications that dashboards received while it counted.
    pub pushes: u64,
    /// Publications a second, over all dashboards.
    pub pushes_per_s: f64,
    /// Publications in one WebSocket message, on average.
    pub per_message: f64,
    /// Microseconds of the engine's CPU for each push, the texts' own cost included.
    pub cpu_us: Option<f64>,
    /// KiB of the engine's memory for each dashboard, when they were connected and idle.
    pub kib_per_dashboard: Option<f64>,
}

#[derive(Default)]
struct Counts {
    over: AtomicBool,
    pushes: AtomicU64,
    messages: AtomicU64,
}

/// Runs it.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    let pid = options.texts.pid;
    let alone = pid.map(CpuTime::of).transpose()?;
    let counts = Arc::new(Counts::default());
    let connected = Arc::new(Barrier::new(options.dashboards + 1));
    let mut tasks = Vec::with_capacity(options.dashboards);
    for _ in 0..options.dashboards {
        let watch = watch(options.texts.address, options.token.clone(), counts.clone(), connected.clone());
        tasks.push(tokio::spawn(async move {
            if let Err(error) = watch.await {
                tracing::warn!("a dashboard ended: {error:#}");
            }
        }));
    }
    tokio::time::timeout(Duration::from_secs(60), connected.wait()).await.context("dashboards could not connect")?;
    let idle = pid.map(CpuTime::of).transpose()?;
    let seen = |counts: &Counts| (counts.pushes.load(Ordering::Relaxed), counts.messages.load(Ordering::Relaxed));
    let before = seen(&counts);
    let start = Instant::now();
    let texts = webhook::run(webhook::Options { warm_up: 0, ..options.texts.clone() }).await?;
    let elapsed = start.elapsed();
    let after = seen(&counts);
    counts.over.store(true, Ordering::Relaxed);
    let done = pid.map(CpuTime::of).transpose()?;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let pushes = after.0 - before.0;
    ensure!(pushes > 0, "no dashboard saw anything");
    let per = |number: f64| number / to_f64(pushes);
    Ok(Report {
        dashboards: options.dashboards,
        texts,
        pushes,
        pushes_per_s: to_f64(pushes) / elapsed.as_secs_f64(),
        per_message: to_f64(pushes) / to_f64((after.1 - before.1).max(1)),
        cpu_us: idle.zip(done).map(|(idle, done)| per(done.since(&idle).as_secs_f64() * 1e6)),
        kib_per_dashboard: alone.zip(idle).map(|(alone, idle)| {
            to_f64(idle.resident_kib.saturating_sub(alone.resident_kib)) / to_f64(options.dashboards as u64)
        }),
    })
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn to_f64(number: u64) -> f64 {
    number as f64
}

/// One dashboard: connects, counts, answers pings.
async fn watch(address: SocketAddr, token: String, counts: Arc<Counts>, connected: Arc<Barrier>) -> anyhow::Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!("ws://{address}/v1/stream").into_client_request()?;
    let config = WebSocketConfig::default().read_buffer_size(8 * 1024).write_buffer_size(0);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    socket.send(Message::text(json!({"id": 1, "connect": {"token": token}}).to_string())).await?;
    let first = socket.next().await.context("closed before it began")??;
    ensure!(first.to_text()?.contains("\"connect\""), "refused: {first}");
    connected.wait().await;
    while let Some(message) = socket.next().await {
        let message = message?;
        if counts.over.load(Ordering::Relaxed) {
            return Ok(());
        }
        let Message::Text(text) = message else { continue };
        if text.as_str() == "{}" {
            socket.send(Message::text("{}")).await?;
            continue;
        }
        let pushes = text.as_bytes().iter().filter(|byte| **byte == b'\n').count() as u64;
        counts.pushes.fetch_add(pushes + u64::from(!text.ends_with('\n')), Ordering::Relaxed);
        counts.messages.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
