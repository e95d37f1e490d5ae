//! Those who drip: headers, bodies, handshakes and frames that never end. Each is let go within its time, with a clear answer
//! where there can be one, and costs no memory; whoever speaks normally meanwhile is served.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::{metric, resident_mib};
use crate::support::process::{Server, get, run};

/// How long the server waits for headers, and for a body.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// A busy machine looks a little later.
const LATE: Duration = Duration::from_secs(4);
/// Between two bytes of a drip: far below the server's patience, so that only the whole counts.
const DRIP: Duration = Duration::from_millis(100);
/// Of each kind, at once.
const EACH: usize = 40;
const GROWTH_MAX_MIB: u64 = 16;

fn server() -> (Server, tempfile::TempDir) {
    Server::start(&[
        ("DESKWIRE__DEMO__ENABLED", "true"),
        ("DESKWIRE__SERVER__HEADER_TIMEOUT_MS", "1500"),
        ("DESKWIRE__SERVER__BODY_TIMEOUT_MS", "1500"),
        ("DESKWIRE__SERVER__STALL_TIMEOUT_MS", "1500"),
        ("DESKWIRE__STREAM__FIRST_COMMAND_MS", "1500"),
        ("DESKWIRE__STREAM__OPERATOR_CONNECTIONS_MAX", "1000"),
        ("DESKWIRE__STREAM__PING_INTERVAL_MS", "1000"),
        ("DESKWIRE__STREAM__PONG_TIMEOUT_MS", "500"),
        ("DESKWIRE__STREAM__CLOSE_TIMEOUT_MS", "300"),
        ("DESKWIRE__STREAM__STUCK_MS", "1500"),
        // What is free goes back at once: what is left is held.
        ("MIMALLOC_PURGE_DELAY", "0"),
    ])
}

