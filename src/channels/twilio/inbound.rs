//! Twilio's webhooks as commands: texts and statuses here, calls in `voice`. Parameters that we do not know are ignored; they are added
//! over time, and the signature covers them all the same.

use std::{borrow::Cow, sync::Arc};

use actors::ports::{
    Answer, Arrival, ChannelEntry, Directory, Hook, Inbound, InboundError, LineScript, Moment, RawWebhook, Tell,
};
use schema::{
    address::Address,
    command::{Command, DeliveryReport, ReceiveMessage},
    event::{Author, Keyword, MediaRef},
    ids::ChannelId,
    message::Status,
    segments,
};

use super::{
    errors::failure,
    form::Form,
    signature::{Base, Signed, body_matches},
    twiml,
};
use crate::channels::{Secret, SecretSource};

/// Most media of one message (Twilio's own limit).
const MEDIA_MAX: usize = 10;
/// Longest id of Twilio's that we take (they have 34 characters).
const SID_MAX: usize = 64;

/// Longest URL that we take (theirs have about 130 characters).
const URL_MAX: usize = 2_048;

/// What the way in needs to know.
#[derive(Debug, Clone)]
pub struct TwilioInboundSettings {
    /// The public base of our webhook URLs: Twilio signs what it calls.
    pub public_url: String,
    /// A forwarded call answered for less than this was the owner's voicemail hung up on, or nobody: missed.
    pub answered_min_s: u32,
}

/// Verifies and reads Twilio's webhooks.
pub struct TwilioInbound {
    base: Base,
    public_url: String,
    answered_min_s: u32,
    directory: Arc<dyn Directory>,
    secrets: SecretSource,
}

impl TwilioInbound {
    /// With the directory for accounts and lines, and the accounts' auth tokens.
    pub fn new(settings: &TwilioInboundSettings, directory: Arc<dyn Directory>, secrets: SecretSource) -> Self {
        let base = Base::new(&settings.public_url);
        let public_url = settings.public_url.trim_end_matches('/').to_owned();
        Self { base, public_url, answered_min_s: settings.answered_min_s, directory, secrets }
    }

    /// The token is that of the line's account, or of the account that the webhook names if it is the same tenant's.
    /// Never by messaging service: a number pool then answers 403 to genuine texts (complaint 31).
    fn verifies(&self, channel: &ChannelEntry, form: &Form<'_>, signed: &Signed<'_>) -> bool {
        let of_line = self.base.verifies(&(self.secrets)(&channel.account), signed);
        of_line || self.base.verifies(&self.tokens_of_named_account(channel, form), signed)
    }

    fn tokens_of_named_account(&self, channel: &ChannelEntry, form: &Form<'_>) -> Arc<[Secret]> {
        form.get("AccountSid")
            .and_then(|sid| self.directory.account_by_carrier_id(sid))
            .filter(|named| named.tenant == channel.tenant && named.account != channel.account)
            .map_or_else(|| Arc::from([]), |named| (self.secrets)(&named.account))
    }

    /// The line that was written to or called: another of the same tenant's if `To` says so, as with a number pool.
    pub(super) fn line(&self, channel: &ChannelEntry, form: &Form<'_>) -> ChannelId {
        match form.get("To") {
            Some(to) if to != channel.address => self
                .directory
                .channel_by_address(to)
                .filter(|line| line.tenant == channel.tenant)
                .map_or_else(|| channel.channel.clone(), |line| line.channel),
            _ => channel.channel.clone(),
        }
    }

    fn arrival(&self, webhook: &RawWebhook<'_>, form: &Form<'_>) -> Result<Arrival, InboundError> {
        match webhook.hook {
            Hook::Sms => {
                let message = text(form, self.line(webhook.channel, form))?;
                let command = Some(Command::Receive(message));
                Ok(Arrival { command, by: Author::Contact, tell: Tell::Answer(twiml::nothing()) })
            }
            Hook::Status => {
                let command = receipt(webhook, form)?.map(Command::Receipt);
                Ok(Arrival { command, by: Author::Carrier, tell: Tell::Answer(twiml::nothing()) })
            }
            Hook::Voice => self.voice(webhook, form),
        }
    }

    /// A shorter call was not answered by a person.
    pub(super) fn answered_min_s(&self) -> u32 {
        self.answered_min_s
    }
}

impl Inbound for TwilioInbound {
    fn receive(&self, webhook: &RawWebhook<'_>) -> Result<Arrival, InboundError> {
        if is_form(webhook.content_type) {
            let form = Form::decode(webhook.body);
            let signed = Signed { target: webhook.target, form: &form, signature: webhook.signature };
            if !self.verifies(webhook.channel, &form, &signed) {
                return Err(InboundError::Forged);
            }
            return self.arrival(webhook, &form);
        }
        let unsigned = Form::default();
        let signed = Signed { target: webhook.target, form: &unsigned, signature: webhook.signature };
        let form = Form::from_json(webhook.body);
        let named = form.as_ref().unwrap_or(&unsigned);
        if !self.verifies(webhook.channel, named, &signed) || !body_matches(webhook.target, webhook.body) {
            return Err(InboundError::Forged);
        }
        let form = form.ok_or(InboundError::Malformed("neither a form nor a JSON object"))?;
        self.arrival(webhook, &form)
    }

