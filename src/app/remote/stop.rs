//! The stop button and the queue of a running server.

use std::time::Duration;

use anyhow::bail;
use reqwest::Method;
use schema::{
    ids::{ChannelId, TemplateId, TenantId},
    pause::Pause,
};
use serde_json::{Value, json};

use super::{Refused, Server};
use crate::config::Config;

/// How often a step that the server had no room for is asked for again.
const TRIES: u32 = 60;
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);
/// Rows of a page.
const PAGE: usize = 200;

/// Whose texts are held back, and which of them.
pub struct Texts {
    /// None: every tenant's.
    pub tenant: Option<TenantId>,
    /// None: of all lines.
    pub line: Option<ChannelId>,
    /// Only what rules wrote.
    pub automatic_only: bool,
}

impl Texts {
    fn server(&self, config: &Config, url: Option<&str>) -> anyhow::Result<Server> {
        let tenant = self.tenant.clone().unwrap_or_else(TenantId::system);
        Server::new(config, url, &tenant)
    }

    /// What the server says of exactly this scope.
    async fn now(&self, server: &Server) -> anyhow::Result<Pause> {
        let paused = server.ask(Method::GET, PATH, None).await?;
        let said = match (&self.tenant, &self.line) {
            (None, _) => &paused["everyone"],
            (Some(_), None) => &paused["tenant"],
            (Some(_), Some(line)) => &paused["lines"][line.as_str()],
        };
        Ok(if said.is_null() { Pause::None } else { serde_json::from_value(said.clone())? })
    }

    async fn set(&self, server: &Server, pause: Pause) -> anyhow::Result<Value> {
        server.ask(Method::PUT, PATH, Some(json!({"pause": pause, "channel": self.line}))).await?;
        server.ask(Method::GET, PATH, None).await
    }
}

const PATH: &str = "/v1/admin/pause";

/// Holds texts back; what is held back afterwards. Never lets a text go that was held before.
pub async fn pause(config: &Config, url: Option<&str>, texts: &Texts) -> anyhow::Result<Value> {
    let server = texts.server(config, url)?;
    if texts.automatic_only && texts.now(&server).await? == Pause::All {
        bail!("everything is paused there already, persons' texts too: `deskwire resume` first");
    }
    texts.set(&server, if texts.automatic_only { Pause::Automatic } else { Pause::All }).await
}

/// Lets texts leave again; what is held back afterwards.
pub async fn resume(config: &Config, url: Option<&str>, texts: &Texts) -> anyhow::Result<Value> {
    let server = texts.server(config, url)?;
    if texts.automatic_only && texts.now(&server).await? == Pause::All {
        bail!("everything is paused there, not only automatic texts: `deskwire resume` without --automatic-only");
    }
    texts.set(&server, Pause::None).await
}

/// Which queued texts.
pub struct Which {
    /// Of one line.
    pub channel: Option<ChannelId>,
    /// Made from one template.
    pub template: Option<TemplateId>,
    /// Queued at least so many seconds ago.
    pub older_than_s: Option<u32>,
}

impl Which {
    /// Ids hold nothing that a query would have to escape but `@`, which it may hold.
    fn query(&self) -> String {
        let channel = self.channel.iter().map(|channel| format!("&channel={channel}"));
        let template = self.template.iter().map(|template| format!("&template={template}"));
        let age = self.older_than_s.iter().map(|seconds| format!("&older_than_s={seconds}"));
        channel.chain(template).chain(age).collect()
    }
}

/// Texts that wait.
pub struct Queued {
    /// The oldest.
    pub rows: Vec<Value>,
    /// Of all that wait.
    pub totals: Value,
    /// What is held back; null: nothing.
    pub paused: Value,
}

/// Reads up to `limit` queued texts, and sums over all of them.
pub async fn list_queued(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    which: &Which,
    limit: usize,
) -> anyhow::Result<Queued> {
    let server = Server::new(config, url, tenant)?;
    let path = format!("/v1/admin/queue?limit={PAGE}{}", which.query());
    let mut page = server.ask(Method::GET, &path, None).await?;
    let mut listed = Queued { rows: Vec::new(), totals: page["totals"].take(), paused: page["paused"].take() };
    loop {
        let rows = page["rows"].as_array_mut().map(std::mem::take).unwrap_or_default();
        listed.rows.extend(rows.into_iter().take(limit - listed.rows.len()));
        let Some(next) = page["next"].as_str().filter(|_| listed.rows.len() < limit) else { return Ok(listed) };
        page = server.ask(Method::GET, &format!("{path}&after={next}"), None).await?;
    }
}

/// What would be taken back.
pub async fn preview_queued(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    which: &Which,
) -> anyhow::Result<Value> {
    let Which { channel, template, older_than_s } = which;
    let body = json!({"channel": channel, "template": template, "older_than_s": older_than_s, "preview": true});
    Server::new(config, url, tenant)?.ask(Method::POST, CANCEL, Some(body)).await
}

const CANCEL: &str = "/v1/admin/queue/cancel";

/// How far it is.
#[derive(Default)]
pub struct Canceling {
    /// Texts taken back so far.
    pub canceled: u64,
    /// Their cost.
    pub segments: u64,
    /// Texts that had left, expired or been canceled meanwhile.
    pub gone: u64,
    /// Texts of parked conversations.
    pub parked: u64,
    /// The last step's answer.
    pub last: Value,
}

/// Takes back what a preview gave to confirm, step by step. Ended half-way, the same again does the rest.
pub async fn cancel_queued(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    confirm: &str,
    progress: impl Fn(&Canceling) -> anyhow::Result<()>,
) -> anyhow::Result<Canceling> {
    let (mut done, mut confirm) = (Canceling::default(), Some(confirm.to_owned()));
    while let Some(next) = confirm {
        let body = json!({"preview": false, "confirm": next});
        let step = step(config, url, tenant, &body).await?;
        let count = |field: &str| step[field].as_u64().unwrap_or_default();
        done.canceled += count("texts");
        done.segments += count("segments");
        done.gone += count("gone");
        done.parked += count("parked");
        confirm = step["confirm"].as_str().map(str::to_owned);
        done.last = step;
        progress(&done)?;
    }
    Ok(done)
}

/// One step; again while the server has no room. A long queue outlives a token: each step has its own.
async fn step(config: &Config, url: Option<&str>, tenant: &TenantId, body: &Value) -> anyhow::Result<Value> {
    let mut tries = 0;
    loop {
        let asked = Server::new(config, url, tenant)?.ask(Method::POST, CANCEL, Some(body.clone())).await;
        let busy = asked.as_ref().err().and_then(|error| error.downcast_ref()).is_some_and(Refused::is_temporary);
        if !busy || tries == TRIES {
            return asked;
        }
        tries += 1;
        tokio::time::sleep(AGAIN).await;
    }
}
