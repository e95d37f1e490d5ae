//! The shell of a tenant: everything that lives on its arbiter, shared by the tenant's actor and its conversations'.
//!
//! One thread owns it; nothing here is locked. Decisions run ahead of the log: what they produce leaves only when
//! their batch is durable.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
};

use schema::{
    command::{Reply, Request},
    event::{Accepted, Event, Header, WriteVersion},
    ids::{AddressHash, BatchId, BatchNumber, ConversationId, FeedId, MessageId, NodeId, Offset, RequestId},
    problem::Code,
    time::Stamp,
};

use super::{
    Settings,
    batch::{Completion, Pending, open_part},
    charged::Charged,
    handle::Shared,
    lanes::Lanes,
    recents::Recents,
    reconcile::Reconciler,
    route::Routing,
    supervise::{Slot, Tracked},
    ticket::{Answer, ReplyTo, Ticket},
};
use crate::{
    cluster::Together,
    conversation::{Decision, Draft, Inputs, decide},
    directory::SystemDirectory,
    engine::{Limits, Ports},
    follower::Advances,
    handle::Refusal,
    listings::Listings,
    ports::ContactKey,
    projector::Projector,
    vault::Vault,
};

/// Whether the tenant takes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It does.
    Running,
    /// The outcome of an append is unknown: nothing is decided until it is known.
    Frozen,
    /// It ends in order: what is under way comes to its end, nothing new is taken.
    Leaving,
    /// Another owner is at work, or the log has stopped: this tenant ends.
    Closed,
}

/// What a tenant is made of besides its state.
pub(crate) struct Context {
    pub(crate) feed: FeedId,
    pub(crate) node: NodeId,
    pub(crate) ports: Ports,
    pub(crate) vault: Vault,
    pub(crate) limits: Limits,
    pub(crate) projector: Projector,
    pub(crate) advances: Vec<Arc<Advances>>,
    pub(crate) shared: Arc<Shared>,
    /// For work that is not the tenant's: carrier calls.
    pub(crate) runtime: tokio::runtime::Handle,
    /// Turns at the carriers' lists.
    pub(crate) listings: Arc<Listings>,
    /// What this process has charged the limiter with.
    pub(crate) charged: Arc<Charged>,
    /// Only for tenant `system`: what everybody looks things up in.
    pub(crate) directory: Option<Arc<SystemDirectory>>,
    /// What is held back at every tenant, among other things.
    pub(crate) everyone: Arc<SystemDirectory>,
    /// Other nodes, if there are any.
    pub(crate) together: Option<Arc<Together>>,
}

/// State that runs ahead of the log.
pub(crate) struct Core {
    pub(crate) status: Status,
    /// Raised when a batch fails: what was decided on top of it is void.
    pub(crate) generation: u64,
    pub(crate) next_offset: Offset,
    pub(crate) next_batch: BatchNumber,
    pub(crate) stamp: Stamp,
    pub(crate) durable: Offset,
    pub(crate) pending: Pending,
    /// Answers without events of their own that wait for the batch in flight.
    pub(crate) riders: Vec<Completion>,
    /// It has been told to end: a frozen one goes on to that.
    pub(crate) ends: bool,
    /// Commands that wait because the batch under assembly is full.
    pub(crate) stalled: VecDeque<Ticket>,
    pub(crate) settings: Settings,
    pub(crate) directory: Option<Arc<SystemDirectory>>,
    pub(crate) recents: Recents,
    pub(crate) conversations: HashMap<ConversationId, Slot>,
    pub(crate) crashes: HashMap<ConversationId, u32>,
    pub(crate) routes: HashMap<AddressHash, Routing>,
    pub(crate) timers: BTreeSet<(Stamp, ConversationId)>,
    /// The views have later timers that are not in memory.
    pub(crate) more_timers: bool,
}

/// One tenant on its arbiter.
pub(crate) struct Shell {
    pub(crate) context: Context,
    pub(crate) core: RefCell<Core>,
    /// Apart from the core, so that a refusal can reach its lane while the core is borrowed.
    pub(crate) lanes: RefCell<Lanes>,
    pub(crate) reconciler: RefCell<Reconciler>,
    /// The requests that open texts came from.
    pub(crate) origins: RefCell<HashMap<MessageId, RequestId>>,
    pub(crate) appending: Cell<bool>,
    /// It is being looked whether this node still owns the tenant.
    pub(crate) checking: Cell<bool>,
    /// Monotonic time when it was last needed.
    pub(crate) idle_since: Cell<std::time::Duration>,
    me: RefCell<std::rc::Weak<Shell>>,
}

