//! The command line: subcommands, each a thin caller of app.

mod cluster;
mod commands;
mod operator;
mod stop;
pub mod tail;

use std::{num::NonZeroU64, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use schema::{
    ids::{ConversationId, OperatorId, TenantId},
    role::Role,
};

pub use cluster::ClusterCommand;
pub use commands::run;
pub use operator::OperatorCommand;
pub use stop::{PauseArguments, QueueArguments, QueueCommand};

/// A real-time messaging engine for operator desks.
///
/// It takes what customers send over their carrier, keeps it for good and in one order, shows it to operators within
/// milliseconds, and takes their answers out as fast as the carrier allows and never faster.
#[derive(Debug, Parser)]
#[command(name = "deskwire", version, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// A configuration file: only the keys that differ from `default-config`. DESKWIRE__SECTION__KEY in the
    /// environment wins over it.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the engine until SIGTERM or Ctrl-C, then drains.
    Serve,
    /// Prints a token (JWT) for an operator and nothing else. Signed with this data directory's own key.
    Token(TokenArguments),
    /// Follows a tenant's events as they come, readable, through the stream like any client.
    Tail(TailArguments),
    /// Prints a tenant's log as NDJSON. Only while no server runs on this data directory.
    Inspect(InspectArguments),
    /// Checks checksums, that offsets are dense, and that the views equal baseline plus log. Only while no server runs.
    Verify(FeedArguments),
    /// Makes the views anew from baseline and log. Only while no server runs.
    Rebuild(FeedArguments),
    /// Lets go of a tenant's old events for good, after storing a baseline of what they meant. Texts and calls before
    /// it are gone from history; contacts, consent, open work and settings stay. Only while no server runs.
    Trim(TrimArguments),
    /// Writes a tenant into a file, to be imported into another store. Goes on where an interrupted one stopped. Only while
    /// no server runs.
    Export(ExportArguments),
    /// Reads a tenant from a file of `export`, and verifies it. Goes on where an interrupted one stopped. Only while no
    /// server runs.
    Import(ImportArguments),
    /// Keys of this data directory. A running server notices within seconds.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Tenants of a running server.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Operators who sign in with e-mail and password, on a running server.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Conversations that crashed again and again and were set aside, on a running server.
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// Holds texts back on a running server: every tenant's, one tenant's, or one line's. Within a second, and over
    /// restarts, until `resume`. What was handed to the carrier already arrives.
    Pause(PauseArguments),
    /// Lets texts leave again that the same `pause` holds back. What another pause holds stays held, and is named.
    Resume(PauseArguments),
    /// Texts that wait to leave, on a running server.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Several nodes: who is there, and the keys that a new cluster needs.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Makes the keyspace of `store.kind = "cql"`, or brings it to this version's format. One process at a time; may be
    /// repeated.
    Migrate,
    /// Reads the whole configuration and the certificate it names, says what is wrong with them, and opens no socket.
    /// Exit code 64 if they cannot be used.
    CheckConfig,
    /// Prints the annotated default configuration: every key, its default and why.
    DefaultConfig,
    /// Prints the OpenAPI document of REST: clients' types are made from it.
    #[command(hide = true)]
    Openapi,
}

/// Whose token, and for how long.
#[derive(Debug, Args)]
pub struct TokenArguments {
    /// Whose data.
    #[arg(long)]
    pub tenant: TenantId,
    /// Who asks.
    #[arg(long)]
    pub operator: OperatorId,
    /// What it allows; what the tenant configured for the operator wins.
    #[arg(long, value_enum, default_value_t = RoleName::Operator)]
    pub role: RoleName,
    /// Seconds it is valid; auth.token_ttl_s if not given.
    #[arg(long, value_name = "SECONDS")]
    pub ttl: Option<NonZeroU64>,
}

/// Roles as words of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Reads.
    Viewer,
    /// Reads and answers.
    Operator,
    /// Everything of the tenant.
    Admin,
    /// Everything, and who else is an owner.
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Operator => Self::Operator,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

