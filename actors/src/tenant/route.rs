//! Routing: from an address or an id to the conversation that decides. The first arrival starts the read, later ones
//! wait behind it: a cold contact stalls nobody, and two webhooks of a new caller make one conversation.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use actix::Actor;
use schema::{
    address::Address,
    command::{Command, ConversationRef, Reply, Request},
    event::{Author, ConversationParked, MessageUnprocessed, Origin, Personal, Via},
    ids::{AddressHash, ContactId, ConversationId, Offset},
    problem::Code,
};

use super::{
    batch::Completion,
    decide as settings_decide,
    owning::unsure,
    shell::{Core, Shell, Status},
    supervise::{CRASHES_MAX, Ready, Slot, Tracked, alert_parked, back_off},
    ticket::{Answer, Identity, ReplyTo, Target, Ticket, target},
};
use crate::{
    conversation::{
        Decision, State,
        actor::{ConversationActor, Decide},
        decide::Newcomer,
    },
    handle::Refusal,
    ports::{DedupeEntry, KeyError, ViewError},
};

/// Longest wait for the views before a load is given up.
const VIEWED_WITHIN: Duration = Duration::from_secs(5);

/// What is known of an address.
pub(crate) enum Routing {
    /// Its conversation is being looked up, or made; what arrives waits.
    Loading(VecDeque<Ticket>),
    /// It leads here.
    Known(ConversationId),
}

impl Shell {
    /// The one door: every command of this tenant comes through here.
    pub(crate) fn route(&self, ticket: Ticket) {
        // First: it looks at the core itself.
        let is_unsure = self.is_unsure(&ticket);
        let core = &mut *self.core.borrow_mut();
        match core.status {
            Status::Running if is_unsure => return self.refuse(ticket, unsure()),
            Status::Running => {}
            Status::Leaving if ticket.request.origin.via == Via::Engine => {}
            Status::Leaving | Status::Closed if self.context.together.is_some() => {
                return self.refuse(ticket, Refusal::Moved);
            }
            Status::Leaving => return self.refuse(ticket, Refusal::Draining),
            Status::Frozen => return self.refuse(ticket, Refusal::unavailable("the outcome of an append is unknown")),
            Status::Closed => return self.refuse(ticket, Refusal::unavailable("the tenant has moved")),
        }
        let sends = matches!(ticket.request.command, Command::Send(_) | Command::SendWith(_));
        if sends && self.lanes.borrow().open() >= self.context.limits.queue {
            return self.refuse(ticket, Refusal::Full { retry_after: Duration::from_secs(10) });
        }
        if core.pending.bytes() >= self.context.limits.batch_bytes {
            if core.stalled.len() >= self.context.limits.stalled {
                return self.refuse(ticket, Refusal::Full { retry_after: Duration::from_secs(1) });
            }
            return core.stalled.push_back(ticket);
        }
        match ticket.target() {
            Target::Tenant => self.decide_own(core, ticket),
            Target::Conversation(conversation) => self.to_conversation(core, conversation, ticket),
            Target::Address(_) => self.to_address(core, ticket),
        }
    }

    /// Settings and directory: decided and accepted in one go.
    fn decide_own(&self, core: &mut Core, ticket: Ticket) {
        let Some(ticket) = self.pass_known(core, ticket) else { return };
        let directory = core.directory.as_deref();
        let decided = settings_decide::decide(&core.settings, directory, &ticket.request.command, self.now());
        match decided.and_then(|drafts| self.may_write(&drafts).map(|()| drafts)) {
            Ok(drafts) => self.accept_own(core, drafts, ticket),
            Err(refusal) => self.refuse(ticket, refusal),
        }
    }

    /// Answers what was accepted before; gives back what is new. Asked right before the decision and not earlier:
    /// two deliveries of one text may have waited side by side.
    pub(crate) fn pass_new(&self, ticket: Ticket) -> Option<Ticket> {
        self.pass_known(&mut self.core.borrow_mut(), ticket)
    }

