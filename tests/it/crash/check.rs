//! What must be true afterwards: of the log, against what was acknowledged, what the carrier took and what was seen.

use std::collections::{BTreeMap, HashMap, HashSet};

use loadtest::carrier::Message;
use schema::message::Status;
use serde_json::Value;

use super::{follower::View, load::Ledger};

/// One outbound message as the log tells it.
struct Fate<'a> {
    text: &'a str,
    status: Status,
    claimed: Vec<u64>,
    /// The last status of each attempt.
    attempts: HashMap<u64, Status>,
}

/// Events as JSON, and what becomes of each message in them.
pub struct Log<'a> {
    events: &'a [Value],
    fates: BTreeMap<&'a str, Fate<'a>>,
    wrong: Vec<String>,
    /// How often a text's fate was not known.
    unknowns: usize,
}

impl<'a> Log<'a> {
    pub fn new(events: &'a [Value]) -> Self {
        let mut log = Self { events, fates: BTreeMap::new(), wrong: Vec::new(), unknowns: 0 };
        for event in events {
            let kind = event["type"].as_str().unwrap_or_default();
            if kind.starts_with("message.")
                && let Err(wrong) = log.fold(kind, event)
            {
                log.wrong.push(format!("{wrong}: {event}"));
            }
        }
        log
    }

    fn fold(&mut self, kind: &str, event: &'a Value) -> Result<(), &'static str> {
        let data = &event["data"];
        let (message, attempt) = (data["message"].as_str().unwrap_or_default(), data["attempt"].as_u64().unwrap_or(1));
        if kind == "message.queued" {
            let text = event["text"].as_str().unwrap_or_default();
            let fate = Fate { text, status: Status::Queued, claimed: Vec::new(), attempts: HashMap::new() };
            return self.fates.insert(message, fate).map_or(Ok(()), |_| Err("queued twice"));
        }
        if kind == "message.received" {
            return Ok(());
        }
        let fate = self.fates.get_mut(message).ok_or("never queued")?;
        let status = match kind {
            "message.claimed" => {
                if fate.status != Status::Queued || fate.claimed.iter().any(|claimed| *claimed >= attempt) {
                    return Err("claimed twice");
                }
                fate.claimed.push(attempt);
                Status::Claimed
            }
            "message.requeued" => Status::Queued,
            "message.status" => serde_json::from_value(data["status"].clone()).map_err(|_| "no status")?,
            _ => return Err("not expected here"),
        };
        self.unknowns += usize::from(status == Status::Unknown);
        fate.status = status;
        match fate.attempts.insert(attempt, status) {
            Some(before) if before.rank() >= status.rank() => Err("a status that does not move up"),
            _ => Ok(()),
        }
    }

    /// Whether nothing more is to come: every text that the carrier took has been told to be delivered, and no text is
    /// on its way to it.
    pub fn is_settled(&self, carrier: &[Message]) -> bool {
        let waits = |fate: &Fate<'_>| matches!(fate.status, Status::Queued | Status::Claimed | Status::Sent);
        let told = |taken: &Taken<'_>| self.fates.get(&*taken.id).is_some_and(|fate| fate.status == Status::Delivered);
        !self.fates.values().any(waits) && taken(carrier).iter().all(told)
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["type"] == kind)
    }

    /// Events of a kind by the carrier's id.
    fn by_carrier_id(&self, kind: &str, wrong: &mut Vec<String>) -> HashMap<&'a str, &'a Value> {
        let mut found = HashMap::new();
        for event in self.of_kind(kind) {
            let id = event["data"]["carrier_id"].as_str().unwrap_or_default();
            if found.insert(id, event).is_some() {
                wrong.push(format!("twice: {event}"));
            }
        }
        found
    }
}

/// A text that the carrier took, by our ids in its callback's URL.
struct Taken<'a> {
    id: String,
    attempt: u64,
    to: &'a str,
    body: &'a str,
}

fn taken(carrier: &[Message]) -> Vec<Taken<'_>> {
    let outgoing = carrier.iter().filter(|message| !message.inbound);
    let taken = outgoing.map(|message| {
        let callback = message.callback.as_deref().unwrap_or_default();
        let query = callback.split_once('?').map_or("", |(_, rest)| rest.split('#').next().unwrap_or_default());
        let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let attempt = query["a"].parse().expect("an attempt in the callback's URL");
        Taken { id: query["m"].clone(), attempt, to: &message.to, body: &message.body }
    });
    taken.collect()
}

