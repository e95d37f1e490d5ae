//! The fold: what each event makes of a conversation's state. Reads facts only, never a personal part.

use schema::{
    event::{Consent, ConsentSource, ContactCreated, Fact, Header, MessageQueued, MessageStatus, Purpose},
    ids::{ChannelId, ConversationId, MessageId, Offset},
    message::Status,
    time::Stamp,
};

use super::state::{Block, Call, OpenCall, Send, State};

/// Settled texts that are remembered, so that late receipts find them.
const SETTLED_KEPT: usize = 32;
/// Calls that are remembered: what a carrier repeats, it repeats within the next few.
const CALLS_KEPT: usize = 64;
/// Ids of earlier attempts that are remembered, so that no other text is taken for one of them.
const EARLIER_KEPT: usize = 8;

impl State {
    /// The state before the first event, which is `contact.created` and is folded in like any other.
    pub fn fresh(conversation: ConversationId, fact: &ContactCreated) -> Self {
        Self {
            conversation,
            contact: fact.contact,
            key: fact.key,
            address: fact.address,
            reachable: fact.reachable,
            address_at: Offset(0),
            name_at: Offset(0),
            notes_at: Offset(0),
            last: Offset(0),
            created: Stamp(0),
            activity: Stamp(0),
            consent: Consent::Implied,
            consent_source: None,
            consent_at: Offset(0),
            consented: Stamp(0),
            consent_questioned: false,
            unreachable: None,
            blocked: None,
            episode: 1,
            open: true,
            assigned: None,
            tags: Vec::new(),
            snoozed_until: None,
            return_at: None,
            channel: None,
            last_text_at: Offset(0),
            waiting_since: None,
            unread: 0,
            last_inbound_at: Offset(0),
            read_up_to: Offset(0),
            calls: Vec::new(),
            missed_call: None,
            text_backs: Vec::new(),
            sends: std::collections::BTreeMap::new(),
            parked: false,
            unprocessed: Vec::new(),
            merged_into: None,
        }
    }

    /// Folds one event in. Events come in the order of their offsets.
    pub fn apply(&mut self, header: &Header, fact: &Fact) {
        debug_assert!(header.offset > self.last, "events are folded once, in order");
        debug_assert_eq!(header.previous, self.last, "no event of the conversation is left out");
        match fact {
            Fact::MessageReceived(fact) => {
                self.channel = Some(fact.channel.clone());
                self.inbound(header);
                self.last_text_at = header.offset;
                if fact.keyword.is_some() {
                    self.settle_waiting_by_keyword(header.stamp);
                }
            }
            Fact::CallMissed(_)
            | Fact::CallAnswered(_)
            | Fact::CallEnded(_)
            | Fact::CallVoicemail(_)
            | Fact::CallReturned(_) => {
                self.apply_call(header, fact);
            }
            Fact::MessageQueued(fact) => self.queued(header, fact),
            Fact::MessageClaimed(fact) => {
                if let Some(send) = self.sends.get_mut(&fact.message) {
                    send.attempt = fact.attempt;
                    send.status = Status::Claimed;
                    send.claimed = header.stamp;
                    send.deadline = fact.deadline;
                }
            }
            Fact::MessageHeld(fact) => {
                if let Some(send) = self.sends.get_mut(&fact.message) {
                    send.not_before = fact.until;
                }
            }
            Fact::MessageStatus(fact) => self.status(fact),
            Fact::MessageRequeued(fact) => {
                if let Some(send) = self.sends.get_mut(&fact.message) {
                    send.attempt = fact.attempt;
                    send.status = Status::Queued;
                    send.not_before = fact.not_before;
                    send.valid_until = fact.valid_until;
                    send.error = fact.error.clone();
                    let before = send.carrier_id.take();
                    before.into_iter().for_each(|id| send.remember(id));
                }
            }
            Fact::ConsentChanged(fact) => self.consented(header, fact.consent, fact.source),
            Fact::ConsentRecorded(_) => self.consented(header, Consent::OptedIn, ConsentSource::Admin),
            Fact::ConsentQuestioned(_) => self.consent_questioned = true,
            Fact::ContactUnreachable(fact) => self.unreachable = Some(fact.code),
            _ => self.apply_desk(header, fact),
        }
        self.last = header.offset;
    }

