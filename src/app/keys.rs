//! The keys that tokens are made and verified with: opened, watched while the server runs, rotated and listed by the
//! command line.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use actors::{memory::SystemClock, ports::Clock as _};
use schema::time::Stamp;

use crate::{
    auth::{
        Authenticator, Key, KeyError, Term,
        ring::{self, Kept, Rotated},
    },
    config::Config,
    store::embedded::EmbeddedStore,
};

/// A token whose key nobody knows makes us look, but not more often than this: anybody can make such tokens.
const LOOK_AT_MOST: Duration = Duration::from_millis(500);
/// What `keys rotate` adds to the longest life of a token: clocks differ, and a stream is given time to refresh.
const MARGIN: Duration = Duration::from_secs(600);

fn directory(config: &Config) -> PathBuf {
    let named = &config.auth.keys_directory;
    if named.as_os_str().is_empty() { own(config) } else { named.clone() }
}

fn own(config: &Config) -> PathBuf {
    config.data.directory.join("keys")
}

/// A signing key in a directory that several nodes are given; nothing if it has one.
pub(super) fn make(directory: &Path) -> Result<(), KeyError> {
    ring::make(directory).map(drop)
}

/// What mints and verifies; the signing key is made if there is none.
pub(super) fn authenticator(config: &Config) -> Result<Authenticator, KeyError> {
    let keys = terms(config, ring::make(&directory(config))?);
    Authenticator::with(&keys, config.auth.leeway_s.duration())
}

fn terms(config: &Config, kept: Vec<Kept>) -> Vec<Term> {
    let shared = config.auth.shared_secrets.iter();
    let shared = shared.map(|secret| Term::from(Key::Hs256(secret.reveal().as_bytes().to_vec())));
    kept.into_iter().map(|kept| kept.term).chain(shared).collect()
}

/// Keeps an authenticator's keys those of the directory.
pub(super) struct KeyWatch {
    config: Config,
    auth: Weak<Authenticator>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    ids: Vec<(String, Option<Stamp>)>,
    /// When an unknown key made us look.
    asked: Option<Duration>,
    fault: Option<String>,
}

impl KeyWatch {
    /// Looks whenever a token's key is unknown, and as often as `run` is polled.
    pub(super) fn over(config: &Config, auth: &Arc<Authenticator>) -> Arc<Self> {
        let watch = Arc::new(Self { config: config.clone(), auth: Arc::downgrade(auth), seen: Mutex::default() });
        let looking = watch.clone();
        auth.on_unknown_key(Box::new(move || looking.asked()));
        watch
    }

    pub(super) async fn run(self: Arc<Self>) {
        let every = self.config.auth.keys_reload_s.duration();
        loop {
            let watch = self.clone();
            if tokio::task::spawn_blocking(move || watch.look()).await.is_err() {
                return;
            }
            tokio::time::sleep(every).await;
        }
    }

    fn asked(&self) {
        let now = SystemClock.monotonic();
        {
            let seen = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.asked.is_some_and(|at| now.saturating_sub(at) < LOOK_AT_MOST) {
                return;
            }
            seen.asked = Some(now);
        }
        self.look();
    }

    /// Reads the key files. What cannot be read changes nothing.
    fn look(&self) {
        let Some(auth) = self.auth.upgrade() else { return };
        let seen = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match self.take(&auth, &mut seen.ids) {
            Ok(()) => seen.fault = None,
            Err(error) => {
                metrics::counter!("deskwire_key_files_refused_total").increment(1);
                let said = error.to_string();
                if seen.fault.as_ref() != Some(&said) {
                    tracing::error!(%error, "the key files cannot be used; the keys before stay");
                    seen.fault = Some(said);
                }
            }
        }
    }

    fn take(&self, auth: &Authenticator, known: &mut Vec<(String, Option<Stamp>)>) -> Result<(), KeyError> {
        let directory = directory(&self.config);
        for id in ring::forget(&directory, SystemClock.now())? {
            tracing::info!(key = %id, "a token key's overlap has ended: it is forgotten");
        }
        let kept = ring::load(&directory)?;
        let ids: Vec<_> = kept.iter().map(|kept| (kept.id.clone(), kept.term.until)).collect();
        if ids != *known {
            auth.replace(&terms(&self.config, kept))?;
            if !known.is_empty() {
                tracing::info!(signing = %ids[0].0, keys = ids.len(), "token keys were replaced");
            }
            *known = ids;
        }
        Ok(())
    }
}

/// Makes a new signing key; tokens of the one before are good for `overlap`, by default as long as any of
/// `auth.token_ttl_s` lives.
pub fn rotate(config: &Config, overlap: Option<Duration>) -> Result<Rotated, KeyError> {
    let overlap = overlap.unwrap_or(config.auth.token_ttl_s.duration() + MARGIN);
    ring::rotate(&directory(config), SystemClock.now(), overlap)
}

/// Seals contacts' keys and carriers' secrets under a new master key; how many. Only while no server runs.
pub fn reseal(config: &Config) -> anyhow::Result<usize> {
    super::offline::check_exists(config)?;
    Ok(EmbeddedStore::reseal(&config.data.directory)?)
}

/// A key as `keys list` shows it.
pub struct Listed {
    /// What it is called.
    pub id: String,
    /// What it does.
    pub kind: &'static str,
    /// How old it is, if that is known.
    pub age: Option<Duration>,
    /// Until when it is good; none: until it is replaced.
    pub until: Option<Stamp>,
}

/// Every key of this configuration and its data directory; nothing of any of them but its name.
pub fn list(config: &Config) -> Result<Vec<Listed>, KeyError> {
    let (directory, now) = (directory(config), SystemClock.now());
    let listed = |kept: Kept| {
        let kind = if kept.term.until.is_none() { "signs tokens" } else { "verifies tokens" };
        Listed { id: kept.id, kind, age: Some(now.since(kept.made)), until: kept.term.until }
    };
    let mut keys: Vec<Listed> = ring::load(&directory)?.into_iter().map(listed).collect();
    keys.retain(|key| key.until.is_none_or(|until| now < until));
    let shared = (1..=config.auth.shared_secrets.len()).map(|number| Listed {
        id: format!("shared-{number}"),
        kind: "verifies others' tokens",
        age: None,
        until: None,
    });
    keys.extend(shared);
    keys.extend(sealing(&own(config), now));
    Ok(keys)
}

fn sealing(directory: &Path, now: Stamp) -> Option<Listed> {
    let modified = std::fs::metadata(directory.join("master")).ok()?.modified().ok()?;
    let micros = modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_micros();
    let age = now.since(Stamp(u64::try_from(micros).ok()?));
    Some(Listed { id: "master".to_owned(), kind: "seals contacts' keys", age: Some(age), until: None })
}
