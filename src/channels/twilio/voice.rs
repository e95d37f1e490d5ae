//! Twilio's webhooks about a call: it comes in, somebody picks up, nobody took it, it is over, a recording is ready.
//!
//! One call makes several of them, in any order. Which of our own URLs is called says which: `step` in its query.
//! Sources: twilio.com/docs/voice/twiml (Request Parameters), dial (`DialCallStatus`, `DialBridged`), record.

use std::borrow::Cow;

use actors::ports::{Arrival, InboundError, Moment, RawWebhook, Tell};
use schema::{
    command::{CallOutcome, CallReport, Caller, Command, VoicemailReport},
    event::{Author, MediaRef},
    ids::ConversationId,
};

use super::{
    form::Form,
    inbound::{TwilioInbound, address, is_url, number, required, sid},
    twiml,
};

/// What Twilio's recordings are, unless the URL asks for another format.
const RECORDING_TYPE: &str = "audio/x-wav";

/// Which of our URLs was called.
enum Step {
    /// The line's own: a call that waits for instructions, or a report about one.
    Line,
    /// `<Number url>`: somebody picked up the business's telephone.
    Screen,
    /// `<Gather action>`: and pressed a key.
    Screened,
    /// `<Dial action>`: ringing is over. Whether the answer had to be confirmed.
    Dialed(bool),
    /// `<Record action>`: the message is over.
    Over,
    /// `<Record recordingStatusCallback>`, with the caller's conversation.
    Recorded(Option<ConversationId>),
}

impl Step {
    fn of(target: &str) -> Self {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let value = |wanted: &str| -> Option<Cow<'_, str>> {
            form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value)
        };
        match value("step").as_deref() {
            Some("screen") => Self::Screen,
            Some("screened") => Self::Screened,
            Some("dialed") => Self::Dialed(value("screened").as_deref() == Some("1")),
            Some("over") => Self::Over,
            Some("recorded") => Self::Recorded(value("c").and_then(|text| text.parse().ok())),
            _ => Self::Line,
        }
    }
}

impl TwilioInbound {
    /// A webhook of the voice URL.
    pub(super) fn voice(&self, webhook: &RawWebhook<'_>, form: &Form<'_>) -> Result<Arrival, InboundError> {
        let told = |answer| Arrival { command: None, by: Author::Contact, tell: Tell::Answer(answer) };
        match Step::of(webhook.target) {
            Step::Line => self.line_called(webhook, form),
            Step::Dialed(screened) => self.dialed(webhook, form, screened),
            Step::Recorded(conversation) => self.recorded(webhook, form, conversation),
            Step::Screen => {
                let tell = Tell::Script { channel: webhook.channel.channel.clone(), moment: Moment::Screen };
                Ok(Arrival { command: None, by: Author::Contact, tell })
            }
            // An empty document ends the screening: the two are connected.
            Step::Screened if form.get("Digits") == Some("1") => Ok(told(twiml::nothing())),
            Step::Screened | Step::Over => Ok(told(twiml::hangup())),
        }
    }

    fn line_called(&self, webhook: &RawWebhook<'_>, form: &Form<'_>) -> Result<Arrival, InboundError> {
        let status = required(form, "CallStatus")?;
        if asks_what_to_do(form, status) {
            let report = self.report(webhook, form, CallOutcome::Begun)?;
            let tell = Tell::Script { channel: report.channel.clone(), moment: Moment::Begun };
            return Ok(Arrival { command: Some(Command::Call(report)), by: Author::Contact, tell });
        }
        sid(form, "CallSid")?;
        let outcome = match verdict(form, false, self.answered_min_s())? {
            Some(outcome) => Some(outcome),
            None => end(form, status)?,
        };
        let command = outcome.map(|outcome| self.report(webhook, form, outcome)).transpose()?.map(Command::Call);
        Ok(Arrival { command, by: Author::Contact, tell: Tell::Answer(twiml::nothing()) })
    }

    fn dialed(&self, webhook: &RawWebhook<'_>, form: &Form<'_>, screened: bool) -> Result<Arrival, InboundError> {
        required(form, "DialCallStatus")?;
        let outcome = verdict(form, screened, self.answered_min_s())?;
        let outcome = outcome.ok_or(InboundError::invalid("DialCallStatus", "is not a status of an inbound call"))?;
        let report = self.report(webhook, form, outcome)?;
        let tell = match outcome {
            CallOutcome::Missed => Tell::Script { channel: report.channel.clone(), moment: Moment::Missed },
            _ => Tell::Answer(twiml::hangup()),
        };
        Ok(Arrival { command: Some(Command::Call(report)), by: Author::Contact, tell })
    }

