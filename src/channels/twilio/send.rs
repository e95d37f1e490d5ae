//! The way out: one POST to `Messages.json`, and what certainly is known of it afterwards.
//!
//! Twilio's create has no idempotency key, so nothing here sends twice: no retries, no redirects. Whether another
//! attempt is safe is read from the outcome by whoever asked.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use actors::ports::{Carrier, Clock, Directory, History, HistoryQuery, ListError, ListedText, LookUp, OutgoingText};
use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect};
use schema::{command::SendOutcome, ids::AccountId};
use serde::Deserialize;

use super::errors::carrier_error;
use crate::channels::{Secret, SecretSource};

/// Twilio's error for missing or wrong credentials; ours when an account has no secret.
const UNAUTHENTICATED: u32 = 20_003;
/// Never processed, always safe to repeat.
const TOO_MANY_REQUESTS: u32 = 20_429;
/// Bounds of `ValidityPeriod`, in seconds.
const VALIDITY_S: (u64, u64) = (1, 36_000);
/// Most bytes of an answer that are read.
const ANSWER_MAX: usize = 64 * 1024;
/// How often a call looks at the clock that runs through suspension.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Status callbacks are tried five times on any failure; Twilio takes the fragment off before it calls.
const CALLBACK_POLICY: &str = "#rc=5&rp=all";

/// What the way out needs to know.
#[derive(Debug, Clone)]
pub struct TwilioSettings {
    /// `https://api.twilio.com`, or a simulator's base.
    pub base_url: String,
    /// The public base of our webhook URLs.
    pub public_url: String,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Idle connections kept.
    pub idle_connections: usize,
}

/// Why the client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum TwilioError {
    /// TLS or resolver could not be set up.
    #[error("the HTTP client cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// Sends texts through Twilio, and asks for its lists.
pub struct TwilioCarrier {
    pub(super) client: Client,
    settings: TwilioSettings,
    directory: Arc<dyn Directory>,
    secrets: SecretSource,
    clock: Arc<dyn Clock>,
}

