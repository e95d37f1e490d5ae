//! npm `ws` and PyPI `websockets` against the stream: they offer compression, fragment, flood and break frames, and see
//! the codes that RFC 6455 wants. `scripts/setup-clients.sh` installs them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use schema::role::Role;
use serde_json::{Value, json};

use crate::stream::world::World;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn installed(path: &str) -> PathBuf {
    let path = root().join(".cache/clients").join(path);
    assert!(path.exists(), "{} is missing: run scripts/setup-clients.sh", path.display());
    path
}

/// What each case's client saw.
async fn played(world: &World, mut command: Command) -> Vec<Value> {
    command.arg(json!({"url": world.url(), "token": world.token("ana", Role::Operator)}).to_string());
    let command = tokio::task::spawn_blocking(move || command.stderr(Stdio::inherit()).output());
    let output = command.await.unwrap().expect("the client starts");
    assert!(output.status.success(), "the client failed: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn check(seen: &[Value], wanted: &[(&str, u64, u64)]) {
    let got: Vec<_> = seen.iter().map(|one| (one["name"].as_str().unwrap(), &one["replies"], &one["code"])).collect();
    let wanted: Vec<_> = wanted.iter().map(|(name, replies, code)| (*name, json!(replies), json!(code))).collect();
    let wanted: Vec<_> = wanted.iter().map(|(name, replies, code)| (*name, replies, code)).collect();
    assert_eq!(got, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_ws_sees_the_codes_that_the_standard_wants() {
    let world = World::start().await;
    let mut command = Command::new("node");
    command.arg(root().join("tests/clients/js/sockets.mjs")).arg(installed("js"));
    let seen = played(&world, command).await;
    let wanted = [
        ("whole", 1, 1000),
        ("compressed if it may", 1, 1000),
        ("fragments", 1, 1000),
        ("pings", 1, 1000),
        ("binary", 0, 3506),
        ("too large", 0, 1009),
        ("no utf-8", 0, 1007),
        ("reserved bits", 0, 1002),
        ("an unknown opcode", 0, 1002),
        ("not masked", 0, 1002),
        ("goodbye", 0, 4321),
    ];
    check(&seen, &wanted);
    assert!(seen.iter().all(|one| one["extensions"] == ""), "nothing is agreed on: {seen:?}");
    assert_eq!(seen[3]["pongs"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn pypi_websockets_sees_the_codes_that_the_standard_wants() {
    let world = World::start().await;
    let mut command = Command::new(installed("python/venv/bin/python"));
    command.arg(root().join("tests/clients/python/sockets.py"));
    let seen = played(&world, command).await;
    let wanted = [
        ("whole", 1, 1000),
        ("fragments", 1, 1000),
        ("pings", 1, 1000),
        ("binary", 0, 3506),
        ("too large", 0, 1009),
        ("no utf-8", 0, 1007),
        ("compressed", 0, 1002),
        ("a fragment of nothing", 0, 1002),
        ("a fragmented ping", 0, 1002),
        ("goodbye", 0, 4321),
    ];
    check(&seen, &wanted);
    assert!(seen.iter().all(|one| one["extensions"] == 0), "nothing is agreed on: {seen:?}");
}
