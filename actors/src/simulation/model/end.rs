//! What must be true when nothing has gone wrong for a while: everything that came in is there, everything queued has
//! ended, every timer has rung, every dashboard has seen all.

use schema::{
    command::Command,
    ids::{ConversationId, Offset},
    time::Stamp,
};

use super::{Call, Model, outside::has_ended};
use crate::simulation::{
    edge::Arrival,
    plan::{TENANTS, tenant},
};

impl Model {
    /// The first thing that is not as it must be.
    pub(in crate::simulation) fn ended<'a>(
        &self,
        arrivals: impl Iterator<Item = &'a Arrival>,
        wall: Stamp,
    ) -> Result<(), String> {
        for arrival in arrivals {
            self.has_arrived(arrival)?;
        }
        for number in 0..TENANTS {
            self.has_settled(number, wall)?;
            for (seat, at) in self.seats[number].iter().enumerate() {
                let (at, head) = (at.offset().unwrap_or_default(), self.heads[number]);
                if at < head {
                    return Err(format!(
                        "P4: dashboard {seat} of tenant {number} stays at {at}, it was calm at {head}"
                    ));
                }
            }
        }
        Ok(())
    }

    fn has_arrived(&self, arrival: &Arrival) -> Result<(), String> {
        let Some(feed) = self.feeds.get(&tenant(arrival.tenant)) else { return Ok(()) };
        let (id, there) = match &arrival.command {
            Command::Receive(message) => (&message.carrier_id, feed.received.contains_key(&message.carrier_id)),
            Command::Call(call) => (&call.carrier_id, feed.calls.contains_key(&call.carrier_id)),
            _ => return Ok(()),
        };
        if there { Ok(()) } else { Err(format!("P8: {id} of tenant {} never came in", arrival.tenant)) }
    }

    fn has_settled(&self, number: usize, wall: Stamp) -> Result<(), String> {
        let Some(feed) = self.feeds.get(&tenant(number)) else { return Ok(()) };
        for (message, text) in &feed.texts {
            // By a clock that was ahead it may have longer than the world waits; it leaves, or expires.
            if !has_ended(text.status) && text.valid_until < wall {
                return Err(format!("P7: text {message} of tenant {number} stays {:?}", text.status));
            }
        }
        for (call, fate) in &feed.calls {
            if matches!(fate, Call::Open(due) if *due < wall) {
                return Err(format!("P8: call {call} of tenant {number} never got its verdict"));
            }
        }
        for (conversation, talk) in &feed.talks {
            if talk.snoozed_until.is_some_and(|until| until < wall) {
                return Err(format!("P8: conversation {conversation} of tenant {number} was never woken"));
            }
        }
        Ok(())
    }

    /// Texts that came in, each with its conversation and offset.
    pub(in crate::simulation) fn received(&self, number: usize) -> Vec<(String, ConversationId, Offset)> {
        let Some(feed) = self.feeds.get(&tenant(number)) else { return Vec::new() };
        let place = |offset: &Offset| usize::try_from(offset.0 - 1).expect("a log in memory is short");
        let conversation = |offset| feed.events[place(offset)].header.conversation.expect("a text has one");
        feed.received.iter().map(|(id, offset)| (id.clone(), conversation(offset), *offset)).collect()
    }
}