    fn pass_known(&self, core: &mut Core, ticket: Ticket) -> Option<Ticket> {
        let Some(identity) = ticket.identity else { return Some(ticket) };
        let in_views = ticket.seen.as_ref().and_then(|seen| seen.entry.as_ref());
        let entry = core.recents.get(&identity.key).or(in_views).cloned();
        if let Some(entry) = entry {
            self.answer_known(core, &identity, entry, ticket);
            return None;
        }
        let complete = ticket.seen.as_ref().is_none_or(|seen| core.recents.completes(seen.up_to));
        if !complete && let ReplyTo::Caller(to) = ticket.reply {
            let _ = to.send(Answer::LookAgain(Box::new(ticket.request)));
            return None;
        }
        Some(ticket)
    }

    /// The same key, the same reply, once the original is durable; with other content it is a conflict.
    fn answer_known(&self, core: &mut Core, identity: &Identity, entry: DedupeEntry, ticket: Ticket) {
        if identity.content != entry.content {
            let refusal = Refusal::rejected(Code::KeyReused, "the key stands for another command");
            return self.refuse(ticket, refusal);
        }
        metrics::counter!("deskwire_duplicates_total").increment(1);
        let reply = Reply { offset: entry.offset, conversation: entry.conversation, message: entry.message };
        if planted!(DuplicateAckedAhead) {
            return Completion { reply, to: ticket.reply }.send(Ok(()));
        }
        self.complete(core, reply, ticket.reply);
    }

    fn to_address(&self, core: &mut Core, ticket: Ticket) {
        let Some(hash) = ticket.hash else {
            return self.refuse(ticket, Refusal::rejected(Code::Internal, "a command by address needs its hash"));
        };
        match core.routes.get_mut(&hash) {
            Some(Routing::Known(conversation)) => {
                let conversation = *conversation;
                self.to_conversation(core, conversation, ticket);
            }
            Some(Routing::Loading(waiting)) => self.wait_in(waiting, ticket),
            None => {
                let address = address_of(&ticket.request.command).cloned();
                core.routes.insert(hash, Routing::Loading(VecDeque::from([ticket])));
                actix::spawn(find_or_make(self.hold(), hash, address, core.generation));
            }
        }
    }

    fn to_conversation(&self, core: &mut Core, conversation: ConversationId, ticket: Ticket) {
        match core.conversations.get_mut(&conversation) {
            Some(Slot::Ready(ready)) => {
                ready.used = self.context.ports.clock.monotonic();
                self.deliver(ready, ticket);
            }
            Some(Slot::Loading(waiting) | Slot::Backoff(waiting)) => self.wait_in(waiting, ticket),
            None => {
                if core.conversations.len() >= self.context.limits.conversations {
                    return self.refuse(ticket, Refusal::Full { retry_after: Duration::from_secs(1) });
                }
                core.conversations.insert(conversation, Slot::Loading(VecDeque::from([ticket])));
                actix::spawn(load(self.hold(), conversation, core.generation));
            }
        }
    }

    /// As many conversations are in memory as may be.
    fn is_full(&self) -> bool {
        self.core.borrow().conversations.len() >= self.context.limits.conversations
    }

    fn wait_in(&self, waiting: &mut VecDeque<Ticket>, ticket: Ticket) {
        if waiting.len() >= self.context.limits.waiting {
            self.refuse(ticket, Refusal::Full { retry_after: Duration::from_secs(1) });
        } else {
            waiting.push_back(ticket);
        }
    }

    /// To the conversation's actor; a parked one only keeps what arrives.
    fn deliver(&self, ready: &Ready, ticket: Ticket) {
        let parked = ready.tracked.borrow().state.parked;
        if parked && !matches!(ticket.request.command, Command::Release(_)) {
            let (shell, tracked) = (self.hold(), ready.tracked.clone());
            actix::spawn(async move { shell.keep_unprocessed(&tracked, ticket) });
            return;
        }
        if let Err(error) = ready.addr.try_send(Decide(ticket)) {
            let (Decide(ticket), full) = match error {
                actix::dev::SendError::Full(decide) => (decide, true),
                actix::dev::SendError::Closed(decide) => (decide, false),
            };
            let wait = Duration::from_millis(if full { 1_000 } else { 100 });
            self.refuse(ticket, Refusal::Full { retry_after: wait });
        }
    }

