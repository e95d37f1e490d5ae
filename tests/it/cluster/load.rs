//! Webhooks to every node in turn; each text again, at the next node, until one has taken it.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use loadtest::signature::sign;
use serde_json::Value;

use super::world::{AUTH_TOKEN, CARRIER_ID, LINE_NUMBER, PUBLIC_URL};
use crate::support::wait::pace;

const MAKERS: usize = 4;
const EVERY: Duration = Duration::from_millis(15);
const AGAIN: Duration = Duration::from_millis(50);
/// A carrier gives up sooner; its next try is the same text.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// What was taken.
#[derive(Default)]
pub struct Load {
    taken: Mutex<Vec<String>>,
    count: AtomicUsize,
    refused: AtomicUsize,
    longest: Mutex<Duration>,
    stopping: AtomicBool,
    at_work: AtomicUsize,
}

impl Load {
    /// Texts that were acknowledged.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Tries that were not.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// From a text's first try to its acknowledgement, at most.
    pub fn longest(&self) -> Duration {
        *self.longest.lock().unwrap()
    }

    /// No text after those that are under way.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the last has been taken.
    pub fn is_quiet(&self) -> bool {
        self.at_work.load(Ordering::Relaxed) == 0
    }

    /// Until told to stop.
    pub async fn run(&self, urls: &[String]) {
        self.at_work.store(MAKERS, Ordering::Relaxed);
        join_all((0..MAKERS).map(|maker| self.make(maker, urls))).await;
    }

    async fn make(&self, maker: usize, urls: &[String]) {
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build().unwrap();
        let mut next = maker;
        for count in 0.. {
            if self.stopping.load(Ordering::Relaxed) {
                self.at_work.fetch_sub(1, Ordering::Relaxed);
                return;
            }
            let sid = format!("SM{:032x}", maker * 1_000_000 + count);
            let from = format!("+1212555{:04}", maker * 10 + count % 10);
            let began = Instant::now();
            loop {
                next += 1;
                if text(&client, &urls[next % urls.len()], &sid, &from).await {
                    break;
                }
                self.refused.fetch_add(1, Ordering::Relaxed);
                pace(AGAIN).await;
            }
            self.waited(began.elapsed());
            self.taken.lock().unwrap().push(sid);
            self.count.fetch_add(1, Ordering::Relaxed);
            pace(EVERY).await;
        }
    }

    fn waited(&self, time: Duration) {
        let mut longest = self.longest.lock().unwrap();
        *longest = longest.max(time);
    }

    /// Every text that was acknowledged is in the log, once.
    pub fn is_once_each_in(&self, log: &str) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for line in log.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            if event["type"] == "message.received" {
                let sid = event["text"].as_str().unwrap_or_default().to_owned();
                *seen.entry(sid).or_default() += 1;
            }
        }
        let taken = self.taken.lock().unwrap();
        assert!(!taken.is_empty());
        for sid in taken.iter() {
            assert_eq!(seen.get(sid), Some(&1), "{sid} was acknowledged; the log has {} texts", seen.len());
        }
        assert!(seen.values().all(|count| *count == 1), "a text was taken twice");
    }
}

/// One webhook; whether it was acknowledged. The text says its own id.
pub async fn text(client: &reqwest::Client, node: &str, sid: &str, from: &str) -> bool {
    let path = "/webhooks/twilio/demo-line/sms";
    let form = [
        ("MessageSid", sid),
        ("AccountSid", CARRIER_ID),
        ("From", from),
        ("To", LINE_NUMBER),
        ("Body", sid),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
    ];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let signature = sign(AUTH_TOKEN, &format!("{PUBLIC_URL}{path}"), &form);
    let sent = client.post(format!("{node}{path}")).header("X-Twilio-Signature", signature).form(&form).send().await;
    sent.is_ok_and(|answer| answer.status().is_success())
}
