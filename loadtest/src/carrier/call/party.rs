//! Who is at an end of the line: a script, or a person at the telephone's page.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::Instant};

/// What a party does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::carrier) enum Act {
    /// Presses a key.
    Digit(char),
    /// Takes the call.
    Answer,
    /// Does not take it: the network says busy.
    Decline,
    /// Cannot be reached at all.
    Fail,
    /// Says so much to the machine.
    Leave(Voicemail),
    /// Hangs up.
    HangUp,
}

/// What a caller leaves on the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voicemail {
    /// How long it is.
    pub seconds: u32,
    /// What was said.
    pub text: String,
}

/// How the business's own telephone behaves when a line dials it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Desk {
    /// It rings in the telephone's page, until somebody there answers or the time is up.
    #[default]
    Page,
    /// A person answers.
    Answers {
        /// After so many seconds of ringing.
        after_s: u32,
        /// The keys they press when asked; none: they press nothing.
        #[serde(default)]
        presses: String,
        /// How long they talk.
        #[serde(default = "a_talk")]
        talks_s: u32,
    },
    /// The owner's own voice mail answers: it presses nothing.
    Voicemail {
        /// After so many seconds of ringing.
        after_s: u32,
        /// How long it records.
        #[serde(default = "a_talk")]
        talks_s: u32,
    },
    /// Busy, or declined.
    Busy,
    /// Rings until the time is up.
    NoAnswer,
    /// Cannot be reached: rings nowhere.
    Failed,
}

fn a_talk() -> u32 {
    60
}

/// What a party is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// The telephone rings.
    Ringing,
    /// Somebody speaks, or nothing happens.
    Listen,
    /// Keys are waited for.
    Digits,
    /// After the beep.
    Speak,
}

/// An end of the line.
#[derive(Debug)]
pub(super) struct Party {
    who: Who,
    speed: f64,
    since: Instant,
    hangs_up_after_s: Option<f64>,
}

#[derive(Debug)]
enum Who {
    Live(mpsc::Receiver<Act>),
    Script(Script),
}

#[derive(Debug, Default)]
struct Script {
    /// What happens when it rings, and after how long; none: nothing.
    rings: Option<(f64, Act)>,
    digits: VecDeque<char>,
    voicemail: Option<Voicemail>,
}

/// Until somebody presses a key, or the next one.
const KEY_S: f64 = 1.0;

impl Party {
    fn new(who: Who, speed: f64) -> Self {
        Self { who, speed: speed.max(0.001), since: Instant::now(), hangs_up_after_s: None }
    }

    /// A person, who acts through the sender.
    pub(super) fn live(speed: f64) -> (Self, mpsc::Sender<Act>) {
        let (sender, acts) = mpsc::channel(32);
        (Self::new(Who::Live(acts), speed), sender)
    }

    /// A caller who presses these keys, and may leave a voice mail.
    pub(super) fn caller(digits: &str, voicemail: Option<Voicemail>, speed: f64) -> Self {
        let script = Script { digits: digits.chars().collect(), voicemail, ..Script::default() };
        Self::new(Who::Script(script), speed)
    }

    /// The business's telephone; with a sender if it rings in the page.
    pub(super) fn desk(desk: &Desk, speed: f64) -> (Self, Option<mpsc::Sender<Act>>) {
        let script = |rings, digits: &str| {
            let script = Script { rings, digits: digits.chars().collect(), ..Script::default() };
            (Self::new(Who::Script(script), speed), None)
        };
        match desk {
            Desk::Page => {
                let (party, acts) = Self::live(speed);
                (party, Some(acts))
            }
            Desk::Answers { after_s, presses, .. } => script(Some((f64::from(*after_s), Act::Answer)), presses),
            Desk::Voicemail { after_s, .. } => script(Some((f64::from(*after_s), Act::Answer)), ""),
            Desk::Busy => script(Some((0.0, Act::Decline)), ""),
            Desk::NoAnswer => script(None, ""),
            Desk::Failed => script(Some((0.0, Act::Fail)), ""),
        }
    }

    /// Hangs up so many seconds from now, whatever happens.
    pub(super) fn hangs_up_in(&mut self, seconds: f64) {
        self.hangs_up_after_s = Some(self.elapsed_s() + seconds);
    }

    /// Whether a person is at this end.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.who, Who::Live(_))
    }

    /// Time that was the engine's and not the party's: a script's patience does not count it.
    pub(super) fn excuses(&mut self, real: Duration) {
        if let Some(at) = &mut self.hangs_up_after_s {
            *at += real.as_secs_f64() * self.speed;
        }
    }

    fn elapsed_s(&self) -> f64 {
        self.since.elapsed().as_secs_f64() * self.speed
    }

    fn real(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds / self.speed).unwrap_or(Duration::MAX)
    }

    /// What it does next, within so many seconds of the call; `None`: nothing.
    pub(super) async fn act(&mut self, prompt: Prompt, within_s: f64) -> Option<Act> {
        let left_s = self.hangs_up_after_s.map(|at| (at - self.elapsed_s()).max(0.0));
        let wait_s = left_s.map_or(within_s, |left| left.min(within_s));
        let hangs_up = left_s.is_some_and(|left| left <= within_s);
        let wait = self.real(wait_s);
        let act = match &mut self.who {
            // Whoever held it is gone.
            Who::Live(acts) => tokio::time::timeout(wait, acts.recv()).await.map(|act| act.unwrap_or(Act::HangUp)).ok(),
            Who::Script(script) => {
                let planned = script.plan(prompt).filter(|(delay, _)| *delay <= wait_s);
                let delay = planned.as_ref().map_or(wait_s, |(delay, _)| *delay);
                tokio::time::sleep(Duration::try_from_secs_f64(delay / self.speed).unwrap_or(Duration::MAX)).await;
                planned.map(|(_, act)| act)
            }
        };
        act.or_else(|| hangs_up.then_some(Act::HangUp))
    }

    /// Ends when it hangs up.
    pub(super) async fn gone(&mut self) {
        const FOREVER_S: f64 = 1e6;
        while self.act(Prompt::Listen, FOREVER_S).await != Some(Act::HangUp) {}
    }
}

impl Script {
    fn plan(&mut self, prompt: Prompt) -> Option<(f64, Act)> {
        match prompt {
            Prompt::Ringing => self.rings.clone(),
            Prompt::Listen => None,
            Prompt::Digits => self.digits.pop_front().map(|key| (KEY_S, Act::Digit(key))),
            // Most people hang up at the beep.
            Prompt::Speak => Some(match self.voicemail.take() {
                Some(voicemail) => (f64::from(voicemail.seconds), Act::Leave(voicemail)),
                None => (0.5, Act::HangUp),
            }),
        }
    }
}
