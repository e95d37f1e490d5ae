//! What left, what was answered, what was shown: each held against the log as it is on the disk at that moment.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use schema::{
    command::{CallOutcome, Command, DeliveryReport, Reply, SendOutcome},
    event::{Consent, Fact, Purpose},
    ids::{MessageId, Offset},
    message::Status,
    time::Stamp,
};

use super::{Departure, Model};
use crate::{
    ports::OutgoingText,
    simulation::plan::{TENANTS, business, line, line_number, mark, tenant},
};

const SECOND: Duration = Duration::from_secs(1);

impl Model {
    /// The first byte of a text leaves now.
    pub(in crate::simulation) fn departs(
        &mut self,
        text: &OutgoingText,
        now: Duration,
        wall: Stamp,
        true_wall: Stamp,
    ) -> Result<(), String> {
        self.checks += 1;
        let number = (0..TENANTS).find(|number| line(*number) == text.channel).ok_or("P9: a line is nobody's")?;
        let contact = Self::contact_of(&schema::address::Address::Phone(text.to.clone()));
        let owner = tenant(number);
        let name = format!("text {}", text.message);
        let feed = self.feeds.get_mut(&owner).ok_or("P7: a text leaves before anything is stored")?;
        let known = feed.texts.get_mut(&text.message).ok_or(format!("P9: {name} is no text of its line's tenant"))?;
        let talk = feed.talks.entry(known.conversation).or_default();
        let segments = u32::from(known.segments.max(1));
        let leg = known.legs.entry(text.attempt).or_default();
        if !leg.claimed {
            return Err(format!("P7: {name} leaves without a claim"));
        }
        if known.attempt != text.attempt || leg.departed.replace(now).is_some() {
            return Err(format!("P7: attempt {} of {name} leaves again", text.attempt));
        }
        if wall > known.valid_until {
            return Err(format!("P6: {name} leaves {:?} too late", wall.since(known.valid_until)));
        }
        let confirms = matches!(known.purpose, Purpose::Confirmation(_));
        if talk.consent == Consent::OptedOut && talk.consent_at < now && !confirms {
            return Err(format!("P6: {name} leaves, its contact opted out {:?} ago", now - talk.consent_at));
        }
        let own = text.text.contains(&mark(number, contact)) || text.text.contains(&business(number));
        if !own || text.from != line_number(number) {
            return Err(format!("P9: {name} says what is not its tenant's to this contact"));
        }
        let contact = text.to.as_str().to_owned();
        self.departures.push(Departure { tenant: owner, contact, at: now, wall: true_wall, segments });
        self.paced()
    }

    /// The last departure against every limit.
    fn paced(&self) -> Result<(), String> {
        let Some(last) = self.departures.last() else { return Ok(()) };
        let own = || self.departures.iter().filter(|other| other.tenant == last.tenant);
        let within = |span: Duration| own().filter(move |other| other.at + span > last.at);
        if let Some(limit) = self.limits.number_per_s {
            let sum: u32 = within(SECOND).map(|other| other.segments).sum();
            if sum > limit.max(last.segments) {
                return Err(format!("P6: {sum} segments left {} within a second, {limit} may", last.tenant));
            }
        }
        if let Some(seconds) = self.limits.pair_interval_s {
            let pair = within(Duration::from_secs(u64::from(seconds))).filter(|other| other.contact == last.contact);
            if pair.count() > 1 {
                return Err(format!("P6: two texts to one contact of {} left within {seconds} s", last.tenant));
            }
        }
        if let Some(day) = &self.limits.brand_per_day {
            let today = date(last.wall);
            let sum: u32 = own().filter(|other| date(other.wall) == today).map(|other| other.segments).sum();
            if sum > day.limit {
                return Err(format!("P6: {sum} segments left on {today}, {} may", day.limit));
            }
        }
        Ok(())
    }

    /// The carrier has it, or has it not.
    pub(in crate::simulation) fn met(&mut self, message: MessageId, attempt: u16, taken: bool) {
        if let Some(leg) = self.leg(message, attempt) {
            leg.taken = taken;
        }
    }

    /// What the engine is told.
    pub(in crate::simulation) fn answered(&mut self, message: MessageId, attempt: u16, outcome: &SendOutcome) {
        let refused = matches!(outcome, SendOutcome::NotSent { .. } | SendOutcome::Refused(_));
        if let Some(leg) = self.leg(message, attempt) {
            leg.refused = refused && !leg.taken;
        }
    }

    fn leg(&mut self, message: MessageId, attempt: u16) -> Option<&mut super::texts::Leg> {
        let text = self.feeds.values_mut().find_map(|feed| feed.texts.get_mut(&message))?;
        text.legs.get_mut(&attempt)
    }

