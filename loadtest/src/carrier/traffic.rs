//! Traffic to the engine: contacts who text and call a line, as signed webhooks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use schema::segments;

use super::{
    call::{self, Desk, Voicemail, new_sid, reply},
    config::Line,
    handset::Received,
    message::{API, Message},
    state::{Carrier, now},
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
    /// Pictures: URLs, ids of uploaded ones, or `picture` for one of the carrier's own.
    pub media: Vec<String>,
    /// The carrier's id; empty: a new one.
    pub sid: String,
}

/// A contact calls a line, and behaves as said here. The engine's TwiML decides what happens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calling {
    /// The line; empty: the first.
    pub channel: String,
    /// Who calls; empty: hidden.
    pub from: String,
    /// How it ends, if the line dials the business: shorthand for `desk`, and for a caller who does not wait.
    pub end: CallEnd,
    /// How the business's own telephone behaves; none: as `end` says.
    pub desk: Option<Desk>,
    /// When the caller hangs up, whatever they hear; none: when there is nothing more to hear.
    pub hangs_up_after_s: Option<u32>,
    /// The keys the caller presses when asked.
    pub digits: String,
    /// What the caller leaves after a beep; none: they hang up there.
    pub voicemail: Option<Voicemail>,
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

/// Seconds until somebody takes a call.
const PICKED_UP_S: u32 = 4;

impl CallEnd {
    /// How the business's telephone behaves, so that a call that is dialled ends like this.
    pub(super) fn desk(self) -> Desk {
        match self {
            Self::NoAnswer | Self::Canceled => Desk::NoAnswer,
            Self::Busy => Desk::Busy,
            Self::Failed => Desk::Failed,
            Self::Answered(talks_s) => Desk::Answers { after_s: PICKED_UP_S, presses: "1".to_owned(), talks_s },
        }
    }
}

pub(super) async fn text(carrier: &Arc<Carrier>, texting: &Texting) -> Delivery {
    let Some(line) = call::line_for(carrier, &texting.channel) else { return unknown_line() };
    let message = inbound(carrier, &line, texting);
    let mut form = vec![
        ("MessageSid", message.sid.clone()),
        ("SmsSid", message.sid.clone()),
        ("SmsMessageSid", message.sid.clone()),
        ("SmsStatus", "received".to_owned()),
        ("Body", message.body.clone()),
        ("NumMedia", message.media.len().to_string()),
        ("NumSegments", message.segments.to_string()),
    ];
    let handled = carrier.handle_keyword(&line, &message.from, &message.body);
    form.extend(handled.opt_out_type.map(|kind| ("OptOutType", kind.to_owned())));
    let mut form = with_parties(form, &line, &message.from);
    for (index, url) in message.media.iter().enumerate() {
        form.push((format!("MediaUrl{index}"), url.clone()));
        form.push((format!("MediaContentType{index}"), content_type(carrier, url).to_owned()));
    }
    let sid = message.sid.clone();
    if let Some(body) = handled.reply {
        let (at_us, from) = (now(), line.address.clone());
        carrier.handsets.notice(&message.from, Received { at_us, from, body, media: vec![], by_carrier: true });
    }
    carrier.store(|store| store.insert(message));
    carrier.changed();
    let hook = hook(carrier, &line, sid, form);
    carrier.keep_hook(&hook);
    let answered = carrier.post(&hook).await;
    let delivery = answered.delivery.clone();
    reply::obey(carrier, &line, &hook, answered).await;
    delivery
}

pub(super) async fn call(carrier: &Arc<Carrier>, calling: &Calling) -> Delivery {
    let Some(line) = call::line_for(carrier, &calling.channel) else { return unknown_line() };
    call::place(carrier.clone(), call::Placed::scripted(carrier, line, calling)).await
}

pub(super) async fn redeliver(carrier: &Carrier, sid: &str) -> Option<Delivery> {
    let hook = carrier.hook(sid)?;
    Some(carrier.post(&hook).await.delivery)
}

fn hook(carrier: &Carrier, line: &Line, sid: String, form: Vec<(String, String)>) -> Hook {
    let public_url = format!("{}/webhooks/twilio/{}/sms", carrier.public_url(), line.channel);
    let token = carrier.account(&line.account).map(|account| account.token.clone()).unwrap_or_default();
    Hook { reached_at: carrier.reached_at(&public_url), public_url, token, sid, form, get: false }
}

/// Of the carrier's own pictures it is known; others are what it was asked to say.
fn content_type(carrier: &Carrier, url: &str) -> &'static str {
    let id = url.rsplit('/').next().unwrap_or_default();
    carrier.files.picture(id).map_or("image/png", |picture| picture.content_type)
}

fn unknown_line() -> Delivery {
    Delivery { sid: String::new(), status: 0, body: "no such line".to_owned(), attempts: 0 }
}

fn inbound(carrier: &Carrier, line: &Line, texting: &Texting) -> Message {
    let at = now();
    let kind = if texting.media.is_empty() { "SM" } else { "MM" };
    let sid = if texting.sid.is_empty() { new_sid(kind) } else { texting.sid.clone() };
    let own = |id: &str| format!("{}/{API}/Accounts/{}/Messages/{sid}/Media/{id}", carrier.own_url(), line.account);
    let media = texting.media.iter().enumerate();
    let media = media.map(|(index, url)| match url.as_str() {
        "picture" => own(&format!("ME{index:032x}")),
        id if carrier.files.picture(id).is_some() => own(id),
        url => url.to_owned(),
    });
    let media = media.collect();
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