    fn script(&self, moment: Moment, line: &LineScript<'_>) -> Answer {
        twiml::script(moment, line, &self.public_url)
    }
}

/// Twilio's default; a body without a type is read as one too.
fn is_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.is_empty() || essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

pub(super) fn required<'f>(form: &'f Form<'_>, name: &'static str) -> Result<&'f str, InboundError> {
    form.get(name).ok_or(InboundError::invalid(name, "is missing"))
}

pub(super) fn sid(form: &Form<'_>, name: &'static str) -> Result<String, InboundError> {
    let value = required(form, name)?;
    if value.len() > SID_MAX || !value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(InboundError::invalid(name, "is not an id of letters and digits"));
    }
    Ok(value.to_owned())
}

/// A hidden caller comes as a word, or as nothing at all.
pub(super) fn address(form: &Form<'_>) -> Result<Address, InboundError> {
    Address::from_carrier(form.get("From").unwrap_or_default())
        .map_err(|_| InboundError::invalid("From", "is not an E.164 number"))
}

pub(super) fn number(form: &Form<'_>, name: &'static str) -> Result<Option<u32>, InboundError> {
    form.get(name)
        .map(|text| text.parse().map_err(|_| InboundError::invalid(name, "is not a whole number")))
        .transpose()
}

fn text(form: &Form<'_>, channel: ChannelId) -> Result<ReceiveMessage, InboundError> {
    let body = form.get("Body").unwrap_or_default();
    let counted = number(form, "NumSegments")?.and_then(|count| u16::try_from(count).ok()).filter(|count| *count > 0);
    Ok(ReceiveMessage {
        channel,
        from: address(form)?,
        carrier_id: sid(form, "MessageSid")?,
        text: body.to_owned(),
        media: media(form)?,
        segments: counted.unwrap_or_else(|| segments::count(body).segments),
        carrier_keyword: form.get("OptOutType").and_then(keyword),
    })
}

fn keyword(word: &str) -> Option<Keyword> {
    match word {
        "STOP" => Some(Keyword::Stop),
        "START" => Some(Keyword::Start),
        "HELP" => Some(Keyword::Help),
        _ => None,
    }
}

/// Pictures and files stay where the carrier holds them; we keep the reference.
fn media(form: &Form<'_>) -> Result<Vec<MediaRef>, InboundError> {
    let count = number(form, "NumMedia")?.unwrap_or(0) as usize;
    if count > MEDIA_MAX {
        return Err(InboundError::invalid("NumMedia", "is more than 10"));
    }
    (0..count).map(|index| medium(form, index)).collect()
}

fn medium(form: &Form<'_>, index: usize) -> Result<MediaRef, InboundError> {
    let name = format!("MediaUrl{index}");
    let url = form.get(&name).unwrap_or_default();
    if !is_url(url) {
        return Err(InboundError::invalid(Cow::Owned(name), "is not an http or https URL"));
    }
    let content_type = form.get(&format!("MediaContentType{index}")).unwrap_or("application/octet-stream");
    Ok(MediaRef { url: url.to_owned(), content_type: content_type.to_owned() })
}

/// Where a carrier keeps a picture or a recording: a plain URL whose host is what it looks like. It is kept and shown, never
/// fetched.
pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty() && !host.contains('@') && text.len() <= URL_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `None`: a word that says no more than what we know since the request was accepted.
fn receipt(webhook: &RawWebhook<'_>, form: &Form<'_>) -> Result<Option<DeliveryReport>, InboundError> {
    let carrier_id = sid(form, "MessageSid")?;
    let word = required(form, "MessageStatus")?;
    let code = number(form, "ErrorCode")?.filter(|code| *code != 0);
    let reference = Reference::of(webhook.target)?;
    let Some(status) = status(word) else { return Ok(None) };
    let (status, error) = match status {
        Status::Failed => {
            let (status, error) = failure(code.unwrap_or(0));
            (status, Some(error))
        }
        status => (status, None),
    };
    let Reference { conversation, message, attempt } = reference;
    let channel = Some(webhook.channel.channel.clone());
    Ok(Some(DeliveryReport { conversation, message, attempt, carrier_id, status, error, channel }))
}

/// `queued`, `accepted`, `scheduled`, `sending` come before the carrier's network has it: nothing new.
fn status(word: &str) -> Option<Status> {
    match word {
        "sent" => Some(Status::Sent),
        "delivered" => Some(Status::Delivered),
        "read" => Some(Status::Read),
        "failed" | "undelivered" | "canceled" => Some(Status::Failed),
        _ => None,
    }
}

/// Which text a status is about: rides in the URL that we gave with it.
struct Reference {
    conversation: schema::ids::ConversationId,
    message: schema::ids::MessageId,
    attempt: u16,
}

impl Reference {
    fn of(target: &str) -> Result<Self, InboundError> {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let (mut conversation, mut message, mut attempt) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "c" => conversation = value.parse().ok(),
                "m" => message = value.parse().ok(),
                "a" => attempt = value.parse().ok(),
                _ => {}
            }
        }
        Ok(Self {
            conversation: conversation.ok_or(InboundError::invalid("c", "is missing in the URL or no id"))?,
            message: message.ok_or(InboundError::invalid("m", "is missing in the URL or no id"))?,
            attempt: attempt.ok_or(InboundError::invalid("a", "is missing in the URL or no number"))?,
        })
    }
}
