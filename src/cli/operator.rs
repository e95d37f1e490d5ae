//! `deskwire operator`: who signs in.

use clap::Subcommand;
use schema::ids::{OperatorId, TenantId};

use super::{RoleName, ServerArguments, commands::print};
use crate::{app, config::Config};

/// What to do with operators.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Prints a link by which somebody sets a password, once, and signs in. Whoever has it is that operator.
    Invite {
        /// Which tenant.
        #[arg(long)]
        tenant: TenantId,
        /// What they sign in with.
        #[arg(long)]
        email: String,
        /// As whom the others see them; what stands before the @ if not given.
        #[arg(long)]
        operator: Option<OperatorId>,
        /// What they may.
        #[arg(long, value_enum, default_value_t = RoleName::Operator)]
        role: RoleName,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Prints a link by which an operator sets a new password, once. The old one is good until then.
    Reset {
        /// Which tenant.
        #[arg(long)]
        tenant: TenantId,
        /// Who.
        #[arg(long)]
        operator: OperatorId,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Revokes an operator: streams and sessions end at once, their open conversations are nobody's.
    Remove {
        /// Which tenant.
        #[arg(long)]
        tenant: TenantId,
        /// Who.
        #[arg(long)]
        operator: OperatorId,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Lists a tenant's operators: name, role, how they sign in, e-mail.
    List {
        /// Which tenant.
        #[arg(long)]
        tenant: TenantId,
        /// Where.
        #[command(flatten)]
        server: ServerArguments,
    },
}

/// Does what was asked.
pub(super) async fn run(config: &Config, command: OperatorCommand) -> anyhow::Result<()> {
    match command {
        OperatorCommand::Invite { tenant, email, operator, role, server } => {
            let operator = match operator {
                Some(operator) => operator,
                None => OperatorId::new(email.split('@').next().unwrap_or_default())?,
            };
            let server = app::remote::operators(config, server.url.as_deref(), &tenant)?;
            print(&server.invite(&operator, &email, role.into()).await?)
        }
        OperatorCommand::Reset { tenant, operator, server } => {
            print(&app::remote::operators(config, server.url.as_deref(), &tenant)?.reset(&operator).await?)
        }
        OperatorCommand::Remove { tenant, operator, server } => {
            app::remote::operators(config, server.url.as_deref(), &tenant)?.remove(&operator).await?;
            print(&format!("{operator} is revoked"))
        }
        OperatorCommand::List { tenant, server } => {
            let lines = app::remote::operators(config, server.url.as_deref(), &tenant)?.list().await?;
            lines.iter().try_for_each(|line| print(line))
        }
    }
}
