//! `<Dial>`: other telephones ring, whoever answers may be asked to confirm, and the legs are bridged.
//!
//! Its action's parameters: twilio.com/docs/voice/twiml/dial. `DialBridged` says whether caller and called ever spoke.

use futures_util::{StreamExt as _, stream::FuturesUnordered};

use super::{
    Call, Sound,
    leg::{End, Leg, Step},
    new_sid,
    party::{Act, Desk, Party, Prompt},
    twiml::{Dial, Number, Problem},
};
use crate::carrier::{call::Asks, state::now};

/// How a `<Dial>` ended.
struct Outcome {
    /// DialCallStatus.
    word: String,
    /// DialCallSid.
    sid: Option<String>,
    /// Seconds that the two talked; none: they never did.
    talked_s: Option<u32>,
    /// The caller is no longer there.
    gone: bool,
}

/// How one telephone's ringing ended.
enum Rang {
    Accepted(Box<Leg>),
    /// Twilio's word, and the leg's id.
    Ended(String, String),
}

impl Leg {
    pub(super) async fn dial(&mut self, dial: &Dial) -> Step {
        if self.nested {
            self.complain(Problem::new(12_200, "<Dial> cannot stand in what whoever answers hears first"));
            return Step::Next;
        }
        if !dial.answer_on_bridge {
            self.answer();
        }
        let outcome = self.rings(dial).await;
        self.dialled = Some(outcome.word.clone());
        let bridged = outcome.talked_s.is_some();
        let mut more = vec![("DialCallStatus", outcome.word), ("DialBridged", bridged.to_string())];
        more.extend(outcome.sid.map(|sid| ("DialCallSid", sid)));
        more.extend(outcome.talked_s.map(|seconds| ("DialCallDuration", seconds.to_string())));
        if outcome.gone {
            // The caller is gone: Twilio still says how it went, and does nothing with the answer.
            let wanted = dial.action.as_ref().and_then(|action| self.wanted(Some(action), more));
            if let Some(wanted) = wanted {
                let word = if self.answered { "completed" } else { "canceled" };
                self.post(&wanted, word).await;
            }
            return Step::End(End::Gone);
        }
        match &dial.action {
            Some(action) => self.go(Some(action), more),
            None => Step::Next,
        }
    }

    async fn rings(&mut self, dial: &Dial) -> Outcome {
        let mut outcome = Outcome { word: "failed".to_owned(), sid: None, talked_s: None, gone: false };
        let children: Vec<Leg> = dial.numbers.iter().map(|number| self.child(dial, number)).collect();
        let sids: Vec<String> = children.iter().map(|child| child.sid.clone()).collect();
        outcome.sid = sids.first().cloned();
        let rings = children.into_iter().zip(&dial.numbers);
        let mut ringing: FuturesUnordered<_> =
            rings.map(|(child, number)| Box::pin(child.ring(number, dial.timeout_s))).collect();
        let mut accepted = None;
        while accepted.is_none() && !outcome.gone {
            tokio::select! {
                () = self.party.gone() => outcome.gone = true,
                rang = ringing.next() => match rang {
                    Some(Rang::Accepted(child)) => accepted = Some(child),
                    Some(Rang::Ended(word, sid)) => (outcome.word, outcome.sid) = (word, Some(sid)),
                    None => break,
                },
            }
        }
        drop(ringing);
        for (sid, number) in sids.iter().zip(&dial.numbers).filter(|(sid, _)| !is(accepted.as_deref(), sid)) {
            self.cancels(sid, number).await;
        }
        match accepted {
            Some(child) => self.bridge(dial, *child).await,
            None if outcome.gone => Outcome { word: "canceled".to_owned(), ..outcome },
            None => outcome,
        }
    }

    /// A leg to one number.
    fn child(&self, dial: &Dial, number: &Number) -> Self {
        let caller = self.carrier.book.get(&self.sid).unwrap_or_default();
        let (party, acts) = Party::desk(&self.desk, self.carrier.call_speed());
        let call = Call {
            sid: new_sid("CA"),
            account: self.line.account.clone(),
            from: dial.caller_id.clone().unwrap_or(caller.from),
            to: number.number.clone(),
            parent: Some(self.sid.clone()),
            status: "initiated".to_owned(),
            created_us: now(),
            live: acts.is_some(),
            ..Call::default()
        };
        let sid = call.sid.clone();
        self.carrier.book.open(call, acts);
        Self {
            carrier: self.carrier.clone(),
            line: self.line.clone(),
            sid,
            party,
            desk: self.desk.clone(),
            nested: true,
            answered: false,
            document_url: self.document_url.clone(),
            dialled: None,
        }
    }

