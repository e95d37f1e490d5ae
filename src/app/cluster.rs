//! From configuration to other nodes, and this node's place among them.

use std::{path::Path, sync::Arc, time::Duration};

use actors::{
    cluster::{ClusterOptions, Joined},
    engine::{Engine, Setup},
    memory::SystemClock,
    ports::Clock as _,
};
use anyhow::{Context as _, ensure};
use schema::ids::NodeId;

use super::stores::Refresh;
use crate::{
    auth::people::People,
    cluster::{ClusterConfig, Identity, Nodes, make_keys},
    config::{self, Config},
};

/// Between two looks for carriers' secrets that another node was given, and for people who sign in there.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Shortest secret of a cluster, in bytes.
const SECRET_MIN: usize = 32;

/// An engine that has begun: alone, or among others.
pub(super) async fn start(config: &Config, setup: Setup) -> anyhow::Result<(Engine, Option<Arc<Nodes>>)> {
    if !config.cluster.enabled {
        let engine = Engine::start(setup).await.context("the engine cannot start")?;
        return Ok((engine, None));
    }
    let nodes = Nodes::join(parts(&config.cluster, &setup.node)?).await?;
    let joined = Joined { cluster: nodes.clone(), options: options(&config.cluster) };
    let engine = Engine::join(setup, joined).context("the engine cannot start")?;
    nodes.open(Arc::new(engine.clone()));
    engine.begin().await.context("the engine cannot start among the others")?;
    Ok((engine, Some(nodes)))
}

/// Reads again, for ever, what other nodes have stored of carriers' secrets and of people.
pub(super) async fn read_shared(refresh: Refresh, people: Arc<People>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        people.look_again().await;
        if let Err(error) = refresh().await {
            tracing::debug!(%error, "carriers' secrets could not be read again");
        }
    }
}

/// Makes a secret, certificates and the key of tokens for a new cluster.
pub fn make_cluster_keys(directory: &Path) -> anyhow::Result<()> {
    make_keys(directory)?;
    Ok(super::keys::make(&directory.join("tokens"))?)
}

fn options(cluster: &config::Cluster) -> ClusterOptions {
    ClusterOptions {
        confirm_within: cluster.confirm_within_ms.duration(),
        suspect_after: cluster.suspect_after_ms.duration(),
        takeovers_per_s: cluster.takeovers_per_s,
        settle_after: cluster.settle_s.duration(),
        moves_per_s: cluster.moves_per_s,
        answer_within: cluster.answer_within_ms.duration(),
        wake_every: cluster.wake_interval_ms.duration(),
        ..ClusterOptions::default()
    }
}

fn parts(cluster: &config::Cluster, node: &NodeId) -> anyhow::Result<ClusterConfig> {
    let read = |key: &str, path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cluster.{key} = \"{}\"", path.display()))
    };
    let secret = read("secret_file", &cluster.secret_file)?.trim_end().as_bytes().to_vec();
    ensure!(secret.len() >= SECRET_MIN, "cluster.secret_file holds fewer than {SECRET_MIN} bytes");
    let identity = Identity {
        authority: read("ca_file", &cluster.ca_file)?,
        certificate: read("certificate_file", &cluster.certificate_file)?,
        key: read("key_file", &cluster.key_file)?,
    };
    Ok(ClusterConfig {
        node: node.clone(),
        name: cluster.name.clone(),
        secret,
        gossip: cluster.gossip_listen,
        relay: cluster.relay_listen,
        seeds: cluster.seeds.clone(),
        weight: cluster.weight,
        gossip_interval: cluster.gossip_interval_ms.duration(),
        silent_intervals: cluster.silent_intervals,
        identity,
        generation: SystemClock.now().0,
    })
}
