//! TwiML: what Twilio is told to do. Sources: twilio.com/docs/voice/twiml/dial, number, gather, record, say, hangup.
//!
//! Of people only the business's own words and numbers are written into it; every text and URL is escaped.

use std::borrow::Cow;

use actors::ports::{Answer, LineScript, Moment};
use schema::settings::{Ring, VoiceMode};

const XML: &str = "text/xml; charset=utf-8";
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
/// Each of our URLs is tried five times on any failure; Twilio takes the fragment off before it calls.
const POLICY: &str = "#rc=5&rp=all";
/// How long a person who picked up may take to press 1, in seconds.
const SCREEN_S: &str = "5";

/// Do nothing: what we have to say is sent through REST, paced and recorded.
pub fn nothing() -> Answer {
    Answer { content_type: XML, body: Cow::Borrowed("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>") }
}

/// The call is over for us.
pub fn hangup() -> Answer {
    let mut xml = Xml::begin();
    xml.element("Hangup", &[]);
    xml.end()
}

/// The line's script. `base` is the public base of our URLs.
pub fn script(moment: Moment, line: &LineScript<'_>, base: &str) -> Answer {
    match (moment, &line.voice.mode) {
        (Moment::Begun, VoiceMode::Ring(ring)) => dial(ring, line, base),
        (Moment::Begun, VoiceMode::Forwarded) | (Moment::Missed, _) => greet(line, base),
        (Moment::Screen, _) => screen(line, base),
    }
}

/// Rings the business. `answerOnBridge`: the caller hears it ring, and the call is answered only when somebody took it.
fn dial(ring: &Ring, line: &LineScript<'_>, base: &str) -> Answer {
    let timeout = ring.ring_s.to_string();
    let action = url(base, line, if ring.confirm { "dialed&screened=1" } else { "dialed" });
    let mut xml = Xml::begin();
    xml.open("Dial", &[("timeout", &timeout), ("action", &action), ("answerOnBridge", "true")]);
    if ring.confirm {
        xml.open("Number", &[("url", &url(base, line, "screen"))]);
    } else {
        xml.open("Number", &[]);
    }
    xml.text(ring.phone.as_str());
    xml.close("Number");
    xml.close("Dial");
    xml.end()
}

/// Asks who picked up to press 1; a voicemail does not, and loses the call.
fn screen(line: &LineScript<'_>, base: &str) -> Answer {
    let action = url(base, line, "screened");
    let mut xml = Xml::begin();
    xml.open("Gather", &[("numDigits", "1"), ("timeout", SCREEN_S), ("action", &action)]);
    xml.say(&format!("A call for {}. Press 1 to take it.", line.business));
    xml.close("Gather");
    xml.element("Hangup", &[]);
    xml.end()
}

/// Says that nobody is there, and takes a message if the line wants one and the caller's conversation is known.
fn greet(line: &LineScript<'_>, base: &str) -> Answer {
    let mut xml = Xml::begin();
    xml.say(line.greeting);
    if let Some(voicemail) = line.voice.voicemail {
        let most = voicemail.max_s.to_string();
        let step = match line.conversation {
            Some(conversation) => format!("recorded&c={conversation}"),
            None => "recorded".to_owned(),
        };
        let callback = url(base, line, &step);
        // Without an action Twilio asks for the same document again when the recording ends, and greets again.
        let done = url(base, line, "over");
        xml.element("Record", &[("maxLength", &most), ("action", &done), ("recordingStatusCallback", &callback)]);
    }
    xml.element("Hangup", &[]);
    xml.end()
}

fn url(base: &str, line: &LineScript<'_>, step: &str) -> String {
    format!("{base}/webhooks/twilio/{}/voice?step={step}{POLICY}", line.channel)
}

/// A writer of one small document. Names are ours; texts and values may hold anything.
struct Xml(String);

impl Xml {
    fn begin() -> Self {
        Self(format!("{HEAD}<Response>"))
    }

    fn end(mut self) -> Answer {
        self.close("Response");
        Answer { content_type: XML, body: Cow::Owned(self.0) }
    }

    fn tag(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
    }

    fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.tag(name, attributes);
        self.0.push('>');
    }

    fn close(&mut self, name: &'static str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    fn element(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.tag(name, attributes);
        self.0.push_str("/>");
    }

    fn say(&mut self, words: &str) {
        self.open("Say", &[]);
        self.text(words);
        self.close("Say");
    }

    /// Escapes what has a meaning in XML; what XML 1.0 cannot hold at all becomes a space.
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&apos;"),
                '\u{fffe}' | '\u{ffff}' => self.0.push(' '),
                character if character.is_control() => self.0.push(' '),
                character => self.0.push(character),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_can_change_the_document() {
        let mut xml = Xml::begin();
        xml.say("Tom & \"Co\" </Say><Hangup/> \u{0}\u{b}\u{1b}\u{fffe}'é'");
        let Answer { body, .. } = xml.end();
        let said = "Tom &amp; &quot;Co&quot; &lt;/Say&gt;&lt;Hangup/&gt;     &apos;é&apos;";
        assert_eq!(body, format!("{HEAD}<Response><Say>{said}</Say></Response>"));
    }
}