/// Where the running server is.
#[derive(Debug, Args)]
pub struct ServerArguments {
    /// The running server; where server.listen says if not given.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// What to follow.
#[derive(Debug, Args)]
pub struct TailArguments {
    /// Which tenant.
    #[arg(long)]
    pub tenant: TenantId,
    /// From this offset on (0: from the beginning); from now on if not given.
    #[arg(long, value_name = "OFFSET")]
    pub from: Option<u64>,
    /// Where.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What to print.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Which tenant; `system` is the directory. Of several, each one's events follow a line `{"tenant":"…"}`.
    #[arg(long, required = true)]
    pub tenant: Vec<TenantId>,
    /// From this offset on.
    #[arg(long, default_value_t = 1, value_name = "OFFSET")]
    pub from: u64,
    /// Opens texts, names and addresses; without it they are left out.
    #[arg(long)]
    pub personal: bool,
}

/// Which feeds.
#[derive(Debug, Args)]
pub struct FeedArguments {
    /// One tenant; all of them if not given.
    #[arg(long)]
    pub tenant: Option<TenantId>,
}

/// What goes where.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Which tenant.
    #[arg(long)]
    pub tenant: TenantId,
    /// The file to make.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// The file of the key that its contacts' keys and secrets are sealed with; made where it is missing. Keep it apart:
    /// who has both files reads everything.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}

/// What comes from where.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// A file that `export` made.
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// The key's file that it was made with.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}

/// What to let go of.
#[derive(Debug, Args)]
pub struct TrimArguments {
    /// Which tenant.
    #[arg(long)]
    pub tenant: TenantId,
    /// Up to where.
    #[command(flatten)]
    pub until: UntilArguments,
    /// Also events of the last two days. What they sent no longer counts against daily limits, nor against those of a contact.
    #[arg(long)]
    pub recent: bool,
}

/// Up to where a log is trimmed: one of the two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct UntilArguments {
    /// Events before this offset go.
    #[arg(long, value_name = "OFFSET")]
    pub to: Option<u64>,
    /// Events before this time go: 2026-08-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub before: Option<jiff::Timestamp>,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Makes a new key that signs tokens. Those of the key before are good until the overlap has ended.
    Rotate {
        /// How long tokens of the key before stay good; auth.token_ttl_s and ten minutes if not given. 0: the key is
        /// known to somebody who should not know it.
        #[arg(long, value_name = "SECONDS")]
        overlap: Option<u64>,
        /// Instead: a new master key, under which contacts' keys and carriers' secrets are sealed anew. Only while no
        /// server runs.
        #[arg(long, conflicts_with = "overlap")]
        sealing: bool,
    },
    /// Lists keys: id, what each does, how old it is, until when it is good.
    List,
}

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Makes a tenant.
    Create {
        /// Its id: letters, digits and . _ @ -
        tenant: TenantId,
        /// The business's name as contacts know it.
        #[arg(long, value_name = "NAME")]
        business: Option<String>,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Lists every tenant, one a line.
    List {
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
}

/// What to do with parked conversations.
#[derive(Debug, Subcommand)]
pub enum ParkedCommand {
    /// Lists a tenant's parked conversations.
    List {
        /// Which tenant.
        #[arg(long)]
        tenant: TenantId,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Shows one, and what arrived for it since.
    Show {
        /// Which tenant.
        #[arg(long)]
        tenant: TenantId,
        /// Which conversation.
        conversation: ConversationId,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Releases one: what arrived since is processed, in order.
    Retry {
        /// Which tenant.
        #[arg(long)]
        tenant: TenantId,
        /// Which conversation.
        conversation: ConversationId,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_promised_subcommand_is_there_with_its_help() {
        let command = Cli::command();
        let promised = "serve token tail inspect verify rebuild trim export import keys tenant operator parked pause resume queue \
             check-config default-config";
        for name in promised.split(' ') {
            let subcommand = command.find_subcommand(name).unwrap_or_else(|| panic!("{name} is missing"));
            assert!(subcommand.get_about().is_some(), "{name} has no help");
        }
    }
}
