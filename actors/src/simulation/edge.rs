//! The network edge: contacts' texts and calls as webhooks, operators' requests, status callbacks; each repeated, late,
//! out of order, given up and made again. What was answered goes to the judge.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use schema::{
    command::{
        AddNote, CallOutcome, CallReport, Command, ConversationRef, MessageRef, ReceiveMessage, Recipient, Reply,
        Request, SendMessage, Setting, Snooze,
    },
    event::{Author, Origin, Via},
    ids::{ChannelId, OperatorId, RequestId},
    pause::{Pause, PauseScope},
    time::Stamp,
};

use super::{
    carrier::past,
    plan::{CONTACTS, TENANTS, contact, line, mark, tenant},
    world::{Happening, State, World},
};
use crate::{engine::Engine, handle::Refusal, ports::PastArrival};

/// Longest wait of anybody for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often an operator asks the same again.
const ASKS: u32 = 6;

/// Requests under way, each with the life that it was made to.
type Open = BTreeMap<u64, (u32, Happening)>;

/// What came in, what was asked, and what of it was answered.
#[derive(Default)]
pub(super) struct Net {
    pub(super) arrivals: Vec<Arrival>,
    pub(super) asked: Vec<Ask>,
    words: u64,
    /// What no answer has come for: if the machine dies, none will.
    open: Open,
    opened: u64,
}

/// Something that a contact did.
pub(super) struct Arrival {
    pub(super) tenant: usize,
    /// By the carrier's clock.
    pub(super) at: Stamp,
    pub(super) command: Command,
    tries: u32,
}

/// Something that an operator wants.
pub(super) struct Ask {
    pub(super) tenant: usize,
    pub(super) command: Command,
    key: String,
    tries: u32,
    done: bool,
}

impl Net {
    /// What the carrier's list says of a line.
    pub(super) fn past(&self, channel: &ChannelId, since: Stamp, until: Stamp) -> Vec<PastArrival> {
        let listed = self.arrivals.iter().filter(|arrival| line(arrival.tenant) == *channel);
        let listed = listed.filter(|arrival| (since..=until).contains(&arrival.at));
        listed.map(|arrival| past(arrival.at, of_list(&arrival.command))).collect()
    }
}

/// Lists know calls by how they ended.
fn of_list(command: &Command) -> Command {
    match command {
        Command::Call(call) => Command::Call(CallReport { outcome: CallOutcome::Missed, ..call.clone() }),
        command => command.clone(),
    }
}

impl State {
    /// Contacts and operators do something.
    pub(super) fn act(&mut self) {
        for _ in 0..=self.dice.below(3) {
            let (tenant, contact) = (self.dice.index(TENANTS), self.dice.index(CONTACTS));
            match self.dice.below(20) {
                0..=5 => self.contact_writes(tenant, contact),
                6..=8 => self.contact_calls(tenant, contact),
                9..=14 => self.operator_writes(tenant, contact),
                15 => self.again(),
                _ => self.operator_acts(tenant, contact),
            }
        }
        if self.plan.clock_steps && self.dice.permille(20) {
            let seconds = self.dice.below(601).cast_signed() - 300;
            self.step_clock(seconds);
        }
    }

    fn words(&mut self, tenant: usize, contact: usize) -> String {
        self.net.words += 1;
        format!("{}{} hello", mark(tenant, contact), self.net.words)
    }

    fn contact_writes(&mut self, tenant: usize, number: usize) {
        let text = match self.dice.below(20) {
            0..=2 => "STOP".to_owned(),
            3..=4 => "START".to_owned(),
            5 => "HELP".to_owned(),
            6 => "please stop texting me".to_owned(),
            _ => self.words(tenant, number),
        };
        let message = ReceiveMessage {
            channel: line(tenant),
            from: contact(number),
            carrier_id: format!("IN{}", self.net.arrivals.len()),
            text,
            media: Vec::new(),
            segments: 1,
            carrier_keyword: None,
        };
        self.arrives(tenant, Command::Receive(message));
    }

