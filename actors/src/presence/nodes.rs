//! Connections of other nodes. The owner keeps what each node reports, for a lease; a node that follows shows what the
//! owner tells. Each time all of them are told: what is lost on the way is told again.

use std::{
    collections::HashMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use schema::ids::NodeId;
use tokio::sync::watch;

use super::{CLIENTS_MAX, ClientId, Elsewhere, Home, News, Online, Presence};

impl Presence {
    /// Changes whenever there are news.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Connections of this node.
    pub(crate) fn here(&self) -> Vec<Online> {
        let (online, away) = (self.lock(), self.away());
        online.values().filter(|entry| !away.homes.contains_key(&entry.client)).cloned().collect()
    }

    /// Everybody's, except those of one node.
    pub(crate) fn besides(&self, node: &NodeId) -> Vec<Online> {
        let (online, away) = (self.lock(), self.away());
        let of_node = |entry: &&Online| away.homes.get(&entry.client).is_some_and(|home| home.as_ref() == Some(node));
        online.values().filter(|entry| !of_node(entry)).cloned().collect()
    }

    /// At the owner: all connections of a node, as it says at a monotonic time.
    pub(crate) fn report(&self, node: &NodeId, online: Vec<Online>, now: Duration) {
        let home = Some(node.clone());
        self.away().heard.insert(home.clone(), now);
        self.replace(&home, online, |before| *before == home);
    }

    /// At a node that follows: all connections that are not of this node.
    pub(crate) fn mirror(&self, online: Vec<Online>) {
        self.replace(&None, online, |_| true);
    }

    /// This node owns the tenant from now on: what others do not report within a lease is gone.
    pub(crate) fn seated(&self, now: Duration) {
        self.away().heard.insert(None, now);
    }

    /// All connections of a node are gone.
    pub(crate) fn gone(&self, node: &NodeId) {
        let home = Some(node.clone());
        self.away().heard.remove(&home);
        self.replace(&home, Vec::new(), |before| *before == home);
    }

    /// Those of nodes that were silent for a lease are gone.
    pub(crate) fn expire(&self, now: Duration, lease: Duration) {
        let silent: Vec<Home> = {
            let heard = &mut self.away().heard;
            let silent = heard.iter().filter(|(_, at)| now.saturating_sub(**at) > lease);
            let silent: Vec<Home> = silent.map(|(home, _)| home.clone()).collect();
            heard.retain(|home, _| !silent.contains(home));
            silent
        };
        for home in silent {
            self.replace(&home, Vec::new(), |before| *before == home);
        }
    }

    /// These are at `home` now, and nobody else of those whose home is `replaced`.
    fn replace(&self, home: &Home, online: Vec<Online>, replaced: impl Fn(&Home) -> bool) {
        let mut table = self.lock();
        let mut away = self.away();
        let told: HashMap<ClientId, Online> = online.into_iter().map(|entry| (entry.client, entry)).collect();
        let left = away.homes.iter().filter(|(client, home)| replaced(home) && !told.contains_key(client));
        let left: Vec<ClientId> = left.map(|(client, _)| *client).collect();
        for client in left {
            away.homes.remove(&client);
            if let Some(entry) = table.remove(&client) {
                self.tell_left(entry);
            }
        }
        for (client, entry) in told {
            let is_own = table.contains_key(&client) && !away.homes.contains_key(&client);
            let is_full = table.len() >= CLIENTS_MAX && !table.contains_key(&client);
            if is_own || is_full {
                continue;
            }
            away.homes.insert(client, home.clone());
            match table.insert(client, entry.clone()) {
                None => self.tell(News::Joined(entry)),
                Some(before) => self.tell_difference(&before, &entry),
            }
        }
    }

    fn tell_difference(&self, before: &Online, after: &Online) {
        let (client, operator) = (after.client, &after.operator);
        let looking = |conversation, on| News::Looking { client, operator: operator.clone(), conversation, on };
        for gone in before.looking.iter().filter(|open| !after.looking.contains(open)) {
            self.tell(looking(*gone, false));
        }
        for new in after.looking.iter().filter(|open| !before.looking.contains(open)) {
            self.tell(looking(*new, true));
        }
        if before.typing == after.typing {
            return;
        }
        let place = |online: &Online| online.typing.map(|(conversation, _)| conversation);
        if let Some(conversation) = place(before).filter(|before| place(after) != Some(*before)) {
            self.tell_typing(before, conversation, None);
        }
        if let Some((conversation, until)) = after.typing {
            self.tell_typing(after, conversation, Some(until));
        }
    }

    /// Taken after the table of connections, never before it.
    fn away(&self) -> MutexGuard<'_, Elsewhere> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
