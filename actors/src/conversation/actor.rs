//! The actor around a conversation: a mailbox, one command to completion before the next, and a wall around panics.
//!
//! It knows no rules and stores nothing by itself: what is decided goes into the tenant's batch.

use std::{cell::RefCell, panic::AssertUnwindSafe, rc::Rc};

use actix::{Actor, Context, Handler, Message};

use crate::tenant::{shell::Shell, supervise::Tracked, ticket::Ticket};

/// Commands that may wait at one conversation.
const MAILBOX: usize = 256;

/// One conversation in memory.
pub(crate) struct ConversationActor {
    shell: Rc<Shell>,
    tracked: Rc<RefCell<Tracked>>,
    generation: u64,
    /// A decision panicked. Another actor takes over; this one ends with its last address.
    crashed: bool,
}

impl ConversationActor {
    pub(crate) fn new(shell: Rc<Shell>, tracked: Rc<RefCell<Tracked>>, generation: u64) -> Self {
        Self { shell, tracked, generation, crashed: false }
    }
}

impl Actor for ConversationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX);
    }
}

/// One command for this conversation.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Decide(pub(crate) Ticket);

impl Handler<Decide> for ConversationActor {
    type Result = ();

    /// A panic in a decision ends this actor, not its tenant: the tenant starts another from the store.
    fn handle(&mut self, Decide(ticket): Decide, _: &mut Self::Context) {
        if !self.shell.is_generation(self.generation) {
            return self.shell.refuse_outdated(ticket);
        }
        if self.crashed {
            // It was behind what crashed this actor, and stays behind it.
            return self.shell.route(ticket);
        }
        let Some(ticket) = self.shell.pass_new(ticket) else { return };
        let decided = std::panic::catch_unwind(AssertUnwindSafe(|| self.shell.decide(&self.tracked.borrow(), &ticket)));
        match decided {
            Ok(decided) => self.shell.accept(&self.tracked, decided, ticket),
            Err(_) => {
                self.crashed = true;
                self.shell.crashed(&self.tracked.borrow(), ticket);
            }
        }
    }
}