    /// A telephone that was ringing when another was answered, or the caller hung up.
    async fn cancels(&self, sid: &str, number: &Number) {
        if self.carrier.end_call(sid, "canceled", 0) {
            self.tells(sid, number, "canceled", "completed").await;
        }
    }

    async fn ring(mut self, number: &Number, timeout_s: f64) -> Rang {
        self.tells(&self.sid, number, "initiated", "initiated").await;
        if self.desk == Desk::Failed {
            return self.ends(number, "failed").await;
        }
        self.carrier.change_call(&self.sid, |call| {
            "ringing".clone_into(&mut call.status);
            call.rang.push(number.number.clone());
            call.asks = Some(Asks::Answer);
        });
        if let Some(parent) = self.carrier.book.get(&self.sid).and_then(|call| call.parent) {
            self.carrier.change_call(&parent, |call| call.rang.push(number.number.clone()));
            self.carrier.hear(&parent, Sound::Tone, format!("ringing {}", number.number));
        }
        self.tells(&self.sid, number, "ringing", "ringing").await;
        let word = match self.party.act(Prompt::Ringing, timeout_s).await {
            Some(Act::Answer) => return self.confirms(number).await,
            None => "no-answer",
            Some(Act::Fail) => "failed",
            Some(_) => "busy",
        };
        self.ends(number, word).await
    }

    /// Answered: whoever it is hears the whisper, and is connected unless it ends with `<Hangup>`.
    async fn confirms(mut self, number: &Number) -> Rang {
        self.carrier.asks(&self.sid, None);
        self.answer();
        self.tells(&self.sid, number, "in-progress", "answered").await;
        if let Some(whisper) = &number.whisper {
            let Some(wanted) = self.wanted(Some(whisper), vec![]) else { return self.ends(number, "failed").await };
            if self.run(wanted).await != End::Over {
                let word = self.line.unconfirmed.clone().unwrap_or_else(|| "no-answer".to_owned());
                let duration_s = self.talked_s();
                self.carrier.end_call(&self.sid, "completed", duration_s);
                self.tells(&self.sid, number, "completed", "completed").await;
                return Rang::Ended(word, self.sid);
            }
        }
        Rang::Accepted(Box::new(self))
    }

    async fn ends(self, number: &Number, word: &str) -> Rang {
        self.carrier.end_call(&self.sid, word, 0);
        self.tells(&self.sid, number, word, "completed").await;
        Rang::Ended(word.to_owned(), self.sid)
    }

    async fn bridge(&mut self, dial: &Dial, mut child: Self) -> Outcome {
        self.answer();
        let started = now();
        self.hear(Sound::Person, "connected");
        child.hear(Sound::Person, "connected");
        if let Desk::Answers { talks_s, .. } | Desk::Voicemail { talks_s, .. } = &self.desk {
            child.party.hangs_up_in(f64::from(*talks_s));
        }
        let limit = self.carrier.real_time(dial.limit_s);
        let gone = tokio::select! {
            () = self.party.gone() => true,
            () = child.party.gone() => false,
            () = tokio::time::sleep(limit) => false,
        };
        let talked_s = self.carrier.call_seconds(now().saturating_sub(started));
        self.carrier.end_call(&child.sid, "completed", child.talked_s());
        if let Some(number) = dial.numbers.iter().find(|number| is_to(&child, number)) {
            child.tells(&child.sid, number, "completed", "completed").await;
        }
        Outcome { word: "completed".to_owned(), sid: Some(child.sid), talked_s: Some(talked_s), gone }
    }

    /// A status callback of a leg, if `<Number>` wants it.
    async fn tells(&self, sid: &str, number: &Number, word: &str, event: &str) {
        let Some(status) = number.status.as_ref().filter(|_| number.events.iter().any(|wanted| wanted == event)) else {
            return;
        };
        let sequence = ["initiated", "ringing", "answered", "completed"].iter().position(|name| *name == event);
        let more = super::place::progress(sequence.unwrap_or(0), 0);
        let Some(wanted) = self.wanted(Some(status), more) else { return };
        self.post_of(sid, &wanted, word).await;
    }
}

fn is(leg: Option<&Leg>, sid: &str) -> bool {
    leg.is_some_and(|leg| leg.sid == sid)
}

fn is_to(leg: &Leg, number: &Number) -> bool {
    leg.carrier.book.get(&leg.sid).is_some_and(|call| call.to == number.number)
}
