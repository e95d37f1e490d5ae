//! Fetches the documents of a call: signed requests to the engine, the line's fallback, what Twilio does of errors.

use reqwest::Url;
use tokio::time::Instant;

use super::{
    leg::Leg,
    party::Prompt,
    twiml::{self, Document, Problem, Target, Verb},
};
use crate::carrier::{
    call::Act,
    message::API,
    state::Carrier,
    webhook::{Answered, Hook},
};

/// A document that is wanted: an absolute URL, and what is said beside the call's own parameters.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) target: Target,
    pub(super) more: Vec<(String, String)>,
}

/// What came of it.
pub(super) enum Fetched {
    Document(Document),
    /// The party hung up meanwhile.
    Gone,
    /// Nobody has anything to say: an application error.
    Failed,
}

/// A URL of a document, as the document's own place makes it whole.
pub(super) fn resolve(base: &str, url: &str) -> Option<String> {
    let url = Url::parse(base).ok()?.join(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

impl Leg {
    /// Parameters that every request about this call has.
    fn form(&self, sid: &str, status: &str) -> Vec<(String, String)> {
        let call = self.carrier.book.get(sid).unwrap_or_default();
        let from = if call.from.is_empty() { "anonymous".to_owned() } else { call.from };
        let direction = if call.parent.is_some() { "outbound-dial" } else { "inbound" };
        let mut form = vec![
            ("AccountSid", self.line.account.clone()),
            ("ApiVersion", API.to_owned()),
            ("CallSid", sid.to_owned()),
            ("CallStatus", status.to_owned()),
            ("Called", call.to.clone()),
            ("Caller", from.clone()),
            ("Direction", direction.to_owned()),
            ("From", from),
            ("FromCountry", "US".to_owned()),
            ("To", call.to),
            ("ToCountry", "US".to_owned()),
        ];
        if let Some(parent) = call.parent {
            form.push(("ParentCallSid", parent));
        } else if !call.name.is_empty() {
            form.push(("CallerName", call.name));
        }
        form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Posts something about this call; nothing is done with the answer but to note it.
    pub(super) async fn post(&self, wanted: &Wanted, status: &str) -> Answered {
        self.post_of(&self.sid, wanted, status).await
    }

    /// As [`Leg::post`], about another leg of the same call.
    pub(super) async fn post_of(&self, sid: &str, wanted: &Wanted, status: &str) -> Answered {
        let hook = self.hook(sid, wanted, status);
        self.carrier.keep_hook(&hook);
        self.carrier.post(&hook).await
    }

    fn hook(&self, sid: &str, wanted: &Wanted, status: &str) -> Hook {
        let mut form = self.form(sid, status);
        form.extend(wanted.more.iter().cloned());
        hook(&self.carrier, &self.line.account, sid, &wanted.target, form)
    }

    /// As [`Leg::post`], while the party may hang up: what was posted is posted to the end all the same.
    async fn ask(&mut self, wanted: &Wanted) -> Option<Answered> {
        let hook = self.hook(&self.sid, wanted, self.word());
        self.carrier.keep_hook(&hook);
        let carrier = self.carrier.clone();
        if !self.party.is_live() {
            let started = Instant::now();
            let answered = carrier.post(&hook).await;
            self.party.excuses(started.elapsed());
            return Some(answered);
        }
        let posting = tokio::spawn(async move { carrier.post(&hook).await });
        tokio::select! {
            answered = posting => answered.ok(),
            () = self.party.gone() => None,
        }
    }

    /// The document, or that of the fallback.
    pub(super) async fn fetch(&mut self, wanted: &Wanted) -> Fetched {
        let Some(answered) = self.ask(wanted).await else { return Fetched::Gone };
        let problem = match self.read(&wanted.target.url, &answered) {
            Ok(document) => return Fetched::Document(document),
            Err(problem) => problem,
        };
        self.carrier.book.complain(&self.sid, [problem.clone()]);
        let fallback = self.line.fallback_url.clone().filter(|url| !self.nested && *url != wanted.target.url);
        let Some(url) = fallback else { return Fetched::Failed };
        let more = [("ErrorCode", problem.code.to_string()), ("ErrorUrl", wanted.target.url.clone())];
        let more = more.map(|(name, value)| (name.to_owned(), value)).into();
        let wanted = Wanted { target: Target { url, get: false }, more };
        let Some(answered) = self.ask(&wanted).await else { return Fetched::Gone };
        match self.read(&wanted.target.url, &answered) {
            Ok(document) => Fetched::Document(document),
            Err(problem) => {
                self.carrier.book.complain(&self.sid, [problem]);
                Fetched::Failed
            }
        }
    }

    fn read(&mut self, url: &str, answered: &Answered) -> Result<Document, Problem> {
        let document = document(answered)?;
        url.clone_into(&mut self.document_url);
        Ok(document)
    }

    /// Lets the party listen for so long; `true`: it hung up.
    pub(super) async fn listens(&mut self, seconds: f64) -> bool {
        let started = Instant::now();
        let speed = self.carrier.call_speed();
        loop {
            let left = seconds - started.elapsed().as_secs_f64() * speed;
            if left <= 0.0 {
                return false;
            }
            match self.party.act(Prompt::Listen, left).await {
                None => return false,
                Some(Act::HangUp) => return true,
                Some(_) => {}
            }
        }
    }
}

/// A signed request.
pub(in crate::carrier) fn hook(
    carrier: &Carrier,
    account: &str,
    sid: &str,
    target: &Target,
    form: Vec<(String, String)>,
) -> Hook {
    let token = carrier.account(account).map(|account| account.token.clone()).unwrap_or_default();
    let public_url = target.url.clone();
    Hook { reached_at: carrier.reached_at(&public_url), public_url, token, sid: sid.to_owned(), form, get: target.get }
}

/// What an answer says, as Twilio takes it (errors 11200, 11750, 12100, 12300).
pub(in crate::carrier) fn document(answered: &Answered) -> Result<Document, Problem> {
    let delivery = &answered.delivery;
    if delivery.status == 0 {
        return Err(Problem::new(11_200, "the URL could not be reached"));
    }
    if !delivery.is_ok() {
        return Err(Problem::new(11_200, format!("the URL answered {}", delivery.status)));
    }
    let essence = answered.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "" if delivery.body.is_empty() => Ok(Document::default()),
        "text/plain" => Ok(Document { verbs: vec![Verb::Say(delivery.body.clone())], problems: vec![] }),
        "text/xml" | "application/xml" | "text/html" | "application/xhtml+xml" => twiml::parse(&delivery.body),
        other => Err(Problem::new(12_300, format!("the answer's content type is \"{other}\", not text/xml"))),
    }
}
