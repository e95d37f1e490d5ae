//! What left before this process started counts against the limits: read from the end of the log, back only as far as
//! the longest window of the tenant's lines. Until that is done no lane of the tenant moves. Needs no running tenant: what
//! tenants share is counted from those that sleep, too (see `charged`).

use std::{collections::HashMap, rc::Rc, time::Duration};

use schema::{
    event::{Fact, Header, MessageClaimed, SealedBatch, StoredEvent},
    ids::{ChannelId, ContactId, ConversationId, FeedId, MessageId, Offset},
    message::Priority,
    settings::LimitSettings,
    time::Stamp,
};

use super::{
    Settings,
    charged::Account,
    shell::{Shell, Status},
};
use crate::{
    conversation::State,
    engine::Ports,
    ports::{DayPart, Log, LogError, PaceRequest},
};

/// Bytes of log read at once.
const READ_BYTES: usize = 1 << 20;
/// First step back through the log, in events; it doubles.
const STEP_BACK: u64 = 1_024;
/// Waits before the log is read again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Charges the limiter with the claims that this process has not seen; again until the log is read. From then on the
/// tenant's lanes charge it themselves. `false`: the tenant has closed meanwhile.
pub(super) async fn recount(shell: &Rc<Shell>, end: Offset) -> bool {
    let context = &shell.context;
    let account = context.charged.of(&context.feed.tenant);
    let _turn = account.turn().await;
    let mut wait = AGAIN.0;
    loop {
        let (settings, late) = (context.shared.settings.load_full(), context.limits.send_deadline);
        let count = Count { ports: &context.ports, feed: &context.feed, settings: &settings, viewed: end, late };
        match count.charge(&account, end).await {
            Ok(()) => break,
            Err(reason) => {
                tracing::warn!(feed = %context.feed, reason, "claims cannot be counted; nothing is sent yet")
            }
        }
        if shell.core.borrow().status == Status::Closed {
            return false;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN.1);
    }
    account.opens();
    true
}

/// A claim that still counts.
struct Counted {
    at: Stamp,
    channel: ChannelId,
    /// Of the pair; only looked up while the pair's own pace could still hold it.
    contact: ContactId,
    segments: u16,
}

/// One tenant's claims, to be counted.
pub(super) struct Count<'c> {
    pub(super) ports: &'c Ports,
    pub(super) feed: &'c FeedId,
    pub(super) settings: &'c Settings,
    /// Up to where the views are to be relied on.
    pub(super) viewed: Offset,
    /// A claimed text leaves within this, or never.
    pub(super) late: Duration,
}

impl Count<'_> {
    /// Charges what was claimed up to `end` and is not charged yet.
    pub(super) async fn charge(&self, account: &Account, end: Offset) -> Result<(), String> {
        // Charges come together at the end: a read that is made again must not count twice.
        let claims = self.claims(account.up_to(), end).await?;
        claims.iter().for_each(|claim| self.restore(claim));
        account.charged(end);
        metrics::counter!("deskwire_claims_counted_at_start_total").increment(claims.len() as u64);
        Ok(())
    }

    fn restore(&self, claim: &Counted) {
        let Some(line) = self.settings.channels.get(&claim.channel) else { return };
        let request = PaceRequest {
            tenant: &self.feed.tenant,
            account: &line.account,
            channel: &claim.channel,
            contact: claim.contact,
            segments: claim.segments,
            priority: Priority::Interactive,
            part: DayPart::Whole,
            limits: &self.settings.limits(&claim.channel),
        };
        self.ports.limiter.restore(&request, claim.at);
    }

    async fn claims(&self, charged: Offset, end: Offset) -> Result<Vec<Counted>, String> {
        let now = self.ports.clock.now();
        let limits: Vec<LimitSettings> =
            self.settings.channels.keys().map(|channel| self.settings.limits(channel)).collect();
        let since = limits.iter().map(|limits| self.ports.limiter.counts_since(limits, now)).min();
        let Some(since) = since.filter(|_| charged < end) else { return Ok(Vec::new()) };
        let log = &*self.ports.log;
        let from = reach_back(log, self.feed, charged.next(), end, since).await?;
        // What the views do not hold yet is read here.
        let mut from = from.min(self.viewed.next());
        let (channels, contacts) = (HashMap::new(), HashMap::new());
        let mut reading = Reading { count: self, channels, contacts, charged, since, now, found: Vec::new() };
        while from <= end {
            let batches = match log.read(self.feed, from, READ_BYTES).await {
                Err(LogError::Trimmed { oldest }) if oldest > from => {
                    from = oldest;
                    continue;
                }
                read => read.map_err(|error| error.to_string())?,
            };
            let Some(last) = batches.last() else { break };
            let next = last.header.end();
            for batch in &batches {
                reading.batch(batch, end).await?;
            }
            from = next;
        }
        Ok(reading.found)
    }
}

