//! Reads events and judges them: which texts are there, once and in order, and that no status moves back.
//! The same reading is made of what operators saw and of the log itself.

use std::{borrow::Cow, collections::HashMap};

use schema::message::Status;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    findings::{Findings, Kind},
    ledger::{Ledger, Promise},
    mark::Mark,
    runs::Runs,
    statuses::Statuses,
};

/// What an event says, as far as the verdict needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A contact's text or missed call, with its mark if it is one of ours.
    Received(Option<Mark>),
    /// A text to a contact: its message, and the mark if an operator of ours wrote it.
    Queued(u128, Option<Mark>),
    /// An attempt of a message has a status.
    Step(u128, u16, Status),
    /// Only admins see it.
    Setting,
    /// Viewers do not see it.
    Note,
    /// Anything else.
    Other,
    /// Not for this role.
    Hidden,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its offset as the event itself says; hidden ones say nothing.
    pub offset: Option<u64>,
    /// What it says.
    pub said: Said,
}

#[derive(Deserialize)]
struct Raw<'a> {
    offset: Option<u64>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    message: Option<uuid::Uuid>,
    #[serde(borrow)]
    carrier_id: Option<Cow<'a, str>>,
    attempt: Option<u16>,
    status: Option<Status>,
}

impl Event {
    /// Reads an event's JSON; none: it is no event.
    pub fn parse(json: &str) -> Option<Self> {
        let raw: Raw<'_> = serde_json::from_str(json).ok()?;
        let said = match &*raw.kind {
            "hidden" => Said::Hidden,
            "note.added" => Said::Note,
            kind if is_setting(kind) => Said::Setting,
            "message.received" | "call.missed" => {
                Said::Received(raw.body()?.carrier_id.as_deref().and_then(Mark::of_sid))
            }
            "message.queued" => {
                let mark = raw.text.as_deref().and_then(Mark::of_text);
                Said::Queued(raw.body()?.message?.as_u128(), mark)
            }
            "message.claimed" => raw.step(Some(Status::Claimed))?,
            "message.requeued" => raw.step(Some(Status::Queued))?,
            "message.status" => raw.step(None)?,
            _ => Said::Other,
        };
        Some(Self { offset: raw.offset, said })
    }
}

impl Raw<'_> {
    fn body(&self) -> Option<Body<'_>> {
        serde_json::from_str(self.data?.get()).ok()
    }

    fn step(&self, status: Option<Status>) -> Option<Said> {
        let body = self.body()?;
        Some(Said::Step(body.message?.as_u128(), body.attempt.unwrap_or(1), status.or(body.status)?))
    }
}

/// Settings and the directory's own events.
fn is_setting(kind: &str) -> bool {
    kind == "feed.taken"
        || kind.starts_with("directory.")
        || (kind.starts_with("settings.") && kind != "settings.template")
}

/// What one sender's texts look like in the log.
#[derive(Debug, Default)]
struct Lane {
    /// The number after the last.
    next: u64,
    /// Numbers that are not there.
    skipped: Runs,
    /// Of the events that replies named.
    sum: u64,
}

/// A reading of one tenant's events, from the first on.
#[derive(Debug)]
pub struct Reading {
    run: u32,
    tenant: u16,
    lanes: HashMap<u16, Lane>,
    statuses: Statuses,
    /// Texts and replies of ours.
    texts: u64,
}

impl Reading {
    /// Of a tenant's events in a run.
    pub fn new(run: u32, tenant: u16) -> Self {
        Self { run, tenant, lanes: HashMap::new(), statuses: Statuses::default(), texts: 0 }
    }

    /// The next event. `who` says whose reading it is.
    pub fn event(&mut self, offset: u64, said: &Said, ledger: &Ledger, findings: &Findings, who: &str) -> Option<Mark> {
        match said {
            Said::Received(mark) => {
                let Some(mark) = mark else {
                    findings
                        .add(Kind::Unsent, || format!("{who}: offset {offset} holds a text or call that nobody made"));
                    return None;
                };
                self.text(*mark, None, ledger, findings, who)
            }
            Said::Queued(message, mark) => {
                if !self.statuses.queued(*message) {
                    findings.add(Kind::Twice, || format!("{who}: offset {offset} queues a message a second time"));
                }
                let promise = Promise { offset, message: *message };
                mark.and_then(|mark| self.text(mark, Some(promise), ledger, findings, who))
            }
            Said::Step(message, attempt, status) => {
                if let Err(before) = self.statuses.step(*message, *attempt, *status) {
                    findings.add(Kind::StatusBack, || {
                        let message = uuid::Uuid::from_u128(*message);
                        format!("{who}: offset {offset}: message {message} goes from rank {before} to {status:?}")
                    });
                }
                None
            }
            Said::Setting | Said::Note | Said::Other | Said::Hidden => None,
        }
    }

    fn text(
        &mut self,
        mark: Mark,
        promise: Option<Promise>,
        ledger: &Ledger,
        findings: &Findings,
        who: &str,
    ) -> Option<Mark> {
        if mark.run != self.run || mark.tenant != self.tenant {
            findings.add(Kind::Foreign, || format!("{who}: a text of tenant {} of run {:08x}", mark.tenant, mark.run));
            return None;
        }
        let is_acked = ledger.is_acked(&mark);
        let lane = self.lanes.entry(mark.lane).or_default();
        let named = || format!("{who}: text {} of sender {:04x}", mark.number, mark.lane);
        if mark.number >= lane.next {
            if mark.number > lane.next {
                lane.skipped.insert_all(lane.next, mark.number - 1);
            }
            lane.next = mark.number + 1;
        } else if !lane.skipped.remove(mark.number) {
            findings.add(Kind::Twice, named);
            return None;
        } else if is_acked {
            findings.add(Kind::Disordered, named);
        }
        self.texts += 1;
        if is_acked {
            lane.sum = lane.sum.wrapping_add(promise.map_or(0, |promise| promise.term(mark.number)));
        }
        Some(mark)
    }

    /// Everything acknowledged must be there, and be what the replies said. What is missing was lost, or not seen.
    pub fn compare(&self, ledger: &Ledger, missing_is: Kind, findings: &Findings, who: &str) {
        let none = Lane::default();
        for (id, begun, refused, sum) in ledger.lanes() {
            let lane = self.lanes.get(&id).unwrap_or(&none);
            let mut missing = lane.skipped.clone();
            if lane.next < begun {
                missing.insert_all(lane.next, begun - 1);
            }
            let (lost, first) = missing.beyond(refused);
            if let Some(first) = first {
                findings.add_many(missing_is, lost, || format!("{who}: {lost} of sender {id:04x}, the first {first}"));
            }
            if lost == 0 && lane.sum != sum {
                findings.add(Kind::OtherReply, || {
                    format!("{who}: replies to sender {id:04x} name other events than there are")
                });
            }
        }
    }

    /// Texts and replies of ours so far.
    pub fn texts(&self) -> u64 {
        self.texts
    }

    /// Statuses.
    pub fn statuses(&self) -> &Statuses {
        &self.statuses
    }

    /// Bytes it holds, about.
    pub fn bytes(&self) -> usize {
        let runs: usize = self.lanes.values().map(|lane| lane.skipped.runs()).sum();
        self.lanes.capacity() * size_of::<(u16, Lane)>() + runs * 48 + self.statuses.bytes()
    }
}