    /// A webhook got its 200.
    pub(in crate::simulation) fn arrival_acked(
        &mut self,
        number: usize,
        command: &Command,
        reply: &Reply,
    ) -> Result<(), String> {
        self.durable(number, reply)?;
        let feed = &self.feeds[&tenant(number)];
        let (stored, from) = match command {
            Command::Receive(message) => {
                (feed.received.get(&message.carrier_id).map(|_| message.carrier_id.clone()), &message.from)
            }
            Command::Call(call) => {
                // A ringing line's first word decides nothing.
                let nothing = call.outcome == CallOutcome::Begun && number == 1;
                let known = nothing || feed.calls.contains_key(&call.carrier_id);
                (known.then(|| call.carrier_id.clone()), &call.from)
            }
            other => return Err(format!("{other:?} is no arrival")),
        };
        let Some(id) = stored else {
            return Err(format!("P1: an arrival of tenant {number} was answered and is not stored"));
        };
        if let Some(conversation) = reply.conversation {
            self.known.insert((number, Self::contact_of(from)), conversation);
        }
        if matches!(command, Command::Receive(_)) { self.same(&format!("{number} {id}"), reply) } else { Ok(()) }
    }

    /// An operator got a reply.
    pub(in crate::simulation) fn ask_acked(
        &mut self,
        number: usize,
        index: usize,
        command: &Command,
        reply: &Reply,
    ) -> Result<(), String> {
        self.durable(number, reply)?;
        let Command::Send(_) = command else { return Ok(()) };
        let queued = reply.message.is_some_and(|message| self.feeds[&tenant(number)].texts.contains_key(&message));
        if !queued {
            return Err(format!("P1: request {index} of tenant {number} was answered and its text is not stored"));
        }
        self.same(&format!("{number} key {index}"), reply)
    }

    /// A status callback got its 200.
    pub(in crate::simulation) fn report_acked(
        &mut self,
        number: usize,
        report: &DeliveryReport,
        reply: &Reply,
    ) -> Result<(), String> {
        self.durable(number, reply)?;
        let text = self.feeds[&tenant(number)].texts.get(&report.message);
        let text = text.ok_or(format!("P1: a report on no text {} was answered", report.message))?;
        let knows = text.attempt > report.attempt || text.status.rank() >= report.status.rank();
        if knows {
            return Ok(());
        }
        let (told, is) = (report.status, text.status);
        Err(format!("P1: {told:?} of text {} was answered while the log says {is:?}", report.message))
    }

    /// What is answered is on the disk.
    fn durable(&mut self, number: usize, reply: &Reply) -> Result<(), String> {
        self.checks += 1;
        if reply.offset <= self.head(number) {
            return Ok(());
        }
        Err(format!("P1: tenant {number} answered {} while its log ends at {}", reply.offset, self.head(number)))
    }

    /// The same is answered to the same.
    fn same(&mut self, what: &str, reply: &Reply) -> Result<(), String> {
        match self.replies.insert(what.to_owned(), reply.clone()) {
            Some(first) if first != *reply => Err(format!("P2: {what} was answered {first:?}, then {reply:?}")),
            _ => Ok(()),
        }
    }

    /// A dashboard of an admin is shown a frame.
    pub(in crate::simulation) fn shown(&mut self, number: usize, offset: Offset, frame: &str) -> Result<(), String> {
        self.checks += 1;
        let stored = usize::try_from(offset.0 - 1).ok().and_then(|place| self.feeds[&tenant(number)].events.get(place));
        let event = stored.ok_or(format!("P1: tenant {number} is shown {offset}, which is not stored"))?;
        let other = (0..TENANTS).filter(|other| *other != number);
        let foreign = other.flat_map(|other| [format!("t{other}c"), business(other), tenant(other).to_string()]);
        for word in foreign {
            if frame.contains(&word) {
                return Err(format!("P9: tenant {number} is shown {word} at {offset}"));
            }
        }
        let (name, place) = (event.fact.name(), format!("\"offset\":{offset}"));
        if !frame.contains(name) || !frame.contains(&place) {
            return Err(format!("P3: tenant {number} is shown something else than {name} at {offset}"));
        }
        let speaks = matches!(&event.fact, Fact::NoteAdded(_));
        if speaks && !frame.contains(&format!("t{number}c")) {
            return Err(format!("P3: tenant {number} is shown {name} at {offset} without its text"));
        }
        Ok(())
    }
}

/// The day as carriers count it: Pacific time, which in November is UTC−8.
fn date(wall: Stamp) -> jiff::civil::Date {
    let at = Timestamp::from_microsecond(wall.0.cast_signed()).expect("it is in this century");
    at.to_zoned(TimeZone::fixed(jiff::tz::offset(-8))).date()
}

/// Whether a text has come to an end that somebody can see.
pub(super) fn has_ended(status: Status) -> bool {
    status.rank() >= Status::Unknown.rank()
}
