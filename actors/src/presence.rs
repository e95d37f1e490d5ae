//! Presence: who is online, looking at and typing in which conversation. Soft state at the owner.
//!
//! Nothing here is stored, and nothing waits for it: news that nobody takes in time are dropped, and typing ends by
//! itself. Time is passed in. Everything has a limit (P5).

mod nodes;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use schema::{
    ids::{ConversationId, NodeId, OperatorId},
    time::Stamp,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

/// Most connections whose presence is kept per tenant; more are served, but not shown.
pub const CLIENTS_MAX: usize = 10_000;
/// Most conversations one connection is shown to look at.
pub const LOOKING_MAX: usize = 16;
/// Typing ends after this long unless it is renewed.
pub const TYPING: Duration = Duration::from_secs(6);
/// Between two times that readers are told of typing in one conversation, at least.
const TYPING_EVERY: Duration = Duration::from_secs(1);
/// News kept for a reader that is late; one that is later still is told that it missed some.
const NEWS_MAX: usize = 256;

/// One connection of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientId(pub Uuid);

/// What one connection is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Online {
    /// Which connection.
    pub client: ClientId,
    /// Whose.
    pub operator: OperatorId,
    /// Conversations on its screen.
    pub looking: Vec<ConversationId>,
    /// Where it types, and until when that counts.
    pub typing: Option<(ConversationId, Stamp)>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Came online.
    Joined(Online),
    /// Went.
    Left(Online),
    /// Opened a conversation, or closed it.
    Looking {
        /// Which connection.
        client: ClientId,
        /// Whose.
        operator: OperatorId,
        /// Which conversation.
        conversation: ConversationId,
        /// Opened, or closed.
        on: bool,
    },
    /// Types, or stopped.
    Typing {
        /// Which connection.
        client: ClientId,
        /// Whose.
        operator: OperatorId,
        /// Where.
        conversation: ConversationId,
        /// Until then unless renewed; none: stopped.
        until: Option<Stamp>,
    },
}

/// Presence of one tenant.
#[derive(Debug)]
pub struct Presence {
    online: Mutex<HashMap<ClientId, Online>>,
    typing: Mutex<Typing>,
    news: broadcast::Sender<News>,
    /// Connections of other nodes.
    away: Mutex<Elsewhere>,
    /// Counts news, for nodes that are told of all at once.
    changes: watch::Sender<u64>,
}

/// Whose connections are not of this node.
#[derive(Debug, Default)]
struct Elsewhere {
    homes: HashMap<ClientId, Home>,
    /// Monotonic time of each home's last report.
    heard: HashMap<Home, Duration>,
}

/// What readers were told of typing.
#[derive(Debug, Default)]
struct Typing {
    /// Until when what was told last counts, by conversation: those of the last second.
    told: HashMap<ConversationId, Stamp>,
    /// Connections that are shown to type, and where.
    shown: HashMap<ClientId, ConversationId>,
}

impl Typing {
    /// Whether readers are told that a connection types until then.
    fn begins(&mut self, client: ClientId, conversation: ConversationId, until: Stamp) -> bool {
        // Another node's clock may be far from ours: only what is close is too early.
        let is_close = |told: Stamp| until < told.plus(TYPING_EVERY) && told < until.plus(TYPING_EVERY);
        if self.told.get(&conversation).is_some_and(|told| is_close(*told)) {
            return false;
        }
        self.told.retain(|_, told| is_close(*told));
        self.told.insert(conversation, until);
        self.shown.insert(client, conversation);
        true
    }

    /// Whether readers are told that it has stopped.
    fn ends(&mut self, client: ClientId, conversation: ConversationId) -> bool {
        self.shown.get(&client) == Some(&conversation) && self.shown.remove(&client).is_some()
    }
}

/// Where a connection is that is not of this node. None: only the owner knows.
type Home = Option<NodeId>;

impl Default for Presence {
    fn default() -> Self {
        let (news, changes) = (broadcast::Sender::new(NEWS_MAX), watch::Sender::new(0));
        Self { online: Mutex::default(), typing: Mutex::default(), news, away: Mutex::default(), changes }
    }
}

