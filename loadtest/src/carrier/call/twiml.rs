//! TwiML as Twilio reads it: a document becomes verbs, what it does not understand becomes a problem of the call.
//!
//! Verbs, attributes and defaults: twilio.com/docs/voice/twiml and /docs/messaging/twiml. A document that is no XML or
//! has another root is error 12100; an element or value out of place is warning 12200 and left out.

use roxmltree::Node;
use serde::{Deserialize, Serialize};

/// Largest document (Twilio's error 11750).
pub(in crate::carrier) const DOCUMENT_MAX: usize = 64 * 1024;
/// Most numbers of one `<Dial>`.
const NUMBERS_MAX: usize = 10;

/// Something wrong with what the engine told the carrier to do, with Twilio's code for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// As in twilio.com/docs/api/errors.
    pub code: u32,
    /// What it was.
    pub detail: String,
}

impl Problem {
    pub(in crate::carrier) fn new(code: u32, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    fn invalid(detail: impl Into<String>) -> Self {
        Self::new(12_200, detail)
    }
}

/// A document, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::carrier) struct Document {
    pub(in crate::carrier) verbs: Vec<Verb>,
    pub(in crate::carrier) problems: Vec<Problem>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::carrier) enum Verb {
    Say(String),
    Play(String),
    Pause(f64),
    Gather(Gather),
    Dial(Dial),
    Record(Record),
    Redirect(Target),
    Reject { busy: bool },
    Hangup,
    Message(Reply),
}

/// Where a request goes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::carrier) struct Target {
    pub(in crate::carrier) url: String,
    pub(in crate::carrier) get: bool,
}

/// Keys that the party presses.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::carrier) struct Gather {
    pub(in crate::carrier) action: Option<Target>,
    pub(in crate::carrier) timeout_s: f64,
    pub(in crate::carrier) digits: usize,
    pub(in crate::carrier) finish_on: Option<char>,
    pub(in crate::carrier) even_if_empty: bool,
    pub(in crate::carrier) prompts: Vec<Verb>,
}

/// Other telephones that ring.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::carrier) struct Dial {
    pub(in crate::carrier) action: Option<Target>,
    pub(in crate::carrier) timeout_s: f64,
    pub(in crate::carrier) limit_s: f64,
    pub(in crate::carrier) answer_on_bridge: bool,
    pub(in crate::carrier) caller_id: Option<String>,
    pub(in crate::carrier) numbers: Vec<Number>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::carrier) struct Number {
    pub(in crate::carrier) number: String,
    /// What whoever answers hears before the legs are bridged.
    pub(in crate::carrier) whisper: Option<Target>,
    pub(in crate::carrier) status: Option<Target>,
    pub(in crate::carrier) events: Vec<String>,
}

/// A voice mail.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::carrier) struct Record {
    pub(in crate::carrier) action: Option<Target>,
    pub(in crate::carrier) status: Option<Target>,
    pub(in crate::carrier) max_s: f64,
    pub(in crate::carrier) beep: bool,
    pub(in crate::carrier) finish_on: String,
}

/// A text in answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::carrier) struct Reply {
    pub(in crate::carrier) body: String,
    pub(in crate::carrier) media: Vec<String>,
    pub(in crate::carrier) to: Option<String>,
    pub(in crate::carrier) status: Option<String>,
}

/// What a document says to whoever hears it, and what in it was not understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Every `<Say>`, those of a `<Gather>` too, in order.
    pub said: Vec<String>,
    /// What was left out.
    pub problems: Vec<Problem>,
}

/// Reads a document as the carrier does; the error ends the call.
pub fn read_twiml(text: &str) -> Result<Reading, Problem> {
    let Document { verbs, problems } = parse(text)?;
    let mut said = Vec::new();
    for verb in verbs {
        match verb {
            Verb::Say(words) => said.push(words),
            Verb::Gather(Gather { prompts, .. }) => {
                said.extend(prompts.into_iter().filter_map(|prompt| match prompt {
                    Verb::Say(words) => Some(words),
                    _ => None,
                }))
            }
            _ => {}
        }
    }
    Ok(Reading { said, problems })
}

/// Reads a document.
pub(in crate::carrier) fn parse(text: &str) -> Result<Document, Problem> {
    if text.len() > DOCUMENT_MAX {
        return Err(Problem::new(11_750, "the document is larger than 64 KiB"));
    }
    let tree = roxmltree::Document::parse(text).map_err(|error| Problem::new(12_100, error.to_string()))?;
    let root = tree.root_element();
    if root.tag_name().name() != "Response" {
        return Err(Problem::new(12_100, format!("the root is <{}>, not <Response>", root.tag_name().name())));
    }
    let mut document = Document::default();
    for node in root.children().filter(Node::is_element) {
        let verb = verb(node, &mut document.problems);
        document.verbs.extend(verb);
    }
    Ok(document)
}

fn verb(node: Node<'_, '_>, problems: &mut Vec<Problem>) -> Option<Verb> {
    let target = |problems: &mut Vec<Problem>| Target { url: text(node), get: is_get(node, "method", problems) };
    Some(match node.tag_name().name() {
        "Say" => Verb::Say(text(node)),
        "Play" => Verb::Play(text(node)),
        "Pause" => Verb::Pause(seconds(node, "length", 1.0, problems)),
        "Gather" => Verb::Gather(gather(node, problems)),
        "Dial" => Verb::Dial(dial(node, problems)),
        "Record" => Verb::Record(record(node, problems)),
        "Redirect" => Verb::Redirect(target(problems)),
        "Reject" => Verb::Reject { busy: node.attribute("reason") == Some("busy") },
        "Hangup" => Verb::Hangup,
        "Message" | "Sms" => Verb::Message(reply(node, problems)),
        other => {
            problems.push(Problem::invalid(format!("<{other}> is no verb that is known here; it was left out")));
            return None;
        }
    })
}