    fn apply_call(&mut self, header: &Header, fact: &Fact) {
        match fact {
            Fact::CallMissed(fact) => {
                self.channel = Some(fact.channel.clone());
                self.remember_call(&fact.carrier_id, None);
                if self.blocked.is_none() {
                    self.missed_call = Some(header.stamp);
                }
                self.inbound(header);
            }
            Fact::CallAnswered(fact) => {
                self.channel = Some(fact.channel.clone());
                self.remember_call(&fact.carrier_id, None);
                self.missed_call = None;
                self.answered();
                self.activity = header.stamp;
            }
            Fact::CallReturned(_) => {
                self.missed_call = None;
                self.answered();
                self.activity = header.stamp;
            }
            Fact::CallEnded(fact) => {
                let open = OpenCall {
                    channel: fact.channel.clone(),
                    duration_s: fact.duration_s,
                    due: fact.due,
                    no_text: fact.no_text,
                };
                self.remember_call(&fact.carrier_id, Some(open));
            }
            Fact::CallVoicemail(fact) => {
                self.channel = Some(fact.channel.clone());
                self.inbound(header);
            }
            _ => {}
        }
    }

    /// What a person or the carrier says about consent answers the question whether it is asked for.
    fn consented(&mut self, header: &Header, consent: Consent, source: ConsentSource) {
        self.consent_at = header.offset;
        self.consented = header.stamp;
        self.consent = consent;
        self.consent_source = Some(source);
        self.consent_questioned = false;
        if consent == Consent::OptedOut {
            // Nobody may write to them: they do not wait for it either.
            self.answered();
        }
    }

    /// The oldest that has its event makes room: one that waits for its verdict is never forgotten.
    fn remember_call(&mut self, carrier_id: &str, open: Option<OpenCall>) {
        match self.calls.iter_mut().find(|call| call.carrier_id == carrier_id) {
            Some(call) => call.open = open,
            None => self.calls.push(Call { carrier_id: carrier_id.to_owned(), open }),
        }
        if self.calls.len() > CALLS_KEPT
            && let Some(oldest) = self.calls.iter().position(|call| call.open.is_none())
        {
            self.calls.remove(oldest);
        }
    }

    fn apply_desk(&mut self, header: &Header, fact: &Fact) {
        match fact {
            Fact::ContactUpdated(fact) => {
                self.name_at = if fact.named { header.offset } else { self.name_at };
                self.notes_at = if fact.noted { header.offset } else { self.notes_at };
            }
            Fact::ContactCreated(_) => {
                self.address_at = header.offset;
                self.name_at = header.offset;
                self.created = header.stamp;
                self.activity = header.stamp;
            }
            Fact::ConversationAssigned(fact) => {
                self.assigned.clone_from(&fact.operator);
                self.return_at = None;
            }
            Fact::ContactBlocked(fact) => {
                self.blocked = Some(Block { why: fact.why, was_open: fact.open });
                self.missed_call = None;
                self.unread = 0;
                self.answered();
            }
            Fact::ContactUnblocked(_) => self.blocked = None,
            Fact::ReturnSet(fact) => self.return_at = fact.at,
            Fact::ConversationResolved(_) => {
                self.open = false;
                self.missed_call = None;
                self.snoozed_until = None;
                self.answered();
            }
            Fact::ConversationReopened(fact) => {
                self.open = true;
                self.episode = fact.episode;
                self.activity = header.stamp;
            }
            Fact::ConversationSnoozed(fact) => self.snoozed_until = Some(fact.until),
            Fact::ConversationWoken(_) => {
                self.snoozed_until = None;
                self.activity = header.stamp;
            }
            Fact::ConversationTagged(fact) => self.tags.clone_from(&fact.tags),
            Fact::ConversationRead(fact) => {
                self.read_up_to = self.read_up_to.max(fact.up_to);
                if fact.up_to >= self.last_inbound_at {
                    self.unread = 0;
                }
            }
            Fact::ConversationParked(_) => self.parked = true,
            Fact::ConversationReleased(_) => self.parked = false,
            Fact::MessageUnprocessed(_) => {
                self.unprocessed.push(header.offset);
                self.inbound(header);
            }
            Fact::MessageReplayed(fact) => self.unprocessed.retain(|offset| *offset != fact.unprocessed),
            Fact::ContactMerged(fact) => self.merged_into = Some(fact.into),
            _ => {}
        }
    }

