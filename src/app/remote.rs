//! Commands on a running server, through REST like any client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::bail;
use schema::ids::{ConversationId, TenantId};

use crate::config::Config;

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
    format!("http://{listen}")
}

/// Makes a tenant.
pub async fn create_tenant(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    business: Option<&str>,
) -> anyhow::Result<()> {
    let _ = (tenant, business);
    bail!("tenants of {} cannot be made: REST is not wired here yet", base(config, url))
}

/// Prints every tenant.
pub async fn list_tenants(config: &Config, url: Option<&str>) -> anyhow::Result<()> {
    bail!("tenants of {} cannot be listed: REST is not wired here yet", base(config, url))
}

/// Prints a tenant's parked conversations.
pub async fn list_parked(config: &Config, url: Option<&str>, tenant: &TenantId) -> anyhow::Result<()> {
    bail!("{tenant}'s parked conversations at {} cannot be listed: REST is not wired here yet", base(config, url))
}

/// Prints one parked conversation.
pub async fn show_parked(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    conversation: ConversationId,
) -> anyhow::Result<()> {
    bail!("{tenant}'s {conversation} at {} cannot be shown: REST is not wired here yet", base(config, url))
}

/// Releases one parked conversation.
pub async fn retry_parked(
    config: &Config,
    url: Option<&str>,
    tenant: &TenantId,
    conversation: ConversationId,
) -> anyhow::Result<()> {
    bail!("{tenant}'s {conversation} at {} cannot be released: REST is not wired here yet", base(config, url))
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
    }
}
