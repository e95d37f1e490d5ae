//! TwiML: what Twilio is told to do. Constant documents only; nothing of a caller is ever written into one.

use std::borrow::Cow;

use actors::ports::Answer;

const XML: &str = "text/xml; charset=utf-8";

/// Do nothing: what we have to say is sent through REST, paced and recorded.
pub fn nothing() -> Answer {
    Answer { content_type: XML, body: Cow::Borrowed("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>") }
}

/// Nobody is there to take the call: the line has no forwarding. The carrier reports it as `busy`, hence missed.
pub fn reject() -> Answer {
    Answer {
        content_type: XML,
        body: Cow::Borrowed("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Reject reason=\"busy\"/></Response>"),
    }
}
