//! The carrier's memory: messages, newest kept.

use std::collections::{HashMap, VecDeque};

use super::message::Message;
use crate::meter::Micros;

/// Messages. Bounded.
#[derive(Debug, Default)]
pub struct Store {
    messages: HashMap<String, Message>,
    order: VecDeque<String>,
    max: usize,
}

/// A filter of the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// AccountSid; none: any.
    pub account: Option<String>,
    /// To whom.
    pub to: Option<String>,
    /// From whom.
    pub from: Option<String>,
    /// Sent within this time.
    pub sent: Span,
}

/// A stretch of time, both ends included; an end that is missing is open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// From here.
    pub first: Option<Micros>,
    /// To here.
    pub last: Option<Micros>,
}

impl Span {
    /// Whether a time lies within; none lies only in all of time.
    pub fn holds(&self, at: Option<Micros>) -> bool {
        match at {
            Some(at) => self.first.is_none_or(|first| first <= at) && self.last.is_none_or(|last| at <= last),
            None => self.first.is_none() && self.last.is_none(),
        }
    }
}

impl Store {
    /// Keeps so many messages.
    pub fn new(max: usize) -> Self {
        Self { max: max.max(1), ..Self::default() }
    }

    /// Keeps one more; the oldest leaves when there are too many.
    pub fn insert(&mut self, message: Message) {
        self.order.push_back(message.sid.clone());
        self.messages.insert(message.sid.clone(), message);
        if self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.messages.remove(&oldest);
        }
    }

    /// One message.
    pub fn get(&self, sid: &str) -> Option<&Message> {
        self.messages.get(sid)
    }

    /// A message's status moves on.
    pub fn advance(&mut self, sid: &str, status: &str, error: Option<u32>, at: Micros) {
        let Some(message) = self.messages.get_mut(sid) else { return };
        status.clone_into(&mut message.status);
        message.error = error;
        message.updated_us = at;
        message.sent_us = message.sent_us.or(Some(at));
    }

    /// Newest first.
    pub fn list<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Message> {
        self.order.iter().rev().filter_map(|sid| self.messages.get(sid)).filter(|message| filter.takes(message))
    }
}

impl Filter {
    fn takes(&self, message: &Message) -> bool {
        let is = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        is(&self.account, &message.account)
            && is(&self.to, &message.to)
            && is(&self.from, &message.from)
            && self.sent.holds(message.sent_us)
    }
}
