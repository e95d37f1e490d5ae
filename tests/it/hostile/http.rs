//! HTTP by bare bytes against the real binary: requests that two readers could cut differently, bodies that grow when
//! read, paths that climb, headers that claim. Every answer is one answer, and the server lives.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use crate::support::process::{Server, get, run};

/// Longest wait for an answer: who hangs has failed.
const DEADLINE: Duration = Duration::from_secs(20);
const SMS: &str = "/webhooks/twilio/demo-line/sms";

fn start() -> (Server, tempfile::TempDir) {
    Server::start(&[("DESKWIRE__DEMO__ENABLED", "true")])
}

/// Everything that comes back until the server ends the connection.
fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).expect("the server listens");
    socket.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    // A server that has refused already may have closed.
    drop(socket.write_all(request));
    let mut answer = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("no end in time: {error} after {:?}", String::from_utf8_lossy(&answer)),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of each answer.
fn statuses(answer: &str) -> Vec<u16> {
    answer.split("HTTP/1.").skip(1).filter_map(|rest| rest.get(2..5)?.parse().ok()).collect()
}

/// Follows a request that may have been cut elsewhere: answered, it was smuggled.
const NEXT: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

fn post(headers: &str, body: &str) -> String {
    format!("POST {SMS} HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}")
}

#[test]
fn a_request_that_could_be_cut_in_two_ways_is_one_answer_and_the_end() {
    let (server, _directory) = start();
    let chunked = "0\r\n\r\n";
    let cases = [
        ("lengths that differ", post("Content-Length: 0\r\nContent-Length: 5\r\n", NEXT), 400),
        ("a list of lengths", post("Content-Length: 5, 5\r\n", NEXT), 400),
        ("a length with a sign", post("Content-Length: +5\r\n", NEXT), 400),
        ("a negative length", post("Content-Length: -1\r\n", NEXT), 400),
        ("a length in hex", post("Content-Length: 0x5\r\n", NEXT), 400),
        // hyper reads these two as chunked; nothing after them is.
        (
            "length, then coding",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", &format!("{chunked}{NEXT}")),
            403,
        ),
        (
            "coding, then length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", &format!("{chunked}{NEXT}")),
            403,
        ),
        ("chunked is not last", post("Transfer-Encoding: chunked, identity\r\n", &format!("{chunked}{NEXT}")), 400),
        ("a coding that is none", post("Transfer-Encoding: xchunked\r\n", NEXT), 400),
        ("two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", NEXT), 400),
        ("a coding behind a tab", post("Transfer-Encoding:\x0bchunked\r\n", NEXT), 400),
        ("a space before the colon", post("Content-Length : 0\r\n", NEXT), 400),
        ("a folded line", post("X-Long: a\r\n Content-Length: 5\r\n", NEXT), 400),
        ("a line without a colon", post("Nonsense\r\n", NEXT), 400),
        ("a zero byte", post("X: a\0b\r\n", NEXT), 400),
        ("a bare carriage return", post("X: a\rContent-Length: 5\r\n", NEXT), 400),
        ("two hosts", post("Host: y\r\nContent-Length: 0\r\n", NEXT), 400),
        ("no host", format!("GET /healthz HTTP/1.1\r\n\r\n{NEXT}"), 400),
        (
            "coding in HTTP/1.0",
            format!("POST {SMS} HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}{NEXT}"),
            400,
        ),
        (
            "a chunk beyond numbers",
            post("Transfer-Encoding: chunked\r\n", &format!("fffffffffffffffff\r\n{NEXT}")),
            400,
        ),
        ("a chunk with a sign", post("Transfer-Encoding: chunked\r\n", &format!("-1\r\n{NEXT}")), 400),
        ("a chunk that is longer", post("Transfer-Encoding: chunked\r\n", &format!("1\r\nab\r\n{chunked}{NEXT}")), 400),
        ("a version of the future", format!("GET /healthz HTTP/1.9\r\nHost: x\r\n\r\n{NEXT}"), 400),
    ];
    for (name, request, status) in cases {
        let answer = exchange(server.address(), request.as_bytes());
        assert_eq!(statuses(&answer), [status], "{name}: {answer}");
        assert!(!answer.contains("\r\n\r\nok\n"), "{name}: what followed was answered: {answer}");
    }
    assert_eq!(get(server.address(), "/healthz").expect("it lives").0, 200);
}