/// Everything that was written down.
pub struct Evidence<'a> {
    pub log: Log<'a>,
    pub ledger: &'a Ledger,
    pub carrier: &'a [Message],
}

impl Evidence<'_> {
    pub fn summary(&self) -> String {
        let Ledger { texts, calls, sent, .. } = self.ledger;
        format!(
            "{} events; acknowledged: {} texts, {} calls, {} answers; {} texts taken by the carrier, {} times unknown",
            self.log.events.len(),
            texts.lock().unwrap().len(),
            calls.lock().unwrap().len(),
            sent.lock().unwrap().len(),
            taken(self.carrier).len(),
            self.log.unknowns,
        )
    }

    /// Whether a kill came between a claim and its answer, and nothing else settled the text first.
    pub fn has_unknowns(&self) -> bool {
        self.log.unknowns > 0
    }

    /// Everything that is not as promised.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = self.log.wrong.clone();
        wrong.extend(self.ledger.wrong.lock().unwrap().iter().cloned());
        let offsets = self.log.events.iter().map(|event| event["offset"].as_u64());
        if let Some((at, found)) = (1_u64..).zip(offsets).find(|(at, found)| *found != Some(*at)) {
            wrong.push(format!("offset {found:?} stands where {at} should"));
        }
        self.texts(&mut wrong);
        self.calls(&mut wrong);
        self.sent(&mut wrong);
        self.taken(&mut wrong);
        wrong
    }

    /// Every text that was acknowledged is there once, as it was, and each contact's in their order.
    fn texts(&self, wrong: &mut Vec<String>) {
        let received = self.log.by_carrier_id("message.received", wrong);
        let mut last: HashMap<&str, u64> = HashMap::new();
        for text in self.ledger.texts.lock().unwrap().iter() {
            let Some(event) = received.get(&*text.sid) else {
                wrong.push(format!("lost: {}", text.sid));
                continue;
            };
            let offset = event["offset"].as_u64().unwrap_or_default();
            let before = last.insert(&text.contact, offset).unwrap_or_default();
            if event["text"] != *text.body || before > offset {
                wrong.push(format!("{} at {offset}, after {before}: {event}", text.sid));
            }
        }
    }

    /// Every call that was acknowledged is there once; every caller has one text.
    fn calls(&self, wrong: &mut Vec<String>) {
        let missed = self.log.by_carrier_id("call.missed", wrong);
        let calls = self.ledger.calls.lock().unwrap();
        let lost = calls.iter().filter(|(sid, _)| !missed.contains_key(&**sid));
        wrong.extend(lost.map(|(sid, _)| format!("lost: {sid}")));
        let mut callers: HashMap<&str, usize> = HashMap::new();
        for event in missed.values() {
            callers.entry(event["conversation"].as_str().unwrap_or_default()).or_default();
        }
        let text_backs = self.log.of_kind("message.queued").filter(|event| event["data"]["purpose"] == "text_back");
        for event in text_backs {
            *callers.entry(event["conversation"].as_str().unwrap_or_default()).or_default() += 1;
        }
        let not_one = callers.iter().filter(|(_, texts)| **texts != 1);
        wrong.extend(not_one.map(|(caller, texts)| format!("{texts} text-backs in conversation {caller}")));
    }

    /// Every answer that was acknowledged is the message that its reply names, and there is no other of its text.
    fn sent(&self, wrong: &mut Vec<String>) {
        let mut by_text: HashMap<&str, Vec<&str>> = HashMap::new();
        for (id, fate) in &self.log.fates {
            by_text.entry(fate.text).or_default().push(*id);
        }
        let taken: HashMap<_, _> = taken(self.carrier).into_iter().map(|taken| (taken.id, taken.to)).collect();
        for sent in self.ledger.sent.lock().unwrap().iter() {
            let message = sent.reply["message"].as_str().unwrap_or_default();
            let queued = by_text.get(&*sent.text).map_or(&[][..], Vec::as_slice);
            if queued != [message] || taken.get(message).is_some_and(|to| *to != sent.to) {
                wrong.push(format!("{:?} was acknowledged as {message}, and is {queued:?}", sent.text));
            }
        }
    }

    /// Nothing was taken twice, or without a claim; everything has an end, and the one that the carrier knows.
    fn taken(&self, wrong: &mut Vec<String>) {
        let mut ids = HashSet::new();
        for taken in taken(self.carrier) {
            let Taken { id, attempt, body, .. } = taken;
            let fate = self.log.fates.get(&*id);
            if fate.is_none_or(|fate| !fate.claimed.contains(&attempt) || fate.text != body) {
                wrong.push(format!("sent without a claim: message {id}, attempt {attempt}"));
            }
            if let Some(fate) = fate.filter(|fate| fate.status != Status::Delivered) {
                wrong.push(format!("message {id} was delivered, and is {:?}", fate.status));
            }
            if !ids.insert(id.clone()) {
                wrong.push(format!("taken twice: message {id}"));
            }
        }
        for (id, fate) in self.log.fates.iter().filter(|(id, _)| !ids.contains(**id)) {
            if fate.status != Status::Unknown {
                wrong.push(format!("message {id} never reached the carrier, and is {:?}", fate.status));
            }
        }
    }
}

