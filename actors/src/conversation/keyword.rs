//! What a text says about being texted (carriers.md D.1, D.2): a keyword, which is a whole text and never a word within
//! one; the same as carriers match it, more narrowly; and words that seem to ask for no more texts, for a person to read.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use schema::{event::Keyword, settings::NumberType};

const STOP: [&str; 10] =
    ["stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"];
const START: [&str; 2] = ["start", "unstop"];
const HELP: [&str; 2] = ["help", "info"];
/// A START only from a contact who is opted out, else an answer to a question.
const YES: &str = "yes";

/// Said anywhere in a text, these seem to ask for no more texts.
const PLEAS: &[&str] = &[
    "stop texting",
    "stop messaging",
    "stop sending",
    "stop contacting",
    "stop calling",
    "stop bothering",
    "quit texting",
    "no more texts",
    "no more messages",
    "no more msgs",
    "dont text",
    "do not text",
    "dont message",
    "do not message",
    "dont contact",
    "do not contact",
    "take me off",
    "remove me",
    "remove my number",
    "lose my number",
    "leave me alone",
    "unsubscribe",
    "opt out",
    "optout",
    "opt me out",
    "revoke my consent",
    "no mas",
    "dejen de",
    "deja de",
    "no me escriban",
    "no me manden",
    "no envien",
];
/// Before a plea they turn it round.
const NEGATIONS: [&str; 4] = ["dont", "not", "never", "cant"];
/// A short text of nothing but these and "stop" is one, too: "Stop. Thank you", "please stop", "I said stop".
const FILLERS: &[&str] = &[
    "please", "pls", "plz", "thank", "thanks", "thx", "you", "ok", "okay", "now", "it", "this", "that", "just", "i",
    "said", "already", "no", "hey", "sir", "me", "por", "favor", "gracias",
];

/// Longest keyword, in bytes.
const KEYWORD_MAX: usize = 16;
/// How much of a text is looked at for a plea, in bytes.
const PLEA_MAX: usize = 2_000;

/// The keyword that `text` is, if it is one.
pub fn keyword(text: &str, opted_out: bool) -> Option<Keyword> {
    let folded = fold(text, KEYWORD_MAX);
    let folded = folded.as_str();
    if STOP.contains(&folded) {
        Some(Keyword::Stop)
    } else if START.contains(&folded) || (opted_out && folded == YES) {
        Some(Keyword::Start)
    } else if HELP.contains(&folded) {
        Some(Keyword::Help)
    } else {
        None
    }
}

/// Whether `text` is a YES.
pub fn is_yes(text: &str) -> bool {
    fold(text, KEYWORD_MAX) == YES
}

/// The keyword that the carrier takes `text` for: single words in any case, with nothing around them but space
/// (Twilio: 223134027). The toll-free network does not know YES.
pub fn carriers(text: &str, kind: NumberType) -> Option<Keyword> {
    match text.trim().to_ascii_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => Some(Keyword::Stop),
        "START" | "UNSTOP" => Some(Keyword::Start),
        "YES" if kind != NumberType::TollFree => Some(Keyword::Start),
        "HELP" | "INFO" => Some(Keyword::Help),
        _ => None,
    }
}

/// Whether `text`, which is no keyword, seems to ask for no more texts. It errs on the side of asking a person.
pub fn pleads_to_stop(text: &str) -> bool {
    let folded = format!(" {} ", fold(text, PLEA_MAX));
    let pleads = |at: usize| {
        let before = folded[..at].rsplit(' ').next().unwrap_or_default();
        !NEGATIONS.contains(&before)
    };
    SPACED_PLEAS.find_overlapping_iter(&folded).any(|found| pleads(found.start())) || only_stop(&folded)
}

/// Every plea between spaces, looked for in one pass: every text that arrives is read this way.
static SPACED_PLEAS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new(PLEAS.iter().map(|plea| format!(" {plea} "))).expect("a few short words make a small automaton")
});

fn only_stop(folded: &str) -> bool {
    let words: Vec<&str> = folded.split_whitespace().take(7).collect();
    let stops = words.iter().filter(|word| matches!(**word, "stop" | "stopp")).count();
    let fillers = words.iter().filter(|word| FILLERS.contains(word)).count();
    stops > 0 && words.len() <= 6 && stops + fillers == words.len()
}

/// Lower case, letters and digits only, without accents, words by single spaces; what joins nothing on the screen
/// (apostrophes, joiners, variation selectors) joins nothing here. Ends early when longer than `most` bytes.
fn fold(text: &str, most: usize) -> String {
    let mut folded = String::with_capacity(text.len().min(most + 4));
    let mut gap = false;
    for character in text.chars().filter(|character| !is_unseen(*character)) {
        let character = plain(character);
        if character.is_alphanumeric() {
            if gap && !folded.is_empty() {
                folded.push(' ');
            }
            gap = false;
            if character.is_ascii() {
                folded.push(character.to_ascii_lowercase());
            } else {
                folded.extend(character.to_lowercase().map(plain));
            }
        } else {
            gap = true;
        }
        if folded.len() > most {
            break;
        }
    }
    folded
}

