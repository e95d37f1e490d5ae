//! Calls: each a small machine that does what the engine's TwiML says, and a record that stays when it is over.
//! A telephone is a script, or a person at the page. All times of a call are divided by `call_speed`.

mod book;
mod dial;
mod fetch;
mod ground;
mod leg;
mod party;
mod place;
mod record;
pub(super) mod reply;
pub(super) mod twiml;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) use book::Book;
pub(super) use party::Act;
pub use party::{Desk, Voicemail};
pub(super) use place::{Placed, line_for, place, start_live};
pub use record::Recording;
pub use twiml::{Problem, Reading, read_twiml};

use super::message::{API, date};
use crate::meter::Micros;

/// A call's record: a caller's, or one that `<Dial>` made (then it has a parent).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// CA and 32 hexadecimal digits.
    pub sid: String,
    /// AccountSid.
    pub account: String,
    /// Who calls; empty: hidden.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// The caller's name as the network gives it.
    pub name: String,
    /// The caller's call, if this is a leg that `<Dial>` made.
    pub parent: Option<String>,
    /// Twilio's word for where it is.
    pub status: String,
    /// When it was made.
    pub created_us: Micros,
    /// When it was answered: by the carrier's machine, or by whoever was dialled.
    pub answered_us: Option<Micros>,
    /// When it was over.
    pub ended_us: Option<Micros>,
    /// Seconds from answer to end, as the carrier counts them.
    pub duration_s: u32,
    /// What this end of the line heard, in order.
    pub heard: Vec<Heard>,
    /// What it waits for now.
    pub asks: Option<Asks>,
    /// Numbers that rang.
    pub rang: Vec<String>,
    /// Over, and nobody's telephone rang.
    pub rang_nobody: bool,
    /// What was wrong with the documents.
    pub problems: Vec<Problem>,
    /// Voice mails left.
    pub recordings: Vec<Recording>,
    /// A person at the page holds this end.
    pub live: bool,
}

impl Call {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.ended_us.is_some()
    }

    /// As Twilio's REST shows it.
    pub fn to_json(&self) -> Value {
        let account = format!("/{API}/Accounts/{}", self.account);
        json!({
            "account_sid": self.account,
            "answered_by": null,
            "api_version": API,
            "caller_name": self.name,
            "date_created": date(self.created_us),
            "date_updated": date(self.ended_us.unwrap_or(self.created_us)),
            "direction": if self.parent.is_some() { "outbound-dial" } else { "inbound" },
            "duration": self.is_over().then(|| self.duration_s.to_string()),
            "end_time": self.ended_us.map(date),
            "forwarded_from": null,
            "from": if self.from.is_empty() { "anonymous" } else { &self.from },
            "group_sid": null,
            "parent_call_sid": self.parent,
            "phone_number_sid": null,
            "price": null,
            "price_unit": "USD",
            "queue_time": "0",
            "sid": self.sid,
            "start_time": date(self.created_us),
            "status": self.status,
            "subresource_uris": { "recordings": format!("{account}/Calls/{}/Recordings.json", self.sid) },
            "to": self.to,
            "trunk_sid": null,
            "uri": format!("{account}/Calls/{}.json", self.sid),
        })
    }
}

/// One thing heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// When.
    pub at_us: Micros,
    /// What kind of sound.
    pub sound: Sound,
    /// Words, or what it was.
    pub text: String,
}

/// Kinds of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sound {
    /// `<Say>`.
    Voice,
    /// `<Play>`.
    Audio,
    /// Ringing, a beep, the busy tone.
    Tone,
    /// The other person.
    Person,
    /// A key that was pressed at this end.
    Key,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asks {
    /// Keys.
    Digits,
    /// A voice mail.
    Recording,
    /// Somebody who answers.
    Answer,
}

pub(super) fn new_sid(kind: &str) -> String {
    format!("{kind}{}", uuid::Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests;