impl Shell {
    pub(crate) fn new(context: Context, core: Core) -> Rc<Self> {
        let lanes = Lanes::new(&context.limits);
        let now = context.ports.clock.monotonic();
        let shell = Rc::new(Self {
            context,
            core: RefCell::new(core),
            lanes: RefCell::new(lanes),
            reconciler: RefCell::default(),
            origins: RefCell::default(),
            appending: Cell::new(false),
            checking: Cell::new(false),
            idle_since: Cell::new(now),
            me: RefCell::new(std::rc::Weak::new()),
        });
        *shell.me.borrow_mut() = Rc::downgrade(&shell);
        shell
    }

    /// Another hold on the same shell, for tasks on this arbiter.
    pub(crate) fn hold(&self) -> Rc<Self> {
        self.me.borrow().upgrade().expect("whoever calls a method holds the shell")
    }

    pub(crate) fn is_generation(&self, generation: u64) -> bool {
        self.core.borrow().generation == generation
    }

    pub(crate) fn now(&self) -> Stamp {
        self.context.ports.clock.now()
    }

    /// Runs the pure decision on the newest state.
    pub(crate) fn decide(&self, tracked: &Tracked, ticket: &Ticket) -> Result<Decision, Refusal> {
        let core = self.core.borrow();
        let ids = &self.context.ports.ids;
        let inputs = Inputs {
            now: self.now(),
            settings: &core.settings,
            policy: &self.context.limits.policy,
            node: &self.context.node,
            fresh: [ids.uuid(), ids.uuid(), ids.uuid()],
            random: ids.random(),
        };
        decide(&tracked.state, &ticket.request.command, &inputs, &ticket.request.origin.by)
    }

    /// Puts what was decided into the batch and answers when that is durable.
    pub(crate) fn accept(&self, tracked: &Rc<RefCell<Tracked>>, decided: Result<Decision, Refusal>, ticket: Ticket) {
        let decision = match decided.and_then(|decision| self.may_write(&decision.events).map(|()| decision)) {
            Ok(decision) => decision,
            Err(refusal) => return self.refuse(ticket, refusal),
        };
        let mut core = self.core.borrow_mut();
        let core = &mut *core;
        let conversation = tracked.borrow().state.conversation;
        core.crashes.remove(&conversation);
        let reply = {
            let tracked = &mut *tracked.borrow_mut();
            let drafts = first_words(tracked, decision.events, &ticket.request);
            let timer = tracked.state.timer();
            let accepted = ticket.identity.map(|identity| Accepted {
                key: identity.key,
                content: identity.content,
                message: decision.message,
            });
            write_drafts(core, tracked, drafts, &ticket.request, accepted, self.now());
            move_timer(core, conversation, timer, tracked.state.timer());
            Reply { offset: tracked.state.last, conversation: Some(conversation), message: decision.message }
        };
        if reply.offset >= core.pending.first {
            core.pending.touched.entry(conversation).or_insert_with(|| tracked.clone());
        }
        self.complete(core, reply, ticket.reply);
    }

    /// Kinds of events that a node does not read are not written.
    pub(crate) fn may_write(&self, drafts: &[Draft]) -> Result<(), Refusal> {
        let needed = drafts.iter().map(|draft| draft.fact.since()).max();
        self.context.everyone.may_write(needed.unwrap_or(WriteVersion::FIRST))
    }

    /// Adds the tenant's own events, which belong to no conversation.
    pub(crate) fn accept_own(&self, core: &mut Core, drafts: Vec<Draft>, ticket: Ticket) {
        let accepted =
            ticket.identity.map(|identity| Accepted { key: identity.key, content: identity.content, message: None });
        let last = drafts.len().saturating_sub(1);
        let mut offset = Offset(core.next_offset.0 - 1);
        for (index, draft) in drafts.into_iter().enumerate() {
            let header = Header {
                offset: core.next_offset,
                stamp: next_stamp(core.stamp, self.now()),
                conversation: None,
                previous: Offset(0),
                origin: ticket.request.origin.clone(),
                accepted: accepted.clone().filter(|_| index == last),
            };
            offset = header.offset;
            core.settings.apply(&draft.fact);
            if let Some(directory) = &core.directory {
                directory.apply(&draft.fact);
            }
            add(core, Event { header, fact: draft.fact, parts: Vec::new() }, None);
        }
        self.complete(core, Reply { offset, conversation: None, message: None }, ticket.reply);
    }