    /// Stores what arrives for a parked conversation: refusing would lose the text, carriers retry once or not at all.
    pub(crate) fn keep_unprocessed(&self, tracked: &Rc<RefCell<Tracked>>, ticket: Ticket) {
        let Some(ticket) = self.pass_new(ticket) else { return };
        let channel = match ticket.request.command.arrival() {
            Command::Receive(message) => message.channel.clone(),
            Command::Call(call) => call.channel.clone(),
            Command::Voicemail(voicemail) => voicemail.channel.clone(),
            _ => return self.refuse(ticket, Refusal::rejected(Code::Parked, "it is released with `parked retry`")),
        };
        let full = tracked.borrow().state.unprocessed.len() >= self.context.limits.policy.max_unprocessed;
        let (Some(identity), false) = (ticket.identity, full) else {
            return self.refuse(ticket, Refusal::Full { retry_after: Duration::from_secs(60) });
        };
        let raw = serde_json::to_string(&ticket.request.command).expect("plain values always encode");
        let mut decision = Decision::default();
        decision.push_personal(MessageUnprocessed { key: identity.key, channel }, Personal::text(raw));
        self.accept(tracked, Ok(decision), ticket);
    }

    /// Its state is here: starts its actor and hands over what waited.
    fn ready(&self, tracked: Tracked, waiting: VecDeque<Ticket>) {
        let conversation = tracked.state.conversation;
        let hash = tracked.state.address;
        let replays = !tracked.state.parked && !tracked.state.unprocessed.is_empty();
        let tracked = Rc::new(RefCell::new(tracked));
        let core = &mut *self.core.borrow_mut();
        let addr = ConversationActor::new(self.hold(), tracked.clone(), core.generation).start();
        let ready = Ready { addr, tracked, used: self.context.ports.clock.monotonic() };
        for ticket in waiting {
            self.deliver(&ready, ticket);
        }
        core.conversations.insert(conversation, Slot::Ready(ready));
        core.routes.entry(hash).or_insert(Routing::Known(conversation));
        if replays {
            self.replay(conversation);
        }
    }

    /// A decision panicked: the conversation starts again from the store after a while, first with what crashed it.
    pub(crate) fn crashed(&self, tracked: &Tracked, ticket: Ticket) {
        let conversation = tracked.state.conversation;
        let restart = match &tracked.newcomer {
            Some(newcomer) => Restart::Anew(Box::new(Tracked::new(newcomer.clone(), tracked.key.clone()))),
            None => Restart::After(tracked.state.last),
        };
        let core = &mut *self.core.borrow_mut();
        let crashes = core.crashes.entry(conversation).or_insert(0);
        *crashes += 1;
        let crashes = *crashes;
        metrics::counter!("deskwire_conversation_crashes_total").increment(1);
        tracing::error!(%conversation, crashes, request = %ticket.request.origin.request, "conversation crashed");
        let mut waiting = VecDeque::from([ticket]);
        if let Some(Slot::Backoff(behind)) = core.conversations.remove(&conversation) {
            waiting.extend(behind);
        }
        core.conversations.insert(conversation, Slot::Backoff(waiting));
        actix::spawn(start_again(self.hold(), conversation, restart, crashes, core.generation));
    }

    /// Takes everybody who waits for a conversation; `None`: a newer generation has swept them away.
    fn take_waiting(&self, conversation: ConversationId, generation: u64) -> Option<VecDeque<Ticket>> {
        let core = &mut *self.core.borrow_mut();
        if core.generation != generation {
            return None;
        }
        match core.conversations.remove(&conversation)? {
            Slot::Loading(waiting) | Slot::Backoff(waiting) => Some(waiting),
            ready @ Slot::Ready(_) => {
                core.conversations.insert(conversation, ready);
                None
            }
        }
    }

    fn refuse_all(&self, waiting: VecDeque<Ticket>, refusal: &Refusal) {
        for ticket in waiting {
            self.refuse(ticket, refusal.clone());
        }
    }

