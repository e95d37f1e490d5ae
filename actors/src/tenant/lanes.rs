//! The tenant's outbox: drives the pure lanes, asks the limiter, claims through the door, calls the carrier.
//!
//! Claims come before sends: the call starts only when its claim is durable, and is dropped at the claim's deadline.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use schema::{
    command::{ClaimSend, Command},
    event::{Event, Fact, MessageClaimed},
    ids::{ChannelId, ContactId, ConversationId, MessageId},
    message::{Priority, Status},
    settings::LimitSettings,
    time::Stamp,
};

use super::{
    calls, charged,
    handle::{LineQueue, QueuePlace},
    shell::{Shell, Status as TenantStatus},
    supervise::Slot,
    ticket::{ReplyTo, Ticket},
};
use crate::{
    conversation::Send,
    engine::Limits,
    outbox::{Entry, Lane, LaneOptions, Next},
    ports::{Admission, DayPart, PaceRequest},
};

/// Before this a text does not leave. One that has only been queued waits for nothing: its stamp is the log's, which stays
/// ahead of a clock that stepped back, and would hold it until that clock has caught up.
fn waits_until(send: &Send) -> Stamp {
    if send.not_before == send.queued { Stamp(0) } else { send.not_before }
}

/// All lanes of a tenant.
pub(crate) struct Lanes {
    lanes: HashMap<ChannelId, Lane>,
    homes: HashMap<MessageId, Home>,
    /// Lanes whose next look is already planned.
    planned: HashMap<ChannelId, Stamp>,
    options: LaneOptions,
    /// Before, what left earlier is not counted yet, and nothing may leave.
    open: bool,
    /// Texts that wait for a day to end, as the gauge was told.
    waiting_for_day: u64,
}

struct Home {
    /// The attempt that the lane is about: what is heard of an earlier one does not concern it.
    attempt: u16,
    channel: ChannelId,
    conversation: ConversationId,
    contact: ContactId,
    priority: Priority,
}

impl Lanes {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            lanes: HashMap::new(),
            homes: HashMap::new(),
            planned: HashMap::new(),
            options: limits.lane,
            open: false,
            waiting_for_day: 0,
        }
    }

    /// Whether no text is open at any lane.
    pub(crate) fn is_idle(&self) -> bool {
        self.homes.is_empty()
    }

    /// Texts that are at the carrier, or claimed for it.
    pub(crate) fn calls(&self) -> usize {
        self.lanes.values().map(Lane::in_flight).sum()
    }

    /// Texts that wait or are on their way.
    pub(crate) fn open(&self) -> usize {
        self.homes.len()
    }

    /// Whether no text is open any more once these events are durable.
    pub(crate) fn is_idle_after(&self, events: &[Event]) -> bool {
        let settled: HashSet<(MessageId, u16)> = events
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::MessageStatus(fact) if fact.status.rank() >= Status::Sent.rank() => {
                    Some((fact.message, fact.attempt))
                }
                _ => None,
            })
            .collect();
        self.homes.iter().all(|(message, home)| settled.contains(&(*message, home.attempt)))
    }

    fn tell_waiting(&mut self, waiting: u64) {
        let before = std::mem::replace(&mut self.waiting_for_day, waiting);
        let gauge = metrics::gauge!("deskwire_texts_waiting_for_day");
        let count = |texts: u64| f64::from(u32::try_from(texts).unwrap_or(u32::MAX));
        if waiting >= before {
            gauge.increment(count(waiting - before));
        } else {
            gauge.decrement(count(before - waiting));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.tell_waiting(0);
        self.lanes.clear();
        self.homes.clear();
    }

    /// Where a text leaves from, and who goes first.
    pub(crate) fn home(&self, message: MessageId) -> Option<(&ChannelId, Priority)> {
        self.homes.get(&message).map(|home| (&home.channel, home.priority))
    }

    fn put_back(&mut self, channel: &ChannelId, entry: Entry, now: Stamp) {
        let home = Home {
            attempt: entry.attempt,
            channel: channel.clone(),
            conversation: entry.conversation,
            contact: entry.contact,
            priority: entry.priority,
        };
        self.homes.insert(entry.message, home);
        let options = self.options;
        self.lanes.entry(channel.clone()).or_insert_with(|| Lane::new(options)).put_back(entry, now);
    }
}

