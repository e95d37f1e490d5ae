//! The listener's certificate: read, checked, and read again while the server runs. A new pair that cannot be used
//! changes nothing but a metric and one line in the log; open connections keep what they began with.

mod validity;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actors::{memory::SystemClock, ports::Clock as _};
use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use schema::time::Stamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, ConfigError, Fault};

/// The only protocol spoken inside.
const PROTOCOL: &[u8] = b"http/1.1";
/// Largest file that is read: a chain has some KiB.
const FILE_MAX: u64 = 1 << 20;

/// The certificate in use, and where it comes from. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    files: Arc<Files>,
    current: Arc<ArcSwap<ServerConfig>>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Both files as they were read.
#[derive(PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// What is wrong with a pair: the key of the configuration that names the file, and why.
#[derive(Debug, PartialEq, Eq)]
struct Unusable {
    key: &'static str,
    why: String,
}

const CERTIFICATE: &str = "server.tls_certificate";
const KEY: &str = "server.tls_key";

impl Tls {
    /// Reads the pair that the configuration names; none if it names none. Opens no socket.
    pub fn load(config: &Config) -> Result<Option<Self>, ConfigError> {
        let server = &config.server;
        if server.tls_certificate.as_os_str().is_empty() {
            return Ok(None);
        }
        let files = Files { certificate: server.tls_certificate.clone(), key: server.tls_key.clone() };
        let loaded = files.read().and_then(|pair| usable(&pair, SystemClock.now()));
        let (first, _) = loaded.map_err(|unusable| files.fault(unusable))?;
        Ok(Some(Self { files: Arc::new(files), current: Arc::new(ArcSwap::new(first)) }))
    }

    /// What the next handshake uses.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Looks at the files every `every`, and at once on SIGHUP, for as long as it is polled.
    pub(super) async fn watch(self, every: Duration) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut seen: Option<Result<Pair, Unusable>> = None;
        loop {
            let files = self.files.clone();
            let read = tokio::task::spawn_blocking(move || files.read()).await.map_err(io::Error::other)?;
            if seen.as_ref() != Some(&read) {
                self.take(&read, seen.is_none(), SystemClock.now());
                seen = Some(read);
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = hangup.recv() => {}
            }
        }
    }

    fn take(&self, read: &Result<Pair, Unusable>, is_first: bool, now: Stamp) {
        let loaded = match read {
            Ok(pair) => usable(pair, now),
            Err(unusable) => Err(Unusable { key: unusable.key, why: unusable.why.clone() }),
        };
        metrics::gauge!("deskwire_tls_pair_refused").set(if loaded.is_ok() { 0.0 } else { 1.0 });
        match loaded {
            Ok((config, until)) => {
                self.current.store(config);
                #[expect(clippy::cast_precision_loss, reason = "a date in seconds")]
                metrics::gauge!("deskwire_tls_certificate_expires_seconds").set((until.0 / 1_000_000) as f64);
                if !is_first {
                    tracing::info!(until = %shown(until), "the listener's certificate was replaced");
                }
            }
            Err(unusable) => {
                metrics::counter!("deskwire_tls_pairs_refused_total").increment(1);
                let Unusable { key, why } = unusable;
                tracing::error!(key, %why, "a new certificate cannot be used; the one before stays");
            }
        }
    }
}

impl Files {
    fn read(&self) -> Result<Pair, Unusable> {
        let read = |path: &Path, key| read_bounded(path).map_err(|why| Unusable { key, why });
        Ok(Pair { certificate: read(&self.certificate, CERTIFICATE)?, key: read(&self.key, KEY)? })
    }

    fn fault(&self, unusable: Unusable) -> ConfigError {
        let path = if unusable.key == KEY { &self.key } else { &self.certificate };
        let value = Some(format!("{:?}", path.display().to_string()));
        ConfigError { faults: vec![Fault { key: unusable.key.to_owned(), value, allowed: unusable.why, source: None }] }
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    use io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > FILE_MAX => Err("cannot be used: it is larger than 1 MiB".to_owned()),
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// A server's configuration from a pair, and until when its certificate is valid.
fn usable(pair: &Pair, now: Stamp) -> Result<(Arc<ServerConfig>, Stamp), Unusable> {
    let wrong = |key, why: &str| Unusable { key, why: why.to_owned() };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pair.certificate).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| wrong(CERTIFICATE, "must hold PEM certificates, the server's own first"))?;
    let (_, until) = validity::validity(&chain[0])
        .ok_or_else(|| wrong(CERTIFICATE, "must hold X.509 certificates; the first is none"))?;
    if until <= now {
        return Err(Unusable { key: CERTIFICATE, why: format!("has expired on {}", shown(until)) });
    }
    let key = PrivateKeyDer::from_pem_slice(&pair.key)
        .map_err(|_| wrong(KEY, "must hold a private key in PEM (PKCS#8, PKCS#1 or SEC1, not encrypted)"))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Unusable { key: CERTIFICATE, why: error.to_string() })?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            wrong(KEY, "does not belong to the certificate in server.tls_certificate")
        }
        rustls::Error::General(why) => Unusable { key: KEY, why: format!("cannot be used: {why}") },
        other => Unusable { key: CERTIFICATE, why: format!("cannot be used: {other}") },
    })?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok((Arc::new(config), until))
}

fn shown(stamp: Stamp) -> String {
    super::date(stamp).unwrap_or_else(|| "a day beyond the calendar".to_owned())
}

#[cfg(test)]
mod tests;
