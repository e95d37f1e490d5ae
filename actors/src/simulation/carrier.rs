//! The carrier: takes texts, refuses some, loses answers, reports in any order and more than once, and remembers.

use std::{future::pending, sync::Arc};

use async_trait::async_trait;
use schema::{
    command::{Command, DeliveryReport, SendOutcome},
    ids::ChannelId,
    message::{CarrierError, ErrorClass, Status},
    time::Stamp,
};

use super::{
    plan::{TENANTS, line},
    world::{Happening, State, World},
};
use crate::ports::{Carrier, History, HistoryQuery, ListError, ListedText, LookUp, OutgoingText};

/// What the carrier knows.
#[derive(Default)]
pub(super) struct Books {
    taken: Vec<Taken>,
    pub(super) reports: Vec<Report>,
}

struct Taken {
    from: String,
    to: String,
    listed: ListedText,
}

/// A status callback.
#[derive(Clone)]
pub(super) struct Report {
    pub(super) tenant: usize,
    pub(super) report: DeliveryReport,
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Accepted,
    NotReached,
    TooFast,
    Refused,
    /// Taken, or not; and nobody learns of it: at once, or by silence.
    Unknown {
        taken: bool,
        silent: bool,
    },
}

impl State {
    fn fate(&mut self) -> Fate {
        let trouble = self.plan.carrier_trouble;
        if self.calm || !self.dice.permille(trouble) {
            return Fate::Accepted;
        }
        match self.dice.below(10) {
            0 => Fate::NotReached,
            1 | 2 => Fate::TooFast,
            3 => Fate::Refused,
            4 | 5 => Fate::Unknown { taken: true, silent: false },
            6 => Fate::Unknown { taken: true, silent: true },
            7 => Fate::Unknown { taken: false, silent: false },
            8 => Fate::Unknown { taken: false, silent: true },
            _ => Fate::Accepted,
        }
    }

    fn take(&mut self, text: &OutgoingText) -> String {
        let carrier_id = format!("SM{}", self.books.taken.len());
        let listed = ListedText {
            carrier_id: carrier_id.clone(),
            taken: self.true_wall(),
            text: text.text.clone(),
            media: text.media.len(),
            status: Status::Sent,
            error: None,
        };
        self.books.taken.push(Taken { from: text.from.clone(), to: text.to.as_str().to_owned(), listed });
        self.report(text, &carrier_id);
        carrier_id
    }

    /// What the carrier will tell of a text, in no order.
    fn report(&mut self, text: &OutgoingText, carrier_id: &str) {
        let failed = |code, class| (Status::Failed, Some(CarrierError { code, class }));
        let fate = match self.dice.below(20) {
            0..=1 => vec![(Status::Sent, None), failed(30003, ErrorClass::Transient)],
            2 => vec![(Status::Sent, None), failed(30008, ErrorClass::Ambiguous)],
            3 => vec![(Status::Sent, None)],
            4..=5 => vec![(Status::Sent, None), (Status::Delivered, None), (Status::Read, None)],
            _ => vec![(Status::Sent, None), (Status::Delivered, None)],
        };
        let tenant = tenant_of(&text.channel);
        for (status, error) in fate {
            let report = DeliveryReport {
                conversation: text.conversation,
                message: text.message,
                attempt: text.attempt,
                channel: Some(text.channel.clone()),
                carrier_id: carrier_id.to_owned(),
                status,
                error,
            };
            let index = self.books.reports.len();
            self.books.reports.push(Report { tenant, report });
            for _ in 0..=u8::from(self.dice.permille(200)) {
                let wait = self.dice.delay(6_000);
                self.plan_in(wait, Happening::Report(index));
            }
        }
    }
}

fn tenant_of(channel: &ChannelId) -> usize {
    (0..TENANTS).find(|number| line(*number) == *channel).expect("every line is a tenant's")
}

/// The carrier as one life sees it.
pub(super) struct SimulatedCarrier {
    pub(super) world: Arc<World>,
    pub(super) life: u32,
}

#[async_trait]
impl Carrier for SimulatedCarrier {
    async fn send(&self, text: OutgoingText) -> SendOutcome {
        self.world.moves(self.life).await;
        // The first byte leaves now.
        let fate = self.world.with(|state| {
            if !state.is_up(self.life) {
                return Ok(None);
            }
            state.note(format_args!("{} leaves, attempt {}", text.message, text.attempt));
            state.depart(self.life, &text)?;
            Ok(Some(state.fate()))
        });
        let Some(Some(fate)) = fate else { return pending().await };
        self.world.step(self.life, "text is under way", 300).await;
        let taken = matches!(fate, Fate::Accepted | Fate::Unknown { taken: true, .. });
        let carrier_id = {
            let state = &mut *self.world.state();
            state.note(format_args!("{} meets {fate:?}", text.message));
            let carrier_id = taken.then(|| state.take(&text));
            state.model.met(text.message, text.attempt, taken);
            carrier_id
        };
        self.world.step(self.life, "carrier's answer", 500).await;
        let outcome = match (fate, carrier_id) {
            (Fate::Accepted, Some(carrier_id)) => SendOutcome::Accepted { carrier_id },
            (Fate::NotReached, _) => SendOutcome::NotSent { retry_after_s: None },
            (Fate::TooFast, _) => SendOutcome::NotSent { retry_after_s: Some(1) },
            (Fate::Refused, _) => SendOutcome::Refused(CarrierError { code: 30007, class: ErrorClass::Policy }),
            (Fate::Unknown { silent: true, .. }, _) => pending().await,
            _ => SendOutcome::Unknown,
        };
        self.world.state().model.answered(text.message, text.attempt, &outcome);
        outcome
    }

    async fn look_up(&self, query: LookUp) -> Result<Vec<ListedText>, ListError> {
        self.world.step(self.life, "texts are listed", 300).await;
        let state = &mut *self.world.state();
        if state.list_fails() {
            return Err(ListError::unavailable("as the seed has it"));
        }
        let wanted = |taken: &&Taken| {
            let (from, to) = (taken.from == query.from, taken.to == query.to.as_str());
            from && to && (query.since..=query.until).contains(&taken.listed.taken)
        };
        Ok(state.books.taken.iter().filter(wanted).map(|taken| taken.listed.clone()).collect())
    }

    async fn history(&self, query: HistoryQuery) -> Result<History, ListError> {
        self.world.step(self.life, "arrivals are listed", 300).await;
        let state = &mut *self.world.state();
        if state.list_fails() {
            return Err(ListError::unavailable("as the seed has it"));
        }
        let arrivals = state.net.past(&query.channel, query.since, query.until);
        Ok(History { arrivals, complete: true, requests: 1 })
    }
}

impl State {
    fn list_fails(&mut self) -> bool {
        let trouble = self.plan.carrier_trouble / 2;
        !self.calm && self.dice.permille(trouble)
    }

    /// The judge looks at a text at the moment it leaves.
    fn depart(&mut self, life: u32, text: &OutgoingText) -> Result<(), String> {
        let (now, wall, true_wall) = (self.now(), self.wall_of(life), self.true_wall());
        self.model.departs(text, now, wall, true_wall)
    }
}

/// A command that came in, as the carrier's list has it.
pub(super) fn past(at: Stamp, command: Command) -> crate::ports::PastArrival {
    crate::ports::PastArrival { at, command }
}
