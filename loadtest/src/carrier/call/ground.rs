//! What calls need of the carrier: its book, its clock, and where a line's webhooks go.

use std::time::Duration;

use super::{Asks, Call, Sound};
use crate::{
    carrier::{
        config::Line,
        state::Carrier,
        webhook::{Answered, Hook},
    },
    meter::Micros,
};

impl Carrier {
    pub(in crate::carrier) fn hear(&self, sid: &str, sound: Sound, text: impl Into<String>) {
        self.book.hear(sid, sound, text);
        self.changed();
    }

    pub(in crate::carrier) fn asks(&self, sid: &str, asks: Option<Asks>) {
        self.book.asks(sid, asks);
        self.changed();
    }

    pub(in crate::carrier) fn change_call(&self, sid: &str, change: impl FnOnce(&mut Call)) {
        self.book.change(sid, change);
        self.changed();
    }

    pub(in crate::carrier) fn end_call(&self, sid: &str, status: &str, duration_s: u32) -> bool {
        let ended = self.book.end(sid, status, duration_s);
        self.changed();
        ended
    }

    /// A call's time as ours.
    pub(in crate::carrier) fn real_time(&self, call_s: f64) -> Duration {
        Duration::try_from_secs_f64(call_s / self.call_speed()).unwrap_or(Duration::MAX)
    }

    /// Our time as a call's whole seconds, begun ones counted.
    pub(in crate::carrier) fn call_seconds(&self, real: Micros) -> u32 {
        let seconds = Duration::from_micros(real).as_secs_f64() * self.call_speed();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating, and never negative")]
        let seconds = seconds.ceil() as u32;
        seconds
    }

    pub(in crate::carrier) fn voice_url(&self, line: &Line) -> String {
        format!("{}/webhooks/twilio/{}/voice", self.public_url(), line.channel)
    }

    /// Where the end of a call is told: where the line says, or to its voice webhook. Empty: nowhere.
    pub(in crate::carrier) fn voice_status_url(&self, line: &Line) -> Option<String> {
        match line.voice_status_url.as_deref() {
            None => Some(self.voice_url(line)),
            Some("") => None,
            Some(url) => super::fetch::resolve(&format!("{}/", self.public_url()), url),
        }
    }

    /// Posts to the engine, or, while webhooks are held back, does not.
    pub(in crate::carrier) async fn post(&self, hook: &Hook) -> Answered {
        if self.absence().webhooks {
            return Answered::held(&hook.sid);
        }
        self.poster.post(hook).await
    }
}
