//! Three real nodes over one CQL server and one Redis: any of them serves, and losing one loses nothing.

mod drills;
mod load;
mod network;
mod people;
mod replies;
mod servers;
mod typed;
#[allow(dead_code, reason = "benches use the rest of it")]
mod world;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinSet;

use self::{load::Load, replies::Replies, world::World};
use crate::{
    crash::follower::Follower,
    stream::world::assert_dense,
    support::{
        clients::{Driver, INBOX, Language},
        process::free_port,
        wait::{until, until_within},
    },
};

/// A takeover on a machine that is busy with other tests.
const TAKEN_OVER: Duration = Duration::from_secs(120);
/// After trouble: a try waits as long as a carrier would before it is made again, and may have to be twice.
const CALM: Duration = Duration::from_secs(120);

/// Texts to some nodes, an operator's own through them, and a dashboard that begins at each of the three, one of which hangs
/// up by itself now and then.
struct Scene {
    load: Arc<Load>,
    replies: Arc<Replies>,
    followers: Arc<[Follower; 3]>,
    /// npm `centrifuge`, which begins at the owner.
    client: Driver,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Scene {
    async fn begin(world: &World, texts_to: Vec<String>) -> Self {
        let followers = [(true, 1), (true, 2), (false, 3)].map(|(steady, seed)| Follower::new(steady, seed));
        let (load, followers) = (Arc::new(Load::default()), Arc::new(followers));
        let (stop, mut tasks) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for first in 0..followers.len() {
            let mut nodes = world.urls();
            nodes.rotate_left(first);
            let (followers, stop, token) = (followers.clone(), stop.clone(), world.token().to_owned());
            tasks.spawn(async move { followers[first].follow(&nodes, &token, &stop).await });
        }
        until("dashboards on three nodes", async || followers.iter().all(Follower::is_connected)).await;
        let mut streams: Vec<String> =
            world.urls().iter().map(|url| format!("{}/v1/stream", url.replacen("http", "ws", 1))).collect();
        streams.rotate_left(world.owner());
        let options = json!({"urls": streams, "token": world.token()});
        let client = Driver::connect(Language::JavaScript, options).await;
        let (texts, nodes) = (load.clone(), texts_to.clone());
        tasks.spawn(async move { texts.run(&nodes).await });
        let replies = Arc::new(Replies::default());
        let (operator, token) = (replies.clone(), world.token().to_owned());
        tasks.spawn(async move { operator.run(&texts_to, &token).await });
        until("texts to be taken", async || load.count() >= 60).await;
        Self { load, replies, followers, client, stop, tasks }
    }

    async fn goes_on(&self) {
        let before = self.load.count();
        until_within(CALM, "it to go on", async || self.load.count() >= before + 60).await;
    }

    /// What everybody saw is the log, without a gap.
    async fn ends(mut self, world: &mut World) {
        self.load.stop();
        self.replies.stop();
        let is_quiet = async || self.load.is_quiet() && self.replies.is_quiet();
        until_within(CALM, "the last texts to be taken", is_quiet).await;
        self.replies.leave(world).await;
        let end = world.head();
        let show = async || self.followers.iter().all(|follower| follower.look(|view| view.position() >= end));
        until_within(CALM, "dashboards to show all of it", show).await;
        shows_all_to(end, &mut self.client).await;
        self.stop.store(true, Ordering::Relaxed);
        world.end();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let wrong: Vec<String> =
            self.followers.iter().flat_map(|follower| follower.look(|view| view.wrong.clone())).collect();
        assert!(wrong.is_empty(), "{} findings, the first: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
        eprintln!("{}", world.verified());
        let log = world.command(0, &["inspect", "--tenant", "demo", "--personal"]);
        self.load.is_once_each_in(&log);
        Replies::left_once_each_and_no_faster_than_allowed(world);
    }
}

/// The protocol's own client has seen every event since it first came, each once, and resumed wherever it had to.
async fn shows_all_to(end: u64, client: &mut Driver) {
    let (mut first, mut seen, mut resumed) = (None, Vec::new(), 0);
    while seen.last() != Some(&end) {
        let event = client.next().await;
        assert!(event["channel"].is_null() || event["channel"] == INBOX, "{event}");
        match event["event"].as_str() {
            Some("subscribed") if first.is_none() => first = event["offset"].as_u64(),
            Some("subscribed") => {
                assert_eq!(event["recovered"], true, "{event}");
                resumed += 1;
            }
            Some("publication") => seen.push(event["offset"].as_u64().unwrap()),
            _ => assert_ne!(event["event"], "disconnected", "it gave up: {event}"),
        }
    }
    assert_dense(&seen, first.expect("it subscribed first"), end);
    eprintln!("npm centrifuge saw {} events and resumed {resumed} times", seen.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_serves_and_a_killed_owner_loses_nothing_and_leaves_no_gap() {
    let mut world = World::start("killed").await;
    let scene = Scene::begin(&world, world.urls()).await;
    let owner = world.owner();
    world.call_back((owner + 1) % 3);
    world.kill(owner);
    let (load, before, since) = (&scene.load, scene.load.count(), std::time::Instant::now());
    until_within(TAKEN_OVER, "texts to be taken again", async || load.count() > before + 20).await;
    eprintln!("20 texts were taken {:?} after the kill; the longest wait was {:?}", since.elapsed(), load.longest());
    assert_ne!(world.owner(), owner, "another node has taken it over");
    scene.goes_on().await;
    says_who_took_over(&world, owner);
    assert!(scene.followers[owner].look(|view| view.resumed) > 0, "the dead node's dashboard went on at another");
    scene.ends(&mut world).await;
}

/// `cluster status`, in both its forms.
fn says_who_took_over(world: &World, lost: usize) {
    let (at, owner) = ((lost + 1) % 3, world.owner());
    let json: serde_json::Value = serde_json::from_str(&world.command(at, &["cluster", "status", "--json"])).unwrap();
    let members = json["members"].as_array().unwrap();
    let heir = members.iter().find(|member| member["node"] == world.name(owner)).unwrap();
    assert!(heir["tenants"].as_u64() >= Some(1) && heir["takeovers"].as_u64() >= Some(1), "{heir}");
    assert!(heir["last_takeover"].is_number() && heir["state"] == "serving", "{heir}");
    let follows = |member: &serde_json::Value| member["followed"].as_u64() >= Some(1) && member["behind"].is_number();
    assert!(members.iter().any(follows), "{json}");
    let table = world.command(at, &["cluster", "status"]);
    let mut lines = table.lines();
    let heads: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    for head in ["NODE", "STATE", "TENANTS", "FOLLOWED", "BEHIND", "TAKEOVERS", "FORWARDED"] {
        assert!(heads.contains(&head), "{table}");
    }
    assert!(lines.any(|line| line.starts_with(world.name(owner)) && line.contains("serving")), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_gives_its_tenants_away_and_nothing_is_refused() {
    let mut world = World::start("stopped").await;
    let owner = world.owner();
    // Carriers have been told of the others.
    let mut urls = world.urls();
    urls.remove(owner);
    let scene = Scene::begin(&world, urls).await;
    // Before that some nodes had not heard of the account's secret.
    let refused = scene.load.refused();
    world.call_back((owner + 1) % 3);
    let status = world.terminate(owner);
    assert!(status.success(), "{status}");
    assert_ne!(world.owner(), owner, "it was given away");
    scene.goes_on().await;
    assert_eq!(scene.load.refused(), refused, "not one was refused");
    scene.ends(&mut world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_secret_is_not_heard_does_not_start_and_both_sides_say_so() {
    let world = World::start_some("secret", 1).await;
    let port = free_port();
    let mut stranger = world.stranger(port);
    until("both sides to say so", async || {
        world.log(0).contains("not signed with this cluster's secret")
            && stranger.log().contains("cluster.secret_file holds another secret")
    })
    .await;
    let status: serde_json::Value = serde_json::from_str(&world.command(0, &["cluster", "status", "--json"])).unwrap();
    assert_eq!(status["members"].as_array().unwrap().len(), 1, "{status}");
    // It has the same store: alone it would take every tenant for nobody's. Nor does it when it is started again at once.
    for what in ["it to give up", "it to give up again"] {
        until(what, async || stranger.ended().is_some_and(|ended| !ended.success())).await;
        assert!(stranger.log().lines().last().unwrap_or_default().contains("another secret"), "{}", stranger.log());
        stranger = world.stranger(port);
    }
    until("the third to give up", async || stranger.ended().is_some()).await;
    assert_eq!(world.takeovers(), 0, "nobody was disturbed");
}
