//! The nodes, as a running one sees them.

use reqwest::Method;
use schema::{
    ids::TenantId,
    rest::{ClusterMember, ClusterStatus},
};

use super::Server;
use crate::{app, config::Config};

const HEADS: [&str; 11] =
    ["NODE", "STATE", "WEIGHT", "TENANTS", "FOLLOWED", "BEHIND", "TAKEOVERS", "LAST", "FORWARDED", "READS", "RELAY"];

/// Prints who is a member, as a table or as JSON.
pub async fn cluster_status(config: &Config, url: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    let server = Server::new(config, url, &TenantId::system())?;
    let answer = server.ask(Method::GET, "/v1/admin/cluster", None).await?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let status: ClusterStatus = serde_json::from_value(answer)?;
    println!("{}", line(HEADS.map(str::to_owned)));
    for member in &status.members {
        println!("{}", row(member, member.node == status.node));
    }
    let written = status.write_version;
    println!("Events of write version {written} are written.");
    for behind in status.members.iter().filter(|member| member.reads < written) {
        println!("{} does not read them: it follows and forwards, and owns nothing until it is upgraded.", behind.node);
    }
    Ok(())
}

fn row(member: &ClusterMember, is_asked: bool) -> String {
    let count = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    line([
        format!("{}{}", member.node, if is_asked { " *" } else { "" }),
        member.state.clone(),
        member.weight.to_string(),
        count(member.tenants),
        count(member.followed),
        count(member.behind),
        count(member.takeovers),
        member.last_takeover.and_then(app::date).unwrap_or_else(|| "-".to_owned()),
        count(member.forwarded),
        member.reads.to_string(),
        member.relay.clone(),
    ])
}

fn line(
    [node, state, weight, tenants, followed, behind, takeovers, last, forwarded, reads, relay]: [String; 11],
) -> String {
    let who = format!("{node:<20}{state:<10}{weight:>7}{tenants:>9}{followed:>10}{behind:>8}");
    format!("{who}{takeovers:>11}{last:>22}{forwarded:>11}{reads:>7}  {relay}").trim_end().to_owned()
}
