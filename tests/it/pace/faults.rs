//! Redis killed, emptied, stopped, failed over, and a node cut off from it, while three nodes send as fast as they may:
//! no second holds more than the limit, and it is used again by itself.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::world::{LIMIT, Node, Sent, account, grants, now, options};
use crate::support::{
    redis::Redis,
    wait::{pace, until, until_within},
};
use deskwire::limit::{RedisGrants, RedisOptions};

fn three(redis: &Redis, sent: &Sent) -> Vec<Node> {
    (0..3).map(|number| Node::start(number, 3, Arc::new(grants(redis)), &account(), sent)).collect()
}

/// All three send at once at the whole rate.
async fn all_at_full_rate(nodes: &[Node], sent: &mut Sent) {
    until("every node to be there", async || nodes.iter().all(Node::is_here)).await;
    until_within(Duration::from_secs(30), "the whole rate to be used", async || {
        let since = now();
        pace(Duration::from_secs(2)).await;
        sent.used(since, LIMIT) > 0.93
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_use_one_account_whole_and_never_more() {
    let redis = Redis::start();
    let mut sent = Sent::new();
    let nodes = three(&redis, &sent);
    all_at_full_rate(&nodes, &mut sent).await;
    // What is not used because this machine did something else says nothing of shares: the best of some stretches.
    until_within(Duration::from_secs(60), "97 % of the limit over five seconds", async || {
        let since = now();
        pace(Duration::from_secs(5)).await;
        sent.used(since, LIMIT) >= 0.97
    })
    .await;
    let since = now();
    pace(Duration::from_secs(2)).await;
    for node in 0..3 {
        assert!(sent.of(node, since) > 15, "node {node} has a third: {}", sent.of(node, since));
    }
    assert_eq!(sent.violations(LIMIT), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_and_started_empty_lets_nobody_send_faster() {
    let mut redis = Redis::start();
    let mut sent = Sent::new();
    let nodes = three(&redis, &sent);
    all_at_full_rate(&nodes, &mut sent).await;
    redis.kill();
    until("every node to notice", async || nodes.iter().all(|node| !node.is_here())).await;
    let since = now();
    until("each node to send its part without a server", async || (0..3).all(|node| sent.of(node, since) > 100)).await;
    redis.restart();
    all_at_full_rate(&nodes, &mut sent).await;
    redis.ask(&["FLUSHALL"]).unwrap();
    until("every node to notice", async || nodes.iter().any(|node| !node.is_here())).await;
    all_at_full_rate(&nodes, &mut sent).await;
    assert_eq!(sent.violations(LIMIT), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_stands_still_lets_nobody_send_faster() {
    let redis = Redis::start();
    let mut sent = Sent::new();
    let nodes = three(&redis, &sent);
    all_at_full_rate(&nodes, &mut sent).await;
    for stretch in [Duration::from_millis(700), Duration::from_secs(5)] {
        redis.signal("STOP");
        pace(stretch).await;
        redis.signal("CONT");
        all_at_full_rate(&nodes, &mut sent).await;
    }
    assert_eq!(sent.violations(LIMIT), 0);
}

/// A way to a server that can be closed without a word: what goes in stays there.
async fn way(to: u16) -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, (open, is_open)) = (listener.local_addr().unwrap().port(), watch::channel(true));
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut near, _)) = listener.accept().await {
            if !*is_open.borrow() {
                silent.push(near);
                continue;
            }
            let mut is_open = is_open.clone();
            tokio::spawn(async move {
                let Ok(mut far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = is_open.wait_for(|open| !open) => {}
                }
            });
        }
    });
    (port, open)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_sends_its_part_and_the_others_leave_it_free() {
    let redis = Redis::start();
    let mut sent = Sent::new();
    let (port, open) = way(redis.port()).await;
    let cut = RedisGrants::new(&options(format!("redis://127.0.0.1:{port}"))).unwrap();
    let mut nodes = vec![Node::start(0, 3, Arc::new(cut), &account(), &sent)];
    nodes.extend((1..3).map(|number| Node::start(number, 3, Arc::new(grants(&redis)), &account(), &sent)));
    all_at_full_rate(&nodes, &mut sent).await;
    open.send_replace(false);
    until("the node to notice", async || !nodes[0].is_here()).await;
    let since = now();
    until("it to send its part", async || sent.of(0, since) > 5 * LIMIT as usize / 3).await;
    assert!(nodes[1].is_here() && nodes[2].is_here());
    // Nothing of it is lent while it is away, nor is its return noticed by anybody but the meter.
    open.send_replace(true);
    all_at_full_rate(&nodes, &mut sent).await;
    assert_eq!(sent.violations(LIMIT), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_busy_node_has_what_idle_ones_do_not_use_and_gives_way_when_they_come() {
    let redis = Redis::start();
    let mut sent = Sent::new();
    let idle = unused();
    let mut nodes = vec![Node::start(0, 3, Arc::new(grants(&redis)), &account(), &sent)];
    nodes.extend((1..3).map(|number| Node::start(number, 3, Arc::new(grants(&redis)), &idle, &sent)));
    all_at_full_rate(&nodes, &mut sent).await;
    let since = now();
    nodes.push(Node::start(3, 3, Arc::new(grants(&redis)), &account(), &sent));
    drop(nodes.remove(1));
    until("who came later to have its part", async || sent.of(3, since) > 4 * LIMIT as usize / 3).await;
    let first: Vec<_> = sent.all().iter().filter(|(at, _)| *at >= since).copied().collect();
    assert!(first.iter().any(|(_, node)| *node == 0), "and the first still sends");
    assert_eq!(sent.violations(LIMIT), 0);
}

/// Limits of lanes that may never send.
fn unused() -> schema::settings::LimitSettings {
    schema::settings::LimitSettings { number_per_s: Some(0), ..account() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_by_sentinels_lets_nobody_send_faster() {
    let mut master = Redis::start();
    let replica = Redis::start();
    replica.ask(&["REPLICAOF", "127.0.0.1", &master.port().to_string()]).unwrap();
    until("the replica to follow", async || {
        master.ask(&["INFO", "replication"]).is_some_and(|text| text.contains("state=online"))
    })
    .await;
    let sentinels: Vec<Redis> = (0..3).map(|_| Redis::sentinel(&master, 2)).collect();
    until("the Sentinels to know each other and the replica", async || {
        sentinels.iter().all(|sentinel| {
            let known = sentinel.ask(&["SENTINEL", "MASTER", "deskwire"]).unwrap_or_default().replace("\r\n", " ");
            known.contains("num-slaves $1 1") && known.contains("num-other-sentinels $1 2")
        })
    })
    .await;
    let addresses: Vec<String> = sentinels.iter().map(Redis::address).collect();
    let by_sentinels = || RedisOptions { sentinels: addresses.clone(), ..options(String::new()) };
    let mut sent = Sent::new();
    let node = |number| {
        let grants = RedisGrants::new(&by_sentinels()).unwrap();
        Node::start(number, 3, Arc::new(grants), &account(), &sent)
    };
    let nodes: Vec<Node> = (0..3).map(node).collect();
    all_at_full_rate(&nodes, &mut sent).await;
    master.kill();
    until("every node to notice", async || nodes.iter().all(|node| !node.is_here())).await;
    until_within(Duration::from_secs(40), "the replica to be the master", async || {
        replica.ask(&["ROLE"]).is_some_and(|role| role.contains("master"))
    })
    .await;
    all_at_full_rate(&nodes, &mut sent).await;
    assert_eq!(sent.violations(LIMIT), 0);
}