#[test]
fn what_is_too_long_or_another_protocol_is_refused() {
    let (server, _directory) = start();
    let long = "x".repeat(100_000);
    let many: String = (0..200).map(|number| format!("X-{number}: y\r\n")).collect();
    let cases = [
        ("a long header", format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n")),
        ("many headers", format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n")),
        ("a long target", format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n")),
        ("a long method", format!("{long} / HTTP/1.1\r\nHost: x\r\n\r\n")),
        ("HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_owned()),
        ("CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned()),
        ("TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\nCookie: secret\r\nConnection: close\r\n\r\n".to_owned()),
        ("TLS", "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03".to_owned()),
    ];
    for (name, request) in cases {
        let answer = exchange(server.address(), request.as_bytes());
        let statuses = statuses(&answer);
        assert!(statuses.len() <= 1 && statuses.iter().all(|status| (400..500).contains(status)), "{name}: {answer}");
        assert!(!answer.contains("secret"), "{name}: {answer}");
    }
    let upgrade = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    assert_eq!(statuses(&exchange(server.address(), upgrade.as_bytes())), [200], "HTTP/2 is not spoken, so not abused");
    assert_eq!(get(server.address(), "/healthz").expect("it lives").0, 200);
}

#[test]
fn no_path_climbs_out_of_the_page() {
    let (server, _directory) = start();
    let paths = [
        "/../../../../etc/passwd",
        "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/....//....//etc/passwd",
        "/assets/..\\..\\etc\\passwd",
        "/assets//etc/passwd",
        "/assets/%00/etc/passwd",
        "/v1/conversations/..%2f..%2fadmin%2ftenants",
        "/data/keys/master",
        "/.git/config",
    ];
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = exchange(server.address(), request.as_bytes());
        let status = statuses(&answer);
        assert!(status == [404] || status == [401] || status == [400], "{path}: {answer}");
        assert!(!answer.contains("root:"), "{path}: {answer}");
    }
}

#[test]
fn a_proxys_client_is_not_this_machine_whatever_it_calls_itself() {
    let (server, _directory) = start();
    for (header, status) in [
        ("X-Nothing: 1", 200),
        ("X-Forwarded-For: 127.0.0.1", 403),
        ("x-forwarded-for: ", 403),
        ("Forwarded: for=127.0.0.1", 403),
    ] {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{header}\r\nConnection: close\r\n\r\n");
        assert_eq!(statuses(&exchange(server.address(), request.as_bytes())), [status], "{header}");
    }
    let body = "{}";
    for (name, headers) in [
        (
            "a rebound name",
            "Host: evil.example:8080\r\nOrigin: http://evil.example:8080\r\nContent-Type: application/json",
        ),
        ("another page", "Host: localhost:8080\r\nOrigin: http://evil.example\r\nContent-Type: application/json"),
        ("a form", "Host: localhost:8080\r\nOrigin: http://localhost:8080\r\nContent-Type: text/plain"),
        (
            "a name that begins alike",
            "Host: localhost.evil.example\r\nOrigin: http://localhost.evil.example\r\nContent-Type: application/json",
        ),
        (
            "an address in a name",
            "Host: 127.0.0.1.evil.example\r\nOrigin: http://127.0.0.1.evil.example\r\nContent-Type: application/json",
        ),
        (
            "a proxy",
            "Host: localhost:8080\r\nOrigin: http://localhost:8080\r\nContent-Type: application/json\r\nX-Forwarded-For: 1.2.3.4",
        ),
        (
            "a browser that says so",
            "Host: localhost:8080\r\nOrigin: http://localhost:8080\r\nContent-Type: application/json\r\nSec-Fetch-Site: cross-site",
        ),
    ] {
        let request =
            format!("POST /page/sign-in HTTP/1.1\r\n{headers}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{body}");
        let answer = exchange(server.address(), request.as_bytes());
        assert_eq!(statuses(&answer), [403], "{name}: {answer}");
        assert!(!answer.to_lowercase().contains("set-cookie"), "{name}");
    }
}

/// A request of an admin of the demo tenant.
fn asked(server: &Server, token: &str, head: &str, body: &[u8]) -> String {
    let length = body.len();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{head}\
         Content-Length: {length}\r\n\r\n"
    );
    exchange(server.address(), &[head.as_bytes(), body].concat())
}

fn token(directory: &Path) -> String {
    let data = directory.join("data").display().to_string();
    let arguments = ["token", "--tenant", "demo", "--operator", "ana", "--role", "admin"];
    let output = run(&arguments, &[("DESKWIRE__DATA__DIRECTORY", &data)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a token").trim().to_owned()
}

#[test]
fn bodies_that_are_deep_large_packed_or_broken_get_a_problem() {
    let (server, directory) = start();
    let token = token(directory.path());
    let json = "Content-Type: application/json\r\n";
    // 1,000 times as large when unpacked; nothing here unpacks.
    let packed: Vec<u8> = [&b"\x1f\x8b\x08\0\0\0\0\0\x02\x03"[..], &[0xed, 0xc1, 0x01, 0x0d], &[0; 1_000]].concat();
    let cases: [(&str, &str, Vec<u8>, u16); 14] = [
        ("deep arrays", json, b"[".repeat(60_000), 400),
        ("deep objects", json, br#"{"a":"#.repeat(10_000), 400),
        ("deep and whole", json, [b"[".repeat(30_000), b"]".repeat(30_000)].concat(), 400),
        ("deep in a field", json, [&br#"{"to":"#[..], &b"[".repeat(30_000), &b"]".repeat(30_000), b"}"].concat(), 400),
        (
            "deep in what is not known",
            json,
            [&br#"{"x":"#[..], &b"[".repeat(300), &b"]".repeat(300), b"}"].concat(),
            400,
        ),
        ("too large", json, [&br#"{"to":""#[..], &b"x".repeat(140_000), br#""}"#].concat(), 413),
        ("a number beyond numbers", json, br#"{"to":"+12125550001","text":1e999999}"#.to_vec(), 400),
        ("half a character", json, br#"{"to":"+12125550001","text":"\ud800"}"#.to_vec(), 400),
        ("no UTF-8", json, b"{\"to\":\"+12125550001\",\"text\":\"\xff\"}".to_vec(), 400),
        ("the same field twice", json, br#"{"to":"+12125550001","to":"+12125550002","text":"x"}"#.to_vec(), 400),
        ("two values", json, br#"{"to":"+12125550001","text":"x"}{}"#.to_vec(), 400),
        ("packed", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", packed, 400),
        (
            "XML",
            "Content-Type: application/xml\r\n",
            b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>".to_vec(),
            400,
        ),
        ("a form", "Content-Type: application/x-www-form-urlencoded\r\n", b"to=x".to_vec(), 400),
    ];
    for (name, head, body, status) in cases {
        let answer = asked(&server, &token, head, &body);
        assert_eq!(statuses(&answer), [status], "{name}: {answer}");
        assert!(answer.contains("application/problem+json") && !answer.contains("root:"), "{name}: {answer}");
    }
    assert_eq!(get(server.address(), "/healthz").expect("it lives").0, 200);
}

#[test]
fn a_token_is_taken_from_one_place_only() {
    let (server, directory) = start();
    let token = token(directory.path());
    let ask = |path: &str, headers: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n");
        statuses(&exchange(server.address(), request.as_bytes()))
    };
    assert_eq!(ask("/v1/inbox", &format!("Authorization: Bearer {token}\r\n")), [200], "the base case");
    for (path, headers) in [
        (format!("/v1/inbox?access_token={token}"), String::new()),
        ("/v1/inbox".to_owned(), format!("Cookie: token={token}\r\n")),
        ("/v1/inbox".to_owned(), format!("Authorization: Basic {token}\r\n")),
        ("/v1/inbox".to_owned(), format!("Authorization: Bearer x\r\nAuthorization: Bearer {token}\r\n")),
        ("/v1/inbox".to_owned(), format!("X-Authorization: Bearer {token}\r\n")),
        (
            "/v1/inbox".to_owned(),
            format!("X-Original-URL: /healthz\r\nX-HTTP-Method-Override: GET\r\nX-Token: {token}\r\n"),
        ),
    ] {
        let status = ask(&path, &headers);
        assert_eq!(status, [401], "{path} {headers}");
    }
}
