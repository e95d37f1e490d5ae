//! Texts in the log: queued with consent, claimed once, up the lattice, sent again only with proof.

use std::{collections::BTreeMap, time::Duration};

use schema::{
    event::{
        Author, Consent, Keyword, MessageClaimed, MessageQueued, MessageRequeued, MessageStatus, Purpose, StoredEvent,
    },
    ids::{ConversationId, Offset},
    message::Status,
    time::Stamp,
};

use super::Feed;
use crate::simulation::plan::COOL_DOWN;

/// One text, folded.
pub(super) struct Text {
    pub(super) conversation: ConversationId,
    pub(super) purpose: Purpose,
    pub(super) valid_until: Stamp,
    pub(super) attempt: u16,
    pub(super) status: Status,
    pub(super) segments: u16,
    pub(super) legs: BTreeMap<u16, Leg>,
}

/// One attempt.
#[derive(Default)]
pub(super) struct Leg {
    /// The log holds its claim.
    pub(super) claimed: bool,
    /// When it left.
    pub(super) departed: Option<Duration>,
    /// The carrier has it.
    pub(super) taken: bool,
    /// The engine was told that the carrier has it not.
    pub(super) refused: bool,
    /// The engine was told that it failed after all.
    pub(super) failed: bool,
}

impl Feed {
    /// Facts of texts.
    pub(super) fn text(&mut self, id: ConversationId, event: &StoredEvent) -> Result<(), String> {
        use schema::event::Fact;
        match &event.fact {
            Fact::MessageQueued(fact) => self.queued(id, event, fact),
            Fact::MessageClaimed(fact) => self.claimed(id, event.header.offset, fact),
            Fact::MessageStatus(fact) => self.moved(event, fact),
            Fact::MessageRequeued(fact) => self.requeued(event, fact),
            _ => Ok(()),
        }
    }

    fn queued(&mut self, id: ConversationId, event: &StoredEvent, fact: &MessageQueued) -> Result<(), String> {
        let at = event.header.offset;
        let talk = self.talks.entry(id).or_default();
        let confirms = matches!(fact.purpose, Purpose::Confirmation(_));
        if talk.consent == Consent::OptedOut && !confirms {
            return Err(format!("P6: text {} at {at} is queued to a contact who opted out", fact.message));
        }
        if fact.purpose == Purpose::TextBack {
            if let Some(last) = talk.text_back
                && event.header.stamp < last.plus(COOL_DOWN)
            {
                return Err(format!("P2: text-back {} at {at} is the second in its window", fact.message));
            }
            talk.text_back = Some(event.header.stamp);
        }
        let text = Text {
            conversation: id,
            purpose: fact.purpose.clone(),
            valid_until: fact.valid_until,
            attempt: 1,
            status: Status::Queued,
            segments: fact.segments,
            legs: BTreeMap::new(),
        };
        match self.texts.insert(fact.message, text) {
            Some(_) => Err(format!("P2: text {} is queued again at {at}", fact.message)),
            None => Ok(()),
        }
    }

    fn claimed(&mut self, id: ConversationId, at: Offset, fact: &MessageClaimed) -> Result<(), String> {
        let consent = self.talks.entry(id).or_default().consent;
        let text = self.texts.get_mut(&fact.message).ok_or(format!("P7: nothing is claimed at {at}"))?;
        if text.status != Status::Queued || text.attempt != fact.attempt {
            return Err(format!("P7: text {} is claimed at {at}, while {:?}", fact.message, text.status));
        }
        if consent == Consent::OptedOut && !matches!(text.purpose, Purpose::Confirmation(_)) {
            return Err(format!("P6: text {} is claimed at {at}, its contact opted out", fact.message));
        }
        text.status = Status::Claimed;
        text.legs.entry(fact.attempt).or_default().claimed = true;
        Ok(())
    }

    fn moved(&mut self, event: &StoredEvent, fact: &MessageStatus) -> Result<(), String> {
        let (at, by_itself) = (event.header.offset, event.header.origin.by == Author::Engine);
        let text = self.texts.get_mut(&fact.message).ok_or(format!("P3: a status at {at} is of no text"))?;
        if fact.status == Status::Failed && fact.error.is_some() {
            text.legs.entry(fact.attempt).or_default().failed = true;
        }
        if fact.attempt < text.attempt {
            return Ok(());
        }
        if fact.attempt > text.attempt || fact.status.rank() <= text.status.rank() {
            let (from, to) = (text.status, fact.status);
            return Err(format!("P3: text {} goes from {from:?} to {to:?} at {at}", fact.message));
        }
        let confirms_stop = text.purpose == Purpose::Confirmation(Keyword::Stop);
        if fact.status == Status::Canceled && confirms_stop && by_itself {
            return Err(format!("P6: confirmation {} is taken back at {at} by the engine itself", fact.message));
        }
        text.status = fact.status;
        Ok(())
    }

    fn requeued(&mut self, event: &StoredEvent, fact: &MessageRequeued) -> Result<(), String> {
        let at = event.header.offset;
        let text = self.texts.get_mut(&fact.message).ok_or(format!("P7: nothing is queued again at {at}"))?;
        if fact.attempt != text.attempt + 1 {
            return Err(format!("P7: attempt {} of {} at {at} follows {}", fact.attempt, fact.message, text.attempt));
        }
        let by_a_person = matches!(event.header.origin.by, Author::Operator(_));
        let leg = text.legs.entry(text.attempt).or_default();
        if !by_a_person && leg.departed.is_some() && !leg.refused && !leg.failed {
            return Err(format!("P7: text {} is queued again at {at}, though the carrier may have it", fact.message));
        }
        (text.attempt, text.status, text.valid_until) = (fact.attempt, Status::Queued, fact.valid_until);
        Ok(())
    }
}
