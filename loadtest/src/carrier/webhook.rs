//! Posts signed webhooks to the engine and tries again as `#rc=5&rp=all` asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::signature::{sign, without_fragment};

/// Twilio's longest time to connect and in all.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// What the engine answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The carrier's id of what was delivered.
    pub sid: String,
    /// HTTP status of the last answer; 0: none came.
    pub status: u16,
    /// Its body.
    pub body: String,
    /// How often it was posted.
    pub attempts: u32,
}

impl Delivery {
    /// Whether the engine took it.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Posts to the engine.
#[derive(Debug)]
pub struct Poster {
    client: reqwest::Client,
    slots: Semaphore,
    retries: u32,
    pause: Duration,
}

/// One webhook: where it goes, whose token signs it, what it says.
#[derive(Debug, Clone)]
pub struct Hook {
    /// As it is signed.
    pub public_url: String,
    /// As it is really reached.
    pub reached_at: String,
    /// Auth token.
    pub token: String,
    /// MessageSid or CallSid.
    pub sid: String,
    /// Parameters.
    pub form: Vec<(String, String)>,
}

impl Poster {
    /// With so many at once and so many tries.
    pub fn new(at_once: usize, retries: u32, pause_ms: u64) -> Result<Self, reqwest::Error> {
        // The first to come installs it; a provider that is there already will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .pool_max_idle_per_host(at_once)
            .user_agent("TwilioProxy/1.1")
            .build()?;
        let slots = Semaphore::new(at_once.max(1));
        Ok(Self { client, slots, retries, pause: Duration::from_millis(pause_ms) })
    }

    /// Posts until it is taken or the tries are used up. Every try carries the same idempotency token.
    pub async fn post(&self, hook: &Hook) -> Delivery {
        let signature = sign(&hook.token, &hook.public_url, &hook.form);
        let token = uuid::Uuid::new_v4().to_string();
        let mut delivery = Delivery { sid: hook.sid.clone(), status: 0, body: String::new(), attempts: 0 };
        let mut pause = self.pause;
        loop {
            delivery.attempts += 1;
            (delivery.status, delivery.body) = self.once(hook, &signature, &token).await;
            if !worth_repeating(delivery.status) || delivery.attempts > self.retries {
                return delivery;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn once(&self, hook: &Hook, signature: &str, token: &str) -> (u16, String) {
        let _slot = self.slots.acquire().await;
        let request = self
            .client
            .post(without_fragment(&hook.reached_at))
            .header("X-Twilio-Signature", signature)
            .header("I-Twilio-Idempotency-Token", token)
            .form(&hook.form);
        match request.send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(error) => (0, without_url(error)),
        }
    }
}

fn without_url(error: reqwest::Error) -> String {
    error.without_url().to_string()
}

fn worth_repeating(status: u16) -> bool {
    status == 0 || status == 429 || status >= 500
}
