//! Twilio: signed webhooks in, `Messages.json` out. Facts and their sources: carriers.md B.1.
//!
//! Its wire formats stay in this folder. It knows no actor and no route.

mod errors;
mod form;
mod history;
mod inbound;
mod list;
mod send;
mod signature;
mod twiml;
mod voice;

pub use inbound::{TwilioInbound, TwilioInboundSettings};
pub use send::{TwilioCarrier, TwilioError, TwilioSettings};

#[cfg(test)]
mod tests;
