//! Which request a text came from: its claim, its call to the carrier and their events bear that request's id, so that
//! one id leads from the webhook to the carrier's answer.

use schema::{
    command::Command,
    event::{Event, Fact},
    ids::{MessageId, RequestId},
    message::Status,
    time::Stamp,
};

use super::shell::Shell;
use crate::trace;

impl Shell {
    /// Before anything reacts to durable events.
    pub(super) fn remember_requests(&self, events: &[Event]) {
        let origins = &mut *self.origins.borrow_mut();
        for event in events {
            let request = event.header.origin.request;
            match &event.fact {
                Fact::MessageQueued(fact) => self.remember(origins, fact.message, request),
                Fact::MessageRequeued(fact) => self.remember(origins, fact.message, request),
                Fact::MessageClaimed(fact) => {
                    self.remember(origins, fact.message, request);
                    trace::claimed(event, fact, self.now());
                }
                Fact::MessageStatus(fact) => {
                    if fact.status.rank() >= Status::Sent.rank() {
                        origins.remove(&fact.message);
                    }
                    trace::status(event, fact, self.now());
                }
                _ => {}
            }
        }
    }

    /// Open texts are bounded; what does not fit gets a request of its own.
    fn remember(
        &self,
        origins: &mut std::collections::HashMap<MessageId, RequestId>,
        message: MessageId,
        request: RequestId,
    ) {
        if origins.len() < self.context.limits.queue || origins.contains_key(&message) {
            origins.insert(message, request);
        }
    }

    /// The request that a command of the engine's own goes on with, if it does.
    pub(super) fn request_of(&self, command: &Command) -> Option<RequestId> {
        match command {
            Command::Claim(claim) => self.request_behind(claim.message),
            Command::Settle(settle) => self.request_behind(settle.message),
            _ => None,
        }
    }

    fn request_behind(&self, message: MessageId) -> Option<RequestId> {
        self.origins.borrow().get(&message).copied()
    }

    /// The carrier was asked.
    pub(super) fn trace_sent(&self, message: MessageId, attempt: u16, began: Stamp, outcome: &'static str) {
        if trace::is_on()
            && let Some(request) = self.request_behind(message)
        {
            trace::sent(request, (message, attempt), (began, self.now()), outcome);
        }
    }
}
