//! Three real nodes over one CQL server and one Redis: any of them serves, and losing one loses nothing.

mod load;
mod world;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use self::{load::Load, world::World};
use crate::{
    crash::follower::Follower,
    support::wait::{until, until_within},
};

/// A takeover on a machine that is busy with other tests.
const TAKEN_OVER: Duration = Duration::from_secs(60);

/// Dashboards on every node, one of which hangs up by itself now and then.
fn followers() -> [Follower; 3] {
    [(true, 1), (true, 2), (false, 3)].map(|(steady, seed)| Follower::new(steady, seed))
}

/// What everybody saw is the log, without a gap.
fn check(world: &World, load: &Load, followers: &[Follower]) {
    let wrong: Vec<String> = followers.iter().flat_map(|follower| follower.look(|view| view.wrong.clone())).collect();
    assert!(wrong.is_empty(), "{} findings, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    let verified = world.command(0, &["verify"]);
    eprintln!("{verified}");
    let log = world.command(0, &["inspect", "--tenant", "demo", "--personal"]);
    load.is_once_each_in(&log);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_serves_and_a_killed_owner_loses_nothing_and_leaves_no_gap() {
    let mut world = World::start("killed").await;
    let (load, stop, followers) = (Load::default(), AtomicBool::new(false), followers());
    let owner = world.owner();
    let (urls, tokens) = (world.urls(), world.tokens());
    let all = async {
        until("dashboards on three nodes", async || followers.iter().all(Follower::is_connected)).await;
        let before = load.count();
        until("every node to take webhooks", async || load.count() >= before + 60).await;
        world.kill(owner);
        let (before, since) = (load.count(), std::time::Instant::now());
        until_within(TAKEN_OVER, "webhooks to be taken again", async || load.count() > before + 20).await;
        eprintln!(
            "20 texts were taken {:?} after the kill; the longest wait was {:?}",
            since.elapsed(),
            load.longest()
        );
        assert_ne!(world.owner(), owner, "another node has taken it over");
        let before = load.count();
        until("it to go on", async || load.count() >= before + 60).await;
        stop.store(true, Ordering::Relaxed);
        let end = world.head();
        let here: Vec<&Follower> = (0..3).filter(|node| *node != owner).map(|node| &followers[node]).collect();
        until("dashboards to show all of it", async || {
            here.iter().all(|follower| follower.look(|view| view.position() >= end))
        })
        .await;
        // Followers end with their connections.
        world.end();
    };
    tokio::join!(
        all,
        load.run(&urls, &stop),
        followers[0].follow(&urls[0], &tokens[0], &stop),
        followers[1].follow(&urls[1], &tokens[1], &stop),
        followers[2].follow(&urls[2], &tokens[2], &stop),
    );
    check(&world, &load, &followers);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_gives_its_tenants_away_and_nothing_is_refused() {
    let mut world = World::start("stopped").await;
    let (load, stop, followers) = (Load::default(), AtomicBool::new(false), followers());
    let owner = world.owner();
    // Carriers have been told of the others.
    let urls: Vec<String> =
        world.urls().into_iter().enumerate().filter(|(node, _)| *node != owner).map(|(_, url)| url).collect();
    let all = async {
        until("webhooks to be taken", async || load.count() >= 40).await;
        // Before that some nodes had not heard of the account's secret.
        let refused = load.refused();
        let status = tokio::task::block_in_place(|| world.terminate(owner));
        assert!(status.success(), "{status}");
        assert_ne!(world.owner(), owner, "it was given away");
        let before = load.count();
        until("it to go on", async || load.count() >= before + 60).await;
        stop.store(true, Ordering::Relaxed);
        refused
    };
    let (refused, ()) = tokio::join!(all, load.run(&urls, &stop));
    assert_eq!(load.refused(), refused, "not one was refused");
    world.end();
    check(&world, &load, &followers);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_secret_is_not_heard_and_both_sides_say_so() {
    let world = World::start_some("secret", 1).await;
    let stranger = world.stranger();
    until("both sides to say so", async || {
        world.log(0).contains("not signed with this cluster's secret")
            && stranger.log().contains("cluster.secret_file holds another secret")
    })
    .await;
    let status: serde_json::Value = serde_json::from_str(&world.command(0, &["cluster", "status", "--json"])).unwrap();
    assert_eq!(status["members"].as_array().unwrap().len(), 1, "{status}");
}
