//! From configuration to the pace: of this process alone, or shared through Redis.

use std::sync::Arc;

use actors::{
    memory::{SystemClock, SystemIds},
    pace::{Keeper, LocalLimiter, SharedOptions},
    ports::{Clock, Ids, Limiter},
};
use anyhow::Context as _;
use schema::ids::NodeId;

use super::{client, limits::pace};
use crate::{
    config::{Config, LimitsKind},
    limit::{Marks, RedisGrants, RedisOptions},
};

/// The limiter, and who keeps it supplied where limits are shared. Redis need not be up.
pub(super) fn limiter(config: &Config, node: &NodeId) -> anyhow::Result<(Arc<dyn Limiter>, Option<Keeper>)> {
    let clock = Arc::new(SystemClock);
    let limiter = LocalLimiter::started_at(pace(config), clock.now()).timed_by(clock.clone());
    if config.limits.kind == LimitsKind::Local {
        return Ok((Arc::new(limiter), None));
    }
    let grants = RedisGrants::new(&redis(config)?)?;
    let (marks, before) = Marks::open(&config.data.directory.join("days"))?;
    let within = config.redis.answer_within_ms.duration();
    let options = SharedOptions {
        node: node.to_string(),
        holder: format!("{node}-{:016x}", SystemIds.random()),
        members: config.limits.members,
        slice_max: config.redis.slice_max_ms.duration(),
        answer_within: within,
    };
    let limiter = Arc::new(limiter.shared(options, before, clock.now()));
    let keep = Arc::new(move |mark| marks.keep(mark).map_err(|error| error.to_string()));
    let keeper = Keeper::new(limiter.clone(), Arc::new(grants), clock, within, keep);
    Ok((limiter, Some(keeper)))
}

fn redis(config: &Config) -> anyhow::Result<RedisOptions> {
    let redis = &config.redis;
    let password = match redis.password_file.as_os_str().is_empty() {
        true => String::new(),
        false => std::fs::read_to_string(&redis.password_file)
            .with_context(|| format!("redis.password_file = \"{}\"", redis.password_file.display()))?,
    };
    // Read as what it is, so that a wrong file is named here and now and not with the first question.
    let authorities = match redis.tls_ca_file.as_os_str().is_empty() {
        true => None,
        false => {
            client::authorities("redis.tls_ca_file", &redis.tls_ca_file)?;
            Some(std::fs::read(&redis.tls_ca_file)?)
        }
    };
    Ok(RedisOptions {
        url: redis.url.clone(),
        sentinel_tls: redis.sentinel_tls,
        authorities,
        sentinels: redis.sentinels.clone(),
        service: redis.service.clone(),
        user: redis.user.clone(),
        password: password.trim_end().to_owned(),
        prefix: redis.prefix.clone(),
        answer_within: redis.answer_within_ms.duration(),
        replicas: redis.replicas_min,
    })
}