    fn contact_calls(&mut self, tenant: usize, number: usize) {
        // Line 0 gets calls that nobody took; line 1 rings, and the verdict may be late or never come.
        let outcome = match (tenant, self.dice.below(3)) {
            (0, 0) => CallOutcome::Begun,
            (0, _) | (_, 0) => CallOutcome::Missed,
            (_, 1) => CallOutcome::Ended { duration_s: Some(2) },
            _ => CallOutcome::Ended { duration_s: Some(60) },
        };
        let carrier_id = format!("CA{}", self.net.arrivals.len());
        let (channel, from) = (line(tenant), contact(number));
        self.arrives(tenant, Command::Call(CallReport { channel, from, carrier_id, outcome, name: None }));
    }

    fn arrives(&mut self, tenant: usize, command: Command) {
        let (index, at) = (self.net.arrivals.len(), self.true_wall());
        self.net.arrivals.push(Arrival { tenant, at, command, tries: 0 });
        let trouble = self.plan.webhook_trouble;
        let mut deliveries = 1;
        if self.dice.permille(trouble) {
            // None: the carrier's list alone tells.
            deliveries = self.dice.below(4);
        }
        for _ in 0..deliveries {
            let most_ms = if self.dice.permille(trouble) { 4_000 } else { 50 };
            let wait = self.dice.delay(most_ms);
            self.plan_in(wait, Happening::Deliver(index));
        }
    }

    fn operator_writes(&mut self, tenant: usize, number: usize) {
        let text = self.words(tenant, number);
        let known = self.model.conversation_of(tenant, number);
        let to = match known {
            Some(conversation) if self.dice.permille(700) => Recipient::Conversation(conversation),
            _ => Recipient::Address(contact(number)),
        };
        self.asks(tenant, Command::Send(SendMessage { to, channel: Some(line(tenant)), text }));
    }

    fn asks(&mut self, tenant: usize, command: Command) {
        let index = self.net.asked.len();
        let key = format!("key-{index}");
        self.net.asked.push(Ask { tenant, command, key, tries: 0, done: false });
        self.plan_in(Duration::ZERO, Happening::Ask(index));
        if self.dice.permille(150) {
            let wait = self.dice.delay(3_000);
            self.plan_in(wait, Happening::Ask(index));
        }
    }

    fn operator_acts(&mut self, tenant: usize, number: usize) {
        let Some(conversation) = self.model.conversation_of(tenant, number) else { return };
        let reference = ConversationRef { conversation };
        let some_text = self.model.some_text(tenant, &mut self.dice);
        let command = match (self.dice.below(12), some_text) {
            (0..=1, _) => Command::Note(AddNote { conversation, text: self.words(tenant, number) }),
            (2..=4, _) => {
                let until = self.wall().plus(self.dice.between(Duration::from_secs(1), Duration::from_secs(30)));
                Command::Snooze(Snooze { conversation, until })
            }
            (5, _) => Command::Resolve(reference),
            (6, _) => Command::Reopen(reference),
            (7, _) if self.dice.permille(300) => Command::OptOut(reference),
            (8, Some((conversation, message))) => Command::Cancel(MessageRef { conversation, message }),
            (9, Some((conversation, message))) => Command::Retry(MessageRef { conversation, message }),
            (10, _) => {
                let pause = [Pause::None, Pause::None, Pause::Automatic, Pause::All][self.dice.index(4)];
                Command::Configure(Setting::Pause(PauseScope::Line(line(tenant)), pause))
            }
            _ => return,
        };
        self.asks(tenant, command);
    }

    /// Something that was told, or asked, long ago comes again.
    fn again(&mut self) {
        if !self.net.arrivals.is_empty() && self.dice.permille(500) {
            let index = self.dice.index(self.net.arrivals.len());
            self.plan_in(Duration::ZERO, Happening::Deliver(index));
        } else if !self.net.asked.is_empty() {
            let index = self.dice.index(self.net.asked.len());
            self.plan_in(Duration::ZERO, Happening::Ask(index));
        }
    }

