//! Those who read: some whose window is zero, and all of them losing their sockets at once.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use loadtest::carrier::Chance;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{assert_holds, metric, most, resident_mib, text};
use crate::{
    crash::world::World,
    load::{play_in, short},
};

const INBOX: &str = "inbox:demo";
/// Who stop reading.
const STUCK: usize = 150;
/// Of those, who come back.
const BACK: usize = 15;
/// Bytes of a text, which its event is a little longer than.
const TEXT_BYTES: usize = 1_500;
/// What a stuck transport may take before it is seen to be: the kernel's buffers of a connection on loopback.
const BEHIND_MAX: usize = 30_000;
/// What stuck readers may cost the server, all together: far below what they are behind.
const GROWTH_MAX_MIB: u64 = 120;

/// A dashboard whose kernel buffers next to nothing.
struct Reader {
    socket: WebSocketStream<TcpStream>,
    offset: u64,
    epoch: String,
}

impl Reader {
    async fn connect(world: &World, address: SocketAddr, from: Option<(&str, u64)>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let (mut socket, _) = client_async(format!("ws://{address}/v1/stream"), stream).await.unwrap();
        let data = from.map_or(json!({}), |(epoch, offset)| json!({"inbox": {"epoch": epoch, "offset": offset}}));
        let connect = json!({"id": 1, "connect": {"token": world.token, "data": data}});
        socket.send(Message::text(connect.to_string())).await.unwrap();
        let mut reader = Self { socket, offset: from.map_or(0, |(_, offset)| offset), epoch: String::new() };
        while reader.epoch.is_empty() {
            reader.read().await.expect("it is let in");
        }
        reader
    }

    /// One message; none: the connection is over.
    async fn read(&mut self) -> Option<()> {
        let message = tokio::time::timeout(super::BACK_WITHIN, self.socket.next()).await.expect("something comes");
        let Message::Text(text) = message?.ok()? else { return Some(()) };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if line == "{}" {
                self.socket.send(Message::text("{}")).await.ok()?;
                continue;
            }
            let frame: Value = serde_json::from_str(line).unwrap();
            if let Some(sub) = frame.pointer("/connect/subs").and_then(|subs| subs.get(INBOX)) {
                self.epoch = sub["epoch"].as_str().unwrap().to_owned();
                for publication in sub["publications"].as_array().into_iter().flatten() {
                    self.see(publication);
                }
                assert!(self.offset == 0 || sub["recovered"] == true, "{sub}");
                self.offset = sub["offset"].as_u64().unwrap();
            } else if let Some(publication) = frame.pointer("/push/pub") {
                self.see(publication);
            }
        }
        Some(())
    }

    fn see(&mut self, publication: &Value) {
        let offset = publication["offset"].as_u64().unwrap();
        assert_eq!(offset, self.offset + 1, "no gap, nothing twice");
        self.offset = offset;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_with_a_zero_window_cost_bounded_memory_are_closed_with_3008_and_resume_without_a_gap() {
    let stuck_ms = ("DESKWIRE__STREAM__STUCK_MS".to_owned(), "1500".to_owned());
    let ring = ("DESKWIRE__FEED__RING_MAX_BYTES".to_owned(), "4194304".to_owned());
    let seats = ("DESKWIRE__STREAM__OPERATOR_CONNECTIONS_MAX".to_owned(), "1000".to_owned());
    // Whoever does not read does not answer pings either: that is another reason to be closed, and not this one.
    let pings = ("DESKWIRE__STREAM__PING_INTERVAL_MS".to_owned(), "600000".to_owned());
    let (world, server) = World::start_with(&Chance::new(61), vec![stuck_ms, ring, seats, pings]).await;
    let address = server.address();
    let mut readers = Vec::new();
    for _ in 0..STUCK {
        readers.push(Reader::connect(&world, address, None).await);
    }
    let mut quick = Reader::connect(&world, address, None).await;
    let before = resident_mib(server.id());
    let body = "0123456789 ".repeat(TEXT_BYTES / 11);
    let (mut sent, mut slowest) = (0, Duration::ZERO);
    let closed = || metric(address, "deskwire_stream_closes_total", "\"slow\"");
    while closed() < STUCK as f64 {
        assert!(sent < BEHIND_MAX, "after {sent} texts {} of {STUCK} are closed", closed());
        let texts = (0..16).map(|number| {
            let from = format!("+13125551{number:03}");
            let (world, body) = (&world, &body);
            async move { text(world, &from, body).await }
        });
        sent += futures_util::future::join_all(texts).await.len();
        let began = Instant::now();
        let head = quick.offset + 16;
        while quick.offset < head {
            quick.read().await.expect("a quick reader stays");
        }
        slowest = slowest.max(began.elapsed());
    }
    let grown = resident_mib(server.id()).saturating_sub(before);
    let behind = STUCK * sent * TEXT_BYTES / (1 << 20);
    eprintln!(
        "{STUCK} stuck readers, {sent} texts: behind by {behind} MiB, the server grew by {grown} MiB; \
        the quick one waited {slowest:.0?} at most"
    );
    assert!(grown < GROWTH_MAX_MIB && 2 * grown < behind as u64, "{grown} MiB");
    for mut reader in readers.into_iter().take(BACK) {
        // What its kernel still had.
        while reader.read().await.is_some() {}
        let mut back = Reader::connect(&world, address, Some((&reader.epoch, reader.offset))).await;
        while back.offset < quick.offset {
            back.read().await.expect("it stays");
        }
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sockets_dropped_at_once_are_live_again_within_five_seconds_without_a_gap() {
    let mut scenario = short("resume-storm", 9.0);
    (scenario.tenants, scenario.operators.count) = (10, 300);
    scenario.texts[0].rate = scenario.texts[0].rate.times(0.5);
    let directory = tempfile::tempdir().unwrap();
    let report = play_in(directory.path(), scenario, 62, None).await;
    assert_holds(&report);
    assert!(report.looked.resumes >= 600, "all of them, twice: {}", report.looked.resumes);
    eprintln!(
        "99 % live again in {:.0} ms; texts' worst second {:.0} ms",
        report.resume.p99_ms,
        most(&report, (0.0, 9.0), |row| row.ack_p99_ms)
    );
    assert!(report.resume.p99_ms < 5_000.0, "{} ms", report.resume.p99_ms);
    assert!(report.texts[0].latency.p99_ms < 5_000.0, "ingest: {} ms", report.texts[0].latency.p99_ms);
}
