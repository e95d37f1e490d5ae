//! Posts signed webhooks to the engine and tries again as `#rc=5&rp=all` asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::signature::{sign, without_fragment};

/// Twilio's longest time to connect and in all.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Most that is read of an answer.
const BODY_MAX: usize = super::call::twiml::DOCUMENT_MAX;

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
    /// Asked with GET: the parameters ride in the URL, and the signature is over it alone.
    pub get: bool,
}

/// An answer, and what kind of text it is.
#[derive(Debug, Clone)]
pub struct Answered {
    /// How it went.
    pub delivery: Delivery,
    /// `Content-Type` of the answer.
    pub content_type: String,
}

impl Answered {
    /// Not posted at all.
    pub fn held(sid: &str) -> Self {
        let body = "webhooks are held back".to_owned();
        let delivery = Delivery { sid: sid.to_owned(), status: 0, body, attempts: 0 };
        Self { delivery, content_type: String::new() }
    }
}

impl Hook {
    /// The URL as it is called and signed, and the parameters beside it.
    fn parts(&self) -> (String, String, &[(String, String)]) {
        let (public, reached) = (without_fragment(&self.public_url), without_fragment(&self.reached_at));
        if !self.get {
            return (public.to_owned(), reached.to_owned(), &self.form);
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.form).finish();
        let mark = if public.contains('?') { '&' } else { '?' };
        (format!("{public}{mark}{query}"), format!("{reached}{mark}{query}"), &[])
    }
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
    pub async fn post(&self, hook: &Hook) -> Answered {
        let (public, reached, form) = hook.parts();
        let signature = sign(&hook.token, &public, form);
        let request = if hook.get { self.client.get(reached) } else { self.client.post(reached).form(form) };
        let request = request.header("X-Twilio-Signature", signature);
        let token = uuid::Uuid::new_v4().to_string();
        let mut delivery = Delivery { sid: hook.sid.clone(), status: 0, body: String::new(), attempts: 0 };
        let mut pause = self.pause;
        loop {
            delivery.attempts += 1;
            let content_type;
            (delivery.status, delivery.body, content_type) = self.once(&request, &token).await;
            if !worth_repeating(delivery.status) || delivery.attempts > self.retries {
                return Answered { delivery, content_type };
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn once(&self, request: &reqwest::RequestBuilder, token: &str) -> (u16, String, String) {
        let _slot = self.slots.acquire().await;
        let Some(request) = request.try_clone() else { return (0, "the body is a stream".to_owned(), String::new()) };
        match request.header("I-Twilio-Idempotency-Token", token).send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
                let content_type = content_type.unwrap_or_default().to_owned();
                (status, body(answer).await, content_type)
            }
            Err(error) => (0, without_url(error), String::new()),
        }
    }
}

/// As much of an answer as a document may have, and a little more: what is longer is seen to be.
async fn body(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() <= BODY_MAX {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(BODY_MAX + 1);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn without_url(error: reqwest::Error) -> String {
    error.without_url().to_string()
}

fn worth_repeating(status: u16) -> bool {
    status == 0 || status == 429 || status >= 500
}