    /// Answers when everything up to the reply's offset is durable.
    pub(crate) fn complete(&self, core: &mut Core, reply: Reply, to: ReplyTo) {
        let completion = Completion { reply, to };
        if completion.reply.offset <= core.durable || planted!(AckBeforeAppend) {
            completion.send(Ok(()));
        } else if completion.reply.offset >= core.pending.first {
            core.pending.completions.push(completion);
        } else {
            core.riders.push(completion);
        }
        if !core.pending.is_empty() {
            self.kick();
        }
    }

    /// Says no; nothing of the request is stored.
    pub(crate) fn refuse(&self, ticket: Ticket, refusal: Refusal) {
        match ticket.reply {
            ReplyTo::Caller(to) | ReplyTo::Call(to) => {
                let _ = to.send(Answer::Done(Err(refusal)));
            }
            ReplyTo::Lane(message) => self.claim_refused(message),
            ReplyTo::Nobody => {
                if !matches!(refusal, Refusal::Rejected { .. }) {
                    tracing::warn!(%refusal, "the tenant's own command was refused");
                }
            }
        }
    }

    pub(crate) fn refuse_outdated(&self, ticket: Ticket) {
        let refusal = self.outdated();
        self.refuse(ticket, refusal);
    }

    /// To whoever was decided on, or waited for, a state that is void.
    pub(crate) fn outdated(&self) -> Refusal {
        match self.core.borrow().status {
            Status::Closed if self.context.together.is_some() => Refusal::Moved,
            _ => Refusal::unavailable("a batch failed; the state is read again"),
        }
    }

    /// A new, empty batch under assembly.
    pub(crate) fn new_pending(&self, first: Offset) -> Pending {
        Pending::new(
            BatchId(uuid::Uuid::from_u64_pair(self.context.ports.ids.random(), self.context.ports.ids.random())),
            first,
        )
    }

    pub(crate) fn not_found(conversation: ConversationId) -> Refusal {
        Refusal::rejected(Code::NotFound, format!("conversation {conversation}"))
    }
}

/// The first events of a newcomer come before whatever was decided.
fn first_words(tracked: &mut Tracked, events: Vec<Draft>, request: &Request) -> Vec<Draft> {
    if events.is_empty() {
        return events;
    }
    let Some(newcomer) = tracked.newcomer.take() else { return events };
    let name = match request.command.arrival() {
        schema::command::Command::Call(call) => call.name.clone(),
        _ => None,
    };
    std::iter::once(newcomer.draft(name)).chain(events).collect()
}

fn write_drafts(
    core: &mut Core,
    tracked: &mut Tracked,
    drafts: Vec<Draft>,
    request: &Request,
    accepted: Option<Accepted>,
    now: Stamp,
) {
    let last = drafts.len().saturating_sub(1);
    for (index, draft) in drafts.into_iter().enumerate() {
        let accepted = if index == last { accepted.clone() } else { None };
        let header = Header {
            offset: core.next_offset,
            stamp: next_stamp(core.stamp, now),
            conversation: Some(tracked.state.conversation),
            previous: tracked.state.last,
            origin: request.origin.clone(),
            accepted,
        };
        tracked.state.apply(&header, &draft.fact);
        let parts = draft.personal.map(|personal| open_part(&tracked.key, tracked.state.contact, personal));
        let event = Event { header, fact: draft.fact, parts: parts.into_iter().collect() };
        add(core, event, Some(&tracked.key));
    }
}

/// Stamps strictly increase, also over clocks that step back and over owners.
fn next_stamp(last: Stamp, now: Stamp) -> Stamp {
    now.max(Stamp(last.0 + 1))
}

fn add(core: &mut Core, event: Event, key: Option<&ContactKey>) {
    if let Some(accepted) = &event.header.accepted {
        let entry = crate::ports::DedupeEntry {
            offset: event.header.offset,
            content: accepted.content,
            conversation: event.header.conversation,
            message: accepted.message,
        };
        core.recents.insert(accepted.key, entry);
    }
    core.stamp = event.header.stamp;
    core.next_offset = event.header.offset.next();
    if planted!(OffsetSkipped) && matches!(event.fact, schema::event::Fact::NoteAdded(_)) {
        core.next_offset = core.next_offset.next();
    }
    core.pending.push(event, key);
}

fn move_timer(core: &mut Core, conversation: ConversationId, before: Option<Stamp>, after: Option<Stamp>) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        core.timers.remove(&(before, conversation));
    }
    if let Some(after) = after {
        core.timers.insert((after, conversation));
    }
}
