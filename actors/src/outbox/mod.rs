//! Outbox lanes: one per sender address; a pure schedule, claims before sends.
#![allow(missing_docs)]
use crate::ports::Admission;
use schema::{
    ids::{ContactId, ConversationId, MessageId},
    message::Priority,
    time::Stamp,
};
#[derive(Debug, Clone)]
pub struct Entry {
    pub message: MessageId,
    pub conversation: ConversationId,
    pub contact: ContactId,
    pub priority: Priority,
    pub segments: u16,
    pub valid_until: Stamp,
    pub not_before: Stamp,
    pub queued: Stamp,
    pub attempt: u16,
}
pub enum Next {
    Send(Entry),
    Expired(Entry),
    WaitUntil(Stamp),
    Idle,
}
#[derive(Debug)]
pub struct Lane {
    entries: Vec<Entry>,
}
impl Lane {
    pub fn new(_c: usize, _f: usize) -> Self {
        Self { entries: Vec::new() }
    }
    pub fn insert(&mut self, e: Entry) -> Result<(), Entry> {
        self.entries.push(e);
        Ok(())
    }
    pub fn next(&mut self, _now: Stamp, _ask: impl FnMut(&Entry) -> Admission) -> Next {
        match self.entries.pop() {
            Some(e) => Next::Send(e),
            None => Next::Idle,
        }
    }
    pub fn settled(&mut self, _m: MessageId) {}
    pub fn unknown(&mut self, _m: MessageId, _u: Stamp) {}
    pub fn place(&self, _m: MessageId) -> Option<(u32, u32)> {
        None
    }
}