    /// A recording that is empty or failed says nothing; one without our reference is its caller's.
    fn recorded(
        &self,
        webhook: &RawWebhook<'_>,
        form: &Form<'_>,
        conversation: Option<ConversationId>,
    ) -> Result<Arrival, InboundError> {
        let command = if form.get("RecordingStatus").is_none_or(|status| status == "completed") {
            let url = required(form, "RecordingUrl")?;
            if !is_url(url) {
                return Err(InboundError::invalid("RecordingUrl", "is not an http or https URL"));
            }
            let caller = match conversation {
                Some(conversation) => Caller::Conversation(conversation),
                // Without one it would be every hidden caller's.
                None => required(form, "From").and_then(|_| address(form)).map(Caller::Address)?,
            };
            Some(Command::Voicemail(VoicemailReport {
                channel: self.line(webhook.channel, form),
                caller,
                carrier_id: sid(form, "RecordingSid")?,
                call: sid(form, "CallSid")?,
                recording: MediaRef { url: url.to_owned(), content_type: RECORDING_TYPE.to_owned() },
                duration_s: number(form, "RecordingDuration")?.unwrap_or(0),
            }))
        } else {
            None
        };
        Ok(Arrival { command, by: Author::Contact, tell: Tell::Answer(twiml::nothing()) })
    }

    fn report(
        &self,
        webhook: &RawWebhook<'_>,
        form: &Form<'_>,
        outcome: CallOutcome,
    ) -> Result<CallReport, InboundError> {
        Ok(CallReport {
            channel: self.line(webhook.channel, form),
            from: address(form)?,
            carrier_id: sid(form, "CallSid")?,
            outcome,
            name: form.get("CallerName").map(str::to_owned),
        })
    }
}

/// What `<Dial>` says, if this webhook is its. A leg of it (`ParentCallSid`) decides nothing: another may have answered.
///
/// `completed` means only that somebody, or something, picked up. `DialBridged=false`: it was never connected to the
/// caller (a voicemail that did not press 1, a caller who hung up meanwhile). Without confirmation a short talk was a
/// voicemail too; with it, whoever pressed 1 is a person however short the talk.
fn verdict(form: &Form<'_>, screened: bool, answered_min_s: u32) -> Result<Option<CallOutcome>, InboundError> {
    let Some(dial) = form.get("DialCallStatus").filter(|_| is_own(form)) else { return Ok(None) };
    let duration_s = number(form, "DialCallDuration")?;
    let bridged = form.get("DialBridged").map(|bridged| bridged.eq_ignore_ascii_case("true"));
    let talked = (screened && bridged == Some(true)) || duration_s.is_none_or(|seconds| seconds >= answered_min_s);
    Ok(match dial {
        "completed" | "answered" if talked && bridged != Some(false) => Some(CallOutcome::Answered { duration_s }),
        "completed" | "answered" => Some(CallOutcome::Missed),
        _ if is_missed(dial) => Some(CallOutcome::Missed),
        _ => None,
    })
}

/// What the end of the whole call says. `completed` only that it is over: the greeting answers a call, too.
fn end(form: &Form<'_>, status: &str) -> Result<Option<CallOutcome>, InboundError> {
    if !is_own(form) {
        return Ok(None);
    }
    Ok(match status {
        "completed" => Some(CallOutcome::Ended { duration_s: number(form, "CallDuration")? }),
        _ if is_missed(status) => Some(CallOutcome::Missed),
        _ => None,
    })
}

fn is_missed(status: &str) -> bool {
    matches!(status, "no-answer" | "busy" | "failed" | "canceled")
}

/// The caller's own leg, of a call to us.
fn is_own(form: &Form<'_>) -> bool {
    let incoming = form.get("Direction").is_none_or(|direction| direction.eq_ignore_ascii_case("inbound"));
    incoming && form.get("ParentCallSid").is_none()
}

/// A call that waits for instructions, unlike a report about one.
fn asks_what_to_do(form: &Form<'_>, status: &str) -> bool {
    let waits = matches!(status, "ringing" | "in-progress");
    waits && is_own(form) && form.get("CallbackSource").is_none() && form.get("DialCallStatus").is_none()
}
