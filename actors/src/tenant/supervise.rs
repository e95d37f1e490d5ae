//! Conversations in memory: what the tenant knows of each, and what it does when one crashes.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use actix::Addr;
use schema::{ids::ConversationId, time::Stamp};

use super::ticket::Ticket;
use crate::{
    conversation::{State, actor::ConversationActor, decide::Newcomer},
    ports::ContactKey,
    projector::Indexed,
};

/// Crashes in a row after which a conversation is parked.
pub(crate) const CRASHES_MAX: u32 = 3;

/// A conversation's newest state and what goes with it. Shared by its actor and the batches it is in.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) state: State,
    pub(crate) indexed: Indexed,
    pub(crate) timer: Option<Stamp>,
    pub(crate) key: ContactKey,
    /// Its first event is still to be written.
    pub(crate) newcomer: Option<Newcomer>,
}

impl Tracked {
    /// As the views have it.
    pub(crate) fn loaded(state: State, key: ContactKey) -> Self {
        let (indexed, timer) = (Indexed::of(&state), state.timer());
        Self { state, indexed, timer, key, newcomer: None }
    }

    /// Before its first event.
    pub(crate) fn new(newcomer: Newcomer, key: ContactKey) -> Self {
        let state = State::fresh(newcomer.conversation, &newcomer.created());
        Self { state, indexed: Indexed::default(), timer: None, key, newcomer: Some(newcomer) }
    }
}

/// Where a conversation is in its life in memory.
pub(crate) enum Slot {
    /// Its state is being read; what arrives waits.
    Loading(VecDeque<Ticket>),
    /// It decides.
    Ready(Ready),
    /// It crashed and starts again after a while; what arrives waits behind what crashed it.
    Backoff(VecDeque<Ticket>),
}

/// A conversation that decides.
pub(crate) struct Ready {
    pub(crate) addr: Addr<ConversationActor>,
    pub(crate) tracked: Rc<RefCell<Tracked>>,
    /// Monotonic time of its last command.
    pub(crate) used: Duration,
}

/// Wait before the next start of a conversation that crashed so many times in a row.
pub(crate) fn back_off(crashes: u32) -> Duration {
    Duration::from_millis(100) * 2_u32.saturating_pow(crashes.saturating_sub(1).min(8))
}

/// The label of the alert; the id is not personal.
pub(crate) fn alert_parked(conversation: ConversationId, crashes: u32) {
    metrics::counter!("deskwire_conversations_parked_total").increment(1);
    tracing::error!(%conversation, crashes, "conversation is parked: it keeps crashing");
}
