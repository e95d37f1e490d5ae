//! The contacts' telephones: on or off, mobile or landline, at which network; and what each received.
//!
//! A text to one that is off waits at the network until it is on, or its validity is over: then it is `undelivered` with
//! 30003. A landline gets nothing: 30006. A network may take so many segments of a brand a day and no more (carriers.md
//! D.7): 30023, T-Mobile's own code is 30027.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::message::Message;
use crate::meter::{Micros, pacific_day};

/// Telephones that are kept; those that are like any other are not counted.
const HANDSETS_MAX: usize = 100_000;
/// Answers of the carrier itself that are kept.
const NOTICES_MAX: usize = 10_000;

/// A contact's telephone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handset {
    /// Its number.
    pub number: String,
    /// Whether it is on.
    #[serde(default = "yes")]
    pub on: bool,
    /// A landline takes calls and no texts.
    #[serde(default)]
    pub landline: bool,
    /// Its network's name; none: the default one.
    #[serde(default)]
    pub network: Option<String>,
    /// A person at the page uses it: the demo's callers leave it alone.
    #[serde(default)]
    pub held: bool,
}

fn yes() -> bool {
    true
}

impl Handset {
    /// A mobile telephone that is on.
    pub fn new(number: &str) -> Self {
        Self { number: number.to_owned(), on: true, landline: false, network: None, held: false }
    }
}

/// A text that arrived at a telephone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// When it arrived.
    pub at_us: Micros,
    /// From which line.
    pub from: String,
    /// What it says.
    pub body: String,
    /// Its pictures.
    pub media: Vec<String>,
    /// The carrier's own answer to a keyword, and not the business's.
    pub by_carrier: bool,
}

/// A network, and what it takes of each brand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// As handsets name it.
    pub name: String,
    /// Segments of one brand in a Pacific day; none: no end.
    #[serde(default)]
    pub day_cap: Option<u32>,
    /// What a text over the cap fails with.
    #[serde(default = "cap_reached")]
    pub code: u32,
}

fn cap_reached() -> u32 {
    30_023
}

/// All telephones.
#[derive(Debug, Default)]
pub(super) struct Handsets(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    handsets: HashMap<String, Handset>,
    /// Number and what it got.
    notices: std::collections::VecDeque<(String, Received)>,
    used: HashMap<(String, String), (jiff::civil::Date, u32)>,
}

impl Handsets {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, number: &str) -> Handset {
        self.lock().handsets.get(number).cloned().unwrap_or_else(|| Handset::new(number))
    }

    /// `false`: there are too many.
    pub(super) fn set(&self, handset: Handset) -> bool {
        let mut inner = self.lock();
        if inner.handsets.len() >= HANDSETS_MAX && !inner.handsets.contains_key(&handset.number) {
            return false;
        }
        inner.handsets.insert(handset.number.clone(), handset);
        true
    }

    /// The carrier itself answers.
    pub(super) fn notice(&self, number: &str, received: Received) {
        let mut inner = self.lock();
        if inner.notices.len() >= NOTICES_MAX {
            inner.notices.pop_front();
        }
        inner.notices.push_back((number.to_owned(), received));
    }

    pub(super) fn notices(&self, number: &str) -> Vec<Received> {
        let inner = self.lock();
        inner.notices.iter().filter(|(to, _)| to == number).map(|(_, received)| received.clone()).collect()
    }

    /// Charges a text to its network's day; the network's code if that is over.
    pub(super) fn charge(&self, network: &Network, brand: &str, segments: u32, at: Micros) -> Result<(), u32> {
        let Some(cap) = network.day_cap else { return Ok(()) };
        let today = pacific_day(at);
        let mut inner = self.lock();
        let used = inner.used.entry((brand.to_owned(), network.name.clone())).or_insert((today, 0));
        if used.0 != today {
            *used = (today, 0);
        }
        if used.1 + segments > cap {
            return Err(network.code);
        }
        used.1 += segments;
        Ok(())
    }
}

impl From<&Message> for Received {
    fn from(message: &Message) -> Self {
        let (from, body, media) = (message.from.clone(), message.body.clone(), message.media.clone());
        Self { at_us: message.updated_us, from, body, media, by_carrier: false }
    }
}
