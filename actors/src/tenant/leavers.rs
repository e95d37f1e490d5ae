//! What a revoked operator was on: open conversations that go back to nobody; and of one who is away, those whose contacts
//! wait already, which do so after a while.
//!
//! From the moment of the event nobody can put them on one any more, so a look at the views as they are then finds all.

use std::{collections::BTreeSet, rc::Rc, time::Duration};

use schema::{
    command::{Command, LetGo},
    ids::{ConversationId, Offset, OperatorId},
};

use super::{
    shell::{Shell, Status},
    supervise::Slot,
};
use crate::{
    conversation::State,
    ports::{InboxCursor, ViewError},
};

/// Conversations read at once.
const PAGE: usize = 500;
/// Wait before views that could not be read are read again.
const AGAIN: Duration = Duration::from_millis(500);

impl Shell {
    /// Gives back what these operators were on; again at each start, for a crash may have come in between.
    pub(crate) fn let_go(&self, leavers: BTreeSet<OperatorId>, at: Offset) {
        if !leavers.is_empty() {
            actix::spawn(let_go(self.hold(), leavers, at));
        }
    }

    /// Whoever was revoked or is away, now or before.
    pub(crate) fn leavers(&self) -> BTreeSet<OperatorId> {
        let core = self.core.borrow();
        core.settings
            .operators
            .iter()
            .filter(|(_, role)| role.is_none())
            .map(|(operator, _)| operator)
            .chain(&core.settings.away)
            .cloned()
            .collect()
    }

    /// Conversations in memory: what moved to the top of the inbox while it was read is among them.
    fn held_in_memory(&self, leavers: &BTreeSet<OperatorId>) -> Vec<LetGo> {
        let core = self.core.borrow();
        let ready = core.conversations.values().filter_map(|slot| match slot {
            Slot::Ready(ready) => held(&ready.tracked.borrow().state, leavers),
            _ => None,
        });
        ready.collect()
    }
}

/// What one of them is on.
fn held(state: &State, leavers: &BTreeSet<OperatorId>) -> Option<LetGo> {
    let operator = state.assigned.as_ref().filter(|operator| state.open && leavers.contains(*operator))?;
    Some(LetGo { conversation: state.conversation, operator: operator.clone() })
}

async fn let_go(shell: Rc<Shell>, leavers: BTreeSet<OperatorId>, at: Offset) {
    while shell.wait_viewed(at).await.is_err() {
        if shell.core.borrow().status == Status::Closed {
            return;
        }
    }
    let mut cursor = None;
    loop {
        match page(&shell, &leavers, cursor).await {
            Ok((found, next)) => {
                insist_on(&shell, found).await;
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            Err(_) if shell.core.borrow().status == Status::Closed => return,
            Err(error) => {
                tracing::warn!(%error, "what a revoked operator was on cannot be read; trying again");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
    let moved = shell.held_in_memory(&leavers);
    insist_on(&shell, moved).await;
}

async fn insist_on(shell: &Shell, found: Vec<LetGo>) {
    let mut done = BTreeSet::<ConversationId>::new();
    for letting in found {
        if done.insert(letting.conversation) {
            shell.insist(Command::LetGo(letting)).await;
        }
    }
}

async fn page(
    shell: &Shell,
    leavers: &BTreeSet<OperatorId>,
    cursor: Option<InboxCursor>,
) -> Result<(Vec<LetGo>, Option<InboxCursor>), ViewError> {
    let page = shell.context.ports.views.inbox(&shell.context.feed.tenant, true, cursor, PAGE).await?;
    let mut found = Vec::new();
    let mut next = None;
    for row in &page.rows {
        let state = State::load(&row.stored)?;
        found.extend(held(&state, leavers));
        next = Some(InboxCursor { activity: state.activity, conversation: state.conversation });
    }
    Ok((found, next.filter(|_| page.more)))
}