    /// Nobody waits for a person any more.
    fn answered(&mut self) {
        self.waiting_since = None;
        self.return_at = None;
    }

    fn inbound(&mut self, header: &Header) {
        self.activity = header.stamp;
        if self.blocked.is_some() {
            return;
        }
        self.unread = self.unread.saturating_add(1);
        self.last_inbound_at = header.offset;
        self.waiting_since.get_or_insert(header.stamp);
    }

    /// A keyword is answered by the engine or the carrier: nobody waits for a person because of it.
    fn settle_waiting_by_keyword(&mut self, stamp: Stamp) {
        if self.waiting_since == Some(stamp) {
            self.waiting_since = None;
        }
    }

    fn queued(&mut self, header: &Header, fact: &MessageQueued) {
        self.last_text_at = header.offset;
        self.activity = header.stamp;
        if fact.purpose == Purpose::Reply {
            self.missed_call = None;
            self.answered();
            self.channel = Some(fact.channel.clone());
        }
        if fact.purpose == Purpose::TextBack {
            self.remember_text_back(&fact.channel, header.stamp);
        }
        self.forget_settled();
        self.sends.insert(
            fact.message,
            Send {
                queued_at: header.offset,
                queued: header.stamp,
                channel: fact.channel.clone(),
                purpose: fact.purpose.clone(),
                priority: fact.priority,
                segments: fact.segments,
                valid_until: fact.valid_until,
                // Not its stamp: after a clock steps back, stamps run ahead of it until it has caught up.
                not_before: Stamp(0),
                template: fact.template.clone(),
                attempt: 1,
                status: Status::Queued,
                claimed: Stamp(0),
                deadline: Stamp(0),
                carrier_id: None,
                earlier_ids: Vec::new(),
                error: None,
            },
        );
    }

    fn status(&mut self, fact: &MessageStatus) {
        let Some(send) = self.sends.get_mut(&fact.message) else { return };
        if fact.attempt != send.attempt {
            fact.carrier_id.iter().for_each(|id| send.remember(id.clone()));
            return;
        }
        send.status = if planted!(StatusOverwritten) { fact.status } else { send.status.join(fact.status) };
        if fact.carrier_id.is_some() {
            send.carrier_id.clone_from(&fact.carrier_id);
        }
        if fact.error.is_some() {
            send.error.clone_from(&fact.error);
        }
    }

    fn remember_text_back(&mut self, channel: &ChannelId, stamp: Stamp) {
        match self.text_backs.iter_mut().find(|(known, _)| known == channel) {
            Some((_, last)) => *last = stamp,
            None => self.text_backs.push((channel.clone(), stamp)),
        }
    }

    /// Keeps the number of settled texts bounded: the oldest (UUIDv7 order) go first.
    fn forget_settled(&mut self) {
        let done: Vec<MessageId> =
            self.sends.iter().filter(|(_, send)| send.is_done_here()).map(|(message, _)| *message).collect();
        for message in done.iter().take(done.len().saturating_sub(SETTLED_KEPT)) {
            self.sends.remove(message);
        }
    }

    /// Whether a contact who opted out did so themselves, or the carrier says so: an operator cannot lift that.
    pub fn opted_out_by_contact(&self) -> bool {
        self.consent == Consent::OptedOut && self.consent_source != Some(ConsentSource::Operator)
    }
}

impl Send {
    /// The carrier's id of an attempt that is over.
    fn remember(&mut self, id: String) {
        if !self.earlier_ids.contains(&id) {
            self.earlier_ids.push(id);
            let surplus = self.earlier_ids.len().saturating_sub(EARLIER_KEPT);
            self.earlier_ids.drain(..surplus);
        }
    }

    /// Every id that the carrier gave to this text.
    pub fn carrier_ids(&self) -> impl Iterator<Item = &str> {
        self.carrier_id.iter().chain(&self.earlier_ids).map(String::as_str)
    }

    /// Whether the lane has nothing more to do: the carrier has it, or never will.
    pub fn is_done_here(&self) -> bool {
        self.status.rank() >= Status::Sent.rank()
    }
}