/// Sends a beginning at once, then drips until the server lets go: how long that took, and what it said.
fn drip(address: SocketAddr, beginning: &[u8], drip: u8) -> io::Result<(Duration, Vec<u8>)> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(DRIP))?;
    socket.write_all(beginning)?;
    let (began, mut said, mut buffer) = (Instant::now(), Vec::new(), [0; 4_096]);
    while began.elapsed() < PATIENCE + LATE * 2 {
        match socket.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => said.extend_from_slice(&buffer[..read]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if socket.write_all(&[drip]).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    Ok((began.elapsed(), said))
}

/// Many at once: the slowest, and what the first was told.
fn drips(address: SocketAddr, beginning: &[u8], byte: u8) -> (Duration, Vec<u8>) {
    let dripping = (0..EACH).map(|_| {
        let beginning = beginning.to_vec();
        thread::spawn(move || drip(address, &beginning, byte).unwrap())
    });
    let mut ended: Vec<_> = dripping.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
    let slowest = ended.iter().map(|(took, _)| *took).max().unwrap();
    (slowest, ended.swap_remove(0).1)
}

/// Whether the last that was said is a close frame with this code.
fn is_closed_with((_, said): &(Duration, Vec<u8>), code: u16) -> bool {
    let close = said.windows(4).rposition(|bytes| bytes[0] == 0x88 && bytes[2..4] == code.to_be_bytes());
    close.is_some_and(|place| place + 2 + usize::from(said[place + 1]) == said.len())
}

fn assert_let_go((slowest, said): &(Duration, Vec<u8>), kind: &str) {
    let said = String::from_utf8_lossy(said);
    eprintln!("{kind}: let go after {slowest:.1?}, with {:?}", said.lines().next().unwrap_or_default());
    assert!(*slowest < PATIENCE + LATE, "{kind}: {slowest:?}, {said}");
    assert!(*slowest >= PATIENCE / 2, "{kind}: ended at once: {said}");
}

/// A WebSocket's opening.
const UPGRADE: &str = "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const WEBHOOK: &str = "POST /webhooks/twilio/demo-line/sms HTTP/1.1\r\nHost: localhost\r\n\
    Content-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: c2xvdw==\r\n";

/// A masked text frame, as clients send them, cut after so many bytes of its content.
fn frame(text: &str, sent: usize) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(126);
    let mut bytes = vec![0x81, 0x80 | length];
    if length == 126 {
        bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(&text.as_bytes()[..sent]);
    bytes
}

#[test]
fn whoever_drips_headers_a_body_or_a_handshake_is_let_go_and_costs_nothing() {
    let (server, _directory) = server();
    let address = server.address();
    let before = resident_mib(server.id());
    let headers = drips(address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b'a');
    assert_let_go(&headers, "headers");
    let body = drips(address, format!("{WEBHOOK}Content-Length: 4000\r\n\r\nBody=").as_bytes(), b'a');
    assert_let_go(&body, "body of a webhook");
    assert!(body.1.starts_with(b"HTTP/1.1 408"));
    let rest = "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 4000\r\n\r\n{";
    let rest = drips(address, rest.as_bytes(), b' ');
    assert!(rest.0 < PATIENCE + LATE && rest.1.starts_with(b"HTTP/1.1 401"), "{rest:?}");
    let handshake = drips(address, format!("{UPGRADE}X-Slow: ").as_bytes(), b'a');
    assert_let_go(&handshake, "handshake");
    let idle = drips(address, b"", b'\r');
    assert_let_go(&idle, "empty lines");
    let grown = resident_mib(server.id()).saturating_sub(before);
    assert!(grown < GROWTH_MAX_MIB, "{grown} MiB");
    assert_eq!(get(address, "/healthz").unwrap().0, 200);
}

#[test]
fn whoever_drips_a_body_with_a_good_token_is_let_go() {
    let (server, directory) = server();
    let data = directory.path().join("data");
    let token = run(
        &["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"],
        &[("DESKWIRE__DATA__DIRECTORY", data.to_str().unwrap())],
    );
    let token = String::from_utf8(token.stdout).unwrap();
    let post = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nIdempotency-Key: k\r\nContent-Length: 4000\r\n\r\n{{",
        token.trim()
    );
    let body = drips(server.address(), post.as_bytes(), b' ');
    assert_let_go(&body, "body of a command");
    assert!(body.1.starts_with(b"HTTP/1.1 408"));
}

#[test]
fn whoever_drips_frames_is_let_go_before_and_after_it_was_let_in() {
    let (server, directory) = server();
    let address = server.address();
    let upgraded = format!("{UPGRADE}\r\n");
    let silent = drips(address, &[upgraded.as_bytes(), &frame(&"x".repeat(4_000), 0)].concat(), b'x');
    assert_let_go(&silent, "half a frame before connect");
    assert!(is_closed_with(&silent, 3_502), "no connect in time");
    // What a first crowd costs stays for the next.
    let before = resident_mib(server.id());
    let data = directory.path().join("data");
    let token = run(
        &["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"],
        &[("DESKWIRE__DATA__DIRECTORY", data.to_str().unwrap())],
    );
    let token = String::from_utf8(token.stdout).unwrap();
    let connect = serde_json::json!({"id": 1, "connect": {"token": token.trim()}}).to_string();
    let connect = frame(&connect, connect.len());
    let half = frame(&"x".repeat(4_000), 0);
    let opened = [upgraded.as_bytes(), &connect, &half].concat();
    let dripping = drips(address, &opened, b'x');
    assert_let_go(&dripping, "half a frame after connect");
    assert!(String::from_utf8_lossy(&dripping.1).contains("\"connect\""), "it was let in");
    assert!(is_closed_with(&dripping, 3_012), "no pong in time");
    let grown = resident_mib(server.id()).saturating_sub(before);
    assert!(grown < GROWTH_MAX_MIB, "{grown} MiB");
    assert_eq!(get(address, "/healthz").unwrap().0, 200);
}

/// The kernel keeps some megabytes of answers for each, which must be made first.
const LOOKING_AWAY: usize = 4;

/// Requests whose answers nobody reads: their connections must not be held for ever.
#[test]
fn whoever_asks_and_does_not_read_the_answers_is_let_go() {
    let (server, _directory) = server();
    let address = server.address();
    let asking: Vec<_> = (0..LOOKING_AWAY).map(|_| thread::spawn(move || ask_and_look_away(address))).collect();
    let slowest = asking.into_iter().map(|thread| thread.join().unwrap()).max().unwrap();
    eprintln!("answers that nobody reads: let go after {slowest:.1?}");
    assert_eq!(metric(address, "deskwire_connections_stalled_total", "") as usize, LOOKING_AWAY);
}

/// Pipelines requests and reads nothing, until the server hangs up. How long that took.
fn ask_and_look_away(address: SocketAddr) -> Duration {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_write_timeout(Some(DRIP)).unwrap();
    let request = b"GET /v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(64);
    let began = Instant::now();
    while began.elapsed() < super::BACK_WITHIN * 2 {
        match socket.write(&request) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) => return began.elapsed(),
        }
    }
    panic!("the server holds on")
}
