//! One end of a call and the document it is in: each verb done in its turn.

use std::sync::Arc;

use super::{
    Asks, Problem, Sound,
    fetch::{Fetched, Wanted, resolve},
    party::{Act, Desk, Party, Prompt},
    twiml::{Gather, Target, Verb},
};
use crate::carrier::{
    config::Line,
    state::{Carrier, now},
};

/// Documents of one call before it is taken for a loop.
const DOCUMENTS_MAX: usize = 100;
/// What Twilio says before it hangs up on an error.
const APPLICATION_ERROR: &str = "We are sorry, an application error has occurred. Goodbye.";
/// Letters that a voice says in a second.
const LETTERS_PER_S: f64 = 15.0;
/// How long a `<Play>` is taken to last: its sound is not fetched.
const PLAY_S: f64 = 5.0;

/// An end of a call that documents are run on.
pub(super) struct Leg {
    pub(super) carrier: Arc<Carrier>,
    pub(super) line: Line,
    pub(super) sid: String,
    pub(super) party: Party,
    /// How the business's telephone behaves if this leg dials it.
    pub(super) desk: Desk,
    /// A leg that `<Dial>` made: what runs on it is a whisper.
    pub(super) nested: bool,
    pub(super) answered: bool,
    pub(super) document_url: String,
    /// Twilio's word for how the last `<Dial>` went.
    pub(super) dialled: Option<String>,
}

/// Why a leg's documents are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing more to do.
    Over,
    /// `<Hangup>`.
    Hangup,
    /// The party hung up.
    Gone,
    /// `<Reject>`.
    Reject { busy: bool },
    /// An application error.
    Failed,
}

pub(super) enum Step {
    Next,
    Go(Wanted),
    End(End),
}