impl Presence {
    /// A connection came online. Beyond the limit it is not shown.
    pub fn join(&self, client: ClientId, operator: &OperatorId) {
        let mut online = self.lock();
        if online.len() >= CLIENTS_MAX || online.contains_key(&client) {
            return;
        }
        let entry = Online { client, operator: operator.clone(), looking: vec![], typing: None };
        online.insert(client, entry.clone());
        self.tell(News::Joined(entry));
    }

    /// A connection went. Going twice is fine.
    pub fn leave(&self, client: ClientId) {
        let mut online = self.lock();
        if let Some(entry) = online.remove(&client) {
            self.tell_left(entry);
        }
    }

    /// A conversation was opened on a screen, or closed.
    pub fn look(&self, client: ClientId, conversation: ConversationId, on: bool) {
        let mut online = self.lock();
        let Some(entry) = online.get_mut(&client) else { return };
        let place = entry.looking.iter().position(|open| *open == conversation);
        match place {
            None if on && entry.looking.len() < LOOKING_MAX => entry.looking.push(conversation),
            Some(place) if !on => {
                entry.looking.swap_remove(place);
            }
            _ => return,
        }
        let operator = entry.operator.clone();
        self.tell(News::Looking { client, operator, conversation, on });
    }

    /// Somebody types: until when that counts. A connection types in one conversation at a time. Readers are told at most
    /// once a second of each conversation.
    pub fn start_typing(&self, client: ClientId, conversation: ConversationId, now: Stamp) -> Stamp {
        let until = now.plus(TYPING);
        if let Some(entry) = self.lock().get_mut(&client) {
            let before = entry.typing.replace((conversation, until));
            if let Some((elsewhere, _)) = before.filter(|(before, _)| *before != conversation) {
                self.tell_typing(entry, elsewhere, None);
            }
            self.tell_typing(entry, conversation, Some(until));
        }
        until
    }

    /// Somebody stopped typing, wherever that was.
    pub fn stop_typing(&self, client: ClientId) {
        if let Some(entry) = self.lock().get_mut(&client)
            && let Some((conversation, _)) = entry.typing.take()
        {
            self.tell_typing(entry, conversation, None);
        }
    }

    /// Who is online at `now`; typing that ran out is left out.
    pub fn online(&self, now: Stamp) -> Vec<Online> {
        let current = |entry: &Online| {
            let mut entry = entry.clone();
            entry.typing = entry.typing.filter(|(_, until)| *until > now);
            entry
        };
        self.lock().values().map(current).collect()
    }

    /// How many connections, and of how many operators.
    pub fn count(&self) -> (usize, usize) {
        let online = self.lock();
        let operators: std::collections::HashSet<&OperatorId> = online.values().map(|entry| &entry.operator).collect();
        (online.len(), operators.len())
    }

    /// News from now on. A reader that is more than some hundred behind is told that it missed some.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Nodes that follow are told in any case: they have readers of their own, and all of it is told at once.
    fn tell_typing(&self, entry: &Online, conversation: ConversationId, until: Option<Stamp>) {
        let (client, operator) = (entry.client, entry.operator.clone());
        let is_told = {
            let mut typing = self.typing.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) => typing.begins(client, conversation, until),
                None => typing.ends(client, conversation),
            }
        };
        match is_told {
            true => self.tell(News::Typing { client, operator, conversation, until }),
            false => self.changes.send_modify(|count| *count += 1),
        }
    }

    fn tell_left(&self, entry: Online) {
        self.typing.lock().unwrap_or_else(PoisonError::into_inner).shown.remove(&entry.client);
        self.tell(News::Left(entry));
    }

    /// Told under the lock, so that news come in the order of what they tell.
    fn tell(&self, news: News) {
        let _nobody_listens = self.news.send(news);
        self.changes.send_modify(|count| *count += 1);
    }

    /// A poisoned table is as good as any: it is soft state, changed in single steps.
    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Online>> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
