//! Operators of a running server, as an owner: whoever has the data directory's key may say who is one.

use reqwest::Method;
use schema::{
    ids::{OperatorId, TenantId},
    person::{Invite, OneTimeLink},
    role::Role,
};
use serde_json::json;

use super::Server;
use crate::config::Config;

/// A server, and one tenant's operators.
pub struct Operators(Server);

/// Of this tenant.
pub fn operators(config: &Config, url: Option<&str>, tenant: &TenantId) -> anyhow::Result<Operators> {
    Server::with(config, url, tenant, Role::Owner).map(Operators)
}

impl Operators {
    /// A link for somebody new.
    pub async fn invite(&self, operator: &OperatorId, email: &str, role: Role) -> anyhow::Result<String> {
        let invite = Invite { operator: operator.clone(), email: email.to_owned(), role };
        let made = self.0.ask(Method::POST, "/v1/admin/invitations", Some(serde_json::to_value(invite)?)).await?;
        Ok(serde_json::from_value::<OneTimeLink>(made)?.link)
    }

    /// A link to a new password.
    pub async fn reset(&self, operator: &OperatorId) -> anyhow::Result<String> {
        let made = self.0.ask(Method::POST, &format!("/v1/admin/operators/{operator}/reset"), None).await?;
        Ok(serde_json::from_value::<OneTimeLink>(made)?.link)
    }

    /// Revokes.
    pub async fn remove(&self, operator: &OperatorId) -> anyhow::Result<()> {
        let role = Some(json!({"role": null}));
        self.0.ask(Method::PUT, &format!("/v1/admin/operators/{operator}"), role).await.map(drop)
    }

    /// One line each.
    pub async fn list(&self) -> anyhow::Result<Vec<String>> {
        let listing = self.0.ask(Method::GET, "/v1/admin/operators", None).await?;
        let rows = listing["rows"].as_array().into_iter().flatten();
        let text =
            |row: &serde_json::Value, name: &str, without: &str| row[name].as_str().unwrap_or(without).to_owned();
        let line = |row| {
            let (operator, role) = (text(row, "operator", ""), text(row, "role", "revoked"));
            let (how, email) = (text(row, "sign_in", "token"), text(row, "email", "-"));
            format!("{operator:<20} {role:<9} {how:<8} {email}")
        };
        Ok(rows.map(line).collect())
    }
}