    /// The machine died: nobody gets an answer from it any more.
    pub(super) fn hang_up(&mut self, life: u32) {
        let open = std::mem::take(&mut self.net.open).into_iter();
        let (gone, open): (Open, Open) = open.partition(|(_, (of, _))| *of == life);
        self.net.open = open;
        for (_, what) in gone.into_values() {
            self.unanswered(what);
        }
    }

    /// Carriers try once more or not at all, operators again and again.
    fn unanswered(&mut self, what: Happening) {
        let again = match what {
            Happening::Deliver(index) => {
                let tries = &mut self.net.arrivals[index].tries;
                *tries += 1;
                *tries <= 1 && self.dice.permille(500)
            }
            Happening::Ask(index) => {
                let ask = &mut self.net.asked[index];
                ask.tries += 1;
                !ask.done && ask.tries <= ASKS
            }
            _ => self.dice.permille(300),
        };
        if again {
            let wait = self.dice.between(Duration::from_millis(200), Duration::from_secs(4));
            self.plan_in(wait, what);
        }
    }

    fn request(&mut self, what: Happening) -> (usize, Request) {
        let (tenant, command, by, via, key) = match what {
            Happening::Deliver(index) => {
                let arrival = &self.net.arrivals[index];
                (arrival.tenant, arrival.command.clone(), Author::Contact, Via::Webhook, None)
            }
            Happening::Ask(index) => {
                let ask = &self.net.asked[index];
                let operator = OperatorId::new("ana").expect("a slug");
                (ask.tenant, ask.command.clone(), Author::Operator(operator), Via::Rest, Some(ask.key.clone()))
            }
            Happening::Report(index) => {
                let report = self.books.reports[index].clone();
                (report.tenant, Command::Receipt(report.report), Author::Carrier, Via::Webhook, None)
            }
            other => unreachable!("{other:?} asks for nothing"),
        };
        let request = RequestId(self.uuid());
        (tenant, Request { command, origin: Origin { by, via, request }, key })
    }

    fn answered(&mut self, what: Happening, answer: &Result<Reply, Refusal>) -> Result<(), String> {
        match (what, answer) {
            (Happening::Deliver(index), Ok(reply)) => {
                let arrival = &self.net.arrivals[index];
                self.model.arrival_acked(arrival.tenant, &arrival.command, reply)
            }
            (Happening::Ask(index), Ok(reply)) => {
                let ask = &mut self.net.asked[index];
                ask.done = true;
                self.model.ask_acked(ask.tenant, index, &ask.command, reply)
            }
            (Happening::Report(index), Ok(reply)) => {
                let report = &self.books.reports[index];
                self.model.report_acked(report.tenant, &report.report, reply)
            }
            (Happening::Ask(index), Err(Refusal::Rejected { .. })) => {
                self.net.asked[index].done = true;
                Ok(())
            }
            (_, Err(Refusal::Rejected { .. })) => Ok(()),
            _ => {
                self.unanswered(what);
                Ok(())
            }
        }
    }
}

/// Makes one request and brings its answer back, unless somebody gives up before.
pub(super) async fn make(world: Arc<World>, life: u32, engine: Engine, what: Happening) {
    let (number, tenant, request, patience) = {
        let state = &mut *world.state();
        let (tenant_number, request) = state.request(what);
        state.net.opened += 1;
        let number = state.net.opened;
        state.net.open.insert(number, (life, what));
        let gives_up = !state.calm && state.dice.permille(50);
        let patience = if gives_up { state.dice.delay(500) } else { PATIENCE };
        (number, tenant(tenant_number), request, patience)
    };
    world.step(life, "request is under way", 20).await;
    let answer = tokio::time::timeout(patience, engine.submit(&tenant, request)).await;
    let answer = answer.unwrap_or_else(|_| Err(Refusal::unavailable("nobody waits any more")));
    if !world.state().is_up(life) {
        return;
    }
    world.with(|state| {
        let told = answer.as_ref().map(|reply| reply.offset.0).map_err(ToString::to_string);
        state.note(format_args!("{what:?} is answered: {told:?}"));
        state.net.open.remove(&number);
        state.answered(what, &answer)
    });
}
