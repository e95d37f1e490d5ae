//! Drills: nodes that lose each other, that stand still, whose clocks step, that lose Redis, and that are started again one
//! after the other, under texts to all of them.

use std::time::{Duration, Instant};

use super::{Scene, TAKEN_OVER, world::World};
use crate::{
    faults::preload::{Faults, Slot},
    support::{
        process::short_or_long,
        wait::{pace, until_within},
    },
};

/// How long nodes do not reach each other, and in the long form.
const CUT: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(120));
/// How long a node stands still.
const STILL: Duration = Duration::from_secs(30);
/// How long Redis is away, and how long it stands still.
const WITHOUT: Duration = Duration::from_secs(10);
/// Until a tenant is where the hash wants it, on a busy machine.
const SETTLED: Duration = Duration::from_secs(5);
/// How far a clock steps.
const MINUTES_5_US: i64 = 300_000_000;
/// Texts that are taken in a drill, where each may wait for one node after the other.
const SOME: usize = 12;

/// Texts are taken, also now.
async fn takes_some(scene: &Scene, what: &str) {
    let before = scene.load.count();
    until_within(TAKEN_OVER, what, async || scene.load.count() >= before + SOME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_lose_each_other_commit_nothing_twice_and_their_duel_ends_by_itself() {
    let mut world = World::start_apart("cut").await;
    let scene = Scene::begin(&world, world.urls()).await;
    for drill in ["one way", "both ways", "alone"] {
        let owner = world.owner();
        let (one, other) = ((owner + 1) % 3, (owner + 2) % 3);
        let lost = match drill {
            "one way" => vec![(owner, one)],
            "both ways" => vec![(owner, one), (one, owner)],
            _ => vec![(owner, one), (one, owner), (owner, other), (other, owner)],
        };
        let (before, since, takeovers) = (scene.load.count(), Instant::now(), world.takeovers());
        lost.iter().for_each(|(from, to)| world.cut(*from, *to));
        pace(short_or_long(CUT)).await;
        takes_some(&scene, "texts to be taken by nodes that have lost each other").await;
        let (taken, cut) = (scene.load.count() - before, since.elapsed());
        lost.iter().for_each(|(from, to)| world.heal(*from, *to));
        scene.goes_on().await;
        let takeovers = world.takeovers() - takeovers;
        eprintln!("{drill}: {taken} texts in {cut:?}, {takeovers} takeovers; longest wait {:?}", scene.load.longest());
        // A duel's pauses double: it does not go on as fast as the store can.
        assert!(takeovers <= short_or_long((60, 120)), "{drill}: {takeovers} takeovers in {cut:?}");
    }
    scene.ends(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_stood_still_writes_nothing_more_and_finds_its_place() {
    let mut world = World::start("still").await;
    let scene = Scene::begin(&world, world.urls()).await;
    let owner = world.owner();
    world.call_back((owner + 1) % 3);
    world.signal(owner, "STOP");
    let since = Instant::now();
    takes_some(&scene, "texts to be taken by those who move").await;
    eprintln!("{SOME} texts were taken {:?} after the owner stood still", since.elapsed());
    assert_ne!(world.owner(), owner, "another node has taken it over");
    pace(STILL.saturating_sub(since.elapsed())).await;
    world.signal(owner, "CONT");
    scene.goes_on().await;
    scene.ends(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_clocks_step_keep_one_order_through_takeovers() {
    let faults = [(); 3].map(|()| Faults::new());
    let mut world = World::start_with("clocks", &faults.each_ref().map(|faults| faults.environment().into())).await;
    world.clocks_agree = false;
    let scene = Scene::begin(&world, world.urls()).await;
    let owner = world.owner();
    faults[owner].set(Slot::ClockOffsetUs, MINUTES_5_US);
    faults[(owner + 1) % 3].set(Slot::ClockOffsetUs, -MINUTES_5_US);
    takes_some(&scene, "texts to be taken by nodes ten minutes apart").await;
    // Whoever follows an owner from the future gives no event an earlier time.
    world.call_back((owner + 2) % 3);
    world.kill(owner);
    takes_some(&scene, "texts to be taken after the kill").await;
    assert_ne!(world.owner(), owner, "another node has taken it over");
    scene.goes_on().await;
    scene.ends(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_without_redis_take_texts_send_on_and_never_faster() {
    let mut world = World::start("redis").await;
    let scene = Scene::begin(&world, world.urls()).await;
    for what in ["killed", "stopped"] {
        let (taken, left) = (scene.load.count(), world.carrier.meter().texts);
        match what {
            "killed" => world.redis.kill(),
            _ => world.redis.signal("STOP"),
        }
        pace(WITHOUT).await;
        takes_some(&scene, "texts to be taken without Redis").await;
        let leave = async || world.carrier.meter().texts > left + 3;
        until_within(TAKEN_OVER, "replies to leave without Redis", leave).await;
        let (taken, left) = (scene.load.count() - taken, world.carrier.meter().texts - left);
        eprintln!("Redis {what}: {taken} texts were taken, {left} left");
        match what {
            "killed" => tokio::task::block_in_place(|| world.redis.restart()),
            _ => world.redis.signal("CONT"),
        }
        scene.goes_on().await;
    }
    scene.ends(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_started_again_one_after_the_other_lose_nothing() {
    let mut world = World::start("rolling").await;
    let scene = Scene::begin(&world, world.urls()).await;
    for node in 0..3 {
        world.call_back((node + 1) % 3);
        let status = world.terminate(node);
        assert!(status.success(), "{status}");
        takes_some(&scene, "texts to be taken by the others").await;
        tokio::task::block_in_place(|| world.revive(node));
        until_within(TAKEN_OVER, "all nodes to serve", async || world.all_serve()).await;
    }
    scene.goes_on().await;
    eprintln!("three restarts: longest wait {:?}", scene.load.longest());
    scene.ends(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_gets_its_tenant_again_and_nothing_is_lost() {
    let settling = ["SETTLE_S", "MOVES_PER_S"].map(|key| (format!("DESKWIRE__CLUSTER__{key}"), "1".to_owned()));
    let mut world = World::start_with("settle", &[(); 3].map(|()| settling.to_vec())).await;
    let scene = Scene::begin(&world, world.urls()).await;
    // Whoever made it may not be whom the hash names.
    pace(SETTLED).await;
    let first = world.owner();
    world.call_back((first + 1) % 3);
    world.kill(first);
    takes_some(&scene, "texts to be taken by another").await;
    assert_ne!(world.owner(), first, "another node has taken it over");
    tokio::task::block_in_place(|| world.revive(first));
    until_within(TAKEN_OVER, "its tenant to come back", async || world.owner() == first).await;
    scene.goes_on().await;
    assert_eq!(world.owner(), first, "it stays");
    eprintln!("a tenant came back: longest wait {:?}", scene.load.longest());
    scene.ends(&mut world).await;
}
