//! What came in while nobody listened: decided like any arrival, but what answers it is worth no more than it was then.

use schema::{
    command::{Command, LateArrival},
    event::{Author, Fact, Purpose, SkipReason, TextBackSkipped},
    problem::Code,
};

use super::{Decision, Draft, Inputs, VALIDITY_MIN, call};
use crate::{conversation::state::State, handle::Refusal};

pub(super) fn decide(state: &State, late: &LateArrival, inputs: &Inputs<'_>, by: &Author) -> Result<Decision, Refusal> {
    if !matches!(late.arrival, Command::Receive(_) | Command::Call(_)) {
        return Err(Refusal::rejected(Code::Invalid, "only what comes in can come in late"));
    }
    let mut decision = match &late.arrival {
        Command::Call(report) => call::of_late(state, report, inputs),
        arrival => super::decide(state, arrival, inputs, by)?,
    };
    let age = inputs.now.since(late.at);
    for draft in &mut decision.events {
        let Fact::MessageQueued(fact) = &mut draft.fact else { continue };
        let spent = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        fact.valid_until.0 = fact.valid_until.0.saturating_sub(spent);
        let useless = inputs.now.plus(VALIDITY_MIN) > fact.valid_until;
        if useless && fact.purpose == Purpose::TextBack {
            let skipped = TextBackSkipped { channel: fact.channel.clone(), reason: SkipReason::TooLate };
            // Not queued at all: it would count as this caller's text-back, and the next call would get none.
            *draft = Draft::from(skipped);
            decision.message = None;
        }
    }
    Ok(decision)
}