    /// Waits until the views hold everything up to `offset`.
    pub(crate) async fn wait_viewed(&self, offset: Offset) -> Result<(), Refusal> {
        let waited = tokio::time::timeout(VIEWED_WITHIN, self.context.shared.viewed.reach(offset)).await;
        waited.map_err(|_| Refusal::unavailable("the views lag behind"))
    }

    pub(crate) async fn read_state(&self, conversation: ConversationId) -> Result<Option<Tracked>, Refusal> {
        let tenant = &self.context.feed.tenant;
        let durable = self.core.borrow().durable;
        self.wait_viewed(durable).await?;
        let stored = self.context.ports.views.conversation(tenant, conversation).await.map_err(views_away)?;
        let Some(stored) = stored else { return Ok(None) };
        let state = State::load(&stored).map_err(views_away)?;
        if state.last > self.core.borrow().durable && !planted!(ForeignViewsTrusted) {
            return Err(self.replaced());
        }
        match self.context.vault.key(tenant, state.key).await {
            Ok(key) => Ok(Some(Tracked::loaded(state, key))),
            Err(KeyError::Destroyed) => Ok(None),
            Err(error) => Err(Refusal::unavailable(error.to_string())),
        }
    }

    /// A contact nobody has seen: its key is durable before its first event.
    async fn newcomer(&self, hash: AddressHash, address: Address) -> Result<Tracked, Refusal> {
        let ids = &self.context.ports.ids;
        let contact = ContactId(ids.uuid());
        let key = self.context.vault.create(&self.context.feed.tenant, contact).await;
        let key = key.map_err(|error| Refusal::unavailable(error.to_string()))?;
        let newcomer = Newcomer { conversation: ConversationId(ids.uuid()), contact, key: key.id, hash, address };
        Ok(Tracked::new(newcomer, key))
    }

    /// A request of the engine's own.
    pub(crate) fn own_request(&self, command: Command) -> Request {
        let request = self.request_of(&command).unwrap_or_else(|| self.context.ports.ids.request());
        Request { command, origin: Origin { by: Author::Engine, via: Via::Engine, request }, key: None }
    }

    /// Wakes conversations whose time has come.
    pub(crate) fn ring_timers(&self) {
        let now = self.now();
        let due: Vec<ConversationId> = {
            let core = self.core.borrow();
            core.timers.iter().take_while(|(due, _)| *due <= now).map(|(_, conversation)| *conversation).collect()
        };
        for conversation in due {
            let request = self.own_request(Command::Wake(ConversationRef { conversation }));
            self.route(Ticket::own(request, ReplyTo::Nobody));
        }
        let core = &mut *self.core.borrow_mut();
        if core.timers.is_empty() && std::mem::take(&mut core.more_timers) {
            self.load_timers();
        }
    }
}

fn views_away(error: ViewError) -> Refusal {
    Refusal::unavailable(error.to_string())
}

fn address_of(command: &Command) -> Option<&Address> {
    match target(command) {
        Target::Address(address) => Some(address),
        _ => None,
    }
}

/// Looks an address up, or makes its conversation, and hands over what waited.
async fn find_or_make(shell: Rc<Shell>, hash: AddressHash, address: Option<Address>, generation: u64) {
    let found = look_up(&shell, hash, address).await;
    let waiting = {
        let core = &mut *shell.core.borrow_mut();
        match core.routes.remove(&hash) {
            Some(Routing::Loading(waiting)) => waiting,
            Some(known @ Routing::Known(_)) => {
                core.routes.insert(hash, known);
                return;
            }
            None => return,
        }
    };
    if !shell.is_generation(generation) {
        return shell.refuse_all(waiting, &shell.outdated());
    }
    match found {
        Ok(Found::Known(conversation)) => {
            shell.core.borrow_mut().routes.insert(hash, Routing::Known(conversation));
            for ticket in waiting {
                let core = &mut *shell.core.borrow_mut();
                shell.to_conversation(core, conversation, ticket);
            }
        }
        Ok(Found::New(_)) if shell.is_full() => {
            shell.refuse_all(waiting, &Refusal::Full { retry_after: Duration::from_secs(1) });
        }
        Ok(Found::New(tracked)) => shell.ready(*tracked, waiting),
        Err(refusal) => shell.refuse_all(waiting, &refusal),
    }
}

