//! Configuration: the annotated default file, one file of the operator's, the environment, and their check.
//!
//! Only this module reads the environment. It opens nothing but the file it is given, and knows nobody who uses it.

mod access;
mod check;
mod cluster;
mod error;
mod layers;
mod section;
mod sections;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::LazyLock};

use figment::Figment;
use serde::Deserialize;

pub use access::{Auth, SignIn};
pub use cluster::Cluster;
pub use error::{ConfigError, Fault};
pub use section::{Allowed, Millis, Rule, Seconds, Secret};
pub use sections::{
    Api, CatchUp, Cql, Data, Demo, Feed, Figures, LimitsKind, LogFormat, Outbox, Pace, Redis, Search, Server,
    SharedLimits, Store, StoreKind, Stream, Telemetry, Tenant, Twilio, Webhook,
};

/// Exit code of a configuration or command line that cannot be used (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;

const DEFAULT_TOML: &str = include_str!("../../config/default.toml");
/// Read once: the fuzzer reads millions of configurations.
static DEFAULTS: LazyLock<Figment> = LazyLock::new(|| layers::first(DEFAULT_TOML));

macro_rules! config {
    ($( $(#[$doc:meta])* $field:ident: $section:ident, )*) => {
        /// The whole configuration.
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $( $(#[$doc])* pub $field: $section, )*
        }

        impl Config {
            /// Every key with its value and bounds, in the file's order.
            pub fn rules(&self) -> Vec<Rule> {
                let mut rules = Vec::new();
                $( rules.extend(self.$field.rules()); )*
                rules
            }

            /// What `section.key` allows.
            pub fn allowed(path: &str) -> Option<Allowed> {
                let (section, key) = path.split_once('.')?;
                match section {
                    $( $section::SECTION => $section::allowed(key.split('.').next()?), )*
                    _ => None,
                }
            }
        }
    };
}

config! {
    /// The listener.
    server: Server,
    /// The demo tenant.
    demo: Demo,
    /// The data directory.
    data: Data,
    /// The store.
    store: Store,
    /// The CQL store.
    cql: Cql,
    /// A tenant's actors.
    tenant: Tenant,
    /// A feed's memory.
    feed: Feed,
    /// The way out.
    outbox: Outbox,
    /// Reading back what was missed.
    catch_up: CatchUp,
    /// How limits are kept.
    pace: Pace,
    /// Who counts shared limits.
    limits: SharedLimits,
    /// The Redis of shared limits.
    redis: Redis,
    /// Other nodes.
    cluster: Cluster,
    /// The carriers' door.
    webhook: Webhook,
    /// Twilio.
    twilio: Twilio,
    /// The operators' stream.
    stream: Stream,
    /// REST.
    api: Api,
    /// Tokens.
    auth: Auth,
    /// People.
    sign_in: SignIn,
    /// Search.
    search: Search,
    /// Figures.
    figures: Figures,
    /// Logs.
    telemetry: Telemetry,
}

impl Config {
    /// Defaults, then `file`, then the environment; checked.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let environment = std::env::vars_os();
        let environment =
            environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::layered(file, environment)
    }

    /// As `load`, from an environment that is given.
    pub fn layered(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let config = layers::read(&DEFAULTS, file, environment)?;
        check::check(&config)?;
        Ok(config)
    }

    /// As `layered`, from what a file holds. Opens nothing.
    pub fn of_text(file: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let file = Some(("the file".to_owned(), file.to_owned()));
        let config = layers::of_texts(&DEFAULTS, file, environment)?;
        check::check(&config)?;
        Ok(config)
    }

    /// The annotated default file.
    pub fn default_toml() -> &'static str {
        DEFAULT_TOML
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::layered(None, std::iter::empty()).expect("a test reads the compiled-in defaults")
    }
}
