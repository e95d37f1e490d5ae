//! An operator's texts to every node in turn; each again, under the same key, at the next node, until one has taken it.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::json;

use super::{CALM, world::World};
use crate::support::wait::{pace, until_within};

/// Slower than the line may send: what is accepted leaves.
const EVERY: Duration = Duration::from_millis(300);
const AGAIN: Duration = Duration::from_millis(50);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Texts whose fate a kill, a pause or a cut leaves unknown: nobody sends them again.
const UNKNOWN_MAX: usize = 6;
/// Until the last of what was accepted has left, on a machine that is busy with other tests.
const LEFT_WITHIN: Duration = Duration::from_secs(60);

/// What was accepted.
#[derive(Default)]
pub struct Replies {
    accepted: AtomicUsize,
    stopping: AtomicBool,
    quiet: AtomicBool,
}

impl Replies {
    /// No text after the one that is under way.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether that has been accepted.
    pub fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Relaxed)
    }

    /// Until told to stop.
    pub async fn run(&self, urls: &[String], token: &str) {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build().unwrap();
        let mut nodes = urls.iter().cycle();
        for number in 0.. {
            if self.stopping.load(Ordering::Relaxed) {
                break;
            }
            let body = json!({"to": format!("+1312555{number:04}"), "text": format!("reply {number}"), "channel": "demo-line"});
            loop {
                let node = nodes.next().expect("they go round");
                let request = client.post(format!("{node}/v1/messages")).bearer_auth(token).json(&body);
                match request.header("Idempotency-Key", format!("reply-{number}")).send().await {
                    Ok(answer) if answer.status().is_success() => break,
                    Ok(answer) => {
                        // 404: a node that has not heard of the line yet.
                        let status = answer.status().as_u16();
                        assert!(
                            [404, 429, 503].contains(&status),
                            "{status}: {}",
                            answer.text().await.unwrap_or_default()
                        );
                    }
                    Err(_) => {}
                }
                pace(AGAIN).await;
            }
            self.accepted.fetch_add(1, Ordering::Relaxed);
            pace(EVERY).await;
        }
        self.quiet.store(true, Ordering::Relaxed);
    }

    /// All that was accepted leaves, but for a few whose fate is unknown.
    pub async fn leave(&self, world: &World) {
        let accepted = self.accepted.load(Ordering::Relaxed);
        assert!(accepted > 0);
        let texts = || usize::try_from(world.carrier.meter().texts).unwrap();
        until_within(CALM, "replies to leave", async || texts() + UNKNOWN_MAX >= accepted).await;
        let all = async {
            while texts() < accepted {
                pace(AGAIN).await;
            }
        };
        // What is unknown stays behind.
        let _ = tokio::time::timeout(LEFT_WITHIN, all).await;
        eprintln!("{accepted} replies were accepted, {} left", texts());
    }

    /// Nothing came to the carrier twice, and nothing faster than its limits, counted over all nodes.
    pub fn left_once_each_and_no_faster_than_allowed(world: &World) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for message in world.carrier.messages().into_iter().filter(|message| !message.inbound) {
            *seen.entry(message.body).or_default() += 1;
        }
        let twice: Vec<&String> = seen.iter().filter(|(_, count)| **count > 1).map(|(text, _)| text).collect();
        assert!(twice.is_empty(), "sent twice: {twice:?}");
        let meter = world.carrier.meter();
        assert_eq!(meter.violations, 0, "too fast: {:?}", meter.described);
        if world.clocks_agree {
            let departed = world.carrier.departures();
            assert_eq!((departed.texts, departed.violations), (meter.texts, 0), "let go too early: {departed:?}");
        }
    }
}