enum Found {
    Known(ConversationId),
    New(Box<Tracked>),
}

async fn look_up(shell: &Rc<Shell>, hash: AddressHash, address: Option<Address>) -> Result<Found, Refusal> {
    let tenant = &shell.context.feed.tenant;
    let durable = shell.core.borrow().durable;
    if shell.core.borrow().generation > 0 {
        shell.wait_viewed(durable).await?;
    }
    if let Some(route) = shell.context.ports.views.route(tenant, hash).await.map_err(views_away)?
        && shell.read_key(route.conversation).await?
    {
        return Ok(Found::Known(route.conversation));
    }
    let address = address.ok_or_else(|| Refusal::rejected(Code::Internal, "a command by address needs one"))?;
    Ok(Found::New(Box::new(shell.newcomer(hash, address).await?)))
}

impl Shell {
    /// Whether a conversation's key still exists: an erased contact who comes back is a new one.
    async fn read_key(&self, conversation: ConversationId) -> Result<bool, Refusal> {
        if self.core.borrow().conversations.contains_key(&conversation) {
            return Ok(true);
        }
        Ok(self.read_state(conversation).await?.is_some())
    }
}

/// Reads a conversation's state and hands over what waited.
async fn load(shell: Rc<Shell>, conversation: ConversationId, generation: u64) {
    let read = shell.read_state(conversation).await;
    let Some(waiting) = shell.take_waiting(conversation, generation) else { return };
    match read {
        Ok(Some(tracked)) => shell.ready(tracked, waiting),
        Ok(None) => shell.refuse_all(waiting, &Shell::not_found(conversation)),
        Err(refusal) => shell.refuse_all(waiting, &refusal),
    }
}

/// How a crashed conversation starts again.
enum Restart {
    /// Its first event was never written: from what the tenant knew.
    Anew(Box<Tracked>),
    /// From the store, once that holds this offset.
    After(Offset),
}

/// After a crash: waits, reads the state again, and goes on, or parks when it crashed too often in a row.
async fn start_again(shell: Rc<Shell>, conversation: ConversationId, restart: Restart, crashes: u32, generation: u64) {
    tokio::time::sleep(back_off(crashes)).await;
    let read = match restart {
        Restart::Anew(tracked) => Ok(Some(*tracked)),
        Restart::After(last) => match shell.wait_viewed(last).await {
            Ok(()) => shell.read_state(conversation).await,
            Err(refusal) => Err(refusal),
        },
    };
    let Some(waiting) = shell.take_waiting(conversation, generation) else { return };
    match read {
        Ok(Some(tracked)) if crashes >= CRASHES_MAX => park(&shell, tracked, waiting, crashes),
        Ok(Some(tracked)) => shell.ready(tracked, waiting),
        Ok(None) => shell.refuse_all(waiting, &Shell::not_found(conversation)),
        Err(refusal) => shell.refuse_all(waiting, &refusal),
    }
}

fn park(shell: &Rc<Shell>, tracked: Tracked, waiting: VecDeque<Ticket>, crashes: u32) {
    let conversation = tracked.state.conversation;
    alert_parked(conversation, crashes);
    shell.core.borrow_mut().crashes.remove(&conversation);
    shell.ready(tracked, VecDeque::new());
    let tracked = match shell.core.borrow().conversations.get(&conversation) {
        Some(Slot::Ready(ready)) => ready.tracked.clone(),
        _ => return,
    };
    let request = shell.own_request(Command::Wake(ConversationRef { conversation }));
    let mut decision = Decision::default();
    decision.push(ConversationParked { crashes });
    shell.accept(&tracked, Ok(decision), Ticket::own(request, ReplyTo::Nobody));
    for ticket in waiting {
        shell.keep_unprocessed(&tracked, ticket);
    }
}
