//! Nothing that a stranger sends makes a line of the log, or colours one.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::support::{
    process::{Server, get},
    wait::wait_for,
};

const FORGED: &str = "2026-01-01T00:00:00Z ERROR forged";

/// The log of a server, at its most talkative, after hostile words in every place that takes some.
fn log_after_hostile_words(format: &str) -> String {
    let environment = [
        ("DESKWIRE__DEMO__ENABLED", "true"),
        ("DESKWIRE__TELEMETRY__FILTER", "trace"),
        ("DESKWIRE__TELEMETRY__FORMAT", format),
    ];
    let (server, _directory) = Server::start(&environment);
    let encoded = "%0d%0a2026-01-01T00:00:00Z%20ERROR%20forged%1b%5b31m";
    let raw = format!("x\x1b[31m\u{9b}31m{FORGED}");
    let requests = [
        format!("GET /{encoded} HTTP/1.1\r\nHost: x\r\n"),
        format!("GET /v1/conversations/{encoded}?{encoded}={encoded} HTTP/1.1\r\nHost: x\r\n"),
        format!("POST /webhooks/twilio/{encoded}/sms HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"),
        format!(
            "POST /webhooks/twilio/demo-line/sms?{encoded} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {encoded}\r\nContent-Length: 0\r\n"
        ),
        format!(
            "GET /v1/inbox HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {encoded}\r\nUser-Agent: {encoded}\r\ntraceparent: {encoded}\r\n"
        ),
        format!("GET /v1/inbox HTTP/1.1\r\nHost: {encoded}\r\nX-Request-Id: {encoded}\r\n"),
        format!("{raw}\r\n"),
        format!("GET /\n{FORGED}\n HTTP/1.1\r\nHost: x\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{raw}: y\r\n"),
    ];
    for request in requests {
        let mut socket = TcpStream::connect(server.address()).expect("the server listens");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        drop(socket.write_all(format!("{request}Connection: close\r\n\r\n").as_bytes()));
        drop(socket.read_to_end(&mut Vec::new()));
    }
    assert_eq!(get(server.address(), "/healthz").expect("it lives").0, 200);
    // A line of the log comes a moment after its answer; the last of them is hyper's about the last request.
    wait_for("the log to be written", || server.log().contains("invalid HTTP header parsed").then_some(()));
    server.log()
}

#[test]
fn no_stranger_writes_or_colours_a_line_of_the_log() {
    for format in ["text", "json"] {
        let log = log_after_hostile_words(format);
        assert!(log.lines().count() > 6, "{format}: the log says too little to prove anything");
        for line in log.lines() {
            assert!(!line.trim_start().starts_with(FORGED), "{format}: a forged line: {line}");
            let control = line.chars().find(|letter| letter.is_control() && *letter != '\t');
            assert_eq!(control, None, "{format}: a control character in {line:?}");
            if format == "json" {
                assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "no JSON: {line}");
            }
        }
    }
}