/// An offset at or before the first event since `since`, found by ever longer steps back from the end.
async fn reach_back(log: &dyn Log, feed: &FeedId, oldest: Offset, end: Offset, since: Stamp) -> Result<Offset, String> {
    let anchor = log.anchor(feed).await.map_err(|error| error.to_string())?;
    let oldest = oldest.max(anchor.oldest);
    let (mut at, mut step) = (end, STEP_BACK);
    loop {
        at = Offset(at.0.saturating_sub(step)).max(oldest);
        if at <= oldest {
            return Ok(oldest);
        }
        step = step.saturating_mul(2);
        let found = match log.read(feed, at, 1).await {
            Err(LogError::Trimmed { oldest }) => return Ok(oldest),
            read => read.map_err(|error| error.to_string())?,
        };
        if found.first().is_none_or(|batch| batch.header.stamp < since) {
            return Ok(at);
        }
    }
}

struct Reading<'r> {
    count: &'r Count<'r>,
    /// Lines of texts that were queued within what is read.
    channels: HashMap<MessageId, ChannelId>,
    /// Contacts that are first seen within what is read.
    contacts: HashMap<ConversationId, ContactId>,
    /// Claims up to here are charged.
    charged: Offset,
    since: Stamp,
    now: Stamp,
    found: Vec<Counted>,
}

impl Reading<'_> {
    async fn batch(&mut self, batch: &SealedBatch, end: Offset) -> Result<(), String> {
        for event in batch.events() {
            let event: StoredEvent = event.map_err(|error| error.to_string())?;
            if event.header.offset > end {
                continue;
            }
            match &event.fact {
                Fact::MessageQueued(fact) => drop(self.channels.insert(fact.message, fact.channel.clone())),
                Fact::ContactCreated(fact) => {
                    event.header.conversation.map(|conversation| self.contacts.insert(conversation, fact.contact));
                }
                Fact::MessageClaimed(fact)
                    if event.header.stamp >= self.since && event.header.offset > self.charged =>
                {
                    self.claim(&event.header, fact).await?
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn claim(&mut self, header: &Header, fact: &MessageClaimed) -> Result<(), String> {
        let Some(conversation) = header.conversation else { return Ok(()) };
        let channel = match self.channels.get(&fact.message) {
            Some(channel) => Some(channel.clone()),
            None => self.channel_of(fact.message).await?,
        };
        let Some(channel) = channel else { return Ok(()) };
        let contact = self.contact_of(conversation, &channel, header.stamp).await?;
        self.found.push(Counted { at: header.stamp, channel, contact, segments: fact.segments });
        Ok(())
    }

    /// The line of a text that was queued before what is read.
    async fn channel_of(&self, message: MessageId) -> Result<Option<ChannelId>, String> {
        let (views, tenant) = (&self.count.ports.views, &self.count.feed.tenant);
        let Some(row) = views.message(tenant, message).await.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let bytes = views.event(tenant, row.conversation, row.offset).await.map_err(|error| error.to_string())?;
        let event = bytes.and_then(|bytes| StoredEvent::decode(&bytes).ok());
        Ok(event.and_then(|event| match event.fact {
            Fact::MessageQueued(fact) => Some(fact.channel),
            _ => None,
        }))
    }

    /// To whom it went, where that still matters: a pair whose interval has passed is nobody's.
    async fn contact_of(&self, id: ConversationId, channel: &ChannelId, at: Stamp) -> Result<ContactId, String> {
        let nobody = ContactId(uuid::Uuid::nil());
        let limits = self.count.settings.limits(channel);
        let interval = Duration::from_secs(u64::from(limits.pair_interval_s.unwrap_or(0)) * 2);
        if interval.is_zero() || at.plus(interval).plus(self.count.late) < self.now {
            return Ok(nobody);
        }
        if let Some(contact) = self.contacts.get(&id) {
            return Ok(*contact);
        }
        let (views, tenant) = (&self.count.ports.views, &self.count.feed.tenant);
        let stored = views.conversation(tenant, id).await.map_err(|error| error.to_string())?;
        let state = stored.and_then(|stored| State::load(&stored).ok());
        Ok(state.map_or(nobody, |state| state.contact))
    }
}
