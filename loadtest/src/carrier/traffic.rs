//! Traffic to the engine: contacts who text and call a line, as signed webhooks.

use serde::{Deserialize, Serialize};

use schema::segments;

use super::{
    config::Line,
    message::{API, Message},
    state::{Carrier, now},
    store::CallRow,
    webhook::{Delivery, Hook},
};

/// A contact texts a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Texting {
    /// The line; empty: the first.
    pub channel: String,
    /// Who texts.
    pub from: String,
    /// What.
    pub body: String,
    /// Pictures: URLs, or `picture` for one of the carrier's own.
    pub media: Vec<String>,
    /// The carrier's id; empty: a new one.
    pub sid: String,
}

/// A contact calls a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calling {
    /// The line; empty: the first.
    pub channel: String,
    /// Who calls; empty: hidden.
    pub from: String,
    /// How it ended.
    pub end: CallEnd,
    /// The caller's name as the network gives it.
    pub name: String,
    /// The carrier's id; empty: a new one.
    pub sid: String,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallEnd {
    /// Rang out.
    #[default]
    NoAnswer,
    /// The line was busy.
    Busy,
    /// The forwarding failed.
    Failed,
    /// The caller hung up while it rang.
    Canceled,
    /// Somebody took it and talked for so many seconds.
    Answered(u32),
}

impl CallEnd {
    fn word(self) -> &'static str {
        match self {
            Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Answered(_) => "completed",
        }
    }
}

pub(super) async fn text(carrier: &Carrier, texting: &Texting) -> Delivery {
    let Some(line) = line(carrier, &texting.channel) else { return unknown_line() };
    let message = inbound(carrier, line, texting);
    let mut form = vec![
        ("MessageSid", message.sid.clone()),
        ("SmsSid", message.sid.clone()),
        ("SmsMessageSid", message.sid.clone()),
        ("SmsStatus", "received".to_owned()),
        ("Body", message.body.clone()),
        ("NumMedia", message.media.len().to_string()),
        ("NumSegments", message.segments.to_string()),
    ];
    if let Some(kind) = opt_out_type(&message.body) {
        carrier.store(|store| match kind {
            "STOP" => store.set_opt_out(&line.address, &message.from, true),
            "START" => store.set_opt_out(&line.address, &message.from, false),
            _ => {}
        });
        form.push(("OptOutType", kind.to_owned()));
    }
    let mut form = with_parties(form, line, &message.from);
    for (index, url) in message.media.iter().enumerate() {
        form.push((format!("MediaUrl{index}"), url.clone()));
        form.push((format!("MediaContentType{index}"), "image/png".to_owned()));
    }
    let sid = message.sid.clone();
    carrier.store(|store| store.insert(message));
    post(carrier, line, "sms", sid, form).await
}

pub(super) async fn call(carrier: &Carrier, calling: &Calling) -> Delivery {
    let Some(line) = line(carrier, &calling.channel) else { return unknown_line() };
    let sid = if calling.sid.is_empty() { new_sid("CA") } else { calling.sid.clone() };
    let from = if calling.from.is_empty() { "anonymous" } else { &calling.from };
    let mut form = vec![("CallSid", sid.clone()), ("Direction", "inbound".to_owned())];
    match calling.end {
        CallEnd::Answered(seconds) => {
            form.push(("CallStatus", "completed".to_owned()));
            form.push(("DialCallStatus", calling.end.word().to_owned()));
            form.push(("DialCallDuration", seconds.to_string()));
        }
        end => form.push(("CallStatus", end.word().to_owned())),
    }
    let ended_us = Some(now());
    carrier.store(|store| {
        store.insert_call(CallRow {
            sid: sid.clone(),
            account: line.account.clone(),
            from: from.to_owned(),
            to: line.address.clone(),
            status: calling.end.word().to_owned(),
            name: calling.name.clone(),
            started_us: now(),
            ended_us,
        });
    });
    if !calling.name.is_empty() {
        form.push(("CallerName", calling.name.clone()));
    }
    let form = with_parties(form, line, from);
    post(carrier, line, "voice", sid, form).await
}

pub(super) async fn redeliver(carrier: &Carrier, sid: &str) -> Option<Delivery> {
    let hook = carrier.hook(sid)?;
    Some(carrier.poster.post(&hook).await)
}

async fn post(carrier: &Carrier, line: &Line, kind: &str, sid: String, form: Vec<(String, String)>) -> Delivery {
    let public_url = format!("{}/webhooks/twilio/{}/{kind}", carrier.public_url(), line.channel);
    let token = carrier.account(&line.account).map(|account| account.token.clone()).unwrap_or_default();
    let hook = Hook { reached_at: carrier.reached_at(&public_url), public_url, token, sid, form };
    carrier.keep_hook(&hook);
    carrier.poster.post(&hook).await
}

fn line<'c>(carrier: &'c Carrier, channel: &str) -> Option<&'c Line> {
    if channel.is_empty() { carrier.lines().first() } else { carrier.line_of_channel(channel) }
}

fn unknown_line() -> Delivery {
    Delivery { sid: String::new(), status: 0, body: "no such line".to_owned(), attempts: 0 }
}

fn new_sid(kind: &str) -> String {
    format!("{kind}{}", uuid::Uuid::new_v4().simple())
}

fn inbound(carrier: &Carrier, line: &Line, texting: &Texting) -> Message {
    let at = now();
    let kind = if texting.media.is_empty() { "SM" } else { "MM" };
    let sid = if texting.sid.is_empty() { new_sid(kind) } else { texting.sid.clone() };
    let own = |index: usize| {
        format!("{}/{API}/Accounts/{}/Messages/{sid}/Media/ME{index:032x}", carrier.own_url(), line.account)
    };
    let media = texting.media.iter().enumerate();
    let media = media.map(|(index, url)| if url == "picture" { own(index) } else { url.clone() }).collect();
    Message {
        account: line.account.clone(),
        from: texting.from.clone(),
        to: line.address.clone(),
        body: texting.body.clone(),
        media,
        segments: segments::count(&texting.body).segments,
        status: "received".to_owned(),
        error: None,
        inbound: true,
        created_us: at,
        sent_us: Some(at),
        updated_us: at,
        callback: None,
        validity_s: None,
        sid,
    }
}

/// Twilio's own keywords: single words only (carriers.md D.1).
fn opt_out_type(body: &str) -> Option<&'static str> {
    match body.trim().to_ascii_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => Some("STOP"),
        "START" | "YES" | "UNSTOP" => Some("START"),
        "HELP" | "INFO" => Some("HELP"),
        _ => None,
    }
}

fn with_parties(form: Vec<(&str, String)>, line: &Line, from: &str) -> Vec<(String, String)> {
    let parties = [
        ("AccountSid", line.account.as_str()),
        ("ApiVersion", API),
        ("From", from),
        ("To", &line.address),
        ("FromCountry", "US"),
        ("ToCountry", "US"),
    ];
    let parties = parties.map(|(name, value)| (name, value.to_owned()));
    form.into_iter().chain(parties).map(|(name, value)| (name.to_owned(), value)).collect()
}
