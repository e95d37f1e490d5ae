//! The carrier's book of calls. Bounded: the oldest that are over leave first.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use super::{Act, Asks, Call, Heard, Problem, Sound};
use crate::carrier::state::now;

/// Things heard in one call, kept.
const HEARD_MAX: usize = 200;
/// Problems of one call, kept.
const PROBLEMS_MAX: usize = 50;

/// All calls, newest last.
#[derive(Debug)]
pub(in crate::carrier) struct Book {
    max: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calls: HashMap<String, Call>,
    order: VecDeque<String>,
    /// The ends that a person holds.
    held: HashMap<String, mpsc::Sender<Act>>,
}

impl Book {
    pub(in crate::carrier) fn new(max: usize) -> Self {
        Self { max: max.max(1), inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::carrier) fn open(&self, call: Call, held: Option<mpsc::Sender<Act>>) {
        let mut inner = self.lock();
        if let Some(acts) = held {
            inner.held.insert(call.sid.clone(), acts);
        }
        if inner.calls.insert(call.sid.clone(), call.clone()).is_none() {
            inner.order.push_back(call.sid);
        }
        while inner.order.len() > self.max {
            let Some(oldest) = inner.order.pop_front() else { return };
            inner.calls.remove(&oldest);
            inner.held.remove(&oldest);
        }
    }

    pub(in crate::carrier) fn change(&self, sid: &str, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.lock().calls.get_mut(sid) {
            change(call);
        }
    }

    pub(in crate::carrier) fn hear(&self, sid: &str, sound: Sound, text: impl Into<String>) {
        let heard = Heard { at_us: now(), sound, text: text.into() };
        self.change(sid, |call| {
            if call.heard.len() < HEARD_MAX {
                call.heard.push(heard);
            }
        });
    }

    pub(in crate::carrier) fn asks(&self, sid: &str, asks: Option<Asks>) {
        self.change(sid, |call| call.asks = asks);
    }

    pub(in crate::carrier) fn complain(&self, sid: &str, problems: impl IntoIterator<Item = Problem>) {
        self.change(sid, |call| {
            call.problems.extend(problems);
            call.problems.truncate(PROBLEMS_MAX);
        });
    }

    /// Over. Whoever ends it first decides; `false`: it was over, or is not known.
    pub(in crate::carrier) fn end(&self, sid: &str, status: &str, duration_s: u32) -> bool {
        let mut inner = self.lock();
        inner.held.remove(sid);
        let Some(call) = inner.calls.get_mut(sid).filter(|call| !call.is_over()) else { return false };
        status.clone_into(&mut call.status);
        call.ended_us = Some(now());
        call.duration_s = duration_s;
        call.asks = None;
        call.rang_nobody = call.parent.is_none() && call.rang.is_empty();
        true
    }

    /// What a person does at an end that they hold. `false`: nobody holds it, or they do too much at once.
    pub(in crate::carrier) fn act(&self, sid: &str, act: Act) -> bool {
        self.lock().held.get(sid).is_some_and(|acts| acts.try_send(act).is_ok())
    }

    pub(in crate::carrier) fn get(&self, sid: &str) -> Option<Call> {
        self.lock().calls.get(sid).cloned()
    }

    /// Newest first, those that are wanted.
    pub(in crate::carrier) fn list(&self, max: usize, wanted: impl Fn(&Call) -> bool) -> Vec<Call> {
        let inner = self.lock();
        let calls = inner.order.iter().rev().filter_map(|sid| inner.calls.get(sid));
        calls.filter(|call| wanted(call)).take(max).cloned().collect()
    }
}