impl Shell {
    /// A text is durably queued: it enters its lane.
    pub(crate) fn lane_insert(&self, conversation: ConversationId, message: MessageId) {
        let found = {
            let core = self.core.borrow();
            match core.conversations.get(&conversation) {
                Some(Slot::Ready(ready)) => {
                    let tracked = ready.tracked.borrow();
                    tracked.state.sends.get(&message).map(|send| (tracked.state.contact, send.clone()))
                }
                _ => None,
            }
        };
        match found {
            Some((contact, send)) => self.enqueue(conversation, contact, message, &send),
            None => {
                actix::spawn(enqueue_from_views(self.hold(), conversation, message));
            }
        }
    }

    pub(crate) fn enqueue(&self, conversation: ConversationId, contact: ContactId, message: MessageId, send: &Send) {
        if send.status != Status::Queued {
            return;
        }
        let entry = Entry {
            message,
            conversation,
            contact,
            priority: send.priority,
            part: DayPart::of(&send.purpose),
            segments: send.segments,
            valid_until: send.valid_until,
            not_before: waits_until(send),
            queued: send.queued,
            attempt: send.attempt,
        };
        self.lanes.borrow_mut().put_back(&send.channel, entry, self.now());
        self.pump(&send.channel);
    }

    /// From now on texts leave.
    pub(crate) fn open_lanes(&self) {
        self.lanes.borrow_mut().open = true;
        self.pump_all();
    }

    /// Looks at every lane.
    pub(crate) fn pump_all(&self) {
        let mut channels: Vec<ChannelId> = self.lanes.borrow().lanes.keys().cloned().collect();
        channels.sort_unstable();
        channels.iter().for_each(|channel| self.pump(channel));
    }

    /// Takes what may go now from a lane, and plans the next look.
    pub(crate) fn pump(&self, channel: &ChannelId) {
        if self.core.borrow().status != TenantStatus::Running || !self.lanes.borrow().open {
            return;
        }
        let mut go = Vec::new();
        let wait = {
            let settings = self.context.shared.settings.load();
            let lanes = &mut *self.lanes.borrow_mut();
            let (Some(lane), Some(line)) = (lanes.lanes.get_mut(channel), settings.channels.get(channel)) else {
                return;
            };
            let limits = settings.limits(channel);
            let now = self.now();
            let limiter = &self.context.ports.limiter;
            let uncounted = charged::shares(&limits) && !self.context.charged.are_whole();
            lane.pause(self.pause_at(&settings, channel), now);
            loop {
                let next = lane.next(now, |entry| {
                    if uncounted {
                        return Admission::NotBefore { at: now.plus(UNCOUNTED), pair: false };
                    }
                    let request = PaceRequest {
                        tenant: &self.context.feed.tenant,
                        account: &line.account,
                        channel,
                        contact: entry.contact,
                        segments: entry.segments,
                        priority: entry.priority,
                        part: entry.part,
                        limits: &limits,
                    };
                    limiter.admit(&request, now)
                });
                match next {
                    Next::Send { entry, after_unknown } => go.push((entry, after_unknown)),
                    // The door says `expired` by itself: validity is checked at the moment of claim.
                    Next::Expired(entry) => go.push((entry, false)),
                    Next::WaitUntil(at) => break Some(at),
                    Next::Idle => break None,
                }
            }
        };
        for (entry, after_unknown) in go {
            self.claim(&entry, after_unknown);
        }
        if let Some(at) = wait {
            self.look_again(channel, at);
        }
    }

    fn look_again(&self, channel: &ChannelId, at: Stamp) {
        let sooner = {
            let planned = &mut self.lanes.borrow_mut().planned;
            let sooner = planned.get(channel).is_none_or(|known| at < *known);
            if sooner {
                planned.insert(channel.clone(), at);
            }
            sooner
        };
        if sooner {
            actix::spawn(look_later(self.hold(), channel.clone(), at));
        }
    }

