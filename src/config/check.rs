//! What types alone cannot say: bounds, and keys that must fit each other. Every fault is reported, not only the first.

use super::{Config, ConfigError, Fault, LimitsKind, StoreKind};

/// Shared secrets at once.
const SECRETS_MAX: usize = 4;
/// Shortest HS256 secret (RFC 7518 §3.2).
const SECRET_MIN_BYTES: usize = 32;

/// Checks bounds and how keys fit together.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let mut faults: Vec<Fault> = config
        .rules()
        .iter()
        .filter(|rule| !rule.holds())
        .map(|rule| fault(&rule.key, rule.number.unwrap_or_default(), format!("must be {}", rule.allowed)))
        .collect();
    urls(config, &mut faults);
    demo(config, &mut faults);
    order(config, &mut faults);
    filter(config, &mut faults);
    tls(config, &mut faults);
    shared_secrets(config, &mut faults);
    traces(config, &mut faults);
    cql(config, &mut faults);
    redis(config, &mut faults);
    cluster(config, &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(ConfigError { faults }) }
}

fn fault(key: &str, value: impl std::fmt::Debug, allowed: impl Into<String>) -> Fault {
    Fault { key: key.to_owned(), value: Some(format!("{value:?}")), allowed: allowed.into(), source: None }
}

fn urls(config: &Config, faults: &mut Vec<Fault>) {
    let bases = [
        ("server.public_url", &config.server.public_url),
        ("demo.carrier_url", &config.demo.carrier_url),
        ("twilio.base_url", &config.twilio.base_url),
    ];
    let wrong = bases.into_iter().filter(|(_, url)| !is_base(url));
    faults.extend(
        wrong.map(|(key, url)| fault(key, url, "must be an http or https URL without a path, query or fragment")),
    );
    let origins = config.server.allowed_origins.iter().filter(|origin| !is_base(origin));
    faults.extend(origins.map(|origin| {
        fault(
            "server.allowed_origins",
            origin,
            "must be origins: scheme, host and port, such as https://desk.example.com",
        )
    }));
}

/// `http(s)://host[:port]`, nothing after it.
fn is_base(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else { return false };
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
    plain && rest.parse::<axum::http::uri::Authority>().is_ok_and(|authority| !authority.host().is_empty())
}

/// The demo's secrets are public: whoever reaches the port is an admin of it.
fn demo(config: &Config, faults: &mut Vec<Fault>) {
    if config.demo.enabled && !config.server.listen.ip().is_loopback() {
        let allowed = format!(
            "must be false: the demo's secrets are public, and server.listen = {} is not a loopback address",
            config.server.listen
        );
        faults.push(fault("demo.enabled", true, allowed));
    }
}

/// Keys of which one must not exceed the other.
fn order(config: &Config, faults: &mut Vec<Fault>) {
    let (outbox, stream) = (&config.outbox, &config.stream);
    let pairs = [
        ("outbox.retry_min_ms", outbox.retry_min_ms.0, "outbox.retry_max_ms", outbox.retry_max_ms.0),
        ("stream.pong_timeout_ms", stream.pong_timeout_ms.0, "stream.ping_interval_ms", stream.ping_interval_ms.0),
        ("outbox.retry_floor_ms", outbox.retry_floor_ms.0, "outbox.retry_max_ms", outbox.retry_max_ms.0),
        ("api.page_default", config.api.page_default as u64, "api.page_max", config.api.page_max as u64),
    ];
    let wrong = pairs.into_iter().filter(|(_, small, _, large)| small > large);
    faults.extend(
        wrong.map(|(key, small, bound, large)| fault(key, small, format!("must be at most {bound} = {large}"))),
    );
}

fn filter(config: &Config, faults: &mut Vec<Fault>) {
    if let Err(error) = config.telemetry.filter.parse::<tracing_subscriber::EnvFilter>() {
        let allowed = format!("must be a level, or levels by module such as info,deskwire::session=debug: {error}");
        faults.push(fault("telemetry.filter", &config.telemetry.filter, allowed));
    }
}