/// What an element says, without what its children say.
fn text(node: Node<'_, '_>) -> String {
    let parts: String = node.children().filter(Node::is_text).filter_map(|part| part.text()).collect();
    parts.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As it stands, for texts: line breaks are part of them.
fn whole_text(node: Node<'_, '_>) -> String {
    let parts: String = node.children().filter(Node::is_text).filter_map(|part| part.text()).collect();
    parts.trim().to_owned()
}

fn is_get(node: Node<'_, '_>, name: &str, problems: &mut Vec<Problem>) -> bool {
    match node.attribute(name) {
        Some("GET") => true,
        None | Some("POST") => false,
        Some(other) => {
            problems.push(Problem::invalid(format!("{name}=\"{other}\" is neither GET nor POST")));
            false
        }
    }
}

fn target(node: Node<'_, '_>, name: &str, method: &str, problems: &mut Vec<Problem>) -> Option<Target> {
    let url = node.attribute(name)?.trim().to_owned();
    Some(Target { url, get: is_get(node, method, problems) })
}

fn seconds(node: Node<'_, '_>, name: &str, default: f64, problems: &mut Vec<Problem>) -> f64 {
    let Some(value) = node.attribute(name) else { return default };
    match value.trim().parse::<u32>() {
        Ok(value) => f64::from(value.min(24 * 3_600)),
        Err(_) => {
            problems.push(Problem::invalid(format!("{name}=\"{value}\" is not a number of seconds")));
            default
        }
    }
}

fn is_true(node: Node<'_, '_>, name: &str, default: bool) -> bool {
    node.attribute(name).map_or(default, |value| value == "true")
}

fn gather(node: Node<'_, '_>, problems: &mut Vec<Problem>) -> Gather {
    let mut prompts = Vec::new();
    for child in node.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "Say" | "Play" | "Pause" => prompts.extend(verb(child, problems)),
            other => problems.push(Problem::invalid(format!("<{other}> cannot stand in <Gather>"))),
        }
    }
    if node.attribute("input").is_some_and(|input| !input.contains("dtmf")) {
        problems.push(Problem::invalid("speech is not simulated: <Gather> waits for keys"));
    }
    Gather {
        action: target(node, "action", "method", problems),
        timeout_s: seconds(node, "timeout", 5.0, problems),
        digits: node.attribute("numDigits").and_then(|value| value.parse().ok()).unwrap_or(usize::MAX).max(1),
        finish_on: node.attribute("finishOnKey").map_or(Some('#'), |value| value.chars().next()),
        even_if_empty: is_true(node, "actionOnEmptyResult", false),
        prompts,
    }
}

fn dial(node: Node<'_, '_>, problems: &mut Vec<Problem>) -> Dial {
    let mut numbers = Vec::new();
    let plain = text(node);
    if !plain.is_empty() {
        numbers.push(Number { number: plain, whisper: None, status: None, events: vec![] });
    }
    for child in node.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "Number" if numbers.len() < NUMBERS_MAX => numbers.push(number(child, problems)),
            "Number" => problems.push(Problem::invalid("<Dial> takes at most ten numbers")),
            other => problems.push(Problem::invalid(format!("<{other}> cannot be dialled here, only <Number>"))),
        }
    }
    numbers.retain(|number| !number.number.is_empty());
    if numbers.is_empty() {
        problems.push(Problem::invalid("<Dial> names nobody: no telephone rings"));
    }
    Dial {
        action: target(node, "action", "method", problems),
        timeout_s: seconds(node, "timeout", 30.0, problems),
        limit_s: seconds(node, "timeLimit", 14_400.0, problems),
        answer_on_bridge: is_true(node, "answerOnBridge", false),
        caller_id: node.attribute("callerId").map(str::to_owned).filter(|id| !id.is_empty()),
        numbers,
    }
}

fn number(node: Node<'_, '_>, problems: &mut Vec<Problem>) -> Number {
    let events = node.attribute("statusCallbackEvent").unwrap_or("completed");
    Number {
        number: text(node),
        whisper: target(node, "url", "method", problems),
        status: target(node, "statusCallback", "statusCallbackMethod", problems),
        events: events.split_whitespace().map(str::to_owned).collect(),
    }
}

fn record(node: Node<'_, '_>, problems: &mut Vec<Problem>) -> Record {
    Record {
        action: target(node, "action", "method", problems),
        status: target(node, "recordingStatusCallback", "recordingStatusCallbackMethod", problems),
        max_s: seconds(node, "maxLength", 3_600.0, problems).max(1.0),
        beep: is_true(node, "playBeep", true),
        finish_on: node.attribute("finishOnKey").unwrap_or("1234567890*#").to_owned(),
    }
}

fn reply(node: Node<'_, '_>, problems: &mut Vec<Problem>) -> Reply {
    let mut body = whole_text(node);
    let mut media = Vec::new();
    for child in node.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "Body" => body += &whole_text(child),
            "Media" => media.push(text(child)),
            other => problems.push(Problem::invalid(format!("<{other}> cannot stand in <Message>"))),
        }
    }
    let status = node.attribute("statusCallback").or_else(|| node.attribute("action")).map(str::to_owned);
    Reply { body, media, to: node.attribute("to").map(str::to_owned), status }
}
