//! Keywords that opt out, opt in and ask for help (carriers.md D.1): a whole text that is one, never a word within a text.

use schema::event::Keyword;

const STOP: [&str; 9] = ["stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"];
const START: [&str; 2] = ["start", "unstop"];
const HELP: [&str; 2] = ["help", "info"];

/// The keyword that `text` is, if it is one. `YES` is a START only from a contact who is opted out.
pub fn keyword(text: &str, opted_out: bool) -> Option<Keyword> {
    let folded = fold(text)?;
    let folded = folded.as_str();
    if STOP.contains(&folded) || folded == "opt out" {
        Some(Keyword::Stop)
    } else if START.contains(&folded) || (opted_out && folded == "yes") {
        Some(Keyword::Start)
    } else if HELP.contains(&folded) {
        Some(Keyword::Help)
    } else {
        None
    }
}

/// Lower case, letters and digits only, words by single spaces. `None`: longer than any keyword.
fn fold(text: &str) -> Option<String> {
    let mut folded = String::new();
    let mut gap = false;
    for character in text.chars() {
        if character.is_alphanumeric() {
            if gap && !folded.is_empty() {
                folded.push(' ');
            }
            gap = false;
            folded.extend(character.to_lowercase());
        } else {
            gap = true;
        }
        if folded.len() > 16 {
            return None;
        }
    }
    Some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_the_whole_text_however_it_is_typed() {
        for text in [
            "STOP",
            "stop",
            " Stop. ",
            "\"STOP\"",
            "Stop!!",
            "stop all",
            "STOPALL",
            "opt-out",
            "OPT OUT",
            "OptOut",
            "revoke",
            "🛑 stop",
        ] {
            assert_eq!(keyword(text, false), Some(Keyword::Stop), "{text}");
        }
        for text in ["We have to stop this leak", "stop it", "please stop", "stops", "end of the road", "", "no", "..."]
        {
            assert_eq!(keyword(text, false), None, "{text}");
        }
        assert_eq!(keyword("Start", false), Some(Keyword::Start));
        assert_eq!(keyword("help?", false), Some(Keyword::Help));
    }

    #[test]
    fn yes_opts_in_only_who_is_opted_out() {
        assert_eq!(keyword("Yes", false), None, "an answer to a question stays an answer");
        assert_eq!(keyword("Yes", true), Some(Keyword::Start));
    }
}