/// A certificate needs its key, and carriers that call https sign an https URL. What the files hold is checked where
/// they are read.
fn tls(config: &Config, faults: &mut Vec<Fault>) {
    let server = &config.server;
    let pair = [("server.tls_certificate", &server.tls_certificate), ("server.tls_key", &server.tls_key)];
    let (absent, given): (Vec<_>, Vec<_>) = pair.into_iter().partition(|(_, path)| path.as_os_str().is_empty());
    if let ([(missing, path)], [(other, _)]) = (absent.as_slice(), given.as_slice()) {
        faults.push(fault(missing, path, format!("must be given too: there is {other}, and TLS needs both")));
    }
    if !given.is_empty() && !server.public_url.starts_with("https://") {
        let allowed = "must begin with https://: with server.tls_certificate carriers call, and sign, https";
        faults.push(fault("server.public_url", &server.public_url, allowed));
    }
}

/// Secrets of one who mints: the current and the one before, for two of them. None is ever shown.
fn shared_secrets(config: &Config, faults: &mut Vec<Fault>) {
    let secrets = &config.auth.shared_secrets;
    if secrets.len() > SECRETS_MAX || secrets.iter().any(|secret| secret.reveal().len() < SECRET_MIN_BYTES) {
        let allowed = format!("must be at most {SECRETS_MAX} secrets of {SECRET_MIN_BYTES} bytes or more");
        faults.push(Fault { key: "auth.shared_secrets".to_owned(), value: None, allowed, source: None });
    }
}

fn traces(config: &Config, faults: &mut Vec<Fault>) {
    let telemetry = &config.telemetry;
    if !telemetry.otlp_endpoint.is_empty() && !is_base(&telemetry.otlp_endpoint) {
        let allowed = "must be an http or https URL without a path, query or fragment, or \"\" for no traces";
        faults.push(fault("telemetry.otlp_endpoint", &telemetry.otlp_endpoint, allowed));
    }
    if !(0.0..=1.0).contains(&telemetry.otlp_sample_ratio) {
        faults.push(fault("telemetry.otlp_sample_ratio", telemetry.otlp_sample_ratio, "must be a number from 0 to 1"));
    }
}

/// Only where it is used: the section has its defaults everywhere.
fn cql(config: &Config, faults: &mut Vec<Fault>) {
    let cql = &config.cql;
    if config.store.kind != StoreKind::Cql {
        return;
    }
    if cql.contact_points.is_empty() || cql.contact_points.iter().any(|point| !point.contains(':')) {
        let allowed = "must name at least one server as host:port";
        faults.push(fault("cql.contact_points", &cql.contact_points, allowed));
    }
    if cql.user.is_empty() != cql.password_file.as_os_str().is_empty() {
        let allowed = "must be given with cql.user, and only with it";
        faults.push(fault("cql.password_file", &cql.password_file, allowed));
    }
    let trusts = !cql.tls_ca_file.as_os_str().is_empty() || !cql.tls_name.is_empty();
    if trusts && !cql.tls {
        faults.push(fault("cql.tls", cql.tls, "must be true where cql.tls_ca_file or cql.tls_name is given"));
    }
    if fewest_replicas(&cql.replication).is_none_or(|replicas| replicas < 2) && !cql.allow_unsafe {
        let allowed = "must keep two replicas or more everywhere: with one, a lost server is lost data. \
                       cql.allow_unsafe = true where that does no harm";
        faults.push(fault("cql.replication", &cql.replication, allowed));
    }
}

