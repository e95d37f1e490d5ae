//! What all parts of the carrier share.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use super::{
    call::Book,
    chance::Chance,
    config::{Account, CarrierConfig, Line, Spread},
    door::Absence,
    fault::{Fate, Faults},
    files::Files,
    handset::{Handset, Handsets, Network, Received},
    keywords::{Blocks, Handled},
    message::Message,
    store::{Filter, Store},
    webhook::{Hook, Poster},
};
use crate::meter::{Meter, Micros, Report, Sample};

/// Webhooks kept for redelivery.
const SENT_HOOKS_MAX: usize = 10_000;

/// A running carrier.
pub(super) struct Carrier {
    config: CarrierConfig,
    pub(super) poster: Poster,
    pub(super) chance: Chance,
    pub(super) book: Book,
    pub(super) files: Files,
    pub(super) handsets: Handsets,
    blocks: Mutex<Blocks>,
    absence: watch::Sender<Absence>,
    /// Raised whenever something is new that a telephone may show.
    revision: watch::Sender<u64>,
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
        let handsets = Handsets::default();
        for handset in &config.handsets {
            handsets.set(handset.clone());
        }
        Ok(Self {
            poster,
            chance: Chance::new(config.seed),
            book: Book::new(config.calls_max),
            files: Files::default(),
            handsets,
            blocks: Mutex::default(),
            absence: watch::Sender::new(config.absence),
            revision: watch::Sender::new(0),
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

    /// How much faster than real a call goes.
    pub(super) fn call_speed(&self) -> f64 {
        if self.config.call_speed > 0.0 { self.config.call_speed } else { 1.0 }
    }

    /// Whether the contact blocked this line, at the carrier or its network.
    pub(super) fn blocks(&self, line: &Line, contact: &str) -> bool {
        lock(&self.blocks).holds(&line.address, contact)
    }

    /// What the carrier itself makes of a text.
    pub(super) fn handle_keyword(&self, line: &Line, contact: &str, body: &str) -> Handled {
        lock(&self.blocks).handle(line, self.config.keeps_opt_outs, contact, body)
    }

    /// Charges a text to the day of its recipient's network.
    pub(super) fn charge(&self, message: &Message, handset: &Handset) -> Result<(), u32> {
        let name = handset.network.as_deref().unwrap_or(&self.config.default_network);
        let Some(network) = self.config.networks.iter().find(|network| network.name == name) else { return Ok(()) };
        let brand = self.line(&message.from).map_or("", |line| line.brand.as_str());
        self.handsets.charge(network, brand, u32::from(message.segments), now())
    }

    pub(super) fn networks(&self) -> &[Network] {
        &self.config.networks
    }

    pub(super) fn absence(&self) -> Absence {
        *self.absence.borrow()
    }

    pub(super) fn absences(&self) -> watch::Receiver<Absence> {
        self.absence.subscribe()
    }

    pub(super) fn set_absence(&self, absence: Absence) {
        self.absence.send_replace(absence);
        self.changed();
    }

    pub(super) fn changed(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// A text's status moves on.
    pub(super) fn advance(&self, sid: &str, status: &str, error: Option<u32>) {
        self.store(|store| store.advance(sid, status, error, now()));
        self.changed();
    }

    /// All that arrived at a telephone, oldest first: the lines' texts, and the carrier's own answers.
    pub(super) fn received(&self, number: &str) -> Vec<Received> {
        let filter = Filter { to: Some(number.to_owned()), ..Filter::default() };
        let arrived = |message: &&Message| !message.inbound && matches!(&*message.status, "delivered" | "read");
        let mut all: Vec<Received> =
            self.store(|store| store.list(&filter).filter(arrived).map(Received::from).collect());
        all.extend(self.handsets.notices(number));
        all.sort_by_key(|received| received.at_us);
        all
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
        if let Some(sample) = self.sample(message, message.created_us) {
            self.meter(|meter| meter.record(&sample));
        }
    }

    fn sample<'a>(&'a self, message: &'a Message, at: Micros) -> Option<Sample<'a>> {
        let line = self.line(&message.from)?;
        Some(Sample {
            at,
            segments: u32::from(message.segments),
            account: &message.account,
            brand: &line.brand,
            campaign: &line.campaign,
            from: &message.from,
            to: &message.to,
            limits: &line.limits,
        })
    }

    /// The texts of ours that are kept, by when their senders let them go.
    pub(super) fn departures(&self) -> Report {
        let messages = self.messages();
        let ours = messages.iter().filter(|message| !message.inbound);
        let mut departed: Vec<_> = ours.filter_map(|message| Some((message.departed_us()?, message))).collect();
        departed.sort_unstable_by_key(|(at, _)| *at);
        let mut meter = Meter::new(0);
        departed.iter().filter_map(|(at, message)| self.sample(message, *at)).for_each(|sample| meter.record(&sample));
        meter.report()
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
