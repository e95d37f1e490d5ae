//! What to do with several nodes.

use std::path::PathBuf;

use clap::Subcommand;

use super::ServerArguments;
use crate::{app, config::Config};

/// What to do with several nodes.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Shows the members as a running node sees them (`*`): state, weight, tenants, takeovers, requests passed on.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Makes what the nodes of a new cluster share, in a directory: `secret`, `ca.pem`, `ca.key`, `node.pem`, `node.key`, and
    /// `tokens/` with the key that tokens are signed with. All nodes get all but `ca.key`. Nothing that is there is replaced.
    Keys {
        /// Where to.
        directory: PathBuf,
    },
}

/// Does what was asked.
pub(super) async fn run(config: &Config, command: ClusterCommand) -> anyhow::Result<()> {
    match command {
        ClusterCommand::Status { json, server } => {
            app::remote::cluster_status(config, server.url.as_deref(), json).await
        }
        ClusterCommand::Keys { directory } => app::make_cluster_keys(&directory),
    }
}
