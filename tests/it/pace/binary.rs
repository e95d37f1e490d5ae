//! The real binary under a limit that it shares through a real Redis: texts leave at the shared rate and never faster,
//! by the simulated carrier's meter, also while Redis is killed and started again; the queue says how the line stands.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use loadtest::{
    carrier::{Chance, Faults},
    meter::Limits,
};
use serde_json::{Value, json};

use crate::{
    crash::world::World,
    support::{
        redis::Redis,
        wait::{pace, until, until_within},
    },
};

/// Segments a second of the account, and of this node: the other's half is kept free, since nobody has heard of it.
const ACCOUNT_PER_S: u32 = 16;
const OURS_PER_S: u32 = 8;
const TEXTS: usize = 140;
const WITHIN: Duration = Duration::from_secs(60);

fn environment(redis: &Redis) -> Vec<(String, String)> {
    let keys = [
        ("DESKWIRE__LIMITS__KIND", "redis".to_owned()),
        ("DESKWIRE__LIMITS__MEMBERS", "2".to_owned()),
        ("DESKWIRE__REDIS__URL", redis.url()),
        ("DESKWIRE__REDIS__SLICE_MAX_MS", "1000".to_owned()),
        ("DESKWIRE__REDIS__ANSWER_WITHIN_MS", "250".to_owned()),
    ];
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Null: not to be had now.
async fn standing(world: &World, token: &str) -> Value {
    let url = format!("{}/v1/admin/queue", world.url);
    let answer = world.client().get(url).bearer_auth(token).send().await.unwrap();
    if answer.status() == 429 {
        return Value::Null;
    }
    let page: Value = answer.json().await.unwrap();
    let lines = page["pace"].as_array().unwrap_or_else(|| panic!("a shared limit: {page}"));
    assert_eq!((lines.len(), lines[0]["channel"].as_str()), (1, Some("demo-line")), "{page}");
    lines[0]["standing"].clone()
}

async fn metrics(world: &World) -> String {
    world.client().get(format!("{}/metrics", world.url)).send().await.unwrap().text().await.unwrap()
}

async fn write_to(world: &World, people: usize) {
    let (client, url) = (world.client(), format!("{}/v1/messages", world.url));
    let write = |person: usize| {
        let body = json!({"to": format!("+1212556{person:04}"), "text": "on our way", "channel": "demo-line"});
        let request = client.post(&url).bearer_auth(&world.token).json(&body);
        async move {
            // The rate of one operator is bounded: told to come back, it does.
            until_within(WITHIN, "the text to be taken", async || {
                let status = request.try_clone().unwrap().send().await.unwrap().status();
                assert!(status.is_success() || status == 429, "{status}");
                status.is_success()
            })
            .await;
        }
    };
    stream::iter((0..people).map(write)).buffer_unordered(16).collect::<Vec<()>>().await;
}

/// The best of some stretches: what this machine did else says nothing of limits.
async fn leave_at_least(world: &World, per_s: f64) {
    until_within(WITHIN, "texts to leave at the rate", async || {
        let before = world.carrier.meter().texts;
        pace(Duration::from_secs(3)).await;
        let left = world.carrier.meter().texts - before;
        left as f64 >= per_s * 3.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_sends_at_the_shared_rate_and_never_faster_whatever_becomes_of_redis() {
    let mut redis = Redis::start();
    // The carrier holds this node to its own half.
    let limits = Limits { account_per_s: Some(OURS_PER_S), number_per_s: Some(50), ..Limits::default() };
    let (world, server) = World::start_limited(&Chance::new(11), environment(&redis), &limits).await;
    world.carrier.set_faults(Faults::default());
    // Who looks has a rate of its own.
    let token = world.command(&["token", "--tenant", "demo", "--operator", "watcher", "--role", "admin"]);
    let url = format!("{}/v1/admin/channels/demo-line/limits", world.url);
    let limits = json!({"number_per_s": 50, "account_per_s": ACCOUNT_PER_S});
    let raised = world.client().put(url).bearer_auth(&world.token).json(&limits).send().await.unwrap();
    assert!(raised.status().is_success());
    assert_eq!(standing(&world, &token).await, "degraded", "nothing was granted yet: the settling of a new Redis");
    write_to(&world, TEXTS).await;
    until_within(WITHIN, "a part of the limit", async || standing(&world, &token).await == "granted").await;
    leave_at_least(&world, f64::from(OURS_PER_S) * 0.8).await;
    let counted = metrics(&world).await;
    assert!(counted.contains("deskwire_pace_shared 1"), "{counted}");
    assert!(counted.contains("deskwire_pace_levels{standing=\"granted\"} 1"), "{counted}");

    redis.kill();
    until("the loss to be noticed", async || standing(&world, &token).await == "degraded").await;
    until("the loss to be counted", async || {
        let counted = metrics(&world).await;
        counted.contains("deskwire_pace_shared 0")
            && counted.contains("deskwire_pace_levels{standing=\"degraded\"} 1")
            && counted.contains("deskwire_pace_levels{standing=\"granted\"} 0")
    })
    .await;
    leave_at_least(&world, f64::from(OURS_PER_S) * 0.8).await;
    redis.restart();
    until_within(WITHIN, "a part of the limit again", async || standing(&world, &token).await == "granted").await;
    until_within(WITHIN, "everything to arrive", async || world.carrier.meter().texts >= TEXTS as u64).await;
    until_within(WITHIN, "nothing to be wanted", async || standing(&world, &token).await == "idle").await;
    assert!(server.terminate().success());
    let meter = world.carrier.meter();
    assert_eq!((meter.texts, meter.violations), (TEXTS as u64, 0), "each once, and none too fast: {meter:?}");
    let departed = world.carrier.departures();
    assert_eq!((departed.texts, departed.violations), (TEXTS as u64, 0), "let go no faster: {departed:?}");
}
