//! One Redis, or the one that Sentinels name: a script per question (`grant.lua`), nothing else is ever asked of it.
//!
//! A question is never repeated. A connection that fails or is silent for too long is given up, and the next question makes
//! another. With `replicas` an answer counts only when so many replicas have it: a master that is cut off from them hands
//! out nothing while another is made.

use std::{sync::Arc, time::Duration};

use actors::ports::{Ask, Call, Grants, GrantsError, Outcome, Reply};
use async_trait::async_trait;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo, Script,
    ScriptInvocation, TlsCertificates, TlsMode,
    aio::MultiplexedConnection,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use tokio::sync::Mutex;

/// Where Redis is, and what to expect of it.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://host:port/db`, or `rediss://` for TLS; unused with Sentinels.
    pub url: String,
    /// Sentinels, and the servers they name, are reached with TLS.
    pub sentinel_tls: bool,
    /// Certificates of those who sign the servers' certificates, in PEM; none: the system's.
    pub authorities: Option<Vec<u8>>,
    /// `host:port` of Sentinels.
    pub sentinels: Vec<String>,
    /// What the Sentinels call the master.
    pub service: String,
    /// Who logs in; empty: nobody.
    pub user: String,
    /// The password; empty: none.
    pub password: String,
    /// What every key begins with.
    pub prefix: String,
    /// Time for a connection or an answer.
    pub answer_within: Duration,
    /// Replicas that must have an answer's change.
    pub replicas: u32,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// Not an address.
    #[error("{key} cannot be used: {reason}")]
    Address {
        /// Which.
        key: &'static str,
        /// Why not.
        reason: String,
    },
}

enum Source {
    Client(Client),
    Sentinel(Mutex<SentinelClient>),
}

/// Shared limits in Redis.
pub struct RedisGrants {
    source: Source,
    script: Script,
    prefix: String,
    config: AsyncConnectionConfig,
    within: Duration,
    replicas: u32,
    connection: Mutex<Option<Arc<MultiplexedConnection>>>,
    /// Time that a test passes; 0: the server's own.
    clock: Option<TestClock>,
}

/// What a test says instead of the server: the time, and which process it is.
type TestClock = Arc<dyn Fn() -> (u64, String) + Send + Sync>;

impl RedisGrants {
    /// Connects with the first question: Redis need not be up.
    pub fn new(options: &RedisOptions) -> Result<Self, RedisError> {
        // The first to come installs it; a provider that is there already will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let login = login(options);
        let source = if options.sentinels.is_empty() {
            let address =
                |error: redis::RedisError| RedisError::Address { key: "redis.url", reason: error.to_string() };
            let info = options.url.as_str().into_connection_info().map_err(address)?;
            let db = info.redis_settings().db();
            let info = if options.password.is_empty() { info } else { info.set_redis_settings(login.set_db(db)) };
            let is_tls = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
            let client = if is_tls { Client::build_with_tls(info, certificates(options)) } else { Client::open(info) };
            Source::Client(client.map_err(address)?)
        } else {
            Source::Sentinel(Mutex::new(sentinels(options)?))
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.answer_within))
            .set_response_timeout(Some(options.answer_within));
        Ok(Self {
            source,
            script: Script::new(include_str!("grant.lua")),
            prefix: options.prefix.clone(),
            config,
            within: options.answer_within,
            replicas: options.replicas,
            connection: Mutex::new(None),
            clock: None,
        })
    }

    /// The script takes this for the server's time and its process: for the test that holds it against its model.
    #[must_use]
    pub fn timed_by(self, clock: Arc<dyn Fn() -> (u64, String) + Send + Sync>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    async fn connection(&self) -> Result<Arc<MultiplexedConnection>, redis::RedisError> {
        let mut open = self.connection.lock().await;
        if let Some(connection) = &*open {
            return Ok(connection.clone());
        }
        let made = match &self.source {
            Source::Client(client) => client.get_multiplexed_async_connection_with_config(&self.config).await?,
            Source::Sentinel(client) => client.lock().await.get_async_connection_with_config(&self.config).await?,
        };
        let made = Arc::new(made);
        *open = Some(made.clone());
        Ok(made)
    }

    /// Nobody asks over this connection any more.
    async fn give_up(&self, connection: &Arc<MultiplexedConnection>) {
        let mut open = self.connection.lock().await;
        if open.as_ref().is_some_and(|known| Arc::ptr_eq(known, connection)) {
            *open = None;
        }
    }

    async fn invoke(&self, call: &Call, ask: &Ask) -> Result<Vec<String>, GrantsError> {
        let unavailable = |error: redis::RedisError| GrantsError::Unavailable(said(&error));
        let connection = self.connection().await.map_err(unavailable)?;
        let clock = self.clock.as_ref().map(|clock| clock());
        let mut invocation = self.script.prepare_invoke();
        arguments(&mut invocation, &self.prefix, (call, ask), clock);
        let mut open = MultiplexedConnection::clone(&connection);
        let answered = async {
            let values: Vec<String> = invocation.invoke_async(&mut open).await?;
            if self.replicas > 0 {
                let within = self.within.as_millis().max(1);
                let wait = redis::cmd("WAIT").arg(self.replicas).arg(within.to_string()).to_owned();
                let have: u32 = wait.query_async(&mut open).await?;
                return Ok((values, have));
            }
            Ok((values, 0))
        };
        match answered.await {
            Ok((values, have)) if have >= self.replicas => Ok(values),
            Ok((_, have)) => Err(GrantsError::Unavailable(format!("{have} of {} replicas have it", self.replicas))),
            Err(error) => {
                self.give_up(&connection).await;
                Err(unavailable(error))
            }
        }
    }
}