/// Apostrophes; combining marks; soft hyphen, zero-width characters, joiners, variation selectors.
fn is_unseen(character: char) -> bool {
    matches!(character, '\'' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}' | '\u{ad}' | '\u{34f}' | '\u{feff}'
        | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}')
}

/// Full-width forms and Western accents as the plain letter.
fn plain(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        character => character,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_keyword_is_the_whole_text_however_it_is_typed() {
        let stops = [
            "STOP",
            "stop",
            " Stop. ",
            "\"STOP\"",
            "“Stop”",
            "‘stop’",
            "Stop!!",
            "stop all",
            "STOPALL",
            "Stop-All",
            "opt-out",
            "OPT OUT",
            "OptOut",
            "Opt–Out.",
            "revoke",
            "🛑 stop",
            "stop🙏🏽",
            "STOP👨‍👩‍👧",
            "stop ❤️",
            "ＳＴＯＰ",
            "s\u{200b}top",
            "STOP\u{fe0f}",
            "\u{feff}stop",
            "(unsubscribe)",
            "end.",
            "Cancel",
            "quit\n",
            "*stop*",
        ];
        for text in stops {
            assert_eq!(keyword(text, false), Some(Keyword::Stop), "{text}");
        }
        let others = [
            "We have to stop this leak",
            "stop it",
            "please stop",
            "stops",
            "end of the road",
            "",
            "no",
            "...",
            "🛑",
            "stop 2",
            "cancel my appointment",
            "STOP STOP STOP STOP STOP",
        ];
        for text in others {
            assert_eq!(keyword(text, false), None, "{text}");
        }
        assert_eq!(keyword("Start", false), Some(Keyword::Start));
        assert_eq!(keyword("unstop!", false), Some(Keyword::Start));
        assert_eq!(keyword("help?", false), Some(Keyword::Help));
        assert_eq!(keyword("INFO", false), Some(Keyword::Help));
    }

    #[test]
    fn yes_opts_in_only_who_is_opted_out() {
        assert_eq!(keyword("Yes", false), None, "an answer to a question stays an answer");
        assert_eq!(keyword("Yes!", true), Some(Keyword::Start));
        assert!(is_yes("¡yes!") && !is_yes("yes please"));
    }

    #[test]
    fn the_carrier_matches_more_narrowly() {
        for text in ["stop", " STOP ", "OptOut", "Quit"] {
            assert_eq!(carriers(text, NumberType::LongCode), Some(Keyword::Stop), "{text}");
        }
        for text in ["Stop.", "opt out", "opt-out", "stop all", "\"stop\"", "🛑 stop", "ＳＴＯＰ"] {
            assert_eq!(carriers(text, NumberType::LongCode), None, "{text}");
        }
        assert_eq!(carriers("Yes", NumberType::LongCode), Some(Keyword::Start));
        assert_eq!(carriers("Yes", NumberType::TollFree), None);
    }

    #[test]
    fn words_that_seem_to_ask_for_no_more_texts_are_noticed() {
        let pleas = [
            "please stop texting me",
            "Stop. Thank you",
            "STOP STOP STOP",
            "please stop",
            "I said stop!",
            "Stop it now",
            "no more messages",
            "No more texts please!!",
            "No mas",
            "No más mensajes",
            "por favor dejen de escribirme",
            "don’t text me again",
            "Do not contact me",
            "take me off your list",
            "Remove me from this list",
            "how do I unsubscribe?",
            "I want to opt-out of this",
            "leave me alone",
            "Stop sending me these",
            "stopp",
        ];
        for text in pleas {
            assert_eq!(keyword(text, false), None, "{text} is for a person");
            assert!(pleads_to_stop(text), "{text}");
        }
        let others = [
            "We have to stop this leak",
            "Can you stop by tomorrow?",
            "the bus stop on Elm",
            "don't stop texting me :)",
            "I can't stop sending you pictures",
            "It stopped",
            "cancel my appointment please",
            "at the end of the day",
            "No more leaks, thank you",
            "please do not call, text me",
            "ok thank you",
            "no",
            "yes",
            "",
            "It won't stop dripping",
            "stop the water",
        ];
        for text in others {
            assert!(!pleads_to_stop(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at_without_harm(text in "\\PC{0,200}", opted_out: bool) {
            let _ = (keyword(&text, opted_out), pleads_to_stop(&text), is_yes(&text));
        }
    }
}
