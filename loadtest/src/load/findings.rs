//! What is not as promised: counted by kind, the first of each described. Bounded, whatever goes wrong.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Described of each kind.
const DESCRIBED: usize = 5;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Acknowledged and not there.
    Lost,
    /// There more than once.
    Twice,
    /// There, but behind what was acknowledged later.
    Disordered,
    /// A reply names another event than the log has.
    OtherReply,
    /// Nobody sent it.
    Unsent,
    /// An operator's offsets jump ahead.
    Gap,
    /// An operator's offsets repeat or jump back.
    Repeated,
    /// An operator saw something else than others of the same role, or than the log.
    Differs,
    /// An operator never saw what there is.
    Behind,
    /// Something of another tenant, or that a role may not see.
    Foreign,
    /// A position that could not be continued, or a session that was refused.
    Refused,
    /// A status moved back.
    StatusBack,
    /// Sent faster than allowed.
    Pace,
    /// Taken twice by the carrier.
    SentTwice,
    /// The engine's own log or views contradict themselves, or it ended by itself.
    Store,
}

/// Kinds and how often each was found.
#[derive(Debug, Default)]
pub struct Findings(Mutex<BTreeMap<Kind, Found>>);

/// One kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// How often.
    pub count: u64,
    /// The first of them.
    pub first: Vec<String>,
}

impl Findings {
    /// Counts one.
    pub fn add(&self, kind: Kind, what: impl FnOnce() -> String) {
        self.add_many(kind, 1, what);
    }

    /// Counts several that are described together.
    pub fn add_many(&self, kind: Kind, count: u64, what: impl FnOnce() -> String) {
        let mut found = self.lock();
        let found = found.entry(kind).or_default();
        found.count += count;
        if found.first.len() < DESCRIBED {
            found.first.push(what());
        }
    }

    /// Of the given kinds.
    pub fn of(&self, kinds: &[Kind]) -> Found {
        let all = self.lock();
        let of = kinds.iter().filter_map(|kind| all.get(kind));
        of.fold(Found::default(), |mut sum, found| {
            sum.count += found.count;
            sum.first.extend(found.first.iter().cloned());
            sum
        })
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.lock().values().map(|found| found.count).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Kind, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
