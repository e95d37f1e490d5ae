//! Signed inbound texts on keep-alive connections. Closed loop: each connection waits for its 200 and posts the next.
//! Open loop: each has due times, and a text is late from then on, whatever the engine does.
//!
//! Leaner than the harness's own contacts: no books, no verdict. On two cores the generator is half of the picture.

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

use crate::load::{
    figures::{to_f64, to_ms},
    http::Connection,
    mark::Mark,
    texts::{request, wait_until},
    world::Tenant,
};

/// Stands before the due time in a text: 16 digits of microseconds.
pub const DUE: &str = "due=";
pub const DUE_DIGITS: usize = 16;
/// With it a request's body is about 600 bytes.
const FILLER: &str = "Hello, my kitchen sink is leaking again and the water is all over the floor by now. Can you come \
    today? Any time after three works, the bell is broken so please knock. Thank you!";

/// Who writes, to whom, how hard.
#[derive(Clone)]
pub struct Posting {
    /// The engine.
    pub address: SocketAddr,
    /// The base of signed URLs.
    pub public_url: String,
    /// The businesses; only the first `spread` of them are written to.
    pub tenants: Arc<Vec<Tenant>>,
    /// How many of them.
    pub spread: usize,
    /// Tells ids apart.
    pub run: u32,
    /// Contacts of each business.
    pub contacts: u64,
    /// Connections, each with one request under way.
    pub connections: u16,
    /// Texts a second from a schedule; none: a closed loop.
    pub per_s: Option<f64>,
    /// Before the time that counts.
    pub warm_up: Duration,
    /// The time that counts.
    pub counted: Duration,
    /// Ends after so many, whatever the time.
    pub most: u64,
    /// Number of the first text; different for each posting to one engine, so that ids differ.
    pub first: u64,
    /// What due times in texts are counted from.
    pub zero: Instant,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Taken while it counted.
    pub accepted: u64,
    /// Not taken, at any time.
    pub refused: u64,
    /// Taken at any time.
    pub all: u64,
    /// Taken a second.
    pub per_s: f64,
    /// In microseconds, from due time (closed loop: from the request) to the 200.
    pub latencies: Histogram<u64>,
    /// When the time that counts began.
    pub from: Instant,
}

impl Posted {
    /// A quantile in milliseconds.
    pub fn ms(&self, quantile: f64) -> f64 {
        to_ms(self.latencies.value_at_quantile(quantile))
    }
}

struct Shared {
    posting: Posting,
    next: AtomicU64,
    refused: AtomicU64,
    all: AtomicU64,
    start: Instant,
    from: Instant,
    until: Instant,
}

/// Posts until the time is over or there were enough.
pub async fn post(posting: Posting) -> anyhow::Result<Posted> {
    let start = Instant::now();
    let from = start + posting.warm_up;
    let until = from + posting.counted;
    let connections = posting.connections;
    let shared = Shared {
        posting,
        next: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        all: AtomicU64::new(0),
        start,
        from,
        until,
    };
    let shared = Arc::new(shared);
    let tasks: Vec<_> = (0..connections).map(|lane| tokio::spawn(lane_of(shared.clone(), lane))).collect();
    let mut latencies = Histogram::<u64>::new(3)?;
    for task in tasks {
        latencies.add(task.await??)?;
    }
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let ended = Instant::now().min(until);
    let seconds = ended.saturating_duration_since(from).as_secs_f64().max(1e-9);
    let (all, refused) = (get(&shared.all), get(&shared.refused));
    Ok(Posted { accepted: latencies.len(), refused, all, per_s: to_f64(latencies.len()) / seconds, latencies, from })
}

async fn lane_of(shared: Arc<Shared>, lane: u16) -> anyhow::Result<Histogram<u64>> {
    let posting = &shared.posting;
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut connection = Connection::new(posting.address);
    for turn in 0_u64.. {
        let due = shared.due(lane, turn);
        if due.unwrap_or_else(Instant::now) >= shared.until {
            break;
        }
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= posting.most {
            break;
        }
        if let Some(due) = due {
            wait_until(due).await;
        }
        let due = due.unwrap_or_else(Instant::now);
        let request = shared.request(number, due);
        let status = connection.exchange(&request).await.context("the engine cannot be reached")?.status;
        let done = Instant::now();
        if status != 200 {
            shared.refused.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        shared.all.fetch_add(1, Ordering::Relaxed);
        // An open loop counts by due time, so that what came late is not left out; a closed one by the answer.
        let at = if posting.per_s.is_some() { due } else { done };
        if at >= shared.from && at < shared.until {
            latencies.record(u64::try_from((done - due).as_micros())?)?;
        }
    }
    Ok(latencies)
}

impl Shared {
    /// Each connection has every n-th arrival of an even schedule.
    fn due(&self, lane: u16, turn: u64) -> Option<Instant> {
        let place = to_f64(u64::from(lane) + turn * u64::from(self.posting.connections));
        self.posting.per_s.map(|per_s| self.start + Duration::from_secs_f64(place / per_s))
    }

    fn request(&self, number: u64, due: Instant) -> Vec<u8> {
        let posting = &self.posting;
        let tenant = usize::try_from(number).unwrap_or(0) % posting.spread;
        // Neighbours in time are different contacts; each tenant sees its contacts in turn.
        let contact = (number / posting.spread as u64) % posting.contacts;
        let number = posting.first + number;
        let mark = Mark { run: posting.run, tenant: u16::try_from(tenant).unwrap_or(0), lane: 0, number };
        let due_us = due.saturating_duration_since(posting.zero).as_micros();
        let text = format!("{FILLER} word{} {DUE}{due_us:016}", number % 100_000);
        request(&posting.tenants[tenant], &posting.public_url, &mark, contact, &text)
    }
}
