//! What all parts of the carrier share.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use super::{
    chance::Chance,
    config::{Account, CarrierConfig, Line, Spread},
    fault::{Fate, Faults},
    message::Message,
    store::{Filter, Store},
    webhook::{Hook, Poster},
};
use crate::meter::{Meter, Micros, Sample};

/// Webhooks kept for redelivery.
const SENT_HOOKS_MAX: usize = 10_000;

/// A running carrier.
pub(super) struct Carrier {
    config: CarrierConfig,
    pub(super) poster: Poster,
    pub(super) chance: Chance,
    moving: Mutex<Moving>,
    store: Mutex<Store>,
    meter: Mutex<Meter>,
    closed: watch::Sender<bool>,
}

/// What changes while it runs.
struct Moving {
    engine_url: String,
    public_url: String,
    own_url: String,
    faults: Faults,
    next: VecDeque<Fate>,
    next_to: HashMap<String, VecDeque<Fate>>,
    hooks: VecDeque<Hook>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Now.
pub(super) fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Carrier {
    pub(super) fn new(config: CarrierConfig) -> Result<Self, reqwest::Error> {
        let config = config.resolved();
        let poster = Poster::new(config.webhooks_max, config.webhook_retries, config.webhook_retry_ms)?;
        let moving = Moving {
            engine_url: trimmed(&config.engine_url),
            public_url: trimmed(config.public_url.as_deref().unwrap_or(&config.engine_url)),
            own_url: String::new(),
            faults: config.faults.clone(),
            next: VecDeque::new(),
            next_to: HashMap::new(),
            hooks: VecDeque::new(),
        };
        Ok(Self {
            poster,
            chance: Chance::new(config.seed),
            moving: Mutex::new(moving),
            store: Mutex::new(Store::new(config.messages_max)),
            meter: Mutex::new(Meter::new(config.tolerance_ms)),
            closed: watch::Sender::new(false),
            config,
        })
    }

    pub(super) fn account(&self, sid: &str) -> Option<&Account> {
        self.config.accounts.iter().find(|account| account.sid == sid)
    }

    pub(super) fn line(&self, address: &str) -> Option<&Line> {
        self.config.lines.iter().find(|line| line.address == address)
    }

    pub(super) fn line_of_channel(&self, channel: &str) -> Option<&Line> {
        self.config.lines.iter().find(|line| line.channel == channel)
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.config.lines
    }

    pub(super) fn keeps_opt_outs(&self) -> bool {
        self.config.keeps_opt_outs
    }

    pub(super) fn latency(&self) -> &super::config::Latency {
        &self.config.latency
    }

    pub(super) fn draw(&self, spread: Spread) -> Duration {
        spread.draw(self.chance.normal())
    }

    pub(super) fn store<T>(&self, with: impl FnOnce(&mut Store) -> T) -> T {
        with(&mut lock(&self.store))
    }

    pub(super) fn meter<T>(&self, with: impl FnOnce(&mut Meter) -> T) -> T {
        with(&mut lock(&self.meter))
    }

    /// Keeps a text of ours and meters it.
    pub(super) fn take(&self, message: &Message) {
        self.store(|store| store.insert(message.clone()));
        let Some(line) = self.line(&message.from) else { return };
        let sample = Sample {
            at: message.created_us,
            segments: u32::from(message.segments),
            account: &message.account,
            brand: &line.brand,
            campaign: &line.campaign,
            from: &message.from,
            to: &message.to,
            limits: &line.limits,
        };
        self.meter(|meter| meter.record(&sample));
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        let filter = Filter::default();
        let mut messages: Vec<Message> = self.store(|store| store.list(&filter).cloned().collect());
        messages.reverse();
        messages
    }

    pub(super) fn texts_to(&self, to: &str) -> usize {
        let filter = Filter { to: Some(to.to_owned()), ..Filter::default() };
        self.store(|store| store.list(&filter).count())
    }

    pub(super) fn faults(&self) -> Faults {
        lock(&self.moving).faults.clone()
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        lock(&self.moving).faults = faults;
    }

    pub(super) fn script(&self, to: Option<&str>, fates: &[Fate]) {
        let mut moving = lock(&self.moving);
        match to {
            Some(to) => moving.next_to.entry(to.to_owned()).or_default().extend(fates),
            None => moving.next.extend(fates),
        }
    }

    /// What happens to a request to this number: the script first, then chance.
    pub(super) fn fate(&self, to: &str) -> Fate {
        let mut moving = lock(&self.moving);
        let scripted = moving.next_to.get_mut(to).and_then(VecDeque::pop_front);
        if let Some(fate) = scripted.or_else(|| moving.next.pop_front()) {
            return fate;
        }
        let faults = moving.faults.clone();
        drop(moving);
        faults.draw(&self.chance)
    }

    pub(super) fn set_engine(&self, engine_url: &str, public_url: &str) {
        let mut moving = lock(&self.moving);
        moving.engine_url = trimmed(engine_url);
        moving.public_url = trimmed(public_url);
    }

    pub(super) fn set_own_url(&self, url: String) {
        lock(&self.moving).own_url = url;
    }

    pub(super) fn own_url(&self) -> String {
        lock(&self.moving).own_url.clone()
    }

    pub(super) fn public_url(&self) -> String {
        lock(&self.moving).public_url.clone()
    }

    /// Where a signed URL of the engine is really reached.
    pub(super) fn reached_at(&self, public_url: &str) -> String {
        let moving = lock(&self.moving);
        match public_url.strip_prefix(&moving.public_url) {
            Some(path) => format!("{}{path}", moving.engine_url),
            None => public_url.to_owned(),
        }
    }

    pub(super) fn keep_hook(&self, hook: &Hook) {
        let mut moving = lock(&self.moving);
        if moving.hooks.len() >= SENT_HOOKS_MAX {
            moving.hooks.pop_front();
        }
        moving.hooks.push_back(hook.clone());
    }

    pub(super) fn hook(&self, sid: &str) -> Option<Hook> {
        lock(&self.moving).hooks.iter().rev().find(|hook| hook.sid == sid).cloned()
    }

    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Ends when the carrier is stopped.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }
}

fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}
