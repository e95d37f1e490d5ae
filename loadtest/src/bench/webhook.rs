//! Signed inbound texts on keep-alive connections, closed loop: each connection waits for its 200.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;

use super::CpuTime;
use crate::{load::http::Connection, signature::sign};

/// What to post, and how hard.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where the engine listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub address: SocketAddr,
    /// The engine's `server.public_url`: what signatures are made over.
    #[arg(long, default_value = "http://localhost:8080")]
    pub public_url: String,
    /// The line.
    #[arg(long, default_value = "demo-line")]
    pub channel: String,
    /// The line's number.
    #[arg(long, default_value = "+15005550006")]
    pub number: String,
    /// The account's SID.
    #[arg(long)]
    pub account_sid: String,
    /// The account's auth token.
    #[arg(long)]
    pub auth_token: String,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 256)]
    pub connections: usize,
    /// Contacts who write.
    #[arg(long, default_value_t = 10_000)]
    pub contacts: u64,
    /// Seconds that count.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Seconds before, which do not.
    #[arg(long, default_value_t = 2)]
    pub warm_up: u64,
    /// The engine's process: its CPU time and memory are reported.
    #[arg(long)]
    pub pid: Option<u32>,
}

/// What was measured.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// Answered with 200 while it counted.
    pub accepted: u64,
    /// Answered with something else.
    pub refused: u64,
    /// 200s a second.
    pub per_s: f64,
    /// Milliseconds from request to answer.
    pub p50_ms: f64,
    /// Milliseconds from request to answer.
    pub p99_ms: f64,
    /// Milliseconds from request to answer.
    pub max_ms: f64,
    /// Microseconds of the engine's CPU for each 200.
    pub cpu_us: Option<f64>,
    /// The engine's memory at the end, in MiB.
    pub resident_mib: Option<u64>,
}

struct Shared {
    options: Options,
    url: String,
    path: String,
    next: AtomicU64,
    /// Told apart from those of other runs.
    run: u64,
    counting: AtomicU64,
}

const WARMING: u64 = 0;
const COUNTING: u64 = 1;
const OVER: u64 = 2;

/// Runs it.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    let path = format!("/webhooks/twilio/{}/sms", options.channel);
    let url = format!("{}{path}", options.public_url.trim_end_matches('/'));
    let run = rand::random::<u64>();
    let connections = options.connections;
    let (warm_up, seconds, pid) = (options.warm_up, options.seconds, options.pid);
    let shared =
        Arc::new(Shared { options, url, path, next: AtomicU64::new(0), run, counting: AtomicU64::new(WARMING) });
    let tasks: Vec<_> = (0..connections).map(|_| tokio::spawn(post_all(shared.clone()))).collect();
    tokio::time::sleep(Duration::from_secs(warm_up)).await;
    let before = pid.map(CpuTime::of).transpose().context("the engine's process")?;
    shared.counting.store(COUNTING, Ordering::Relaxed);
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    shared.counting.store(OVER, Ordering::Relaxed);
    let elapsed = start.elapsed();
    let after = pid.map(CpuTime::of).transpose().context("the engine's process")?;
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut refused = 0;
    for task in tasks {
        let (own, no) = task.await??;
        latencies.add(own)?;
        refused += no;
    }
    let accepted = latencies.len();
    ensure!(accepted > 0, "nothing was accepted; {refused} refused");
    let ms = |quantile: f64| to_ms(latencies.value_at_quantile(quantile));
    let cpu = before.zip(after);
    Ok(Report {
        accepted,
        refused,
        per_s: to_f64(accepted) / elapsed.as_secs_f64(),
        p50_ms: ms(0.5),
        p99_ms: ms(0.99),
        max_ms: to_ms(latencies.max()),
        cpu_us: cpu.map(|(before, after)| after.since(&before).as_secs_f64() * 1e6 / to_f64(accepted)),
        resident_mib: after.map(|after| after.resident_kib / 1024),
    })
}

fn to_ms(micros: u64) -> f64 {
    to_f64(micros) / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn to_f64(number: u64) -> f64 {
    number as f64
}

async fn post_all(shared: Arc<Shared>) -> anyhow::Result<(Histogram<u64>, u64)> {
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut refused = 0;
    let mut connection = Connection::new(shared.options.address);
    loop {
        let phase = shared.counting.load(Ordering::Relaxed);
        if phase == OVER {
            return Ok((latencies, refused));
        }
        let request = shared.request();
        let start = Instant::now();
        let status = connection.exchange(&request).await.context("the engine cannot be reached")?.status;
        if phase == COUNTING {
            match status {
                200 => latencies.record(u64::try_from(start.elapsed().as_micros())?)?,
                _ => refused += 1,
            }
        }
    }
}

impl Shared {
    /// One signed request of about 600 bytes.
    fn request(&self) -> Vec<u8> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let contact = number % self.options.contacts;
        let sid = format!("SM{:016x}{number:016x}", self.run);
        let form: Vec<(String, String)> = [
            ("MessageSid", sid.clone()),
            ("SmsSid", sid),
            ("AccountSid", self.options.account_sid.clone()),
            ("From", format!("+1415{:07}", 2_000_000 + contact)),
            ("To", self.options.number.clone()),
            ("Body", format!("Hello, my kitchen sink is leaking again, number {number}. Can you come today?")),
            ("NumMedia", "0".to_owned()),
            ("NumSegments", "1".to_owned()),
            ("FromCountry", "US".to_owned()),
            ("ApiVersion", "2010-04-01".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let signature = sign(&self.options.auth_token, &self.url, &form);
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             X-Twilio-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            self.path,
            body.len(),
        )
        .into_bytes()
    }
}
