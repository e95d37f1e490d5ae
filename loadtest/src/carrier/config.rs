//! What the simulated carrier is told: accounts, lines, pace, latency and faults. All of it can stand in a TOML file.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{
    call::Desk,
    door::Absence,
    fault::Faults,
    handset::{Handset, Network},
    keywords::NumberType,
};
use crate::meter::Limits;

/// Everything configurable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CarrierConfig {
    /// Where REST and the control interface are served. Port 0: any free one.
    pub listen: SocketAddr,
    /// Where webhooks are really posted.
    pub engine_url: String,
    /// The engine's public base, as it stands in signed URLs; none: the same as `engine_url`.
    pub public_url: Option<String>,
    /// Shorthand for one account and one line, as the engine's demo writes them: all four, in place of the lists.
    pub account_sid: Option<String>,
    /// See `account_sid`.
    pub auth_token: Option<String>,
    /// See `account_sid`.
    pub channel: Option<String>,
    /// See `account_sid`.
    pub number: Option<String>,
    /// Accounts that may send.
    pub accounts: Vec<Account>,
    /// Numbers that may send and be texted or called.
    pub lines: Vec<Line>,
    /// How long things take.
    pub latency: Latency,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// Whether the carrier itself answers STOP, START and HELP and keeps the list of who said STOP, so that a text
    /// after it is refused with 21610. Twilio does by default; a business that answers by itself has it switched off.
    /// A line may say otherwise. What a toll-free number's network does cannot be switched off; a short code has none.
    pub keeps_opt_outs: bool,
    /// How much faster than real a call goes: 1 rings twenty seconds for twenty seconds, 100 for a fifth of one.
    pub call_speed: f64,
    /// Networks of the contacts' telephones, and what each takes of a brand a day.
    pub networks: Vec<Network>,
    /// Network of a telephone of which nothing else was said; empty: one without a cap.
    pub default_network: String,
    /// Telephones that are unlike any other: off, landline, at a network.
    pub handsets: Vec<Handset>,
    /// What the carrier does not do from the start; `/control/absence` changes it.
    pub absence: Absence,
    /// Calls kept; the oldest leave first.
    pub calls_max: usize,
    /// Texts that come early by no more than this are counted apart: the network's jitter. 0: strict.
    pub tolerance_ms: u64,
    /// Messages kept; the oldest leave first.
    pub messages_max: usize,
    /// Webhooks and callbacks under way at once.
    pub webhooks_max: usize,
    /// How often a webhook is tried again after a failed connection, a 5xx or a 429 (`#rc=5&rp=all`).
    pub webhook_retries: u32,
    /// First pause before that, doubling.
    pub webhook_retry_ms: u64,
    /// Makes a run's faults and latencies the same as another's.
    pub seed: u64,
}

/// A carrier account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// AccountSid.
    pub sid: String,
    /// Auth token.
    pub token: String,
}

/// A number of the business.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The engine's name of it: the part of the webhook's path.
    pub channel: String,
    /// E.164.
    pub address: String,
    /// AccountSid it belongs to.
    pub account: String,
    /// Brand it counts for.
    #[serde(default)]
    pub brand: String,
    /// Campaign it counts for.
    #[serde(default)]
    pub campaign: String,
    /// What it may send.
    #[serde(default)]
    pub limits: Limits,
    /// What kind of number it is: decides who answers STOP, START and HELP.
    #[serde(default)]
    pub number_type: NumberType,
    /// Whether the carrier answers keywords of this line by itself; none: as `keeps_opt_outs` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keywords: Option<bool>,
    /// How the business's own telephone behaves when this line dials it.
    #[serde(default)]
    pub desk: Desk,
    /// Where the carrier asks when the voice webhook cannot be reached or answers rubbish; none: the call fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_url: Option<String>,
    /// Where the end of a call is posted, absolute or relative to the engine's public base; none: to the voice webhook;
    /// empty: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_status_url: Option<String>,
    /// DialCallStatus when somebody answered and hung up on the whisper, or did not confirm; none: `no-answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
}

/// How long things take, each drawn from a log-normal distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Until a request is answered.
    pub answer: Spread,
    /// From acceptance to `sent`.
    pub sent: Spread,
    /// From `sent` to `delivered` or `undelivered`.
    pub delivered: Spread,
}

/// A distribution by two of its quantiles, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Half are faster.
    pub p50_ms: f64,
    /// One in a hundred is slower.
    pub p99_ms: f64,
}

impl Spread {
    /// Always the same.
    pub fn exactly(ms: f64) -> Self {
        Self { p50_ms: ms, p99_ms: ms }
    }

    /// One draw, from a standard normal deviate.
    pub(super) fn draw(self, normal: f64) -> std::time::Duration {
        if self.p50_ms <= 0.0 {
            return std::time::Duration::ZERO;
        }
        let sigma = (self.p99_ms.max(self.p50_ms) / self.p50_ms).ln() / 2.326;
        let ms = self.p50_ms * (sigma * normal).exp();
        std::time::Duration::from_secs_f64(ms.min(600_000.0) / 1_000.0)
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            answer: Spread { p50_ms: 60.0, p99_ms: 250.0 },
            sent: Spread { p50_ms: 300.0, p99_ms: 1_500.0 },
            delivered: Spread { p50_ms: 900.0, p99_ms: 4_000.0 },
        }
    }
}

impl Latency {
    /// As fast as it goes: for tests and for load.
    pub fn none() -> Self {
        Self { answer: Spread::default(), sent: Spread::default(), delivered: Spread::default() }
    }
}

impl Default for CarrierConfig {
    /// One line `demo-line`, on loopback, with a token that everybody knows.
    fn default() -> Self {
        let account = Account { sid: DEMO_ACCOUNT.to_owned(), token: DEMO_TOKEN.to_owned() };
        let line = Line {
            channel: "demo-line".to_owned(),
            address: DEMO_ADDRESS.to_owned(),
            account: DEMO_ACCOUNT.to_owned(),
            brand: "demo-brand".to_owned(),
            campaign: "demo-campaign".to_owned(),
            ..Line::default()
        };
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8090)),
            engine_url: "http://localhost:8080".to_owned(),
            public_url: None,
            account_sid: None,
            auth_token: None,
            channel: None,
            number: None,
            accounts: vec![account],
            lines: vec![line],
            latency: Latency::default(),
            faults: Faults::default(),
            keeps_opt_outs: true,
            call_speed: 1.0,
            networks: Vec::new(),
            default_network: String::new(),
            handsets: Vec::new(),
            absence: Absence::default(),
            calls_max: 10_000,
            tolerance_ms: 0,
            messages_max: 200_000,
            webhooks_max: 512,
            webhook_retries: 5,
            webhook_retry_ms: 200,
            seed: 0,
        }
    }
}

impl CarrierConfig {
    /// With the shorthand written out.
    pub(super) fn resolved(mut self) -> Self {
        let shorthand = (self.account_sid.take(), self.auth_token.take(), self.channel.take(), self.number.take());
        let (Some(account), Some(token), Some(channel), Some(address)) = shorthand else { return self };
        self.lines = vec![Line { channel, address, account: account.clone(), ..Line::default() }];
        self.accounts = vec![Account { sid: account, token }];
        self
    }
}

/// The account of a carrier that was told of none.
pub const DEMO_ACCOUNT: &str = "AC000000000000000000000000000000de";
/// Its auth token: everybody knows it.
pub const DEMO_TOKEN: &str = "demo-token-that-everybody-knows";
/// Its line's number: Twilio's own for tests.
pub const DEMO_ADDRESS: &str = "+15005550006";
