//! `<Record>`: a voice mail, kept as a real WAV file, with its action and its own callback.

use serde::{Deserialize, Serialize};

use super::{
    Asks, Sound,
    leg::{End, Leg, Step},
    new_sid,
    party::{Act, Prompt, Voicemail},
    twiml::Record,
};
use crate::carrier::{message::API, message::date, state::now};

/// A voice mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// RE and 32 hexadecimal digits.
    pub sid: String,
    /// Where it is.
    pub url: String,
    /// How long it is.
    pub seconds: u32,
    /// What was said, if the caller typed it: the sound itself is a tone.
    pub text: String,
}

impl Leg {
    pub(super) async fn record(&mut self, record: &Record) -> Step {
        self.answer();
        if record.beep {
            self.hear(Sound::Tone, "beep");
        }
        self.carrier.asks(&self.sid, Some(Asks::Recording));
        let started = now();
        let act = self.speaks(record).await;
        self.carrier.asks(&self.sid, None);
        let max_s = record.max_s;
        let (voicemail, digits) = match act {
            Some(Act::Leave(voicemail)) => (voicemail, String::new()),
            Some(Act::Digit(key)) => (self.silence(started), key.to_string()),
            Some(Act::HangUp) => (self.silence(started), "hangup".to_owned()),
            _ => (Voicemail::default(), String::new()),
        };
        // Nothing was said: Twilio goes on with the next verb, and asks nobody.
        if voicemail.seconds == 0 {
            return if digits == "hangup" { Step::End(End::Gone) } else { Step::Next };
        }
        self.keeps(record, &voicemail, max_s, &digits).await
    }

    /// What ends it; typed words and keys alike come through the party.
    async fn speaks(&mut self, record: &Record) -> Option<Act> {
        loop {
            let act = self.party.act(Prompt::Speak, record.max_s).await;
            match act {
                Some(Act::Digit(key)) if !record.finish_on.contains(key) => {}
                Some(Act::Answer | Act::Decline | Act::Fail) => {}
                act => return act,
            }
        }
    }

    /// A person who said nothing that we could hear, for as long as they were there: too short to be kept under a second.
    fn silence(&self, started: u64) -> Voicemail {
        let live = self.carrier.book.get(&self.sid).is_some_and(|call| call.live);
        let seconds = if live { 0 } else { self.carrier.call_seconds(now().saturating_sub(started)) };
        Voicemail { seconds, text: String::new() }
    }

    async fn keeps(&mut self, record: &Record, voicemail: &Voicemail, max_s: f64, digits: &str) -> Step {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day's seconds at most")]
        let seconds = voicemail.seconds.min(max_s as u32);
        let sid = new_sid("RE");
        let url = format!("{}/{API}/Accounts/{}/Recordings/{sid}", self.carrier.own_url(), self.line.account);
        let recording = Recording { sid: sid.clone(), url: url.clone(), seconds, text: voicemail.text.clone() };
        self.carrier.files.record(&sid, seconds);
        let said = if voicemail.text.is_empty() { "(a voice mail)".to_owned() } else { voicemail.text.clone() };
        self.hear(Sound::Person, said);
        self.carrier.change_call(&self.sid, |call| call.recordings.push(recording));
        let gone = digits == "hangup";
        let mut more = vec![("RecordingUrl", url.clone()), ("RecordingSid", sid.clone())];
        more.extend([("RecordingDuration", seconds.to_string()), ("Digits", digits.to_owned())]);
        let step = if gone {
            if let Some(wanted) = self.wanted(record.action.as_ref(), more) {
                self.post(&wanted, "completed").await;
            }
            Step::End(End::Gone)
        } else {
            self.go(record.action.as_ref(), more)
        };
        self.announce(record, &sid, &url, seconds).await;
        step
    }

    /// The recording's own callback.
    async fn announce(&self, record: &Record, sid: &str, url: &str, seconds: u32) {
        let Some(status) = &record.status else { return };
        let more = vec![
            ("RecordingSid", sid.to_owned()),
            ("RecordingUrl", url.to_owned()),
            ("RecordingStatus", "completed".to_owned()),
            ("RecordingDuration", seconds.to_string()),
            ("RecordingChannels", "1".to_owned()),
            ("RecordingSource", "RecordVerb".to_owned()),
            ("RecordingStartTime", date(now())),
        ];
        if let Some(wanted) = self.wanted(Some(status), more) {
            self.post(&wanted, "in-progress").await;
        }
    }
}
