//! The guard of a waiting operator's weight: what one more subscribed connection, at the head of its feed with nothing to
//! do, keeps of the engine's memory. Counted, not timed: a busy machine changes nothing.
//!
//! A process of its own, because an allocator is a process's.
#![allow(clippy::disallowed_methods, reason = "tests drive the engine from outside")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../benches/support/counting.rs"]
#[allow(dead_code, reason = "what has not come back is all that counts here")]
mod counting;
#[allow(dead_code, reason = "others wait otherwise")]
#[path = "it/support/wait.rs"]
mod wait;

use std::{
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use counting::{Counting, counted};
use deskwire::{app, config::Config, telemetry::Metrics};
use schema::{
    ids::{OperatorId, TenantId},
    role::Role,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::{self, Message};
use wait::wait_for;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a connection keeps, in the dev profile, ours and all libraries' together. A tenth more fails: find out why, and only
/// if it must be so write the new figure here and say why in the commit. A tenth less fails too: write the lower one here, so
/// that what was won is kept. Buffers of the system and unused ends of the allocator's pages come on top:
/// `loadtest bench fan-out` measures the process.
const BYTES: f64 = 6_750.0;

const WARM_UP: usize = 100;
const COUNTED: usize = 500;
/// Whatever beats by itself moves less than one byte a connection.
const BEATS: i64 = 500;
/// Longer than what a connection still does when it has been answered.
const REST: Duration = Duration::from_millis(500);

#[test]
fn a_waiting_connection_keeps_no_more_memory_than_it_did() {
    let bytes = kept();
    assert!(
        bytes <= BYTES * 1.1,
        "a connection keeps {bytes:.0} bytes, the guard allows {BYTES:.0} and a tenth. Find out why; if it must be so, raise \
         the figure in tests/connections.rs and say why in the commit"
    );
    assert!(
        bytes >= BYTES * 0.9,
        "a connection keeps only {bytes:.0} bytes, the guard says {BYTES:.0}: lower the figure in tests/connections.rs, so \
         that what was won is kept"
    );
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn kept() -> f64 {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path().to_str().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let metrics = Metrics::start().unwrap();
    let running =
        runtime.block_on(app::start(&config, app::Stores::in_memory(), Arc::new(move || metrics.render()))).unwrap();
    let address = running.address().to_string();
    let (tenant, operator) = (TenantId::new("demo").unwrap(), OperatorId::new("op1").unwrap());
    let token = app::token(&config, &tenant, &operator, Role::Operator, Duration::from_secs(3_600)).unwrap();
    // Held: a connection that is dropped ends.
    let mut open: Vec<TcpStream> = Vec::with_capacity(WARM_UP + COUNTED);
    open.extend((0..WARM_UP).map(|_| connect(&address, &token)));
    let before = at_rest();
    open.extend((0..COUNTED).map(|_| connect(&address, &token)));
    let after = at_rest();
    (after - before) as f64 / COUNTED as f64
}

fn config(directory: &str) -> Config {
    let set = [
        ("DATA__DIRECTORY", directory),
        ("SERVER__LISTEN", "127.0.0.1:0"),
        ("DEMO__ENABLED", "true"),
        ("STREAM__OPERATOR_CONNECTIONS_MAX", "10000"),
        // Nobody here answers a ping.
        ("STREAM__PING_INTERVAL_MS", "600000"),
    ];
    Config::layered(None, set.map(|(key, value)| (format!("DESKWIRE__{key}"), value.to_owned())).into_iter()).unwrap()
}

/// A connection that has been answered; nothing of it is left on the heap on this side.
fn connect(address: &str, token: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let (mut socket, _) = tungstenite::client(format!("ws://{address}/v1/stream"), stream).unwrap();
    socket.send(Message::text(json!({"id": 1, "connect": {"token": token}}).to_string())).unwrap();
    let answer = socket.read().unwrap();
    assert!(answer.to_text().unwrap().contains(r#""connect""#), "{answer}");
    socket.get_ref().try_clone().unwrap()
}

/// Live bytes, when they have stopped moving.
fn at_rest() -> i64 {
    let (mut last, mut since) = (counted().live, Instant::now());
    wait_for("memory at rest", || {
        let now = counted().live;
        if (now - last).abs() > BEATS {
            (last, since) = (now, Instant::now());
        }
        (since.elapsed() > REST).then_some(now)
    })
}
