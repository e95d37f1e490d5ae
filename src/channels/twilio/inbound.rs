//! Twilio's webhooks as commands: texts, statuses, calls. Parameters that we do not know are ignored; they are added
//! over time, and the signature covers them all the same.

use std::{borrow::Cow, sync::Arc};

use actors::ports::{Arrival, ChannelEntry, Directory, Hook, Inbound, InboundError, RawWebhook};
use schema::{
    address::Address,
    command::{CallOutcome, CallReport, Command, DeliveryReport, ReceiveMessage},
    event::{Author, Keyword, MediaRef},
    ids::ChannelId,
    message::Status,
    segments,
};

use super::{
    errors::carrier_error,
    form::Form,
    signature::{Base, Signed, body_matches},
    twiml,
};
use crate::channels::{Secret, SecretSource};

/// Most media of one message (Twilio's own limit).
const MEDIA_MAX: usize = 10;
/// Longest id of Twilio's that we take (they have 34 characters).
const SID_MAX: usize = 64;

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
    answered_min_s: u32,
    directory: Arc<dyn Directory>,
    secrets: SecretSource,
}

impl TwilioInbound {
    /// With the directory for accounts and lines, and the accounts' auth tokens.
    pub fn new(settings: &TwilioInboundSettings, directory: Arc<dyn Directory>, secrets: SecretSource) -> Self {
        let base = Base::new(&settings.public_url);
        Self { base, answered_min_s: settings.answered_min_s, directory, secrets }
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
    fn line(&self, channel: &ChannelEntry, form: &Form<'_>) -> ChannelId {
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
                Ok(Arrival { command, by: Author::Contact, answer: twiml::nothing() })
            }
            Hook::Status => {
                let command = receipt(webhook.target, form)?.map(Command::Receipt);
                Ok(Arrival { command, by: Author::Carrier, answer: twiml::nothing() })
            }
            Hook::Voice => self.call(webhook, form),
        }
    }

    fn call(&self, webhook: &RawWebhook<'_>, form: &Form<'_>) -> Result<Arrival, InboundError> {
        let carrier_id = sid(form, "CallSid")?;
        let from = address(form)?;
        let status = required(form, "CallStatus")?;
        let outcome = outcome(form, status, self.answered_min_s)?;
        let answer = if asks_what_to_do(form, status) { twiml::reject() } else { twiml::nothing() };
        let command = outcome.map(|outcome| {
            let name = form.get("CallerName").map(str::to_owned);
            Command::Call(CallReport { channel: self.line(webhook.channel, form), from, carrier_id, outcome, name })
        });
        Ok(Arrival { command, by: Author::Contact, answer })
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
}

/// Twilio's default; a body without a type is read as one too.
fn is_form(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.is_empty() || essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn required<'f>(form: &'f Form<'_>, name: &'static str) -> Result<&'f str, InboundError> {
    form.get(name).ok_or(InboundError::invalid(name, "is missing"))
}

fn sid(form: &Form<'_>, name: &'static str) -> Result<String, InboundError> {
    let value = required(form, name)?;
    if value.len() > SID_MAX || !value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(InboundError::invalid(name, "is not an id of letters and digits"));
    }
    Ok(value.to_owned())
}

/// A hidden caller comes as a word, or as nothing at all.
fn address(form: &Form<'_>) -> Result<Address, InboundError> {
    Address::from_carrier(form.get("From").unwrap_or_default())
        .map_err(|_| InboundError::invalid("From", "is not an E.164 number"))
}

fn number(form: &Form<'_>, name: &'static str) -> Result<Option<u32>, InboundError> {
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
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(InboundError::invalid(Cow::Owned(name), "is not an http or https URL"));
    }
    let content_type = form.get(&format!("MediaContentType{index}")).unwrap_or("application/octet-stream");
    Ok(MediaRef { url: url.to_owned(), content_type: content_type.to_owned() })
}

/// `None`: a word that says no more than what we know since the request was accepted.
fn receipt(target: &str, form: &Form<'_>) -> Result<Option<DeliveryReport>, InboundError> {
    let carrier_id = sid(form, "MessageSid")?;
    let word = required(form, "MessageStatus")?;
    let code = number(form, "ErrorCode")?.filter(|code| *code != 0);
    let reference = Reference::of(target)?;
    let Some(status) = status(word) else { return Ok(None) };
    let error = if status == Status::Failed { Some(carrier_error(code.unwrap_or(0))) } else { None };
    let Reference { conversation, message, attempt } = reference;
    Ok(Some(DeliveryReport { conversation, message, attempt, carrier_id, status, error }))
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

/// What became of the call, if this webhook is the one that tells.
///
/// `<Dial>`'s own verdict decides. A leg of it (`ParentCallSid`) decides nothing: another leg may have answered.
/// `completed` without a verdict only says that the call is over: it comes for forwarded calls that nobody took, too.
fn outcome(form: &Form<'_>, status: &str, answered_min_s: u32) -> Result<Option<CallOutcome>, InboundError> {
    if form.get("ParentCallSid").is_some() || !incoming(form) {
        return Ok(None);
    }
    if let Some(dial) = form.get("DialCallStatus") {
        let duration_s = number(form, "DialCallDuration")?;
        let talked = duration_s.is_none_or(|seconds| seconds >= answered_min_s);
        return Ok(match dial {
            "completed" | "answered" if talked => Some(CallOutcome::Answered { duration_s }),
            "completed" | "answered" => Some(CallOutcome::Missed),
            _ if is_missed(dial) => Some(CallOutcome::Missed),
            _ => None,
        });
    }
    Ok(is_missed(status).then_some(CallOutcome::Missed))
}

fn is_missed(status: &str) -> bool {
    matches!(status, "no-answer" | "busy" | "failed" | "canceled")
}

fn incoming(form: &Form<'_>) -> bool {
    form.get("Direction").is_none_or(|direction| direction.eq_ignore_ascii_case("inbound"))
}

/// A call that rings and waits for instructions, unlike a report about one.
fn asks_what_to_do(form: &Form<'_>, status: &str) -> bool {
    status == "ringing" && incoming(form) && form.get("CallbackSource").is_none() && form.get("ParentCallSid").is_none()
}