    fn claim(&self, entry: &Entry, after_unknown: bool) {
        let claim = ClaimSend {
            conversation: entry.conversation,
            message: entry.message,
            attempt: entry.attempt,
            deadline: self.now().plus(self.context.limits.send_deadline),
            after_unknown,
        };
        if planted!(SentWithoutClaim) {
            let ClaimSend { conversation, message, attempt, deadline, after_unknown } = claim;
            let (node, segments) = (self.context.node.clone(), entry.segments);
            let claim = MessageClaimed { message, attempt, node, deadline, segments, after_unknown };
            return self.call_carrier(conversation, claim);
        }
        let request = self.own_request(Command::Claim(claim));
        self.route(Ticket::own(request, ReplyTo::Lane(entry.message)));
    }

    /// The door did not take the claim: canceled meanwhile, or busy. The lane may take it again a little later.
    pub(crate) fn claim_refused(&self, message: MessageId) {
        actix::spawn(enqueue_again(self.hold(), message));
    }

    /// A text's fate at the carrier is unknown: its contact's next ones wait a configured time.
    pub(crate) fn lane_unknown(&self, message: MessageId) {
        let now = self.now();
        let until = now.plus(self.context.limits.unknown_hold);
        self.with_lane(message, |lane, contact| lane.hold(message, contact, until, now));
    }

    /// A text was unknown when the tenant started: its contact's next ones wait for what is left of the time.
    pub(crate) fn reopen_unknown(&self, id: ConversationId, contact: ContactId, message: MessageId, send: &Send) {
        let now = self.now();
        let until = send.deadline.plus(self.context.limits.unknown_hold);
        let (attempt, channel) = (send.attempt, send.channel.clone());
        let home = Home { attempt, channel, conversation: id, contact, priority: send.priority };
        let lanes = &mut *self.lanes.borrow_mut();
        lanes.homes.insert(message, home);
        let options = lanes.options;
        let lane = lanes.lanes.entry(send.channel.clone()).or_insert_with(|| Lane::new(options));
        lane.hold(message, contact, until, now);
    }

    /// Nobody asks any more what became of a text: it keeps neither the tenant awake nor its lane's books open.
    pub(crate) fn lane_forgotten(&self, message: MessageId) {
        let lanes = &mut *self.lanes.borrow_mut();
        let under_way = |home: &Home| lanes.lanes.get(&home.channel).is_some_and(|lane| lane.knows(message));
        if lanes.homes.get(&message).is_some_and(|home| !under_way(home)) {
            lanes.homes.remove(&message);
        }
    }

    /// The lane is done with an attempt: the carrier has it, or never will. Late news of an attempt before the current
    /// one must not take the text out of its lane.
    pub(crate) fn lane_settled(&self, message: MessageId, attempt: u16) {
        let now = self.now();
        if self.lanes.borrow().homes.get(&message).is_some_and(|home| home.attempt > attempt) {
            return;
        }
        self.with_lane(message, |lane, contact| {
            lane.remove(message, now);
            lane.settled(message, contact, now);
        });
        self.lanes.borrow_mut().homes.remove(&message);
    }

    fn with_lane(&self, message: MessageId, change: impl FnOnce(&mut Lane, ContactId)) {
        let channel = {
            let lanes = &mut *self.lanes.borrow_mut();
            let Some(home) = lanes.homes.get(&message) else { return };
            let Some(lane) = lanes.lanes.get_mut(&home.channel) else { return };
            change(lane, home.contact);
            home.channel.clone()
        };
        let shell = self.hold();
        // After this batch's reactions, not within them.
        actix::spawn(async move { shell.pump(&channel) });
    }

    /// Limits were changed: what lanes were told before counts no more.
    pub(crate) fn limits_changed(&self) {
        let now = self.now();
        self.lanes.borrow_mut().lanes.values_mut().for_each(|lane| lane.limits_changed(now));
        self.pump_all();
    }