impl TwilioCarrier {
    /// With the directory for accounts, their auth tokens, and the clock that deadlines are held against.
    pub fn new(
        settings: TwilioSettings,
        directory: Arc<dyn Directory>,
        secrets: SecretSource,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TwilioError> {
        // The first to come installs it; a provider that is there already will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .http1_only()
            .no_proxy()
            .retry(reqwest::retry::never())
            .redirect(redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .pool_max_idle_per_host(settings.idle_connections)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("deskwire/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, settings, directory, secrets, clock })
    }

    /// The request, or `None` when the account or its token is not known.
    fn request(&self, text: &OutgoingText) -> Option<RequestBuilder> {
        let (account, token) = self.credentials(&text.account)?;
        let url = format!("{}/2010-04-01/Accounts/{account}/Messages.json", self.base());
        Some(self.client.post(url).basic_auth(account, Some(token.expose())).form(&self.form(text)))
    }

    /// AccountSid and auth token.
    pub(super) fn credentials(&self, account: &AccountId) -> Option<(String, Secret)> {
        let carrier_id = self.directory.account(account)?.carrier_id;
        Some((carrier_id, (self.secrets)(account).first()?.clone()))
    }

    /// Where its REST is, without a slash at the end.
    pub(super) fn base(&self) -> &str {
        self.settings.base_url.trim_end_matches('/')
    }

    fn form(&self, text: &OutgoingText) -> Vec<(&'static str, String)> {
        // Whole seconds below what is left: a carrier that keeps it longer delivers it too late.
        let validity = text.validity.as_secs().clamp(VALIDITY_S.0, VALIDITY_S.1);
        let mut form = vec![
            ("To", text.to.as_str().to_owned()),
            ("From", text.from.clone()),
            ("StatusCallback", self.callback(text)),
            ("ValidityPeriod", validity.to_string()),
        ];
        if !text.text.is_empty() {
            form.push(("Body", text.text.clone()));
        }
        form.extend(text.media.iter().map(|medium| ("MediaUrl", medium.url.clone())));
        form
    }

    /// Names the text by our own ids, and when it was let go (microseconds), by which a carrier's limits can be checked
    /// whatever the network did: nothing of the contact is in it.
    fn callback(&self, text: &OutgoingText) -> String {
        let base = self.settings.public_url.trim_end_matches('/');
        let OutgoingText { channel, conversation, message, attempt, departs, .. } = text;
        let ids = format!("c={conversation}&m={message}&a={attempt}&t={}", departs.0);
        format!("{base}/webhooks/twilio/{channel}/status?{ids}{CALLBACK_POLICY}")
    }

    /// `None`: the deadline has passed. The call is dropped then, and with it its connection.
    ///
    /// The clock is read before each step, so that nothing more is written after the machine slept over the deadline.
    async fn within<T>(&self, time_out: Duration, call: impl Future<Output = T>) -> Option<T> {
        let start = self.clock.monotonic();
        let mut call = pin!(call);
        let mut look = tokio::time::interval(LOOK_EVERY.min(time_out.max(Duration::from_millis(1))));
        poll_fn(|context| {
            while look.poll_tick(context).is_ready() {}
            if self.clock.monotonic().saturating_sub(start) >= time_out {
                return Poll::Ready(None);
            }
            call.as_mut().poll(context).map(Some)
        })
        .await
    }
}

#[async_trait]
impl Carrier for TwilioCarrier {
    async fn send(&self, text: OutgoingText) -> SendOutcome {
        let Some(request) = self.request(&text) else {
            tracing::error!(account = %text.account, "the account has no carrier id or no auth token");
            return SendOutcome::Refused(carrier_error(UNAUTHENTICATED));
        };
        self.within(text.time_out, call(request)).await.unwrap_or(SendOutcome::Unknown)
    }

    async fn look_up(&self, query: LookUp) -> Result<Vec<ListedText>, ListError> {
        self.look_up_texts(&query).await
    }

    async fn history(&self, query: HistoryQuery) -> Result<History, ListError> {
        self.read_history(&query).await
    }
}

async fn call(request: RequestBuilder) -> SendOutcome {
    match request.send().await {
        Ok(response) => read(response).await,
        // Refused, no such host, no TLS: the request itself never left.
        Err(error) if error.is_connect() || error.is_builder() => SendOutcome::NotSent { retry_after_s: None },
        Err(_) => SendOutcome::Unknown,
    }
}

async fn read(response: Response) -> SendOutcome {
    let status = response.status();
    let retry_after_s = retry_after(&response);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return SendOutcome::NotSent { retry_after_s };
    }
    let body = body(response).await;
    if status.is_success() {
        return body.and_then(accepted).unwrap_or(SendOutcome::Unknown);
    }
    if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
        return refused(status, body.as_deref(), retry_after_s);
    }
    SendOutcome::Unknown
}

pub(super) fn retry_after(response: &Response) -> Option<u32> {
    response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

async fn body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// What we need of a created message.
#[derive(Deserialize)]
struct Created {
    sid: String,
}

fn accepted(body: Vec<u8>) -> Option<SendOutcome> {
    let created: Created = serde_json::from_slice(&body).ok()?;
    (!created.sid.is_empty()).then_some(SendOutcome::Accepted { carrier_id: created.sid })
}

/// Twilio's error document.
#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

/// A 4xx was not taken. Without a readable code it is the HTTP status that is shown.
fn refused(status: StatusCode, body: Option<&[u8]>, retry_after_s: Option<u32>) -> SendOutcome {
    let refusal = body.and_then(|body| serde_json::from_slice::<Refusal>(body).ok());
    match refusal.map_or(u32::from(status.as_u16()), |refusal| refusal.code) {
        TOO_MANY_REQUESTS => SendOutcome::NotSent { retry_after_s },
        code => SendOutcome::Refused(carrier_error(code)),
    }
}
