//! Slow readers, shutdown, restart, and a feed that falls behind its log.

use std::time::Duration;

use actors::engine::Limits;
use deskwire::session::StreamLimits;
use futures_util::StreamExt as _;
use schema::role::Role;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::world::{DEADLINE, World, assert_dense, limits, offsets};

#[tokio::test]
async fn a_reader_that_is_slow_is_served_at_its_own_pace_and_misses_nothing() {
    let feed = actors::feed::FeedConfig { ring_events: 100, ..Default::default() };
    let world = World::with(limits(), Limits { feed, ..Limits::default() }).await;
    let mut slow = world.connect("ana", Role::Admin).await;
    let start = world.head().await;
    world.receive_many(1, 5_000).await;
    let head = world.head().await;
    assert_dense(&slow.offsets("inbox:demo", head).await, start, head);
}

#[tokio::test]
async fn a_transport_that_takes_nothing_is_closed_as_slow_and_harms_nobody() {
    let stuck = StreamLimits { write_stall: Duration::from_millis(200), close_within: DEADLINE, ..limits() };
    let world = World::with(stuck, Limits::default()).await;
    let mut stuck = world.connect("ana", Role::Admin).await;
    let mut fine = world.connect("bob", Role::Admin).await;
    let start = world.head().await;
    let text = "x".repeat(1_500);
    // More than the kernel holds between two sockets: some megabytes.
    while world.engine.tenant(&super::world::tenant()).await.unwrap().presence().count().0 == 2 {
        for _ in 0..200 {
            world.receive(1, &text).await;
        }
        let head = world.head().await;
        fine.offsets("inbox:demo", head).await;
    }
    let head = world.head().await;
    assert!(head > start);
    let mut seen = start;
    let (code, reason) = loop {
        match tokio::time::timeout(DEADLINE, stuck.socket.next()).await.expect("in time") {
            Some(Ok(Message::Text(text))) => {
                for line in text.split('\n') {
                    let frame: serde_json::Value = serde_json::from_str(line).unwrap();
                    if let Some(offset) = frame["push"]["pub"]["offset"].as_u64() {
                        assert_eq!(offset, seen + 1, "what did arrive is in order and without a gap");
                        seen = offset;
                    }
                }
            }
            Some(Ok(Message::Close(Some(frame)))) => break (u16::from(frame.code), frame.reason.to_string()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((code, reason.as_str()), (3008, "slow"));
    assert!(seen < head, "it was behind when it was closed");
}

#[tokio::test]
async fn shutdown_closes_everybody_in_turn_and_lets_nobody_in() {
    let world = World::start().await;
    let mut clients = Vec::new();
    for number in 0..10 {
        clients.push(world.connect(&format!("operator{number}"), Role::Operator).await);
    }
    let state = world.state.clone();
    let drained = tokio::spawn(async move { state.drain().await });
    let closing = clients.iter_mut().map(|client| client.closed());
    let verdicts = futures_util::future::join_all(closing).await;
    assert!(verdicts.iter().all(|verdict| *verdict == (3001, "shutdown".into())), "{verdicts:?}");
    drained.await.unwrap();
    assert_eq!(world.state.connections(), 0);
    let Err(Error::Http(response)) = tokio_tungstenite::connect_async(world.url()).await else { panic!("let in") };
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn a_restart_keeps_epoch_and_positions() {
    let world = World::start().await;
    world.receive_many(1, 50).await;
    let (epoch, seen) = (world.epoch().await, world.head().await - 10);
    let mut client = world.connect("ana", Role::Admin).await;
    let (world, verdict) = tokio::join!(world.restart(), client.closed());
    assert_eq!(verdict.0, 3001);
    world.receive(1, "after the restart").await;
    let head = world.head().await;
    let (_client, inbox) = world.resume(&epoch, seen).await;
    assert_eq!(inbox["recovered"], true);
    let got = offsets(&inbox);
    assert_dense(&got, seen, head);
}

#[tokio::test]
async fn a_tenant_that_stops_sends_its_readers_to_come_back() {
    let world = World::start().await;
    let mut client = world.connect("ana", Role::Admin).await;
    world.engine.drain(Duration::from_secs(5)).await;
    assert_eq!(client.closed().await, (3010, "insufficient state".into()));
}

#[tokio::test]
async fn pushes_that_fall_behind_the_log_end_the_connection() {
    use actors::ports::Log as _;
    let quick =
        StreamLimits { ping_every: Duration::from_millis(50), position_lag: Duration::from_millis(100), ..limits() };
    let world = World::with(quick, Limits::default()).await;
    let mut client = world.connect("ana", Role::Admin).await;
    assert!(client.call("ping", json!({})).await["ping"].is_object());
    // Something that this node did not publish is in the log: another owner is at work.
    let feed = schema::ids::FeedId::of(&super::world::tenant());
    let mut batch = world.log.batches(&feed).pop().unwrap();
    let head = world.log.head(&feed).await.unwrap();
    batch.header.number = head.next_batch;
    batch.header.first = head.next_offset;
    batch.header.id = schema::ids::BatchId(uuid::Uuid::from_u128(1));
    world.log.append(batch).await.unwrap();
    assert_eq!(client.closed().await, (3010, "insufficient state".into()));
}