/// An error without anything that was sent.
fn said(error: &redis::RedisError) -> String {
    error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned)
}

fn login(options: &RedisOptions) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default();
    if !options.user.is_empty() {
        login = login.set_username(&options.user);
    }
    if !options.password.is_empty() {
        login = login.set_password(&options.password);
    }
    login
}

fn certificates(options: &RedisOptions) -> TlsCertificates {
    TlsCertificates { client_tls: None, root_cert: options.authorities.clone() }
}

fn sentinels(options: &RedisOptions) -> Result<SentinelClient, RedisError> {
    let address = |reason: String| RedisError::Address { key: "redis.sentinels", reason };
    let refused = |error: redis::RedisError| address(error.to_string());
    let mut known: Vec<ConnectionAddr> = Vec::new();
    for sentinel in &options.sentinels {
        let (host, port) = sentinel.rsplit_once(':').ok_or_else(|| address(format!("{sentinel} is not host:port")))?;
        let port: u16 = port.parse().map_err(|_| address(format!("{sentinel} is not host:port")))?;
        let scheme = if options.sentinel_tls { "rediss" } else { "redis" };
        let info = format!("{scheme}://{host}:{port}").into_connection_info().map_err(refused)?;
        known.push(info.addr().clone());
    }
    let mut builder =
        SentinelClientBuilder::new(known, &options.service, SentinelServerType::Master).map_err(refused)?;
    if options.sentinel_tls {
        builder = builder
            .set_client_to_sentinel_certificates(certificates(options))
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_redis_certificates(certificates(options));
    }
    if !options.user.is_empty() {
        builder = builder.set_client_to_redis_username(&options.user);
    }
    if !options.password.is_empty() {
        builder = builder.set_client_to_redis_password(&options.password);
    }
    builder.build().map_err(refused)
}

