//! Commands on a running server, through REST like any client.

mod cluster;
mod operators;
mod stop;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use anyhow::Context as _;
use reqwest::{Method, Response, StatusCode};
use schema::{
    ids::{ConversationId, OperatorId, TenantId},
    problem::Problem,
    role::Role,
};
use serde_json::{Value, json};

pub use self::cluster::cluster_status;
pub use self::operators::{Operators, operators};
pub use self::stop::{Canceling, Texts, Which, cancel_queued, list_queued, pause, preview_queued, resume};
use super::{client, token};
use crate::config::Config;

/// How long a command's token is valid.
const TOKEN_FOR: Duration = Duration::from_secs(60);
/// Longest wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Where the running server is: as asked, or where this configuration would listen.
pub fn base(config: &Config, url: Option<&str>) -> String {
    if let Some(url) = url {
        return url.trim_end_matches('/').to_owned();
    }
    let mut listen = config.server.listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let scheme = if config.server.tls_certificate.as_os_str().is_empty() { "http" } else { "https" };
    format!("{scheme}://{listen}")
}

/// A server, and a token of this data directory's key that it takes.
struct Server {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Server {
    fn new(config: &Config, url: Option<&str>, tenant: &TenantId) -> anyhow::Result<Self> {
        Self::with(config, url, tenant, Role::Admin)
    }

    fn with(config: &Config, url: Option<&str>, tenant: &TenantId, role: Role) -> anyhow::Result<Self> {
        // The first to come installs it; a provider that is there already will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN);
        let client = client.tls_backend_preconfigured(client::trust(config, url)?).build()?;
        let operator = OperatorId::new("command-line")?;
        let token = token(config, tenant, &operator, role, TOKEN_FOR)?;
        Ok(Self { client, base: base(config, url), token })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.with_context(|| format!("no server answers at {}", self.base))?;
        if answer.status().is_success() {
            return answer.json().await.context("the server answered something else than JSON");
        }
        Err(refusal(answer).await.into())
    }
}

/// What the server said instead.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
struct Refused {
    status: StatusCode,
    words: String,
}

impl Refused {
    /// Whether the same may be taken a little later.
    fn is_temporary(&self) -> bool {
        matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
    }
}

async fn refusal(answer: Response) -> Refused {
    let status = answer.status();
    let words = match answer.json::<Problem>().await {
        // The token is our own, of this data directory's key.
        Ok(_) if status == StatusCode::UNAUTHORIZED => {
            "the server knows no such tenant (`deskwire tenant list`), or its keys are in another data directory"
                .to_owned()
        }
        Ok(problem) => {
            let detail = problem.detail.map(|detail| format!(": {detail}")).unwrap_or_default();
            format!("{} ({status}){detail}", problem.title)
        }
        Err(_) => format!("the server answered {status}"),
    };
    Refused { status, words }
}

/// Makes a tenant.
pub async fn create_tenant(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    business: Option<&str>,
) -> anyhow::Result<()> {
    let server = Server::new(config, url, &TenantId::system())?;
    let body = json!({"tenant": tenant, "business_name": business.unwrap_or_default()});
    server.ask(Method::POST, "/v1/admin/tenants", Some(body)).await?;
    println!("{tenant}");
    Ok(())
}

/// Prints every tenant.
pub async fn list_tenants(config: &Config, url: Option<&str>) -> anyhow::Result<()> {
    let server = Server::new(config, url, &TenantId::system())?;
    let listing = server.ask(Method::GET, "/v1/admin/tenants", None).await?;
    for tenant in listing["rows"].as_array().into_iter().flatten() {
        println!("{}", tenant.as_str().unwrap_or_default());
    }
    Ok(())
}

/// Prints a tenant's parked conversations, one id a line.
pub async fn list_parked(config: &Config, url: Option<&str>, tenant: &TenantId) -> anyhow::Result<()> {
    let server = Server::new(config, url, tenant)?;
    let page = server.ask(Method::GET, "/v1/admin/parked", None).await?;
    for row in page["rows"].as_array().into_iter().flatten() {
        println!("{row}");
    }
    Ok(())
}

/// Prints one parked conversation: its state, then its latest events.
pub async fn show_parked(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    conversation: ConversationId,
) -> anyhow::Result<()> {
    let server = Server::new(config, url, tenant)?;
    let state = server.ask(Method::GET, &format!("/v1/conversations/{conversation}"), None).await?;
    println!("{}", serde_json::to_string_pretty(&state)?);
    let page = server.ask(Method::GET, &format!("/v1/conversations/{conversation}/events"), None).await?;
    for event in page["events"].as_array().into_iter().flatten() {
        println!("{event}");
    }
    Ok(())
}

/// Releases one parked conversation: what arrived meanwhile is played again.
pub async fn retry_parked(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    conversation: ConversationId,
) -> anyhow::Result<()> {
    let server = Server::new(config, url, tenant)?;
    server.ask(Method::POST, &format!("/v1/conversations/{conversation}/release"), None).await?;
    println!("released {conversation}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_address_is_reached_on_loopback() {
        let mut config = Config::default();
        assert_eq!(base(&config, None), "http://127.0.0.1:8080");
        config.server.listen = "[::]:9000".parse().unwrap();
        assert_eq!(base(&config, None), "http://[::1]:9000");
        assert_eq!(base(&config, Some("https://desk.example.com/")), "https://desk.example.com");
        config.server.tls_certificate = "desk.pem".into();
        assert_eq!(base(&config, None), "https://[::1]:9000");
    }
}
