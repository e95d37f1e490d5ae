//! A carrier that records what it is given and answers as it was told.

use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;
use schema::command::SendOutcome;

use crate::ports::{Carrier, OutgoingText};

/// Records sends; accepts them unless told otherwise.
#[derive(Default)]
pub struct RecordingCarrier {
    sent: Mutex<Vec<OutgoingText>>,
    outcomes: Mutex<VecDeque<SendOutcome>>,
}

impl RecordingCarrier {
    /// The next sends end so, one each.
    pub fn outcomes(&self, outcomes: impl IntoIterator<Item = SendOutcome>) {
        self.outcomes.lock().expect("no holder panics").extend(outcomes);
    }

    /// Everything that was sent, in order.
    pub fn sent(&self) -> Vec<OutgoingText> {
        self.sent.lock().expect("no holder panics").clone()
    }
}

#[async_trait]
impl Carrier for RecordingCarrier {
    async fn send(&self, text: OutgoingText) -> SendOutcome {
        let mut sent = self.sent.lock().expect("no holder panics");
        sent.push(text);
        let carrier_id = format!("SM{:032}", sent.len());
        let scripted = self.outcomes.lock().expect("no holder panics").pop_front();
        scripted.unwrap_or(SendOutcome::Accepted { carrier_id })
    }
}
