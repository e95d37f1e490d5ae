//! A carrier that remembers what it was given and answers as it was told.

use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;
use schema::command::SendOutcome;

use super::{gate::Gate, lock};
use crate::ports::{Carrier, History, HistoryQuery, ListError, ListedText, LookUp, OutgoingText, PastArrival};

/// Accepts everything, unless told otherwise.
#[derive(Debug, Default)]
pub struct RecordingCarrier {
    state: Mutex<State>,
    gate: Gate,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<OutgoingText>,
    script: VecDeque<SendOutcome>,
    listed: Option<Vec<ListedText>>,
    history: Option<Vec<PastArrival>>,
    asked: Vec<LookUp>,
}

impl RecordingCarrier {
    /// The next call that has no answer yet gets this one; calls beyond the script are accepted as `SM1`, `SM2`, …
    pub fn answer(&self, outcome: SendOutcome) {
        lock(&self.state).script.push_back(outcome);
    }

    /// From here on it has a list of texts, and this is it.
    pub fn list(&self, texts: Vec<ListedText>) {
        lock(&self.state).listed = Some(texts);
    }

    /// From here on it has a list of arrivals, and this is it.
    pub fn remember(&self, arrivals: Vec<PastArrival>) {
        lock(&self.state).history = Some(arrivals);
    }

    /// Every question for its list of texts.
    pub fn asked(&self) -> Vec<LookUp> {
        lock(&self.state).asked.clone()
    }

    /// Everything it was given, in order.
    pub fn sent(&self) -> Vec<OutgoingText> {
        lock(&self.state).sent.clone()
    }

    /// From here on calls are recorded and wait for [`Self::release`].
    pub fn hold(&self) {
        self.gate.close();
    }

    /// Lets the waiting and all later calls go on.
    pub fn release(&self) {
        self.gate.open();
    }

    /// How many calls wait.
    pub fn waiting(&self) -> usize {
        self.gate.waiting()
    }
}

#[async_trait]
impl Carrier for RecordingCarrier {
    async fn send(&self, text: OutgoingText) -> SendOutcome {
        let outcome = {
            let mut state = lock(&self.state);
            state.sent.push(text);
            let carrier_id = format!("SM{}", state.sent.len());
            state.script.pop_front().unwrap_or(SendOutcome::Accepted { carrier_id })
        };
        self.gate.pass().await;
        outcome
    }

    async fn look_up(&self, query: LookUp) -> Result<Vec<ListedText>, ListError> {
        let mut state = lock(&self.state);
        state.asked.push(query);
        state.listed.clone().ok_or_else(|| ListError::unavailable("there is no list"))
    }

    async fn history(&self, query: HistoryQuery) -> Result<History, ListError> {
        let history = lock(&self.state).history.clone().ok_or(ListError::Unsupported)?;
        let arrivals = history.into_iter().filter(|arrival| (query.since..=query.until).contains(&arrival.at));
        Ok(History { arrivals: arrivals.collect(), complete: true, requests: 1 })
    }
}