/// Everything the script wants to know, as it reads it.
fn arguments(
    invocation: &mut ScriptInvocation<'_>,
    prefix: &str,
    (call, ask): (&Call, &Ask),
    clock: Option<(u64, String)>,
) {
    let (kind, level) = match ask {
        Ask::Beat { .. } => ("beat", ""),
        Ask::Rate(rate) => ("rate", rate.key.as_str()),
        Ask::Day(day) => ("day", day.key.as_str()),
    };
    let (from, until) = call.between.unwrap_or_default();
    let (now, run) = clock.unwrap_or_default();
    invocation.key(format!("{prefix}:members")).key(format!("{prefix}:{level}"));
    invocation.arg(&call.node).arg(&call.holder).arg(from).arg(until).arg(call.promise).arg(call.settle);
    invocation.arg(call.members).arg(call.generation).arg(kind).arg(now).arg(run);
    match ask {
        Ask::Beat { marked, reset } => {
            invocation.arg(*marked).arg(u8::from(*reset));
        }
        Ask::Rate(rate) => {
            invocation.arg(rate.window).arg(rate.limit).arg(rate.want).arg(rate.need).arg(rate.keep);
            invocation.arg(rate.slice_max).arg(rate.sequence).arg(rate.live_from);
            for (segments, left) in &rate.used {
                invocation.arg(*segments).arg(*left);
            }
        }
        Ask::Day(day) => {
            invocation.arg(day.begins).arg(day.ends).arg(day.limit).arg(day.open).arg(day.want).arg(day.need);
            invocation.arg(u8::from(day.open_only)).arg(day.had);
        }
    }
}

/// Reads an answer; none: it is none of ours.
fn reply(values: &[String]) -> Option<Reply> {
    let number = |at: usize| values.get(at)?.parse::<u64>().ok();
    let small = |at: usize| number(at).and_then(|number| u32::try_from(number).ok());
    let outcome = match values.get(2)?.as_str() {
        "late" => Outcome::Late,
        "here" => Outcome::Here,
        "unsettled" => Outcome::Unsettled { left: number(3)? },
        "slice" => Outcome::Slice { share: small(3)?, length: number(4)?, keep: small(5)?, again: number(6)? },
        "part" => Outcome::Part {
            granted: small(3)?,
            open: small(4)?,
            had: number(5)?,
            used: number(6)?,
            whole: number(7)? == 1,
        },
        _ => return None,
    };
    Some(Reply { now: number(0)?, generation: number(1)?, outcome })
}

#[async_trait]
impl Grants for RedisGrants {
    async fn ask(&self, call: &Call, ask: &Ask) -> Result<Reply, GrantsError> {
        let values = self.invoke(call, ask).await?;
        reply(&values).ok_or_else(|| GrantsError::Unexpected(values.get(2).cloned().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_none_of_ours_is_an_error_and_no_panic() {
        let said = |words: &[&str]| reply(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(said(&[]), None);
        assert_eq!(said(&["1", "2"]), None);
        assert_eq!(said(&["1", "2", "slice", "-3", "4", "5", "6"]), None);
        assert_eq!(said(&["1", "2", "slice", "99999999999", "4", "5", "6"]), None);
        assert_eq!(said(&["1", "2", "made up"]), None);
        let slice = Outcome::Slice { share: 3, length: 4, keep: 5, again: 6 };
        assert_eq!(
            said(&["1", "2", "slice", "3", "4", "5", "6"]),
            Some(Reply { now: 1, generation: 2, outcome: slice })
        );
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_its_key() {
        let options = |url: &str, sentinels: &[&str]| RedisOptions {
            url: url.to_owned(),
            sentinel_tls: false,
            authorities: None,
            sentinels: sentinels.iter().map(|at| (*at).to_owned()).collect(),
            service: "deskwire".to_owned(),
            user: String::new(),
            password: String::new(),
            prefix: "deskwire".to_owned(),
            answer_within: Duration::from_secs(1),
            replicas: 0,
        };
        let refused = |options: RedisOptions| RedisGrants::new(&options).err().map(|error| error.to_string());
        assert!(refused(options("nowhere", &[])).is_some_and(|error| error.starts_with("redis.url ")));
        assert!(refused(options("", &["alone"])).is_some_and(|error| error.starts_with("redis.sentinels ")));
        assert_eq!(refused(options("redis://127.0.0.1:1", &[])), None);
        assert_eq!(refused(options("", &["127.0.0.1:1"])), None);
        assert_eq!(refused(options("rediss://127.0.0.1:1", &[])), None);
        let mut wrong = options("rediss://127.0.0.1:1", &[]);
        wrong.authorities = Some(b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n".to_vec());
        assert!(refused(wrong).is_some());
    }
}