impl Leg {
    /// Where the call is, in Twilio's word.
    pub(super) fn word(&self) -> &'static str {
        if self.answered { "in-progress" } else { "ringing" }
    }

    /// The carrier's machine picks up.
    pub(super) fn answer(&mut self) {
        if !self.answered {
            self.answered = true;
            self.carrier.change_call(&self.sid, |call| {
                "in-progress".clone_into(&mut call.status);
                call.answered_us = Some(now());
            });
        }
    }

    /// Seconds since it was answered.
    pub(super) fn talked_s(&self) -> u32 {
        let answered = self.carrier.book.get(&self.sid).and_then(|call| call.answered_us);
        answered.map_or(0, |answered| self.carrier.call_seconds(now().saturating_sub(answered)))
    }

    pub(super) fn hear(&self, sound: Sound, text: impl Into<String>) {
        self.carrier.hear(&self.sid, sound, text);
    }

    pub(super) fn complain(&self, problem: Problem) {
        self.carrier.book.complain(&self.sid, [problem]);
        self.carrier.changed();
    }

    /// Fetches a document and does what it says, and so on, until nothing is left to do.
    pub(super) async fn run(&mut self, first: Wanted) -> End {
        let mut wanted = first;
        for _ in 0..DOCUMENTS_MAX {
            let document = match self.fetch(&wanted).await {
                Fetched::Document(document) => document,
                Fetched::Gone => return End::Gone,
                Fetched::Failed => return self.fails().await,
            };
            self.carrier.book.complain(&self.sid, document.problems);
            match self.execute(&document.verbs).await {
                Step::Next => return End::Over,
                Step::End(end) => return end,
                Step::Go(next) => wanted = next,
            }
        }
        self.complain(Problem::new(0, format!("{DOCUMENTS_MAX} documents, and no end: taken for a loop")));
        self.fails().await
    }

    async fn fails(&mut self) -> End {
        self.says(APPLICATION_ERROR).await;
        End::Failed
    }

    async fn execute(&mut self, verbs: &[Verb]) -> Step {
        for (index, verb) in verbs.iter().enumerate() {
            // A document that runs twice a verb deep dials: its future is too large to nest.
            match Box::pin(self.perform(verb, index)).await {
                Step::Next => {}
                other => return other,
            }
        }
        Step::Next
    }

    async fn perform(&mut self, verb: &Verb, index: usize) -> Step {
        match verb {
            Verb::Say(_) | Verb::Play(_) => {
                self.answer();
                self.prompt(verb).await
            }
            Verb::Pause(_) => self.prompt(verb).await,
            Verb::Gather(gather) => self.gather(gather).await,
            Verb::Dial(dial) => self.dial(dial).await,
            Verb::Record(record) => self.record(record).await,
            Verb::Redirect(target) => self.go(Some(target), vec![]),
            Verb::Reject { busy } if index == 0 && !self.answered => {
                self.hear(Sound::Tone, if *busy { "busy tone" } else { "this number is not in service" });
                Step::End(End::Reject { busy: *busy })
            }
            Verb::Reject { .. } => {
                self.complain(Problem::new(12_200, "<Reject> must come first, before the call is answered"));
                Step::End(End::Hangup)
            }
            Verb::Hangup => Step::End(End::Hangup),
            Verb::Message(reply) => {
                let contact = self.carrier.book.get(&self.sid).map(|call| call.from).unwrap_or_default();
                super::reply::send(&self.carrier, &self.line, &contact, reply);
                Step::Next
            }
        }
    }

    /// Something to listen to.
    async fn prompt(&mut self, verb: &Verb) -> Step {
        let gone = match verb {
            Verb::Say(text) => self.says(text).await,
            Verb::Play(url) => {
                self.hear(Sound::Audio, url.clone());
                self.listens(PLAY_S).await
            }
            Verb::Pause(seconds) => self.listens(*seconds).await,
            _ => false,
        };
        if gone { Step::End(End::Gone) } else { Step::Next }
    }

    async fn says(&mut self, text: &str) -> bool {
        self.hear(Sound::Voice, text);
        self.listens(saying_s(text)).await
    }

    /// The next document: at a URL of this one, or this one again.
    pub(super) fn go(&self, target: Option<&Target>, more: Vec<(&str, String)>) -> Step {
        match self.wanted(target, more) {
            Some(wanted) => Step::Go(wanted),
            None => {
                self.complain(Problem::new(11_100, "the URL is not one"));
                Step::End(End::Failed)
            }
        }
    }

    pub(super) fn wanted(&self, target: Option<&Target>, more: Vec<(&str, String)>) -> Option<Wanted> {
        let url = resolve(&self.document_url, target.map_or("", |target| &target.url))?;
        let get = target.is_some_and(|target| target.get);
        let more = more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Some(Wanted { target: Target { url, get }, more })
    }

    /// Keys: the prompts may be interrupted, then each further key has its time.
    async fn gather(&mut self, gather: &Gather) -> Step {
        self.answer();
        let mut digits = String::new();
        self.carrier.asks(&self.sid, Some(Asks::Digits));
        let prompts_s: f64 = gather.prompts.iter().map(|verb| self.announces(verb)).sum();
        let mut within_s = prompts_s + gather.timeout_s;
        let step = loop {
            match self.party.act(Prompt::Digits, within_s).await {
                Some(Act::HangUp) => break Some(Step::End(End::Gone)),
                Some(Act::Digit(key)) => {
                    self.hear(Sound::Key, key);
                    if gather.finish_on == Some(key) {
                        break None;
                    }
                    digits.push(key);
                    if digits.len() >= gather.digits {
                        break None;
                    }
                    within_s = gather.timeout_s;
                }
                Some(_) => {}
                None => break None,
            }
        };
        self.carrier.asks(&self.sid, None);
        match step {
            Some(step) => step,
            None if digits.is_empty() && !gather.even_if_empty => Step::Next,
            None => self.go(gather.action.as_ref(), vec![("Digits", digits)]),
        }
    }

    /// Puts what is to be heard into the record; how long it lasts.
    fn announces(&self, verb: &Verb) -> f64 {
        match verb {
            Verb::Say(text) => {
                self.hear(Sound::Voice, text);
                saying_s(text)
            }
            Verb::Play(url) => {
                self.hear(Sound::Audio, url);
                PLAY_S
            }
            Verb::Pause(seconds) => *seconds,
            _ => 0.0,
        }
    }
}

fn saying_s(text: &str) -> f64 {
    let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    (f64::from(letters) / LETTERS_PER_S).max(1.0)
}
