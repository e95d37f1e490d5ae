//! Presence: who is online, looking at and typing in which conversation. Soft state at the owner.
//!
//! Nothing here is stored, and nothing waits for it: news that nobody takes in time are dropped, and typing ends by
//! itself. Time is passed in. Everything has a limit (P5).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use schema::{
    ids::{ConversationId, OperatorId},
    time::Stamp,
};
use tokio::sync::broadcast;
use uuid::Uuid;

/// Most connections whose presence is kept per tenant; more are served, but not shown.
pub const CLIENTS_MAX: usize = 10_000;
/// Most conversations one connection is shown to look at.
pub const LOOKING_MAX: usize = 16;
/// Typing ends after this long unless it is renewed.
pub const TYPING: Duration = Duration::from_secs(6);
/// News kept for a reader that is late; one that is later still is told that it missed some.
const NEWS_MAX: usize = 256;

/// One connection of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub Uuid);

/// What one connection is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    news: broadcast::Sender<News>,
}

impl Default for Presence {
    fn default() -> Self {
        Self { online: Mutex::default(), news: broadcast::Sender::new(NEWS_MAX) }
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
            self.tell(News::Left(entry));
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

    /// Somebody types: until when that counts. A connection types in one conversation at a time.
    pub fn start_typing(&self, client: ClientId, conversation: ConversationId, now: Stamp) -> Stamp {
        let until = now.plus(TYPING);
        if let Some(entry) = self.lock().get_mut(&client) {
            let before = entry.typing.replace((conversation, until));
            let operator = entry.operator.clone();
            if let Some((elsewhere, _)) = before.filter(|(before, _)| *before != conversation) {
                let operator = operator.clone();
                self.tell(News::Typing { client, operator, conversation: elsewhere, until: None });
            }
            self.tell(News::Typing { client, operator, conversation, until: Some(until) });
        }
        until
    }

    /// Somebody stopped typing, wherever that was.
    pub fn stop_typing(&self, client: ClientId) {
        if let Some(entry) = self.lock().get_mut(&client)
            && let Some((conversation, _)) = entry.typing.take()
        {
            let operator = entry.operator.clone();
            self.tell(News::Typing { client, operator, conversation, until: None });
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

    /// Told under the lock, so that news come in the order of what they tell.
    fn tell(&self, news: News) {
        let _nobody_listens = self.news.send(news);
    }

    /// A poisoned table is as good as any: it is soft state, changed in single steps.
    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Online>> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Stamp = Stamp(1_000_000);

    fn client(number: u128) -> ClientId {
        ClientId(Uuid::from_u128(number))
    }

    fn conversation(number: u128) -> ConversationId {
        ConversationId(Uuid::from_u128(number))
    }

    fn ana() -> OperatorId {
        OperatorId::new("ana").unwrap()
    }

    fn drain(news: &mut broadcast::Receiver<News>) -> Vec<News> {
        std::iter::from_fn(|| news.try_recv().ok()).collect()
    }

    #[test]
    fn who_comes_and_goes_is_told_once() {
        let presence = Presence::default();
        let mut news = presence.news();
        presence.join(client(1), &ana());
        presence.join(client(1), &ana());
        presence.join(client(2), &ana());
        assert_eq!(presence.count(), (2, 1));
        presence.leave(client(1));
        presence.leave(client(1));
        let told = drain(&mut news);
        assert!(matches!(told[..], [News::Joined(_), News::Joined(_), News::Left(_)]), "{told:?}");
        assert_eq!(presence.count(), (1, 1));
    }

    #[test]
    fn typing_ends_by_itself() {
        let presence = Presence::default();
        presence.join(client(1), &ana());
        let until = presence.start_typing(client(1), conversation(7), NOW);
        assert_eq!(presence.online(NOW)[0].typing, Some((conversation(7), until)));
        assert_eq!(presence.online(until)[0].typing, None);
    }

    #[test]
    fn typing_elsewhere_ends_typing_here() {
        let presence = Presence::default();
        presence.join(client(1), &ana());
        let mut news = presence.news();
        presence.start_typing(client(1), conversation(7), NOW);
        presence.start_typing(client(1), conversation(8), NOW);
        presence.stop_typing(client(1));
        presence.stop_typing(client(1));
        let typing: Vec<_> = drain(&mut news)
            .into_iter()
            .map(|news| match news {
                News::Typing { conversation, until, .. } => (conversation, until.is_some()),
                other => panic!("{other:?}"),
            })
            .collect();
        let (here, elsewhere) = (conversation(7), conversation(8));
        assert_eq!(typing, [(here, true), (here, false), (elsewhere, true), (elsewhere, false)]);
    }

    #[test]
    fn everything_is_bounded() {
        let presence = Presence::default();
        let mut news = presence.news();
        for number in 0..CLIENTS_MAX as u128 + 5 {
            presence.join(client(number), &ana());
        }
        assert_eq!(presence.count().0, CLIENTS_MAX);
        for number in 0..LOOKING_MAX as u128 + 5 {
            presence.look(client(1), conversation(number), true);
        }
        let looking = presence.online(NOW).into_iter().find(|online| online.client == client(1)).unwrap().looking;
        assert_eq!(looking.len(), LOOKING_MAX);
        assert!(matches!(news.try_recv(), Err(broadcast::error::TryRecvError::Lagged(_))));
    }
}
