//! The businesses of a run, made through the engine's own REST, and the lines that the simulated carrier has for them.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};

use super::{book::Book, engine::Engine, scenario::Scenario};
use crate::{carrier::CarrierConfig, meter::Limits};

/// Tenants made at the same time.
const AT_ONCE: usize = 4;
/// A request is tried again so often when the engine asks for patience.
const TRIES: usize = 50;

/// One business.
#[derive(Debug)]
pub struct Tenant {
    /// What is known of it.
    pub book: Arc<Book>,
    /// Its line's id.
    pub line: String,
    /// Its line's number.
    pub number: String,
    /// AccountSid.
    pub account_sid: String,
    /// What its webhooks are signed with.
    pub auth_token: String,
    /// Of an operator.
    pub operator: String,
    /// Of somebody who may only look.
    pub viewer: String,
    /// Its log.
    pub epoch: String,
}

/// What names a tenant of a run.
struct Names {
    tenant: String,
    line: String,
    account: String,
    number: String,
    account_sid: String,
    auth_token: String,
}

impl Names {
    fn new(run: u32, index: u16) -> Self {
        let tenant = format!("load-{run:08x}-{index:04}");
        Self {
            line: format!("{tenant}-line"),
            account: format!("{tenant}-account"),
            number: format!("+1212{:07}", 2_000_000 + u32::from(index)),
            account_sid: format!("AC{run:08x}{index:024x}"),
            auth_token: format!("secret-of-{tenant}"),
            tenant,
        }
    }
}

/// The carrier's side of every line.
pub fn carrier_config(run: u32, scenario: &Scenario, engine: &Engine, listen: &str) -> anyhow::Result<CarrierConfig> {
    let tenants = u16::try_from(scenario.tenants).context("tenants")?;
    let names: Vec<Names> = (0..tenants).map(|index| Names::new(run, index)).collect();
    let accounts = names.iter().map(|names| json!({"sid": names.account_sid, "token": names.auth_token}));
    let lines = names.iter().map(|names| {
        json!({"channel": names.line, "address": names.number, "account": names.account_sid,
            "brand": names.tenant, "campaign": names.tenant, "limits": scenario.carrier.limits})
    });
    let config = json!({
        "listen": listen,
        "engine_url": format!("http://{}", engine.address()),
        "public_url": engine.public_url(),
        "accounts": accounts.collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
        "latency": scenario.carrier.latency,
        "faults": scenario.carrier.faults,
        "tolerance_ms": scenario.carrier.tolerance_ms,
        "messages_max": 50_000,
        "webhook_retries": 10,
        "webhook_retry_ms": 50,
        "seed": run,
    });
    serde_json::from_value(config).context("the carrier's configuration")
}

/// Asks the engine's REST.
struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    fn new(engine: &Engine) -> anyhow::Result<Self> {
        // The first to come installs it; a provider that is there already will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { http, url: format!("http://{}", engine.address()) })
    }

    async fn ask(&self, token: &str, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        for _ in 0..TRIES {
            let request = self.http.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(token);
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = request.send().await.with_context(|| path.to_owned())?;
            match answer.status().as_u16() {
                200..300 => return Ok(answer.json().await?),
                429 | 503 => tokio::time::sleep(Duration::from_millis(200)).await,
                status => bail!("{path}: {status} {}", answer.text().await.unwrap_or_default()),
            }
        }
        bail!("{path}: refused {TRIES} times")
    }
}

/// Makes all tenants.
pub async fn found(run: u32, scenario: &Scenario, engine: &Engine) -> anyhow::Result<Vec<Tenant>> {
    let client = Client::new(engine)?;
    let system = engine.token("system", "admin").await?;
    let tenants = u16::try_from(scenario.tenants).context("tenants")?;
    let (client, system) = (&client, &*system);
    let making = (0..tenants).map(|index| tenant(run, index, scenario, engine, client, system));
    futures_util::stream::iter(making).buffered(AT_ONCE).try_collect().await
}

async fn tenant(
    run: u32,
    index: u16,
    scenario: &Scenario,
    engine: &Engine,
    client: &Client,
    system: &str,
) -> anyhow::Result<Tenant> {
    let names = Names::new(run, index);
    let new = json!({"tenant": names.tenant, "business_name": format!("Business {index}")});
    client.ask(system, Method::POST, "/v1/admin/tenants", &new).await?;
    let admin = engine.token(&names.tenant, "admin").await?;
    let put = async |path: String, body: Value| client.ask(&admin, Method::PUT, &path, &body).await;
    let account = json!({"carrier_id": names.account_sid, "auth_token": names.auth_token});
    put(format!("/v1/admin/accounts/{}", names.account), account).await?;
    let calls = scenario.texts.iter().any(|texts| texts.calls > 0.0);
    put("/v1/admin/templates/sorry".to_owned(), json!({"text": "Sorry we missed your call. How can we help?"})).await?;
    let channel = json!({"address": names.number, "account": names.account, "coverage": calls, "text_back": "sorry",
        "cool_down_s": 60, "answers": {"stop": null, "start": null, "help": null}});
    put(format!("/v1/admin/channels/{}", names.line), channel).await?;
    let limits = limits(&scenario.carrier.limits, &names.tenant);
    put(format!("/v1/admin/channels/{}/limits", names.line), limits).await?;
    let inbox = client.ask(&admin, Method::GET, "/v1/inbox", &Value::Null).await?;
    let epoch = inbox["epoch"].as_str().context("an inbox without an epoch")?.to_owned();
    Ok(Tenant {
        operator: engine.token(&names.tenant, "operator").await?,
        viewer: if scenario.operators.viewers > 0.0 {
            engine.token(&names.tenant, "viewer").await?
        } else {
            String::new()
        },
        book: Arc::new(Book::new(run, index, names.tenant)),
        line: names.line,
        number: names.number,
        account_sid: names.account_sid,
        auth_token: names.auth_token,
        epoch,
    })
}

/// The meter's limits as the engine's settings.
fn limits(limits: &Limits, name: &str) -> Value {
    let named = |limit: Option<u32>| limit.map(|limit| json!({"name": name, "limit": limit}));
    json!({
        "account_per_s": limits.account_per_s,
        "brand_per_day": named(limits.brand_per_day),
        "campaign_per_min": named(limits.campaign_per_min),
        "number_per_s": limits.number_per_s,
        "pair_interval_s": limits.pair_interval_s,
    })
}
