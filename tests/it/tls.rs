//! TLS on the real binary's port: webhooks and streams through it, a certificate replaced under open connections,
//! and everybody who does not speak it.

mod world;

use std::{fs, time::Duration};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::world::{Authority, World};
use crate::support::{
    process::run,
    wait::{DEADLINE, pace, until},
};

#[tokio::test]
async fn a_webhook_and_a_stream_go_over_tls() {
    let world = World::start(&[]).await;
    let mut dashboard = world.dashboard().await;
    assert_eq!(world.webhook("SM00000000000000000000000000000001").await, 200);
    dashboard.read("the text to be pushed", |line| line.to_string().contains("message.received")).await;
    let mut stream = world.handshake().await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()), "h2 was offered first");
    drop(stream.shutdown().await);
    assert!(world.server.terminate().success());
}

#[tokio::test]
async fn a_new_certificate_serves_new_handshakes_while_open_connections_go_on() {
    let world = World::start(&[]).await;
    let mut dashboard = world.dashboard().await;
    assert_eq!(world.shown().await, world.certificate);
    let renewed = world.authority.issue(world.directory.path());
    until("the renewed certificate to be shown", async || world.shown().await == renewed).await;
    let reply = dashboard.ask(2, json!({"rpc": {"method": "inbox.page", "data": {}}})).await;
    assert!(reply.get("rpc").is_some(), "{reply}");
    assert_eq!(world.webhook("SM00000000000000000000000000000002").await, 200);
    dashboard.read("the text to be pushed", |line| line.to_string().contains("message.received")).await;
}

#[tokio::test]
async fn sighup_replaces_the_certificate_at_once_and_ends_nothing() {
    let world = World::start(&[("DESKWIRE__SERVER__TLS_RELOAD_S", "86400")]).await;
    let renewed = world.authority.issue(world.directory.path());
    let id = world.server.id().to_string();
    assert!(std::process::Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    until("the renewed certificate to be shown", async || world.shown().await == renewed).await;
}

#[tokio::test]
async fn a_broken_new_pair_keeps_the_old_one_says_so_once_and_raises_a_metric() {
    let world = World::start(&[]).await;
    let good = fs::read(world.directory.path().join("desk.pem")).unwrap();
    fs::write(world.directory.path().join("desk.pem"), "half a fi").unwrap();
    let metrics = async || world.client.get(world.url("/metrics")).send().await.unwrap().text().await.unwrap();
    until("the metric to rise", async || metrics().await.contains("deskwire_tls_pair_refused 1")).await;
    assert_eq!(world.shown().await, world.certificate);
    // Another fault is another line; by then the first was looked at more than once.
    fs::write(world.directory.path().join("desk.key"), "half a key").unwrap();
    fs::write(world.directory.path().join("desk.pem"), &good).unwrap();
    until("the key to be named", async || world.server.log().contains("server.tls_key")).await;
    assert_eq!(world.server.log().matches("server.tls_certificate").count(), 1, "{}", world.server.log());
    let renewed = world.authority.issue(world.directory.path());
    until("the renewed certificate to be shown", async || world.shown().await == renewed).await;
    until("the metric to fall", async || metrics().await.contains("deskwire_tls_pair_refused 0")).await;
}

#[tokio::test]
async fn who_speaks_plain_http_to_the_tls_port_is_told_and_the_connection_ends_cleanly() {
    let world = World::start(&[]).await;
    let mut stream = world.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().expect("no reset");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("HTTPS only"), "{answer}");
    // Who begins like TLS and goes on with something else gets an alert, not silence.
    let mut stream = world.connect().await;
    stream.write_all(&[22, 3, 1, 0, 5, 99, 0, 0, 1, 0]).await.unwrap();
    let mut alert = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut alert)).await.unwrap().expect("no reset");
    assert_eq!(alert.first(), Some(&21), "{alert:?}");
}

#[tokio::test]
async fn a_slow_handshake_or_a_slow_first_request_is_closed_and_frees_its_place() {
    let few = [("DESKWIRE__SERVER__HEADER_TIMEOUT_MS", "3000"), ("DESKWIRE__SERVER__CONNECTIONS_MAX", "2")];
    let world = World::start(&few).await;
    // The client keeps a connection open; this one takes the second place.
    let mut silent = world.connect().await;
    let mut byte = [0; 1];
    let read = tokio::time::timeout(DEADLINE, silent.read(&mut byte)).await.expect("it is closed");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    // The place is free again. Two thirds of the time pass before the handshake; the first request has the rest.
    let stream = world.connect().await;
    let started = tokio::time::Instant::now();
    pace(Duration::from_millis(2_000)).await;
    let mut shaken = world.handshake_on(stream).await.expect("there is time left");
    let read = tokio::time::timeout(DEADLINE, shaken.read(&mut byte)).await.expect("it is closed");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    assert!(started.elapsed() < Duration::from_millis(4_300), "the handshake's time counts: {:?}", started.elapsed());
}

#[tokio::test]
async fn the_command_line_reaches_its_own_server_and_nobody_who_shows_another_certificate() {
    let world = World::start(&[]).await;
    let output = world.run(&["tenant", "list"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("demo"), "{output:?}");
    let first = fs::read(world.directory.path().join("desk.pem")).unwrap();
    // Broken on purpose: the server stays with what it has, the command line sees another one.
    Authority::new().issue(world.directory.path());
    fs::write(world.directory.path().join("desk.key"), "none").unwrap();
    let output = world.run(&["tenant", "list"]);
    assert!(!output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("another certificate"), "{output:?}");
    fs::write(world.directory.path().join("desk.pem"), first).unwrap();
    assert!(world.run(&["tenant", "list"]).status.success());
}

#[test]
fn a_certificate_that_cannot_be_used_ends_with_64_and_names_its_key_before_anything_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    Authority::new().issue(directory.path());
    fs::write(path("other.key"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let cases = [
        ("desk.pem", "", "server.tls_key = \"\""),
        ("", "desk.key", "server.tls_certificate = \"\""),
        ("missing.pem", "desk.key", "cannot be read"),
        ("desk.pem", "missing.key", "server.tls_key"),
        ("desk.pem", "other.key", "does not belong"),
        ("desk.key", "desk.key", "must hold PEM certificates"),
        ("desk.pem", "desk.pem", "private key in PEM"),
    ];
    let full = |name: &str| if name.is_empty() { String::new() } else { path(name) };
    for (certificate, key, wanted) in cases {
        for command in ["check-config", "serve"] {
            let environment = [
                ("DESKWIRE__SERVER__TLS_CERTIFICATE", full(certificate)),
                ("DESKWIRE__SERVER__TLS_KEY", full(key)),
                ("DESKWIRE__SERVER__PUBLIC_URL", "https://localhost:1".to_owned()),
                ("DESKWIRE__DATA__DIRECTORY", path("data")),
            ];
            let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
            let output = run(&[command], &environment);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(64), "{certificate} {key}: {said}");
            assert!(said.contains(wanted) && said.contains("server.tls_"), "{certificate} {key}: {said}");
        }
    }
    assert!(!directory.path().join("data").exists(), "nothing may be made");
    let plain = [("DESKWIRE__SERVER__TLS_CERTIFICATE", "a.pem"), ("DESKWIRE__SERVER__TLS_KEY", "a.key")];
    let output = run(&["check-config"], &plain);
    assert!(String::from_utf8_lossy(&output.stderr).contains("must begin with https://"), "{output:?}");
}