/// What a client saw is the log, from where it began: no gap, no repetition, nothing else.
pub fn view(view: &View, log: &[Value], kills: usize) -> Vec<String> {
    let mut wrong = view.wrong.clone();
    let began = usize::try_from(view.began()).unwrap();
    let expected = log.get(began..).unwrap_or_default();
    if view.events.len() != expected.len() {
        let (seen, next) = (view.events.len(), expected.get(view.events.len()));
        wrong.push(format!("a client saw {seen} events of {}; not {next:?}", expected.len()));
    }
    let differing = view.events.iter().zip(expected).find(|(seen, kept)| seen != kept);
    wrong.extend(differing.map(|(seen, kept)| format!("a client saw {seen}, the log has {kept}")));
    if view.resumed < kills {
        wrong.push(format!("a client came back {} times only", view.resumed));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(offset: u64, kind: &str, data: &Value) -> Value {
        json!({"offset": offset, "type": format!("message.{kind}"), "data": data, "text": "hello"})
    }

    fn life(steps: &[(&str, Value)]) -> Vec<Value> {
        (1..).zip(steps).map(|(offset, (kind, data))| event(offset, kind, data)).collect()
    }

    fn status(attempt: u64, status: &str) -> (&'static str, Value) {
        ("status", json!({"message": "m", "attempt": attempt, "status": status}))
    }

    fn queued() -> (&'static str, Value) {
        ("queued", json!({"message": "m"}))
    }

    fn claimed(attempt: u64) -> (&'static str, Value) {
        ("claimed", json!({"message": "m", "attempt": attempt}))
    }

    fn taken_by_carrier(callback: &str) -> Message {
        let message = json!({"sid": "SM1", "account": "AC", "from": "+1", "to": "+2", "body": "hello", "media": [],
            "segments": 1, "status": "delivered", "error": null, "inbound": false, "created_us": 1, "sent_us": 1,
            "updated_us": 1, "callback": callback});
        serde_json::from_value(message).unwrap()
    }

    fn wrong(steps: &[(&str, Value)], carrier: &[Message]) -> String {
        let events = life(steps);
        let evidence = Evidence { log: Log::new(&events), ledger: &Ledger::default(), carrier };
        evidence.wrong().join("\n")
    }

    #[test]
    fn planted_faults_of_the_log_are_found() {
        let carrier = [taken_by_carrier("http://e/status?c=c&m=m&a=1#rc=5")];
        let good = [queued(), claimed(1), status(1, "unknown"), status(1, "delivered")];
        assert_eq!(wrong(&good, &carrier), "");
        let twice = [carrier[0].clone(), carrier[0].clone()];
        assert!(wrong(&good, &twice).contains("taken twice"));
        assert!(wrong(&good[..3], &carrier).contains("was delivered, and is Unknown"));
        assert!(wrong(&[queued(), status(1, "delivered")], &carrier).contains("without a claim"));
        assert!(wrong(&[queued(), claimed(1), claimed(1)], &[]).contains("claimed twice"));
        assert!(wrong(&[queued(), queued()], &[]).contains("queued twice"));
        let backwards = [queued(), claimed(1), status(1, "delivered"), status(1, "sent")];
        assert!(wrong(&backwards, &carrier).contains("does not move up"));
    }

    #[test]
    fn a_view_with_a_gap_is_found() {
        let log = life(&[queued(), claimed(1), status(1, "sent")]);
        let seen = |events: &[Value]| {
            let mut seen = View::default();
            (seen.events, seen.resumed) = (events.to_vec(), 3);
            view(&seen, &log, 3)
        };
        assert!(seen(&log).is_empty());
        assert!(!seen(&log[..2]).is_empty());
        assert!(!seen(&[log[0].clone(), log[2].clone(), log[1].clone()]).is_empty());
    }
}
