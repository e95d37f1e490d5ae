//! A call from its first ring to its status callback.

use std::sync::Arc;

use super::{
    Call, Desk, Sound,
    fetch::Wanted,
    leg::{End, Leg},
    new_sid,
    party::Party,
    twiml::Target,
};
use crate::carrier::{
    config::Line,
    message::date,
    state::{Carrier, now},
    traffic::{CallEnd, Calling},
    webhook::{Answered, Delivery},
};

/// When a scripted caller who does not wait hangs up.
const IMPATIENT_S: f64 = 5.0;

/// A call to be made: by whom, to which line, and who holds the ends.
pub(in crate::carrier) struct Placed {
    line: Line,
    call: Call,
    party: Party,
    desk: Desk,
    acts: Option<tokio::sync::mpsc::Sender<super::Act>>,
}

/// The line that a request names; empty: the first.
pub(in crate::carrier) fn line_for(carrier: &Carrier, channel: &str) -> Option<Line> {
    let line = if channel.is_empty() { carrier.lines().first() } else { carrier.line_of_channel(channel) };
    line.cloned()
}

impl Placed {
    fn new(line: Line, calling: &Calling, (party, desk): (Party, Desk)) -> Self {
        let call = Call {
            sid: if calling.sid.is_empty() { new_sid("CA") } else { calling.sid.clone() },
            account: line.account.clone(),
            from: calling.from.clone(),
            to: line.address.clone(),
            name: calling.name.clone(),
            status: "ringing".to_owned(),
            created_us: now(),
            ..Call::default()
        };
        Self { line, call, party, desk, acts: None }
    }

    /// A call of a script.
    pub(in crate::carrier) fn scripted(carrier: &Carrier, line: Line, calling: &Calling) -> Self {
        let mut party = Party::caller(&calling.digits, calling.voicemail.clone(), carrier.call_speed());
        match calling.hangs_up_after_s {
            Some(seconds) => party.hangs_up_in(f64::from(seconds)),
            None if calling.end == CallEnd::Canceled => party.hangs_up_in(IMPATIENT_S),
            None => {}
        }
        let desk = calling.desk.clone().unwrap_or_else(|| calling.end.desk());
        Self::new(line, calling, (party, desk))
    }

    /// A call of a person at the page; the business's telephone is as the line says.
    fn live(carrier: &Carrier, line: Line, calling: &Calling) -> Self {
        let (party, acts) = Party::live(carrier.call_speed());
        let desk = calling.desk.clone().unwrap_or_else(|| line.desk.clone());
        let mut placed = Self::new(line, calling, (party, desk));
        placed.call.live = true;
        placed.acts = Some(acts);
        placed
    }
}

/// Starts a call that a person at the page makes; its id.
pub(in crate::carrier) fn start_live(carrier: &Arc<Carrier>, line: Line, calling: &Calling) -> String {
    let placed = Placed::live(carrier, line, calling);
    let sid = placed.call.sid.clone();
    let carrier = carrier.clone();
    let mut closing = carrier.closing();
    tokio::spawn(async move {
        tokio::select! {
            _ = closing.wait_for(|closed| *closed) => {}
            _ = place(carrier, placed) => {}
        }
    });
    sid
}

/// Makes a call and stays with it to its end. What comes back is the last thing that the engine was told of it.
pub(in crate::carrier) async fn place(carrier: Arc<Carrier>, placed: Placed) -> Delivery {
    let Placed { line, call, party, desk, acts } = placed;
    let sid = call.sid.clone();
    carrier.book.open(call, acts);
    carrier.changed();
    let url = carrier.voice_url(&line);
    let mut leg = Leg {
        carrier: carrier.clone(),
        document_url: url.clone(),
        line,
        sid: sid.clone(),
        party,
        desk,
        nested: false,
        answered: false,
        dialled: None,
    };
    let end = leg.run(Wanted { target: Target { url, get: false }, more: vec![] }).await;
    let (word, talked_s) = (leg.final_word(end), leg.talked_s());
    leg.hear(Sound::Tone, "the call is over");
    carrier.end_call(&sid, word, talked_s);
    leg.told(word, talked_s).await
}

impl Leg {
    /// The call's last status. A call that nobody picked up ends as its last `<Dial>` did.
    fn final_word(&self, end: End) -> &'static str {
        match end {
            End::Reject { busy: true } => "busy",
            End::Reject { busy: false } => "no-answer",
            End::Failed => "failed",
            _ if self.answered => "completed",
            End::Gone => "canceled",
            End::Over | End::Hangup => match self.dialled.as_deref() {
                Some("busy") => "busy",
                Some("failed") => "failed",
                Some("canceled") => "canceled",
                Some(_) => "no-answer",
                None => "completed",
            },
        }
    }

    /// The line's status callback: for calls that come in, Twilio posts one when they are over.
    async fn told(&self, word: &str, talked_s: u32) -> Delivery {
        let Some(url) = self.carrier.voice_status_url(&self.line) else { return silent(&self.sid) };
        let more = progress(0, talked_s).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let wanted = Wanted { target: Target { url, get: false }, more };
        let Answered { delivery, .. } = self.post(&wanted, word).await;
        if !delivery.is_ok() {
            tracing::warn!(sid = %self.sid, answer = delivery.status, "the end of a call was not taken");
        }
        delivery
    }
}

fn silent(sid: &str) -> Delivery {
    Delivery { sid: sid.to_owned(), status: 204, body: String::new(), attempts: 0 }
}

/// What a call-progress callback says beside the call's own parameters.
pub(super) fn progress(sequence: usize, talked_s: u32) -> Vec<(&'static str, String)> {
    vec![
        ("CallbackSource", "call-progress-events".to_owned()),
        ("SequenceNumber", sequence.to_string()),
        ("Timestamp", date(now())),
        ("CallDuration", talked_s.to_string()),
        ("Duration", talked_s.div_ceil(60).to_string()),
    ]
}
