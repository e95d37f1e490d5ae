//! The carrier's own keywords: what it answers to STOP, START and HELP by itself, and whom it then refuses to text.
//!
//! After support.twilio.com 223134027 and 360058144374 (see also twilio.com/docs/api/errors/21610):
//! - A *long code*: Twilio keeps the list and answers, unless it was switched off for the account. The text still reaches
//!   the webhook, with `OptOutType`.
//! - A *toll-free* number: the network itself answers STOP, START and UNSTOP and nobody can switch that off; the other
//!   words are Twilio's as on a long code. YES does not lift the network's block.
//! - A *short code* by itself: nothing. The business answers, and keeps its own list.
//!
//! Only a text that is the one word counts, whatever its case. A second STOP, YES of somebody who is not opted out, and
//! HELP of somebody who is, get no answer.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::config::Line;

/// What kind of number a line has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberType {
    /// Ten digits (10DLC).
    #[default]
    LongCode,
    /// 800, 833, 844, …
    TollFree,
    /// Five or six digits.
    ShortCode,
}

/// What a keyword asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Stop,
    Start,
    Help,
}

/// Who handled a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Network,
    Twilio,
}

const STOPPED: &str = "You have successfully been unsubscribed. You will not receive any more messages from this number. \
                       Reply START to resubscribe.";
const STARTED: &str = "You have successfully been re-subscribed to messages from this number. Reply HELP for help. \
                       Reply STOP to unsubscribe. Msg&Data Rates May Apply.";
const HELPED: &str = "Reply STOP to unsubscribe. Msg&Data Rates May Apply.";

/// Who blocked which line, by whom it is kept.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    twilio: HashSet<(String, String)>,
    network: HashSet<(String, String)>,
}

/// What the carrier did with a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Handled {
    /// `OptOutType` of the webhook.
    pub(super) opt_out_type: Option<&'static str>,
    /// What the handset gets.
    pub(super) reply: Option<String>,
}

fn family(word: &str) -> Option<Family> {
    Some(match word {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => Family::Stop,
        "START" | "YES" | "UNSTOP" => Family::Start,
        "HELP" | "INFO" => Family::Help,
        _ => return None,
    })
}

/// Whose keyword it is on such a line; `None`: nobody's.
fn layer(line: &Line, keeps_opt_outs: bool, word: &str) -> Option<Layer> {
    let twilio = line.keywords.unwrap_or(keeps_opt_outs).then_some(Layer::Twilio);
    match line.number_type {
        NumberType::ShortCode => None,
        NumberType::LongCode => twilio,
        NumberType::TollFree if matches!(word, "STOP" | "START" | "UNSTOP") => Some(Layer::Network),
        NumberType::TollFree => twilio,
    }
}

impl Blocks {
    /// Whether texts of this line to this contact are refused with 21610.
    pub(super) fn holds(&self, line: &str, contact: &str) -> bool {
        if self.twilio.is_empty() && self.network.is_empty() {
            return false;
        }
        let pair = (line.to_owned(), contact.to_owned());
        self.twilio.contains(&pair) || self.network.contains(&pair)
    }

    /// A contact texts a line: what the carrier makes of it before anybody else sees it.
    pub(super) fn handle(&mut self, line: &Line, keeps_opt_outs: bool, contact: &str, body: &str) -> Handled {
        let word = body.trim().to_ascii_uppercase();
        let Some(family) = family(&word) else { return Handled::default() };
        let Some(layer) = layer(line, keeps_opt_outs, &word) else { return Handled::default() };
        let pair = (line.address.clone(), contact.to_owned());
        let was_out = self.holds(&line.address, contact);
        let (kind, reply) = match family {
            Family::Stop => {
                self.list(layer).insert(pair);
                ("STOP", (!was_out).then(|| stopped(layer)))
            }
            Family::Start => {
                self.list(layer).remove(&pair);
                // The network's START lifts Twilio's own list, too: they are one to the contact.
                if layer == Layer::Network {
                    self.twilio.remove(&pair);
                }
                let answers = was_out || word != "YES";
                let blocked = self.holds(&line.address, contact);
                ("START", (answers && !blocked).then(|| started(layer, &word)))
            }
            Family::Help => ("HELP", (!was_out).then(|| HELPED.to_owned())),
        };
        Handled { opt_out_type: Some(kind), reply }
    }

