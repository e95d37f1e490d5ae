//! Who makes load, whatever happens to the engine: contacts who text and call, operators who answer. Each writes down
//! what was acknowledged, and tries again what was not, under the same id or key.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use loadtest::carrier::{Calling, Chance, Texting};
use serde_json::{Value, json};

use super::world::World;
use crate::support::wait::pace;

pub const TEXTERS: usize = 8;
pub const CALLERS: usize = 2;
pub const OPERATORS: usize = 3;
/// Contacts who text; each belongs to one texter, so that its texts have an order.
const CONTACTS_EACH: usize = 12;
const TEXT_EVERY: Duration = Duration::from_millis(40);
const CALL_EVERY: Duration = Duration::from_millis(900);
const SEND_EVERY: Duration = Duration::from_millis(450);
const AGAIN: Duration = Duration::from_millis(25);
/// How often something acknowledged is repeated, as after a lost answer.
const REPEATED: f64 = 0.1;

/// A text of a contact that the engine took.
pub struct Text {
    pub sid: String,
    pub contact: String,
    pub body: String,
}

/// A text of an operator that the engine took.
pub struct Sent {
    pub text: String,
    pub to: String,
    pub reply: Value,
}

/// What was acknowledged.
#[derive(Default)]
pub struct Ledger {
    pub texts: Mutex<Vec<Text>>,
    pub calls: Mutex<Vec<(String, String)>>,
    pub sent: Mutex<Vec<Sent>>,
    /// What must not happen.
    pub wrong: Mutex<Vec<String>>,
    acked: AtomicUsize,
}

impl Ledger {
    /// Acknowledgements so far, of all kinds.
    pub fn acked(&self) -> usize {
        self.acked.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.acked.fetch_add(1, Ordering::Relaxed);
    }
}

fn contact(texter: usize, index: usize) -> String {
    format!("+1212555{texter:02}{index:02}")
}

/// One person's dice, and when to stop.
pub struct Maker<'a> {
    pub world: &'a World,
    pub ledger: &'a Ledger,
    pub stop: &'a AtomicBool,
    pub chance: Chance,
    pub number: usize,
}

impl Maker<'_> {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Contacts text, one after the other; the next text comes when this one was taken.
    pub async fn texts(self) {
        for count in 0.. {
            if !self.goes_on() {
                return;
            }
            let from = contact(self.number, self.chance.below(CONTACTS_EACH));
            let sid = format!("SM{:032x}", self.number * 1_000_000 + count);
            let body = format!("text {count} of {}", self.number);
            let texting = Texting { from: from.clone(), body: body.clone(), sid: sid.clone(), ..Texting::default() };
            let mut delivery = self.world.carrier.text(&texting).await;
            while !delivery.is_ok() {
                pace(AGAIN).await;
                delivery = self.world.carrier.redeliver(&sid).await.expect("the carrier keeps it");
            }
            self.ledger.texts.lock().unwrap().push(Text { sid: sid.clone(), contact: from, body });
            self.ledger.count();
            if self.chance.hits(REPEATED) {
                self.world.carrier.redeliver(&sid).await;
            }
            pace(TEXT_EVERY.mul_f64(2.0 * self.chance.uniform())).await;
        }
    }

    /// People call and hang up; a third of them twice.
    pub async fn calls(self) {
        for count in 0.. {
            if !self.goes_on() {
                return;
            }
            let from = format!("+1312555{:02}{:02}", self.number, count % 100);
            let again = if self.chance.hits(0.3) { 2 } else { 1 };
            for call in 0..again {
                let sid = format!("CA{:032x}", self.number * 1_000_000 + count * 10 + call);
                let calling = Calling { from: from.clone(), sid: sid.clone(), ..Calling::default() };
                let mut delivery = self.world.carrier.call(&calling).await;
                while !delivery.is_ok() {
                    pace(AGAIN).await;
                    delivery = self.world.carrier.redeliver(&sid).await.expect("the carrier keeps it");
                }
                self.ledger.calls.lock().unwrap().push((sid.clone(), from.clone()));
                self.ledger.count();
                if self.chance.hits(REPEATED) {
                    self.world.carrier.redeliver(&sid).await;
                }
            }
            pace(CALL_EVERY.mul_f64(0.5 + self.chance.uniform())).await;
        }
    }

    /// An operator writes to contacts; the same key until it is taken.
    pub async fn sends(self) {
        let client = self.world.client();
        for count in 0.. {
            if !self.goes_on() {
                return;
            }
            let to = contact(self.chance.below(TEXTERS), self.chance.below(CONTACTS_EACH));
            let text = format!("answer {count} of operator {}", self.number);
            let key = format!("{}-{count}", self.number);
            let reply = self.send(&client, &key, &to, &text).await;
            if self.chance.hits(REPEATED) {
                let again = self.send(&client, &key, &to, &text).await;
                if again != reply {
                    let wrong = format!("{key}: the same key gave {reply}, then {again}");
                    self.ledger.wrong.lock().unwrap().push(wrong);
                }
            }
            self.ledger.sent.lock().unwrap().push(Sent { text, to, reply });
            self.ledger.count();
            pace(SEND_EVERY.mul_f64(0.5 + self.chance.uniform())).await;
        }
    }

    async fn send(&self, client: &reqwest::Client, key: &str, to: &str, text: &str) -> Value {
        let url = format!("{}/v1/messages", self.world.url);
        let body = json!({"to": to, "text": text, "channel": "demo-line"});
        loop {
            let request = client.post(&url).bearer_auth(&self.world.token).header("Idempotency-Key", key);
            if let Ok(answer) = request.json(&body).send().await {
                let status = answer.status().as_u16();
                let body = answer.text().await.unwrap_or_default();
                match (status, serde_json::from_str::<Value>(&body)) {
                    (200, Ok(reply)) => return reply,
                    // Cut in the middle, or told to come back.
                    (200 | 429 | 503, _) => {}
                    _ => self.ledger.wrong.lock().unwrap().push(format!("{key}: {status} {body}")),
                }
            }
            pace(AGAIN).await;
        }
    }
}
