//! The tables behind [`super::MemoryViews`]: one set per tenant, and what each write does to them.

use std::{cmp::Reverse, collections::BTreeMap, collections::BTreeSet};

use bytes::Bytes;
use schema::{
    ids::{AddressHash, ConversationId, DedupeKey, MessageId, Offset},
    time::Stamp,
};

use crate::ports::{DedupeEntry, Forget, InboxCursor, MessageRow, Route, StoredConversation, ViewError, ViewWrite};

/// Views of one tenant.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) timeline: BTreeMap<(ConversationId, Offset), Bytes>,
    pub(super) conversations: BTreeMap<ConversationId, StoredConversation>,
    /// Open or not, newest first.
    inbox: BTreeSet<(bool, Reverse<(Stamp, ConversationId)>)>,
    pub(super) routes: BTreeMap<AddressHash, Route>,
    pub(super) dedupe: BTreeMap<DedupeKey, (DedupeEntry, Stamp)>,
    pub(super) messages: BTreeMap<MessageId, MessageRow>,
    pub(super) outbox: BTreeMap<MessageId, ConversationId>,
    pub(super) timers: BTreeMap<ConversationId, Stamp>,
    pub(super) parked: BTreeSet<ConversationId>,
    pub(super) settings: BTreeMap<String, Bytes>,
}

impl Tables {
    pub(super) fn write(&mut self, write: ViewWrite) {
        match write {
            ViewWrite::Timeline { conversation, offset, event } => {
                self.timeline.insert((conversation, offset), event);
            }
            ViewWrite::Conversation { conversation, stored, activity, previous_activity, open, previous_open } => {
                if let Some(previous) = previous_activity {
                    self.inbox.remove(&(previous_open, Reverse((previous, conversation))));
                }
                if let Some(activity) = activity {
                    self.inbox.insert((open, Reverse((activity, conversation))));
                }
                self.conversations.insert(conversation, stored);
            }
            ViewWrite::Route { address, route } => {
                self.routes.insert(address, route);
            }
            ViewWrite::Dedupe { key, entry, stamp } => {
                self.dedupe.insert(key, (entry, stamp));
            }
            ViewWrite::Message { message, row } => {
                self.messages.insert(message, row);
            }
            ViewWrite::Outbox { message, conversation } => put(&mut self.outbox, message, conversation),
            ViewWrite::Timer { conversation, due } => put(&mut self.timers, conversation, due),
            ViewWrite::Parked { conversation, parked: true } => {
                self.parked.insert(conversation);
            }
            ViewWrite::Parked { conversation, parked: false } => {
                self.parked.remove(&conversation);
            }
            ViewWrite::Setting { name, value } => {
                self.settings.insert(name, value);
            }
        }
    }

    /// What a trim takes of a baseline.
    pub(super) fn forget(&mut self, forget: Forget) -> Result<(), ViewError> {
        let mut pinned = BTreeSet::new();
        for (id, stored) in &self.conversations {
            pinned.extend((forget.pinned)(stored)?.into_iter().map(|offset| (*id, offset)));
        }
        self.timeline.retain(|key, _| key.1 >= forget.below || pinned.contains(key));
        self.messages.retain(|_, row| row.offset >= forget.below || pinned.contains(&(row.conversation, row.offset)));
        self.dedupe.retain(|_, (entry, stamp)| entry.offset >= forget.below || *stamp >= forget.dedupe_from);
        Ok(())
    }

    /// The same of views, by what their baseline still has.
    pub(super) fn forget_as(&mut self, baseline: &Self, below: Offset) {
        self.timeline.retain(|key, _| key.1 >= below || baseline.timeline.contains_key(key));
        self.messages.retain(|key, row| row.offset >= below || baseline.messages.contains_key(key));
        self.dedupe.retain(|key, (entry, _)| entry.offset >= below || baseline.dedupe.contains_key(key));
    }

    /// Conversations after a cursor, newest first.
    pub(super) fn inbox(&self, open: bool, after: Option<InboxCursor>) -> impl Iterator<Item = ConversationId> + '_ {
        let past =
            move |at: (Stamp, ConversationId)| after.is_none_or(|after| at < (after.activity, after.conversation));
        self.inbox.iter().filter(move |(is, Reverse(at))| *is == open && past(*at)).map(|(_, Reverse((_, id)))| *id)
    }
}

fn put<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => {
            table.insert(key, value);
        }
        None => {
            table.remove(&key);
        }
    }
}