    fn list(&mut self, layer: Layer) -> &mut HashSet<(String, String)> {
        match layer {
            Layer::Network => &mut self.network,
            Layer::Twilio => &mut self.twilio,
        }
    }
}

fn stopped(layer: Layer) -> String {
    match layer {
        Layer::Twilio => STOPPED.to_owned(),
        Layer::Network => {
            "NETWORK MSG: You replied with the word \"stop\" which blocks all texts sent from this number. \
                           Text back \"unstop\" to receive messages again."
                .to_owned()
        }
    }
}

fn started(layer: Layer, word: &str) -> String {
    match layer {
        Layer::Twilio => STARTED.to_owned(),
        Layer::Network => format!(
            "NETWORK MSG: You have replied \"{}\" and will begin receiving messages again from this number.",
            word.to_ascii_lowercase()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTACT: &str = "+14155550100";

    fn line(number_type: NumberType) -> Line {
        Line { address: "+15005550006".to_owned(), number_type, ..Line::default() }
    }

    /// What each word gets, in turn: the kind told to the webhook, the first words of the reply, whether texts are refused.
    fn play(line: &Line, keeps: bool, words: &[&str]) -> Vec<(Option<&'static str>, String, bool)> {
        let mut blocks = Blocks::default();
        let mut step = |word: &&str| {
            let handled = blocks.handle(line, keeps, CONTACT, word);
            let reply = handled.reply.unwrap_or_default();
            let first: Vec<&str> = reply.split(' ').take(3).collect();
            (handled.opt_out_type, first.join(" "), blocks.holds(&line.address, CONTACT))
        };
        words.iter().map(&mut step).collect()
    }

    #[test]
    fn a_long_code_answers_each_word_once_and_refuses_who_said_stop() {
        let seen = play(&line(NumberType::LongCode), true, &["HELP", " stop ", "Quit", "help", "yes", "YES", "Start"]);
        let you = "You have successfully";
        let expected = [
            (Some("HELP"), "Reply STOP to", false),
            (Some("STOP"), you, true),
            (Some("STOP"), "", true),
            (Some("HELP"), "", true),
            (Some("START"), you, false),
            (Some("START"), "", false),
            (Some("START"), you, false),
        ];
        let seen: Vec<_> = seen.iter().map(|(kind, reply, out)| (*kind, reply.as_str(), *out)).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn only_the_one_word_counts() {
        let words = ["STOP PLEASE", "opt out", "stop.", "We have to stop this leak", "stopp", ""];
        let seen = play(&line(NumberType::LongCode), true, &words);
        assert!(seen.iter().all(|(kind, reply, out)| kind.is_none() && reply.is_empty() && !out), "{seen:?}");
    }

    #[test]
    fn a_toll_free_number_is_answered_by_the_network_whatever_is_switched_off() {
        let seen = play(&line(NumberType::TollFree), false, &["STOP", "YES", "STOP", "UNSTOP", "HELP"]);
        let network: Vec<bool> = seen.iter().map(|(_, reply, _)| reply.starts_with("NETWORK MSG")).collect();
        assert_eq!(network, [true, false, false, true, false]);
        let out: Vec<bool> = seen.iter().map(|(_, _, out)| *out).collect();
        assert_eq!(out, [true, true, true, false, false], "YES does not lift it");
        assert_eq!(seen[4].1, "", "HELP is Twilio's, and Twilio's is switched off");
        let on = play(&line(NumberType::TollFree), true, &["HELP", "CANCEL", "STOP", "YES", "START"]);
        let replies: Vec<bool> = on.iter().map(|(_, reply, _)| !reply.is_empty()).collect();
        assert_eq!(replies, [true, true, false, false, true]);
        assert!(!on[4].2, "START lifts both");
    }

    #[test]
    fn a_short_code_answers_nothing_and_neither_does_a_long_code_that_was_switched_off() {
        for (line, keeps) in [
            (line(NumberType::ShortCode), true),
            (line(NumberType::LongCode), false),
            (Line { keywords: Some(false), ..line(NumberType::LongCode) }, true),
        ] {
            let seen = play(&line, keeps, &["STOP", "START", "HELP"]);
            assert!(seen.iter().all(|(kind, reply, out)| kind.is_none() && reply.is_empty() && !out), "{seen:?}");
        }
    }
}