/// Only where it is used. A password would be seen by whoever sees the URL.
fn redis(config: &Config, faults: &mut Vec<Fault>) {
    let redis = &config.redis;
    if config.limits.kind != LimitsKind::Redis {
        return;
    }
    if redis.url.contains('@') {
        let allowed = "must not hold a password or a user: redis.user and redis.password_file do".to_owned();
        faults.push(Fault { key: "redis.url".to_owned(), value: None, allowed, source: None });
    } else if redis.sentinels.is_empty() && !["redis://", "rediss://"].iter().any(|it| redis.url.starts_with(it)) {
        let allowed = "must begin with redis:// or rediss://, or redis.sentinels must name some";
        faults.push(fault("redis.url", &redis.url, allowed));
    }
    if redis.url.contains('#') {
        // The driver takes `#insecure` for leave to accept any certificate.
        faults.push(fault("redis.url", &redis.url, "must have no fragment: certificates are always checked"));
    }
    if redis.sentinels.iter().any(|sentinel| !sentinel.contains(':')) {
        faults.push(fault("redis.sentinels", &redis.sentinels, "must be host:port each"));
    }
    if !redis.user.is_empty() && redis.password_file.as_os_str().is_empty() {
        faults.push(fault("redis.password_file", &redis.password_file, "must be given with redis.user"));
    }
    let plain = |prefix: &str| prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if redis.prefix.is_empty() || !plain(&redis.prefix) {
        faults.push(fault("redis.prefix", &redis.prefix, "must be letters, digits, - and _"));
    }
    if redis.answer_within_ms.0 * 2 > redis.slice_max_ms.0 {
        let allowed = format!("must be at most half of redis.slice_max_ms = {}", redis.slice_max_ms.0);
        faults.push(fault("redis.answer_within_ms", redis.answer_within_ms.0, allowed));
    }
}

/// Only where it is used: several nodes keep their promises only on what they share.
fn cluster(config: &Config, faults: &mut Vec<Fault>) {
    let cluster = &config.cluster;
    if !cluster.enabled {
        return;
    }
    if config.store.kind != StoreKind::Cql {
        let allowed = "must be \"cql\" with cluster.enabled: nodes share one log, and a directory is one node's";
        faults.push(fault("store.kind", config.store.kind, allowed));
    }
    if config.limits.kind != LimitsKind::Redis {
        let allowed =
            "must be \"redis\" with cluster.enabled: nodes that count alone send faster than an account allows";
        faults.push(fault("limits.kind", config.limits.kind, allowed));
    }
    let files = [
        ("cluster.secret_file", &cluster.secret_file, "gossip is signed with what it holds"),
        ("cluster.ca_file", &cluster.ca_file, "nodes know each other by its certificates"),
        ("cluster.certificate_file", &cluster.certificate_file, "other nodes know this one by it"),
        ("cluster.key_file", &cluster.key_file, "other nodes know this one by it"),
        ("auth.keys_directory", &config.auth.keys_directory, "a token that one node has made is good at the others"),
        ("cql.master_key_file", &config.cql.master_key_file, "all nodes open what one of them has sealed"),
    ];
    for (key, path, why) in files.into_iter().filter(|(_, path, _)| path.as_os_str().is_empty()) {
        faults.push(fault(key, path, format!("must be given with cluster.enabled: {why}")));
    }
    let listens = [("cluster.gossip_listen", cluster.gossip_listen), ("cluster.relay_listen", cluster.relay_listen)];
    for (key, address) in listens.into_iter().filter(|(_, address)| address.ip().is_unspecified()) {
        faults.push(fault(key, address, "must be an address of this machine: other nodes are told to come there"));
    }
    if cluster.seeds.iter().any(|seed| !seed.contains(':')) {
        faults.push(fault("cluster.seeds", &cluster.seeds, "must be host:port each"));
    }
    if cluster.name.is_empty() {
        faults.push(fault("cluster.name", &cluster.name, "must be a name"));
    }
}

/// The smallest number in a replication map, which has nothing else that is one.
fn fewest_replicas(map: &str) -> Option<u32> {
    let value = |part: &str| part.rsplit(':').next()?.trim_matches([' ', '\'', '}']).parse::<u32>().ok();
    map.split(',').filter_map(value).min()
}