    /// Where a text stands in its lane.
    pub(crate) fn place(&self, message: MessageId) -> Option<QueuePlace> {
        let lanes = self.lanes.borrow();
        let home = lanes.homes.get(&message)?;
        let limits = self.context.shared.settings.load().limits(&home.channel);
        let now = self.now();
        let place = lanes.lanes.get(&home.channel)?.place(message, &limits, now)?;
        let paused = self.held_by(&home.channel, home.priority);
        let day_ends = self.used_up(&limits, now);
        let estimate = place.expected.max(day_ends.unwrap_or(now)).since(now);
        Some(QueuePlace { place: u32::try_from(place.ahead + 1).unwrap_or(u32::MAX), estimate, paused, day_ends })
    }

    /// When the next day begins, if this one is used up.
    fn used_up(&self, limits: &LimitSettings, now: Stamp) -> Option<Stamp> {
        let days = self.context.ports.limiter.days(limits, now);
        days.iter().filter(|day| day.is_used_up()).map(|day| day.ends).max()
    }

    /// What waits at a line, and what is left of its days.
    pub(crate) fn line_queue(&self, channel: &ChannelId) -> LineQueue {
        let limits = self.context.shared.settings.load().limits(channel);
        let days = self.context.ports.limiter.days(&limits, self.now());
        let lanes = self.lanes.borrow();
        let lane = lanes.lanes.get(channel);
        let (waiting, in_flight) = lane.map_or((0, 0), |lane| (lane.queued(), lane.in_flight()));
        LineQueue { waiting, in_flight, days }
    }

    /// Tells the gauge how many texts wait for a day to end; it holds the sum over all tenants.
    pub(crate) fn count_waiting_for_day(&self) {
        let now = self.now();
        let settings = self.context.shared.settings.load();
        let lanes = &mut *self.lanes.borrow_mut();
        let waits = |(channel, lane): (&ChannelId, &Lane)| {
            let waits = lane.queued() > 0 && self.used_up(&settings.limits(channel), now).is_some();
            if waits { lane.queued() as u64 } else { 0 }
        };
        let waiting = if lanes.open { lanes.lanes.iter().map(waits).sum() } else { 0 };
        lanes.tell_waiting(waiting);
    }

    /// The claim is durable: calls the carrier, and brings the result back through the door.
    pub(crate) fn call_carrier(&self, conversation: ConversationId, claim: MessageClaimed) {
        actix::spawn(calls::call(self.hold(), conversation, claim));
    }
}

/// How long a text waits before it is asked again whether all is counted that its limits are shared with.
const UNCOUNTED: Duration = Duration::from_millis(50);
/// Longest sleep of one look: a lane that waits for midnight must not gather sleepers until then.
const LOOK_WITHIN: Duration = Duration::from_secs(60);

async fn look_later(shell: Rc<Shell>, channel: ChannelId, at: Stamp) {
    tokio::time::sleep(at.since(shell.now()).min(LOOK_WITHIN)).await;
    {
        let planned = &mut shell.lanes.borrow_mut().planned;
        if planned.get(&channel) == Some(&at) {
            planned.remove(&channel);
        }
    }
    shell.pump(&channel);
}

/// Puts a text back whose claim the door did not take, if it is still queued.
async fn enqueue_again(shell: Rc<Shell>, message: MessageId) {
    tokio::time::sleep(Duration::from_millis(200)).await;
    let home = {
        let lanes = &mut *shell.lanes.borrow_mut();
        let Some(home) = lanes.homes.remove(&message) else { return };
        if let Some(lane) = lanes.lanes.get_mut(&home.channel) {
            lane.settled(message, home.contact, shell.now());
        }
        home
    };
    enqueue_from_views(shell, home.conversation, message).await;
}

async fn enqueue_from_views(shell: Rc<Shell>, conversation: ConversationId, message: MessageId) {
    if let Some(state) = shell.insist_on_state(conversation).await
        && let Some(send) = state.sends.get(&message)
    {
        shell.enqueue(conversation, state.contact, message, send);
    }
}
